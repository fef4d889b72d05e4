"""Put a copy in the place of a store: made ready beside it, then exchanged at one go; the former one is kept.

Up to the exchange nothing has changed, and there is a store at the path throughout. Where the former one is
sound and the copy is an earlier moment of it, what only it knows goes into the copy: see ``state.carrying``.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete

from reconciler.errors import LeaseHeldError, StateError
from reconciler.plainfile import exists, make_folders
from state.backup import Copy, look_into
from state.carrying import Carried, carry_over
from state.copying import copy_into, in_words, link, sync, sync_names, unfinished
from state.database import DAMAGE, Database, explain, identity, primary_code
from state.fence import Fenced
from state.hostlock import lock_holder
from state.lease import Lease
from state.looking import in_use, look, move_aside, sidecars, unused_name
from state.migrations import HEAD
from state.store import StateStore
from state.tables import LEASE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_RIGHT: Final = timedelta(minutes=10)
"""How long the right to write outlives a restore that hangs; one that was killed is replaced at once."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of a restore."""

    copy: Copy
    """As it was found."""
    former: Path | None
    """Where the former store is now; ``None``: there was none."""
    carried: Carried | None
    """What went from it into the copy; ``None``: nothing may, or was to."""


def restore(
    file: Path,
    store: Path,
    now: datetime,
    settle: Callable[[StateStore], None],
    *,
    exactly: bool = False,
) -> Restored:
    """Make a copy the store.

    Args:
        file: the copy, absolute; it stays as it is.
        store: absolute; there may be none.
        now: aware; names the former store.
        settle: is given the new store before it is the store, to forget in it what holds no more.
        exactly: whether nothing of the former store goes into it.

    Raises:
        LeaseHeldError: a daemon, or a command, writes. Nothing was changed.
        StateError: the copy cannot be used, or not be put there. Nothing was changed.
    """
    found = look_into(file)
    if identity(file) == identity(store):
        raise StateError(f"{file} is the state store itself.", remedy="Give a copy of it.")
    with in_words(f"{file} was not put in the place of {store}", store.parent):
        make_folders(store)
        with _alone(store) as (revision, leave), unfinished(store) as made:
            copy_into(file, made, at_rest=True)
            with StateStore.open(made, now=now) as opened:
                with opened.database.writing() as connection:
                    connection.execute(delete(LEASE))
                carried = carry_over(store, made) if revision == HEAD and not exactly else None
                opened.mark_interrupted(alone=True)
                settle(opened)
            _own(made, store)
            sync(made)
            leave()
            former = _exchange(made, store, now, damaged=revision is None)
        sync_names(store.parent)
    return Restored(found, former, carried)


def keep_former(former: Path, beside: Path, now: datetime) -> Path:
    """Keep a former store, which was made to be thrown away, as a file beside a path; give where.

    Raises:
        StateError: it cannot be kept there.
    """
    with in_words(f"The former store was not kept beside {beside}, so nothing was restored", beside.parent):
        make_folders(beside)
        kept = unused_name(beside, _named(now))
        with unfinished(kept) as made:
            copy_into(former, made, at_rest=True)
            sync(made)
            link(made, kept)
        sync_names(kept.parent)
    return kept


def _named(now: datetime) -> str:
    return f"before-restore-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}"


@contextmanager
def _alone(store: Path) -> Iterator[tuple[str | None, Callable[[], None]]]:
    """Hold the right to write while a store is exchanged.

    Yields:
        the revision of the store that is there (``""``: none, ``None``: it is damaged), and what closes it
        without giving the right back: who opens it until it is exchanged finds that it is taken.

    Raises:
        LeaseHeldError: another process has it.
    """
    try:
        revision = look(store, "quick") if exists(store) else ""
    except sqlite3.Error as error:
        if primary_code(error) not in DAMAGE:
            raise explain(error, store) from error
        revision = None
    if not revision:
        if (keeper := lock_holder(store)) is not None or (exists(store) and in_use(store)):
            raise LeaseHeldError(
                f"A process uses the state store {store}: {keeper or 'see `fuser`'}. Nothing was restored.",
                remedy="Stop it (`systemctl stop skymmich-reconciler`), then run this again.",
            )
        yield revision, lambda: None
        return
    database = Database(store, read_only=False)
    lease = Lease(Fenced(database), lambda: datetime.now(UTC))
    try:
        lease.acquire("restore", _RIGHT)
        yield revision, database.close
    finally:
        with suppress(StateError):
            lease.release()
        database.close()


def _own(made: Path, store: Path) -> None:
    """Give the new store to whom the former one, or its folder, belongs: root restores for the daemon."""
    owner = (store if exists(store) else store.parent).stat()
    if os.geteuid() == 0 and (owner.st_uid, owner.st_gid) != (0, 0):
        os.chown(made, owner.st_uid, owner.st_gid)


def _exchange(made: Path, store: Path, now: datetime, *, damaged: bool) -> Path | None:
    """Put the new store in the place of the former one; give where that is then."""
    if not exists(store) or (not store.stat().st_size and not sidecars(store)):
        made.replace(store)
        return None
    former = unused_name(store, _named(now))
    if damaged:
        move_aside(store, former)
    elif beside := sidecars(store):
        raise StateError(
            f"The state store {store} is open in another process ({beside[0].name} is beside it). "
            "Nothing was restored.",
            remedy=f"Find it with `fuser -v {store}`; wait for it, or end it.",
        )
    else:
        link(store, former)
    made.replace(store)
    return former
