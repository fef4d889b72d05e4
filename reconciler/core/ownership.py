"""What is ours of an asset, as a record that can be kept in Immich beside it: the store's second copy.

It says which tags and which place were written, and has digests of the texts: those stand in Immich anyway.
A record that cannot be read says nothing: what it may be about is neither taken for ours nor for a person's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final, cast, get_args

from reconciler.core.asset import Applied, Coordinates
from reconciler.core.desired.block import split
from reconciler.core.desired.solver_sentence import split_without_sentence
from reconciler.core.fingerprint import digest, place
from reconciler.core.plan.taken_back import taken_back_on
from reconciler.core.reasons import Reason, reason
from reconciler.core.records import AssetRecord, Field, TakenBack, Unsticking
from reconciler.core.text import normal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.desired.block import Markers
    from reconciler.core.desired.desired import Desired

KEY: Final = "skymmich-reconciler"
"""The name of the record among an asset's custom metadata."""
VERSION: Final = 1
_HOST: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_FIELDS: Final[Mapping[str, Field]] = {one: one for one in get_args(Field)}


@dataclass(frozen=True, slots=True)
class Owner:
    """Who writes: one store, with a name of its own."""

    instance: str
    """Drawn by chance when the store first wrote."""
    since: datetime
    """When that was, or when it took over from another one."""
    home: str = ""
    """Digest of machine and path: a store that is lost and made anew is known by it."""
    generation: int = 0
    """Counts the writings of records: a store with a lower number than Immich shows is an older copy."""
    sentinels: tuple[str, ...] = ()
    """The assets whose records are written each time: they show the newest number, and that it lives."""
    host: str = ""
    """The name of its host, for people; empty: not known, as in the records of an older version."""


@dataclass(frozen=True, slots=True)
class OwnedText:
    """A text that was written, without its words."""

    digest: str
    lines: int

    @classmethod
    def of(cls, text: str | None) -> OwnedText | None:
        """Return it of a text; ``None`` and empty ones are not owned."""
        plain = normal(text or "")
        return cls(digest(plain), plain.count("\n") + 1) if plain else None

    def is_(self, text: str | None) -> bool:
        """Return whether a text is this one."""
        return OwnedText.of(text) == self

    def find(self, text: str) -> str | None:
        """Return the lines of a text that are this one, wherever they stand; the last of several."""
        lines = text.split("\n")
        for first in range(len(lines) - self.lines, -1, -1):
            found = "\n".join(lines[first : first + self.lines])
            if self.is_(found):
                return found
        return None


@dataclass(frozen=True, slots=True)
class Undone:
    """What a person took back: it is not written again."""

    field: Field
    desired: str
    """Digest of what was wanted."""
    live: str
    """Digest of what was left."""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class OwnershipRecord:
    """What is ours of one asset, by whom, and as of when."""

    asset_id: str
    """Whose it is: an answer of a cache, or a copy of an asset, may bring another's."""
    owner: Owner
    written_at: datetime
    """By the writer's clock: for people. Whether it lives is told by Immich's date of the record."""
    block: OwnedText | None = None
    prose: OwnedText | None = None
    coordinates: Coordinates | None = None
    taken_at: datetime | None = None
    tags: frozenset[str] = field(default_factory=frozenset)
    albums: frozenset[str] = field(default_factory=frozenset)
    undone: tuple[Undone, ...] = ()
    taken_back: TakenBack | None = None
    """Whether a person took everything of the asset back."""

    @classmethod
    def of(cls, record: AssetRecord, owner: Owner, at: datetime) -> OwnershipRecord:
        """Return it of what the store has."""
        applied = record.applied
        return cls(
            asset_id=record.asset_id,
            owner=owner,
            written_at=at,
            block=OwnedText.of(applied.block),
            prose=OwnedText.of(applied.prose),
            coordinates=applied.coordinates,
            taken_at=applied.taken_at,
            tags=applied.tags,
            albums=applied.albums,
            undone=tuple(
                Undone(one.field, one.desired, one.live, one.at) for one in record.unsticking if one.undone
            ),
            taken_back=record.taken_back,
        )

    def is_newer_than(self, owner: Owner, generation: int) -> bool:
        """Return whether a store does not know what it says: another's, or written after its last number."""
        return self.owner.instance != owner.instance or self.owner.generation > generation

    def to_json(self) -> dict[str, object]:
        """Return it as Immich keeps it: an object."""
        return {
            "version": VERSION,
            "asset": self.asset_id,
            "instance": self.owner.instance,
            "home": self.owner.home,
            "since": self.owner.since.isoformat(),
            "generation": self.owner.generation,
            "sentinels": list(self.owner.sentinels),
            **({"host": self.owner.host} if self.owner.host else {}),
            "written": self.written_at.isoformat(),
            "block": _text_to_json(self.block),
            "prose": _text_to_json(self.prose),
            "coordinates": place(self.coordinates),
            # An older version made, and reads, records without it.
            **({"taken_at": self.taken_at.isoformat()} if self.taken_at else {}),
            "tags": sorted(self.tags),
            **({"albums": sorted(self.albums)} if self.albums else {}),
            "undone": [
                [one.field, one.desired, one.live, one.at.isoformat() if one.at else None]
                for one in self.undone
            ],
            "taken_back": {"at": self.taken_back.at.isoformat(), "whole": self.taken_back.whole}
            if self.taken_back
            else None,
        }

    @classmethod
    def from_json(cls, value: object, asset_id: str) -> OwnershipRecord | None:
        """Read what ``to_json`` made of an asset; ``None``: damaged, of a later version, or another's."""
        try:
            found = _read(value)
        except (KeyError, TypeError, ValueError):
            return None
        return found if found.asset_id == asset_id else None


def adopt(
    known: OwnershipRecord, record: AssetRecord, seen: ObservedAsset, wanted: Desired, markers: Markers
) -> AssetRecord:
    """Return what the store should remember of an asset, by its record in Immich.

    Args:
        known: the record in Immich.
        record: what the store has by now, perhaps nothing but the names.
        seen: the asset as it is.
        wanted: what the catalogue wants of it: a text that is not there any more is known by that.
        markers: the block's.
    """
    block = _text(known.block, seen.description, wanted.block)
    parts = split(seen.description, markers, block)
    if known.block is not None and block is None and _same(parts.block, wanted.block):
        # Written, and not seen settled before the store was lost: the record is of the one before.
        block = parts.block
    prose = None
    if known.prose is not None:
        told = (split_without_sentence(parts).prose, parts.prose, wanted.prose)
        prose = next((text for text in told if known.prose.is_(text)), None)
        if prose is None and _same(parts.prose, wanted.prose):
            prose = parts.prose
    undone = tuple(
        Unsticking(one.field, one.desired, one.live, "", _why(one.at), undone=True, at=one.at)
        for one in known.undone
    )
    return replace(
        record.to_look_at(),
        applied=Applied(block, prose, known.coordinates, known.tags, known.taken_at, known.albums),
        unsticking=undone,
        taken_back=known.taken_back,
        status="new",
        reasons=(),
    )


_SAME_LINES: Final = 2
"""Lines of a block under another heading that are the very same, and so tell whose it is."""


def recognise_block(seen: ObservedAsset, wanted: Desired, markers: Markers) -> str | None:
    """Return the block between our markers that is to be taken for ours where no record tells.

    It has to read like what would be written here: each of its lines stands there too, or has the same
    label (``Camera: …``). A line that does not may be a person's: such a block is theirs to give away. So is
    one under another heading, unless lines of it are the very same.
    """
    live = split(seen.description, markers).block
    if live is None or wanted.block is None:
        return None
    ours = [normal(line) for line in wanted.block.split("\n")]
    lines, labels = set(ours), set(filter(None, map(_label, ours)))
    heading, *inner = (normal(line) for line in live.split("\n")[:-1])
    if heading != ours[0] and sum(line in lines for line in inner if line) < _SAME_LINES:
        return None
    if all(not line or line in lines or _label(line) in labels for line in inner):
        return live
    return None


def offered_tags(seen: ObservedAsset, wanted: Desired, root: str) -> frozenset[str]:
    """Return the tags under our root that the rules would make and that are there: perhaps ours, once."""
    if not root or seen.tags is None:
        return frozenset()
    return frozenset(tag for tag in wanted.tags & seen.tags if tag.startswith(f"{root}/"))


def bears_traces(seen: ObservedAsset, markers: Markers) -> bool:
    """Return whether an asset shows something that only this program writes: a block between its markers."""
    return split(seen.description, markers).block is not None


def could_be_ours(seen: ObservedAsset) -> bool:
    """Return whether there is anything on an asset that may have been written from here."""
    return bool(seen.description or seen.coordinates or seen.tags)


def _why(taken_back: datetime | None) -> Reason:
    return taken_back_on(taken_back) if taken_back else reason("undone")


def _text(owned: OwnedText | None, live: str, wanted: str | None) -> str | None:
    """Return the words of a text that is owned: as they stand, or as they are wanted."""
    if owned is None:
        return None
    if (found := owned.find(live)) is not None:
        return found
    return wanted if owned.is_(wanted) else None


def _same(live: str | None, wanted: str | None) -> bool:
    return bool(live) and wanted is not None and normal(live or "") == normal(wanted)


def _label(line: str) -> str:
    """Return what stands before a line's first colon; ``· Ha: …`` is a row of its list, like any other."""
    name, colon, _ = line.partition(":")
    if line.startswith("·"):
        return "·"
    return name if colon and len(name) <= 40 else ""


def _text_to_json(text: OwnedText | None) -> dict[str, object] | None:
    return None if text is None else {"digest": text.digest, "lines": text.lines}


def _read(value: object) -> OwnershipRecord:
    if not isinstance(value, dict) or _number(value["version"]) != VERSION:
        raise ValueError("not a record of this version")
    owner = Owner(
        instance=_name(value["instance"]),
        since=_moment(value["since"]),
        home=_string(value["home"]),
        generation=_number(value["generation"]),
        sentinels=tuple(map(_name, _list(value["sentinels"]))),
        host=_host(value.get("host")),
    )
    return OwnershipRecord(
        asset_id=_name(value["asset"]),
        owner=owner,
        written_at=_moment(value["written"]),
        block=_owned(value["block"]),
        prose=_owned(value["prose"]),
        coordinates=_place(value["coordinates"]),
        taken_at=_moment(value["taken_at"]) if value.get("taken_at") is not None else None,
        tags=frozenset(map(_name, _list(value["tags"]))),
        albums=frozenset(map(_name, _list(value.get("albums", [])))),
        undone=tuple(map(_undone, _list(value["undone"]))),
        taken_back=_taken_back(value["taken_back"]),
    )


def _owned(value: object) -> OwnedText | None:
    if value is None:
        return None
    if not isinstance(value, dict) or (lines := _number(value["lines"])) < 1:
        raise ValueError("not a text")
    return OwnedText(_name(value["digest"]), lines)


def _place(value: object) -> Coordinates | None:
    if value is None:
        return None
    pair = _list(value)
    if len(pair) != 2 or not all(isinstance(one, int | float) and not isinstance(one, bool) for one in pair):
        raise ValueError("not a place")
    latitude, longitude = (float(cast("float", one)) for one in pair)
    if not (abs(latitude) <= 90 and abs(longitude) <= 180):
        raise ValueError("not a place")
    return Coordinates(latitude, longitude)


def _undone(value: object) -> Undone:
    which, desired, live, at = _list(value)
    when = None if at is None else _moment(at)
    return Undone(_FIELDS[_string(which)], _string(desired), _string(live), when)


def _taken_back(value: object) -> TakenBack | None:
    if value is None:
        return None
    if not isinstance(value, dict) or not isinstance(whole := value["whole"], bool):
        raise TypeError("not what was taken back")
    return TakenBack(_moment(value["at"]), whole)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("not a list")
    return value


def _string(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _name(value: object) -> str:
    if not (text := _string(value)):
        raise ValueError("empty")
    return text


def _host(value: object) -> str:
    """Read a host's name; what is none says nothing, and damages nothing."""
    return value if isinstance(value, str) and _HOST.fullmatch(value) else ""


def _number(value: object) -> int:
    """Read a whole number, which JSON may give as ``7.0``."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        raise TypeError("not a number")
    if value != (whole := int(value)):
        raise ValueError("not a whole number")
    return whole


def _moment(value: object) -> datetime:
    moment = datetime.fromisoformat(_string(value))
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment
