"""The tasks, on procrastinate: what is to be done for which installation, and in which order.

========== ======== ==============================================================================
task       priority does
========== ======== ==============================================================================
sync       10       goes through all images, or some: a person asked for it
undo       10       takes back a run, an image's last change, or everything: a person asked for it
leave      10       ends the visit that goes on: a person opened the installation's pages
look       0        looks what moved in the catalogue and in Immich; every minute
audit      -5       compares everything; once a day
tidy       -10      forgets old history; once a day
schedule   20       puts the others into the queue; every minute, once for all workers
========== ======== ==============================================================================

All of an installation share a lock, so that one runs at a time; of two that say the same one stays
(``queueing_lock``). The lock only keeps work in order. That nobody writes without the right to is the state's
lease, which is checked with every intent (``state.fence``).
"""

from __future__ import annotations

import asyncio
import json
import zlib
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import procrastinate
import psycopg
from procrastinate import exceptions

from reconciler.engine.undo_wish import UndoWish
from reconciler.errors import StateError
from reconciler.service.api import Request
from state.postgres.database import connect, explain
from state.postgres.place import PostgresPlace

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from reconciler.core.store_keys import UndoingForm

SCHEMA: Final = "skymmich_reconciler_tasks"
QUEUE: Final = "installations"
SCHEDULE: Final = "schedule"
LEAVE: Final = "leave"
PRIORITIES: Final = {"sync": 10, "undo": 10, LEAVE: 10, "look": 0, "audit": -5, "tidy": -10}
BY_PERSON: Final = ("sync", "undo")
_MORE: Final = ("full", "force", "approved", "again", "trigger")
PATIENCE_S: Final = 10.0
"""Seconds for which a connection to the queue is waited for."""
_MAKE_LOCK: Final = 0x534B5954
_SPREAD_S: Final = 3600
"""Seconds over which what is done once a day is spread."""


def app_at(address: str) -> procrastinate.App:
    """Make the application that puts tasks into a database's queue, and takes them from there."""
    options = f"-c search_path={SCHEMA}"
    connector = procrastinate.PsycopgConnector(
        conninfo=address,
        min_size=1,
        max_size=4,
        timeout=PATIENCE_S,
        kwargs={"options": options, "application_name": "skymmich-reconciler"},
    )
    return procrastinate.App(connector=connector)


def make_tables(address: str) -> None:
    """Make the queue's tables, if they are missing; one process at a time.

    Raises:
        StateError: they cannot be made.
    """
    from procrastinate.schema import SchemaManager  # noqa: PLC0415 - its text is read from a file

    place = PostgresPlace(address)
    try:
        with connect(place) as connection:
            connection.execute("SELECT pg_advisory_lock(%s, 0)", (_MAKE_LOCK,))
            (there,) = connection.execute(
                "SELECT to_regclass(%s) IS NOT NULL", (f"{SCHEMA}.procrastinate_jobs",)
            ).fetchone() or (False,)
            if not there:
                connection.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
                connection.execute(f"SET search_path = {SCHEMA}")
                with connection.transaction():
                    connection.execute(SchemaManager.get_schema().encode())
    except psycopg.Error as error:
        raise explain(error, place) from None


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done for an installation."""

    kind: str
    """See the table above."""
    installation: str
    images: tuple[int, ...] | None = None
    """Of ``sync``: only these."""
    undo: UndoingForm | None = None
    """Of ``undo``: what is taken back."""
    more: Mapping[str, Any] | None = None
    """Of ``sync``: what else a person asked for with it, named as in ``service.api.Request``."""

    @classmethod
    def of(cls, kind: str, arguments: Mapping[str, Any]) -> Task:
        """Return a task from what ``arguments`` made."""
        images, undo, more = (arguments.get(name) for name in ("images", "undo", "more"))
        some = None if images is None else tuple(images)
        return cls(kind, str(arguments["installation"]), some, undo, more)

    @classmethod
    def of_request(cls, installation: str, request: Request) -> Task:
        """Return the task that asks for what a person asked of a service."""
        if request.undo is not None:
            return cls("undo", installation, undo=request.undo.to_json())
        usual = Request(trigger="api")
        asked = {name: getattr(request, name) for name in _MORE}
        more = {name: value for name, value in asked.items() if value != getattr(usual, name)}
        images = None if request.image_ids is None else tuple(sorted(request.image_ids))
        return cls("sync", installation, images, more=more or None)

    @property
    def arguments(self) -> dict[str, Any]:
        """Return it as the queue keeps it."""
        images = None if self.images is None else list(self.images)
        found = {"installation": self.installation, "images": images, "undo": self.undo, "more": self.more}
        return {name: value for name, value in found.items() if value is not None}

    @property
    def request(self) -> Request:
        """Return what it asks of the installation's service."""
        match self.kind:
            case "sync":
                known = {name: value for name, value in (self.more or {}).items() if name in _MORE}
                return Request(frozenset(self.images) if self.images else None, **{"trigger": "api"} | known)
            case "undo":
                return Request(undo=UndoWish.from_json(self.undo or {}), trigger="undo")
            case "audit":
                return Request(full=True, by_person=False, trigger="audit")
            case _:
                return Request(by_person=False, trigger="immich", hints=True)

    @property
    def is_persons(self) -> bool:
        """Whether a person asked for it."""
        return self.kind in BY_PERSON

    @property
    def sameness(self) -> str:
        """Return what is the same of two tasks of which one is enough."""
        which = "" if self.images is None else f":{','.join(map(str, sorted(self.images)))}"
        what = "" if self.undo is None else f":{json.dumps(self.undo, sort_keys=True)}"
        more = "" if self.more is None else f":{json.dumps(dict(self.more), sort_keys=True)}"
        return f"{self.kind}:{self.installation}{which}{what}{more}"


async def put(app: procrastinate.App, task: Task, *, in_seconds: float = 0.0) -> bool:
    """Put a task into the queue; tells whether it is new there.

    Args:
        app: open.
        task: what is to be done.
        in_seconds: not before.
    """
    deferrer = app.configure_task(
        task.kind,
        queue=QUEUE,
        lock=_lock(task.installation),
        queueing_lock=task.sameness,
        priority=PRIORITIES[task.kind],
        schedule_in={"seconds": round(in_seconds)} if in_seconds >= 1 else None,
    )
    try:
        await deferrer.defer_async(**task.arguments)
    except exceptions.AlreadyEnqueued:
        return False
    return True


def put_by_person(address: str, task: Task) -> bool:
    """Put what a person asks for into a database's queue; tells whether it is new there.

    Raises:
        StateError: the queue cannot be had.
    """
    make_tables(address)

    async def put_anew() -> bool:
        app = app_at(address)
        async with app.open_async():
            return await put(app, task)

    with _unreachable(task):
        return asyncio.run(put_anew())


async def put_now(app: procrastinate.App, task: Task) -> bool:
    """Put what a person asks for into an open queue; tells whether it is new there.

    Raises:
        StateError: the queue cannot be had.
    """
    with _unreachable(task):
        return await put(app, task)


@contextmanager
def _unreachable(task: Task) -> Iterator[None]:
    try:
        yield
    except (exceptions.ConnectorException, psycopg.Error) as error:
        raise StateError(
            f"{task.kind} could not be put into the queue: the database cannot be reached.",
            remedy="Try again; nothing was asked for.",
        ) from error


async def waiting(app: procrastinate.App, installation: str, kinds: Iterable[str]) -> dict[int, Task]:
    """Return what waits in the queue for an installation, by the tasks' numbers."""
    found = {}
    for kind in kinds:
        for job in await app.job_manager.list_jobs_async(
            queue=QUEUE, task=kind, status="todo", lock=_lock(installation)
        ):
            if job.id is not None:
                found[job.id] = Task.of(kind, job.task_kwargs)
    return found


def _lock(installation: str) -> str:
    return f"installation:{installation}"


def due_today(installation: str, kind: str, moment: int, look_seconds: float) -> bool:
    """Return whether what is done once a day falls into the interval that ends now.

    Args:
        installation: each has its own time within an hour in the night (UTC).
        kind: ``audit`` or ``tidy``.
        moment: of the interval's end, in seconds since 1970.
        look_seconds: the interval's length.
    """
    begin = {"audit": 3 * 3600, "tidy": 2 * 3600}[kind]
    at = begin + zlib.crc32(installation.encode()) % _SPREAD_S
    today = datetime.fromtimestamp(moment, UTC)
    seconds = today.hour * 3600 + today.minute * 60 + today.second
    return 0 <= seconds - at < look_seconds
