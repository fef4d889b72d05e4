"""One look at Skymmich over the web: reads what is due, and keeps it; what belongs together, or none of it.

What is due is ``pace``. The lists come first, what belongs to the images whose rows moved next, and the
equipment after that, so that no link leads to a piece that is not known yet. Up to ``BATCH`` changed images
are kept in one transaction with everything else; for more, the mirror is not complete until the last are in,
and a look that was cut short goes on where it was.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.bounded import read_rows
from reconciler.skymmich.rest.client import MissingError, RefusedError
from reconciler.skymmich.rest.details import read_details
from reconciler.skymmich.rest.keeping import Keeper
from reconciler.skymmich.rest.objects import read_objects
from reconciler.skymmich.rest.pace import AGAIN
from reconciler.skymmich.rest.shapes import Answered, answered, ids, is_read
from reconciler.skymmich.tables import EQUIPMENT, IMAGES, LOCATIONS, OBJECTS, SOLVES

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from reconciler.skymmich.rest.client import Client
    from reconciler.skymmich.rest.keeping import Found
    from reconciler.skymmich.rest.mirror import Kept, Memory, Mirror
    from reconciler.skymmich.rest.pace import Pace
    from reconciler.skymmich.tables import Table

BATCH: Final = 200
MOST_A_LOOK: Final = 20
"""Images whose details are read again because it is their turn."""
MOST_MOVED: Final = 50
"""The same after something was saved that no list shows."""
MOST_CLOSELY: Final = 500
"""The same where somebody waits for it."""
_IMAGES: Final = "/api/images"
_STAMP: Final = "/api/admin/database"
_SETTINGS: Final = "/api/admin/settings"
_SOLVED: Final = ("plate_solved", "ra", "dec", "field_of_view", "rotation")


@dataclass(frozen=True, slots=True)
class _Listed:
    """What the list of images says, compared with what is kept."""

    changed: list[Answered]
    gone: set[int]
    columns: tuple[str, ...]
    solved: bool
    """Whether a plate solution is another one."""
    size: int
    ids: set[int]


class Look:
    """One look.

    Args:
        client: asks; open.
        mirror: keeps.
        pace: what is due when.
        now: Unix seconds.
        progress: told how many of how many images have been read, where it takes a while.
    """

    def __init__(
        self,
        client: Client,
        mirror: Mirror,
        pace: Pace,
        now: float,
        progress: Callable[[int, int], None],
    ) -> None:
        self._client, self._mirror, self._pace, self._now = client, mirror, pace, now
        self._keeper, self._progress = Keeper(mirror, pace, now), progress

    async def run(self, *, closely: bool) -> None:
        """Look.

        Args:
            closely: read the lists and all links whatever their time.

        Raises:
            CatalogueError: something could not be read; what was read before stays.
        """
        mirror, before = self._mirror, self._mirror.memory()
        kind, stamp = await self._stamp()
        moved = bool(stamp) and stamp != before.stamp
        explained = False
        if closely or self._pace.lists_due(before, stamp, self._now):
            if moved:
                mirror.remember(links_due=True)
            explained = await self._lists(before, kind, stamp, closely=closely)
        unexplained, memory = moved and not explained, mirror.memory()
        if memory.links_at != self._now and (
            closely or self._pace.links_due(memory, self._now, explained=explained)
        ):
            linked = await self._links()
            if before.complete and (closely or (memory.links_due and not explained and not linked)):
                mirror.expect()
        await self._turns(MOST_CLOSELY if closely else MOST_MOVED if unexplained else MOST_A_LOOK)

    async def _stamp(self) -> tuple[str, str]:
        """Ask what is behind Skymmich, and when its file was last saved; ``""``: it does not say."""
        try:
            found = await self._client.json(_STAMP)
        except (MissingError, RefusedError):
            return "", ""
        if not isinstance(found, dict):
            raise self._client.unusable(_STAMP, "is no object")
        kind, saved = str(found.get("type", "")), found.get("lastModified")
        return kind, f"{saved} {found.get('sizeBytes')}" if isinstance(saved, str) else ""

    async def _lists(self, before: Memory, kind: str, stamp: str, *, closely: bool) -> bool:
        """Read the lists, and what belongs to the images whose rows moved; gives whether anything changed."""
        mirror, pace, now = self._mirror, self._pace, self._now
        listed = self._compared(await self._client.get(_IMAGES), mirror.images())
        anew = not before.complete
        # Of many it is cheaper to ask each piece of equipment for its images.
        whole = anew or len(listed.changed) > max(len(mirror.ids(EQUIPMENT)), 1)
        found = await self._changed(listed.changed, links=not whole)
        places = await self._optional("/api/locations", LOCATIONS)
        settings = await self._settings()
        solves = objects = links = None
        if anew or closely or listed.solved or pace.solves_due(before, now):
            solves = [row for row in await self._listed("/api/plate-solving/jobs", SOLVES) if is_read(row)]
        if anew or pace.objects_due(before, now):
            objects = await read_objects(self._client, before.objects)
        equipment = await self._listed("/api/equipment", EQUIPMENT)
        if whole:
            links = await self._all_links(equipment, listed.ids)
        keep = self._keeper
        with mirror.changing():
            keep.images(found, self._client.server_date)
            mirror.forget(listed.gone)
            if listed.columns:
                mirror.told(IMAGES, listed.columns)
            news = bool(listed.changed or listed.gone) | mirror.settings(settings)
            news |= keep.table(EQUIPMENT, equipment) | keep.table(LOCATIONS, places)
            if solves is not None:
                news |= keep.table(SOLVES, solves)
                mirror.remember(solves_at=now, solves_due=now + AGAIN if listed.solved else 0.0)
            if objects is not None:
                mirror.remember(objects=objects.state, objects_at=now)
                if objects.rows is not None or objects.absent:
                    news |= keep.table(OBJECTS, objects.rows)
            if links is not None:
                news |= keep.links(*links)
            mirror.remember(changed=news or anew, complete=True, kind=kind, stamp=stamp)
            mirror.remember(lists_at=now, lists_bytes=listed.size)
        await self._doubt_stamp(before, stamp, news=news and not anew)
        return news

    async def _doubt_stamp(self, before: Memory, stamp: str, *, news: bool) -> None:
        """Note where something was saved, and the file does not show it: it is in WAL mode."""
        unmoved = news and stamp and stamp == before.stamp
        if unmoved and (await self._stamp())[1] == stamp:
            self._mirror.remember(stamp_tells=False)

    def _compared(self, body: bytes, kept: Mapping[int, Kept]) -> _Listed:
        """Compare the list of images with what is kept of them."""
        seen, changed, columns, solved = set[int](), list[Answered](), tuple[str, ...](), False
        with self._client.understanding(_IMAGES):
            for row in answered(read_rows(body), IMAGES):
                if row.row_id in seen:
                    raise self._client.unusable(_IMAGES, f"has the image {row.row_id} twice")
                seen.add(row.row_id)
                columns = row.columns()
                known = kept.get(row.row_id)
                if known is not None and known.digest == row.digest:
                    continue
                changed.append(row)
                now = tuple(row.values.get(name) for name in _SOLVED)
                solved |= now != known.solved if known is not None else bool(now[0])
        return _Listed(changed, kept.keys() - seen, columns, solved, len(body), seen)

    async def _changed(self, changed: Sequence[Answered], *, links: bool) -> list[Found]:
        """Read what belongs to images whose rows moved, batch by batch; the last batch is not kept yet."""
        if len(changed) > BATCH:
            self._mirror.remember(complete=False)
        found: list[Found] = []
        for start in range(0, len(changed), BATCH):
            if found:
                with self._mirror.changing():
                    self._keeper.images(found, self._client.server_date)
                self._progress(start, len(changed))
            rows = changed[start : start + BATCH]
            wanted = [row.row_id for row in rows]
            details = await read_details(self._client, wanted, equipment_of=wanted if links else ())
            found = [(row, details[row.row_id]) for row in rows if row.row_id in details]
        return found

    async def _turns(self, most: int) -> None:
        """Read again what belongs to the images whose turn it is."""
        due = dict(self._mirror.due(self._now, most))
        if not due:
            return
        closely = [image_id for image_id, close in due.items() if close]
        found = await read_details(self._client, list(due), equipment_of=closely)
        linked = {piece for details in found.values() if details for piece in details.equipment or ()}
        equipment = None
        if linked - self._mirror.ids(EQUIPMENT):
            equipment = await self._listed("/api/equipment", EQUIPMENT)
        with self._mirror.changing():
            changed = equipment is not None and self._keeper.table(EQUIPMENT, equipment)
            changed |= self._keeper.turns(due, found)
            if changed:
                self._mirror.remember(changed=True)

    async def _links(self) -> bool:
        """Read all links; gives whether any changed."""
        equipment = await self._listed("/api/equipment", EQUIPMENT)
        links, size = await self._all_links(equipment, self._mirror.ids(IMAGES))
        with self._mirror.changing():
            changed = self._keeper.table(EQUIPMENT, equipment)
            linked = self._keeper.links(links, size)
            if changed or linked:
                self._mirror.remember(changed=True)
        return linked

    async def _all_links(
        self, equipment: Sequence[Answered], images: Collection[int]
    ) -> tuple[dict[int, set[int]], int]:
        """Ask each piece for its images; gives the pieces of each image, and how long the answers were."""
        found: dict[int, set[int]] = {image_id: set() for image_id in images}
        size = 0
        for piece in equipment:
            route = f"{_IMAGES}?equipmentId={piece.row_id}"
            body = await self._client.get(route)
            size += len(body)
            with self._client.understanding(route):
                for image_id in ids(body):
                    if image_id in found:
                        found[image_id].add(piece.row_id)
        return found, size

    async def _settings(self) -> object:
        found = await self._client.json(_SETTINGS)
        if not isinstance(found, dict) or not isinstance(found.get("immich"), dict):
            raise self._client.unusable(_SETTINGS, "has no “immich” in it")
        return found["immich"]

    async def _optional(self, route: str, table: Table) -> list[Answered] | None:
        """Return the rows of a list that older releases do not have; ``None``: there is none."""
        try:
            return await self._listed(route, table)
        except MissingError:
            return None

    async def _listed(self, route: str, table: Table) -> list[Answered]:
        body = await self._client.get(route)
        with self._client.understanding(route):
            return list(answered(read_rows(body), table))
