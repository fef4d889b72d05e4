"""Puts the pages and the API of one installation together: they show a daemon and its store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.app.overrides import OwnTemplate, settings_writer
from reconciler.app.store_place import place_of, store_mark
from reconciler.config import redact_url
from reconciler.errors import ConfigurationError
from reconciler.web.access.policy import Access
from reconciler.web.app import create_app
from reconciler.web.server import WebServer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from starlette.applications import Starlette

    from reconciler.app.wiring import Present
    from reconciler.config import Config
    from reconciler.rendering.renderer import SafeRenderer
    from reconciler.service.api import Control
    from reconciler.web.ports import Doctor, Messenger
    from state.store import StateStore


def web_server(  # noqa: PLR0913 - each is one thing the page is given, by name
    config: Config,
    control: Control,
    present: Present,
    store: StateStore,
    *,
    renderer: SafeRenderer,
    passes: Callable[[], Mapping[str, int]] = dict,
    doctor: Doctor | None = None,
    messenger: Messenger | None = None,
) -> WebServer:
    """Make the status endpoint; it is not listening yet.

    Args:
        config: as the daemon started with it.
        control: the daemon.
        present: what is in force, through all reloads.
        store: the daemon's own.
        renderer: of templates.
        passes: counts those that ended, by result.
        doctor: runs the checks of the doctor's page; without, there is none.
        messenger: sends a test notice; without, there is no button for it.

    Raises:
        ConfigurationError: users are named, and no header that tells them.
    """
    status = config.status
    if status.users and not status.user_header:
        raise ConfigurationError(
            "[status] users is set, and [status] user_header is not: nobody can be known to be one of them.",
            remedy="Name the header in which the reverse proxy tells who logged in, or leave users out.",
        )
    access = Access(
        host=status.host,
        token=status.shown_token,
        allowed_hosts=frozenset(status.allowed_hosts),
        user_header=status.user_header,
        proxies=frozenset(status.trusted_proxies),
        users=frozenset(status.users) or None,
        memory=store,
        mark=lambda: store_mark(place_of(config)),
    )
    app = pages_of(
        config, control, present, store,
        access=access, renderer=renderer, passes=passes, doctor=doctor, messenger=messenger,
    )  # fmt: skip
    return WebServer(app, status.host, status.port)


def pages_of(  # noqa: PLR0913 - each is one thing the page is given, by name
    config: Config,
    control: Control,
    present: Present,
    store: StateStore,
    *,
    access: Access,
    renderer: SafeRenderer,
    passes: Callable[[], Mapping[str, int]] = dict,
    doctor: Doctor | None = None,
    messenger: Messenger | None = None,
    installation: str = "",
) -> Starlette:
    """Make the pages and the API; arguments as ``web_server`` and ``create_app`` have them."""
    return create_app(
        control,
        store,
        access=access,
        passes=passes,
        thumbnails=present,
        requests=present.requests,
        settings=settings_writer(config, store, control.catalogue),
        template=OwnTemplate(store, present.configured),
        renderer=renderer,
        doctor=doctor,
        messenger=messenger,
        skymmich_url=redact_url(config.skymmich_address() or ""),
        installation=installation,
    )
