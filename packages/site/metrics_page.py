"""The page of all metrics: names, kinds, labels and what they count, as a scrape shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, Final, cast, get_args

from page_text import code, made, table
from prometheus_client import CollectorRegistry, ProcessCollector

from reconciler.core.policy import Mode
from reconciler.service.api import ConditionType
from reconciler.web.live.metrics import Current, Runs

_OPENING: Final = """\
# Metrics

What `/metrics` shows, for [Prometheus](../prometheus.md). Labels are words of this program, never an id or a title, so
the number of series is bounded. Durations and changes count from the daemon's start, and a run that had nothing to do only counts
in `reconciler_passes_total`.
"""
_OPEN: Final = {"version", "python", "immich", "method", "route", "status"}
"""Labels whose values are not a list of the program's own."""


def metrics_page() -> str:
    """Return the page."""
    registry = CollectorRegistry()
    Runs(registry, datetime.now(UTC))
    registry.register(Current(cast("Any", _panel())))
    ProcessCollector(registry=registry)
    own, process, values = [], [], {}
    for family in registry.collect():
        labels: dict[str, set[str]] = {}
        for sample in family.samples:
            for label, value in sample.labels.items():
                labels.setdefault(label, set()).add(value)
        labels.pop("le", None)
        name = family.name + ("_total" if family.type == "counter" else "")
        row = (code(name), family.type, ", ".join(map(code, labels)), family.documentation)
        (own if name.startswith("reconciler_") else process).append(row)
        for label, found in labels.items():
            if label not in _OPEN:
                values[name, label] = ", ".join(map(code, sorted(found)))
    header = ("metric", "kind", "labels", "shows")
    said = [(code(name), code(label), listed) for (name, label), listed in values.items()]
    return (
        made("`make reference`")
        + _OPENING
        + "\n## Of this program\n\n"
        + table(header, own)
        + "\nA histogram has the usual three: `…_bucket` with the label `le`, `…_sum` and `…_count`.\n"
        + "\n## The values of labels\n\n"
        + table(("metric", "label", "values"), said)
        + "\n## Of the process\n\nLinux only.\n\n"
        + table(header, process)
    )


def _panel() -> SimpleNamespace:
    """Return as much of a running daemon as a scrape looks at."""
    mode = SimpleNamespace(mode=get_args(Mode)[0], allows=lambda _: False, waits=False)
    conditions = [SimpleNamespace(type=one, status="True") for one in get_args(ConditionType)]
    snapshot = SimpleNamespace(
        immich_version="", counts={}, crossed=SimpleNamespace(count=0), permission=mode, verdict=None,
        circuit_open_since=None, started_at=datetime.now(UTC), attempted_at=None, checked_at=None, queue_depth=0,
        paused=False, conditions=conditions,
    )  # fmt: skip
    return SimpleNamespace(
        control=SimpleNamespace(snapshot=lambda: snapshot),
        passes=dict,
        requests=lambda: {("GET", "/assets/{id}", 200): 1},
    )
