"""What is offered from a replaced asset, as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from pydantic import Field

from reconciler.core.carry_over import CarrySource, CarryState
from reconciler.core.kept_json import to_json
from reconciler.models.base import Model, Moment, Text
from reconciler.models.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.carry_over import CarryOver as CoreCarryOver


class CarryOver(Model):
    """What a person had on an asset that another one replaced, and what became of it."""

    image_id: int
    from_asset: Text
    to_asset: Text
    title: Text
    at: Moment
    source: CarrySource
    was_trashed: bool
    state: CarryState
    by: Text
    decided_at: Moment | None
    run_id: Text
    kept: dict[str, Any]
    unknown: list[Reason]
    left: list[Reason]

    @classmethod
    def of(cls, found: CoreCarryOver) -> Self:
        """Return it as JSON."""
        return cls(
            image_id=found.image_id,
            from_asset=found.from_asset,
            to_asset=found.to_asset,
            title=found.title,
            at=found.at,
            source=found.source,
            was_trashed=found.was_trashed,
            state=found.state,
            by=found.by,
            decided_at=found.decided_at,
            run_id=found.run_id,
            kept=to_json(found.kept),
            unknown=Reason.all(found.unknown),
            left=Reason.all(found.left),
        )


class CarryOvers(Model):
    """All that is or was offered to an image's asset."""

    items: list[CarryOver]

    @classmethod
    def of(cls, found: Iterable[CoreCarryOver]) -> Self:
        """Return them as JSON."""
        return cls(items=[CarryOver.of(one) for one in found])


class Wanted(Model):
    """What a person decides of what is offered."""

    dismiss: bool = Field(default=False, description="Leave it, and offer it no more")
