"""The copies that are made by themselves: one a day, the newest few kept, and one before each migration."""

from __future__ import annotations

import glob
import re
import shutil
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from reconciler.errors import StateError
from state.backup import back_up
from state.copying import PARTIAL
from state.database import connect

if TYPE_CHECKING:
    from pathlib import Path

    from state.backup import Copy

FOLDER: Final = "backups"
_DAY: Final = timedelta(hours=20)
"""Between two copies, at least: a day, however the hours of housekeeping fall."""
_FORM: Final = "%Y%m%dT%H%M%SZ"
_FORGOTTEN: Final = timedelta(hours=1)
"""After which a copy that is not finished never will be."""


@dataclass(frozen=True, slots=True)
class Daily:
    """A copy that is there, by its name."""

    path: Path
    at: datetime


def folder_of(store: Path) -> Path:
    """Return where a store's daily copies are."""
    return store.parent / FOLDER


def copies(store: Path) -> list[Daily]:
    """Return a store's daily copies, newest first.

    Raises:
        StateError: the folder cannot be read.
    """
    name = re.compile(re.escape(store.stem) + r"-(\d{8}T\d{6}Z)\.sqlite3")
    try:
        names = sorted(file.name for file in folder_of(store).iterdir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise StateError(f"The folder {folder_of(store)} cannot be read: {error.strerror}.") from error
    found = []
    for file in names:
        if (parts := name.fullmatch(file)) is not None:
            with suppress(ValueError):
                at = datetime.strptime(parts[1], _FORM).replace(tzinfo=UTC)
                found.append(Daily(folder_of(store) / file, at))
    return sorted(found, key=lambda one: one.at, reverse=True)


def copy_daily(store: Path, now: datetime, keep: int, *, only_if_missed: bool = False) -> Copy | None:
    """Copy a store unless that was done today, and forget the oldest copies; ``None``: nothing was due.

    Args:
        store: absolute, in use by whoever likes.
        now: aware.
        keep: so many copies; 0: none is made, and none removed.
        only_if_missed: not where there is none yet, and the store is new as well.

    Raises:
        StateError: it cannot be copied; earlier copies are as they were.
    """
    now = now.astimezone(UTC)
    if not keep or not _is_due(store, now, only_if_missed=only_if_missed):
        return None
    folder = folder_of(store)
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        _sweep(store, now)
        # Twice: a disk that the copy fills would stop the store itself.
        if shutil.disk_usage(folder).free < 2 * store.stat().st_size:
            raise StateError(
                f"There is too little room in {folder} for today's copy of the state store.",
                remedy="Free some space there, or set [state] backups to fewer, or 0.",
            )
    except OSError as error:
        raise StateError(
            f"Today's copy of the state store cannot be made in {folder}: {error.strerror}.",
            remedy="The user that runs the daemon must be able to write there.",
        ) from error
    made = back_up(store, folder / f"{store.stem}-{now:{_FORM}}.sqlite3", now)
    for old in copies(store)[keep:]:
        with suppress(OSError):
            old.path.unlink()
    return made


def copy_before_migration(store: Path, revision: str, now: datetime) -> Path:
    """Copy a store that is about to be brought up to date, and forget such a copy of before; give its path.

    Args:
        store: absolute.
        revision: of its schema.
        now: is kept in the copy.

    Raises:
        StateError: it cannot be copied; it is to be left as it is.
    """
    folder = folder_of(store)
    target = folder / f"{store.stem}-before-migration-of-{revision}.sqlite3"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        back_up(store, target, now, replace=True)
        for old in folder.glob(f"{glob.escape(store.stem)}-before-migration-of-*.sqlite3"):
            if old != target:
                old.unlink(missing_ok=True)
    except (OSError, StateError) as error:
        why = error.strerror if isinstance(error, OSError) else error.message
        raise StateError(
            f"The state store {store} is of an older version and was not brought up to date: no copy of it "
            f"could be made in {folder} before ({why}). Nothing was changed.",
            remedy="Free some space there, and let the user that runs this program write there.",
        ) from error
    return target


def _is_due(store: Path, now: datetime, *, only_if_missed: bool) -> bool:
    known = [one.at for one in copies(store)]
    if known:
        # One from the future was made by a clock that was wrong.
        return not timedelta(0) <= now - known[0] < _DAY
    return not only_if_missed or now - (_begun(store) or now) >= _DAY


def _begun(store: Path) -> datetime | None:
    """Return when the first run on record was; ``None``: there is none, or it cannot be told."""
    try:
        with closing(connect(store, "mode=ro")) as connection:
            (first,) = connection.execute("SELECT min(started_at) FROM runs").fetchone()
            return datetime.fromisoformat(first).replace(tzinfo=UTC) if first else None
    except (sqlite3.Error, ValueError):
        return None


def _sweep(store: Path, now: datetime) -> None:
    """Remove what a daemon that was killed left of a copy."""
    for file in folder_of(store).glob(f".{store.stem}-*{PARTIAL}*"):
        if now.timestamp() - file.stat().st_mtime > _FORGOTTEN.total_seconds():
            file.unlink(missing_ok=True)
