"""A copy of an installation in one SQLite file, and a copy put in the place of an installation's rows."""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import text

from state.backup import Copy, look_into, put_copy
from state.changes import forget_mark
from state.lease import Lease
from state.postgres.database import WITHOUT_LIMIT
from state.restoring import Restored, keep_former, restore
from state.store import StateStore
from state.transfer import holds_anything, move_rows

if TYPE_CHECKING:
    from collections.abc import Callable

    from state.postgres.place import PostgresPlace

_RIGHT: Final = timedelta(minutes=10)
_COUNT_ON: Final = """
SELECT count(nextval('journal_entry_id_seq')) FROM generate_series(
    1, (SELECT max(entry_id) FROM journal)
    - (SELECT last_value - CASE WHEN is_called THEN 0 ELSE 1 END FROM journal_entry_id_seq)
)
"""
"""Other installations count on meanwhile: the number is never set, it only goes up."""


def back_up(place: PostgresPlace, target: Path, now: datetime, *, replace: bool = False) -> Copy:
    """Copy an installation into a file, also beside a process that writes to it.

    Args:
        place: where its rows are.
        target: absolute.
        now: is kept in the copy.
        replace: whether an earlier file may be in the copy's place.

    Raises:
        StateError: there is no store, the copy cannot be made there, or something is there.
    """
    with StateStore.open(place, read_only=True) as store:
        return put_copy(lambda made: _fill(store, made, now), str(place), target, now, replace=replace)


def restore_into(
    file: Path,
    place: PostgresPlace,
    beside: Path,
    now: datetime,
    settle: Callable[[StateStore], None],
    *,
    exactly: bool = False,
) -> Restored:
    """Put a copy in the place of an installation's rows: all of them at one go, or none.

    Args:
        file: the copy, absolute; it stays as it is.
        place: where the rows are, or will be.
        beside: the former rows are kept as a file beside this one.
        now: aware; names that file.
        settle: see ``state.restoring.restore``.
        exactly: whether nothing of the former rows goes into it.

    Raises:
        LeaseHeldError: a daemon, or a command, writes. Nothing was changed.
        StateError: the copy cannot be used, or not be put there. Nothing was changed.
    """
    look_into(file)
    with (
        StateStore.open(place) as store,
        Lease(store, lambda: datetime.now(UTC)).held("restore", _RIGHT),
        tempfile.TemporaryDirectory(prefix="skymmich-reconciler-") as folder,
    ):
        ready = Path(folder, "state.sqlite3")
        if not _is_empty(store):
            _fill(store, ready, now)
        done = restore(file, ready, now, settle, exactly=exactly)
        former = None if done.former is None else keep_former(done.former, beside, now)
        with (
            StateStore.open(ready) as made,
            made.database.reading() as source,
            # By right: who lost it while the copy was made ready puts nothing back.
            store._writing_by_right() as target,  # noqa: SLF001  the same room
        ):
            target.execute(text(WITHOUT_LIMIT))
            move_rows(source, target)
            forget_mark(target)
            target.execute(text(_COUNT_ON))
    return Restored(done.copy, former, done.carried)


def _is_empty(store: StateStore) -> bool:
    with store.database.reading() as connection:
        return not holds_anything(connection)


def _fill(store: StateStore, made: Path, now: datetime) -> None:
    """Make a store in an empty or missing file of what is in this one."""
    with (
        StateStore.open(made, now=now) as copy,
        store.database.reading() as source,
        copy.database.writing() as target,
    ):
        move_rows(source, target)
