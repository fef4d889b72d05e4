"""Puts assets into albums and takes them out, after a pass's other writes: many assets a call.

No date moves and no file is written, so nothing settles: the answer says of each asset what became of it.
What is about to be put in is noted before it is sent: whoever is killed in between finds it noted, and does
not take it for a person's. An answer that is lost is looked up in the album.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reconciler.core.albums import DESCRIPTION, OwnAlbum, changed_members
from reconciler.core.reasons import of_error, reason
from reconciler.core.records import JournalEntry
from reconciler.core.store_keys import ALBUM_INTENTS
from reconciler.core.writes.albums import with_albums
from reconciler.engine.album_watch import keep_albums, known_albums, settle, with_own
from reconciler.engine.batches import batches
from reconciler.errors import (
    ImmichError,
    ImmichRejectedError,
    ImmichTemporaryError,
    MissingPermissionError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from reconciler.core.albums import Albums, SeenAlbum
    from reconciler.core.policy import AlbumPolicy
    from reconciler.core.ports import AlbumOutcome, Clock, Target
    from reconciler.core.reasons import Reason
    from reconciler.core.store_port import Store
    from reconciler.engine.album_watch import AlbumMemory
    from reconciler.engine.job import Job

_TRIES: Final = 3
_PAUSE: Final = 2.0
"""Seconds before a call is tried again, and each time as many more."""
_AT_ONCE: Final = 1_000
"""Assets of which is noted, in one commit, what is about to be done."""
NOT_REACHED: Final = reason("not_reached")


@dataclass(slots=True)
class _Result:
    """What became of one asset."""

    come: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    why: Reason | None = None


class AlbumWriter:
    """One run's writing of albums.

    Args:
        target: Immich.
        store: where it is noted.
        clock: time.
        memory: of what is in the albums.
        albums: as they were seen before the run.
        policy: the user's choice.
        run_id: of the run.
    """

    def __init__(
        self,
        target: Target,
        store: Store,
        clock: Clock,
        memory: AlbumMemory,
        albums: Albums,
        policy: AlbumPolicy,
        run_id: str,
    ) -> None:
        self._target, self._store, self._clock, self._memory = target, store, clock, memory
        self._policy, self._run_id = policy, run_id
        self.albums = albums
        """As they are by now."""
        self.made: list[str] = []
        self.deleted: list[str] = []
        self._emptied: set[str] = set()
        self._newest: dict[str, tuple[int, str]] = {}
        """Of the assets that were put in: the newest image's."""
        self._doubtful = False
        self._written = False

    async def write(
        self, jobs: Sequence[Job], intended: Callable[[Sequence[Job]], None], stop: Callable[[], bool]
    ) -> None:
        """Carry out what the jobs' plans say of albums; each job learns what became of it."""
        chosen = [job for job in jobs if job.write.plan.changes_albums and not _is_refused(job)]
        for several in batches(chosen, _AT_ONCE):
            if stop():
                leave(several)
                continue
            await self._write(self._not_left_out(several), intended)

    def _not_left_out(self, jobs: Sequence[Job]) -> list[Job]:
        """Heed what people left out since the pass began."""
        out = self._store.left_out_of([job.asset_id for job in jobs])
        # An undo is a person's wish, too.
        left = [
            job
            for job in jobs
            if not job.write.plan.gives_back
            and any(one.field == "albums" for one in out.get(job.asset_id, ()))
        ]
        leave(left)  # the next pass finds it left out, and says so
        ids = {job.asset_id for job in left}
        return [job for job in jobs if job.asset_id not in ids]

    async def _write(self, jobs: Sequence[Job], intended: Callable[[Sequence[Job]], None]) -> None:
        results = {job.asset_id: _Result() for job in jobs}
        self._note(jobs, intended)
        coming, going = _by_name(jobs, adding=True), _by_name(jobs, adding=False)
        denied: dict[bool, Reason] = {}
        for adding, by_name in ((True, coming), (False, going)):
            for name, ids in sorted(by_name.items()):
                why = denied.get(adding)
                if why is None:
                    try:
                        await self._change(name, ids, results, adding=adding)
                        continue
                    except ImmichError as error:
                        why = of_error(error, remedy=isinstance(error, MissingPermissionError))
                        if not isinstance(error, ImmichRejectedError):
                            denied[adding] = why
                for asset_id in ids:
                    results[asset_id].why = why
        for job in jobs:
            found = results[job.asset_id]
            come, gone = frozenset(found.come), frozenset(found.gone)
            job.write = with_albums(job.write, come=come, gone=gone, why=found.why)
            for name in come:
                self._newest[name] = max(self._newest.get(name, (0, "")), (job.item.image_id, job.asset_id))

    def _note(self, jobs: Sequence[Job], intended: Callable[[Sequence[Job]], None]) -> None:
        """Note in one commit what is about to be done, for the journal and for whoever is killed."""
        now, entries = self._clock.now(), list[JournalEntry]()
        intents = {name: set(ids) for name, ids in (ALBUM_INTENTS.read(self._store) or {}).items()}
        for job in jobs:
            plan = job.write.plan
            names = plan.desired.albums | plan.base.albums | plan.add_albums | plan.remove_albums
            live = self.albums.of(job.asset_id, names, plan.base.albums)
            after = (live | plan.add_albums) - plan.remove_albums
            ours = tuple(sorted(plan.base.albums & live))
            entries.append(
                JournalEntry(
                    self._run_id, job.asset_id, plan.image_id, "albums", sorted(live), sorted(after), now,
                    ours=ours,
                )
            )  # fmt: skip
            for name in plan.add_albums:
                intents.setdefault(name, set()).add(job.asset_id)
        with self._store.transaction():
            self._store.journal(entries)
            intended([job for job in jobs if job.write.plan.remove_albums])
            self._keep_intents(intents)

    def _keep_intents(self, intents: Mapping[str, Collection[str]]) -> None:
        ALBUM_INTENTS.write(self._store, {name: sorted(ids) for name, ids in intents.items() if ids})

    async def _change(
        self, name: str, asset_ids: Sequence[str], results: Mapping[str, _Result], *, adding: bool
    ) -> None:
        """Put assets into one album, or take them out of it.

        Raises:
            ImmichError: it could not be done of all.
        """
        album_id = await self._id_of(name) if adding else self.albums.own[name].album_id
        call = self._target.put_into_album if adding else self._target.take_out_of_album
        waiting = list(asset_ids)
        for attempt in range(1, _TRIES + 1):
            try:
                outcome = await call(album_id, waiting)
            except ImmichTemporaryError:
                if attempt == _TRIES:
                    self._doubtful = True
                    raise
                await self._clock.sleep(_PAUSE * attempt)
                waiting = await self._look_up(name, waiting, results, adding=adding)
                if not waiting:
                    return
            else:
                self._take(name, outcome, results, adding=adding)
                return

    async def _look_up(
        self, name: str, asset_ids: Sequence[str], results: Mapping[str, _Result], *, adding: bool
    ) -> list[str]:
        """Look what of a call that was lost was carried out; gives what was not."""
        seen = await self._target.album(self.albums.own[name].album_id)
        if seen is None:
            return list(asset_ids)
        inside, whole = await self._target.album_assets(seen)
        done = inside.intersection(asset_ids) if adding else frozenset(asset_ids) - inside
        if not adding and not whole:  # one that is not listed may be in it all the same
            done = frozenset()
        self._done(name, done, results, adding=adding)
        return [asset_id for asset_id in asset_ids if asset_id not in done]

    def _take(
        self, name: str, outcome: AlbumOutcome, results: Mapping[str, _Result], *, adding: bool
    ) -> None:
        self._done(name, outcome.done, results, adding=adding)
        if adding:
            self._forget_intents(name, outcome.unchanged | outcome.refused.keys())
            self.albums = changed_members(self.albums, name, outcome.unchanged, frozenset())
        else:
            self._done(name, outcome.unchanged, results, adding=False)
        for asset_id, word in outcome.refused.items():
            error = ImmichRejectedError(
                f"Immich does not take asset {asset_id} for the album “{name}”: {word}."
            )
            results[asset_id].why = of_error(error, remedy=False)

    def _done(self, name: str, ids: frozenset[str], results: Mapping[str, _Result], *, adding: bool) -> None:
        none: frozenset[str] = frozenset()
        self._written = self._written or bool(ids)
        self.albums = changed_members(self.albums, name, ids if adding else none, none if adding else ids)
        if not adding and ids and not self.albums.members[name]:
            self._emptied.add(name)
        for asset_id in ids:
            (results[asset_id].come if adding else results[asset_id].gone).add(name)

    def _forget_intents(self, name: str, ids: Collection[str]) -> None:
        """Forget those who were in it before: they are a person's, whoever is killed now."""
        if ids:
            intents = {one: set(several) for one, several in (ALBUM_INTENTS.read(self._store) or {}).items()}
            intents.setdefault(name, set()).difference_update(ids)
            self._keep_intents(intents)

    async def _id_of(self, name: str) -> str:
        """Return an album's id; made where there is none."""
        known = self.albums.own.get(name)
        if known is not None:
            return known.album_id
        seen = await self._create(name)
        self.albums = with_own(self.albums, name, OwnAlbum(seen.album_id), seen)
        keep_albums(self._store, {**known_albums(self._store), **self.albums.own})
        self.made.append(name)
        return seen.album_id

    async def _create(self, name: str) -> SeenAlbum:
        for attempt in range(1, _TRIES + 1):
            try:
                return await self._target.create_album(name, DESCRIPTION)
            except ImmichTemporaryError:
                if attempt == _TRIES:
                    raise
                await self._clock.sleep(_PAUSE * attempt)
                # It may have been made: one with this name and our line in it is the one.
                for one in await self._target.albums():
                    if one.is_own and one.is_marked and one.name == name:
                        return one
        raise AssertionError  # pragma: no cover - the last attempt raises

    async def finish(self, *, everything: bool = False) -> None:
        """Choose covers, delete what is empty and untouched, and remember how the albums are.

        Args:
            everything: all that were made here and are empty go, whoever emptied them.

        Raises:
            ImmichError: Immich could not be asked; nothing depends on it.
        """
        if not self._doubtful:
            ALBUM_INTENTS.forget(self._store)
        if not (self._written or everything):
            return
        if self._policy.cover:
            await self._choose_covers()
        seen = list(await self._target.albums())
        settle(self._memory, self.albums, seen)
        by_id = {one.album_id: one for one in seen}
        own = dict(self.albums.own)
        names = own.keys() if everything else self._emptied & own.keys()
        for name in sorted(names):
            there = by_id.get(own[name].album_id)
            if there is None:
                if everything:
                    del own[name]
            elif own[name].made and await self._delete(name, there):
                self.deleted.append(name)
                del own[name]
        keep_albums(self._store, own)

    async def _delete(self, name: str, seen: SeenAlbum) -> bool:
        """Delete an album that is as it was made and has nothing in it, not even from the trash."""
        if seen.count or not seen.is_untouched(name):
            return False
        inside, _ = await self._target.album_assets(seen, trashed=True)
        now = await self._target.album(seen.album_id)
        if inside or now is None or now.state != seen.state or not now.is_untouched(name):
            return False
        try:
            await self._target.delete_album(seen.album_id)
        except MissingPermissionError:  # the key need not: it stays, empty
            return False
        self._memory.contents.pop(seen.album_id, None)
        return True

    async def _choose_covers(self) -> None:
        """Make the newest image the cover, where nobody chose another."""
        for name, (_, asset_id) in sorted(self._newest.items()):
            one, seen = self.albums.own[name], self.albums.seen.get(name)
            fresh = seen is None or name in self.made
            if not one.made or not (fresh or (seen is not None and seen.cover == one.cover)):
                continue
            await self._target.set_cover(one.album_id, asset_id)
            self.albums = with_own(self.albums, name, OwnAlbum(one.album_id, cover=asset_id))


def leave(jobs: Iterable[Job]) -> None:
    """Leave the jobs' albums to the next pass."""
    for job in jobs:
        if job.write.plan.changes_albums:
            job.write = with_albums(job.write, why=NOT_REACHED, status="new")


def _is_refused(job: Job) -> bool:
    """Return whether Immich does not let us write to the asset at all."""
    return job.write.status in {"unknown_asset", "not_writable"}


def _by_name(jobs: Iterable[Job], *, adding: bool) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for job in jobs:
        plan = job.write.plan
        for name in plan.add_albums if adding else plan.remove_albums:
            found.setdefault(name, []).append(job.asset_id)
    return found
