"""Find, create, check and bring up to date the store's file; nothing of what is in it.

A file is looked at before it is touched. One that is another program's, or a newer version's, stays as it is
to the byte; a damaged one is renamed, never overwritten.
"""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from reconciler.errors import ConfigurationError, StateCorruptError, StateError, StateTooNewError
from reconciler.plainfile import make_folders, other_kind
from state.daily import copy_before_migration
from state.database import BUSY_SECONDS, DAMAGE, Database, connect, explain, identity, primary_code
from state.looking import SIDECARS, in_use, look, move_aside, unused_name
from state.migrations import HEAD, is_known, upgrade

if TYPE_CHECKING:
    from datetime import datetime

_PREFIX = "sqlite:///"
_AGAIN_SECONDS = 0.01
_OURS = "The file and its folder must belong to the user that runs this program; else set [state] url."


def locate(target: str | Path) -> Path:
    """Return the absolute path that a ``sqlite:///`` URL or a plain path names; ``~`` is the home folder.

    Raises:
        ConfigurationError: it names no file.
    """
    text = str(target)
    if text.startswith(_PREFIX):
        text = text.removeprefix(_PREFIX)
    elif "://" in text:
        raise ConfigurationError(
            f"[state] url = {text.partition('://')[0]}://… is not a SQLite file.",
            remedy="Use sqlite:////var/lib/skymmich-reconciler/state.sqlite3, or a plain path.",
        )
    if text in {"", ":memory:"}:
        raise ConfigurationError(
            "[state] url names no file; what this program remembers must outlive it.",
            remedy="Use sqlite:////var/lib/skymmich-reconciler/state.sqlite3, or a plain path.",
        )
    return Path(os.path.abspath(Path(text).expanduser()))  # noqa: PTH100 - resolve() would follow the file's own link


def open_to_read(path: Path) -> Database:
    """Open a store beside its daemon; nothing is created, migrated or set aside.

    Raises:
        StateError: missing, another program's, or of an older schema.
        StateTooNewError: of a newer one.
        StateCorruptError: damaged.
    """
    try:
        _require_plain(path)
        found = look(path, "none")
    except FileNotFoundError as error:
        raise StateError(
            f"There is no state store at {path}.",
            remedy="It is made by the first `apply` or `run`; check [state] url if there was one.",
        ) from error
    except OSError as error:
        raise StateError(f"The state store {path} cannot be read: {error.strerror}.", remedy=_OURS) from error
    except sqlite3.Error as error:
        raise explain(error, path) from error
    _refuse_newer(path, found)
    if found != HEAD:
        raise StateError(
            f"The state store {path} is of an older schema ({found or 'empty'}; this program's is {HEAD}).",
            remedy="Start the daemon, or run `apply`, once: that brings it up to date.",
        )
    return Database(path, read_only=True)


def open_to_write(path: Path, now: datetime, *, again: bool = False) -> tuple[Database, tuple[str, ...]]:
    """Open a store, creating or migrating it as needed; give it and warnings for people.

    Args:
        path: absolute.
        now: names a damaged file that is set aside.
        again: while the program runs; a damaged file is then left alone, for it may still be copied there.

    Raises:
        StateError: it cannot be created or written, or is another program's database.
        StateTooNewError: it is of a newer schema; nothing was changed on the disk.
        StateCorruptError: it is damaged, and was set aside.
    """
    _create(path)
    try:
        found = look(path, "quick")
    except sqlite3.Error as error:
        if again or primary_code(error) not in DAMAGE:
            raise explain(error, path) from error
        raise _set_aside(path, str(error), now) from error
    _refuse_newer(path, found)
    warnings = _tighten(path)
    _prepare(path)
    database = Database(path, read_only=False)
    if found != HEAD:
        try:
            if found:
                kept = copy_before_migration(path, found, now)
                warnings += (
                    f"The state store was brought up to date; as it was before it is kept as {kept}.",
                )
            with database.writing() as connection:
                upgrade(connection)
        except BaseException:
            database.close()
            raise
    return database, warnings


def _create(path: Path) -> None:
    """Make the file, if missing, for its owner only. SQLite gives the same mode to the files beside it."""
    try:
        make_folders(path)
        try:
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        except FileExistsError:
            # Asked, not tried: closing a file takes away all locks that this process holds on it, SQLite's
            # too. And SQLite would open what it may not write all the same, and fail in the first pass.
            _require_plain(path)
            _require(path, os.R_OK | os.W_OK)
            _require(path.parent, os.W_OK | os.X_OK)
    except OSError as error:
        raise StateError(
            f"The state store {path} cannot be opened for writing: {error.strerror}.", remedy=_OURS
        ) from error


def _require_plain(path: Path) -> None:
    if kind := other_kind(path):
        raise StateError(
            f"The state store {path} is not a file: it is {kind}. It was left as it is.",
            remedy="Set [state] url to a file of its own.",
        )


def _require(path: Path, right: int) -> None:
    if not os.access(path, right, effective_ids=os.access in os.supports_effective_ids):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _refuse_newer(path: Path, found: str) -> None:
    if found in {"", HEAD} or is_known(found):
        return
    raise StateTooNewError(
        f"The state store {path} was written by a newer version of this program (its schema is {found!r}, "
        f"the newest known here is {HEAD!r}). It was left as it is, and nothing was written to Immich.",
        remedy="Install that version again, or set [state] url to a new file: what equals the catalogue "
        "is then found in sync and not rewritten.",
    )


def _tighten(path: Path) -> tuple[str, ...]:
    """Take the store from group and others; give warnings."""
    warnings = []
    for name in (path.name, *(path.name + suffix for suffix in SIDECARS)):
        file = path.with_name(name)
        try:
            mode = stat.S_IMODE(file.stat().st_mode)
            if not mode & 0o077:
                continue
            file.chmod(0o600)
        except FileNotFoundError:
            continue
        except OSError as error:
            warnings.append(f"{file} is open to other users, and that cannot be changed: {error.strerror}.")
        else:
            warnings.append(f"{file} was open to other users (mode {mode:04o}); it is 0600 now.")
    return tuple(warnings)


def _prepare(path: Path) -> None:
    """Set what stays in the file: freed pages can be given back, and readers never wait for a writer.

    Some copies (``VACUUM INTO``) have lost the latter. Of two processes that set it at once, SQLite refuses
    one without a wait, for each may be in the other's way: that one asks again.
    """
    end = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            with closing(connect(path, "mode=rw")) as connection:
                if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                    connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
                    connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.Error as error:
            if primary_code(error) != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise explain(error, path) from error
            time.sleep(_AGAIN_SECONDS)
        else:
            return


def _set_aside(path: Path, reason: str, now: datetime) -> StateCorruptError:
    """Rename a damaged store and the files beside it; give the error that says so."""
    if in_use(path):
        return StateCorruptError(
            f"The state store {path} is damaged ({reason}), and another process uses it. "
            "Nothing was changed in Immich by this, and the file was left where it is.",
            remedy="Stop the other process (the daemon?) and start again: the file is then set aside.",
        )
    kept = unused_name(path, f"corrupt-{now:%Y%m%dT%H%M%SZ}")
    try:
        move_aside(path, kept)
    except OSError as error:
        return StateCorruptError(
            f"The state store {path} is damaged ({reason}) and cannot be set aside: {error.strerror}.",
            remedy=_OURS,
        )
    return StateCorruptError(
        f"The state store {path} was damaged ({reason}) and is now {kept}. "
        "Nothing was changed in Immich by this.",
        remedy="Start again: that begins an empty store. What equals the catalogue is then found in sync "
        "and not rewritten; what differs counts as a person's until resolved. "
        "The old journal is in the file set aside.",
    )


def leave_log_behind(path: Path, now: datetime) -> None:
    """Rename the log of a file that this process still has open though it is gone from the path.

    Played into another file at the path, it would damage that; and it may hold the last commits of one that
    was moved.

    Raises:
        StateError: it cannot be renamed.
    """
    try:
        fds = [Path("/proc/self/fd") / name for name in os.listdir("/proc/self/fd")]  # noqa: PTH208 - names
        open_here = {identity(fd) for fd in fds} - {None}
        for suffix in SIDECARS:
            file = path.with_name(path.name + suffix)
            if identity(file) in open_here:
                file.rename(path.with_name(f"{path.name}.gone-{now:%Y%m%dT%H%M%SZ}{suffix}"))
    except OSError as error:
        raise StateError(
            f"The log of the former state store, beside {path}, cannot be set aside: {error.strerror}.",
            remedy=_OURS,
        ) from error
