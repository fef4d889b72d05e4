"""The plan of a pass: per asset what would be written and why, before anything is.

A plan is a value: it is shown, saved, compared and approved, and only then acted upon. Making it stands in
``planning``, rendering it for people elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.core.asset import Applied, Coordinates, ObservedAsset
from reconciler.core.desired.block import Markers
from reconciler.core.fingerprint import digest, place
from reconciler.core.text import normal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.desired.desired import Desired
    from reconciler.core.plan.merge import Action, Case
    from reconciler.core.policy import Policy, Switches
    from reconciler.core.records import Field, Resolution

REASONS: dict[Case, str] = {
    "in_sync": "",
    "fill": "Immich has none",
    "conflict": "Immich holds a value that is not ours",
    "update": "the catalogue changed",
    "drift": "it was changed in Immich, the catalogue did not change",
    "both_changed": "it was changed in Immich and in the catalogue",
    "withdraw": "the catalogue no longer has it",
    "not_ours": "the catalogue has none; what Immich has is not ours",
    "switched_off": "this field is switched off",
    "not_sticking": "Immich did not keep it the last time",
    "undone": "a person took it back",
    "not_writable": "it cannot be written",
    "resolved": "a person decided that Immich's value stays",
}


@dataclass(frozen=True, slots=True)
class Decision:
    """One field's decision, with the three sides it was made from. Tags are sorted tuples."""

    field: Field
    case: Case
    action: Action
    base: object
    desired: object
    live: object
    reason: str = ""
    takes_away: bool = False


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
    add_tags: frozenset[str] = frozenset()
    remove_tags: frozenset[str] = frozenset()
    base: Applied = field(default_factory=Applied)
    """What stays owned if nothing is written."""
    resolutions: tuple[Resolution, ...] = ()
    """A person's decisions that hold from here on; those that a change of a side outlived are left out."""
    notes: tuple[str, ...] = ()
    blocked: str = ""
    """Why this asset cannot be written at all; then nothing else is set."""

    @property
    def writes_fields(self) -> bool:
        """Whether a field write is needed."""
        return self.description is not None or self.coordinates is not None

    @property
    def changes(self) -> bool:
        """Whether anything would be written."""
        return self.writes_fields or bool(self.add_tags or self.remove_tags)

    def without_writes(self, why: str) -> AssetPlan:
        """Return this plan with nothing to write, and the reason."""
        nothing: frozenset[str] = frozenset()
        return replace(
            self, description=None, block=None, prose=None, coordinates=None,
            add_tags=nothing, remove_tags=nothing, blocked=why,
        )  # fmt: skip

    def is_rest_of(self, agreed: AssetPlan) -> bool:
        """Return whether this does no more than the other, on the same ground or on what it has done."""
        before, now = agreed.observed, self.observed
        texts = {normal(before.description), normal(agreed.description or before.description)}
        places = [place(before.coordinates), place(agreed.coordinates or before.coordinates)]
        return (
            self.description in {None, agreed.description}
            and self.coordinates in {None, agreed.coordinates}
            and self.add_tags <= agreed.add_tags
            and self.remove_tags <= agreed.remove_tags
            and normal(now.description) in texts
            and place(now.coordinates) in places
        )

    @property
    def conflicts(self) -> tuple[Decision, ...]:
        """The fields where a person's value stands against the catalogue's."""
        return tuple(
            d for d in self.decisions if d.case in {"conflict", "both_changed"} and d.action == "keep"
        )

    @property
    def takes_away(self) -> bool:
        """Whether Immich would lose a value."""
        return bool(self.remove_tags) or any(d.takes_away for d in self.decisions)

    @property
    def digest(self) -> str:
        """Hash of this change and of what it would replace: a saved plan is only applied to the same."""
        before = self.observed
        return digest(
            self.asset_id,
            [normal(before.description), place(before.coordinates)],
            [self.description, place(self.coordinates), self.add_tags, self.remove_tags],
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
    missing: Mapping[str, str] = field(default_factory=dict)
    """What the key does not allow: ``description``, ``coordinates`` or ``tags`` → the permission it lacks."""

    @property
    def markers(self) -> Markers:
        """The block's marker lines."""
        return Markers(self.policy.description.opening, self.policy.description.closing)
