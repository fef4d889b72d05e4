"""What every test may ask for."""

from __future__ import annotations

import gc
import signal
from pathlib import Path

import pytest
from coverage import Coverage

SHARED = Path(__file__).resolve().parents[2] / "shared"


# A shell lets what it starts in the background ignore Ctrl-C, and the processes that tests start would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real catalogue files beside the repository, where there is one (CI has it)."""
    if not (SHARED / "skymmich" / "seed.sqlite3").exists():
        pytest.skip("no folder of real catalogue files beside this clone")
    return SHARED


@pytest.fixture(scope="session", autouse=True)
def few_pictures():
    """Let simulators of this process draw two pictures of a kind for all assets: each takes a tenth of a second."""
    from reconciler.simulator.server import asset_routes

    draw = asset_routes.picture
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(asset_routes, "picture", lambda asset, *rest: draw(str(int(asset[-1], 16) % 2), *rest))
        yield


@pytest.fixture(scope="module", autouse=True)
def quick_schema():
    """Let new stores of this process have a copy of the schema; see ``tests/quick_schema.py``."""
    from state import opening
    from tests.quick_schema import upgrade

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening, "upgrade", upgrade)
        yield


def pytest_collection_finish():
    """Let no garbage collection look at what stays to the end: the modules and some thousand tests."""
    gc.collect()
    gc.freeze()


UNMEASURED = (
    "tests/core/test_properties.py",
    "tests/messages/test_glossary.py",
    "tests/messages/test_sentences.py",
    "tests/messages/test_template.py",
)
"""Files that run the same lines thousands of times, or read the source. Where coverage is asked for they take twice
their time, and they run no line that others do not."""


STOPPED = pytest.StashKey["Coverage | None"]()


def pytest_addoption(parser):
    parser.addoption("--measured", help="folders whose tests coverage is measured of; of no others")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    from tests.scheduling import Scheduling

    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session):
    from tests.quick_collection import rewrite_share

    # All processes of pytest-xdist import the same: one of them notes what that runs.
    worker = getattr(session.config, "workerinput", {}).get("workerid", "gw0")
    if session.config.getoption("measured") is not None and worker != "gw0":
        stop_measuring(session.config)
    rewrite_share(session.config)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item):
    """Measure what the tests of the quick rooms run, and nothing else: the others would take half as long again."""
    measured = item.config.getoption("measured")
    if measured is None:
        return (yield)
    file = item.nodeid.partition("::")[0]
    wanted = file not in UNMEASURED and any(file.startswith(f"{one}/") for one in measured.split())
    stopped = item.config.stash.get(STOPPED, None)
    if wanted and stopped is not None:
        stopped.start()
        item.config.stash[STOPPED] = None
    elif not wanted and stopped is None:
        stop_measuring(item.config)
    return (yield)


def stop_measuring(config):
    """Stop what measures coverage.

    In a process of pytest-xdist pytest-cov starts it twice: its marker "no_cover" stops one of them there and wakes the
    other. What it saves at the end is the last one.
    """
    config.stash[STOPPED] = Coverage.current()
    while (measuring := Coverage.current()) is not None:
        measuring.stop()
