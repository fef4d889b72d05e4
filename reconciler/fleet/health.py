"""How a worker is: for Kubernetes, and for Prometheus."""

from __future__ import annotations

import hmac
import time
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from reconciler.errors import StateError
from reconciler.web.access.connections import Limits
from reconciler.web.access.policy import is_loopback
from reconciler.web.server import listen_on, server_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping

    from starlette.requests import Request

    from state.postgres.statuses import InstallationStatus

MOST_INSTALLATIONS: Final = 1000
"""Installations with labels of their own in the metrics."""
URGENT: Final = {"trouble": 0, "attention": 1}
Result: TypeAlias = Literal["done", "busy", "failed", "lost", "newer", "left"]


@dataclass(slots=True)
class Visit:
    """One visit that is under way."""

    result: Result = "done"


class Health:
    """A worker's own figures, and how the installations were found, whoever visited them last.

    Args:
        concurrency: installations that may be visited at the same time.
        statuses: asks the database how the installations were found.
    """

    def __init__(self, concurrency: int, statuses: Callable[[], Mapping[str, InstallationStatus]]) -> None:
        self.connected = False
        """Whether the database is there."""
        self.draining = False
        """Whether it finishes what it has, and takes nothing more."""
        self.registry = CollectorRegistry()
        self._visits = Counter(
            "reconciler_worker_visits_total", "Visits by task and result.", ["task", "result"],
            registry=self.registry,
        )  # fmt: skip
        self._seconds = Histogram(
            "reconciler_worker_visit_seconds", "How long visits take.", ["task"],
            buckets=(0.05, 0.2, 1, 5, 20, 60, 300, 1800), registry=self.registry,
        )  # fmt: skip
        self._busy = Gauge(
            "reconciler_worker_visiting",
            "Installations that are visited now.",
            registry=self.registry,
        )
        self._known = Gauge(
            "reconciler_installations", "Installations in the database.", registry=self.registry
        )
        most = Gauge(
            "reconciler_worker_concurrency", "Installations visited at once, at most.",
            registry=self.registry,
        )  # fmt: skip
        most.set(concurrency)
        self.registry.register(Installations(statuses))

    @property
    def is_ready(self) -> bool:
        """Whether it takes tasks."""
        return self.connected and not self.draining

    def count_installations(self, count: int) -> None:
        """Take note of how many there are."""
        self._known.set(count)

    @contextmanager
    def visiting(self, task: str) -> Iterator[Visit]:
        """Count a visit; the block sets its result."""
        visit, began = Visit(), time.monotonic()
        with self._busy.track_inprogress():
            try:
                yield visit
            except BaseException:
                visit.result = "failed"
                raise
            finally:
                self._visits.labels(task, visit.result).inc()
                self._seconds.labels(task).observe(time.monotonic() - began)


class Installations(Collector):
    """How each installation was found.

    Of very many, those in trouble, or that want attention, come first; then those nobody visited for longest.

    Args:
        statuses: asks the database.
    """

    def __init__(self, statuses: Callable[[], Mapping[str, InstallationStatus]]) -> None:
        self._statuses = statuses

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand: else the registry would ask at once."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Return the gauges; none while the database cannot be reached, for then nothing is known."""
        try:
            found = self._statuses()
        except StateError:
            return
        ordered = sorted(found.items(), key=lambda one: (URGENT.get(one[1].level, 2), one[1].visited_at))
        level = GaugeMetricFamily(
            "reconciler_installation_level",
            "1 for the level of its headline",
            labels=["installation", "level"],
        )
        images = GaugeMetricFamily(
            "reconciler_installation_images", "Managed images by state", labels=["installation", "state"]
        )
        checked, visited = (
            GaugeMetricFamily(
                f"reconciler_installation_{name}_timestamp_seconds", text, labels=["installation"]
            )
            for name, text in (
                ("last_success", "When all images were last compared"),
                ("last_visit", "When a worker was last there, well or not"),
            )
        )
        for name, status in ordered[:MOST_INSTALLATIONS]:
            level.add_metric([name, status.level], 1)
            for state, count in (status.by_status or {}).items():
                images.add_metric([name, state], count)
            if status.checked_at is not None:
                checked.add_metric([name], status.checked_at.timestamp())
            visited.add_metric([name], status.visited_at.timestamp())
        yield from (level, images, checked, visited)


@asynccontextmanager
async def health_server(health: Health, host: str, port: int, token: str) -> AsyncIterator[str]:
    """Serve ``/livez``, ``/readyz`` and ``/metrics`` within; gives the address.

    Args:
        health: what is told.
        host: where to listen.
        port: 0 takes a free one.
        token: who asks for the metrics has to send it; needed beyond this machine for these only.

    Raises:
        ConfigurationError: it cannot listen there.
    """

    def livez(_: Request) -> Response:
        return PlainTextResponse("ok\n")

    def readyz(_: Request) -> Response:
        why = "draining" if health.draining else "the database cannot be reached"
        return PlainTextResponse("ok\n" if health.is_ready else f"{why}\n", 200 if health.is_ready else 503)

    def metrics(request: Request) -> Response:
        given = request.headers.get("authorization", "").removeprefix("Bearer ")
        allowed = hmac.compare_digest(given.encode(), token.encode()) if token else is_loopback(host)
        if not allowed:
            return PlainTextResponse("a token is needed: [status] token_file\n", 401)
        return Response(generate_latest(health.registry), media_type="text/plain; version=0.0.4")

    routes = [Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)]
    server, listener = server_of(Starlette(routes=routes), Limits()), listen_on(host, port)
    await server.start(listener)
    try:
        yield f"http://{host}:{listener.getsockname()[1]}"
    finally:
        await server.stop()
