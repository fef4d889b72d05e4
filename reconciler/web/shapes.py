"""Values as the API shows them: plain JSON-able data. ``openapi`` describes what is made here."""

from __future__ import annotations

from dataclasses import asdict
from itertools import islice
from typing import TYPE_CHECKING

from reconciler import __version__
from reconciler.core.asset import Coordinates
from reconciler.core.policy import SWITCHES
from reconciler.core.resolution import choices, sides
from reconciler.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.core.guard import Verdict
    from reconciler.core.plan import AssetPlan, Decision
    from reconciler.core.policy import Switches
    from reconciler.core.records import AssetRecord, Crossing, JournalEntry, Run
    from reconciler.engine.control import ImageView, RunState, Snapshot
    from reconciler.engine.passes import Item, Outcome, Prepared, Report

Shape = dict[str, object]
MAX_OUTCOMES = 1000
"""Images listed in one answer; the counts beside them are of all."""


def switches(found: Switches) -> Shape:
    """Give the four settings by Skymmich's names."""
    return {theirs: getattr(found, ours) for theirs, ours in SWITCHES.items()}


def snapshot(found: Snapshot) -> Shape:
    """Give the whole status."""
    return {
        "headline": found.headline,
        "level": found.level,
        "version": __version__,
        "started_at": found.started_at,
        "checked_at": found.checked_at,
        "attempted_at": found.attempted_at,
        "paused": found.paused,
        "conditions": [{**asdict(one), "message": redact(one.message)} for one in found.conditions],
        "counts": dict(found.counts),
        "crossed": asdict(found.crossed),
        "next_looks": dict(found.next_looks),
        "queue_depth": found.queue_depth,
        "circuit_open_since": found.circuit_open_since,
        "settings": None if found.switches is None else switches(found.switches),
        "settings_source": found.switches_source,
        "current": None if found.current is None else run_state(found.current),
        "last": None if found.last is None else run(found.last),
        "guard": None if found.verdict is None else verdict(found.verdict),
        "immich": {"version": found.immich_version, "url": found.immich_url},
        "catalogue": found.catalogue,
    }


def verdict(found: Verdict) -> Shape:
    """Give what the guard found."""
    return {
        "tripped": found.tripped,
        "hash": found.hash,
        "reasons": list(found.reasons),
        "shrunk": found.shrunk,
        "held": len(found.held),
        "message": found.message if found.tripped else "",
    }


def run(found: Run) -> Shape:
    """Give one run."""
    took = (found.finished_at - found.started_at).total_seconds() if found.finished_at else None
    return {
        "run_id": found.run_id,
        "trigger": found.trigger,
        "started_at": found.started_at,
        "finished_at": found.finished_at,
        "seconds": took,
        "outcome": found.outcome,
        "summary": redact(found.summary),
        "counts": dict(found.counts),
    }


def run_state(found: RunState) -> Shape:
    """Give a requested run, from queue to report."""
    request = found.request
    return {
        "run_id": found.run_id,
        "state": found.state,
        "url": f"/api/v1/runs/{found.run_id}",
        "trigger": request.trigger,
        "image_ids": None if request.image_ids is None else sorted(request.image_ids),
        "full": request.full,
        "force": request.force,
        "progress": None if found.progress is None else asdict(found.progress),
        "report": None if found.report is None else report(found.report),
        "error": redact(found.error),
    }


def report(found: Report) -> Shape:
    """Give a pass's end."""
    return {
        "outcome": found.run.outcome,
        "summary": redact(found.run.summary),
        "counts": dict(found.run.counts),
        "images": [outcome(one) for one in found.outcomes[:MAX_OUTCOMES]],
        "guard": verdict(found.verdict),
        "stale": list(found.stale),
        "error": redact(str(found.error)) if found.error else "",
        "remedy": redact(found.error.remedy) if found.error else "",
    }


def outcome(found: Outcome) -> Shape:
    """Give what became of one image."""
    return {
        "image_id": found.image_id,
        "asset_id": found.asset_id,
        "title": found.title,
        "status": found.status,
        "reason": redact(found.reason),
        "changed": list(found.changed),
        "crossed": found.crossed,
    }


def record(found: AssetRecord) -> Shape:
    """Give what is remembered of one image, without its texts."""
    return {
        "image_id": found.image_id,
        "asset_id": found.asset_id,
        "title": found.title,
        "status": found.status,
        "reason": redact(found.reason),
        "linked": found.linked,
        "crossing": None if found.crossing is None else crossing(found.crossing),
        "checked_at": found.checked_at,
        "changed_at": found.changed_at,
        "thumbnail": f"/thumbnails/{found.asset_id}",
    }


def crossing(found: Crossing) -> Shape:
    """Give what nobody has looked at yet."""
    return {**asdict(found), "fields": sorted(found.fields)}


def entry(found: JournalEntry) -> Shape:
    """Give one value that was replaced."""
    return {
        "entry_id": found.entry_id,
        "run_id": found.run_id,
        "image_id": found.image_id,
        "asset_id": found.asset_id,
        "field": found.field,
        "before": found.before,
        "after": found.after,
        "at": found.at,
    }


def decision(found: Decision) -> Shape:
    """Give one field's decision with its three sides."""
    return {
        "field": found.field,
        "case": found.case,
        "action": found.action,
        "applied": plain(found.base),
        "desired": plain(found.desired),
        "observed": plain(found.live),
        "reason": found.reason,
        "takes_away": found.takes_away,
        "choices": list(choices(found)),
        "shown": sides(found) if choices(found) else "",
    }


def asset_plan(found: AssetPlan) -> Shape:
    """Give what a pass would do to one image."""
    return {
        "changes": found.changes,
        "digest": found.digest,
        "blocked": found.blocked,
        "notes": list(found.notes),
        "decisions": [decision(one) for one in found.decisions],
        "description": found.description,
        "coordinates": plain(found.coordinates),
        "add_tags": sorted(found.add_tags),
        "remove_tags": sorted(found.remove_tags),
    }


def item(found: Item) -> Shape:
    """Give one image of a plan."""
    return {
        "image_id": found.image_id,
        "asset_id": found.asset_id,
        "title": found.title,
        "status": found.status,
        "reason": redact(found.reason),
        "held": bool(found.held),
        "plan": None if found.plan is None else asset_plan(found.plan),
        "withheld": None if found.withheld is None else asset_plan(found.withheld),
    }


def prepared(found: Prepared, limit: int) -> Shape:
    """Give a plan: the images that would be written or need a person, at most ``limit``, and all counts."""
    telling = found.items.tally.telling
    return {
        "images": found.images,
        "changes": found.changing,
        "guard": verdict(found.verdict),
        "server_version": found.server.version,
        "settings": switches(found.rules.switches),
        "missing_permissions": [asdict(loss) for loss in found.server.losses],
        "items": [item(one) for one in islice(found.items.telling(), min(limit, telling))],
        "left_out": max(0, telling - limit),
    }


def view(found: ImageView, history: Sequence[JournalEntry]) -> Shape:
    """Give one image from all sides."""
    return {
        "image_id": found.image.image_id,
        "asset_id": found.image.asset_id,
        "title": found.image.title,
        "image": catalogue_image(found.image),
        "record": None if found.record is None else record(found.record),
        "plan": None if found.plan is None else asset_plan(found.plan),
        "error": redact(found.error),
        "history": [entry(one) for one in history],
    }


def catalogue_image(found: CatalogueImage) -> Shape:
    """Give what Skymmich knows of an image."""
    return {
        "filename": found.filename,
        "description": found.description,
        "captured_at": found.captured_at,
        "tags": list(found.tags),
        "object_type": found.object_type,
        "target": found.target.name if found.target else found.target_name,
        "latitude": found.latitude,
        "longitude": found.longitude,
        "site": found.site.name if found.site else None,
        "equipment": [{"name": one.name, "kind": one.kind} for one in found.equipment],
    }


def plain(value: object) -> object:
    """Give a decision's value as JSON-able data: text, a place, a list of tags, or nothing."""
    if isinstance(value, Coordinates):
        return asdict(value)
    if isinstance(value, tuple | list | frozenset | set):
        return sorted(str(one) for one in value)
    return None if value is None else str(value)
