"""Where passes are carried out; when one is run, and what its end means for the next, is the service's."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from reconciler.core.permission import Permission
from reconciler.core.plan.conflicts import in_conflict
from reconciler.core.reasons import codes, of_error, reason
from reconciler.engine.approvals import covers, waiting_approval
from reconciler.engine.catalogue_cache import WatchedCatalogue
from reconciler.engine.conflicts import take_decision
from reconciler.engine.events import Event
from reconciler.engine.members import meant
from reconciler.engine.ownership import leave_wishes
from reconciler.engine.passes import Selection
from reconciler.engine.planner.candidates import Memory
from reconciler.engine.planner.planner import told_problems
from reconciler.engine.planner.wishes import switches_of
from reconciler.engine.reconcile import Reconciler
from reconciler.engine.redo import to_write_again, write_again
from reconciler.engine.runs import Runs
from reconciler.engine.schema import recalled
from reconciler.engine.stack_watch import main_image
from reconciler.engine.undo import Undo
from reconciler.engine.undo_report import report_of
from reconciler.errors import CatalogueError, DecisionError, ImmichError, ReconcilerError
from reconciler.service.api import ImageView
from reconciler.service.first_hour import FirstHour
from reconciler.service.image_view import view_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from datetime import datetime

    from reconciler.core.catalogue import Catalogue, RowProblem
    from reconciler.core.plan.plan import AssetPlan, Rules
    from reconciler.core.policy import Switches
    from reconciler.core.ports import Clock, Renderer, Target, Wording
    from reconciler.core.records import Field, Keep
    from reconciler.engine.events import Listener
    from reconciler.engine.passes import Prepared, Report
    from reconciler.engine.planner.wishes import Wishes
    from reconciler.engine.polling.timing import Timing
    from reconciler.engine.undo_plan import PreparedUndo
    from reconciler.engine.undo_wish import UndoWish
    from reconciler.service.api import Request
    from reconciler.service.environment import Installation, ServiceStore
    from reconciler.service.queue import WorkQueue
    from reconciler.service.status import Health


class PassRunner:
    """Carries out passes and looks, one pass at a time.

    Args:
        installation: what the configuration leads to.
        store: open for writing.
        clock: time.
        health: is told what each step shows.
        listen: takes the passes' events.
        timing: of passes.
        renderer: of users' templates.
    """

    def __init__(  # noqa: PLR0913 - each is one thing a pass needs, by name
        self,
        installation: Installation,
        store: ServiceStore,
        clock: Clock,
        health: Health,
        listen: Listener,
        timing: Timing | None,
        renderer: Renderer | None,
        *,
        words: Wording = codes,
    ) -> None:
        self.installation = installation
        self._words = words
        self.catalogue = WatchedCatalogue(installation.source, partial(recalled, store=store))
        self.later: frozenset[int] = frozenset()
        """Images that the present pass leaves alone because their next attempt is not due."""
        self.by_person = False
        """Whether the present pass carries out a person's wish: it makes no room for another."""
        self.writing = False
        """Whether the present pass may have something on the wire."""
        self.stopped = False
        """Whether the present pass was stopped before it had anything to write."""
        self._reading: asyncio.Task[Prepared] | None = None
        self._store, self._clock, self._health = store, clock, health
        health.permitted(self.permission)
        self._listen, self._timing, self._renderer = listen, timing, renderer
        self.runs = Runs(store, clock)
        """Shared by all cycles: what one could not close, the next one does."""
        self._memory = Memory()
        self._next: Installation | None = None
        self._problems: tuple[RowProblem, ...] = ()
        self._target: Target | None = None
        self._cycle: Reconciler | None = None
        self._looker: Reconciler | None = None
        self._first_hour = FirstHour(store, clock, health, listen)

    @property
    def permission(self) -> Permission:
        """What may be written now."""
        return Permission.of(self._store, self.installation.mode)

    def exchange(self, installation: Installation) -> None:
        """Take another installation from the next pass on."""
        self._next = installation

    async def carry_out(
        self, request: Request, run_id: str, queue: WorkQueue, stop: Callable[[], bool]
    ) -> Report | None:
        """Run a pass.

        Returns:
            ``None``: it found nothing to do, nothing is to be done by itself, or it was stopped before that.

        Raises:
            ReconcilerError: it could not be prepared; nothing was written.
        """
        self.writing, self.by_person, self.stopped = False, request.by_person, False
        await self._move_in()
        self._health.attempted()
        whole = request.image_ids is None
        catalogue = await self.catalogue.refresh(anyway=request.by_person, whole=whole)
        queue.forget(self.catalogue.take_changes(queue.failing))
        self._read(catalogue)
        self._switched(catalogue)
        wishes = self.installation.wishes(catalogue)
        self._health.permitted(permission := self.permission)
        if not self._health.enabled and not request.by_person and not permission.waits:
            return None
        if request.undo is not None:
            return await self._undo(await self._cycle_for(catalogue), request.undo, run_id, stop)
        if not permission.allows(request.image_ids) or (request.first and permission.waits):
            try:
                return await self._before_all(request, catalogue, wishes, run_id, stop)
            except ReconcilerError:
                self._first_hour.forget()
                raise
        return await self._pass(request, catalogue, wishes, run_id, queue, stop)

    async def _before_all(
        self, request: Request, catalogue: Catalogue, wishes: Wishes, run_id: str, stop: Callable[[], bool]
    ) -> Report | None:
        """Look what would be written while not all may be, or begin with some images."""
        of, cycle, permission = (catalogue.reading, wishes), await self._cycle_for(catalogue), self.permission
        if not request.first and not self._first_hour.is_due(of, request):
            return None
        prepare = partial(self._prepared, cycle, wishes=wishes)
        if not (request.first and permission.waits):
            await self._first_hour.look(prepare, of, request, permission)
            return None
        selection = await self._first_hour.choose(prepare, request, permission)
        if selection is None or (prepared := await prepare(selection)) is None:
            return None
        self._health.permitted(self.permission)
        self._health.prepared(prepared)
        self.writing = True
        report = await cycle.apply(prepared, selection, run_id=run_id, trigger=request.trigger, stop=stop)
        self._health.reported(prepared, report, whole=False)
        self._first_hour.wrote(prepared, report)
        return report

    async def _pass(
        self,
        request: Request,
        catalogue: Catalogue,
        wishes: Wishes,
        run_id: str,
        queue: WorkQueue,
        stop: Callable[[], bool],
    ) -> Report | None:
        """Prepare and write, as far as there is anything to write."""
        whole, cycle = request.image_ids is None, await self._cycle_for(catalogue)
        if request.again:
            images = request.image_ids
            write_again(self._store, None if images is None else self._store.ids_of_images(images))
        # An approval that was left in the store is a person's wish: what is held is looked at again for it.
        approval = (
            waiting_approval(self._store) if whole and self._health.enabled and not request.approved else ""
        )
        self.by_person = request.by_person or bool(approval)
        self.later = frozenset() if self.by_person else queue.waiting(self._clock.monotonic())
        selection = Selection(
            request.image_ids,
            full=request.full,
            hints=request.hints,
            force=request.force,
            by_person=self.by_person,
            approved=request.approved or approval,
            later=self.later,
            brief=whole and not self.by_person,
        )
        prepared = await self._prepared(cycle, selection, wishes)
        if prepared is None:
            return None
        if approval and not covers(self._store, approval, prepared):
            self.by_person = request.by_person
            selection = replace(selection, by_person=self.by_person, approved="")
        self._health.prepared(prepared)
        if whole and not request.by_person and prepared.quiet:
            await cycle.note(prepared)
            self._health.looked(whole=True)
            return None
        self.writing = True
        # What a person decided is why it writes, also where another look found the decision waiting.
        trigger = "decision" if selection.approved else request.trigger
        report = await cycle.apply(prepared, selection, run_id=run_id, trigger=trigger, stop=stop)
        whole = whole and report.error is None and report.run.outcome != "stopped"
        self._health.reported(prepared, report, whole=whole)
        return report

    def stop_reading(self) -> None:
        """Let the present pass end at once, if it only reads."""
        if self._reading is not None:
            self.stopped = True
            self._reading.cancel()

    async def _prepared(self, cycle: Reconciler, selection: Selection, wishes: Wishes) -> Prepared | None:
        """Prepare in a task of its own; ``None``: it was stopped while it read."""
        self._reading = asyncio.create_task(cycle.prepare(selection, wishes))
        try:
            return await self._reading
        except asyncio.CancelledError:
            if not self.stopped:
                raise
            return None
        finally:
            self._reading = None

    async def undo_plan(self, wish: UndoWish) -> PreparedUndo:
        """Plan an undo and write nothing; may be asked while a pass runs.

        Raises:
            ReconcilerError: there is nothing to undo, or something stands in the way, such as Immich.
        """
        catalogue = await self.catalogue.refresh()
        looker = await self._look_with(catalogue)
        return await self._undo_with(looker).prepare(wish, self.installation.wishes(catalogue))

    async def _undo(self, cycle: Reconciler, wish: UndoWish, run_id: str, stop: Callable[[], bool]) -> Report:
        """Take back what is wished."""
        catalogue = self.catalogue.latest
        assert catalogue is not None  # noqa: S101 - it was just read
        undo = self._undo_with(cycle)
        prepared = await undo.prepare(wish, self.installation.wishes(catalogue))
        self.writing = True
        report = report_of(prepared, await undo.apply(prepared, run_id=run_id, stop=stop))
        self._health.took_back(report)
        return report

    def _undo_with(self, cycle: Reconciler) -> Undo:
        assert self._target is not None  # noqa: S101 - the cycle has it
        return Undo(cycle, self._target, self._store, self._clock, self._listen, self._timing)

    async def read_switches(self) -> Switches:
        """Read the switches again; where the catalogue cannot be read now, it counts as last read.

        Raises:
            CatalogueError: it was never read.
        """
        try:
            catalogue = await self.catalogue.refresh()
        except CatalogueError:
            if self.catalogue.latest is None:
                raise
            catalogue = self.catalogue.latest
        return self._switched(catalogue)

    async def preview(
        self, wishes: Wishes | None, image_ids: frozenset[int] | None = None, *, again: bool = False
    ) -> Prepared:
        """Plan images and write nothing; may be asked while a pass runs.

        Raises:
            ReconcilerError: the catalogue, the template or Immich stand in the way.
        """
        catalogue = await self.catalogue.refresh()
        looker = await self._look_with(catalogue)
        if again and image_ids is None:
            image_ids = await asyncio.to_thread(to_write_again, self._store)
        selection = Selection(image_ids, brief=image_ids is None, again=again)
        return await looker.prepare(selection, self.installation.wishes(catalogue).instead(wishes))

    async def view(self, image_id: int, asset_id: str = "") -> ImageView | None:
        """Look at one image; may be asked while a pass runs.

        Raises:
            ReconcilerError: there is nothing to look at.
        """
        catalogue = await self.catalogue.refresh()
        image = catalogue.image(image_id)
        if image is None:
            return None
        if image.asset_id is None:
            return ImageView(image, None, None, (reason("not_linked"),))
        image = main_image(self._store, image)
        try:
            looker = await self._look_with(catalogue)
            selection = Selection(frozenset({image_id}))
            prepared = await looker.prepare(selection, self.installation.wishes(catalogue))
        except ImmichError as error:
            return ImageView(image, self._store.record(image.asset_id or ""), None, (of_error(error),))
        return view_of(prepared, image, asset_id, self._store, self._clock.now())

    async def resolve(self, image_id: int, keep: Keep | None, field: Field | None, shown: str) -> bool:
        """Keep what a person decided of an image, from a fresh reading; tells whether there is such an image.

        Raises:
            DecisionError: there is no such conflict, or it is another one by now.
            ReconcilerError: it could not be looked at, or nothing may be written here.
        """
        self.permission.require_mode()
        image = (await self.catalogue.refresh()).image(image_id)
        if image is None or image.asset_id is None:
            return False
        prepared = await self.preview(None, frozenset({image_id}))
        if not (plans := meant(prepared.items, keep, field, shown)):
            why = self._words(next((one.reasons for one in prepared.items), ()))
            raise DecisionError(f"“{image.title}” (image {image_id}) cannot be decided now: {why}.")
        rules, now = prepared.rules, self._clock.now()
        for plan in plans:
            take_decision(self._store, plan, keep, rules=rules, at=now, field=field, shown=shown)
        return True

    def decide(self, plans: Sequence[AssetPlan], keep: Keep, rules: Rules) -> None:
        """Keep what a person decided of each conflict of some images that can be decided so."""
        now = self._clock.now()
        with self._store.transaction():
            for plan in plans:
                for one in in_conflict(plan, keep):
                    take_decision(self._store, plan, keep, rules=rules, at=now, field=one.field)

    def take_over(self) -> None:
        """Leave the wish to take another instance's place for the next pass.

        Raises:
            ObservingError: nothing may be written here.
        """
        self.permission.require_mode()
        leave_wishes(self._store, {"take_over"})

    def looked_at(self, until: datetime, asset_ids: Collection[str] | None) -> int:
        """Forget crossings that a person has looked at; tells of how many images."""
        many = self._store.forget_crossings(until, asset_ids)
        self._health.seen()
        self._listen(Event("crossings.seen", details={"images": many}))
        return many

    def decided(self) -> None:
        """Count anew what waits for a person: they have just decided something."""
        self._health.seen()

    def _switched(self, catalogue: Catalogue) -> Switches:
        wishes = self.installation.wishes(catalogue)
        switches = wishes.switches or switches_of(catalogue, wishes.policy)
        self._health.switched(switches, overridden=wishes.switches is not None)
        return switches

    async def _move_in(self) -> None:
        if self._next is None:
            return
        old, self.installation, self._next = self.installation, self._next, None
        self.catalogue = WatchedCatalogue(self.installation.source, partial(recalled, store=self._store))
        self._cycle = self._looker = self._target = None
        self._first_hour.forget()
        self._memory = Memory()
        await old.aclose()

    async def _cycle_for(self, catalogue: Catalogue) -> Reconciler:
        target = await self.installation.target(catalogue.settings)
        if self._cycle is None or target is not self._target:
            parts = (self.catalogue, target, self._store, self._clock)
            self._target = target
            self._cycle = Reconciler(
                *parts, timing=self._timing, renderer=self._renderer, listen=self._listen, runs=self.runs,
                mode=self.installation.mode, memory=self._memory, words=self._words,
            )  # fmt: skip
            # Another one for looks: its progress is nobody's, and it may be used while a pass runs.
            self._looker = Reconciler(
                *parts, timing=self._timing, renderer=self._renderer, mode="observe", memory=self._memory
            )
        return self._cycle

    async def _look_with(self, catalogue: Catalogue) -> Reconciler:
        cycle = await self._cycle_for(catalogue)
        return self._looker or cycle

    def _read(self, catalogue: Catalogue) -> None:
        self._health.catalogue_read(catalogue)
        if catalogue.problems != self._problems:
            self._problems = catalogue.problems
            for event in told_problems(catalogue):
                self._listen(event)
