"""A visit: a worker takes the right to write for an installation, does what is due, and gives it back."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.app.housekeeping import tidy
from reconciler.fleet.standing import NotAtWorkError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from reconciler.core.ports import Clock
    from reconciler.fleet.ceiling import Ceiling
    from reconciler.fleet.standing import Standing, Standings
    from reconciler.service.api import Request, Snapshot
    from reconciler.service.service import Service

LINGER: Final = 3.0
"""Seconds for which a visit waits for what is due next, rather than come back for it."""
_FOR_GOOD: Final = frozenset({"UndoError", "ObservingError", "NotBegunError"})
"""Errors of a run that it would meet again, however often it is tried."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a visit."""

    due: float | None = None
    """Seconds until more is due, if that is known."""
    is_done: bool = False
    """Whether what was asked for is done, or never can be."""
    broken_off: bool = True
    """Whether the worker ends, the right was lost, or the installation was left to its pages."""
    is_left: bool = False
    """Whether it was left to its pages."""


class Visits:
    """Visits of one worker. An installation is visited once at a time: who calls sees to that.

    Args:
        standings: the installations.
        ceiling: of requests for each server.
        clock: time.
        told: is told how a visit leaves an installation, by its name; gives ``False`` if that was removed.
    """

    def __init__(
        self,
        standings: Standings,
        ceiling: Ceiling,
        clock: Clock,
        *,
        told: Callable[[str, Snapshot], Awaitable[bool]],
    ) -> None:
        self._standings, self._ceiling, self._clock, self._told = standings, ceiling, clock, told
        self._stopping = False

    async def visit(self, name: str, request: Request) -> Outcome:
        """Let an installation's service do what is asked and what is due.

        Raises:
            LeaseHeldError: another process has the right to write.
            ServerBusyError: as many requests are under way at its server as may be.
            PausedError, NotAtWorkError: it is paused, or was removed.
            StateTooNewError: a newer version brought the tables up to date: this one is to end.
            ReconcilerError: the installation cannot be visited.
        """
        if self._ends():
            return Outcome()
        async with self._standings.alone(name) as standing, AsyncExitStack() as at_server:
            places = self._ceiling.below(server_of(standing), standing.config.immich.in_flight)
            await at_server.enter_async_context(places)
            async with self._standings.by_right(standing) as service:
                run_id = service.enqueue(request)
                due = await self._work(standing, service)
                if standing.service is not service or service.is_forbidden:
                    standing.service = None
                    return Outcome()  # the right was lost: who has it now tells how it is
                await at_server.aclose()
                if not await self._told(name, service.snapshot()):
                    raise NotAtWorkError(f"{name} was removed.")
                if standing.noticing is not None and not self._ends():
                    await standing.noticing.look()
                done, left = is_done(service, run_id), standing.is_left
                return Outcome(due, done, broken_off=(self._ends() or left) and not done, is_left=left)

    def wish(self, name: str, request: Request) -> str | None:
        """Ask an installation's service for more, if it is at work here; gives the run's id, else ``None``.

        What a person asks for goes before the pass that is under way, as in a daemon.
        """
        standing = self._standings.get(name)
        if standing is None or standing.service is None or not standing.takes_wishes or self._ends():
            return None
        return standing.service.enqueue(request)

    def is_done(self, name: str, run_id: str) -> bool:
        """Return whether a run is done that was wished for here, or never can be."""
        standing = self._standings.get(name)
        return standing is not None and standing.service is not None and is_done(standing.service, run_id)

    async def tidy(self, name: str) -> None:
        """Forget an installation's old history.

        Raises:
            LeaseHeldError, PausedError, NotAtWorkError, StateTooNewError, ReconcilerError: as ``visit``.
        """
        async with self._standings.alone(name) as standing:
            days = standing.config.schedule.journal_days
            await asyncio.to_thread(tidy, standing.store, self._clock.now(), days)

    def leave(self, name: str) -> bool:
        """End an installation's visit, for its pages, which a person opened; tells whether there is one."""
        standing = self._standings.get(name)
        if standing is None or standing.service is None or not standing.takes_wishes:
            return False
        standing.is_left = True
        standing.service.stop_run()
        return True

    def stop(self) -> None:
        """Begin nothing new: what is in flight finishes and is recorded."""
        self._stopping = True
        for standing in self._standings:
            if standing.service is not None:
                standing.service.stop_run()

    def _ends(self) -> bool:
        """Return whether to begin nothing more. Asked anew after each await: the signal may have come."""
        return self._stopping

    async def _work(self, standing: Standing, service: Service) -> float | None:
        """Work until nothing is due for a while; gives the seconds until then, if that is known."""
        standing.takes_wishes, standing.is_left = True, False
        try:
            while not (self._ends() or standing.is_left):
                if await service.tick():
                    continue
                due = service.next_due()
                wait = None if due is None else max(0.0, due - self._clock.monotonic())
                if wait is None or wait > LINGER:
                    return wait
                await asyncio.sleep(wait)
            return None
        finally:
            standing.takes_wishes = False


def server_of(standing: Standing) -> str:
    """Return the address of an installation's Immich; empty while it is not known."""
    named = standing.config.immich.url
    return standing.installed.immich_url or (named.get_secret_value() if named else "")


def is_done(service: Service, run_id: str) -> bool:
    """Return whether a run is done, or never can be."""
    state = service.run_state(run_id)
    if state is None or state.state == "done":
        return True
    kinds = {dict(one.params).get("kind") for one in state.error}
    return state.state == "failed" and bool(kinds & _FOR_GOOD)
