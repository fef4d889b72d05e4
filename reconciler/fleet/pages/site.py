"""Puts the list, the installations' places and what opens them together."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.fleet.ceiling import Ceiling
from reconciler.fleet.pages.attendance import Parts
from reconciler.fleet.pages.known import KnownInstallations
from reconciler.fleet.pages.listing import Listing
from reconciler.fleet.pages.openings import IDLE_S, Openings
from reconciler.fleet.pages.router import Router
from reconciler.fleet.standing import Standings
from reconciler.fleet.statuses import Told
from reconciler.immich.client import SystemClock
from reconciler.rendering.renderer import SafeRenderer
from reconciler.web.static_files import StaticFiles
from state.lease import PAGE
from state.postgres.place import PostgresPlace
from state.postgres.places import Places

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import procrastinate

    from reconciler.config import Config
    from reconciler.fleet.configured import Configured
    from reconciler.fleet.pages.doors import Doors


@dataclass(frozen=True, slots=True)
class Site:
    """All pages."""

    router: Router
    openings: Openings


@asynccontextmanager
async def site_of(
    config: Config, configured: Configured, doors: Doors, queue: procrastinate.App, *, idle: float = IDLE_S
) -> AsyncIterator[Site]:
    """Make the pages of many installations; what is open is closed at the end.

    Args:
        config: the fleet's.
        configured: finds the installations' configurations.
        doors: who may see what.
        queue: open.
        idle: seconds until workers go on with an installation that nobody looks at any more.
    """
    clock, address, static = SystemClock(), configured.address, StaticFiles()
    async with AsyncExitStack() as stack:
        places, statuses = Places(PostgresPlace(address)), Told(PostgresPlace(address), clock)
        stack.push_async_callback(asyncio.to_thread, places.close)
        stack.push_async_callback(asyncio.to_thread, statuses.close)
        renderer = stack.enter_context(SafeRenderer())
        standings = Standings(
            configured,
            clock,
            renderer,
            right=config.fleet.right_seconds,
            fresh_for=3 * config.fleet.look_seconds + 15,
            what=PAGE,
        )
        stack.push_async_callback(standings.aclose)
        ceiling = Ceiling(places, config.fleet.requests_per_server)
        openings = Openings(Parts(configured, standings, ceiling, clock, renderer, statuses, queue), idle)
        stack.push_async_callback(openings.aclose)
        sweeper = asyncio.create_task(openings.sweep())
        stack.callback(sweeper.cancel)
        known = KnownInstallations(address, doors.host_of, clock)
        listing = Listing(address, doors, queue, static, known).app()
        yield Site(Router(listing, known, doors, openings, static), openings)
