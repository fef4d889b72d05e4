"""A sample catalogue: a Skymmich 0.9 database of true astronomy, for the demo, the benchmarks and the tests.

It holds what a real one does: several rigs and sites, nights with and without notes, Skymmich's own errors
(the field's unit, the preview's pixel scale, constellations), and images that are unsolved or unlinked. What
it tells is `sample_content`, how a picture is stored `sample_rows`. It is for reading: Skymmich makes its
own database for itself.
"""

from __future__ import annotations

import hashlib
import sqlite3
import uuid
from contextlib import closing
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from reconciler.core.sky.astronomy import parse_dec, parse_ra
from reconciler.simulator.sample.content import load_content, read_schema
from reconciler.simulator.sample.rows import (
    acquisition_rows,
    equipment_ids,
    equipment_of,
    image_row,
    job_row,
    json_text,
    unix_midnight,
)

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from reconciler.simulator.sample.content import Content, Picture
    from reconciler.simulator.sample.rows import Row

_SETTINGS: dict[str, object] = {
    "immich": {
        "host": "",
        "apiKey": "",
        "autoSync": False,
        "syncFrequency": "0 */4 * * *",
        "syncByAlbum": False,
        "selectedAlbumIds": [],
        "metadataSyncEnabled": True,
        "syncDescription": True,
        "syncCoordinates": True,
        "syncTags": True,
        "immichMapping": "/usr/src/app/upload",
        "localMapping": "/immich-upload",
    },
    "astrometry": {"apiKey": "", "enabled": True, "autoEnabled": False, "maxConcurrent": 3},
    "sidecar": {"enabled": False, "outputPath": "/app/sidecars", "organizeByDate": True},
    "app": {"debugMode": False},
}


def build_sample(path: Path, *, copies: int = 1) -> None:
    """Write the sample catalogue.

    Args:
        path: The SQLite file to make.
        copies: How many times the pictures are repeated, each time as other assets with other titles, texts,
            tags and rotations; for benchmarks.

    Raises:
        FileExistsError: There is something at `path`: a catalogue is never overwritten.
        ValueError: `copies` is less than 1.
    """
    if copies < 1:
        raise ValueError(f"a sample has at least one copy, not {copies}")
    if path.exists():
        raise FileExistsError(f"{path} exists; the sample catalogue is written to a new file only")
    content = load_content()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executescript(read_schema())
        _write_shared(connection, content)
        _write_pictures(connection, content, copies)


def asset_id_of(file: str, copy: int = 0) -> str:
    """Say which Immich asset a picture of the sample is linked to: always the same one, a version 4 UUID."""
    digest = hashlib.sha256(f"skymmich-reconciler sample {copy} {file}".encode()).digest()
    return str(uuid.UUID(bytes=digest[:16], version=4))


def _write_shared(connection: sqlite3.Connection, content: Content) -> None:
    """Write the tables that do not depend on the pictures."""
    made = unix_midnight(date(2024, 5, 1))
    stamps = {"created_at": made, "updated_at": made}
    numbers = equipment_ids(content)
    _insert(
        connection,
        "locations",
        (
            {
                "name": site.name,
                "latitude": site.latitude,
                "longitude": site.longitude,
                "altitude": site.altitude,
                "description": site.description,
            }
            | stamps
            for site in content.sites.values()
        ),
    )
    _insert(
        connection,
        "equipment",
        (
            {
                "id": numbers[key],
                "name": piece.name,
                "type": piece.kind,
                "specifications": json_text(piece.specifications),
                "description": piece.description,
                "cost": piece.cost,
                "acquisition_date": None if piece.acquired is None else unix_midnight(piece.acquired),
            }
            | stamps
            for key, piece in content.equipment.items()
        ),
    )
    for group, (name, members) in enumerate(content.groups.items(), start=1):
        _insert(connection, "equipment_groups", [{"id": group, "name": name} | stamps])
        _insert(
            connection,
            "equipment_group_members",
            ({"group_id": group, "equipment_id": numbers[key], "created_at": made} for key in members),
        )
    _insert(
        connection,
        "catalog_objects",
        (
            {
                "name": name,
                "type": target.type,
                "ra": target.ra,
                "dec": target.dec,
                "ra_deg": parse_ra(target.ra),
                "dec_deg": parse_dec(target.dec),
                "constellation": target.constellation,
                "major_axis": target.size,
                "v_mag": target.mag,
                "messier": target.messier,
                "common_names": target.common,
                "created_at": made,
            }
            for name, target in content.objects.items()
        ),
    )
    _insert(
        connection,
        "user_targets",
        (
            {"catalog_name": row["catalog_name"], "notes": row.get("notes"), "tags": json_text(row["tags"])}
            | stamps
            for row in content.user_targets
        ),
    )
    settings = _SETTINGS | {"catalog_objectCount": len(content.objects)}
    _insert(
        connection,
        "admin_settings",
        ({"key": key, "value": json_text(value)} for key, value in settings.items()),
    )


def _write_pictures(connection: sqlite3.Connection, content: Content, copies: int) -> None:
    """Write every copy of every picture, with what belongs to it."""
    numbers = equipment_ids(content)
    images: list[Row] = []
    acquisitions: list[Row] = []
    links: list[Row] = []
    jobs: list[Row] = []
    for copy in range(copies):
        for original in content.pictures:
            picture = original if copy == 0 else _vary(original, copy)
            image_id = len(images) + 1
            image = image_row(content, picture, image_id, asset_id_of(original.file, copy))
            created = image["created_at"]
            images.append(image)
            acquisitions += acquisition_rows(content, picture, image_id, created)
            links += [
                {"image_id": image_id, "equipment_id": numbers[key], "created_at": created}
                for key in equipment_of(content, picture)
            ]
            if picture.solved != "no":
                jobs.append(job_row(content, picture, image_id, created))
    _insert(connection, "astrophotography_images", images)
    _insert(connection, "image_acquisition", acquisitions)
    _insert(connection, "image_equipment", links)
    _insert(connection, "plate_solving_jobs", jobs)


def _vary(picture: Picture, copy: int) -> Picture:
    """Make another picture of the same object."""
    stem, dot, suffix = picture.file.rpartition(".")
    return replace(
        picture,
        title=f"{picture.title} · {copy + 1}",
        file=f"{stem}_{copy + 1:04d}{dot}{suffix}",
        description=None if picture.description is None else f"{picture.description}\n\nSeries {copy + 1}.",
        rotation=None if picture.rotation is None else round((picture.rotation + 0.37 * copy) % 360, 2),
        tags=(*picture.tags, f"series {copy + 1}"),
        columns={key: value for key, value in picture.columns.items() if key != "tags"},
    )


def _insert(connection: sqlite3.Connection, table: str, rows: Iterable[Row]) -> None:
    """Insert rows given by column; what a row does not name is NULL, or given by SQLite (the id)."""
    rows = list(rows)
    columns = list(dict.fromkeys(column for row in rows for column in row))
    names = ", ".join(f'"{column}"' for column in columns)
    marks = ", ".join("?" * len(columns))
    connection.executemany(
        f"INSERT INTO {table} ({names}) VALUES ({marks})",  # noqa: S608 - names of this module and its data
        ([row.get(column) for column in columns] for row in rows),
    )
