"""A plan and an outcome as JSON-able values, for ``--json`` and saved plans. For people: ``rendering``."""

from __future__ import annotations

from dataclasses import asdict, is_dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from reconciler.core.asset import Coordinates
from reconciler.core.differences import differences, observed_facts, planned_facts
from reconciler.core.fingerprint import place
from reconciler.engine.finishing import finished

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Mapping

    from reconciler.core.guard import Verdict
    from reconciler.core.plan import AssetPlan, Decision
    from reconciler.core.records import AssetRecord
    from reconciler.engine.passes import Item, Prepared, Report


def value(thing: object) -> object:
    """Give anything of the core as a JSON-able value."""
    if isinstance(thing, Coordinates):
        return place(thing)
    if is_dataclass(thing) and not isinstance(thing, type):
        return value(asdict(thing))
    if isinstance(thing, dict):
        return {str(key): value(inner) for key, inner in thing.items()}
    if isinstance(thing, frozenset | set):
        return [value(inner) for inner in sorted(thing)]
    if isinstance(thing, list | tuple):
        return [value(inner) for inner in thing]
    return thing.isoformat() if isinstance(thing, date | datetime) else thing


def standing(item: Item, prepared: Prepared) -> AssetRecord:
    """Tell where an image stands if nothing is written."""
    return finished(item, None, prepared, datetime.now(UTC), None)


def needs_work(item: Item) -> bool:
    """Tell whether something would be written to an image's asset, or is still to settle there."""
    return bool((item.plan and item.plan.changes) or item.adopted)


def plan_json(prepared: Prepared) -> dict[str, object]:
    """Give a prepared pass."""
    return {
        "server": prepared.server.version,
        "catalogue": prepared.catalogue.schema,
        "enabled": prepared.rules.switches.enabled,
        "guard": verdict_json(prepared.verdict),
        "problems": [value(problem) for problem in prepared.catalogue.problems],
        "missing_permissions": [value(loss) for loss in prepared.server.losses],
        "stale": list(prepared.stale),
        "images": [item_json(item, prepared) for item in prepared.items],
    }


def item_json(item: Item, prepared: Prepared) -> dict[str, object]:
    """Give one image of a pass."""
    record = standing(item, prepared)
    shown: dict[str, object] = {
        "image_id": item.image_id,
        "asset_id": item.asset_id,
        "title": item.title,
        "changes": bool(item.plan and item.plan.changes),
        "unsettled": bool(item.adopted),
        "held": item.held,
        "status": "changes" if item.plan and item.plan.changes else record.status,
        "reason": "" if item.plan and item.plan.changes else record.reason,
    }
    if item.withheld:
        shown["withheld"] = asset_plan_json(item.withheld)
    return shown | (asset_plan_json(item.plan) if item.plan else {})


def asset_plan_json(plan: AssetPlan) -> dict[str, object]:
    """Give what would be written to one asset, and why."""
    return {
        "digest": plan.digest,
        "writes": {
            "description": plan.description,
            "coordinates": place(plan.coordinates),
            "add_tags": sorted(plan.add_tags),
            "remove_tags": sorted(plan.remove_tags),
        },
        "differences": [
            value(one) for one in differences(observed_facts(plan.observed), planned_facts(plan))
        ],
        "decisions": [decision_json(decision) for decision in plan.decisions],
        "notes": list(plan.notes),
        "blocked": plan.blocked,
    }


def decision_json(decision: Decision) -> dict[str, object]:
    """Give one field's decision with its three sides."""
    return {name: value(getattr(decision, name)) for name in decision.__slots__}


def verdict_json(verdict: Verdict) -> dict[str, object]:
    """Give what the guard says."""
    return {
        "tripped": verdict.tripped,
        "hash": verdict.hash,
        "reasons": list(verdict.reasons),
        "cause": verdict.cause,
        "held": sorted(verdict.held),
        "approve": f"skymmich-reconciler apply --approve {verdict.hash}" if verdict.tripped else "",
    }


def report_json(report: Report, requests: Mapping[str, int]) -> dict[str, object]:
    """Give the end of a pass."""
    return {
        "run": value(report.run),
        "guard": verdict_json(report.verdict),
        "stale": list(report.stale),
        "error": report.error.message if report.error else "",
        "remedy": report.error.remedy if report.error else "",
        "requests": dict(requests),
        "images": [value(outcome) for outcome in report.outcomes],
    }


def request_counts(requests: Counter[tuple[str, str, int]]) -> dict[str, int]:
    """Sum up requests: total, writes, reads. A search is a POST, and a read."""
    total = sum(requests.values())
    writes = sum(
        count
        for (method, route, _), count in requests.items()
        if method != "GET" and not route.startswith("/search")
    )
    return {"total": total, "writes": writes, "reads": total - writes}
