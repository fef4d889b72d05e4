"""Who writes to this library: this store, an older or a lost one of ours, or another instance.

Each asset's record in Immich names its writer. The records of two, the sentinels, are written with all
others, and every few hours besides: they tell a store that is older than Immich, or new, that there is more
to be known, and another instance that this one lives. They are asked for at the first pass of a process that
finds anything, before a pass writes, and where another instance was met; an ordinary look asks for none.

======================= =========================== ==================================================
the sentinel names      and                         what follows
======================= =========================== ==================================================
nobody                                              as the store says; a new one looks for traces
this instance           no higher number            all is well
this instance           a higher number             the store is an older copy: all records are read
another one             from this very place        ours, whose store was lost: all records are read
another one             it was written lately       this one stands back
another one             it was written long ago     it is gone: all records are read, and it is ours
======================= =========================== ==================================================
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final, get_args

from reconciler.core.asset import Applied
from reconciler.core.asset_ids import smallest
from reconciler.core.ownership import Owner, OwnershipRecord
from reconciler.core.store_keys import CATCHING_UP, OWNER, OWNER_WISHES, OwnerForm
from reconciler.engine.another import newest_of
from reconciler.engine.batches import batches
from reconciler.engine.events import Event
from reconciler.engine.identity import is_there
from reconciler.engine.standpoint import Another, Former, Mode, Standpoint, Wish
from reconciler.errors import (
    AssetUnknownError,
    ImmichError,
    MissingPermissionError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from reconciler.core.ports import Clock, ServerFacts, Target
    from reconciler.core.records import AssetRecord
    from reconciler.core.store_port import Store
    from reconciler.engine.events import Listener
    from reconciler.engine.standpoint import Taken

HEARTBEAT: Final = 6 * 3600.0
"""Seconds after which the sentinels are written although nothing changed."""
ALIVE: Final = timedelta(seconds=2 * HEARTBEAT + 3600)
"""An instance that wrote its sentinels within this time lives."""
_SENTINELS: Final = 2
_AHEAD: Final = 1_000_000
"""So far ahead of a store a newer copy of it may be, where it cannot be asked how far."""
_ASKED: Final = 8
"""Assets of which a new store looks for the first that are there: another one's sentinels are among them."""
_SHARED_AT_ONCE: Final = 500
_READ_AT_ONCE: Final = 100
"""Of those, how many are read from the store in one visit."""
_FRESH: Final = 60.0
"""Seconds for which the sentinels need not be asked for again before something is written."""
_ALL: Final = 1_000_000_000


@dataclass(slots=True)
class Memory:
    """What the cycles over one store know together."""

    drawn: str = field(default_factory=lambda: secrets.token_hex(8))
    """The name of a store that has none yet."""
    standpoint: Standpoint | None = None
    at: float = float("-inf")
    """When the sentinels were last asked for."""
    beat: float | None = None
    """When they were last written, as far as it is known; else when this process began."""
    denied: bool = False
    """Whether the key may not write records; it was told once."""


class Ownership:
    """This store's standing, and its records in Immich.

    Args:
        target: Immich.
        store: this one.
        clock: time.
        listen: takes what is to be told.
        memory: shared by the cycles over this store.
    """

    def __init__(self, target: Target, store: Store, clock: Clock, listen: Listener, memory: Memory) -> None:
        self._target, self._store, self._clock = target, store, clock
        self._listen, self._memory = listen, memory
        if memory.beat is None:
            memory.beat = clock.monotonic()

    # -- standing ---------------------------------------------------------------------------------------

    async def look(
        self, server: ServerFacts, linked: Callable[[], Collection[str]], *, anew: bool = False
    ) -> Standpoint:
        """Return where this store stands; asks Immich only where the store itself leaves that open.

        Args:
            server: what is known of it.
            linked: gives the assets that the catalogue links.
            anew: something is to be written, or said: ask, unless that was just done.
        """
        kept = replace(self._kept(), wishes=wishes_of(self._store), notes=server.notes)
        age = self._clock.monotonic() - self._memory.at
        known = self._memory.standpoint
        if known is None:
            if not anew and kept.floor is None and self._is_at_rest(kept):
                return kept
        elif self._still_holds(known, kept) and not (anew and age > _FRESH):
            return known
        found = kept
        if server.notes:
            found = await self._asked(kept, linked)
            self._memory.at = self._clock.monotonic()
        self._memory.standpoint = found
        return found

    @property
    def has_asked(self) -> bool:
        """Whether Immich was asked since this process began, or the store was put there."""
        return self._memory.standpoint is not None

    def _is_at_rest(self, kept: Standpoint) -> bool:
        """Return whether nothing in the store asks for a look at Immich's records."""
        return not kept.wishes and not CATCHING_UP.is_kept(self._store)

    def _still_holds(self, known: Standpoint, kept: Standpoint) -> bool:
        """Return whether what was found is of the store as it is, and nothing asks for another look."""
        return (
            known.another is None
            and (known.owner.instance, known.owner.generation) == (kept.owner.instance, kept.owner.generation)
            and (known.floor, known.notes) == (kept.floor, kept.notes)
            and self._is_at_rest(kept)
        )

    async def meets(self, known: OwnershipRecord) -> Another | None:
        """Return the writer of a record where that is another instance, and lives."""
        own = self._kept().owner
        if known.owner.instance == own.instance or known.owner.home == own.home:
            return None
        for asset_id in known.owner.sentinels:
            try:
                note = await self._target.note_of(asset_id)
            except AssetUnknownError:
                continue
            record = OwnershipRecord.from_json(note.value, asset_id) if note else None
            if note is not None and record is not None and record.owner.instance == known.owner.instance:
                found = await newest_of(self._target, record, note.updated_at, _SENTINELS)
                return await self._alive(*found)
        return None

    @property
    def goes_on(self) -> bool:
        """Whether an earlier pass or undo began to take up what the records tell, and did not go through."""
        form = OWNER.read(self._store)
        return form is not None and form["floor"] is not None

    def begun(self) -> frozenset[str]:
        """Return the assets of which the store knows better than their records: that one stored them."""
        return frozenset(self._store.unshared(_ALL)) if self.goes_on else frozenset()

    def begin(self, taken: Taken) -> None:
        """Be who the standpoint says, from here on; within the commit that begins a pass or an undo."""
        standpoint = taken.standpoint
        before = OWNER.read(self._store)
        if before != (form := _form(standpoint)):
            OWNER.write(self._store, form)
        if standpoint.mode == "all" and (before is None or before["floor"] is None):
            # What an older copy had still to write was written since; what is taken up comes in anew.
            self._store.shared(self._store.unshared(_ALL))
        self._store.clear_pending(taken.outlived)
        if standpoint.wishes:
            OWNER_WISHES.forget(self._store)

    def settle(self, standpoint: Standpoint) -> None:
        """Take note that all records were taken up; they are written anew where they name another writer."""
        with self._store.transaction():
            now = replace(self._kept(), floor=None, mode="known")
            OWNER.write(self._store, _form(now))
            if standpoint.mode == "all":
                self._store.share_all()
            if CATCHING_UP.is_kept(self._store):
                CATCHING_UP.forget(self._store)
        self._memory.standpoint = replace(now, notes=standpoint.notes)

    # -- the records ------------------------------------------------------------------------------------

    async def read(self, asset_ids: Iterable[str]) -> tuple[dict[str, OwnershipRecord], int]:
        """Read the records of assets, a request each; gives them, and how many could not be understood."""
        found: dict[str, OwnershipRecord] = {}
        odd = 0
        waiting = list(asset_ids)

        async def some() -> None:
            nonlocal odd
            while waiting:
                asset_id = waiting.pop()
                try:
                    note = await self._target.note_of(asset_id)
                except AssetUnknownError:
                    continue
                if note is None:
                    continue
                if (record := OwnershipRecord.from_json(note.value, asset_id)) is None:
                    odd += 1
                else:
                    found[asset_id] = record

        await asyncio.gather(*(some() for _ in range(min(8, len(waiting)))))
        return found, odd

    async def share(self, server: ServerFacts, *, least: int = 1) -> None:
        """Write the records of what changed, hundreds a request; if nothing did, now and then the sentinels'.

        What cannot be written waits: it is noted in the store, and no pass fails for it.

        Args:
            server: what is known of it.
            least: write none before so many wait.
        """
        if not server.notes or self._memory.denied or OWNER.read(self._store) is None:
            return
        try:
            await self._share(least)
        except MissingPermissionError as error:
            self._memory.denied = True
            self._listen(Event("ownership.denied", "info", details={"error": error.message}))
        except ImmichError as error:
            self._listen(Event("ownership.waits", "info", details={"error": error.message}))

    async def _share(self, least: int) -> None:
        beat = self._clock.monotonic() - (self._memory.beat or 0.0) > HEARTBEAT
        while True:
            ids = await asyncio.to_thread(self._store.unshared, max(least, _SHARED_AT_ONCE))
            if len(ids) < least and not (beat and least == 1):
                return
            kept = self._kept()
            if (found := await self._asked(kept, tuple)) != kept:
                # Another one took over, or this store was put back: the next pass asks, and says so.
                self._memory.standpoint = found
                return
            beat, self._memory.at = False, self._clock.monotonic()
            await self._write(kept, ids)

    async def _write(self, kept: Standpoint, ids: list[str]) -> None:
        owner = kept.owner
        records: dict[str, AssetRecord] = {}
        wanted = [*ids, *owner.sentinels]
        for several in batches(wanted, _READ_AT_ONCE):
            records |= await asyncio.to_thread(self._store.records_of, several)
        records = {asset_id: record for asset_id, record in records.items() if _is_told(record)}
        sentinels = tuple(one for one in owner.sentinels if one in records)
        if len(sentinels) < _SENTINELS:
            there = await asyncio.to_thread(lambda: self._store.there_ids() & self._store.linked_ids())
            more = smallest(there | records.keys(), _SENTINELS, without=sentinels)
            sentinels = (*sentinels, *more)[:_SENTINELS]
            records |= await asyncio.to_thread(self._store.records_of, sentinels)
        if not records:  # this library shows nothing of ours
            self._store.shared(ids)
            return
        # Before it is sent: Immich never has a higher number than the store, however this ends.
        owner = replace(owner, generation=owner.generation + 1, sentinels=sentinels)
        OWNER.write(self._store, _form(replace(kept, owner=owner)))
        refused = await self._target.write_notes(self._notes(records.values(), owner))
        self._store.shared(ids)
        self._memory.beat = self._clock.monotonic()
        if lost := refused.intersection(sentinels):
            owner = replace(owner, sentinels=tuple(one for one in sentinels if one not in lost))
            OWNER.write(self._store, _form(replace(kept, owner=owner)))
        if (known := self._memory.standpoint) is not None:
            self._memory.standpoint = replace(known, owner=owner)

    def _notes(self, records: Iterable[AssetRecord], owner: Owner) -> dict[str, dict[str, object]]:
        now = self._clock.now()
        return {one.asset_id: OwnershipRecord.of(one, owner, now).to_json() for one in records}

    # -- who is who -------------------------------------------------------------------------------------

    def _kept(self) -> Standpoint:
        """Return where the store stands by itself."""
        form, home = OWNER.read(self._store), self._store.home()
        if form is None:
            owner = Owner(self._memory.drawn, self._clock.now(), home, host=self._store.host())
            return Standpoint(owner, 0, "traces")
        since = datetime.fromisoformat(form["since"])
        sentinels = tuple(form["sentinels"])
        owner = Owner(form["instance"], since, home, form["generation"], sentinels, self._store.host())
        former = Former(*form["former"]) if form["former"] else None
        mode: Mode = "known" if form["floor"] is None else "traces" if former is None else "all"
        return Standpoint(owner, form["floor"], mode, former)

    async def _asked(self, point: Standpoint, linked: Callable[[], Collection[str]]) -> Standpoint:
        """Ask the sentinels, the first that has a record; a new store asks where another's would be."""
        there = 0
        for asset_id in point.owner.sentinels or smallest(linked(), _ASKED):
            try:
                note = await self._target.note_of(asset_id)
            except AssetUnknownError:
                continue
            if note is not None and (record := OwnershipRecord.from_json(note.value, asset_id)) is not None:
                return await self._judged(point, record, note.updated_at)
            if (there := there + 1) == _SENTINELS:
                break
        # Whether this is an older copy of its store nobody tells: neither sentinel is there to be asked.
        mute = bool(point.owner.sentinels) and there == 0
        if mute:  # others are chosen with the next record that is written
            point = replace(point, owner=replace(point.owner, sentinels=()))
        if point.floor is None and (mute or CATCHING_UP.is_kept(self._store)):
            return _rereading(point, Former(point.owner.instance, point.owner.generation + _AHEAD))
        return point

    async def _judged(
        self, point: Standpoint, record: OwnershipRecord, seen_at: datetime | None
    ) -> Standpoint:
        own = point.owner
        if record.owner.instance != own.instance:
            record, seen_at = await newest_of(self._target, record, seen_at, _SENTINELS)
        found = Former(record.owner.instance, record.owner.generation)
        if found.instance == own.instance:
            age = max(0.0, (self._clock.now() - record.written_at).total_seconds())
            self._memory.beat = self._clock.monotonic() - age
            restored = CATCHING_UP.is_kept(self._store) and point.floor is None
            return _rereading(point, found) if found.generation > own.generation or restored else point
        known = point.former is not None and point.former.instance == found.instance
        if known and point.former is not None and found.generation <= point.former.generation:
            return point
        others = record.owner.home != own.home and "take_over" not in point.wishes
        if others and (another := await self._alive(record, seen_at)) is not None:
            return replace(point, another=another)
        return _rereading(replace(point, owner=replace(own, since=self._clock.now())), found)

    async def _alive(self, record: OwnershipRecord, seen_at: datetime | None) -> Another | None:
        """Tell whether a sentinel was written lately, by Immich's clock alone; unknown counts as lately."""
        now = await self._target.server_time()
        if seen_at is not None and now - seen_at > ALIVE:
            return None
        found = record.owner
        return Another(found.instance, found.since, seen_at or record.written_at, found.host)


def wishes_of(store: Store) -> frozenset[Wish]:
    """Return what a person left for the next pass."""
    left = OWNER_WISHES.read(store) or ()
    return frozenset(wish for wish in get_args(Wish) if wish in left)


def leave_wishes(store: Store, wishes: Iterable[Wish]) -> None:
    """Leave what a person wants for the next pass, with what was left before."""
    OWNER_WISHES.write(store, sorted(wishes_of(store) | set(wishes)))


def _rereading(point: Standpoint, found: Former) -> Standpoint:
    """Return the standpoint of a store that has to read all records, and goes on from the highest number."""
    own = point.owner
    floor = own.generation if point.floor is None else point.floor
    own = replace(own, generation=max(own.generation, found.generation))
    return replace(point, owner=own, floor=floor, mode="all", former=found)


def _is_told(record: AssetRecord) -> bool:
    """Return whether an asset's record is written: it is there, or was just taken up from Immich's record."""
    return is_there(record) or (record.status == "new" and record.applied != Applied())


def _form(standpoint: Standpoint) -> OwnerForm:
    owner, former = standpoint.owner, standpoint.former
    return OwnerForm(
        instance=owner.instance,
        since=owner.since.isoformat(),
        generation=owner.generation,
        sentinels=list(owner.sentinels),
        floor=standpoint.floor,
        former=(former.instance, former.generation) if former else None,
    )
