"""What pytest makes of the tests' asserts is made once in a fresh checkout, not by each of its processes.

pytest rewrites the asserts of a file before it imports it, and keeps what comes of it beside the bytecode. All
processes of pytest-xdist collect the same files in the same order at the same time, so none finds what another one
kept: four times eight seconds of computing. Here each rewrites a share of them first.
"""

from __future__ import annotations

import sys
from importlib.util import spec_from_file_location
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class Rewritten(BaseException):
    """What is told by the first import of a module: its asserts are rewritten, and that is kept."""


def rewrite_share(config) -> list[Path]:
    """Rewrite the share of this process of pytest-xdist, if it is one; give its files."""
    told = getattr(config, "workerinput", None)
    hook = config.pluginmanager.rewrite_hook
    if told is None or sys.dont_write_bytecode or not hasattr(hook, "exec_module"):
        return []
    number, count = int(told["workerid"].removeprefix("gw")), told["workercount"]
    share = asked_for(config)[number::count]
    for path in share:
        rewrite(hook, path)
    return share


def asked_for(config) -> list[Path]:
    """The files of tests that are to be collected, the longest first."""
    here = config.invocation_params.dir
    left_out = [here / one for one in config.getoption("ignore") or []]
    files = {
        path
        for asked in config.args
        for path in found(here / asked.partition("::")[0])
        if not any(path.is_relative_to(one) for one in left_out)
    }
    there = [path for path in files if path.is_file()]  # what is not, pytest itself says
    return sorted(there, key=lambda path: (-path.stat().st_size, path))


def found(path: Path):
    return path.rglob("test_*.py") if path.is_dir() else [path] if path.suffix == ".py" else []


def rewrite(hook, path: Path) -> None:
    """Have it rewritten and kept as for an import, which ends at its first line."""

    def end(*_, **__):
        raise Rewritten

    module = ModuleType(f"rewritten {path}")
    module.__spec__ = spec_from_file_location(module.__name__, path)
    module.__dict__["__builtins__"] = {"__import__": end}
    try:
        hook.exec_module(module)
    except (Rewritten, SyntaxError):
        return  # an import says better what is wrong with it
