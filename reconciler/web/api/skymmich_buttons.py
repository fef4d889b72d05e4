"""Skymmich's own two addresses, so that a reverse proxy can point its buttons here.

The answers have the shape that Skymmich's page reads, ``{"success": …, "message": …}``. They wait for the
outcome: success is said of what was seen in Immich, and of nothing else. What takes longer goes on, and the
answer says so.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.records import FINE
from reconciler.engine.item import is_catalogues
from reconciler.messages.nouns import counted
from reconciler.messages.reasons import joined_reasons, sentence
from reconciler.models.status import Said
from reconciler.redaction import redact
from reconciler.service.api import Request as Wish
from reconciler.web.api.operations import Answer, operation, routes_of
from reconciler.web.api.problems import ProblemError
from reconciler.web.api.responses import JsonResponse
from reconciler.web.api.routes import is_over, linked_image

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import Route

    from reconciler.service.api import RunState
    from reconciler.web.context import Panel

BASE = "/api/immich"
PATIENCE = 55.0
"""Seconds: proxies give up after 60."""

_ALL = {
    200: Answer("Seen in Immich", Said),
    202: Answer("Going on", Said),
    502: Answer("Not synced", Said),
}
# An address without a number names nothing at all.
_ONE = {**_ALL, 404: Answer("Not synced", Said, problem=True), 409: Answer("Not synced", Said)}


class SkymmichButtons:
    """The handlers.

    Args:
        panel: the daemon.
        patience: seconds to wait for the outcome.
    """

    def __init__(self, panel: Panel, patience: float = PATIENCE) -> None:
        self._panel, self._patience = panel, patience

    def routes(self) -> list[Route]:
        """List the addresses."""
        return routes_of(self)

    @operation("POST", f"{BASE}/sync-metadata/{{image_id:int}}", _ONE, name="skymmichSync")
    async def one(self, request: Request) -> Response:
        """Sync one image."""
        image_id = request.path_params["image_id"]
        try:
            linked_image(self._panel, image_id)
        except ProblemError as error:
            return _said(error.status_code, success=False, message=error.detail)
        state = await self._ask(Wish(frozenset({image_id}), trigger="skymmich"))
        return _one(state, image_id)

    @operation("POST", f"{BASE}/sync-metadata-all", _ALL, name="skymmichSyncAll")
    async def all(self, _: Request) -> Response:
        """Sync all images."""
        return _all(await self._ask(Wish(full=True, trigger="skymmich")))

    async def _ask(self, wish: Wish) -> RunState | None:
        run_id = self._panel.control.request(wish)
        return await self._panel.control.wait(run_id, self._patience)


def members(path: str, detail: str, remedy: str) -> Mapping[str, object]:
    """Return what the problem document of a refused request needs, so that Skymmich's page can show why."""
    if not path.startswith(f"{BASE}/"):
        return {}
    return {"success": False, "message": redact(f"skymmich-reconciler: {detail} {remedy}".strip())}


def _one(state: RunState | None, image_id: int) -> Response:
    if state is None or not is_over(state):
        # Skymmich shows this text only beside a success that is false.
        return _said(202, success=False, message="Not synced yet: the sync goes on")
    # Requests for several images fold into one pass.
    outcomes = state.report.outcomes if state.report else ()
    outcome = next((one for one in outcomes if one.image_id == image_id), None)
    if outcome is None:
        return _said(502, success=False, message=_error(state) or "Not synced: the run ended early")
    if outcome.status in FINE:
        return _said(200, success=True, message="Metadata synced to Immich")
    status = 502 if outcome.status == "failed" and not is_catalogues(outcome.reasons) else 409
    return _said(status, success=False, message=sentence(outcome.reasons) or outcome.status)


def _all(state: RunState | None) -> Response:
    if state is None or not is_over(state):
        message = "Not complete yet: the sync goes on"
        if state and state.progress and state.progress.total:
            message += f", {state.progress.done} of {counted(state.progress.total, 'change')} so far"
        return _said(202, success=False, message=message)
    report = state.report
    if report is None:
        return _said(502, success=False, message=_error(state) or "Not synced: the run ended early")
    synced = sum(1 for outcome in report.outcomes if outcome.status in FINE)
    failed = len(report.outcomes) - synced
    success = not failed and report.error is None and state.state == "done"
    message = f"Synced {counted(synced, 'image')}, {failed} failed"
    if state.error and not success:
        message += f": {_error(state)}"
    counts = {"synced": synced, "failed": failed}
    return _said(200 if success or synced else 502, success=success, message=message, **counts)


def _error(state: RunState) -> str:
    return joined_reasons(state.error, "daemon")


def _said(status: int, *, success: bool, message: str, **counts: int) -> Response:
    return JsonResponse(Said(success=success, message=redact(message), **counts), status)
