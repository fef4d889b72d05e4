"""Puts the room together: one ASGI application, served by ``serving`` in the daemon's own event loop."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from reconciler.core.desired.builtin import BuiltIn
from reconciler.web.access.login import Login
from reconciler.web.access.middleware import guarded
from reconciler.web.access.policy import Access
from reconciler.web.api.beginning import BeginApi
from reconciler.web.api.openapi import Description
from reconciler.web.api.routes import Api
from reconciler.web.api.selection import SelectionApi
from reconciler.web.api.skymmich_buttons import SkymmichButtons
from reconciler.web.api.switches import SwitchesApi
from reconciler.web.api.template import TemplateApi
from reconciler.web.context import Panel, utc_now
from reconciler.web.error_handlers import Refusals
from reconciler.web.image_index import Lookups
from reconciler.web.live.events import Events
from reconciler.web.live.health import Health
from reconciler.web.live.metrics import Metrics
from reconciler.web.pages.actions import Actions
from reconciler.web.pages.beginning import Beginning
from reconciler.web.pages.carrying_over import CarryingOver
from reconciler.web.pages.changed_since import ChangedSince
from reconciler.web.pages.conflicts import Decisions
from reconciler.web.pages.crossings import Crossings
from reconciler.web.pages.decide import Deciding
from reconciler.web.pages.doctor import DoctorPages
from reconciler.web.pages.images import ImagePages
from reconciler.web.pages.leaving_out import LeavingOut
from reconciler.web.pages.overview import OverviewPages
from reconciler.web.pages.pictures import Pictures
from reconciler.web.pages.renderer import Pages
from reconciler.web.pages.switching import Switching
from reconciler.web.pages.taking_back import TakingBack
from reconciler.web.pages.template import TemplatePages
from reconciler.web.pages.toasts import Toasts
from reconciler.web.static_files import StaticFiles
from reconciler.web.template_preview import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from starlette.applications import Starlette

    from reconciler.core.ports import Renderer
    from reconciler.service.api import Control
    from reconciler.web.ports import (
        Doctor,
        History,
        Messenger,
        RequestCounts,
        SettingsWriter,
        TemplateKeeper,
        Thumbnails,
    )


def create_app(  # noqa: PLR0913 - each is one thing the room is given, by name
    control: Control,
    history: History,
    *,
    access: Access | None = None,
    thumbnails: Thumbnails | None = None,
    requests: Callable[[], RequestCounts] = dict,
    passes: Callable[[], Mapping[str, int]] = dict,
    settings: SettingsWriter | None = None,
    template: TemplateKeeper | None = None,
    renderer: Renderer | None = None,
    doctor: Doctor | None = None,
    messenger: Messenger | None = None,
    skymmich_url: str = "",
    installation: str = "",
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
        template: where the block's template is kept; without, there is no such page.
        renderer: of the templates that are tried; without, there is only the built-in one.
        doctor: runs the doctor's checks; without, the page shows only what the daemon knows.
        messenger: sends a test notice; without, there is no button for it.
        skymmich_url: Skymmich's web address, for links.
        installation: its name, where pages of others are at hand, too.
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
        template=template,
        renderer=renderer or BuiltIn(),
        doctor=doctor,
        messenger=messenger,
        skymmich_url=skymmich_url,
        installation=installation,
        now=now,
    )
    pages, lookups = Pages(panel), Lookups(panel.control)
    trial, beginning = Trial(panel, lookups), Beginning(panel)
    toasts = Toasts(panel.control, pages)
    images, refuse = ImagePages(panel, pages, lookups), Refusals(pages).answer
    deciding = Deciding(panel, pages, lookups, images, toasts)
    parts = (
        *(
            Api(panel, lookups),
            BeginApi(panel),
            SwitchesApi(panel),
            Switching(panel, pages),
            Events(panel),
            Health(panel),
            Metrics(panel),
            SkymmichButtons(panel),
            Description(),
        ),
        *(
            beginning,
            OverviewPages(panel, pages, lookups, beginning),
            images,
            ChangedSince(panel, pages),
            Actions(panel, images, toasts),
            toasts,
            deciding,
            SelectionApi(panel, deciding),
            Login(panel.access, pages),
        ),
        LeavingOut(panel),
        CarryingOver(panel),
        *(Decisions(panel), Crossings(panel, lookups), TakingBack(panel, pages, lookups, toasts)),
        DoctorPages(panel, pages, lookups),
        *(
            TemplatePages(panel, pages, lookups, trial),
            TemplateApi(trial),
            Pictures(panel, lookups),
            StaticFiles(),
        ),
    )
    app = guarded([route for part in parts for route in part.routes()], panel.access, refuse)

    async def warm() -> None:
        async with asyncio.TaskGroup() as both:
            both.create_task(pages.warm())
            await images.warm()

    app.state.panel, app.state.warm = panel, warm
    return app
