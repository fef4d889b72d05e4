"""The plan of a pass: per asset what would be written and why, before anything is.

A plan is a value: it is shown, saved, compared and approved, and only then acted upon. Making it stands in
``asset_plan``, its words are a face's.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

from reconciler.core.asset import Applied, Coordinates, ObservedAsset
from reconciler.core.desired.block import Markers
from reconciler.core.fields import VALUE_FIELDS, VALUE_NAMES, Value, ValueName, values_of, with_values
from reconciler.core.fingerprint import digest
from reconciler.core.plan.tag_losses import lost_tags
from reconciler.core.text import normal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from reconciler.core.albums import Albums
    from reconciler.core.desired.desired import Desired
    from reconciler.core.plan.merge import Action, Case
    from reconciler.core.policy import Policy, Switches
    from reconciler.core.ports import TimeZones
    from reconciler.core.reasons import Reason
    from reconciler.core.records import Correction, Field, Resolution, TextField

V_co = TypeVar("V_co", covariant=True)


@dataclass(frozen=True, slots=True)
class _Sides(Generic[V_co]):
    """One field's decision, with the three sides it was made from."""

    field: Field
    case: Case
    action: Action
    base: V_co
    desired: V_co
    live: V_co
    reason: Reason | None = None
    takes_away: bool = False


@dataclass(frozen=True, slots=True)
class TextDecision(_Sides[str | None]):
    """What was decided of a part of the description."""

    field: TextField


@dataclass(frozen=True, slots=True)
class ValueDecision(_Sides[Value | None]):
    """What was decided of a field that is one value: the place, the date."""

    field: ValueName


@dataclass(frozen=True, slots=True)
class TagsDecision(_Sides[tuple[str, ...] | None]):
    """What was decided of the tags, or the albums: each side in order, ``None`` if it is not known."""

    field: Literal["tags", "albums"]


Decision = TextDecision | ValueDecision | TagsDecision


@dataclass(frozen=True, slots=True)
class AssetPlan:
    """What a pass would do to one asset."""

    image_id: int
    asset_id: str
    title: str
    observed: ObservedAsset
    desired: Desired
    decisions: tuple[Decision, ...] = ()
    description: str | None = None
    """The whole new description, if it is to be written."""
    block: str | None = None
    """The block within it, if this write makes it ours; ``""``: takes ours away; ``None``: no such change."""
    prose: str | None = None
    """Likewise for the prose."""
    coordinates: Coordinates | None = None
    taken_at: datetime | None = None
    keeps_day: bool = False
    """Whether ``taken_at`` but keeps the day that the place would move: see ``core.plan.day``."""
    add_tags: frozenset[str] = frozenset()
    remove_tags: frozenset[str] = frozenset()
    add_albums: frozenset[str] = frozenset()
    """Names of albums of ours into which it is put."""
    remove_albums: frozenset[str] = frozenset()
    renamed: tuple[tuple[str, str], ...] = ()
    """Tags that stand under another path now, before and after: see ``renames``."""
    base: Applied = field(default_factory=Applied)
    """What stays owned if nothing is written."""
    resolutions: tuple[Resolution, ...] = ()
    """A person's decisions that hold from here on; those that a change of a side outlived are left out."""
    superseded: frozenset[str] = frozenset()
    """Of ``remove_tags``: those of which another tag took the place."""
    corrections: tuple[Correction, ...] = ()
    """What somebody else changes, as it stands if nothing is written."""
    correcting: tuple[Correction, ...] = ()
    """Of what this writes: what was changed by somebody else, as it is counted once it is written."""
    notes: tuple[Reason, ...] = ()
    marks: tuple[Reason, ...] = ()
    """Why catalogue and configuration leave fields of it out: see ``left_out``."""
    gives_back: bool = False
    """Whether it is an undo's: then nothing that is written becomes ours, and what it replaces is."""
    carries: bool = False
    """Whether it carries over a person's words from a replaced asset: see ``carried``."""
    blocked: Reason | None = None
    """Why this asset cannot be written at all; then nothing else is set."""

    @property
    def told(self) -> tuple[Reason, ...]:
        """The notes, and what was left out as it should be: told where the plan is shown, kept nowhere."""
        return (*self.notes, *self.desired.remarks)

    @property
    def writes_fields(self) -> bool:
        """Whether a field write is needed."""
        return self.description is not None or any(value is not None for value in values_of(self))

    @property
    def changes(self) -> bool:
        """Whether anything would be written."""
        return self.writes_asset or self.changes_albums

    @property
    def writes_asset(self) -> bool:
        """Whether the asset itself would be written: its albums know of it, and it does not know of them."""
        return self.writes_fields or bool(self.add_tags or self.remove_tags)

    @property
    def changes_albums(self) -> bool:
        """Whether it would be put into an album, or taken out of one."""
        return bool(self.add_albums or self.remove_albums)

    def without_writes(self, why: Reason) -> AssetPlan:
        """Return this plan with nothing to write, and the reason."""
        nothing: frozenset[str] = frozenset()
        without = replace(
            self,
            description=None, block=None, prose=None, add_tags=nothing, remove_tags=nothing,
            add_albums=nothing, remove_albums=nothing, blocked=why,
        )  # fmt: skip
        return with_values(without, dict.fromkeys(VALUE_NAMES))

    def is_rest_of(self, agreed: AssetPlan) -> bool:
        """Return whether this does no more than the other, on the same ground or on what it has done."""
        before, now = agreed.observed, self.observed
        texts = {normal(before.description), normal(agreed.description or before.description)}
        return (
            self.description in {None, agreed.description}
            and all(one.of(self) in {None, one.of(agreed)} for one in VALUE_FIELDS)
            and self.add_tags <= agreed.add_tags
            and self.remove_tags <= agreed.remove_tags
            and self.add_albums <= agreed.add_albums
            and self.remove_albums <= agreed.remove_albums
            and normal(now.description) in texts
            and all(one.of(now) in {one.of(before), one.of(agreed) or one.of(before)} for one in VALUE_FIELDS)
        )

    @property
    def conflicts(self) -> tuple[Decision, ...]:
        """The fields where a person's value stands against the catalogue's."""
        return tuple(
            d
            for d in self.decisions
            if d.case in {"conflict", "both_changed", "contested"} and d.action == "keep"
        )

    @property
    def takes_away(self) -> bool:
        """Whether Immich would lose a value."""
        return bool(self.lost_tags) or any(d.takes_away for d in self.decisions if d.field != "tags")

    @property
    def lost_tags(self) -> frozenset[str]:
        """Those of ``remove_tags`` that have nothing in their place."""
        return lost_tags(self.remove_tags - self.superseded, self.desired.tags)

    @property
    def renames(self) -> tuple[tuple[str, str], ...]:
        """Of ``renamed``, those that this carries out."""
        return tuple((old, new) for old, new in self.renamed if old in self.remove_tags)

    @property
    def coming_tags(self) -> frozenset[str]:
        """Those of ``add_tags`` that are told one by one: not those of a renamed branch."""
        return self.add_tags - {new for _, new in self.renames}

    @property
    def going_tags(self) -> frozenset[str]:
        """Likewise of ``remove_tags``."""
        return self.remove_tags - {old for old, _ in self.renames}

    @property
    def digest(self) -> str:
        """Hash of this change and of what it would replace: a saved plan is only applied to the same."""
        before = self.observed
        place, *others = VALUE_FIELDS
        # Of the others just what is written: a plan that was saved before there were any is the same.
        more = [
            [one.name, one.to_json(one.of(before)), one.to_json(one.of(self))]
            for one in others
            if one.of(self) is not None
        ]
        if self.changes_albums:
            more.append(["albums", self.add_albums, self.remove_albums])
        return digest(
            self.asset_id,
            [normal(before.description), place.to_json(place.of(before))],
            [self.description, place.to_json(place.of(self)), self.add_tags, self.remove_tags],
            *more,
        )


@dataclass(frozen=True, slots=True)
class Rules:
    """All that decides besides the two sides: the policy as it holds for one pass."""

    policy: Policy
    switches: Switches
    server_version: str = ""
    user_id: str | None = None
    other_users: frozenset[str] = frozenset()
    """Users whose assets were refused to this key, where it may not ask whose it is."""
    tags_available: bool = True
    """``False`` where Immich's tag feature is off."""
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the key does not allow: ``description``, ``coordinates``, ``tags`` → the permissions it lacks."""
    zones: TimeZones | None = field(default=None, compare=False)
    """Tells which time it is where; ``None``: nobody asks."""
    albums: Albums | None = field(default=None, compare=False)
    """What Immich shows of the albums; ``None``: nobody looked."""
    unusable_albums: Mapping[str, str] = field(default_factory=dict)
    """Names of albums that are not used → why: a code of ``reasons``."""
    tells_day: bool = False
    """Whether it is told where a place moves the day: that takes looking up its zone."""

    @property
    def markers(self) -> Markers:
        """The block's marker lines."""
        return Markers(self.policy.description.opening, self.policy.description.closing)
