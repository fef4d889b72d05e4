"""The switches on an open page: each holds at once, and can be taken back before anything comes of it.

Without JavaScript the form is saved as a whole: see ``actions``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.routing import Route

from reconciler.core.policy import ALL_SWITCHES
from reconciler.messages.translation import Message, say
from reconciler.web import params
from reconciler.web.api.switches import change_switches, skymmichs_own

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from reconciler.core.policy import Switches
    from reconciler.web.context import Panel
    from reconciler.web.pages.renderer import Pages

GRACE_S: Final = 8.0
"""Seconds before a pass goes by a switch, unless a person asks for one: in them it can be taken back."""
_ON: Final[Mapping[str, Message]] = {
    "enabled": Message("Metadata sync is on."),
    "description": Message("Descriptions are kept in sync."),
    "coordinates": Message("Places are kept in sync."),
    "tags": Message("Tags are kept in sync."),
    "dates": Message("Dates are kept in sync."),
    "albums": Message("Albums are kept in sync."),
    "stacks": Message("What is written goes to stacks, too."),
}
_OFF: Final[Mapping[str, Message]] = {
    "enabled": Message("Metadata sync is off: nothing is written."),
    "description": Message("Descriptions are switched off: they stay in Immich as they are."),
    "coordinates": Message("Places are switched off: they stay in Immich as they are."),
    "tags": Message("Tags are switched off: they stay in Immich as they are."),
    "dates": Message("Dates are switched off: they stay in Immich as they are."),
    "albums": Message("Albums are switched off: they stay in Immich as they are."),
    "stacks": Message("Stacks are switched off: what was written to them stays as it is."),
}


class Switching:
    """The handler."""

    def __init__(self, panel: Panel, pages: Pages) -> None:
        self._panel, self._pages = panel, pages

    def routes(self) -> list[Route]:
        """List the address."""
        return [Route("/switches", self.switch, methods=["POST"])]

    async def switch(self, request: Request) -> Response:
        """Let what was switched hold, and show the switches with a word on it, and a way back."""
        changes = params.ticked_otherwise(await params.form(request))
        before = await self._panel.control.read_switches()
        await change_switches(self._panel, changes, delay=GRACE_S)
        now = self._panel.control.snapshot().switches or before
        changed = [name for name in ALL_SWITCHES.values() if getattr(before, name) != getattr(now, name)]
        values = {
            "snapshot": self._panel.control.snapshot(),
            "settings": self._panel.settings,
            "theirs": skymmichs_own(self._panel),
            "told": " ".join(say((_ON if getattr(now, name) else _OFF)[name]) for name in changed),
            "back": _form(now, before),
        }
        return self._pages.page(request, "_switched.html", values)


def _form(shown: Switches, wanted: Switches) -> dict[str, str]:
    """Return the form that shows some switches, and asks for others."""
    form = {
        f"{params.SHOWN}{key}": "on" if getattr(shown, name) else "off" for key, name in ALL_SWITCHES.items()
    }
    return form | {key: "on" for key, name in ALL_SWITCHES.items() if getattr(wanted, name)}
