"""What the service is asked to look at for a person, and what they decide: it runs no pass itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.plan.conflicts import all_sides, in_conflict
from reconciler.engine.carrying_over import dismiss_carry_over, want_carried_over
from reconciler.engine.leaving_out import leave_out, take_in
from reconciler.engine.stack_watch import all_of, main_image
from reconciler.errors import DecisionError
from reconciler.service.api import Request

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from reconciler.core.catalogue import CatalogueImage, WrittenPart
    from reconciler.core.ports import Clock
    from reconciler.core.records import Field, Keep
    from reconciler.engine.passes import Prepared
    from reconciler.engine.planner.wishes import Wishes
    from reconciler.engine.undo_plan import PreparedUndo
    from reconciler.engine.undo_wish import UndoWish
    from reconciler.service.api import ImageView
    from reconciler.service.environment import ServiceStore
    from reconciler.service.runner import PassRunner


class Decisions:
    """Looks and decisions; whoever inherits it runs the passes that carry them out."""

    _runner: PassRunner
    _store: ServiceStore
    _clock: Clock

    def enqueue(self, request: Request, *, delay: float = 0.0) -> str:
        """Enqueue a pass; gives the run's id."""
        raise NotImplementedError

    def _tell_state(self) -> None:
        raise NotImplementedError

    async def preview(
        self,
        wishes: Wishes | None = None,
        *,
        image_ids: frozenset[int] | None = None,
        again: bool = False,
    ) -> Prepared:
        """Plan images, under other wishes if given, and write nothing; raises where it cannot."""
        return await self._runner.preview(wishes, image_ids, again=again)

    async def undo_plan(self, wish: UndoWish) -> PreparedUndo:
        """Look at what an undo would do, and write nothing; raises as ``Control`` says."""
        return await self._runner.undo_plan(wish)

    async def view(self, image_id: int, asset_id: str = "") -> ImageView | None:
        """Look at one image from all sides; raises where there is nothing to look at."""
        return await self._runner.view(image_id, asset_id)

    def assets_of(self, image_id: int) -> tuple[str, ...]:
        """Return the assets for which an image stood at the last run, the main one first."""
        catalogue = self._runner.catalogue.latest
        image = catalogue.image(image_id) if catalogue is not None else None
        found = () if image is None else all_of(self._store, image)
        return tuple(one.asset_id for one in found if one.asset_id is not None)

    async def resolve(
        self, image_id: int, keep: Keep | None, *, field: Field | None = None, shown: str = ""
    ) -> str | None:
        """Keep what a person decided of a conflict, and enqueue a pass that carries it out.

        Raises:
            DecisionError: there is no such conflict, or it is another one by now; nothing was changed.
            ReconcilerError: it could not be looked at.
        """
        if not await self._runner.resolve(image_id, keep, field, shown):
            return None
        return self.enqueue(Request(frozenset({image_id}), trigger="decision"))

    async def resolve_many(self, image_ids: frozenset[int], keep: Keep, *, shown: str) -> str:
        """Keep what a person decided of images of which one fresh reading shows what they saw.

        Raises:
            DecisionError: nothing can be decided so, or it is another one by now.
            ReconcilerError: they could not be looked at, or nothing may be written here.
        """
        self._runner.permission.require_mode()
        prepared = await self._runner.preview(None, image_ids)
        plans = [item.plan for item in prepared.items if item.plan is not None]
        if all_sides(plans) != shown:
            raise DecisionError(
                "Something of it changed since it was shown, so nothing was decided or changed.",
                remedy="Look at it again, then decide.",
            )
        chosen = [plan for plan in plans if in_conflict(plan, keep)]
        if not chosen:
            raise DecisionError("None of these images has a conflict that can be decided so.")
        self._runner.decide(chosen, keep, prepared.rules)
        return self.enqueue(Request(frozenset(plan.image_id for plan in chosen), trigger="decision"))

    async def leave_out(self, image_id: int, fields: Collection[WrittenPart], *, by: str) -> str | None:
        """Leave fields of an image out from now on, and enqueue a pass that looks at it so."""
        image = await self._linked(image_id)
        if image is None:
            return None
        leave_out(self._store, image, fields, by, self._clock.now())
        return self.enqueue(Request(frozenset({image_id}), trigger="decision"))

    async def take_in(self, image_id: int, fields: Collection[WrittenPart]) -> str | None:
        """Take fields of an image in again, and enqueue a pass that writes what is due."""
        image = await self._linked(image_id)
        if image is None:
            return None
        take_in(self._store, image, fields)
        return self.enqueue(Request(frozenset({image_id}), trigger="decision"))

    async def carry_over(self, image_id: int, *, by: str, dismiss: bool = False) -> str | None:
        """Carry over what is offered to an image, or leave it, and enqueue a pass that looks at it."""
        image = await self._linked(image_id)
        if image is None:
            return None
        if dismiss:
            dismiss_carry_over(self._store, main_image(self._store, image), by, self._clock.now())
        else:
            self._runner.permission.require_mode()
            want_carried_over(self._store, main_image(self._store, image), by, self._clock.now())
        self._runner.decided()
        self._tell_state()
        return self.enqueue(Request(frozenset({image_id}), trigger="decision"))

    async def _linked(self, image_id: int) -> CatalogueImage | None:
        image = (await self._runner.catalogue.refresh()).image(image_id)
        return image if image is not None and image.asset_id is not None else None

    async def take_over(self) -> str:
        """Take another instance's place at the next pass, which comes at once."""
        self._runner.take_over()
        return self.enqueue(Request(full=True, trigger="decision"))

    async def looked_at(self, until: datetime, asset_ids: Collection[str] | None = None) -> int:
        """Forget crossings that a person has looked at, as far as they were noticed by then."""
        many = self._runner.looked_at(until, asset_ids)
        self._tell_state()
        return many
