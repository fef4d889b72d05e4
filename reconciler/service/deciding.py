"""What a person may decide of single images through a face: conflicts, leaving out, carrying over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.core.catalogue import WrittenPart
    from reconciler.core.records import Field, Keep


class Deciding(Protocol):
    """Each keeps the decision at once, and enqueues a pass that carries it out."""

    async def resolve(
        self, image_id: int, keep: Keep | None, *, field: Field | None = None, shown: str = ""
    ) -> str | None:
        """Keep what a person decided of a conflict, and enqueue a pass that carries it out.

        Args:
            image_id: Skymmich's.
            keep: the side that stays; ``None`` takes a decision back.
            field: the field; ``None``: all that are in conflict.
            shown: what the person saw of it, as ``core.plan.conflicts.sides`` names it; ``""``: as it is now.

        Returns:
            the run's id; ``None`` if the catalogue has no such image.

        Raises:
            DecisionError: there is no such conflict, or it is another one by now; nothing was changed.
            ReconcilerError: it could not be looked at.
        """
        ...

    async def resolve_many(self, image_ids: frozenset[int], keep: Keep, *, shown: str) -> str:
        """Decide all conflicts of some images that can be decided so, and enqueue a pass that carries it out.

        Args:
            image_ids: Skymmich's.
            keep: the side that stays.
            shown: what the person saw of them, as ``core.plan.conflicts.all_sides`` names it.

        Returns:
            the run's id.

        Raises:
            DecisionError: there is nothing to decide, or it is another one by now; nothing was changed.
            ReconcilerError: they could not be looked at.
        """
        ...

    async def leave_out(self, image_id: int, fields: Collection[WrittenPart], *, by: str) -> str | None:
        """Leave fields of an image out from now on: they are observed, and never written.

        Args:
            image_id: Skymmich's.
            fields: ``description``, ``coordinates``, ``tags``.
            by: over which face (``page``, ``api``), or the user's name.

        Returns:
            the id of a run that looks at it so; ``None`` if the catalogue has no such image.

        Raises:
            ReconcilerError: it could not be kept.
        """
        ...

    async def take_in(self, image_id: int, fields: Collection[WrittenPart]) -> str | None:
        """Take fields of an image in again; likewise."""
        ...

    async def carry_over(self, image_id: int, *, by: str, dismiss: bool = False) -> str | None:
        """Carry over what is offered to an image from an asset that it replaced, or leave it.

        Args:
            image_id: Skymmich's.
            by: over which face (``page``, ``api``), or the user's name.
            dismiss: leave it, and offer it no more.

        Returns:
            the id of a run that does it; ``None`` if the catalogue has no such image.

        Raises:
            DecisionError: nothing is offered; nothing was changed.
        """
        ...
