"""The tasks, on procrastinate: what is to be done for which installation, and in which order.

========== ======== ==============================================================================
task       priority does
========== ======== ==============================================================================
sync       10       goes through all images, or some: a person asked for it
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

import zlib
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import procrastinate
import psycopg
from procrastinate import exceptions

from reconciler.service.api import Request
from state.postgres.database import connect, explain
from state.postgres.place import PostgresPlace

if TYPE_CHECKING:
    from collections.abc import Collection

    from procrastinate.jobs import Job

SCHEMA: Final = "skymmich_reconciler_tasks"
QUEUE: Final = "installations"
SCHEDULE: Final = "schedule"
PRIORITIES: Final = {"sync": 10, "look": 0, "audit": -5, "tidy": -10}
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


def request_of(kind: str, images: Collection[int] | None) -> Request:
    """Return what a task asks an installation's service for."""
    match kind:
        case "sync":
            return Request(frozenset(images) if images else None, trigger="api")
        case "audit":
            return Request(full=True, by_person=False, trigger="audit")
        case _:
            return Request(by_person=False, trigger="immich", hints=True)


async def put(
    app: procrastinate.App,
    kind: str,
    installation: str,
    *,
    images: list[int] | None = None,
    in_seconds: float = 0.0,
) -> bool:
    """Put a task into the queue; tells whether it is new there.

    Args:
        app: open.
        kind: see the table above.
        installation: its name.
        images: only these.
        in_seconds: not before.
    """
    which = "" if images is None else f":{','.join(map(str, sorted(images)))}"
    deferrer = app.configure_task(
        kind,
        queue=QUEUE,
        lock=_lock(installation),
        queueing_lock=f"{kind}:{installation}{which}",
        priority=PRIORITIES[kind],
        schedule_in={"seconds": round(in_seconds)} if in_seconds >= 1 else None,
    )
    try:
        await deferrer.defer_async(installation=installation, images=None if images is None else [*images])
    except exceptions.AlreadyEnqueued:
        return False
    return True


async def waiting(app: procrastinate.App, kind: str, installation: str) -> dict[int, Request]:
    """Return what waits in the queue for an installation, by the tasks' numbers."""
    found = await app.job_manager.list_jobs_async(
        queue=QUEUE, task=kind, status="todo", lock=_lock(installation)
    )
    return {job.id: request_of(kind, _images(job)) for job in found if job.id is not None}


def _images(job: Job) -> list[int] | None:
    images = job.task_kwargs.get("images")
    return [one for one in images if isinstance(one, int)] if isinstance(images, list) else None


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
