"""The state machine: what a write does at once, what the queues do to it later, and what gets lost.

As in Immich: a write changes the exif row and *locks* the fields it touched; the sidecar job writes the
locked fields into the XMP file and unlocks them; the extraction then overwrites every field that is not
locked with what it reads back from the file, and only then moves ``updatedAt``. Whatever loses its lock
before it reached the file is gone for good.

Time comes in as ``now`` (seconds); nothing here runs by itself. HTTP is not known here.
"""

from __future__ import annotations

import random
from bisect import bisect_left, insort
from datetime import datetime
from typing import TYPE_CHECKING

from reconciler.simulator.server import roundtrip
from reconciler.simulator.server.albums import AlbumStore
from reconciler.simulator.server.costs import extraction_work
from reconciler.simulator.server.fault_book import VICTIMS, Book
from reconciler.simulator.server.model import ACTORS, FIELDS, Exif
from reconciler.simulator.server.problems import V3
from reconciler.simulator.server.queues import Job, Queues
from reconciler.simulator.server.stacks import StackStore
from reconciler.simulator.server.tags import TagStore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from reconciler.simulator.server.model import Actor, Asset, FieldName, Tag
    from reconciler.simulator.server.unkindness import Settings

USER_ID = "5f0e6b8e-3a3c-4d9f-9a53-0c1f6c7a1d10"
"""The API key's owner."""
PARTNER_ID = "b1f9c0de-77aa-4c52-8d0e-2f9a6e5d4c3b"
STRANGER_ID = "c4d5e6f7-1a2b-4c3d-9e8f-a0b1c2d3e4f5"


class State:
    """One simulated server's data."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.book = Book()
        self.queues = Queues(settings)
        self.tags = TagStore(settings.seed)
        self.albums = AlbumStore(settings.seed)
        self.stacks = StackStore(settings.seed)
        self.assets: dict[str, Asset] = {}
        self.now = 0.0
        self.paging = random.Random(f"paging:{settings.seed}")  # noqa: S311 - a simulation
        self._changes: list[tuple[int, str]] = []
        self._by_date: list[Asset] | None = None

    def shown(self, asset_id: str) -> Asset | None:
        """Return an asset by its id as text; ``None``: there is none for this key."""
        return None if self.settings.another_user else self.assets.get(asset_id)

    # -- time -------------------------------------------------------------------------------------------

    def advance(self, now: float) -> None:
        """Let everything happen that is due."""
        for when, job in self.queues.due(now):
            self.now = max(self.now, when)
            if job.stage == "sidecar":
                self._save_sidecar(job)
            elif job.stage == "extraction":
                self._extract(job)
            elif job.stage == "final":
                self._read_back(job)
            else:
                self._forget(job.asset)
        self.now = max(self.now, now)

    @property
    def milliseconds(self) -> int:
        """Now, as the database writes it."""
        return int((self.now + self.settings.clock_ahead) * 1000)

    # -- listing ----------------------------------------------------------------------------------------

    def add(self, asset: Asset) -> None:
        """Take an asset in."""
        self.assets[asset.asset_id] = asset
        self._by_date = None
        insort(self._changes, (asset.updated, asset.asset_id))

    def newest_first(self) -> list[Asset]:
        """List all assets by ``fileCreatedAt``, newest first; ids break ties."""
        if self._by_date is None:
            self._by_date = sorted(self.assets.values(), key=lambda a: (-a.created, a.asset_id))
        return self._by_date

    def changed_since(self, since: int) -> Iterator[Asset]:
        """List assets with ``updatedAt`` at or after a time, without looking at the others."""
        for updated, asset_id in self._changes[bisect_left(self._changes, (since, "")) :]:
            asset = self.assets.get(asset_id)
            if asset is not None and asset.updated == updated:
                yield asset

    # -- writing ----------------------------------------------------------------------------------------

    def write(self, asset: Asset, values: Exif, fields: Iterable[FieldName], actor: Actor) -> None:
        """Change fields of the exif row, and queue what has to follow. No fields: only the jobs."""
        before = Exif(*(getattr(asset.exif, name) for name in FIELDS))
        was_locked = dict(asset.locked)
        touched = set(fields)
        for name in touched:
            setattr(asset.exif, name, getattr(values, name))
        if "taken" in touched:  # the moment is shown at once, the local time once the file was read
            asset.time_zone = roundtrip.zone_name(roundtrip.zone_of(values.taken, None) or 0)
        asset.mixed |= {name for name in touched if was_locked.get(name, actor) != actor}
        asset.locked |= dict.fromkeys(touched, actor)
        asset.row = None
        if asset.jobs:
            self._collide(asset, touched, was_locked, before, actor)
        asset.jobs += 1
        asset.writes += 1
        if actor == "client":
            asset.client_jobs += 1
        self.queues.put(Job(asset, "sidecar", actor, asset.writes), self.now)

    def write_tags(self, asset: Asset, add: Iterable[Tag], remove: Iterable[Tag], actor: Actor) -> None:
        """Link and unlink tags, and queue what has to follow."""
        if asset.exif.tags is None:
            asset.exif.tags = self.tags.values(asset)
        for tag in add:
            self.tags.link(asset, tag)
        for tag in remove:
            self.tags.unlink(asset, tag)
        self.write(asset, Exif(tags=self.tags.values(asset)), ("tags",), actor)

    def touch(self, asset: Asset) -> None:
        """Move ``updatedAt``: after an extraction, or a change of favourite, visibility, trash."""
        asset.updated = self.milliseconds
        asset.row = None
        changes = self._changes
        insort(changes, (asset.updated, asset.asset_id))
        if len(changes) > 4 * len(self.assets) + 1000:
            changes[:] = sorted((known.updated, known.asset_id) for known in self.assets.values())

    def extract_new(self, asset: Asset) -> None:
        """Queue the first extraction of an asset that was just uploaded."""
        asset.jobs += 1
        self.queues.put(Job(asset, "extraction", "person", 0), self.now)

    def delete(self, asset: Asset) -> None:
        """Delete for good; the asset is still there for a moment."""
        self.queues.at(self.now + 0.1, Job(asset, "deletion", "person", 0))

    # -- what the queues do -----------------------------------------------------------------------------

    def _collide(
        self,
        asset: Asset,
        touched: set[FieldName],
        was_locked: dict[FieldName, Actor],
        before: Exif,
        actor: Actor,
    ) -> None:
        """A write met an asset that had not settled: perhaps one of the two loses its lock, and so its value.

        Whose it is makes no difference to the server. Of two writes of the same field it is the later; of
        writes of different fields mostly the later.
        """
        if actor == "client" and asset.client_jobs:
            fields: list[str] = sorted(touched)
            self.book.fault("overlaps", asset=asset.asset_id, fields=fields)
        if not self.settings.on("lost_updates"):
            return
        if self.settings.chance("loss", asset.asset_id, asset.writes) >= self.settings.loss:
            return
        earlier = {name: whose for name, whose in was_locked.items() if name not in touched}
        if earlier and self.settings.chance("victim", asset.asset_id, asset.writes) < 0.25:
            for whose in ACTORS:
                theirs = {name for name in earlier if earlier[name] == whose or name in asset.mixed}
                self._lose(asset, theirs, asset.sidecar, whose, to=actor)
            asset.mixed -= earlier.keys()
            return
        for name in touched & was_locked.keys():
            if not self._is_read_only(asset):
                setattr(asset.sidecar, name, getattr(before, name))
        # Where both were at work on it, the client should have waited for itself.
        other: Actor = "client" if asset.client_jobs else "person"
        self._lose(asset, touched, before, actor, to=other)
        asset.mixed -= touched

    def _lose(self, asset: Asset, fields: set[FieldName], kept: Exif, whose: Actor, *, to: Actor) -> None:
        """Take the lock from fields that have not reached the file: what is kept there comes back."""
        for name in fields:
            asset.locked.pop(name, None)
        gone = [name for name in sorted(fields) if _differ(asset.exif, kept, name)]
        asset.lost.update((whose, name) for name in gone)
        if gone:
            self.book.fault(VICTIMS[whose, to], asset=asset.asset_id, fields=gone)

    def _save_sidecar(self, job: Job) -> None:
        asset = job.asset
        if not self._is_read_only(asset):
            for name in asset.locked:
                setattr(asset.sidecar, name, getattr(asset.exif, name))
        # unlocked even if the file could not be written: only the log says so
        asset.locked.clear()
        asset.mixed.clear()
        tags = asset.embedded.tags if asset.sidecar.tags is None else asset.sidecar.tags
        work = extraction_work(tags or (), self.settings)
        self.queues.put(Job(asset, "extraction", job.actor, job.number, work), self.now)

    def _extract(self, job: Job) -> None:
        if self._is_dying(job.asset):
            # A TypeError on what exiftool gave: the row keeps what was written, and its date.
            self.book.fault("died")
            self._end(job)
            return
        early = (
            self.settings.on("early_updated_at")
            and job.number > 0
            and self.settings.chance("early", job.asset.asset_id, job.number) < 0.04
        )
        self.touch(job.asset)
        if not early:
            self._read_back(job)
            return
        self.book.fault("early_updated_at")
        late = 0.05 + 0.35 * self.settings.chance("late", job.asset.asset_id, job.number)
        self.queues.at(self.now + late, Job(job.asset, "final", job.actor, job.number))

    def _read_back(self, job: Job) -> None:
        """Overwrite what is not locked with what the file says."""
        asset = job.asset
        self._end(job)
        asset.extracted = True
        asset.row = None
        if asset.deleted:
            return
        read = self._read_file(asset)
        for name in FIELDS:
            if name in asset.locked:
                continue
            if self._is_read_only(asset) and _differ(asset.exif, read, name):
                self.book.fault("reverted")
            setattr(asset.exif, name, getattr(read, name))
        if "tags" not in asset.locked:
            self.tags.replace(asset, read.tags or (), self.milliseconds)
        if "taken" not in asset.locked:
            if read.taken is not None:
                asset.created = int(datetime.fromisoformat(read.taken).timestamp() * 1000)
                self._by_date = None
            minutes = roundtrip.zone_of(read.taken, asset.exif.coordinates)
            asset.time_zone = None if minutes is None else roundtrip.zone_name(minutes)
            asset.local_shift = (minutes or 0) * 60_000

    @staticmethod
    def _end(job: Job) -> None:
        job.asset.jobs -= 1
        if job.actor == "client":
            job.asset.client_jobs -= 1

    def _read_file(self, asset: Asset) -> Exif:
        """Return what exiftool reads: the sidecar's elements, the media's own where the sidecar has none."""
        sidecar, embedded = asset.sidecar, asset.embedded
        read = Exif(
            *(getattr(embedded if getattr(sidecar, name) is None else sidecar, name) for name in FIELDS)
        )
        if self.settings.version >= V3 and read.rating is not None and not 1 <= read.rating <= 5:
            read.rating = None
        if not self.settings.on("round_trip"):
            return read
        if read.description:
            settled = roundtrip.settled_description(read.description)
            self._note_rewriting(settled != read.description)
            read.description = settled or embedded.description or ""
        if read.coordinates is not None:
            sent = read.coordinates
            settled_point = roundtrip.settled_coordinates(sent, flips=self.settings.on("sign_flips"))
            if settled_point and (settled_point[0] * sent[0] < 0 or settled_point[1] * sent[1] < 0):
                self.book.fault("sign_flips")
            self._note_rewriting(settled_point != sent)
            read.coordinates = settled_point or embedded.coordinates
        if read.taken is not None and roundtrip.loses_date(read.taken):
            read.taken = embedded.taken
        if read.tags:
            tags = tuple(roundtrip.settled_tag(tag) for tag in read.tags)
            self._note_rewriting(tags != read.tags)
            read.tags = tags
        return read

    def _note_rewriting(self, changed: bool) -> None:  # noqa: FBT001 - private, one meaning
        if changed:
            self.book.fault("rewritten")

    def _forget(self, asset: Asset) -> None:
        asset.deleted = True
        for tag_id in list(asset.tags):
            if tag_id in self.tags.by_id:
                self.tags.unlink(asset, self.tags.by_id[tag_id])
        self.albums.forget(asset.asset_id)
        self.stacks.forget(asset.asset_id)
        self.assets.pop(asset.asset_id, None)
        self._by_date = None

    def _is_read_only(self, asset: Asset) -> bool:
        return asset.read_only and self.settings.on("read_only")

    def _is_dying(self, asset: Asset) -> bool:
        return asset.dying and self.settings.on("dying_extraction") and self.settings.version[:2] == (3, 1)


def _differ(one: Exif, other: Exif, name: FieldName) -> bool:
    """Return whether a field differs; an empty value is the same as none."""
    return bool((getattr(one, name) or None) != (getattr(other, name) or None))
