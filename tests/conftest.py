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


LONGEST = (
    "packages/test_container.py",
    "packages/test_wheel.py",
    "systemd/test_deb.py",
    "fleet/test_workers.py",
    "skymmich/test_rest_edits.py",
    "web/test_browser.py",
    "fleet/test_pages_at_work.py",
    "fleet/test_wishes.py",
    "benchmarks/test_library.py",
    "daemon/test_store_file.py",
    "fleet/test_asked_again.py",
    "web/test_clicks.py",
    "skymmich/test_rest.py",
    "core/test_properties.py",
    "cli/test_undo.py",
    "model/test_model.py",
    "virtual/test_promises.py",
    "daemon/test_process.py",
    "daemon/test_templates.py",
    "systemd/test_boot.py",
    "cli/test_plan_and_apply.py",
    "engine/test_trouble.py",
    "service/test_service.py",
    "daemon/test_day.py",
    "engine/test_people.py",
    "web/test_reverse_proxy.py",
    "fuzz/test_fuzz.py",
    "virtual/test_schedules.py",
    "engine/test_killed.py",
    "virtual/test_undo.py",
    "benchmarks/test_loop.py",
)
"""Files that take half a minute and more: they begin first, so that no process is left with one at the end."""


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
    ranks = {name: rank for rank, name in enumerate(LONGEST)}
    for item in items:
        if "/".join(item.path.parts[-2:]) in UNMEASURED:
            item.add_marker("no_cover")
    items.sort(key=lambda item: ranks.get("/".join(item.path.parts[-2:]), len(ranks)))
