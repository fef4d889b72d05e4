"""Carrying a person's words over to the asset that replaced theirs: noticed, decided, and brought to its end.

That an image links another asset is noticed by the pass that lets the former one go, before it does: the
former one is read while it is still there. Nothing is written for it before a person wants it. What they want
is a level, not an event: the next pass over the image carries it over, as part of its plan, and a pass that
is killed is gone on with.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from reconciler.core.carry_over import CarryOver, Kept
from reconciler.core.desired.block import split
from reconciler.core.fields import VALUE_FIELDS, with_values
from reconciler.core.plan.carried import albums_to_join, carry_over_plan, left_of, persons, remembered
from reconciler.core.plan.conflicts import CONFLICTS, decide
from reconciler.core.plan.plan import AssetPlan
from reconciler.core.plan.reversal import same_text
from reconciler.core.reasons import reason
from reconciler.core.records import AssetRecord, JournalEntry
from reconciler.engine.album_watch import known_albums
from reconciler.engine.batches import batches
from reconciler.engine.planner.selection import merge
from reconciler.engine.stack_watch import known_stacking
from reconciler.errors import (
    AssetIncompleteError,
    AssetUnknownError,
    DecisionError,
    ImmichError,
    ImmichRejectedError,
    MissingPermissionError,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from reconciler.core.asset import Applied, ObservedAsset
    from reconciler.core.belongings import Album, Belongings
    from reconciler.core.catalogue import CatalogueImage
    from reconciler.core.ports import Clock, Target
    from reconciler.core.reasons import Reason
    from reconciler.core.records import JournalField
    from reconciler.core.stacks import Stacking
    from reconciler.core.store_port import Store
    from reconciler.engine.item import Item
    from reconciler.engine.items import Pair
    from reconciler.engine.job import Job
    from reconciler.engine.passes import Prepared

_AT_ONCE: Final = 8
"""Replaced assets that are read at a time."""
_JOURNAL: Final = 1_000
"""Entries of one asset that are looked through for what a person had on it."""
_FOR_GOOD: Final = (MissingPermissionError, ImmichRejectedError)
"""Refusals that another attempt does not change."""
_OPEN: Final = frozenset({"offered", "wanted", "empty"})


class CarryingOver:
    """What a pass does about replaced assets."""

    def __init__(self, target: Target, store: Store, clock: Clock) -> None:
        self._target, self._store, self._clock = target, store, clock

    async def notice(self, prepared: Prepared) -> frozenset[str]:
        """Remember what people had on assets that the catalogue links no more, for the image links another.

        Returns:
            those that could not be read now, though they may be there: they are to count as linked for now.
        """
        unread: set[str] = set()
        if prepared.verdict.shrunk:
            return frozenset()
        stood = await asyncio.to_thread(known_stacking, self._store)
        for several in batches(sorted(prepared.left)):
            records = await asyncio.to_thread(self._store.records_of, several)
            replaced = [
                (record, image)
                for record in records.values()
                if (image := prepared.catalogue.image(record.image_id)) is not None
                and image.asset_id not in {None, record.asset_id}
                and _is_replaced(record, prepared.catalogue.as_linked(record.image_id), stood)
            ]
            for start in range(0, len(replaced), _AT_ONCE):
                part = replaced[start : start + _AT_ONCE]
                found = await asyncio.gather(*(self._of(*pair, prepared) for pair in part))
                unread |= {pair[0].asset_id for pair, one in zip(part, found, strict=True) if one is None}
                self._keep([one for one in found if one is not None])
        return frozenset(unread)

    async def _of(self, record: AssetRecord, image: CatalogueImage, prepared: Prepared) -> CarryOver | None:
        """Return what is offered from a replaced asset; ``None``: it could not be asked now."""
        markers = prepared.rules.markers
        offer = CarryOver(
            record.asset_id, image.asset_id or "", image.image_id, record.title, self._clock.now(), "asset"
        )
        try:
            seen = await self._target.asset(record.asset_id)
            there = await self._target.belongings(record.asset_id)
        except ImmichError as error:
            if not _is_for_good(error):
                return None
            # Deleted for good, in the locked folder, or never read by Immich itself.
            entries = await asyncio.to_thread(self._store.journal_of, None, record.asset_id, _JOURNAL)
            kept = remembered(entries, record.applied, markers)
            offer = replace(offer, source="memory", kept=kept, unknown=(reason("replaced_unread"),))
        else:
            kept = replace(
                persons(seen, record.applied, markers),
                favorite=there.favorite is True,
                albums=self._persons_albums(record, there),
            )
            unknown = [reason("favorite_unknown")] if there.favorite is None else []
            unknown += [reason("albums_unknown")] if there.albums is None else []
            offer = replace(offer, kept=kept, was_trashed=seen.is_trashed, unknown=tuple(unknown))
        return replace(offer, state="empty" if offer.kept.is_empty else "offered")

    def _persons_albums(self, record: AssetRecord, there: Belongings) -> tuple[Album, ...]:
        """Return the albums that the asset is in without having been put there from here."""
        own = known_albums(self._store)
        ours = {own[name].album_id for name in record.applied.albums if name in own}
        return tuple(one for one in there.albums or () if one.album_id not in ours)

    def _keep(self, offers: list[CarryOver]) -> None:
        """Keep offers; what was offered to a replaced asset itself goes on to the new one."""
        with self._store.transaction():
            known = self._store.carry_overs(
                [asset for one in offers for asset in (one.from_asset, one.to_asset)]
            )
            for one in offers:
                before = {known_one.from_asset: known_one for known_one in known.get(one.to_asset, ())}
                # What was decided once of these two assets stays so.
                new = [] if one.from_asset in before and before[one.from_asset].state not in _OPEN else [one]
                open_ones = [old for old in known.get(one.from_asset, ()) if old.state in _OPEN]
                passed_on = [
                    replace(old, to_asset=one.to_asset, state="empty" if old.state == "empty" else "offered")
                    for old in open_ones
                    if old.from_asset not in {one.to_asset, *before}
                ]
                self._store.save_carry_overs([*new, *passed_on], open_ones)

    async def finish(
        self, pairs: Sequence[Pair], jobs: Iterable[Job], prepared: Prepared, run_id: str
    ) -> None:
        """Bring what people want to its end, of images that were written and recorded just now."""
        by_id = {job.asset_id: job for job in jobs}
        for item, known in pairs:
            if known is not None and known.carrying and item.plan is not None and not item.plan.blocked:
                await self._finish(item, by_id.get(item.asset_id), known, prepared, run_id)

    async def _finish(
        self, item: Item, job: Job | None, known: AssetRecord, prepared: Prepared, run_id: str
    ) -> None:
        plan = item.plan
        if plan is None or (job is None and plan.changes):
            return  # it was not come to
        if job is not None and (job.write.state != "done" or job.write.status == "failed"):
            return  # the next pass goes on
        seen = job.write.observed if job is not None else plan.observed
        record = self._store.record(item.asset_id)
        if record is None or item.image is None:
            return
        rules = prepared.rules
        blank = AssetPlan(item.image_id, item.asset_id, item.title, seen, plan.desired, base=record.applied)
        left = list(left_of(carry_over_plan(blank, known.carrying, record.applied, rules)))
        if job is not None and job.write.failed is not None and left:
            left.append(job.write.failed)
        try:
            left += await self._beside(known, item, run_id)
        except ImmichError:
            return  # the next pass goes on
        self._settle(item, seen, record, prepared, run_id, tuple(left))

    async def _beside(self, known: AssetRecord, item: Item, run_id: str) -> list[Reason]:
        """Make it a favourite and put it in the albums, as far as it is not; gives what could not be done.

        Raises:
            ImmichError: it could not be asked, or it is not known what became of it.
        """
        kept = [one.kept for one in known.carrying]
        wanted = Kept(
            favorite=any(one.favorite for one in kept),
            albums=tuple(dict.fromkeys(album for one in kept for album in one.albums)),
        )
        if wanted.is_empty:
            return []
        there = await self._target.belongings(item.asset_id)
        left: list[Reason] = []
        if wanted.favorite and there.favorite is not True:
            try:
                self._journal(item, run_id, "favorite", before=there.favorite, after=True)
                await self._target.set_favorite(item.asset_id)
            except _FOR_GOOD as error:
                left.append(reason("favorite_not_written", text=error.message))
        if wanted.albums and there.albums is None:
            left.append(reason("albums_unknown"))
        left += [
            why
            for album in albums_to_join(wanted, there)
            if (why := await self._join(album, item, run_id)) is not None
        ]
        return left

    async def _join(self, album: Album, item: Item, run_id: str) -> Reason | None:
        try:
            self._journal(item, run_id, "memberships", before=None, after=[album.album_id, album.name])
            told = await self._target.put_into_album(album.album_id, [item.asset_id])
        except _FOR_GOOD as error:
            return reason("album_not_joined", name=album.name, text=error.message)
        refused = "".join(told.refused.values())
        return reason("album_not_joined", name=album.name, text=refused) if refused else None

    def _journal(
        self, item: Item, run_id: str, field: JournalField, *, before: object, after: object
    ) -> None:
        entry = JournalEntry(run_id, item.asset_id, item.image_id, field, before, after, self._clock.now())
        self._store.journal([entry])

    def _settle(
        self,
        item: Item,
        seen: ObservedAsset,
        record: AssetRecord,
        prepared: Prepared,
        run_id: str,
        left: tuple[Reason, ...],
    ) -> None:
        """Note that it was carried over, and that it stands against the catalogue's from now on."""
        now, rules = self._clock.now(), prepared.rules
        wanted = record.carrying
        disowned = replace(record, applied=_without_carried(record, seen, prepared), carrying=()).to_look_at()
        with self._store.transaction():
            self._store.save_records([disowned])
            self._store.save_carry_overs(
                replace(one, state="carried", run_id=run_id, left=left) for one in wanted
            )
            if item.plan is None:
                return
            touched = {"prose"} if any(one.kept.prose for one in wanted) else set[str]()
            touched |= {one.name for one in VALUE_FIELDS if any(one.of(each.kept) for each in wanted)}
            after = merge(item, item.plan.desired, seen, disowned, rules, force=False)
            for decision in after.decisions:
                if decision.field in touched and decision.case in CONFLICTS:
                    kept = decide(after, decision, "immich", rules.markers, now)
                    self._store.save_resolution(item.asset_id, kept)


def _is_replaced(record: AssetRecord, image: CatalogueImage | None, stood: Stacking) -> bool:
    """Return whether Skymmich links another picture by now; that a stack changed makes it no other."""
    if image is None or record.asset_id in stood.beside:
        return False
    return image.asset_id != stood.linked_of(record.asset_id)


def _is_for_good(error: ImmichError) -> bool:
    """Return whether asking for an asset once more will give nothing else."""
    # A refusal that is not about the asset, as a 404 of a proxy, never means that it is gone.
    return isinstance(error, AssetUnknownError) or (
        isinstance(error, AssetIncompleteError) and error.unextracted
    )


def _without_carried(record: AssetRecord, seen: ObservedAsset, prepared: Prepared) -> Applied:
    """Return what is ours after it: what a person's words joined, or took the place of, is theirs."""
    applied = record.applied
    prose = split(seen.description, prepared.rules.markers, applied.block).prose
    if applied.prose is not None and not same_text(prose, applied.prose):
        applied = replace(applied, prose=None)
    gone = {
        one.name: None
        for one in VALUE_FIELDS
        if one.of(applied) is not None and not one.same(one.of(seen), one.of(applied))
    }
    return with_values(applied, gone) if gone else applied


def want_carried_over(
    store: Store, image: CatalogueImage, by: str, at: datetime, *, again: bool = True
) -> tuple[CarryOver, ...]:
    """Keep that a person wants what is offered to an image's asset; the next pass over it carries it over.

    Args:
        store: the state store.
        image: linked to an asset.
        by: over which face, or the user's name.
        at: the time.
        again: also what was dismissed before.

    Returns:
        what is wanted now.

    Raises:
        DecisionError: nothing is offered to it. Nothing was changed.
    """
    asset_id = image.asset_id or ""
    states = {"offered", "wanted", "dismissed"} if again else {"offered", "wanted"}
    offers = [one for one in store.carry_overs([asset_id]).get(asset_id, ()) if one.state in states]
    if not offers:
        raise DecisionError(
            f"Nothing is offered to “{image.title}” (image {image.image_id}) from an asset that it replaced.",
            remedy="What was: skymmich-reconciler carry-over",
        )
    wanted = tuple(replace(one, state="wanted", by=by, decided_at=at) for one in offers)
    with store.transaction():
        record = store.record(asset_id) or AssetRecord(asset_id, image.image_id, image.title)
        store.save_records([record.to_look_at()])
        store.save_carry_overs(wanted)
    return wanted


def dismiss_carry_over(store: Store, image: CatalogueImage, by: str, at: datetime) -> tuple[CarryOver, ...]:
    """Keep that a person does not want what is offered to an image's asset; gives what was offered.

    Raises:
        DecisionError: nothing is. Nothing was changed.
    """
    asset_id = image.asset_id or ""
    with store.transaction():
        known = store.carry_overs([asset_id]).get(asset_id, ())
        offers = [one for one in known if one.state in {"offered", "wanted"}]
        if not offers:
            raise DecisionError(f"Nothing is offered to “{image.title}” (image {image.image_id}) now.")
        gone = tuple(replace(one, state="dismissed", by=by, decided_at=at) for one in offers)
        store.save_carry_overs(gone)
    return gone


def took_back(store: Store, asset_ids: Iterable[str], run_id: str, at: datetime) -> None:
    """Note that an undo took back what was carried over: it is offered no more, and not wanted."""
    ids = list(asset_ids)
    over = [
        replace(one, state="dismissed", by="undo", decided_at=at)
        for several in store.carry_overs(ids).values()
        for one in several
        if one.state == "wanted" or (one.state == "carried" and one.run_id == run_id)
    ]
    store.save_carry_overs(over)
