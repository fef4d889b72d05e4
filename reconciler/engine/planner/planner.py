"""Preparing a pass: read the catalogue, compute what is desired, observe what is to be looked at, plan.

Nothing is written here, neither to Immich nor to the store.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Literal

from reconciler.core.desired.desired import Form
from reconciler.core.desired.template import digest_of
from reconciler.core.fingerprint import policy_digest
from reconciler.core.store_keys import ARCHIVED, FULL_LOOK_AT, HINTS, RULES, WATERMARK
from reconciler.engine import album_watch, hints, stack_watch
from reconciler.engine.album_writer import AlbumWriter
from reconciler.engine.another import note_another
from reconciler.engine.approvals import moment
from reconciler.engine.catalogue_cache import WatchedCatalogue
from reconciler.engine.events import Event, Progress
from reconciler.engine.hints import Seen, Trash
from reconciler.engine.identity import KnownImmich, check_user, recognise
from reconciler.engine.items import looked_at_again
from reconciler.engine.losses import lost_before
from reconciler.engine.observe import read_assets
from reconciler.engine.ownership import Ownership
from reconciler.engine.passes import Prepared, Selection
from reconciler.engine.planner.adoption import Adoption
from reconciler.engine.planner.candidates import MOST, Memory, Standing, candidates, take_census
from reconciler.engine.planner.desired import DesiredStateComputer, DesiredStates
from reconciler.engine.planner.held import guarded, linked_assets
from reconciler.engine.planner.rules import affordable, rules_of
from reconciler.engine.planner.selection import ImageSelector
from reconciler.engine.planner.slices import SLICE, Slices
from reconciler.engine.planner.wishes import Wishes, tells_day
from reconciler.engine.record_cache import RecordCache
from reconciler.engine.schema import recalled
from reconciler.engine.watermark import Look, Skew, Watermark, present, skew
from reconciler.errors import ImmichError, UnconfirmedError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from reconciler.core.asset import ObservedAsset, Visibility
    from reconciler.core.catalogue import Catalogue
    from reconciler.core.listing import Listing
    from reconciler.core.plan.plan import Rules
    from reconciler.core.ports import CatalogueSource, Clock, Renderer, ServerFacts, Target
    from reconciler.core.stacks import Stacking
    from reconciler.core.store_port import Store
    from reconciler.engine.events import Level, Listener
    from reconciler.engine.standpoint import Another, Standpoint

_RENEW_TO_WRITE, _RENEW_LOSSES, _RENEW = 600.0, 300.0, 86_400.0
"""Seconds after which the server is asked again for its version, permissions and user: before something is
written, while the key lacks something, and at all. A whole look by a person, or an error, does so at once."""
_FEW = 20
"""So many images are judged by the guard at once."""
_AUDIT_AGE = timedelta(days=1)


class Planner:
    """Prepares passes; keeps what was desired of unchanged images between them."""

    def __init__(
        self,
        source: CatalogueSource,
        target: Target,
        store: Store,
        clock: Clock,
        *,
        renderer: Renderer,
        listen: Listener,
        memory: Memory | None = None,
    ) -> None:
        self._memory = memory or Memory()
        self.ownership = Ownership(target, store, clock, listen, self._memory.ownership)
        self._links: tuple[object, AbstractSet[str]] | None = None
        self._stacks = stack_watch.StackSight()
        self._gone: tuple[AbstractSet[str], AbstractSet[str], AbstractSet[str]] | None = None
        self._source, self._target, self._store = source, target, store
        self._clock, self._listen = clock, listen
        self._computer = DesiredStateComputer(renderer, Form(target.settled_description, target.settled_tag))
        self._server: ServerFacts | None = None
        self._asked_at = 0.0
        self._recognised: KnownImmich | None = None
        self._marks, self._skew = Watermark(), Skew()
        self.trash = Trash()
        """What explains that there are fewer assets; emptied by whoever records what hints were seen."""

    def forget_server(self) -> None:
        """Ask the server for its facts anew at the next pass: something went wrong with it."""
        self._server = self._recognised = None

    async def prepare(self, selection: Selection, wishes: Wishes) -> Prepared:
        """Observe and plan.

        Raises:
            CatalogueError, TemplateError, ImmichError, StateError: nothing was written.
        """
        wishes = wishes.as_switched
        await self._computer.check(wishes.policy.description)
        self._computer.zones = wishes.zones
        catalogue = await self._read()
        self._listen(Progress("reading", total=len(catalogue.linked())))
        try:
            server = await self._facts(selection)
            stacks = await self._look_at_stacks(wishes, catalogue)
            catalogue = stack_watch.stacked(catalogue, stacks.stacking)
            point = await self._standing(server, catalogue, selection)
            prepared = await self._observed(selection, wishes, catalogue, server, point, stacks)
            if prepared.has_changes and self._clock.monotonic() - self._asked_at > _RENEW_TO_WRITE:
                self.forget_server()
                if (renewed := await self._facts(selection)) != server:
                    server = renewed
                    prepared = await self._observed(selection, wishes, catalogue, server, point, stacks)
            if selection.writes or prepared.has_changes or not (prepared.quiet or self.ownership.has_asked):
                again = await self._standing(server, catalogue, selection, anew=True)
                if (again.mode, again.another) != (point.mode, point.another):
                    before = prepared.items
                    prepared = await self._observed(selection, wishes, catalogue, server, again, stacks)
                    items = await asyncio.to_thread(looked_at_again, before, prepared.items)
                    prepared = replace(prepared, items=items)
            self._stand_back(prepared.another, selection)
            return replace(prepared, immich=await self._acquainted(prepared))
        except (ImmichError, UnconfirmedError):
            self.forget_server()
            raise

    async def _read(self) -> Catalogue:
        if isinstance(self._source, WatchedCatalogue) and self._source.latest is not None:
            return self._source.latest  # its owner has just refreshed it
        return await asyncio.to_thread(lambda: recalled(self._source.read(), self._store))

    async def _acquainted(self, prepared: Prepared) -> KnownImmich:
        """Tell whom this Immich is to be remembered as; asks where something is new, or assets are lost."""
        tally = prepared.items.tally
        if self._recognised is None or tally.lost:
            self._recognised = await recognise(
                self._target, self._store, prepared.server, await asyncio.to_thread(self._store.there_ids),
                seen=[tally.met], lost=tally.lost,
            )  # fmt: skip
        return self._recognised

    async def _facts(self, selection: Selection) -> ServerFacts:
        """Return what is known of the server, asked anew when that is old: an idle look costs one request."""
        age = self._clock.monotonic() - self._asked_at
        known = self._server
        whole = selection.image_ids is None and (selection.full or selection.by_person)
        lacking = known is not None and (known.losses or self._stacks.lacking)
        if known is None or whole or age > (_RENEW_LOSSES if lacking else _RENEW):
            known = await self._target.open()
            check_user(KnownImmich.of(self._store), known, self._target.address)
            self._server = known
            self._asked_at = self._clock.monotonic()
        return known

    async def _standing(
        self, server: ServerFacts, catalogue: Catalogue, selection: Selection, *, anew: bool = False
    ) -> Standpoint:
        """Return where the store stands towards the records in Immich.

        Raises:
            AnotherInstanceError: another instance keeps this library, and no person wants to look at it.
        """
        point = await self.ownership.look(server, catalogue.linked_assets, anew=anew)
        self._stand_back(point.another, selection)
        return point

    async def _observed(
        self,
        selection: Selection,
        wishes: Wishes,
        catalogue: Catalogue,
        server: ServerFacts,
        point: Standpoint,
        stacks: stack_watch.StackSight,
    ) -> Prepared:
        if selection.image_ids is None and point.another is None and (point.mode == "all" or point.wishes):
            selection = replace(selection, full=True)
        whose = KnownImmich.at(self._store, server, self._target.address)
        rules = rules_of(wishes, catalogue, server, whose, tells_day=tells_day(wishes, selection))
        sight = await self._albums(rules, selection)
        for part, lacking in (("albums", sight.lacking), ("stacks", stacks.lacking)):
            rules = replace(rules, missing={**rules.missing, part: lacking}) if lacking else rules
        rules = replace(rules, albums=sight.albums, unusable_albums=sight.unusable)
        digest = policy_digest(wishes.policy, affordable(rules), digest_of(wishes.policy.description))
        desires, records = DesiredStates(), RecordCache(self._store, again=selection.again)
        census = await take_census(self._memory, self._store)
        selector = ImageSelector(
            desires.of, rules, digest, selection, records, self._store.pending(), now=self._clock.now(),
            stacking=stacks.stacking,
        )  # fmt: skip
        adoption = await Adoption.begin(self.ownership, point, selector, records)
        asked = self._clock.monotonic()
        moved, mark, look = await self._moved(selector, records)
        seen, hinted = await self._hinted(selector)
        moved = moved if moved is None else moved | hinted | sight.moved
        slices = Slices(
            selector, records, self._computer, desires, wishes.policy, self._clock,
            catalogue=catalogue, held=census.held, adoption=adoption,
        )  # fmt: skip
        known = candidates(self._memory, rules, digest, catalogue, self._source, stacks.stacking)
        linked = await self._linked(catalogue, stacks.stacking)
        if census.linked is not linked and census.linked == linked:  # kept once, with all the ids in it
            census = self._memory.census = replace(census, linked=linked)
        if selection.brief and moved is not None and known is not None:
            await slices.at_some(known, linked, moved)
        else:
            known = None
            await slices.at_all(self._store, linked, moved)
        # An earlier run's write of tags is judged whatever the switches say by now.
        tags = rules.switches.tags and rules.tags_available and not selection.tags_later
        tags = tags or any(write.tags for write in selector.pending.values())
        shown = look.dates if look else None
        reading = await read_assets(
            self._target, slices.wanted, tags=tags, shown=shown, told=partial(self._progress, "reading")
        )
        if look is None:
            took = self._clock.monotonic() - asked
            present_now = await self._present()
            read_from = await asyncio.to_thread(self._marks.after_reading, reading.dates, present_now, took)
            mark = max(mark or read_from, read_from)
        self._progress("planning", 0, len(slices.wanted))
        await slices.plan(reading, partial(self._progress, "planning"))
        whole = selection.image_ids is None
        left = await self._left(census.linked, linked)
        prepared = Prepared(
            catalogue=selector.told(catalogue), server=server, rules=rules, rules_digest=digest,
            items=slices.items, records=records, observed_from=mark,
            full=moved is None and whole, look=look, moment=moment(self._store),
            seen=seen, rules_before=RULES.read(self._store) or "",
            linked=linked, left=left,
            restacked=stack_watch.restacked(left, self._store, catalogue, stacks.stacking),
            stood=_others(catalogue, slices) if whole and known is not None else slices.stood,
            taken=adoption.taken, stacking=stacks.stacking,
        )  # fmt: skip
        recent = lost_before(self._store, prepared, census.held, self._clock.now())
        judge = partial(guarded, prepared, selection, census.linked, census.held, recent)
        prepared = await asyncio.to_thread(judge) if len(prepared.items) > _FEW else judge()
        if whole and selection.brief and not selection.by_person and self._memory.census is census:
            self._memory.touched.clear()
            self._memory.standing = None
            if len(prepared.items) <= MOST:  # else the next look goes through all as well
                self._memory.standing = Standing(
                    rules, digest, catalogue.reading, census.token, catalogue.doubtful_ids(),
                    prepared.items.open_images(), prepared.items.orphans(), stacks.stacking,
                )  # fmt: skip
        return prepared

    async def _look_at_stacks(self, wishes: Wishes, catalogue: Catalogue) -> stack_watch.StackSight:
        """Look how stacks stand, where they are written to: one request."""
        sight = await stack_watch.look(self._target, self._store, wishes.policy, catalogue)
        if sight.lacking and sight.lacking != self._stacks.lacking:
            self._listen(Event("stacks.unknown", "warning", details={"lacking": list(sight.lacking)}))
        self._stacks = self._stacks if sight == self._stacks else sight  # the same one while it is the same
        return self._stacks

    async def _albums(self, rules: Rules, selection: Selection) -> album_watch.AlbumSight:
        """Look at the albums, where they are kept in sync: one request while nobody touches them."""
        wanted = rules.switches.albums and "albums" not in rules.missing
        if not wanted and not selection.albums:
            return album_watch.AlbumSight()
        return await album_watch.look(
            self._target, self._store, self._memory.albums, rules.policy, anew=selection.full
        )

    def album_writer(self, prepared: Prepared, run_id: str) -> AlbumWriter | None:
        """Return what writes a pass's albums; ``None`` where nobody looked at them."""
        albums = prepared.rules.albums
        if albums is None:
            return None
        policy, memory = prepared.rules.policy.albums, self._memory.albums
        return AlbumWriter(self._target, self._store, self._clock, memory, albums, policy, run_id)

    def _progress(self, phase: Literal["reading", "planning"], done: int, total: int) -> None:
        self._listen(Progress(phase, done, total))

    async def _left(self, before: AbstractSet[str], linked: AbstractSet[str]) -> AbstractSet[str]:
        """Return what left the catalogue since the last good pass; known while neither side changes."""
        if self._gone is None or self._gone[0] is not before or self._gone[1] is not linked:
            self._gone = (before, linked, await asyncio.to_thread(lambda: before - linked))
        return self._gone[2]

    async def _linked(self, catalogue: Catalogue, stacking: Stacking) -> AbstractSet[str]:
        """Return the assets that the catalogue links; the same object while nothing about it changes."""
        key = (catalogue.reading, catalogue.doubtful_ids(), stacking)
        if not catalogue.reading or self._links is None or self._links[0] != key or key[1]:
            self._links = (key, await asyncio.to_thread(linked_assets, catalogue, self._store))
        return self._links[1]

    async def _hinted(self, selector: ImageSelector) -> tuple[Seen | None, frozenset[str]]:
        """Look for what moved no date, where it is asked for: by the daemon now and then, and by a person."""
        selection = selector.selection
        if selection.image_ids is not None:
            return None, frozenset()
        if not selection.hints and (not selection.by_person or not HINTS.is_kept(self._store)):
            return None, frozenset()
        tags = selector.rules.switches.tags and selector.rules.tags_available
        return await hints.look(self._target, self._store, self.trash, tags=tags)

    async def _moved(
        self, selector: ImageSelector, records: RecordCache
    ) -> tuple[frozenset[str] | None, datetime | None, Look | None]:
        """Return which assets moved since the last pass by their dates; ``None``: unknown, look at all.

        Beside it: since when changes are not in what is read now, as far as the store or the look tells, and
        the look if there was one.
        """
        mark = WATERMARK.read(self._store)
        if selector.selection.full or selector.selection.image_ids is not None or mark is None:
            return None, mark, None
        if selector.selection.by_person and self._audit_is_due():
            return None, mark, None
        # Each visibility costs a request: the archive is asked only if it holds an asset of ours, or may.
        archived = ARCHIVED.read(self._store) != []
        visibilities: tuple[Visibility, ...] = ("timeline", "archive") if archived else ("timeline",)
        asked = self._clock.monotonic()
        rows = await self._target.changed_since(mark, visibilities=visibilities)
        now = await self._present(rows)
        if (again := self._marks.set_back(mark, now, asked)) is not None:
            rows = await self._target.changed_since(again, visibilities=visibilities)
        moved = frozenset(row.asset_id for row in rows.incomplete) | await self._moved_on(rows, records)
        look = Look({row.asset_id: row.updated_at for row in rows}, asked, now)
        return moved, self._marks.after_look(mark, look), look

    async def _moved_on(self, rows: Listing, records: RecordCache) -> frozenset[str]:
        """Return which assets have another date than when they were read: after a pass over all, none has."""
        moved: set[str] = set()
        news = (row for row in rows if self._marks.is_news(row))
        while several := list(islice(news, SLICE)):
            self.trash.take_in(several)
            await records.fetch(row.asset_id for row in several)
            for row in several:
                known = records.get(row.asset_id)
                # Earlier, too: a clock may have been set back.
                if known is None or known.seen_updated_at is None or row.updated_at != known.seen_updated_at:
                    moved.add(row.asset_id)
            if len(rows) > SLICE:
                records.clear()
        return frozenset(moved)

    async def _present(self, rows: Iterable[ObservedAsset] = ()) -> datetime:
        """Return the earliest that it may be now; says so if the clocks differ otherwise than before."""
        header, ours = await self._target.server_time(), self._clock.now()
        found, before = skew(ours, header, rows), self._skew
        self._skew = found
        if (found.header_tells, found.rows_tell) != (before.header_tells, before.rows_tell):
            ahead = {"header": found.header.total_seconds(), "rows": found.rows.total_seconds()}
            level: Level = "warning" if found.header_tells or found.rows_tell else "info"
            self._listen(
                Event("clock.skew", level, details={f"{k}_ahead": round(v) for k, v in ahead.items()})
            )
        return present(ours, header)

    def _stand_back(self, another: Another | None, selection: Selection) -> None:
        """Leave the library to another instance; a person may look at it all the same.

        Raises:
            AnotherInstanceError: there is one.
        """
        if another is not None or self.ownership.has_asked:
            note_another(self._store, another)
        if another is not None and not selection.by_person:
            raise another.error()

    def noted(self, look: Look) -> None:
        """Take note that the pass which a look began went through."""
        self._marks.noted(look)

    def _audit_is_due(self) -> bool:
        """Return whether everything was last read over a day ago: some changes do not move Immich's dates.

        The daemon audits by schedule; who only ever runs passes by hand gets one with the first of a day.
        """
        last = FULL_LOOK_AT.read(self._store)
        return last is None or self._clock.now() - last > _AUDIT_AGE


def _others(catalogue: Catalogue, slices: Slices) -> int:
    """Count the linked images that were not looked at: they stand."""
    return len(catalogue.linked()) - slices.items.tally.images


def told_problems(catalogue: Catalogue) -> list[Event]:
    """Return the catalogue's problems as events, for the log."""
    return [
        Event(
            "catalogue.problem",
            "warning",
            details={"table": problem.table, "row": problem.row_id, "reason": problem.reason},
        )
        for problem in catalogue.problems
    ]
