"""What the state store keeps, as values: the engine's memory between passes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Literal, NamedTuple, get_args

from reconciler.core.asset import Applied, Coordinates

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reconciler.core.asset import Visibility
    from reconciler.core.carry_over import CarryOver
    from reconciler.core.catalogue import WrittenPart
    from reconciler.core.reasons import Reason

AssetStatus = Literal[
    "new",  # not brought in sync yet, and nothing went wrong
    "in_sync",
    "pending",  # written, not yet seen settled
    "conflict",  # a person's value stands against the catalogue's
    "held",  # the guard holds a change back
    "not_sticking",  # Immich did not keep what was written; see the reasons
    "undone",  # a person took back what was written: it is left alone
    "left_out",  # a person, a tag or a rule leaves it out: it is observed, and never written
    "unknown_asset",  # Immich does not show the asset to this key
    "not_writable",  # trashed, another user's, not yet extracted …: see the reasons
    "failed",  # the last attempt met an error; tried again
    "unlinked",  # left the catalogue
]

FINE: Final[frozenset[AssetStatus]] = frozenset({"in_sync", "undone", "left_out", "unlinked"})
"""The states that need nobody's attention."""

Keep = Literal["immich", "skymmich", "both"]
Field = Literal["block", "prose", "coordinates", "taken_at", "tags", "albums"]
TextField = Literal["block", "prose"]
JournalField = Literal["description", "coordinates", "taken_at", "tags", "albums", "favorite", "memberships"]
"""``memberships``: a person's albums that an asset was put in for them, as id and name."""
FormerField = Literal["block", "prose", "joined", "coordinates", "taken_at", "description"]
"""``joined``: a person's prose, and that with ours below; ``description``: of an older version's journal."""
Trigger = Literal[
    "api",
    "audit",
    "catalogue",
    "cli",
    "decision",
    "event",
    "immich",
    "lease",
    "page",
    "probe",
    "redo",
    "reload",
    "retry",
    "schedule",
    "settings",
    "signal",
    "skymmich",
    "start",
    "store",
    "template",
    "undo",
]
"""What a run was begun for."""
RunOutcome = Literal["running", "succeeded", "failed", "stopped"]
"""How a run itself ended; whether the library needs attention is ``service.summary``'s to say."""
EARLIER_OUTCOMES: Final[Mapping[str, RunOutcome]] = {
    "ok": "succeeded",
    "attention": "succeeded",
    "interrupted": "stopped",
}
"""What an older version called them in the store."""
CARRIED: Final = "/carried"
"""In the journal of tags, among what was ours: they are a person's, carried over. No path begins so."""
WriteStep = Literal["fields", "add_tags", "remove_tags"]


@dataclass(frozen=True, slots=True)
class Resolution:
    """One field's decision, and the values it was made for. The key is asset and field."""

    field: Field
    keep: Keep
    desired: str
    """Digest of the catalogue's side then."""
    live: str
    """Digest of Immich's side then."""
    at: datetime
    result: str = ""
    """Digest of the prose that ``both`` makes of them: seen in Immich, it is carried out."""


@dataclass(frozen=True, slots=True)
class Unsticking:
    """A value that Immich did not keep: it is not written again until something about it changes."""

    field: Field
    desired: str
    """Digest of the value that did not stick."""
    live: str
    """Digest of what Immich showed instead: a person's change of it is a reason to try again."""
    server: str
    """The server's version then."""
    diagnosis: Reason
    undone: bool = False
    """Whether a person took it back: then another server is no reason to write it again."""
    at: datetime | None = None
    """When, if they did; an older version did not keep it."""


@dataclass(frozen=True, slots=True)
class TakenBack:
    """A person took all of an asset back, or is at it: passes leave it alone until it is written again."""

    at: datetime
    whole: bool = True
    """Whether it stays so: everything was undone. Else an undo is at work on it, or was broken off."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A person left a field of an image out: passes observe it and do not write it. One a field."""

    field: WrittenPart
    at: datetime
    by: str
    """Over which face (``page``, ``cli``, ``api``), or the user's name where a proxy tells it."""


@dataclass(frozen=True, slots=True)
class Crossing:
    """Somebody saved an asset in Immich between our reading and our write; what they entered may be gone.

    Nothing that is read later can tell whether it is: it is kept until a person has looked.
    """

    at: datetime
    """When it was noticed; of several, the newest."""
    fields: frozenset[Field]
    """What was written then; of several, all of it."""
    run_id: str
    """Of the newest: the journal has what was read and what was written."""
    times: int = 1
    """How often, since a person last looked."""
    since: datetime | None = None
    """When the first of several was noticed; ``None``: there is just this one."""

    def after(self, earlier: Crossing) -> Crossing:
        """Return this one together with those before it, which nobody has looked at yet."""
        return replace(
            self,
            fields=self.fields | earlier.fields,
            times=self.times + earlier.times,
            since=earlier.since or earlier.at,
        )


@dataclass(frozen=True, slots=True)
class Crossed:
    """How many assets have a crossing that nobody has looked at, and when the newest was noticed."""

    count: int = 0
    newest: datetime | None = None


LossKind = Literal["values", "left"]
"""``values``: an asset lost something in Immich; ``left``: its image left the catalogue."""


@dataclass(frozen=True, slots=True)
class RecentLosses:
    """Assets that lost something within the guard's window, and that nobody approved or gave back."""

    values: frozenset[str] = frozenset()
    left: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Correction:
    """How often a value of ours was put right that somebody changes. The key is asset, field and value."""

    field: Field
    desired: str
    """Digest of the value; of tags, of the one tag."""
    count: int
    at: datetime
    """When it was put right the last time."""
    until: datetime | None = None
    """Until when the next time waits; ``None``: it does not."""
    held: bool = False
    """Whether it is left as it is from here on."""


@dataclass(frozen=True, slots=True)
class AssetRecord:
    """All that is remembered of one managed asset. The key is ``asset_id``, never Skymmich's row id."""

    asset_id: str
    image_id: int
    title: str = ""
    applied: Applied = field(default_factory=Applied)
    fingerprint: str = ""
    """Of desired and policy at the last pass that left nothing to do; ``""``: look again."""
    status: AssetStatus = "new"
    reasons: tuple[Reason, ...] = ()
    """Why it is so; empty when in sync and nothing is to be said of it."""
    seen_updated_at: datetime | None = None
    """The asset's ``updatedAt`` when last observed."""
    width: int | None = None
    height: int | None = None
    unsticking: tuple[Unsticking, ...] = ()
    linked: bool = True
    """Whether the last good pass found it in the catalogue."""
    checked_at: datetime | None = None
    changed_at: datetime | None = None
    resolutions: tuple[Resolution, ...] = ()
    """What a person decided of its conflicts. Read with the record; saved by ``Store.save_resolution``."""
    crossing: Crossing | None = None
    """What no person has looked at yet. Read with the record; noted by ``Store.note_crossings``."""
    held: str = ""
    """Hash of the harm that the guard holds back, until a person or other values let it go; ``""``: none."""
    corrections: tuple[Correction, ...] = ()
    """What somebody else changes."""
    superseded: frozenset[str] = frozenset()
    """Owned tags that are being taken off because another one took their place."""
    kinds: tuple[tuple[str, str], ...] = ()
    """Owned tags whose path does not tell of which kind of fact they are → the kind, in order."""
    taken_back: TakenBack | None = None
    marks: tuple[Reason, ...] = ()
    """Why catalogue and configuration left fields of it out when they were last read."""
    left_out: tuple[LeftOut, ...] = ()
    """What a person left out of it. Read with the record; saved by ``Store.leave_out``."""
    carrying: tuple[CarryOver, ...] = ()
    """What a person wants carried over to it. Read with the record; saved by ``Store.save_carry_over``."""

    def to_look_at(self) -> AssetRecord:
        """Return it without what would let a pass skip it."""
        return replace(self, fingerprint="", held="")


class Standing(NamedTuple):
    """How one managed asset stands, in short: lists of very many are made of these."""

    asset_id: str
    status: str
    written: int
    """When it was last written to, in seconds since 1970; 0: never."""
    seen: int
    """When it last changed in Immich, as far as that was seen, likewise."""
    title: int
    """Differs for another title, within one process."""


@dataclass(frozen=True, slots=True)
class PendingWrite:
    """A write that was intended, perhaps sent, and not yet seen settled. At most one per asset."""

    asset_id: str
    image_id: int
    run_id: str
    step: WriteStep
    sent: bool
    """``False``: recorded before sending; after a crash it may or may not have reached the server."""
    before_updated_at: datetime
    """The asset's ``updatedAt`` before the write: it has settled once it has moved past this."""
    description: str | None = None
    """The whole description in the form it should settle in, if it is part of the write."""
    block: str | None = None
    """The block within it, if this write makes it ours; ``""``: this write takes our block away."""
    prose: str | None = None
    """Likewise for the prose."""
    coordinates: Coordinates | None = None
    taken_at: datetime | None = None
    keeps_day: bool = False
    """Whether ``taken_at`` but keeps what is shown where the place is written: then it is not ours by it."""
    tags: frozenset[str] = field(default_factory=frozenset)
    """The tags added or removed."""
    attempt: int = 1
    intended_at: datetime | None = None
    gives_back: bool = False
    """Whether it is an undo's: then what it writes is not ours by it."""
    beside: frozenset[str] | None = None
    """All tags on it just before the write, by which a later pass sees what is gone; ``None``: not read."""
    visibility: Visibility | None = None
    """Where it was before the write, in the trash or not; ``None``: not known."""
    is_trashed: bool = False
    by_hand: bool = False
    """Whether a person moved it since: that shows in its date at once, and says nothing about the write."""


@dataclass(frozen=True, slots=True)
class JournalEntry:
    """One value replaced in Immich: what undo reads. ``before`` and ``after`` are JSON-able values."""

    run_id: str
    asset_id: str
    image_id: int
    field: JournalField
    before: object
    after: object
    at: datetime
    entry_id: int | None = None
    """Given by the store; ascending."""
    ours: tuple[str, ...] = ()
    """What of ``before`` was ours: ``block`` (``edited``: with a person's lines in it), ``prose``,
    ``coordinates``; of tags, their paths."""


@dataclass(frozen=True, slots=True)
class FormerValue:
    """The last value of a field that was not ours, before it was replaced. The key is asset and field.

    It is kept as long as the asset is managed, however old the journal gets: what undoing everything
    gives back.
    """

    asset_id: str
    field: FormerField
    value: object
    """A JSON-able value; ``None``: there was none."""
    at: datetime


Finding = Literal["drift", "conflict", "both_changed", "contested", "not_sticking"]
"""The cases of ``merge`` that a run counts."""

# Counts have a flat form in the store and in JSON. Its names are looked up, and never taken apart.
_STATUSES: Final[Mapping[str, AssetStatus]] = {f"status_{one}": one for one in get_args(AssetStatus)}
_WROTE: Final[Mapping[str, Field]] = {f"wrote_{one}": one for one in get_args(Field)}
_FOUND: Final[Mapping[str, tuple[Finding, Field]]] = {
    f"found_{case}_{one}": (case, one) for case in get_args(Finding) for one in get_args(Field)
}


@dataclass(frozen=True, slots=True)
class RunCounts:
    """Images, and values, by what became of them."""

    images: int = 0
    changed: int = 0
    """Images that were written, and kept it."""
    statuses: Mapping[AssetStatus, int] = field(default_factory=dict)
    """Images by where they stand at the end."""
    wrote: Mapping[Field, int] = field(default_factory=dict)
    """Images of which a field was written and kept."""
    found: Mapping[tuple[Finding, Field], int] = field(default_factory=dict)
    """Images of which a field was found so."""
    others: Mapping[str, int] = field(default_factory=dict)
    """Of another version of this program, as they are called there."""
    failed: int = 0
    """Images of which something could not be read or written, or was not kept."""

    def to_json(self) -> dict[str, int]:
        """Return all as one flat object."""
        return {
            "images": self.images,
            "changed": self.changed,
            **({"failed": self.failed} if self.failed else {}),
            **{key: self.statuses[one] for key, one in sorted(_STATUSES.items()) if one in self.statuses},
            **{key: self.wrote[one] for key, one in sorted(_WROTE.items()) if one in self.wrote},
            **{key: self.found[one] for key, one in sorted(_FOUND.items()) if one in self.found},
            **dict(sorted(self.others.items())),
        }

    @classmethod
    def from_json(cls, flat: Mapping[str, int]) -> RunCounts:
        """Return counts from what ``to_json`` made, in this version or an older one."""
        statuses: dict[AssetStatus, int] = {}
        wrote: dict[Field, int] = {}
        found: dict[tuple[Finding, Field], int] = {}
        others: dict[str, int] = {}
        for key, count in flat.items():
            if key in _STATUSES:
                statuses[_STATUSES[key]] = count
            elif key in _WROTE:
                wrote[_WROTE[key]] = count
            elif key in _FOUND:
                found[_FOUND[key]] = count
            elif key not in {"images", "changed", "failed"}:
                others[key] = count
        images, changed, failed = (flat.get(name, 0) for name in ("images", "changed", "failed"))
        return cls(images, changed, statuses, wrote, found, others, failed)


@dataclass(frozen=True, slots=True)
class Run:
    """One pass, with its trigger and its outcome."""

    run_id: str
    trigger: str
    """A ``Trigger``; an older version may have known others."""
    started_at: datetime
    finished_at: datetime | None = None
    outcome: RunOutcome = "running"
    summary: tuple[Reason, ...] = ()
    """How it ended."""
    counts: RunCounts = field(default_factory=RunCounts)
