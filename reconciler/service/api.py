"""What a face (web page, command line, signal) may ask of the running daemon, and what it is shown.

The service behind it is the one owner of passes: faces only enqueue and look.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol

from reconciler.core.permission import UNASKED, Permission
from reconciler.core.records import Crossed
from reconciler.service.deciding import Deciding

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime

    from reconciler.core.catalogue import Catalogue, CatalogueImage
    from reconciler.core.permission import Beginner
    from reconciler.core.plan.guard import Verdict
    from reconciler.core.plan.plan import AssetPlan
    from reconciler.core.policy import Switches
    from reconciler.core.reasons import Reason
    from reconciler.core.records import AssetRecord, AssetStatus, Run, Trigger
    from reconciler.engine.events import Progress
    from reconciler.engine.foreseen import Foreseen
    from reconciler.engine.item import Item
    from reconciler.engine.passes import Prepared, Report
    from reconciler.engine.planner.wishes import Wishes
    from reconciler.engine.undo_plan import PreparedUndo
    from reconciler.engine.undo_wish import UndoWish

Level = Literal["ok", "attention", "trouble", "unknown", "off"]
"""``ok`` only when everything is in sync and was looked at lately: an old or unknown state is never green."""
Status = Literal["True", "False", "Unknown"]
ConditionType = Literal[
    "StoreWritable",
    "Configured",
    "ConfigurationCurrent",
    "Writer",
    "Working",
    "CatalogueReadable",
    "SyncEnabled",
    "Begun",
    "ImmichReachable",
    "Permitted",
    "GuardClear",
    "CanaryClear",
    "InSync",
    "Fresh",
    "NoticesSent",
]
"""In the order in which a pass depends on them."""
ConditionReason = Literal[
    "Recorded", "StoreFailed", "StoreGone", "TakenUp",
    "Complete", "Incomplete", "TemplateBroken", "Unconfirmed",
    "Refused", "Reloaded",
    "Held", "HeldElsewhere", "AnotherInstance",
    "Failed", "Unexpected", "WentThrough",
    "NotReadable", "Read",
    "On", "SwitchedOff",
    "MayWrite", "NotBegun", "FirstOnly", "Observes",
    "Answers", "Maintenance", "NoAnswer", "Rejected",
    "Allowed", "KeyRefused", "PartlyPermitted", "PermissionMissing",
    "HeldBack", "NothingHeld",
    "NothingStuck", "Passed",
    "AllInSync", "NotAllInSync",
    "LookedLately", "NotYet", "Old",
    "Sent", "NotSent",
]  # fmt: skip
"""Why a condition is as it is, in one CamelCase word; a line a condition. ``PartlyPermitted``: a part of the
work goes on without what is missing."""


@dataclass(frozen=True, slots=True)
class Request:
    """A wish to look now. Requests for the same images fold into one pass."""

    image_ids: frozenset[int] | None = None
    """``None``: all images."""
    full: bool = False
    """Hashes ignored: every asset is read."""
    hints: bool = False
    """Look for what moved no date, too: see ``engine.hints``."""
    force: bool = False
    by_person: bool = True
    approved: str = ""
    trigger: Trigger = "api"
    undo: UndoWish | None = None
    """What is to be taken back, instead of a pass."""
    again: bool = False
    """Write again first what was taken back of these images."""
    delay: float = 0.0
    """Seconds to wait for a person who may think better of it."""
    first: int = 0
    """Begin with so many images, and wait then."""
    by: Beginner = "page"
    """Who begins, if it is that."""


@dataclass(frozen=True, slots=True)
class RunState:
    """A requested run, from queue to report."""

    run_id: str
    request: Request
    state: Literal["queued", "running", "done", "failed", "stopped"]
    progress: Progress | None = None
    report: Report | None = None
    error: tuple[Reason, ...] = ()
    """What went wrong."""
    stopping: bool = False
    """Whether a person asked for its end, and it has not ended yet."""


@dataclass(frozen=True, slots=True)
class Condition:
    """One named truth about the daemon, in Kubernetes' style."""

    type: ConditionType
    status: Status
    reason: ConditionReason
    details: tuple[Reason, ...]
    """What happened, what stays safe, what to do."""
    since: datetime


HeadlineCode = Literal[
    "broken",  # a condition without which nothing is done
    "off",
    "paused",
    "writing",
    "not_looked",
    "first_look",
    "asks",  # nobody has begun it: nothing is written
    "trying",  # begun with some images: nothing else is written
    "observes",
    "stale",
    "waiting",  # a condition that needs a person, or a part that is not permitted
    "not_in_sync",
    "edit_missing",
    "working",  # a person asked for a run over all, and it has written nothing yet
    "taken_back",  # all is left alone, because a person took it back
    "left_out",  # all is left alone, because it is left out
    "in_sync",
]


@dataclass(frozen=True, slots=True)
class Headline:
    """The state of everything in short: what decides it, and what is told with it."""

    code: HeadlineCode
    level: Level
    condition: Condition | None = None
    """What is broken, off or waiting."""
    images: int = 0
    """All that are linked."""
    counts: Mapping[AssetStatus, int] = field(default_factory=dict)
    """Of these, those that are worth a word, by status."""
    crossed: int = 0
    """Images of which an edit may be missing."""
    progress: Progress | None = None
    looked: float | None = None
    """Seconds since the last look at everything."""
    next_look: float | None = None
    """Seconds until the next."""
    changing: int = 0
    """Images that would be written, if nothing may be."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Everything a status shows, at one moment."""

    headline: Headline
    started_at: datetime
    checked_at: datetime | None
    """End of the last pass that went through."""
    attempted_at: datetime | None
    conditions: tuple[Condition, ...] = ()
    counts: Mapping[AssetStatus, int] = field(default_factory=dict)
    """Images by status."""
    crossed: Crossed = field(default_factory=Crossed)
    """Images of which an edit may have crossed with a write, and nobody has looked."""
    offered: int = 0
    """Images to which something is offered from a replaced asset, and nobody has decided."""
    next_looks: Mapping[str, datetime] = field(default_factory=dict)
    """Name of the job → when it runs next."""
    switches: Switches | None = None
    """As they held at the last reading; ``None`` before the first."""
    switches_source: str = ""
    """Where they live: ``Skymmich`` or ``override``."""
    permission: Permission = UNASKED
    """What may be written."""
    foreseen: Foreseen | None = None
    """What would be written, where nothing may be."""
    paused: bool = False
    queue_depth: int = 0
    circuit_open_since: datetime | None = None
    current: RunState | None = None
    last: Run | None = None
    verdict: Verdict | None = None
    immich_version: str = ""
    immich_url: str = ""
    catalogue: str = ""
    """What the catalogue is, for people, without secrets."""

    @property
    def level(self) -> Level:
        """Return the headline's."""
        return self.headline.level

    @property
    def stands_back(self) -> bool:
        """Whether another instance keeps the library, and nothing is written from here."""
        return any(one.status == "False" and one.reason == "AnotherInstance" for one in self.conditions)


@dataclass(frozen=True, slots=True)
class Update:
    """Something to tell a page that is open: ``progress``, ``run``, ``state`` …, with JSON-able data."""

    name: str
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ImageView:
    """One image from all sides. ``plan`` is ``None`` when Immich could not be asked: see ``error``."""

    image: CatalogueImage
    record: AssetRecord | None
    plan: AssetPlan | None
    error: tuple[Reason, ...] = ()
    members: tuple[Item, ...] = ()
    """The other members of its asset's stack for which it stands, each where it stands now."""


class Control(Deciding, Protocol):
    """The running daemon, as its faces see it."""

    def snapshot(self) -> Snapshot:
        """Look at everything."""
        ...

    def catalogue(self) -> Catalogue | None:
        """Return the catalogue as last read; ``None`` before the first reading."""
        ...

    def request(self, request: Request) -> str:
        """Enqueue a pass; gives the run's id at once."""
        ...

    def begin(self, by: Beginner, *, first: int = 0) -> str:
        """Let writing begin, with so many images or with all, and enqueue the pass; gives its run's id.

        Where it has begun, only a pass is enqueued.

        Raises:
            ObservingError: nothing may be written here; nothing was changed.
            StateError: it could not be kept; nothing is written.
        """
        ...

    def run_state(self, run_id: str) -> RunState | None:
        """Return a run that was requested since the start; ``None`` if unknown."""
        ...

    async def wait(self, run_id: str, patience: float) -> RunState | None:
        """Wait for a run to end, at most ``patience`` seconds; gives its state then."""
        ...

    def stop_run(self) -> bool:
        """Stop the pass that runs: what is in flight finishes. False when none runs."""
        ...

    async def read_switches(self) -> Switches:
        """Read the switches again, from where they live; the snapshot has them from now on.

        A master switch found turned off ends the pass that runs, as ``stop_run`` does.

        Raises:
            CatalogueError: the catalogue was never read, and cannot be.
        """
        ...

    def pause(self) -> None:
        """Start no pass by itself any more; a person's requests still run."""
        ...

    def resume(self) -> None:
        """Undo ``pause``."""
        ...

    async def preview(
        self,
        wishes: Wishes | None = None,
        *,
        image_ids: frozenset[int] | None = None,
        again: bool = False,
    ) -> Prepared:
        """Plan images, under other wishes if given, and write nothing.

        Args:
            wishes: other than the ones in force.
            image_ids: ``None``: all.
            again: as if what was taken back of them were to be written again; of all: of just those of which
                anything was.
        """
        ...

    async def undo_plan(self, wish: UndoWish) -> PreparedUndo:
        """Look at what an undo would do, and write nothing; ``request`` with the wish carries it out.

        Raises:
            UndoError: there is nothing to undo, or not in this way.
            ReconcilerError: it could not be looked at.
        """
        ...

    async def view(self, image_id: int, asset_id: str = "") -> ImageView | None:
        """Look at one image from all sides; ``None`` if the catalogue has none with this id.

        ``asset_id``: as another asset has it, of the same stack, for which the image stands, too.
        """
        ...

    def assets_of(self, image_id: int) -> tuple[str, ...]:
        """Return the assets for which an image stood at the last run, the main one first."""
        ...

    async def take_over(self) -> str:
        """Take the place of the other instance that keeps this library; gives the run's id.

        Raises:
            StateError: the wish could not be recorded.
        """
        ...

    async def looked_at(self, until: datetime, asset_ids: Collection[str] | None = None) -> int:
        """Forget crossings that a person has looked at; tells of how many images.

        Args:
            until: what was noticed later is kept: they cannot have seen it.
            asset_ids: of these images; ``None``: all.

        Raises:
            StateError: it could not be recorded; they are kept.
        """
        ...

    def subscribe(self) -> AbstractAsyncContextManager[AsyncIterator[Update]]:
        """Listen to updates until the context is left. A slow listener loses the oldest, never blocks."""
        ...
