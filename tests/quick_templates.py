"""Pages' templates are compiled once in each process of the tests, and not for each application that it makes.

An application compiles all of its templates when it starts, which takes as long as most tests.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from jinja2 import BytecodeCache, Environment

from reconciler.web.pages import renderer

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
    renderer.Environment = QuickEnvironment
    pages = renderer.Pages(None)
    for name in pages._environment.list_templates(extensions=["html"]):
        pages._environment.get_template(name)
