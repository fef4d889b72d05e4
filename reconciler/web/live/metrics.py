"""``/metrics`` for Prometheus. Labels are words of this program, never an id: their number is bounded.

Durations and changes come from the store's runs, of those that began after this process did; so nobody has to
report here, and a scrape misses none. A pass that had nothing to do leaves no run, and is only counted.
The alert rules in ``systemd/alerts.yml`` use these names.
"""

from __future__ import annotations

import asyncio
import platform
from typing import TYPE_CHECKING, get_args

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector
from starlette.responses import Response

from reconciler import __version__
from reconciler.core.policy import Mode
from reconciler.core.records import AssetStatus, Field, Finding
from reconciler.web.api.operations import Answer, operation, routes_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from prometheus_client import Metric
    from starlette.requests import Request
    from starlette.routing import Route

    from reconciler.core.records import Run
    from reconciler.service.api import Snapshot
    from reconciler.web.context import Panel

FIELDS: tuple[str, ...] = get_args(Field)
RESULTS = ("succeeded", "failed", "stopped", "quiet", "unexpected")
_FOUND: dict[Finding, str] = {
    "drift": "drift",
    "conflict": "conflict",
    "both_changed": "conflict",
    "contested": "contested",
    "not_sticking": "not_sticking",
}
_BUCKETS = (0.1, 0.3, 1, 3, 10, 30, 60, 180, 600, 1800, 7200)
_PAGE = 100


class Runs:
    """Adds up finished runs, each once."""

    def __init__(self, registry: CollectorRegistry, since: datetime) -> None:
        self._counted_to = since
        self._seconds = Histogram(
            "reconciler_pass_duration_seconds",
            "Duration of runs that had something to do",
            registry=registry,
            buckets=_BUCKETS,
        )
        self._changes = Counter(
            "reconciler_changes",
            "Images by field and by what became of it: written and kept by Immich, or found in drift, "
            "in conflict, changed by somebody else again and again, or not kept",
            ["field", "outcome"],
            registry=registry,
        )
        for field in FIELDS:
            for outcome in ("written", *sorted(set(_FOUND.values()))):
                self._changes.labels(field, outcome)

    def catch_up(self, panel: Panel) -> None:
        """Count what ended since the last time. Passes never overlap, so they end in the order they began."""
        ended: list[Run] = []
        before: str | None = None
        while page := panel.history.runs(_PAGE, before):
            fresh = [run for run in page if run.started_at > self._counted_to]
            ended += [run for run in fresh if run.finished_at is not None]
            if len(fresh) < len(page) or len(page) < _PAGE:
                break
            before = page[-1].run_id
        for run in reversed(ended):
            self._count(run)
            self._counted_to = run.started_at

    def _count(self, run: Run) -> None:
        if run.finished_at is not None:
            self._seconds.observe((run.finished_at - run.started_at).total_seconds())
        for field, count in run.counts.wrote.items():
            self._changes.labels(field, "written").inc(count)
        for (case, field), count in run.counts.found.items():
            self._changes.labels(field, _FOUND[case]).inc(count)


class Current(Collector):
    """What holds at the moment of the scrape."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand: else the registry would ask at once."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Return the gauges."""
        snapshot = self._panel.control.snapshot()
        build = GaugeMetricFamily(
            "reconciler_build_info", "This program", labels=["version", "python", "immich"]
        )
        build.add_metric([__version__, platform.python_version(), snapshot.immich_version], 1)
        yield build
        images = GaugeMetricFamily("reconciler_images", "Managed images by state", labels=["state"])
        for status in get_args(AssetStatus):
            images.add_metric([status], snapshot.counts.get(status, 0))
        yield images
        yield GaugeMetricFamily(
            "reconciler_images_crossed",
            "Images of which an edit may have crossed with a write, until a person has looked",
            value=snapshot.crossed.count,
        )
        passes = CounterMetricFamily("reconciler_passes", "Runs that ended", labels=["outcome"])
        ended = self._panel.passes()
        for result in RESULTS:
            passes.add_metric([result], ended.get(result, 0))
        yield passes
        requests = CounterMetricFamily(
            "reconciler_immich_requests",
            "Requests sent to Immich; status 0 is no answer",
            labels=["method", "route", "status"],
        )
        for (method, route, status_code), count in sorted(self._panel.requests().items()):
            requests.add_metric([method, route, str(status_code)], count)
        yield requests
        mode = GaugeMetricFamily("reconciler_mode", "1 for what [policy] mode is set to", labels=["mode"])
        for name in get_args(Mode):
            mode.add_metric([name], int(snapshot.permission.mode == name))
        yield mode
        yield from _plain(snapshot)


def _plain(snapshot: Snapshot) -> Iterator[Metric]:
    verdict, down = snapshot.verdict, snapshot.circuit_open_since is not None
    values: dict[str, tuple[str, float | None]] = {
        "start_timestamp_seconds": ("When the daemon started", snapshot.started_at.timestamp()),
        "last_attempt_timestamp_seconds": ("When a run last ended, well or not", _at(snapshot.attempted_at)),
        "last_success_timestamp_seconds": ("When a run last completed", _at(snapshot.checked_at)),
        "queue_depth": ("Images that wait to be looked at", snapshot.queue_depth),
        "circuit_open": ("1 while Immich is down and left alone", int(down)),
        "may_write": ("1 where Immich may be written to", int(snapshot.permission.allows(None))),
        "waits_for_person": ("1 while a person has to begin, or go on", int(snapshot.permission.waits)),
        "paused": ("1 while a person has paused it", int(snapshot.paused)),
        "guard_tripped": ("1 while the guard holds something back", int(bool(verdict and verdict.tripped))),
        "guard_held_images": ("Images of which it holds something", len(verdict.held) if verdict else 0),
    }  # fmt: skip
    for name, (help_text, value) in values.items():
        yield GaugeMetricFamily(f"reconciler_{name}", help_text, value=value or 0)
    conditions = GaugeMetricFamily("reconciler_condition", "1 true, 0 false, -1 unknown", labels=["type"])
    for condition in snapshot.conditions:
        conditions.add_metric([condition.type], {"True": 1, "False": 0}.get(condition.status, -1))
    yield conditions


def _at(moment: datetime | None) -> float | None:
    return moment.timestamp() if moment else None


class Metrics:
    """The handler."""

    def __init__(self, panel: Panel) -> None:
        self._panel = panel
        self._registry = CollectorRegistry()
        self._runs = Runs(self._registry, panel.now())
        self._registry.register(Current(panel))
        ProcessCollector(registry=self._registry)

    def routes(self) -> list[Route]:
        """List the address."""
        return routes_of(self)

    @operation("GET", "/metrics", {200: Answer("Well", media_type="text/plain")})
    async def metrics(self, _: Request) -> Response:
        """Answer a scrape."""
        await asyncio.to_thread(self._runs.catch_up, self._panel)
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)
