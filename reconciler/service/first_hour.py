"""What is done while nothing may be written yet: look what would be, and begin with some images."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.permission import begin
from reconciler.engine.events import Event
from reconciler.engine.foreseen import foresee
from reconciler.engine.passes import Selection
from reconciler.engine.reconcile import switched_off

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from reconciler.core.permission import Permission
    from reconciler.core.ports import Clock
    from reconciler.core.records import Run
    from reconciler.core.store_port import Store
    from reconciler.engine.events import Listener
    from reconciler.engine.foreseen import Foreseen
    from reconciler.engine.item import Item
    from reconciler.engine.passes import Prepared, Report
    from reconciler.service.api import Request
    from reconciler.service.status import Health

    Prepare = Callable[[Selection], Awaitable[Prepared | None]]
    """Observes and plans; ``None``: it was stopped while it read."""

_SHARE: Final = 20.0
_SELDOM_S: Final = 3600.0
"""A look where nothing may be written is followed by no other for so many times its length, or an hour."""


@dataclass(slots=True)
class FirstHour:
    """What is known of what would be written, and when it is looked at again."""

    store: Store
    clock: Clock
    health: Health
    listen: Listener
    _known_of: object = None
    """Of which catalogue and wishes it is known what would be written."""
    _after: Run | None = None
    """The run that was the last one then."""
    _again: float = float("-inf")
    _left: Foreseen | None = None
    """What is left to be written once the images that were chosen are."""

    def forget(self) -> None:
        """Look again at the next occasion: another installation, or a look failed."""
        self._known_of, self._again = None, float("-inf")

    def is_due(self, of: object, request: Request) -> bool:
        """Return whether a look is to be made: a person asks, or it may be news.

        All images are compared each time, for nothing is on record of them. A look at a large library takes
        its time, so one at a library that nobody begins is not made every minute.
        """
        if request.by_person or request.full or self.health.foreseen is None:
            return True
        if self._after is not self.health.last or self.health.stands_back:
            return True  # something was written since, or the other instance may be gone
        return self._known_of != of and self.clock.monotonic() >= self._again

    async def look(self, prepare: Prepare, of: object, request: Request, permission: Permission) -> None:
        """Look what would be written, and write nothing.

        Args:
            prepare: observes and plans.
            of: the catalogue's reading and the wishes.
            request: who asks, and for which images.
            permission: what may be written.

        Raises:
            NotBegunError, ObservingError: a person asked for something that would be written.
            AnotherInstanceError: another instance keeps this library.
        """
        began = self.clock.monotonic()
        prepared = await prepare(
            Selection(request.image_ids, by_person=request.by_person, force=request.force)
        )
        if prepared is None:
            return
        if prepared.another is not None:
            raise prepared.another.error()  # what this store knows alone is not what would be written
        self.health.prepared(prepared)
        if prepared.immich is not None:
            prepared.immich.keep(self.store)  # begun is what was shown: another address is asked about
        if request.image_ids is None:
            await self._foresaw(prepared)
            ended = self.clock.monotonic()
            self._known_of, self._after = of, self.health.last
            self._again = ended + min(_SELDOM_S, _SHARE * (ended - began))
            details: dict[str, object] = {"images": prepared.images, "would_change": prepared.changing}
            if permission.waits:
                details["to_begin"] = "open the page, or run: skymmich-reconciler apply"
            self.listen(Event(f"pass.{permission.standing}", details=details))
        if request.by_person and (prepared.has_changes or request.again):
            permission.require(request.image_ids)

    async def choose(self, prepare: Prepare, request: Request, permission: Permission) -> Selection | None:
        """Choose images that ask for the most kinds of writes, and keep that these may be written.

        Returns:
            ``None``: there is none, or it was stopped; nothing is kept then.

        Raises:
            GuardError: the master switch is off.
            AnotherInstanceError: another instance keeps this library.
        """
        before = permission.begun
        tried = before.first or frozenset[int]() if before else frozenset[int]()
        prepared = await prepare(Selection())
        if prepared is None:
            return None
        found = prepared.items.richest(request.first + len(tried))
        items = [item for item, _ in found if item.image_id not in tried][: request.first]
        chosen = [item.image_id for item in items]
        if not chosen:
            await self._foresaw(prepared)
            return None
        if not prepared.rules.switches.enabled:
            raise switched_off()
        if prepared.another is not None:
            raise prepared.another.error()
        begin(self.store, request.by, self.clock.now(), first=tried | set(chosen))
        self._left = await self._foresee(prepared, items)
        return Selection(frozenset(chosen))

    def wrote(self, prepared: Prepared, report: Report) -> None:
        """Count what a run that began with some images has written: the next look may be a while off."""
        if self._left is None:
            return
        done = {outcome.image_id for outcome in report.outcomes} - report.unfinished
        open_ = [plan for plan in prepared.changes if plan.image_id not in done]
        self.health.foreseen, self._left = self._left.with_more(open_), None

    async def _foresaw(self, prepared: Prepared) -> None:
        self.health.foresaw(await self._foresee(prepared))

    async def _foresee(self, prepared: Prepared, written: Collection[Item] = ()) -> Foreseen:
        return await asyncio.to_thread(foresee, prepared, self.clock.now(), written)
