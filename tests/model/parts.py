"""What a model's world is made of: a small catalogue, an empty store, and a renderer that remembers its templates."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from contextlib import closing
from functools import lru_cache
from pathlib import Path

from reconciler.core.desired.template import BlockTemplate
from reconciler.simulator.sample.build import build_sample
from state.store import StateStore

ROWS = (1, 4, 5, 7)
"""Two images with a text of their own and two without; two sites, shared equipment."""


class Remembering:
    """Renders here and now, any template; fulfils ``Renderer``."""

    async def render(self, policy, facts):
        template = _template(policy)
        return [template.render(each) for each in facts]


@lru_cache(maxsize=64)
def _template(policy):
    return BlockTemplate(policy)


class Moulds:
    """A catalogue and a store to be copied: made once."""

    def __init__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="model-")
        self.catalogue = Path(self._folder.name, "catalogue.sqlite3")
        self.store = Path(self._folder.name, "store.sqlite3")
        build_sample(self.catalogue)
        chosen = ",".join(map(str, ROWS))
        with closing(sqlite3.connect(self.catalogue)) as connection, connection:
            connection.execute(f"DELETE FROM astrophotography_images WHERE id NOT IN ({chosen})")
            for table in ("image_acquisition", "image_equipment", "plate_solving_jobs"):
                connection.execute(f"DELETE FROM {table} WHERE image_id NOT IN ({chosen})")
            targets = "SELECT target_name FROM astrophotography_images"
            connection.execute(f"DELETE FROM catalog_objects WHERE name NOT IN ({targets})")
            linked = "SELECT equipment_id FROM image_equipment"
            connection.execute(f"DELETE FROM equipment WHERE id NOT IN ({linked})")
        StateStore.open(self.store).close()


@lru_cache(maxsize=1)
def moulds():
    return Moulds()


def copy_of(mould, path):
    shutil.copyfile(mould, path)
    return path


def copy_store(source, target):
    """Copy a store that is open, as of its last commit."""
    with closing(sqlite3.connect(source)) as whence, closing(sqlite3.connect(target)) as whither:
        whence.backup(whither)
    return target
