"""``/livez`` and ``/readyz``: named checks; strangers are told which fails, and not why."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse

from reconciler.errors import StateError
from reconciler.messages.conditions import message
from reconciler.models.requests import Verbosely
from reconciler.redaction import redact
from reconciler.web.api.operations import Answer, operation, routes_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from reconciler.service.api import ConditionType
    from reconciler.web.context import Panel

CHECKS: dict[ConditionType, str] = {
    "StoreWritable": "store",
    "Configured": "configuration",
    "Writer": "lease",
    "Working": "passes",
    "CatalogueReadable": "catalogue",
    "ImmichReachable": "immich",
    "Fresh": "fresh",
}
"""Condition → check. Unknown is not ready: nothing was seen yet."""
_NEEDED: tuple[ConditionType, ...] = ("CatalogueReadable", "ImmichReachable")
_NEEDS_IMMICH: tuple[ConditionType, ...] = ("ImmichReachable", "Fresh")

_WELL = Answer("Well", media_type="text/plain")


class Health:
    """The handlers."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    def routes(self) -> list[Route]:
        """List the addresses."""
        return routes_of(self)

    @operation("GET", "/livez", {200: _WELL}, query=Verbosely)
    async def livez(self, request: Request) -> Response:
        """Tell that the event loop answers: there is nothing here that a restart would mend."""
        return _told("livez", {"loop": ""}, request)

    @operation(
        "GET", "/readyz", {200: _WELL, 503: Answer("Not ready", media_type="text/plain")}, query=Verbosely
    )
    async def readyz(self, request: Request) -> Response:
        """Return whether it can do its work now."""
        checks = {"store": ""}
        try:
            await asyncio.to_thread(self._panel.history.counts_by_status)
        except StateError as error:
            checks["store"] = str(error)
        known = {condition.type: condition for condition in self._panel.control.snapshot().conditions}
        off = "SyncEnabled" in known and known["SyncEnabled"].status == "False"
        for kind, name in CHECKS.items():
            condition = known.get(kind)
            if off and kind in _NEEDS_IMMICH:
                continue  # then Immich is not even asked
            if condition is None and kind in _NEEDED:
                checks[name] = "not seen yet"
            elif condition is not None:
                fine = condition.status == "True"
                why = "" if fine else message(condition) or condition.reason
                checks[name] = checks.get(name) or why
        return _told("readyz", checks, request)


def _told(endpoint: str, checks: dict[str, str], request: Request) -> Response:
    ready = not any(checks.values())
    if ready and "verbose" not in request.query_params:
        return PlainTextResponse("ok\n")
    trusted = request.state.trusted
    lines = [
        f"[-]{name} failed: {redact(why) if trusted else 'reason withheld'}" if why else f"[+]{name} ok"
        for name, why in checks.items()
    ]
    lines.append(f"{endpoint} check {'passed' if ready else 'failed'}")
    return PlainTextResponse("\n".join(lines) + "\n", 200 if ready else 503)
