"""Puts the room together: one ASGI application, served by ``serving`` in the daemon's own event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware

from reconciler.errors import ReconcilerError
from reconciler.web.access import Access
from reconciler.web.api import Api
from reconciler.web.events import Events
from reconciler.web.health import Health
from reconciler.web.metrics import Metrics
from reconciler.web.middleware import Gate
from reconciler.web.panel import Panel, utc_now
from reconciler.web.problems import answer_with_problem
from reconciler.web.skymmich_buttons import SkymmichButtons

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from reconciler.engine.control import Control
    from reconciler.web.ports import Doctor, History, RequestCounts, SettingsWriter, Thumbnails


def create_app(  # noqa: PLR0913 - each is one thing the room is given, by name
    control: Control,
    history: History,
    *,
    access: Access | None = None,
    thumbnails: Thumbnails | None = None,
    requests: Callable[[], RequestCounts] = dict,
    passes: Callable[[], Mapping[str, int]] = dict,
    settings: SettingsWriter | None = None,
    doctor: Doctor | None = None,
    skymmich_url: str = "",
    now: Callable[[], datetime] = utc_now,
) -> Starlette:
    """Make the application.

    Args:
        control: the running daemon.
        history: the state store.
        access: who may ask; by default whoever reaches this machine's loopback.
        thumbnails: where pictures come from; without, pages have none.
        requests: counts of requests to Immich, for the metrics.
        passes: counts of passes that ended, by result, for the metrics.
        settings: where the switches are changed; without, pages only show them.
        doctor: runs the doctor's checks; without, there is no such page.
        skymmich_url: Skymmich's web address, for links.
        now: the clock.
    """
    panel = Panel(
        control,
        history,
        access or Access(),
        thumbnails=thumbnails,
        requests=requests,
        passes=passes,
        settings=settings,
        doctor=doctor,
        skymmich_url=skymmich_url,
        now=now,
    )
    parts = (Api(panel), Events(panel), Health(panel), Metrics(panel), SkymmichButtons(panel))
    app = Starlette(
        routes=[route for part in parts for route in part.routes()],
        middleware=[Middleware(Gate, access=panel.access, refuse=answer_with_problem)],
        exception_handlers={
            HTTPException: answer_with_problem,
            ReconcilerError: answer_with_problem,
            Exception: answer_with_problem,
        },
    )
    app.state.panel = panel
    return app
