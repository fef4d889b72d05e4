"""The overview, its live parts, a preview, and the runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import Route

from reconciler.models.requests import RunQuery
from reconciler.web import params
from reconciler.web.api.problems import ProblemError
from reconciler.web.api.routes import previewed
from reconciler.web.api.switches import skymmichs_own
from reconciler.web.pages.attention import digest, needs
from reconciler.web.pages.progress import Pace
from reconciler.web.redirects import address

if TYPE_CHECKING:
    from starlette.requests import Request

    from reconciler.core.records import JournalEntry
    from reconciler.service.api import Snapshot
    from reconciler.web.context import Panel
    from reconciler.web.image_index import Lookups
    from reconciler.web.pages.beginning import Beginning
    from reconciler.web.pages.progress import Showing
    from reconciler.web.pages.renderer import Pages

_BARS = 40
_RECENT_IMAGES = 8
PARTS = frozenset({"headline", "attention", "counts", "progress", "passes", "recent", "settings"})


class OverviewPages:
    """The handlers."""

    def __init__(self, panel: Panel, pages: Pages, lookups: Lookups, beginning: Beginning) -> None:
        self._panel, self._pages, self._lookups = panel, pages, lookups
        self._beginning = beginning
        self._pace = Pace()

    def routes(self) -> list[Route]:
        """List the addresses."""
        return [
            Route("/", self.overview),
            Route("/parts/{part}", self.part),
            Route("/preview", self.preview),
            Route("/runs", self.runs),
            Route("/runs/{run_id}", self.run),
            Route("/runs/{run_id}/progress", self.run_progress),
        ]

    async def overview(self, request: Request) -> Response:
        """Show how things stand; before it has begun, what would be written."""
        if self._panel.control.snapshot().permission.waits:
            return self._pages.page(request, "first_run.html", await self._values({"first_run"}))
        return self._pages.page(request, "overview.html", await self._values(PARTS))

    async def part(self, request: Request) -> Response:
        """Show one part of the overview again: a page that is open asks for it when something happened."""
        part = request.path_params["part"]
        if part not in PARTS | {"first_run"}:
            raise ProblemError(404, "There is no such part.")
        if part == "first_run" and not self._panel.control.snapshot().permission.waits:
            return Response(status_code=204, headers={"hx-refresh": "true"})  # it has begun
        return self._pages.page(request, f"_{part}.html", await self._values({part}))

    async def _values(self, parts: frozenset[str] | set[str]) -> dict[str, object]:
        panel = self._panel
        snapshot = panel.control.snapshot()
        lookup = await self._lookups.latest()
        values: dict[str, object] = {
            "snapshot": snapshot,
            "lookup": lookup,
            "progress": self._pace.showing(snapshot, panel.now()),
            "settings": panel.settings,
            "theirs": skymmichs_own(panel),
            "skymmich_url": panel.skymmich_url,
        }
        if "first_run" in parts:
            values |= await self._beginning.values(snapshot, lookup)
        if {"attention", "first_run"} & parts:
            values |= {"needs": await needs(panel, snapshot, lookup), "digest": digest(snapshot)}
        if "passes" in parts:
            values["runs"] = list(reversed(await asyncio.to_thread(panel.history.runs, _BARS)))
        if "recent" in parts:
            values["recent"] = await asyncio.to_thread(panel.history.latest, _RECENT_IMAGES)
        return values

    async def preview(self, request: Request) -> Response:
        """Show what a pass would do, under the present settings or under others; nothing is written."""
        query, before = request.query_params, self._panel.control.snapshot().switches
        prepared = await previewed(self._panel, params.ticked_otherwise(query) if "other" in query else {})
        # Saved later, it is still the difference from what the person was shown.
        asked = params.of_switches(query) if "other" in query and prepared.rules.switches != before else {}
        lookup, first = await self._lookups.latest(), self._beginning.size()
        return self._pages.preview(request, prepared, lookup, other=asked, first=first)

    async def runs(self, request: Request) -> Response:
        """List the runs."""
        before = request.query_params.get("before") or None
        found = await asyncio.to_thread(self._panel.history.runs, 31, before)
        values = {"runs": found[:30], "next": found[29].run_id if len(found) > 30 else None}
        return self._pages.page(request, "runs.html", values)

    async def run(self, request: Request) -> Response:
        """Show one run and what it replaced."""
        run_id = request.path_params["run_id"]
        before = params.number(request, RunQuery, "before") or None
        run = await asyncio.to_thread(self._panel.history.run, run_id)
        state = self._panel.control.run_state(run_id)
        if run is None and state is None:
            raise ProblemError(404, "There is no such run, or it was forgotten.")
        entries = await asyncio.to_thread(self._panel.history.journal_of, run_id, None, 101, before)
        snapshot = self._panel.control.snapshot()
        values = {
            "run_id": run_id,
            "run": run,
            "state": state,
            "groups": _by_image(entries[:100]),
            "next": entries[99].entry_id if len(entries) > 100 else None,
            "lookup": await self._lookups.latest(),
            "snapshot": snapshot,
            "progress": self._progress_of(run_id, snapshot),
        }
        return self._pages.page(request, "run.html", values)

    async def run_progress(self, request: Request) -> Response:
        """Show how far a run is: a part of its page, which is loaded anew once it has ended."""
        snapshot = self._panel.control.snapshot()
        run_id = request.path_params["run_id"]
        progress = self._progress_of(run_id, snapshot)
        if progress is None:  # the page is loaded anew, and says what came of it
            where = address(f"/runs/{quote(run_id)}", said="asked", run=run_id)
            return Response(status_code=204, headers={"hx-redirect": where})
        return self._pages.page(request, "_progress.html", {"snapshot": snapshot, "progress": progress})

    def _progress_of(self, run_id: str, snapshot: Snapshot) -> Showing | None:
        showing = self._pace.showing(snapshot, self._panel.now())
        return showing if showing is not None and showing.run_id == run_id else None


def _by_image(entries: list[JournalEntry]) -> list[list[JournalEntry]]:
    """Group what happened to each image, the newest first."""
    groups: dict[str, list[JournalEntry]] = {}
    for entry in entries:
        groups.setdefault(entry.asset_id, []).append(entry)
    return list(groups.values())
