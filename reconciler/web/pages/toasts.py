"""The answer to a click: a short message that stays until it is dismissed, and tells what came of it.

With JavaScript it appears where it is read, and is exchanged for the outcome once the run has ended. Without,
the browser is sent back to a page with the message on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from starlette.responses import Response
from starlette.routing import Route

from reconciler.messages.formats import first_upper
from reconciler.messages.reasons import joined_reasons
from reconciler.messages.runs import summary
from reconciler.web.api.routes import is_over
from reconciler.web.redirects import redirect
from reconciler.web.tones import answer_of, run_tone

if TYPE_CHECKING:
    from starlette.requests import Request

    from reconciler.service.api import Control, RunState
    from reconciler.web.pages.renderer import Pages
    from reconciler.web.tones import Tone

TRACKED: Final = frozenset({"asked", "stopping"})
"""Answers that are exchanged for what came of the run they name."""
_AT_ONCE: Final = 0.6
"""Seconds that a page with JavaScript waits for an outcome before it asks again."""
_BRIEFLY: Final = 2.0
"""Seconds that a page without it waits; it loads itself anew while a run goes on."""


@dataclass(frozen=True, slots=True)
class Toast:
    """One message."""

    text: str
    tone: Tone
    run: str = ""
    """Of which run; empty: of none."""
    said: str = ""
    """What was said first, while the outcome is still to come."""


def toast_of(control: Control, said: str, run_id: str = "") -> Toast | None:
    """Return the answer that an address names; ``None`` if there is none of that name."""
    shown = answer_of(said)
    if shown is None:
        return None
    state = control.run_state(run_id) if run_id and said in TRACKED else None
    if state is None:
        return Toast(shown.label, shown.tone)
    if is_over(state):
        return Toast(_outcome(state), run_tone(state), run_id)
    return Toast(shown.label, shown.tone, run_id, said)


def _outcome(state: RunState) -> str:
    """Return what came of a run: what was looked at and written, or why nothing was."""
    if state.report is not None:
        return first_upper(summary(state.report.run.summary)) + "."
    return joined_reasons(state.error, "daemon") or summary_of_nothing()


def summary_of_nothing() -> str:
    """Return what is said of a run that had nothing to do and left no trace."""
    shown = answer_of("nothing_done")
    return shown.label if shown else ""


class Toasts:
    """Answers clicks, and tells an open page what became of them."""

    def __init__(self, control: Control, pages: Pages) -> None:
        self._control, self._pages = control, pages

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [Route("/toast", self.later)]

    async def later(self, request: Request) -> Response:
        """Give the outcome in place of the first answer, once there is one."""
        query = request.query_params
        toast = toast_of(self._control, query.get("said", ""), query.get("run", ""))
        if toast is None or toast.said:
            return Response(status_code=204)  # nothing is exchanged yet, and nothing read out twice
        return self._pages.page(request, "_toast.html", {"toast": toast})

    async def answer(
        self, request: Request, said: str, *, run: str = "", back: str = "/", fragment: str = ""
    ) -> Response:
        """Say it on the spot, or on the page ``back``, with the outcome of ``run`` if it ends quickly."""
        live = request.headers.get("hx-request") == "true"
        if run:
            await self._control.wait(run, _AT_ONCE if live else _BRIEFLY)
        if live:
            return self._pages.page(request, "_toast.html", {"toast": toast_of(self._control, said, run)})
        return redirect(back, fragment, said=said, **({"run": run} if run else {}))
