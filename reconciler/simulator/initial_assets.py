"""The assets that a simulated server starts with: one for each linked image of a catalogue, or each id.

A few of them are special, as far as the unkindness that they stand for is switched on: missing, a partner's,
archived, trashed, locked, read-only. Which ones is drawn from the seed and the asset's id.
"""

from __future__ import annotations

import base64
import hashlib
import re
import sqlite3
import uuid
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from urllib.parse import quote

from reconciler.errors import CatalogueError
from reconciler.simulator.drawing.subject import kind_of
from reconciler.simulator.server.model import Asset
from reconciler.simulator.server.state import PARTNER_ID, USER_ID
from reconciler.simulator.server.validation import is_uuid

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from reconciler.simulator.server.state import State
    from reconciler.simulator.server.unkindness import Settings

_SENSORS = ((6248, 4176), (9576, 6388), (4144, 2822), (3008, 3008), (6000, 4000), (5496, 3672))
_FIRST_NIGHT = 1_577_836_800_000
_LIBRARY_ID = "7e0f6a52-9b1d-4c3e-a4f5-06172839405a"
_ENOUGH = 20
"""With fewer assets than this none is made special, so that a small test has just what it asked for."""
_MANY = 40
"""From here on one is in a partner's archive, too."""


@dataclass(frozen=True, slots=True)
class Photo:
    """What the server needs to know of a photograph."""

    asset_id: str
    filename: str
    created: int
    """Milliseconds since 1970."""
    pixels: tuple[int, int] | None = None
    """Width and height, where the catalogue's camera tells; else one of the usual sensors."""
    kind: str = ""
    """What it shows, for its picture."""


def photos_of_catalogue(path: Path) -> list[Photo]:
    """Read the linked images of a Skymmich SQLite file, read-only; odd rows give no asset.

    Raises:
        CatalogueError: it is no such file.
    """
    address = f"file:{quote(str(path.resolve()))}?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            rows = connection.execute("SELECT * FROM astrophotography_images ORDER BY id").fetchall()
            sensors = _sensors(connection)
            objects = _objects(connection)
    except sqlite3.Error as error:
        raise CatalogueError(
            f"{path} cannot be read as a Skymmich catalogue: {error}.",
            remedy="Give the path of Skymmich's SQLite file.",
        ) from error
    photos = []
    for number, row in enumerate(rows):
        known = dict(zip(row.keys(), row, strict=True))
        asset_id = str(known.get("immich_id") or "").strip().lower()
        if is_uuid(asset_id):
            filename = str(known.get("filename") or f"{asset_id}.jpg")
            created = _milliseconds(known.get("capture_date"), number)
            code, common = objects.get(known.get("target_name"), ("", ""))
            names = (str(known.get(one) or "") for one in ("title", "target_name", "object_type"))
            kind = kind_of(code, *names, common)
            photos.append(Photo(asset_id, filename, created, sensors.get(known["id"]), kind))
    return photos


def _sensors(connection: sqlite3.Connection) -> dict[object, tuple[int, int]]:
    """Return the pixels of the camera that is linked to each image, where its specification names them."""
    query = (
        "SELECT link.image_id, camera.specifications FROM image_equipment AS link "
        "JOIN equipment AS camera ON camera.id = link.equipment_id WHERE camera.type = 'camera'"
    )
    try:
        rows = connection.execute(query).fetchall()
    except sqlite3.Error:
        return {}  # an older catalogue
    found: dict[object, tuple[int, int]] = {}
    for image_id, specifications in rows:
        if resolution := re.search(r'"resolution"\s*:\s*"(\d+)\s*x\s*(\d+)"', str(specifications)):
            found.setdefault(image_id, (int(resolution[1]), int(resolution[2])))
    return found


def _objects(connection: sqlite3.Connection) -> dict[object, tuple[str, str]]:
    """Return each target's type and common names."""
    try:
        rows = connection.execute("SELECT name, type, common_names FROM catalog_objects").fetchall()
    except sqlite3.Error:
        return {}  # an older catalogue
    return {name: (str(code or ""), str(common or "")) for name, code, common in rows}


def photos_of_ids(asset_ids: Iterable[str]) -> list[Photo]:
    """Make a photograph for each id, a minute apart."""
    return [
        Photo(asset_id, f"IMG_{number:05}.jpg", _milliseconds(None, number))
        for number, asset_id in enumerate(asset_ids)
    ]


def extra_photos(count: int, settings: Settings) -> list[Photo]:
    """Make photographs that no catalogue knows."""
    ids = (_drawn_id(settings.seed, number) for number in range(count))
    return [Photo(asset_id, f"DSC_{n:05}.jpg", _milliseconds(None, 3 * n)) for n, asset_id in enumerate(ids)]


def fill(state: State, photos: list[Photo], *, special: bool = True) -> None:
    """Put the photographs into the server, as unkindly as its settings say."""
    settings = state.settings
    by_chance = sorted(photos, key=lambda photo: settings.chance("special", photo.asset_id))
    ranks = {photo.asset_id: rank for rank, photo in enumerate(by_chance)}
    enough = special and len(photos) >= _ENOUGH
    few = max(2, len(photos) // 33) if enough else 0
    missing = _missing(photos, by_chance, enough=enough) if special and settings.on("missing") else set()
    date = 0
    for photo in sorted(photos, key=lambda photo: (photo.created, photo.asset_id)):
        # every fourth photograph shares its date with the one before
        date = date if date and settings.chance("tie", photo.asset_id) < 0.25 else photo.created
        asset = _asset(state, photo, date)
        if photo.asset_id in missing:
            continue
        if enough:
            many = len(photos) >= _MANY
            _make_special(asset, ranks[photo.asset_id], few, settings, many=many)
        state.add(asset)


def _missing(photos: list[Photo], by_chance: list[Photo], *, enough: bool) -> set[str]:
    """Choose the ids without an asset: all that end in ``dead``; if there are none, one by chance."""
    dead = {photo.asset_id for photo in photos if photo.asset_id.endswith("dead")}
    return dead or ({by_chance[0].asset_id} if enough else set())


def _make_special(asset: Asset, rank: int, few: int, settings: Settings, *, many: bool) -> None:
    """Ranks follow one another, so no asset is special in two ways."""
    if rank == 1 and settings.on("foreign"):
        asset.owner_id = PARTNER_ID
    elif rank == 2 and settings.on("trashed"):
        asset.trashed = True
    elif rank == 3 and settings.on("locked"):
        asset.visibility = "locked"
    elif 4 <= rank < 4 + few and settings.on("archived"):
        asset.visibility = "archive"
    elif 4 + few <= rank < 4 + 2 * few:
        asset.read_only = True
        asset.library_id = _LIBRARY_ID
    elif 4 + 2 * few <= rank < 5 + 2 * few:
        asset.library_id = _LIBRARY_ID  # an external library may well be writable
    elif 5 + 2 * few <= rank < 5 + 3 * few:
        asset.dying = True
    elif rank == 5 + 3 * few and many and settings.on("partners_archive"):
        asset.owner_id, asset.visibility = PARTNER_ID, "archive"


def _asset(state: State, photo: Photo, created: int) -> Asset:
    digest = hashlib.sha1(photo.asset_id.encode(), usedforsecurity=False).digest()
    width, height = photo.pixels or _SENSORS[digest[0] % len(_SENSORS)]
    night = datetime.fromtimestamp(created / 1000, UTC)
    return Asset(
        asset_id=photo.asset_id,
        owner_id=USER_ID,
        filename=photo.filename,
        created=created,
        modified=created,
        added=state.milliseconds - 86_400_000,
        updated=state.milliseconds - 3_600_000 + len(state.assets),
        width=width,
        height=height,
        size=4_000_000 + 10_000 * digest[1],
        checksum=base64.b64encode(digest).decode(),
        kind=photo.kind,
        path=f"/usr/src/app/upload/library/admin/{night:%Y/%Y-%m-%d}/{photo.filename}",
    )


def _milliseconds(value: object, number: int) -> int:
    """Read a capture date as Skymmich stores it: seconds, or ISO text; else a date of its own."""
    try:
        if isinstance(value, int | float):
            return int(value * 1000) if abs(value) < 1e11 else int(value)
        if isinstance(value, str):
            moment = datetime.fromisoformat(value)
            return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)
    except ValueError:
        pass
    return _FIRST_NIGHT + 60_000 * number


def _drawn_id(seed: int, number: int) -> str:
    digest = hashlib.sha256(f"extra {seed} {number}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))
