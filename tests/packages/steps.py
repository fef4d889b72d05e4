"""The steps of building and trying what is released: within a bound of time, each told with what it took.

Not every machine may build an image or boot a package. What it is that is not allowed or not there is said loudly,
and nothing fails by it; what is wrong with what is released does fail. ``make packages`` sets the bound, and loads
this as a plugin that sums up.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

UNTIL, TOLD = "PACKAGES_UNTIL", "PACKAGES_STEPS"
"""Variables: when the time is used up, in seconds since 1970; and the file in which steps are noted."""
LONG = 1800.0


def not_here(reason: str) -> NoReturn:
    """Skip a test that this machine cannot run."""
    pytest.skip(f"NOT TESTED HERE: {reason}")


def seconds_left() -> float:
    """Return how long the tests of packages may still take."""
    until = os.environ.get(UNTIL)
    return float(until) - time.time() if until else LONG


@contextmanager
def step(what: str) -> Iterator[None]:
    """Note how long something takes; do not begin it when the time is used up."""
    if seconds_left() <= 0:
        not_here(f"the time is used up before: {what}")
    began = time.monotonic()
    try:
        yield
    finally:
        if told := os.environ.get(TOLD):
            with Path(told).open("a", encoding="utf-8") as file:
                file.write(f"{time.monotonic() - began:7.1f} s  {what}\n")


def ran(command: Sequence[object]) -> subprocess.CompletedProcess[str]:
    """Run a command with all it starts for as long as there is time."""
    process = subprocess.Popen(
        [str(part) for part in command],
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        said, _ = process.communicate(timeout=max(1.0, seconds_left()))
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        not_here(f"not within the time that there is: {Path(str(command[0])).name}")
    return subprocess.CompletedProcess(process.args, process.returncode, said)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Begin no test of packages when the time is used up."""
    if item.get_closest_marker("packages") and seconds_left() <= 0:
        not_here("the time is used up")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say what each step took, and what was not tested."""
    told = Path(os.environ.get(TOLD, os.devnull))
    terminalreporter.section("packages")
    if told.is_file():
        terminalreporter.write(told.read_text(encoding="utf-8"))
    skipped = [str(report.longrepr) for report in terminalreporter.stats.get("skipped", [])]
    if count := sum("NOT TESTED HERE" in reason for reason in skipped):
        terminalreporter.write_line(f"{count} of these tests were NOT run here; why is said below.", red=True)
