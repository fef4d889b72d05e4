"""Planning an undo: what would be taken back of each asset, and what cannot be. Writes nothing."""

from __future__ import annotations

import asyncio
from collections import ChainMap
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain
from typing import TYPE_CHECKING, Final, cast

from reconciler.core.plan.asset_plan import not_writable
from reconciler.core.plan.reversal import Reversal, everything, known_steps, owns_anything
from reconciler.core.plan.undo import Reversed, reverse
from reconciler.core.reasons import reason
from reconciler.core.records import AssetRecord
from reconciler.core.store_keys import ALBUMS
from reconciler.core.writes.verification import kept, owned_after
from reconciler.engine.batches import Breath, batches
from reconciler.engine.created_tags import to_delete
from reconciler.engine.item import Item
from reconciler.engine.observe import read_assets
from reconciler.engine.passes import Prepared, Selection
from reconciler.engine.planner.adoption import told_besides
from reconciler.engine.undo_stacks import with_stacks
from reconciler.engine.undo_wish import Candidate, UndoWish, candidates, of_entries

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from reconciler.core.asset import ObservedAsset
    from reconciler.core.plan.plan import AssetPlan
    from reconciler.core.ports import Target
    from reconciler.core.reasons import Reason
    from reconciler.core.records import JournalEntry
    from reconciler.core.store_port import Store
    from reconciler.engine.planner.wishes import Wishes
    from reconciler.engine.reconcile import Reconciler


_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Step:
    """One asset of an undo."""

    item: Item
    reversal: Reversal
    found: Reversed | None
    """``None``: not readable, or not writable."""
    left: tuple[Reason, ...]
    """Why something cannot be taken back."""
    record: AssetRecord
    run_id: str = ""
    """Of the run that is taken back, where it is one."""
    unread: bool = False
    """Whether its tags were not read, and are taken for what was left there; its text is to be written, and
    the reading before that tells them."""

    @property
    def is_job(self) -> bool:
        """Whether something is to be sent, or waited for."""
        return self.found is not None and (self.found.plan.changes or self.item.adopted is not None)


@dataclass(frozen=True, slots=True)
class PreparedUndo:
    """An undo before anything is written."""

    prepared: Prepared
    steps: tuple[Step, ...]
    wish: UndoWish
    tags: tuple[str, ...] = ()
    """Tags that this program made and that are there, of an undo of everything: those that nothing carries
    afterwards are deleted."""
    told: AbstractSet[str] = frozenset()
    """Assets of which Immich's records, and not the store, tell what is ours."""

    @property
    def changes(self) -> tuple[AssetPlan, ...]:
        """The plans that would write something back."""
        return tuple(step.found.plan for step in self.steps if step.found and step.found.plan.changes)

    @property
    def counts(self) -> dict[str, int]:
        """Count what would be done: images, descriptions, places, tags taken off and given back."""
        plans = self.changes
        dates = sum(plan.taken_at is not None for plan in plans)
        return {
            "images": len(plans),
            "descriptions": sum(plan.description is not None for plan in plans),
            "places": sum(plan.coordinates is not None for plan in plans),
            **({"dates": dates} if dates else {}),
            "tags_off": sum(len(plan.remove_tags) for plan in plans),
            "albums": sum(plan.changes_albums for plan in plans),
            "tags_back": sum(len(plan.add_tags) for plan in plans),
            "tags_made": len(self.tags),
        }

    @property
    def has_work(self) -> bool:
        """Whether anything is to be done."""
        return bool(self.tags) or any(step.is_job for step in self.steps)

    @property
    def left(self) -> tuple[tuple[Step, Reason], ...]:
        """What cannot be taken back."""
        return tuple((step, why) for step in self.steps for why in step.left)


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
            wanted = await asyncio.to_thread(candidates, self._store, wish)
        else:
            wanted = of_entries(list(what))
            wish = UndoWish(run_id=next((one[0].run_id for one in wanted.values()), ""))
        image_ids = frozenset(one.reversal.image_id for several in wanted.values() for one in several)
        # In bulk, a thousand a request: before its text is written back each asset is read anyway.
        albums = any(one.reversal.put_in or one.reversal.taken_out for one in chain(*wanted.values()))
        selection = Selection(image_ids=image_ids, full=True, tags_later=True, albums=albums, writes=True)
        prepared = await self._cycle.prepare(selection, wishes)
        found = await self._planned(prepared, wanted, prepared.records, taken_up(prepared))
        if families:
            found = replace(found, steps=_of_one_run(self._store, found.steps, families))
        if wish.asset_id and not wish.to and found.steps:
            wish = replace(wish, run_id=found.steps[0].run_id)
        if wish.images and not wish.to:
            wish = replace(wish, images=tuple((step.item.asset_id, step.run_id) for step in found.steps))
        return replace(found, wish=wish)

    async def _prepare_everything(self, wish: UndoWish, wishes: Wishes) -> PreparedUndo:
        prepared = await self._cycle.prepare(
            Selection(full=True, tags_later=True, albums=ALBUMS.is_kept(self._store), writes=True), wishes
        )
        wanted: dict[str, list[Candidate]] = {}
        records: dict[str, AssetRecord] = {}
        told, known = taken_up(prepared), await asyncio.to_thread(self._store.record_ids)
        new = [asset_id for asset_id, record in told.items() if owns_anything(record.applied)]
        for several in batches([*known, *sorted(set(new) - set(known))]):
            former = await asyncio.to_thread(self._store.former_of, several)
            found_records = await asyncio.to_thread(self._store.records_of, several)
            for asset_id in several:
                if (record := told.get(asset_id) or found_records.get(asset_id)) is None:
                    continue
                records[asset_id] = record
                one = everything(record, former.get(asset_id, ()), prepared.rules.markers)
                wanted[asset_id] = [Candidate("", one)]
        found = await self._planned(prepared, wanted, records, told)
        return replace(found, wish=wish, tags=await to_delete(self._target, self._store))

    async def _planned(
        self,
        prepared: Prepared,
        wanted: Mapping[str, list[Candidate]],
        records: Mapping[str, AssetRecord],
        told: Mapping[str, AssetRecord],
    ) -> PreparedUndo:
        records = ChainMap(dict(told), cast("dict[str, AssetRecord]", records))
        pending = self._store.pending()
        breath = Breath()
        items: dict[str, Item] = {}
        steps: dict[str, Step] = {}
        for item in prepared.items:
            if item.asset_id not in wanted:
                continue
            items[item.asset_id] = item
            if item.plan is not None:
                seen_then, several = item.plan.observed, wanted[item.asset_id]
                steps[item.asset_id] = self._step(item, several, seen_then, prepared, records)
                await breath.take()
        to_be_read = [
            asset_id
            for asset_id, several in wanted.items()
            if len(several) > 1 or _is_to_be_read(steps.get(asset_id), several[0], records.get(asset_id))
        ]
        seen = (await read_assets(self._target, sorted(to_be_read), tags=True)).assets
        # Those of the catalogue were taken up as a pass does it.
        besides = {one: records[one] for one in to_be_read if one not in items and one in records}
        if prepared.taken is not None and besides:
            point, markers = prepared.taken.standpoint, prepared.rules.markers
            more = await told_besides(self._cycle.ownership, point, besides, seen, markers)
            records, told = ChainMap(more, cast("dict[str, AssetRecord]", records)), {**told, **more}
        for asset_id in to_be_read:
            await breath.take()
            title = records[asset_id].title if asset_id in records else asset_id
            one = wanted[asset_id][0].reversal
            item = items.get(asset_id) or Item(
                None, asset_id, one.image_id, title, adopted=pending.get(asset_id)
            )
            steps[asset_id] = self._step(item, wanted[asset_id], seen.get(asset_id), prepared, records)
        listed = tuple(steps[asset_id] for asset_id in wanted if asset_id in steps)
        return PreparedUndo(prepared, listed, UndoWish(), told=told.keys())

    def _step(
        self,
        item: Item,
        several: list[Candidate],
        seen: ObservedAsset | None,
        prepared: Prepared,
        records: Mapping[str, AssetRecord],
    ) -> Step:
        """Plan an asset: of several changes the newest that is still there is taken back."""
        record = records.get(item.asset_id) or AssetRecord(item.asset_id, item.image_id, item.title)
        first = several[0]
        if seen is None:
            why = item.reasons or (reason("not_shown", asset=item.asset_id),)
            return Step(item, first.reversal, None, why, record, first.run_id)
        if blocked := not_writable(seen, prepared.rules):
            return Step(item, first.reversal, None, (blocked,), record, first.run_id)
        planned: list[Step] = []
        for one in several:
            reversal, unread = one.reversal, seen.tags is None
            expected = reversal.added if reversal.tags is None else reversal.tags
            known = replace(seen, tags=expected) if unread else seen
            step = Step(item, reversal, None, (), record, one.run_id, unread)
            found = reversed_now(step, known, prepared)
            step = replace(step, found=found, left=found.left)
            if found.plan.changes:
                return step
            planned.append(step)
        return next((step for step in planned if step.left), planned[0])


def taken_up(prepared: Prepared) -> dict[str, AssetRecord]:
    """Return what a look took up from Immich's records, or knew again by itself: no commit has it yet."""
    if prepared.taken is None or not (prepared.taken.adopted or prepared.taken.recognised):
        return {}
    return {item.asset_id: record for item, record in prepared.items.pairs() if record is not None}


def _is_to_be_read(step: Step | None, one: Candidate, record: AssetRecord | None) -> bool:
    """Return whether an asset has to be read to be planned: its tags matter, and no reading is to come."""
    if step is None:
        # Of everything, those in which nothing is ours need not be looked at.
        return one.reversal.former is None or (record is not None and owns_anything(record.applied))
    if step.found is None or not step.unread or not step.found.plan.changes:
        return False
    expected = one.reversal.tags is not None or one.reversal.former is not None
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
