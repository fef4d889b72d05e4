"""An undo as JSON: what is asked for, what it would do, and what it cannot."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BeforeValidator, Field

from reconciler.models.another import Another
from reconciler.models.base import Count, Counts, Model, Moment, Text
from reconciler.models.plans import AssetPlan
from reconciler.models.reasons import Reason, told
from reconciler.models.requests import MAX_ID, MAX_IMAGES, MAX_NAME, read_moment

if TYPE_CHECKING:
    from reconciler.core.plan.plan import AssetPlan as Planned
    from reconciler.engine.undo_plan import PreparedUndo

Id = Annotated[int, Field(ge=0, lt=MAX_ID)]
Name = Annotated[str, Field(max_length=MAX_NAME)]
SHOWN = 200


class UndoRequest(Model):
    """What is to be taken back: everything; a run; of an image its last change, or all since a moment."""

    everything: bool = False
    run_id: Name = ""
    image_id: Id | None = None
    asset_id: Annotated[Name, Field(description="Instead of image_id, of an image that left Skymmich")] = ""
    to: Annotated[
        Moment | None,
        BeforeValidator(read_moment),
        Field(description="Of an image: as it was then, as the journal knows"),
    ] = None


class AdoptRequest(Model):
    """What is to be adopted."""

    take_over: bool = Field(default=False, description="Take the place of another instance of this program")


class RedoRequest(Model):
    """What is to be written again: all that was taken back, what a run did, or some images."""

    everything: bool = False
    run_id: Name = ""
    image_ids: Annotated[list[Id], Field(default_factory=list, max_length=MAX_IMAGES)]


class UndoQuery(Model):
    """What would be taken back."""

    everything: bool = False
    run_id: Name = ""
    image_id: Annotated[int, Field(ge=-1, lt=MAX_ID)] = -1
    to: Annotated[str, Field(description="A moment with its time zone")] = ""


class Left(Model):
    """What cannot be taken back, and why."""

    image_id: int
    asset_id: Text
    title: Text
    reason: Text
    reasons: list[Reason]
    url: Text
    """Of the asset in Immich; empty: not known."""


class Taken(Model):
    """One image of what is shown before it is done."""

    image_id: int
    asset_id: Text
    title: Text
    plan: AssetPlan

    @classmethod
    def of(cls, plan: Planned) -> Self:
        """Return the plan of an image as JSON."""
        shown = AssetPlan.of(plan, compared=True)
        return cls(image_id=plan.image_id, asset_id=plan.asset_id, title=plan.title, plan=shown)


class UndoPlan(Model):
    """What an undo would do; nothing was written."""

    counts: Counts
    tags: list[Text]
    """Tags that this program made: those that nothing carries afterwards are deleted."""
    unrecorded_tags: list[Text]
    """Tags below our root that are there and of which it is not on record here who made them: they stay."""
    left: list[Left]
    left_count: Count
    items: list[Taken]
    another: Another | None
    """Another instance that keeps this library: then nothing is taken back from here."""

    @classmethod
    def of(cls, found: PreparedUndo, immich_url: str, limit: int = SHOWN) -> Self:
        """Return a prepared undo as JSON, with at most so many images."""
        return cls(
            counts=found.counts,
            another=Another.of(found.prepared.another),
            tags=list(found.tags),
            unrecorded_tags=list(found.unrecorded),
            left=[
                Left(
                    image_id=step.item.image_id,
                    asset_id=step.item.asset_id,
                    title=step.item.title,
                    reason=told((why,)),
                    reasons=Reason.all((why,)),
                    url=asset_url(immich_url, step.item.asset_id),
                )
                for step, why in islice(found.left, 5 * limit)
            ],
            left_count=found.steps.left,
            items=[Taken.of(plan) for plan in islice(found.changes, limit)],
        )


def asset_url(immich_url: str, asset_id: str) -> str:
    """Return where an asset is shown in Immich; empty where its address is not known."""
    return f"{immich_url}/photos/{asset_id}" if immich_url else ""
