"""What every test may ask for."""

from __future__ import annotations

import gc
import signal
from pathlib import Path

import pytest

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


WAITING = {
    "packages/test_container.py": 100,
    "fleet/test_pages_at_work.py": 130,
    "skymmich/test_rest_edits.py": 100,
    "fleet/test_workers.py": 120,
    "skymmich/test_rest.py": 60,
    "fleet/test_wishes.py": 100,
    "daemon/test_store_file.py": 110,
    "fleet/test_asked_again.py": 75,
    "benchmarks/test_library.py": 80,
}
"""Files that mostly wait for a server to settle, with about how many seconds they take."""
BUSY = {
    "packages/test_wheel.py": 60,
    "systemd/test_deb.py": 60,
    "web/test_browser.py": 150,
    "web/test_clicks.py": 90,
    "daemon/test_process.py": 75,
    "systemd/test_boot.py": 70,
    "cli/test_undo.py": 65,
    "daemon/test_templates.py": 65,
    "web/test_browser_everywhere.py": 60,
    "web/test_first_hour.py": 60,
    "cli/test_stacks.py": 60,
    "cli/test_plan_and_apply.py": 60,
    "daemon/test_fencing.py": 55,
    "web/test_browser_finding.py": 50,
    "cli/test_backup.py": 45,
    "daemon/test_day.py": 35,
    "engine/test_killed.py": 30,
    "engine/test_people.py": 35,
    "benchmarks/test_loop.py": 30,
    "core/test_properties.py": 35,
    "virtual/test_promises.py": 45,
    "virtual/test_schedules.py": 15,
    "fuzz/test_fuzz.py": 15,
    "model/test_model.py": 15,
}
"""Files that compute and take half a minute, or have one test that takes long; with about how many seconds they take."""
USUAL = 6
"""Seconds of any other file."""
LANES = 3
"""Processes that have files that compute, for each that has files that wait."""


def beginnings(files):
    """Plan when each file begins, in seconds: all the time one process waits and the others compute.

    All that wait at first, or at the end, would leave the processors idle then, and crowd them in between.
    """
    names = {file: "/".join(file.parts[-2:]) for file in files}
    waiting = [file for file in files if names[file] in WAITING]
    busy = sorted(
        (file for file in files if names[file] not in WAITING), key=lambda file: names[file] not in BUSY
    )
    planned = {}
    for lane, seconds, processes in ((waiting, WAITING, 1), (busy, BUSY, LANES)):
        begins = 0.0
        for file in lane:
            planned[file] = begins
            begins += seconds.get(names[file], USUAL) / processes
    return planned


UNMEASURED = (
    "core/test_properties.py",
    "messages/test_glossary.py",
    "messages/test_sentences.py",
    "messages/test_template.py",
)
"""Files that run the same lines thousands of times, or read the source. Where coverage is asked for they take twice
their time, and they run no line that others do not."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session):
    from tests.quick_collection import rewrite_share

    rewrite_share(session.config)


def pytest_collection_modifyitems(items):
    planned = beginnings(list(dict.fromkeys(item.path for item in items)))
    for item in items:
        if "/".join(item.path.parts[-2:]) in UNMEASURED:
            item.add_marker("no_cover")
    items.sort(key=lambda item: planned[item.path])
