"""A plan as JSON: what a pass would do, image by image and field by field, and what the guard says of it."""

from __future__ import annotations

from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, Self

from reconciler.core.asset import Coordinates
from reconciler.core.plan.conflicts import choices, sides
from reconciler.core.plan.diff import Kind, plan_differences
from reconciler.core.plan.guard import Cause
from reconciler.core.plan.merge import Action, Case
from reconciler.core.policy import ALL_SWITCHES
from reconciler.core.records import AssetStatus, Field, Keep
from reconciler.engine.outcomes import finished
from reconciler.messages import guard
from reconciler.messages.reasons import words
from reconciler.models.another import Another
from reconciler.models.base import Count, Model, Text
from reconciler.models.reasons import Reason, told
from reconciler.redaction import redact

if TYPE_CHECKING:
    from reconciler.core.catalogue import RowProblem as CoreRowProblem
    from reconciler.core.plan.guard import Verdict
    from reconciler.core.plan.plan import AssetPlan as CoreAssetPlan
    from reconciler.core.plan.plan import Decision as CoreDecision
    from reconciler.core.policy import Switches
    from reconciler.core.ports import FeatureLoss
    from reconciler.engine.item import Item
    from reconciler.engine.passes import Prepared


class Settings(Model):
    """The switches by Skymmich's names, and our own."""

    metadataSyncEnabled: bool  # noqa: N815 - Skymmich's name
    syncDescription: bool  # noqa: N815 - the same
    syncCoordinates: bool  # noqa: N815 - the same
    syncTags: bool  # noqa: N815 - the same
    syncDates: bool  # noqa: N815 - named likewise
    syncAlbums: bool  # noqa: N815 - named likewise
    syncStacks: bool  # noqa: N815 - named likewise

    @classmethod
    def of(cls, found: Switches) -> Self:
        """Return switches as JSON."""
        return cls.model_validate({theirs: getattr(found, ours) for theirs, ours in ALL_SWITCHES.items()})


class Guard(Model):
    """What the guard found."""

    tripped: bool
    hash: Text
    reasons: list[Text]
    codes: list[Reason]
    """What the reasons are made of."""
    cause: Cause
    shrunk: bool
    held: Count
    message: Text
    approve: Text

    @classmethod
    def of(cls, found: Verdict) -> Self:
        """Return a verdict as JSON."""
        return cls(
            tripped=found.tripped,
            hash=found.hash,
            reasons=list(guard.lines(found.reasons)),
            codes=Reason.all(found.reasons),
            cause=found.cause,
            shrunk=found.shrunk,
            held=len(found.held),
            message=guard.message(found.told) if found.tripped else "",
            approve=f"skymmich-reconciler apply --approve {found.hash}" if found.tripped else "",
        )


class Place(Model):
    """A place on Earth, in degrees."""

    latitude: float
    longitude: float

    @classmethod
    def of(cls, found: Coordinates) -> Self:
        """Return coordinates as JSON."""
        return cls(latitude=found.latitude, longitude=found.longitude)


class Decision(Model):
    """One field's decision with its three sides: text, a place, a moment, a list of tags, or null."""

    field: Field
    case: Case
    action: Action
    applied: Any
    desired: Any
    observed: Any
    reason: Text
    reasons: list[Reason]
    takes_away: bool
    choices: list[Keep]
    shown: Text

    @classmethod
    def of(cls, found: CoreDecision) -> Self:
        """Return a decision as JSON."""
        open_to = list(choices(found))
        return cls(
            field=found.field,
            case=found.case,
            action=found.action,
            applied=_side(found.base),
            desired=_side(found.desired),
            observed=_side(found.live),
            reason=told((found.reason,)),
            reasons=Reason.all((found.reason,)),
            takes_away=found.takes_away,
            choices=open_to,
            shown=sides(found) if open_to else "",
        )


class Difference(Model):
    """One line, tag or value that a write would change. ``line`` counts from 1."""

    field: Text
    kind: Kind
    before: Any
    after: Any
    line: int | None


class AssetPlan(Model):
    """What would be written to one asset, and why. ``null``: this is not written."""

    changes: bool
    digest: Text
    blocked: Text
    blocked_reasons: list[Reason]
    notes: list[Text]
    notes_reasons: list[Reason]
    decisions: list[Decision]
    description: Text | None
    coordinates: Place | None
    taken_at: Text | None
    add_tags: list[Text]
    remove_tags: list[Text]
    add_albums: list[Text]
    remove_albums: list[Text]
    differences: list[Difference] | None = None

    @classmethod
    def of(cls, found: CoreAssetPlan, *, compared: bool = False) -> Self:
        """Return an asset's plan as JSON; ``compared``: with the differences, which take a millisecond."""
        more = {"differences": _differences(found)} if compared else {}
        return cls(
            changes=found.changes,
            digest=found.digest,
            blocked=told((found.blocked,)),
            blocked_reasons=Reason.all((found.blocked,)),
            notes=[told((one,)) for one in found.told],
            notes_reasons=Reason.all(found.told),
            decisions=[Decision.of(one) for one in found.decisions],
            description=found.description,
            coordinates=None if found.coordinates is None else Place.of(found.coordinates),
            taken_at=None if found.taken_at is None else found.taken_at.isoformat(),
            add_tags=sorted(found.add_tags),
            remove_tags=sorted(found.remove_tags),
            add_albums=sorted(found.add_albums),
            remove_albums=sorted(found.remove_albums),
            **more,
        )


class PlanItem(Model):
    """One image of a plan. ``changes`` is its status where something would be written."""

    image_id: int
    asset_id: Text
    title: Text
    status: AssetStatus | Literal["changes"]
    reason: Text
    reasons: list[Reason]
    held: bool
    unsettled: bool
    plan: AssetPlan | None
    withheld: AssetPlan | None

    @classmethod
    def of(cls, found: Item, prepared: Prepared, now: datetime, *, compared: bool = False) -> Self:
        """Return one image as JSON: where it stands if nothing is written."""
        plan, whole = found.plan, found.withheld
        changes = found.plan is not None and found.plan.changes
        stands = finished(found, None, prepared, now, None)
        return cls(
            image_id=found.image_id,
            asset_id=found.asset_id,
            title=found.title,
            status="changes" if changes else stands.status,
            reason=told(() if changes else stands.reasons),
            reasons=Reason.all(() if changes else stands.reasons),
            held=bool(found.held),
            unsettled=found.adopted is not None,
            plan=None if plan is None else AssetPlan.of(plan, compared=compared),
            withheld=None if whole is None else AssetPlan.of(whole, compared=compared),
        )


class MissingPermission(Model):
    """What the key may not do, and what that costs."""

    permission: Text
    feature: Text
    remedy: Text

    @classmethod
    def of(cls, found: FeatureLoss) -> Self:
        """Return a lost feature as JSON."""
        return cls(permission=found.permission, feature=found.feature, remedy=found.remedy)


class RowProblem(Model):
    """A row of the catalogue that could not be read, or a part of it."""

    table: Text
    row_id: int | Text
    reason: Text
    reasons: list[Reason]
    severity: Literal["error", "warning"]

    @classmethod
    def of(cls, found: CoreRowProblem) -> Self:
        """Return a row's problem as JSON."""
        return cls(
            table=found.table,
            row_id=found.row_id,
            reason=redact(words(found.reason)),
            reasons=[Reason.of(found.reason)],
            severity=found.severity,
        )


class Renamed(Model):
    """A branch of tags that is renamed; an empty path is the top of the tree."""

    before: Text
    after: Text
    tags: Count


class Plan(Model):
    """What a run would do."""

    images: Count
    changes: Count
    guard: Guard
    server_version: Text
    catalogue: Text
    settings: Settings
    missing_permissions: list[MissingPermission]
    problems: list[RowProblem]
    stale: list[Text]
    renamed: list[Renamed]
    items: list[PlanItem]
    left_out: Count
    another: Another | None
    """Another instance that keeps this library: then the counts are what this store knows alone, and nothing
    is written."""

    @classmethod
    def of(cls, found: Prepared, now: datetime, limit: int | None = None) -> Self:
        """Return a prepared pass as JSON.

        Args:
            found: the pass.
            now: the time.
            limit: list at most as many images, and only those that would be written or need a person;
                ``None``: list all, each with its differences. The counts are of all in any case.
        """
        telling = found.items.tally.telling
        listed = found.items if limit is None else islice(found.items.telling(), min(limit, telling))
        return cls(
            images=found.images,
            changes=found.changing,
            guard=Guard.of(found.verdict),
            server_version=found.server.version,
            catalogue=found.catalogue.schema,
            settings=Settings.of(found.rules.switches),
            missing_permissions=[MissingPermission.of(loss) for loss in found.server.losses],
            problems=[RowProblem.of(one) for one in found.catalogue.problems],
            stale=list(found.stale),
            renamed=[
                Renamed(before=one.before, after=one.after, tags=count)
                for one, count in sorted(found.items.tally.renamed.items())
            ],
            items=[PlanItem.of(one, found, now, compared=limit is None) for one in listed],
            another=Another.of(found.another),
            left_out=0 if limit is None else max(0, telling - limit),
        )


def _differences(plan: CoreAssetPlan) -> list[Difference]:
    if not plan.changes:
        return []
    return [
        Difference(field=one.field, kind=one.kind, before=one.before, after=one.after, line=one.line)
        for one in plan_differences(plan)
    ]


def _side(value: object) -> object:
    """Return a decision's side: text, a place, a list of tags, or nothing."""
    if isinstance(value, Coordinates):
        return Place.of(value)
    if isinstance(value, tuple | list | frozenset | set):
        return sorted(str(one) for one in value)
    if isinstance(value, datetime):
        return value.isoformat()
    return None if value is None else str(value)
