"""Which pages are open in this process: opened when somebody asks, closed when nobody looks."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.errors import ReconcilerError
from reconciler.fleet.pages.attendance import Attendance

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.applications import Starlette

    from reconciler.fleet.pages.attendance import Parts
    from reconciler.web.access.policy import Access

IDLE_S: Final = 60.0
"""Seconds after which workers go on with an installation that nobody looks at any more."""
MOST: Final = 100
"""Installations whose pages are open at once."""
_SWEPT_S: Final = 2.0
_SAID_S: Final = 6.0
"""Seconds for which it is said why pages could not be opened, before it is tried again."""


class TooManyOpenError(ReconcilerError):
    """So many installations' pages are looked at that no more can be opened."""


@dataclass(slots=True)
class Opening:
    """One installation's pages."""

    attendance: Attendance
    access: Access
    task: asyncio.Task[None]
    used_at: float
    requests: int = 0
    """That are being answered; a page that is open has one, its stream of events."""


class Openings:
    """All that are open.

    Args:
        parts: what attendances share.
        idle: seconds until one that nobody looks at is closed.
    """

    def __init__(self, parts: Parts, idle: float = IDLE_S) -> None:
        self._parts, self._idle = parts, idle
        self._open: dict[str, Opening] = {}
        self._stopping = False

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def using(self, name: str, access: Access) -> Iterator[Attendance]:
        """Keep an installation's pages open within; opens them, if they are not.

        Raises:
            TooManyOpenError: too many are open.
            ReconcilerError: they could not be opened a moment ago.
        """
        opening = self._open.get(name)
        if opening is None:
            opening = self._opened(name, access)
        elif opening.task.done():
            failed = opening.attendance.error
            if failed is not None and self._parts.clock.monotonic() < opening.attendance.ended_at + _SAID_S:
                raise failed  # a page that looks again every few seconds has to see it
            opening = self._opened(name, access)
        elif opening.access is not access or opening.attendance.is_ending:
            opening.attendance.end()  # who may see it is another one by now, or it ends for another reason
            opening = self._opened(name, access, after=opening.task)
        opening.requests += 1
        try:
            yield opening.attendance
        finally:
            opening.requests -= 1
            opening.used_at = self._parts.clock.monotonic()

    async def sweep(self) -> None:
        """Close what nobody looks at, until cancelled."""
        while True:
            await self._parts.clock.sleep(_SWEPT_S)
            now = self._parts.clock.monotonic()
            for name, one in list(self._open.items()):
                if one.task.done():
                    if now > one.attendance.ended_at + _SAID_S:
                        del self._open[name]
                elif one.requests or one.attendance.has_wishes:
                    one.used_at = now  # what a person asked for is done first
                elif now - one.used_at > self._idle:
                    one.attendance.end()

    async def aclose(self) -> None:
        """Close everything: what is in flight finishes and is recorded."""
        self._stopping = True
        for one in self._open.values():
            one.attendance.end()
        await asyncio.gather(*(one.task for one in self._open.values()), return_exceptions=True)
        self._open.clear()

    def _opened(self, name: str, access: Access, after: asyncio.Task[None] | None = None) -> Opening:
        if self._stopping or (len(self._open) >= MOST and name not in self._open):
            self._make_room()
        attendance = Attendance(name, access, self._parts)
        task = asyncio.create_task(_keep(attendance, after))
        opening = Opening(attendance, access, task, self._parts.clock.monotonic())
        self._open[name] = opening
        return opening

    def _make_room(self) -> None:
        idle = [one for one in self._open.values() if not (one.requests or one.attendance.has_wishes)]
        if idle:
            min(idle, key=lambda one: one.used_at).attendance.end()
        raise TooManyOpenError(
            "The pages of too many installations are open here." if not self._stopping else "This is ending.",
            remedy="Try again in a few seconds.",
        )


async def _keep(attendance: Attendance, after: asyncio.Task[None] | None) -> None:
    if after is not None:
        await asyncio.wait({after})
    await attendance.keep()


async def app_of(attendance: Attendance, patience: float) -> Starlette | None:
    """Return an attendance's pages once they are there; ``None`` if they are not within so many seconds.

    Raises:
        ReconcilerError: they cannot be opened.
    """
    try:
        async with asyncio.timeout(patience):
            await attendance.begun.wait()
    except TimeoutError:
        return None
    if attendance.app is None and attendance.error is not None:
        raise attendance.error
    return attendance.app
