"""What a store that is replaced by an earlier copy of itself knows and the copy does not: it goes along.

Of a restore a person expects earlier settings and decisions. They do not expect that the words which were
replaced since are no longer in the journal, or that what this program wrote since is taken for a person's.
So journal, runs, crossings, losses and what people left out go along, what was there before, the names of
the tags that were made, the albums, and of each asset what was applied, what did not stick, and whether a
person took it back.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from reconciler.core.store_keys import ALBUM_INTENTS, ALBUMS, CREATED_TAGS
from state.database import connect

if TYPE_CHECKING:
    from pathlib import Path

_SAME_LINE: Final = """
SELECT count(*) FROM former.journal AS theirs
JOIN (SELECT * FROM main.journal ORDER BY entry_id DESC LIMIT 1) AS ours
USING (entry_id, run_id, asset_id, field, before, after, at)
"""
_ENTRIES: Final = """
INSERT INTO main.journal SELECT * FROM former.journal
WHERE entry_id > (SELECT max(entry_id) FROM main.journal)
"""
_RUNS: Final = "INSERT OR REPLACE INTO main.runs SELECT * FROM former.runs"
_CROSSINGS: Final = "INSERT OR REPLACE INTO main.crossings SELECT * FROM former.crossings"
_LEFT_OUT: Final = "INSERT OR REPLACE INTO main.left_out SELECT * FROM former.left_out"
"""What a person left out since must not be written because of a restore."""
_CARRY_OVERS: Final = "INSERT OR REPLACE INTO main.carry_overs SELECT * FROM former.carry_overs"
"""A replaced asset may be gone by now: what was on it is nowhere else."""
_LOSSES: Final = "INSERT OR REPLACE INTO main.losses SELECT * FROM former.losses"
"""What the guard has counted: a restore is no way around it."""
_UNSHARED: Final = "INSERT OR IGNORE INTO main.unshared SELECT * FROM former.unshared"
_PENDING: Final = (
    "DELETE FROM main.pending_writes",
    "INSERT INTO main.pending_writes SELECT * FROM former.pending_writes",
)
_FORMER: Final = (
    "DELETE FROM main.former_values WHERE asset_id IN (SELECT asset_id FROM former.assets)",
    "INSERT OR REPLACE INTO main.former_values SELECT * FROM former.former_values",
)
"""What was there before this program wrote: what `undo --all` gives back."""
_VALUES: Final = 'INSERT OR REPLACE INTO main.meta SELECT * FROM former.meta WHERE "key" = ?'
_VALUES_THAT_GO: Final = (ALBUMS, ALBUM_INTENTS, CREATED_TAGS)
_ASSETS: Final = (
    "INSERT OR IGNORE INTO main.assets SELECT * FROM former.assets",
    """
UPDATE main.assets SET (
    block, prose, latitude, longitude, taken_at, unsticking, seen_updated_at, more, taken_back
) = (
    SELECT block, prose, latitude, longitude, taken_at, unsticking, seen_updated_at, more, taken_back
    FROM former.assets AS theirs WHERE theirs.asset_id = main.assets.asset_id
) WHERE asset_id IN (SELECT asset_id FROM former.assets)
""",
    "DELETE FROM main.owned_tags WHERE asset_id IN (SELECT asset_id FROM former.assets)",
    "INSERT INTO main.owned_tags SELECT * FROM former.owned_tags",
)


@dataclass(frozen=True, slots=True)
class Carried:
    """How much went along."""

    journal: int
    """Entries of the journal."""
    images: int
    """Whose applied values were known."""


def carry_over(former: Path, made: Path) -> Carried | None:
    """Take what is to go along into a copy; ``None``: it is no earlier moment of this store.

    Args:
        former: the store that is replaced.
        made: the copy, of the same schema; nobody else uses it.

    Raises:
        sqlite3.Error: the former one cannot be read, or the copy not be written.
    """
    with closing(connect(made, "mode=rw")) as connection:
        connection.execute("ATTACH DATABASE ? AS former", (f"file:{quote(str(former))}?mode=ro",))
        connection.execute("BEGIN IMMEDIATE")
        if connection.execute(_SAME_LINE).fetchone() == (0,):
            return None
        entries = connection.execute(_ENTRIES).rowcount
        for statement in (
            _RUNS, _CROSSINGS, _LEFT_OUT, _CARRY_OVERS, _LOSSES, _UNSHARED, *_PENDING, *_FORMER, *_ASSETS,
        ):  # fmt: skip
            connection.execute(statement)
        connection.executemany(_VALUES, [(key.name,) for key in _VALUES_THAT_GO])
        (images,) = connection.execute("SELECT count(*) FROM former.assets").fetchone()
        connection.execute("COMMIT")
        return Carried(entries, images)
