"""The catalogue at Skymmich's web address; fulfils ``core.ports.CatalogueSource``.

Every question for its token is a look: see ``look``. What it finds is read by the reader of all sources.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.errors import CatalogueError
from reconciler.skymmich.database import SqliteMoment
from reconciler.skymmich.reader import CatalogueReader
from reconciler.skymmich.rest.client import Transport, stopped
from reconciler.skymmich.rest.look import Look
from reconciler.skymmich.rest.mirror import Mirror
from reconciler.skymmich.rest.pace import Pace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from reconciler.core.catalogue import Catalogue
    from reconciler.core.ports import ObjectCatalogue
    from reconciler.http_way import Way
    from reconciler.skymmich.tables import Columns

_KINDS = {"sqlite": ", SQLite behind it", "postgresql": ", PostgreSQL behind it"}


@dataclass(frozen=True, slots=True)
class Freshness:
    """How old what is known of Skymmich is; Unix seconds."""

    lists_at: float
    links_at: float
    details_at: float | None
    """The oldest; ``None``: there are no images."""
    stamp_tells: bool
    """Whether it is noticed at once when something is saved."""


class RestCatalogue:
    """A Skymmich at its web address; never written to.

    Args:
        url: its address. A login in it, for a proxy in front, is never shown.
        kept: the file in which its answers are kept; ``None``: in memory, and so read anew at each start.
        pace: how often it is looked through.
        sky: knows objects that Skymmich's own table lacks.
        progress: told how many of how many images have been read, where it takes a while.
        clock: Unix seconds.
        way: whom to trust, and a proxy.
    """

    def __init__(
        self,
        url: str,
        *,
        kept: Path | None = None,
        pace: Pace | None = None,
        sky: ObjectCatalogue | None = None,
        progress: Callable[[int, int], None] = lambda _done, _of: None,
        clock: Callable[[], float] = time.time,
        way: Way | None = None,
    ) -> None:
        self._stopped = threading.Event()
        self.transport = Transport(url, self._stopped.is_set, way)
        self._kept, self._pace, self._progress, self._clock = kept, pace or Pace(), progress, clock
        self._reader, self._turn = CatalogueReader(sky), threading.Lock()
        self._mirror: Mirror | None = None
        self._failure: CatalogueError | None = None
        self._looked = False
        self._closely = False
        self._expected: set[int] = set()
        self._under_way: tuple[asyncio.AbstractEventLoop, asyncio.Task[object]] | None = None

    def __repr__(self) -> str:
        return f"RestCatalogue({self.transport.address!r})"

    def read(self) -> Catalogue:
        """Read everything as of the look just before, or of one that is taken now.

        Raises:
            CatalogueError: it is not reached, or does not answer as Skymmich does.
        """
        with self._turn:
            failure, self._failure = self._failure, None
            if failure is not None:
                raise failure
            if not self._looked:
                self._look(closely=True)
            self._looked = False
            try:
                mirror = self._open()
                with mirror.reading():
                    return self._reader.read(_Moment(mirror))
            except sqlite3.Error as error:
                raise self._unkept(error) from error

    def data_version(self) -> object:
        """Look, and return a token that differs once something changed; ``None``: the look failed."""
        with self._turn:
            closely, self._closely = self._closely, False
            try:
                self._look(closely=closely)
            except CatalogueError as error:
                self._failure, self._looked = error, False
                return None
            self._failure, self._looked = None, True
            return self._open().memory().version

    def hint(self, image_id: int | None = None) -> None:
        """Let the next look be a close one: something happened, to this image if one is named."""
        self._closely = True
        if image_id is not None:
            self._expected.add(image_id)

    def freshness(self) -> Freshness:
        """Say how old what is known is."""
        with self._turn:
            mirror = self._open()
            memory = mirror.memory()
            tells = bool(memory.stamp) and memory.stamp_tells
            return Freshness(memory.lists_at, memory.links_at, mirror.oldest(), tells)

    def stop(self) -> None:
        """Send nothing more: a look that is under way ends with an error, at once."""
        self._stopped.set()
        if (under_way := self._under_way) is not None:
            loop, task = under_way
            with suppress(RuntimeError):  # it came to its end just now
                loop.call_soon_threadsafe(task.cancel)

    def close(self) -> None:
        """Stop, and let go of the file."""
        self.stop()
        with self._turn:
            if self._mirror is not None:
                self._mirror.close()
                self._mirror = None

    def _look(self, *, closely: bool) -> None:
        try:
            mirror = self._open()
            while self._expected:
                mirror.expect(self._expected.pop())
            asyncio.run(self._looking(mirror, closely=closely))
        except asyncio.CancelledError:
            raise stopped() from None
        except sqlite3.Error as error:
            raise self._unkept(error) from error

    async def _looking(self, mirror: Mirror, *, closely: bool) -> None:
        task = asyncio.current_task()
        self._under_way = (asyncio.get_running_loop(), task) if task is not None else None
        async with self.transport.open() as client:
            await Look(client, mirror, self._pace, self._clock(), self._progress).run(closely=closely)

    def _open(self) -> Mirror:
        if self._mirror is None:
            self._mirror = Mirror(self._kept, self.transport.address)
        return self._mirror

    def _unkept(self, error: sqlite3.Error) -> CatalogueError:
        """Say that what was answered could not be kept, and begin anew: it is a cache."""
        if self._mirror is not None:
            self._mirror.close()
            self._mirror = None
        return CatalogueError(
            f"What Skymmich answers cannot be kept in {self._kept or 'memory'}: {error}.",
            remedy="If it lasts, stop this program and delete that file: it is read anew then.",
            again="by_itself",
        )


class _Moment(SqliteMoment):
    """The mirror, as the reader wants it."""

    def __init__(self, mirror: Mirror) -> None:
        kind = _KINDS.get(mirror.memory().kind, "")
        super().__init__(mirror.connection, f"Skymmich's web address{kind}")
        self._mirror = mirror

    def columns(self) -> Columns:
        """Return what the answers have."""
        return self._mirror.columns()
