"""Images as JSON: what is on record of them, what was replaced, and one of them from all sides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from reconciler.core.catalogue import WrittenPart
from reconciler.core.records import AssetStatus, Field, JournalField
from reconciler.messages.reasons import joined_reasons
from reconciler.models.base import Count, Model, Moment, Text
from reconciler.models.plans import AssetPlan
from reconciler.models.reasons import Reason, told
from reconciler.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.catalogue import CatalogueImage as CoreImage
    from reconciler.core.records import AssetRecord, JournalEntry
    from reconciler.core.records import Crossing as CoreCrossing
    from reconciler.core.records import LeftOut as CoreLeftOut
    from reconciler.engine.item import Item
    from reconciler.service.api import ImageView as CoreView


class Crossing(Model):
    """An edit that may be missing, and that nobody has looked at yet."""

    at: Moment
    fields: list[Field]
    run_id: Text
    times: Count
    since: Moment | None

    @classmethod
    def of(cls, found: CoreCrossing) -> Self:
        """Return a crossing as JSON."""
        return cls(
            at=found.at,
            fields=sorted(found.fields),
            run_id=found.run_id,
            times=found.times,
            since=found.since,
        )


class LeftOut(Model):
    """A field that a person left out: it is observed, and never written."""

    field: WrittenPart
    at: Moment
    by: Text

    @classmethod
    def of(cls, found: CoreLeftOut) -> Self:
        """Return it as JSON."""
        return cls(field=found.field, at=found.at, by=found.by)


class Image(Model):
    """What is remembered of one image, without its texts."""

    image_id: int
    asset_id: Text
    title: Text
    status: AssetStatus
    reason: Text
    reasons: list[Reason]
    linked: bool
    crossing: Crossing | None
    left_out: list[LeftOut]
    checked_at: Moment | None
    changed_at: Moment | None
    thumbnail: Text

    @classmethod
    def of(cls, found: AssetRecord) -> Self:
        """Return a record as JSON."""
        return cls(
            image_id=found.image_id,
            asset_id=found.asset_id,
            title=found.title,
            status=found.status,
            reason=told(found.reasons),
            reasons=Reason.all(found.reasons),
            linked=found.linked,
            crossing=None if found.crossing is None else Crossing.of(found.crossing),
            left_out=[LeftOut.of(one) for one in found.left_out],
            checked_at=found.checked_at,
            changed_at=found.changed_at,
            thumbnail=f"/thumbnails/{found.asset_id}",
        )


class Images(Model):
    """Images by title; ``next`` is the query's ``after`` for those after them."""

    items: list[Image]
    next: Text | None


class Change(Model):
    """One value that was replaced: any JSON before, any JSON after."""

    entry_id: int | None
    run_id: Text
    image_id: int
    asset_id: Text
    field: JournalField
    before: Any
    after: Any
    at: Moment

    @classmethod
    def of(cls, found: JournalEntry) -> Self:
        """Return an entry of the journal as JSON."""
        return cls(
            entry_id=found.entry_id,
            run_id=found.run_id,
            image_id=found.image_id,
            asset_id=found.asset_id,
            field=found.field,
            before=found.before,
            after=found.after,
            at=found.at,
        )


class Equipment(Model):
    """A piece of equipment."""

    name: Text
    kind: Text


class CatalogueImage(Model):
    """What Skymmich knows of an image."""

    filename: Text
    description: Text
    captured_at: Moment | None
    tags: list[Text]
    object_type: Text | None
    target: Text | None
    latitude: float | None
    longitude: float | None
    site: Text | None
    equipment: list[Equipment]

    @classmethod
    def of(cls, found: CoreImage) -> Self:
        """Return an image of the catalogue as JSON."""
        return cls(
            filename=found.filename,
            description=found.description,
            captured_at=found.captured_at,
            tags=list(found.tags),
            object_type=found.object_type,
            target=found.target.name if found.target else found.target_name,
            latitude=found.latitude,
            longitude=found.longitude,
            site=found.site.name if found.site else None,
            equipment=[Equipment(name=one.name, kind=one.kind) for one in found.equipment],
        )


class Member(Model):
    """Another asset of the stack of an image's asset, for which the image stands, too."""

    asset_id: Text
    status: AssetStatus
    reasons: list[Reason]
    would_change: bool
    """Whether something would be written to it."""

    @classmethod
    def of(cls, found: Item) -> Self:
        """Return a member as JSON."""
        return cls(
            asset_id=found.asset_id,
            status=found.status,
            reasons=Reason.all(found.reasons),
            would_change=found.plan is not None and found.plan.changes,
        )


class ImageView(Model):
    """One image from all sides."""

    image_id: int
    asset_id: Text | None
    title: Text
    image: CatalogueImage
    record: Image | None
    plan: AssetPlan | None
    members: list[Member]
    error: Text
    reasons: list[Reason]
    """What the error is made of."""
    history: list[Change]

    @classmethod
    def of(cls, found: CoreView, history: Sequence[JournalEntry]) -> Self:
        """Return an image as JSON."""
        return cls(
            image_id=found.image.image_id,
            asset_id=found.image.asset_id,
            title=found.image.title,
            image=CatalogueImage.of(found.image),
            record=None if found.record is None else Image.of(found.record),
            plan=None if found.plan is None else AssetPlan.of(found.plan, compared=True),
            members=[Member.of(one) for one in found.members],
            error=redact(joined_reasons(found.error, "daemon")),
            reasons=Reason.all(found.error),
            history=[Change.of(one) for one in history],
        )
