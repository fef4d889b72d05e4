"""Catalogues of few images, where few show the same."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

IMAGES = "astrophotography_images"
FIRST_LINKED = f"SELECT id FROM {IMAGES} WHERE immich_id IS NOT NULL ORDER BY id LIMIT ?"
"""The first so many linked images."""


def keep_only(path: Path, chosen: str, *values: object) -> None:
    """Delete all images but those whose ids a query or a list of SQL gives, with what belongs to them.

    Rows that belong to no image any more would be read by every pass: most of what it costs to plan two images.
    """
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(f"DELETE FROM {IMAGES} WHERE id NOT IN ({chosen})", values)
        for table in ("image_acquisition", "image_equipment", "plate_solving_jobs"):
            connection.execute(f"DELETE FROM {table} WHERE image_id NOT IN (SELECT id FROM {IMAGES})")
