"""A daemon that does what a test says, before a real state store and the real application."""

from __future__ import annotations

import asyncio
import shutil
import warnings
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.core.asset import Applied, Coordinates, ObservedAsset
from reconciler.core.catalogue import Catalogue, CatalogueImage, CatalogueObject, Equipment, SyncSettings
from reconciler.core.desired.desired import Desired
from reconciler.core.plan.guard import Verdict
from reconciler.core.plan.plan import AssetPlan, Rules, TagsDecision, TextDecision, ValueDecision
from reconciler.core.plan.reversal import Reversal
from reconciler.core.plan.undo import Reversed
from reconciler.core.policy import Policy, Switches
from reconciler.core.ports import ServerFacts
from reconciler.core.reasons import reason, told
from reconciler.core.records import AssetRecord, JournalEntry, Run, RunCounts
from reconciler.engine.item import Item
from reconciler.engine.items import Items
from reconciler.engine.passes import Outcome, Prepared, Report
from reconciler.engine.undo_plan import PreparedUndo
from reconciler.engine.undo_steps import Step, Steps
from reconciler.errors import DecisionError, UndoError
from reconciler.rendering.renderer import SafeRenderer
from reconciler.service.api import Condition, Headline, ImageView, RunState, Snapshot, Update
from reconciler.service.api import Request as Wish
from reconciler.web.access.policy import Access
from reconciler.web.app import create_app
from state.store import StateStore
from tests.quick_templates import QuickEnvironment

with warnings.catch_warnings():
    # Starlette 1 asks for httpx's successor; this project has httpx.
    warnings.simplefilter("ignore")
    from starlette.testclient import TestClient

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
EVIL = '<img src=x onerror="alert(1)"> & "quotes" \ud83d'
"""A title with HTML, and half an emoji."""


@pytest.fixture(scope="session", autouse=True)
def quick_templates():
    """Let the pages' templates be compiled once; see ``tests/quick_templates.py``."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("reconciler.web.pages.environment.Environment", QuickEnvironment)
        yield


def asset(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


TITLES = ("M 31 – Andromeda Galaxy", EVIL, "NGC 7000", "Orion’s Sword", "Élégie", "M 42")
STATUSES = ("in_sync", "conflict", "not_sticking", "in_sync", "unknown_asset", "held")


def images() -> tuple[CatalogueImage, ...]:
    camera = Equipment(1, "ZWO ASI2600MM Pro", "camera")
    found = [
        CatalogueImage(
            number,
            asset(number),
            title,
            description="Words",
            tags=("galaxy",),
            target=CatalogueObject("NGC 224") if number == 1 else None,
            equipment=(camera,) if number % 2 else (),
        )
        for number, title in enumerate(TITLES, start=1)
    ]
    return (*found, CatalogueImage(99, None, "Not linked"))


class FakeControl:
    """Fulfils ``service.api.Control``; requests end at once unless ``hanging``."""

    def __init__(self) -> None:
        self.images = images()
        self.members = ()
        self.requested: list[object] = []
        self.begun: list[tuple] = []
        self.decided: list[tuple] = []
        self.looked_through: list[tuple] = []
        self.looked: list[tuple] = []
        self.left_out: list[tuple] = []
        self.taken_in: list[tuple] = []
        self.carried_over: list[tuple] = []
        self.states: dict[str, RunState] = {}
        self.hanging = False
        self.known = True
        self.paused = False
        self.stopped = 0
        self.holding, self.source = Switches(), "Skymmich"
        """The switches where they live; the snapshot has them once they were read."""
        self.queue: asyncio.Queue[Update] | None = None
        self.status = dict(enumerate(STATUSES, start=1))
        self.shown = Snapshot(
            headline=Headline(
                "not_in_sync",
                "attention",
                images=6,
                counts={"conflict": 1, "not_sticking": 1, "unknown_asset": 1, "held": 1},
                looked=38,
            ),
            started_at=NOW - timedelta(hours=5),
            checked_at=NOW - timedelta(seconds=38),
            attempted_at=NOW - timedelta(seconds=38),
            conditions=(
                Condition(
                    "CatalogueReadable", "True", "Read", (reason("catalogue_read", count=7, linked=6),), NOW
                ),
                Condition(
                    "ImmichReachable", "True", "Answers", (reason("immich_answers", version="2.7.5"),), NOW
                ),
                Condition("GuardClear", "True", "NothingHeld", (reason("nothing_held"),), NOW),
            ),
            counts={"in_sync": 2, "conflict": 1, "not_sticking": 1, "unknown_asset": 1, "held": 1},
            next_looks={"immich": NOW + timedelta(seconds=22)},
            switches=Switches(),
            switches_source="Skymmich",
            immich_version="2.7.5",
            immich_url="http://immich.lan:2283",
            catalogue="SQLite, schema of 0.9",
        )

    def snapshot(self) -> Snapshot:
        return replace(self.shown, paused=self.paused)

    def catalogue(self) -> Catalogue | None:
        return Catalogue(self.images, settings=SyncSettings(stored=True)) if self.known else None

    def request(self, request) -> str:
        self.requested.append(request)
        run_id = f"run{len(self.requested)}"
        chosen = request.image_ids or set(self.status)
        outcomes = tuple(
            Outcome(
                image.image_id,
                image.asset_id,
                image.title,
                self.status[image.image_id],
                told("why"),
                ("block",),
            )
            for image in self.images
            if image.image_id in chosen and image.image_id in self.status
        )
        run = Run(
            run_id,
            request.trigger,
            NOW,
            NOW,
            "succeeded",
            (reason("run_images", count=len(outcomes)),),
            RunCounts(images=len(outcomes)),
        )
        state = "running" if self.hanging else "done"
        report = None if self.hanging else Report(run, outcomes)
        self.states[run_id] = RunState(run_id, request, state, report=report)
        return run_id

    def begin(self, by, *, first=0) -> str:
        self.begun.append((by, first))
        return self.request(Wish(trigger="page"))

    def run_state(self, run_id: str) -> RunState | None:
        return self.states.get(run_id)

    async def wait(self, run_id: str, _: float) -> RunState | None:
        return self.states.get(run_id)

    def stop_run(self) -> bool:
        self.stopped += 1
        return self.hanging

    async def read_switches(self) -> Switches:
        self.shown = replace(self.shown, switches=self.holding, switches_source=self.source)
        return self.holding

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

    async def resolve_many(self, image_ids, keep, *, shown) -> str:
        self.decided.append((image_ids, keep, shown))
        return self.request(Wish(image_ids, trigger="decision"))

    async def leave_out(self, image_id, fields, *, by):
        self.left_out.append((image_id, tuple(fields), by))
        return self.request(Wish(frozenset({image_id}), trigger="decision"))

    async def take_in(self, image_id, fields):
        self.taken_in.append((image_id, tuple(fields)))
        return self.request(Wish(frozenset({image_id}), trigger="decision"))

    async def carry_over(self, image_id, *, by, dismiss=False):
        self.carried_over.append((image_id, by, dismiss))
        return self.request(Wish(frozenset({image_id}), trigger="decision"))

    async def take_over(self) -> str:
        self.took_over = True
        return self.request(Wish(full=True, trigger="decision"))

    async def preview(self, wishes=None, *, image_ids=None, again=False) -> Prepared:
        self.looked_through.append((image_ids, again))
        return Prepared(
            catalogue=Catalogue(self.images),
            server=ServerFacts("2.7.5", "me"),
            rules=Rules(Policy(), wishes.switches if wishes and wishes.switches else Switches()),
            rules_digest="digest",
            items=Items.of(
                (Item(one, one.asset_id, one.image_id, one.title, plan=plan_of(one)), None)
                for one in self.images
                if one.asset_id and (image_ids is None or one.image_id in image_ids)
            ),
            records={},
            verdict=Verdict(),
        )

    async def undo_plan(self, wish) -> PreparedUndo:
        if wish.run_id and wish.run_id != "old1":
            raise UndoError("Nothing was written by it, so there is nothing to undo.")
        prepared = await self.preview()
        steps = tuple(
            Step(
                item,
                Reversal(item.asset_id, item.image_id),
                Reversed(item.plan),
                (reason("no_place_before").of("coordinates"),),
                record_of(item.image_id),
            )
            for item in prepared.items
            if not wish.images or item.asset_id in dict(wish.images)
        )
        return PreparedUndo(prepared, Steps(steps), wish, ("Astro", "Astro/Old"))

    def assets_of(self, image_id: int) -> tuple[str, ...]:
        found = next((one for one in self.images if one.image_id == image_id), None)
        return (found.asset_id, *self.members) if found is not None and found.asset_id else ()

    async def view(self, image_id: int, asset_id: str = "") -> ImageView | None:
        found = next((one for one in self.images if one.image_id == image_id), None)
        if found is None:
            return None
        if found.asset_id is None:
            return ImageView(found, None, None, (reason("not_linked"),))
        if asset_id and asset_id not in self.members:
            return None
        members = tuple(
            Item(found, one, image_id, found.title, status="conflict")
            for one in self.assets_of(image_id)
            if self.members and one != (asset_id or found.asset_id)
        )
        return ImageView(found, record_of(image_id), plan_of(found), members=members)

    async def resolve(self, image_id, keep, *, field=None, shown=""):
        if self.status.get(image_id) != "conflict":
            raise DecisionError("there is no conflict to decide", remedy="Look again.")
        self.decided.append((image_id, keep, field, shown))
        return self.request(Wish(frozenset({image_id}), trigger="decision"))

    async def looked_at(self, until, asset_ids=None):
        self.looked.append((until, asset_ids))
        return 1 if self.shown.crossed.count else 0

    @asynccontextmanager
    async def subscribe(self):
        queue: asyncio.Queue[Update] = asyncio.Queue()
        self.queue = queue

        async def notices():
            while True:
                yield await queue.get()

        try:
            yield notices()
        finally:
            self.queue = None


def plan_of(image: CatalogueImage) -> AssetPlan:
    here = Coordinates(48.1, 11.5)
    block = "✦ M 31\nIntegration 3h\n— Skymmich"
    decisions = (
        TextDecision(
            "block",
            "update",
            "write",
            "✦ M 31\n— Skymmich",
            block,
            "✦ M 31\n— Skymmich",
            reason("update"),
        ),
        TextDecision(
            "prose", "conflict", "keep", None, "Mine", "A person's <b>words</b>", reason("conflict")
        ),
        ValueDecision("coordinates", "fill", "write", None, here, None, reason("fill")),
        TagsDecision("tags", "update", "write", ("Astro/Old",), ("Astro/Galaxy",), ("Astro/Old", "Family")),
        TagsDecision("albums", "in_sync", "nothing", *[("Astro · Messier 31",)] * 3),
    )
    return AssetPlan(
        image.image_id,
        image.asset_id or "",
        image.title,
        ObservedAsset(image.asset_id or "", "me", NOW),
        Desired(),
        decisions,
        description=block,
        block=block,
        coordinates=here,
        add_tags=frozenset({"Astro/Galaxy"}),
        remove_tags=frozenset({"Astro/Old"}),
    )


def record_of(number: int) -> AssetRecord:
    return AssetRecord(
        asset(number),
        number,
        TITLES[number - 1],
        Applied(block="✦ M 31\n— Skymmich", tags=frozenset({"Astro/Old"})),
        status=STATUSES[number - 1],
        reasons=() if STATUSES[number - 1] == "in_sync" else told("why it is so"),
        checked_at=NOW,
    )


@pytest.fixture(scope="module")
def browser():
    """A real browser, for the tests of one file."""
    from browsing import launched

    with launched() as found:
        yield found


@pytest.fixture
def control() -> FakeControl:
    return FakeControl()


@pytest.fixture(scope="session")
def filled(tmp_path_factory):
    """A store with history, made once and copied."""
    path = tmp_path_factory.mktemp("store") / "state.sqlite3"
    with StateStore.open(path) as store:
        store.save_records(record_of(number) for number in range(1, len(TITLES) + 1))
        for number in range(1, 4):
            run = Run(f"old{number}", "schedule", NOW - timedelta(hours=number))
            store.start_run(run)
            end = run.started_at + timedelta(seconds=4)
            store.finish_run(replace(run, finished_at=end, outcome="succeeded", summary=told("6 images")))
        place = {"latitude": 1.0, "longitude": 2.0}
        store.journal(
            [
                JournalEntry("old1", asset(1), 1, "description", "before", "after", NOW),
                JournalEntry("old1", asset(1), 1, "coordinates", None, place, NOW),
                JournalEntry("old1", asset(2), 2, "tags", [], ["Astro/Galaxy"], NOW),
            ]
        )
    return path


@pytest.fixture
def store(filled, tmp_path):
    with StateStore.open(shutil.copy(filled, tmp_path / "state.sqlite3")) as store:
        yield store


@pytest.fixture
def pictures():
    return Pictures()


class Pictures:
    """Immich's pictures; counts who asks."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    async def thumbnail(self, asset_id: str, size: str) -> tuple[bytes, str, str]:
        self.asked.append((asset_id, size))
        return b"\x89PNG picture", "image/png", '"e"'


@pytest.fixture(scope="session")
def renderer():
    with SafeRenderer() as renderer:
        yield renderer


@pytest.fixture
def build(control, store, pictures, renderer):
    """Make a client; keyword arguments are ``create_app``'s."""

    def made(base_url="http://127.0.0.1:8287", **more) -> TestClient:
        parts = {"thumbnails": pictures, "renderer": renderer, "now": lambda: NOW, **more}
        app = create_app(control, store, **parts)
        return TestClient(app, base_url=base_url, raise_server_exceptions=False)

    return made


@pytest.fixture
def client(build):
    return build()


@pytest.fixture
def guarded(build):
    """A client of an application with the token ``right-token``."""
    return build(access=Access(token="right-token"))


SAME = {"origin": "http://127.0.0.1:8287"}
