"""Pages' templates are compiled once in each process of the tests, and not for each application that it makes.

An application compiles all of its templates when it starts, which takes as long as most tests.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from jinja2 import BytecodeCache, Environment

from reconciler.web.context import utc_now
from reconciler.web.pages import environment

if TYPE_CHECKING:
    from types import CodeType

    from jinja2.bccache import Bucket


class Compiled(BytecodeCache):
    """Templates as they were compiled, each for its source."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._known.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._known[bucket.key, bucket.checksum] = bucket.code


QuickEnvironment = partial(Environment, bytecode_cache=Compiled())


def compile_all() -> None:
    """Compile them now, for the processes that are forked from this one."""
    environment.Environment = QuickEnvironment
    made = environment.Templates(utc_now)._environment
    for name in made.list_templates(extensions=["html"]):
        made.get_template(name)
