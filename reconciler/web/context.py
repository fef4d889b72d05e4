"""Everything the handlers of this room share, as one value."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.core.desired.builtin import BuiltIn
from reconciler.web.access.policy import Access

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

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


def utc_now() -> datetime:
    """Return the time, aware."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Panel:
    """The daemon as this room sees it, and what the configuration says of this room."""

    control: Control
    history: History
    access: Access = field(default_factory=Access)
    thumbnails: Thumbnails | None = None
    requests: Callable[[], RequestCounts] = dict
    passes: Callable[[], Mapping[str, int]] = dict
    """Passes that ended since the start, by result."""
    settings: SettingsWriter | None = None
    template: TemplateKeeper | None = None
    renderer: Renderer = field(default_factory=BuiltIn)
    """Of the templates that are tried."""
    doctor: Doctor | None = None
    messenger: Messenger | None = None
    """Of notices; ``None``: nobody sends any."""
    skymmich_url: str = ""
    """Skymmich's web address, for links; empty: unknown."""
    installation: str = ""
    """Its name, where pages of others are at hand, too."""
    now: Callable[[], datetime] = utc_now
    closing: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the server stops: open event streams end then."""
    planning: asyncio.Lock = field(default_factory=asyncio.Lock)
    """One preview at a time: each asks Immich."""
