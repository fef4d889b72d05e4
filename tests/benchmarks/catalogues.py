"""The catalogues to measure with: the sample's images, so often that there are enough, each with its own content."""

from __future__ import annotations

import json
import math
import sqlite3
from contextlib import closing
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING
from uuid import NAMESPACE_OID, uuid5

from reconciler.core.desired.desired import Form, desire
from reconciler.core.desired.template import BlockTemplate
from reconciler.core.policy import Policy
from reconciler.immich import roundtrip
from reconciler.simulator.sample.build import build_sample
from reconciler.skymmich.sources import open_catalogue

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.core.desired.desired import Desired

LINKED_A_COPY = 55
COMPOSED = 100_000
"""So many images are composed one by one; of more, the others are copies of these."""
PIXELS = (6248, 4176)


def build(path: Path, images: int, tags: int | None = None) -> None:
    """Write a catalogue with so many linked images, and none that is not linked.

    Args:
        path: the file to make.
        images: how many.
        tags: how many tags each asset is to get; ``None`` leaves them as varied as the sample has them.
    """
    composed = min(images, COMPOSED)
    build_sample(path, copies=math.ceil(composed / LINKED_A_COPY))
    with closing(sqlite3.connect(path)) as connection, connection:
        last = connection.execute(
            "SELECT id FROM astrophotography_images WHERE immich_id IS NOT NULL ORDER BY id LIMIT 1 OFFSET ?",
            (composed - 1,),
        ).fetchone()[0]
        gone = "SELECT id FROM astrophotography_images WHERE id > ? OR immich_id IS NULL"
        for table in ("image_acquisition", "image_equipment", "plate_solving_jobs"):
            connection.execute(f"DELETE FROM {table} WHERE image_id IN ({gone})", (last,))
        connection.execute(f"DELETE FROM astrophotography_images WHERE id IN ({gone})", (last,))
        for number in range(1, math.ceil(images / composed)):
            _copy(connection, number, last + 1, min(composed, images - number * composed))
    if tags is not None:
        _give_tags(path, tags)


def _copy(connection: sqlite3.Connection, number: int, apart: int, images: int) -> None:
    """Add the first so many images once more, as other assets with other titles: within the database."""
    connection.create_function("asset", 2, lambda image, copy: str(uuid5(NAMESPACE_OID, f"{image} {copy}")))
    until = "SELECT id FROM astrophotography_images WHERE id < ? ORDER BY id LIMIT ?"
    (last,) = connection.execute(f"SELECT max(id) FROM ({until})", (apart, images)).fetchone()
    for table in ("astrophotography_images", "image_acquisition", "image_equipment", "plate_solving_jobs"):
        columns = [row[1] for row in connection.execute(f"SELECT * FROM pragma_table_info('{table}')")]
        names = [f'"{column}"' for column in columns if column != "id"]
        others = {
            '"image_id"': f"image_id + {number * apart}",
            '"immich_id"': f"asset(id, {number})",
            '"title"': f"title || ' · {number}'",
            '"filename"': f"'{number}_' || filename",
        }
        owner = "id" if table == "astrophotography_images" else "image_id"
        own = f"id + {number * apart}" if owner == "id" else "NULL"
        values = ", ".join([own, *(others.get(name, name) for name in names)])
        connection.execute(
            f"INSERT INTO {table} (id, {', '.join(names)}) SELECT {values} FROM {table} WHERE {owner} <= ?",
            (last,),
        )


def _give_tags(path: Path, tags: int) -> None:
    """Let every asset get the same number of tags, no two the same set, and all of few: as a real library.

    So many are shared as in the measurement that the simulator's costs come from (``docs/performance.md``).
    """
    wanted = computer()
    rows = []
    for image in open_catalogue(str(path)).read().linked():
        own = len(wanted(replace(image, tags=())).tags)
        lacking = max(0, tags - own)
        chosen = Random(image.image_id).sample(range(2 * tags), lacking)
        rows.append((json.dumps([f"subject {number}" for number in sorted(chosen)]), image.image_id))
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany("UPDATE astrophotography_images SET tags = ? WHERE id = ?", rows)


def computer() -> Callable[[CatalogueImage], Desired]:
    """Give the function that computes what an image wants, as a pass does it."""
    policy = Policy()
    template = BlockTemplate(policy.description)
    form = Form(roundtrip.settled_description, roundtrip.settled_tag)
    return lambda image: desire(image, policy, template, form, PIXELS)


def link(path: Path, assets: Sequence[str]) -> None:
    """Link a catalogue's images, in their order, to these assets."""
    table = "astrophotography_images"
    with closing(sqlite3.connect(path)) as connection, connection:
        rows = connection.execute(
            f"SELECT id FROM {table} WHERE immich_id IS NOT NULL ORDER BY id"
        ).fetchall()
        linked = [(asset, image) for (image,), asset in zip(rows, assets, strict=True)]
        connection.executemany(f"UPDATE {table} SET immich_id = ? WHERE id = ?", linked)
