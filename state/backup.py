"""A copy of a store in one file, made while whoever likes writes to it; checked, or not there at all.

The copy shows one moment: it is read in one transaction, which keeps no writer waiting. It becomes a file
under its own name only when it is whole, is its owner's alone, and needs no file beside it.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.core.store_keys import BACKED_UP_AT
from reconciler.errors import ConfigurationError, StateCorruptError, StateError, StateTooNewError
from reconciler.plainfile import absent, exists, other_kind
from state.copying import copy_into, in_words, link, sync, sync_names, unfinished
from state.database import DAMAGE, connect, explain, identity, primary_code
from state.looking import ForeignFileError, look, sidecars
from state.migrations import HEAD, is_known

if TYPE_CHECKING:
    from collections.abc import Callable

_AT: Final = "SELECT value FROM meta WHERE key = ?"
_HOLDS: Final = (
    "SELECT (SELECT count(*) FROM assets), (SELECT count(*) FROM journal), (SELECT max(at) FROM journal)"
)
_GIVE: Final = "Give a file that `skymmich-reconciler backup` made, or one of the daily copies."


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of a store."""

    path: Path
    size: int
    """In bytes."""
    revision: str
    """Of its schema."""
    made_at: datetime | None
    """``None``: it was not made here."""
    images: int
    journal: int
    """Entries of the journal."""
    written_at: datetime | None
    """Of the newest one."""


def named(text: str) -> Path:
    """Return the absolute path of the file that a person named; ``~`` is the home folder.

    Raises:
        ConfigurationError: it is not a file's name.
    """
    bare = text.removeprefix("sqlite:///")
    if "://" in bare or bare in {"", ":memory:"}:
        scheme, there, _ = bare.partition("://")
        raise ConfigurationError(
            f"“{scheme}://…” is not a file." if there else f"“{text}” is not a file.",
            remedy="A state store is a SQLite file, and so is its copy: give the path of one.",
        )
    return Path(os.path.abspath(Path(bare).expanduser()))  # noqa: PTH100 - resolve() would follow the file's own link


def back_up(store: Path, target: Path, now: datetime, *, replace: bool = False) -> Copy:
    """Copy a store, also beside a process that writes to it.

    Args:
        store: absolute; it may be of another schema than this program's.
        target: absolute.
        now: is kept in the copy.
        replace: whether an earlier file may be in the copy's place.

    Raises:
        StateError: there is no store, the copy cannot be made there, or something is there; nothing was
            changed.
        StateCorruptError: the store, or what was copied of it, is damaged.
    """
    _require_store(store)
    family = (store, store.with_name(f"{store.name}.lock"), *sidecars(store))
    fill = partial(copy_into, store)
    return put_copy(fill, str(store), target, now, replace=replace, family=family)


def put_copy(
    fill: Callable[[Path], None],
    store: str,
    target: Path,
    now: datetime,
    *,
    replace: bool,
    family: tuple[Path, ...] = (),
) -> Copy:
    """Make a copy under its name, whole and checked, or leave nothing.

    Args:
        fill: makes the copy in an empty file.
        store: what is copied, for people.
        target: absolute.
        now: is kept in the copy.
        replace: whether an earlier file may be in the copy's place.
        family: the store's own files.

    Raises:
        StateError: the copy cannot be made there, or something is there.
    """
    with in_words(f"The state store was not copied to {target}", target.parent):
        _require_room(family, target, replace=replace)
        with unfinished(target) as made:
            fill(made)
            _stamp(made, now)
            _verify(made, store)
            sync(made)
            _put(made, target, replace=replace)
        sync_names(target.parent)
    return look_into(target)


def look_into(path: Path) -> Copy:
    """Check a file of which a store is to be made, and tell what it holds.

    Raises:
        StateError: there is none, it cannot be read, or it is no store.
        StateTooNewError: it is of a newer schema than this program's.
        StateCorruptError: it is damaged.
    """
    try:
        if kind := other_kind(path):
            raise StateError(f"{path} is not a file: it is {kind}.", remedy="Give a copy of a state store.")
        revision = look(path, "whole")
        if not revision:
            raise StateError(f"{path} is empty: there is no state store in it.", remedy=_GIVE)
        if revision != HEAD and not is_known(revision):
            raise StateTooNewError(
                f"{path} was written by a newer version of this program (its schema is {revision!r}, the "
                f"newest known here is {HEAD!r}). Nothing was changed.",
                remedy="Install that version, or take an older copy.",
            )
        mode = "mode=ro" if sidecars(path) else "mode=ro&immutable=1"
        with closing(connect(path, mode)) as connection:
            kept = connection.execute(_AT, (BACKED_UP_AT.name,)).fetchone()
            images, journal, written = connection.execute(_HOLDS).fetchone()
        return Copy(
            path, path.stat().st_size, revision, _moment(json.loads(kept[0]) if kept else None),
            images, journal, _moment(written),
        )  # fmt: skip
    except FileNotFoundError as error:
        raise StateError(f"There is no file {path}.", remedy=_GIVE) from error
    except OSError as error:
        raise StateError(f"{path} cannot be read: {error.strerror}.", remedy=_GIVE) from error
    except ForeignFileError as error:
        raise StateError(f"{path} is another program's database, no state store.", remedy=_GIVE) from error
    except sqlite3.Error as error:
        if primary_code(error) == sqlite3.SQLITE_NOTADB:
            raise StateError(f"{path} is not a state store, nor any SQLite file.", remedy=_GIVE) from error
        if primary_code(error) in DAMAGE:
            raise StateCorruptError(f"{path} is damaged ({error}).", remedy="Take another copy.") from error
        raise StateError(f"{path} cannot be read ({error}).", remedy=_GIVE) from error


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found.replace(tzinfo=UTC) if found and found.tzinfo is None else found


def _require_store(store: Path) -> None:
    try:
        found = look(store, "none")
    except sqlite3.Error as error:
        if absent(store):
            raise StateError(
                f"There is no state store at {store}, so there is nothing to copy.",
                remedy="Check [state] url; a store is made by the first `apply` or `run`.",
            ) from error
        raise explain(error, store) from error
    if not found:
        raise StateError(f"The state store {store} is empty yet: there is nothing to copy.")


def _require_room(family: tuple[Path, ...], target: Path, *, replace: bool) -> None:
    """Make sure that the copy's place is free, or may be taken.

    Raises:
        StateError: it may not.
        OSError: it cannot be looked at.
    """
    if exists(target) and identity(target) in {identity(one) for one in family}:
        raise StateError(f"{target} is the state store itself.", remedy="Name another file for the copy.")
    if beside := sidecars(target):
        raise StateError(
            f"{target} cannot be replaced: {beside[0].name} beside it shows that it is in use, or was.",
            remedy="Name another file for the copy.",
        )
    if not os.path.lexists(target):
        return
    if kind := other_kind(target):
        raise StateError(f"{target} is not a file: it is {kind}.", remedy="Name a file for the copy.")
    if not replace:
        raise StateError(
            f"There is a file {target} already; it was left as it is.",
            remedy="Name another one, or have it replaced with --force.",
        )


def _stamp(made: Path, now: datetime) -> None:
    """Note in a copy when it was made, and have it need no file beside it, whoever opens it."""
    with closing(connect(made, "mode=rw")) as connection:
        connection.execute("PRAGMA synchronous=OFF")
        connection.execute("PRAGMA journal_mode=DELETE")
        statement = "INSERT OR REPLACE INTO meta (key, value) VALUES (?, ?)"
        connection.execute(statement, (BACKED_UP_AT.name, json.dumps(now.isoformat())))


def _verify(made: Path, store: str) -> None:
    try:
        look(made, "whole")
    except sqlite3.Error as error:
        if primary_code(error) not in DAMAGE:
            raise
        raise StateCorruptError(
            f"The state store {store} is damaged ({error}): its copy was not kept.",
            remedy="Earlier copies are as they were. If the daemon cannot go on: skymmich-reconciler restore",
        ) from error


def _put(made: Path, target: Path, *, replace: bool) -> None:
    if replace:
        made.replace(target)
        return
    try:
        link(made, target)
    except FileExistsError as error:
        raise StateError(f"There is a file {target} by now; it was left as it is.") from error
