"""Planning an undo: what would be taken back of each asset, and what cannot be. Writes nothing.

Slice by slice, in the order of the catalogue; then the assets that no pass reads, or whose tags have to be
known.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from reconciler.core.asset_ids import AssetIds
from reconciler.core.desired.tags import tag_root
from reconciler.core.plan.asset_plan import not_writable
from reconciler.core.plan.reversal import everything, known_steps, owns_anything
from reconciler.core.plan.undo import Reversed, reverse
from reconciler.core.reasons import reason
from reconciler.core.records import AssetRecord
from reconciler.core.store_keys import ALBUMS
from reconciler.core.writes.verification import kept, owned_after
from reconciler.engine.batches import SIZE, Breath, batches, beside
from reconciler.engine.created_tags import to_delete
from reconciler.engine.item import Item
from reconciler.engine.items import Items
from reconciler.engine.observe import read_assets
from reconciler.engine.passes import Prepared, Selection
from reconciler.engine.planner.adoption import told_besides
from reconciler.engine.undo_stacks import with_stacks
from reconciler.engine.undo_steps import LOOSE, Step, Steps
from reconciler.engine.undo_wish import Candidate, UndoWish, Wanted, of_entries, wanted
from reconciler.engine.unrecorded_tags import unrecorded

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.plan.plan import AssetPlan
    from reconciler.core.ports import Target
    from reconciler.core.reasons import Reason
    from reconciler.core.records import JournalEntry, PendingWrite
    from reconciler.core.store_port import Store
    from reconciler.engine.items import Pair
    from reconciler.engine.observe import Reading
    from reconciler.engine.planner.wishes import Wishes
    from reconciler.engine.reconcile import Reconciler


_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class _Known:
    """What is to be taken back of an asset, and what is ours there."""

    several: list[Candidate]
    record: AssetRecord | None
    told: bool
    """See ``Step.told``."""


@dataclass(frozen=True, slots=True)
class PreparedUndo:
    """An undo before anything is written."""

    prepared: Prepared
    steps: Steps
    wish: UndoWish
    tags: tuple[str, ...] = ()
    """Tags that this program made and that are there, of an undo of everything: those that nothing carries
    afterwards are deleted."""
    unrecorded: tuple[str, ...] = ()
    """Tags at or below our root that are there and are not on record here: they stay."""

    @property
    def changes(self) -> Iterator[AssetPlan]:
        """Go through the plans that would write something back; ``counts`` says how many."""
        return (step.change for step in self.steps if step.change is not None)

    @property
    def counts(self) -> dict[str, int]:
        """Count what would be done: images, descriptions, places, tags taken off and given back."""
        counts = self.steps.counts
        names = ("images", "descriptions", "places", *(("dates",) if counts["dates"] else ()))
        found = {name: counts[name] for name in (*names, "tags_off", "albums", "tags_back")}
        return found | {"tags_made": len(self.tags), "tags_unrecorded": len(self.unrecorded)}

    @property
    def has_work(self) -> bool:
        """Whether anything is to be done."""
        return bool(self.tags) or self.steps.jobs > 0

    @property
    def left(self) -> Iterator[tuple[Step, Reason]]:
        """Go through what cannot be taken back; ``steps.left`` counts it."""
        return ((step, why) for step in self.steps for why in step.left)


class UndoPlanner:
    """Plans undos."""

    def __init__(self, cycle: Reconciler, target: Target, store: Store) -> None:
        self._cycle, self._target, self._store = cycle, target, store

    async def prepare(self, what: UndoWish | Iterable[JournalEntry], wishes: Wishes) -> PreparedUndo:
        """Look at the assets that it is about, and plan taking it back. Writes nothing.

        Args:
            what: what a person wants; or the journal entries of one run.
            wishes: what the user configured.

        Raises:
            UndoError: there is nothing to undo, or not in this way.
            CatalogueError, TemplateError, ImmichError, StateError: it could not be prepared.
        """
        families: tuple[frozenset[str], ...] = ()
        if isinstance(what, UndoWish):
            if what.everything:
                return await self._prepare_everything(what, wishes)
            wish, families = with_stacks(self._store, what)
            asked = await asyncio.to_thread(wanted, self._store, wish)
        else:
            entries = list(what)
            asked, wish = Wanted.these(of_entries(entries)), UndoWish()
            if entries:
                wish = UndoWish(run_id=entries[0].run_id)
        # In bulk, a thousand a request: before its text is written back each asset is read anyway.
        selection = Selection(
            image_ids=asked.image_ids, full=True, tags_later=True, albums=asked.albums, writes=True
        )
        prepared = await self._cycle.prepare(selection, wishes)
        steps = await self._planned(prepared, asked)
        if families:
            steps = Steps(_of_one_run(self._store, steps, families))
        if wish.asset_id and not wish.to and steps:
            wish = replace(wish, run_id=steps[0].run_id)
        if wish.images and not wish.to:
            wish = replace(wish, images=tuple((step.item.asset_id, step.run_id) for step in steps))
        return PreparedUndo(prepared, steps, wish)

    async def _prepare_everything(self, wish: UndoWish, wishes: Wishes) -> PreparedUndo:
        selection = Selection(full=True, tags_later=True, albums=ALBUMS.is_kept(self._store), writes=True)
        prepared = await self._cycle.prepare(selection, wishes)
        steps = await self._planned(prepared, None)
        made = await to_delete(self._target, self._store)
        root = tag_root(prepared.rules.policy.tags)
        return PreparedUndo(prepared, steps, wish, made, await unrecorded(self._target, self._store, root))

    async def _planned(self, prepared: Prepared, asked: Wanted | None) -> Steps:
        """Plan the assets that are asked for; ``None``: all in which anything is ours."""
        steps, breath, unread, met = Steps(), Breath(), Items(), set[str]()
        reading = list[str]()
        async for pairs in beside(prepared.items.slices(SIZE)):
            known = await asyncio.to_thread(self._known, pairs, prepared, asked)
            for item, record in pairs:
                if (one := known.get(item.asset_id)) is None:
                    continue
                met.add(item.asset_id)
                step = None if item.plan is None else _step(item, one, item.plan.observed, prepared)
                if _is_to_be_read(step, one):
                    reading.append(item.asset_id)
                    unread.add(item, record)
                elif step is not None:
                    steps.add(step)
                await breath.take()
        besides = await asyncio.to_thread(self._besides, met, asked)
        wanted_ids = await asyncio.to_thread(AssetIds, [*reading, *besides])
        if wanted_ids:
            shown = await read_assets(self._target, wanted_ids, tags=True)
            await self._plan_read(prepared, asked, unread, besides, shown, steps)
        if asked is None or steps.is_large or len(asked.asset_ids) > LOOSE:
            return steps
        place = {asset_id: number for number, asset_id in enumerate(asked.asset_ids)}
        return Steps(sorted(steps, key=lambda step: place[step.item.asset_id]))

    def _besides(self, met: AbstractSet[str], asked: Wanted | None) -> list[str]:
        """Return the assets that no pass reads; of everything, those in which anything is ours."""
        if asked is not None:
            return [asset_id for asset_id in asked.asset_ids if asset_id not in met]
        found = list[str]()
        for several in batches([one for one in self._store.record_ids() if one not in met]):
            records = self._store.records_of(several)
            found += [one for one in several if one in records and owns_anything(records[one].applied)]
        return found

    async def _plan_read(
        self,
        prepared: Prepared,
        asked: Wanted | None,
        unread: Items,
        besides: list[str],
        reading: Reading,
        steps: Steps,
    ) -> None:
        """Plan the assets that were read for it: those of a pass, and those that none reads."""
        breath, pending = Breath(), self._store.pending()
        async for pairs in beside(unread.slices(SIZE)):
            items = {item.asset_id: item for item, _ in pairs}
            known = await asyncio.to_thread(self._known, pairs, prepared, asked)
            for asset_id, one in known.items():
                steps.add(_step(items[asset_id], one, reading.assets.get(asset_id), prepared))
                await breath.take()
        for several in batches(besides):
            records = await asyncio.to_thread(self._store.records_of, several)
            named = [_item_of(asset_id, records.get(asset_id), pending) for asset_id in several]
            told = await self._told_besides(prepared, records, reading)
            known = await asyncio.to_thread(
                self._known, [(item, told.get(item.asset_id)) for item in named], prepared, asked
            )
            for item in named:
                if item.asset_id in known:
                    one = known[item.asset_id]
                    image_id = one.several[0].reversal.image_id
                    seen = reading.assets.get(item.asset_id)
                    steps.add(_step(replace(item, image_id=image_id), one, seen, prepared))
                await breath.take()

    def _known(self, pairs: Collection[Pair], prepared: Prepared, asked: Wanted | None) -> dict[str, _Known]:
        """Look up what is to be taken back of some assets, with what a look took up from Immich's records."""
        ids = [item.asset_id for item, _ in pairs]
        stored = self._store.records_of(ids)
        former = self._store.former_of(ids) if asked is None else {}
        journal = {} if asked is None else asked.of(ids)
        taken = prepared.taken
        news = taken is not None and bool(taken.adopted or taken.recognised or taken.standpoint.mode == "all")
        found: dict[str, _Known] = {}
        for item, seen in pairs:
            asset_id, record = item.asset_id, stored.get(item.asset_id)
            told = news and seen is not None and seen != record
            record = seen if told else record
            if asked is not None:
                if asset_id in journal:
                    found[asset_id] = _Known(journal[asset_id], record, told)
            elif record is not None and (asset_id in stored or owns_anything(record.applied)):
                one = everything(record, former.get(asset_id, ()), prepared.rules.markers)
                found[asset_id] = _Known([Candidate("", one)], record, told)
        return found

    async def _told_besides(
        self, prepared: Prepared, records: Mapping[str, AssetRecord], reading: Reading
    ) -> dict[str, AssetRecord]:
        """Ask for the records of assets that no image links; those of the catalogue a pass takes up."""
        if prepared.taken is None:
            return {}
        point, markers = prepared.taken.standpoint, prepared.rules.markers
        return await told_besides(self._cycle.ownership, point, records, reading.assets, markers)


def _item_of(asset_id: str, record: AssetRecord | None, pending: Mapping[str, PendingWrite]) -> Item:
    title = asset_id if record is None else record.title
    image_id = 0 if record is None else record.image_id
    return Item(None, asset_id, image_id, title, adopted=pending.get(asset_id))


def _step(item: Item, known: _Known, seen: ObservedAsset | None, prepared: Prepared) -> Step:
    """Plan an asset: of several changes the newest that is still there is taken back."""
    record = known.record or AssetRecord(item.asset_id, item.image_id, item.title)
    first, told = known.several[0], known.told
    if seen is None:
        why = item.reasons or (reason("not_shown", asset=item.asset_id),)
        return Step(item, first.reversal, None, why, record, first.run_id, told=told)
    if blocked := not_writable(seen, prepared.rules):
        return Step(item, first.reversal, None, (blocked,), record, first.run_id, told=told)
    planned: list[Step] = []
    for one in known.several:
        reversal, unread = one.reversal, seen.tags is None
        expected = reversal.added if reversal.tags is None else reversal.tags
        shown = replace(seen, tags=expected) if unread else seen
        step = Step(item, reversal, None, (), record, one.run_id, unread, told)
        found = reversed_now(step, shown, prepared)
        step = replace(step, found=found, left=found.left)
        if found.plan.changes:
            return step
        planned.append(step)
    return next((step for step in planned if step.left), planned[0])


def _is_to_be_read(step: Step | None, known: _Known) -> bool:
    """Return whether an asset has to be read to be planned: its tags matter, and no reading is to come."""
    if len(known.several) > 1:
        return True
    if step is None:
        # Of everything, those in which nothing is ours need not be looked at.
        everything_ours = known.several[0].reversal.former is None
        return everything_ours or (known.record is not None and owns_anything(known.record.applied))
    if step.found is None or not step.unread or not step.found.plan.changes:
        return False
    reversal = known.several[0].reversal
    expected = reversal.tags is not None or reversal.former is not None
    return not expected or not step.found.plan.writes_fields


def reversed_now(step: Step, seen: ObservedAsset, prepared: Prepared) -> Reversed:
    """Plan an asset from a reading, by what was ours when the undo began."""
    rules, applied, pending = prepared.rules, step.record.applied, step.item.adopted
    if pending is not None and seen.tags is not None:
        # As it is once the earlier run's write has settled.
        applied = owned_after(applied, pending, kept(pending, seen, rules.markers))
    limit = rules.policy.description.max_bytes
    reversal = step.reversal
    if reversal.former is not None and applied is not step.record.applied:
        values = known_steps(reversal.former, applied)
        reversal = replace(reversal, added=reversal.added | applied.tags, values=values)
    return reverse(reversal, seen, step.item.title, applied, rules.markers, limit, rules.albums)


def _of_one_run(store: Store, steps: Iterable[Step], families: Iterable[frozenset[str]]) -> tuple[Step, ...]:
    """Return the steps, of each image only those of its last run that left anything to take back."""
    left = list(steps)
    for family in families:
        mine = [step for step in left if step.item.asset_id in family]
        telling = [step for step in mine if step.is_job] or [step for step in mine if step.left]
        if not telling:
            continue
        newest = max((step.run_id for step in telling), key=lambda run_id: _began(store, run_id))
        left = [step for step in left if step.item.asset_id not in family or step.run_id == newest]
    return tuple(left)


def _began(store: Store, run_id: str) -> datetime:
    run = store.run(run_id)
    return _LONG_AGO if run is None else run.started_at
