"""Tells the database how each installation was found, with every visit."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.errors import StateError
from reconciler.messages.headlines import sentence
from reconciler.messages.voice import told
from reconciler.redaction import redact
from state.postgres.statuses import InstallationStatus, Statuses

if TYPE_CHECKING:
    from reconciler.core.ports import Clock
    from reconciler.errors import ReconcilerError
    from reconciler.service.api import Snapshot
    from state.postgres.place import PostgresPlace


def status_of(snapshot: Snapshot) -> tuple[str, str]:
    """Return the level, and the headline without the times, which go on while it stands in the database."""
    headline = replace(snapshot.headline, looked=None, next_look=None)
    return headline.level, redact(sentence(headline))


class Told:
    """What this worker tells of the installations that it visits.

    Args:
        place: the database.
        clock: time.
    """

    def __init__(self, place: PostgresPlace, clock: Clock) -> None:
        self._statuses, self._clock = Statuses(place), clock
        self._worker = f"{socket.gethostname()}, process {os.getpid()}"

    async def visited(self, name: str, snapshot: Snapshot) -> bool:
        """Tell how a visit found an installation; ``False``: it was removed meanwhile."""
        level, text = status_of(snapshot)
        counts: dict[str, int] = {status: count for status, count in snapshot.counts.items() if count}
        return await self._tell(
            name, InstallationStatus(level, text, self._clock.now(), snapshot.checked_at, counts)
        )

    async def failed(self, name: str, error: ReconcilerError) -> None:
        """Tell why an installation could not be visited; what its images are like stays as it was."""
        text = redact(told(error, "daemon"))
        await self._tell(name, InstallationStatus("trouble", text, self._clock.now()))

    def close(self) -> None:
        """Close the connection."""
        self._statuses.close()

    async def _tell(self, name: str, status: InstallationStatus) -> bool:
        try:
            return await asyncio.to_thread(self._statuses.save, name, replace(status, worker=self._worker))
        except StateError:  # the next visit tells it, where the database cannot be reached now
            return True
