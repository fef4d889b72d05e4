"""The three sides of a field for a page: what was written last, and what became of it on either side.

The change is marked from what was written last to each side, so that it shows who changed what. What was
never written from here has two sides: what is to be written is then marked as the change from Immich's to
Skymmich's; where Immich's stays, what only one side has is marked, and nothing as gone. It decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from reconciler.core.asset import Coordinates
from reconciler.core.desired.coordinates import distance_km
from reconciler.core.fields import BY_NAME, text_of
from reconciler.core.plan.plan import TagsDecision, TextDecision, ValueDecision
from reconciler.core.text import normal
from reconciler.messages.formats import first_upper
from reconciler.web.pages.diff import condensed, difference, extent, side

if TYPE_CHECKING:
    from reconciler.core.fields import Value
    from reconciler.core.plan.plan import AssetPlan, Decision
    from reconciler.web.pages.diff import Kind, Piece


@dataclass(frozen=True, slots=True)
class Column:
    """One side."""

    title: str
    note: str = ""
    """How it differs from what it is compared with, in words."""
    pieces: tuple[Piece, ...] = ()
    """A text with its changes; empty: there is none."""
    place: Coordinates | None = None
    map_url: str = ""
    is_same: bool = False
    """Whether it is as what it is compared with: not shown once more."""


@dataclass(frozen=True, slots=True)
class TagGroup:
    """Tags that share what is true of them."""

    title: str
    tags: tuple[str, ...]
    mark: str = ""
    """``ins``, ``del``, or none."""


@dataclass(frozen=True, slots=True)
class Sides:
    """A field's decision with its sides, as they are shown."""

    decision: Decision
    columns: tuple[Column, ...] = ()
    groups: tuple[TagGroup, ...] = ()
    all_same: bool = False


def shown(decision: Decision, plan: AssetPlan) -> Sides:
    """Return how a decision's sides are shown."""
    if isinstance(decision, TagsDecision):
        return Sides(decision, groups=_tags(decision, plan), all_same=_same_tags(decision))
    if isinstance(decision, ValueDecision):
        return _values(decision)
    return _texts(decision)


def _texts(decision: TextDecision) -> Sides:
    base, live, wanted = decision.base or "", decision.live or "", decision.desired or ""
    if normal(live) == normal(wanted) and normal(base) in {"", normal(live)}:
        return Sides(decision, (Column("", pieces=difference(live, live)),), all_same=True)
    if not base:
        # Nothing of it is ours: the one difference is between the two sides that there are. Where nothing is
        # to be written it says only what stands where, for nothing comes or goes.
        comes: Kind | None = None if decision.action in {"write", "remove"} else "only"
        mine = side(live, wanted, "removed", comes) if wanted else difference(live, live)
        theirs = side(live, wanted, "added", comes) if live or comes is None else difference(wanted, wanted)
        return Sides(
            decision, (Column("In Immich now", pieces=mine), Column("Skymmich wants", pieces=theirs))
        )
    first = Column("Written last", pieces=difference(base, base))
    return Sides(decision, (first, _text("In Immich now", base, live), _text("Skymmich wants", base, wanted)))


def _text(title: str, base: str, text: str) -> Column:
    """Show a side beside what was written last, which there is."""
    if not text:
        return Column(title, "All of it is gone.")
    if normal(text) == normal(base):
        return Column(title, is_same=True)
    pieces = difference(base, text)
    if not any(piece.kind == "same" and piece.text.strip() for piece in pieces):
        return Column(title, "Another text.", side(base, text, "added"))
    return Column(title, first_upper(extent(pieces)) + ".", condensed(pieces))


def _values(decision: ValueDecision) -> Sides:
    same = BY_NAME[decision.field].same
    base, live, wanted = decision.base, decision.live, decision.desired
    if same(live, wanted) and (base is None or same(base, live)):
        return Sides(decision, (_value("", live, live),), all_same=True)
    if base is None:
        theirs = _value("Skymmich wants", live if wanted else None, wanted)
        return Sides(decision, (_value("In Immich now", None, live), theirs))
    first = _value("Written last", None, base)
    return Sides(
        decision, (first, _value("In Immich now", base, live), _value("Skymmich wants", base, wanted))
    )


def _value(title: str, base: Value | None, value: Value | None) -> Column:
    if value is None:
        return Column(title, "It is gone." if base is not None else "")
    column = Column(title)
    note = ""
    if isinstance(value, Coordinates):
        column = replace(column, place=value, map_url=map_of(value))
        if isinstance(base, Coordinates):
            note = f"{distance(distance_km(base, value))} away."
    else:
        text = text_of(value)
        column = replace(column, pieces=difference(text, text))
    if base is None:
        return column
    if BY_NAME["coordinates" if isinstance(value, Coordinates) else "taken_at"].same(base, value):
        return replace(column, is_same=title != "")
    return replace(column, note=note)


def map_of(place: Coordinates) -> str:
    """Return the address of a map of a place, for a person to open: nothing is loaded from there."""
    latitude, longitude = f"{place.latitude:.6f}", f"{place.longitude:.6f}"
    return f"https://www.openstreetmap.org/?mlat={latitude}&mlon={longitude}#map=12/{latitude}/{longitude}"


def distance(kilometres: float) -> str:
    """Write a distance for people: ``12 m``, ``3.4 km``, ``7 950 km``."""
    metres = round(kilometres * 1000)
    if metres < 1:
        return "Less than 1 m"
    if metres < 1000:
        return f"{metres} m"
    if kilometres < 99.95:
        return f"{kilometres:.1f} km"
    return f"{round(kilometres):,} km".replace(",", "\N{NARROW NO-BREAK SPACE}")


def _same_tags(decision: TagsDecision) -> bool:
    return decision.case == "in_sync" and decision.base == decision.desired == decision.live


def _tags(decision: TagsDecision, plan: AssetPlan) -> tuple[TagGroup, ...]:
    base, live, wanted = (set(side or ()) for side in (decision.base, decision.live, decision.desired))
    lacking, more = wanted - live, live - wanted
    albums = decision.field == "albums"
    coming, going = (plan.add_albums, plan.remove_albums) if albums else (plan.add_tags, plan.remove_tags)
    add, off = ("put in", "out") if albums else ("added", "off")
    added = f"To be {add}" if coming else "Skymmich has, and Immich does not"
    groups = (
        TagGroup(added, _sorted(lacking - base), "ins"),
        TagGroup(f"Taken {off} in Immich", _sorted(lacking & base), "del"),
        TagGroup(f"To be taken {off}: no longer in Skymmich", _sorted(more & going), "del"),
        TagGroup("Only in Immich: kept", _sorted(more - going)),
        TagGroup("On both sides", _sorted(wanted & live)),
    )
    return tuple(group for group in groups if group.tags)


def _sorted(tags: set[str] | frozenset[str]) -> tuple[str, ...]:
    return tuple(sorted(tags, key=str.casefold))
