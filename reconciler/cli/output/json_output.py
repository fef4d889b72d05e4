"""What ``--json`` writes beside the models of ``reconciler.models``: values of the core as they are."""

from __future__ import annotations

from dataclasses import asdict, fields, is_dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from reconciler.core.asset import Coordinates
from reconciler.core.fingerprint import place
from reconciler.engine.outcomes import finished
from reconciler.messages.reasons import words
from reconciler.models.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.desired.desired import Desired
    from reconciler.core.records import AssetRecord, Unsticking
    from reconciler.engine.item import Item
    from reconciler.engine.passes import Prepared


def value(thing: object) -> object:
    """Return anything of the core as a JSON-able value."""
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


def desired(wanted: Desired) -> dict[str, object]:
    """Return what an image should carry as JSON; what could not be used in words, and as reasons."""
    told = {"problems", "remarks"}
    found = {one.name: value(getattr(wanted, one.name)) for one in fields(wanted) if one.name not in told}
    return found | {
        "problems": [words(one, "command") for one in wanted.problems],
        "reasons": Reason.all(wanted.problems),
        "remarks": [words(one, "command") for one in wanted.remarks],
        "remarks_reasons": Reason.all(wanted.remarks),
    }


def unsticking(entries: Iterable[Unsticking]) -> list[dict[str, object]]:
    """Return what Immich did not keep as JSON, the diagnosis in words, and as a reason."""
    return [
        {
            **asdict(one),
            "diagnosis": words(one.diagnosis, "command"),
            "reason": Reason.of(one.diagnosis),
        }
        for one in entries
    ]


def standing(item: Item, prepared: Prepared) -> AssetRecord:
    """Return where an image stands if nothing is written."""
    return finished(item, None, prepared, datetime.now(UTC), None)


def needs_work(item: Item) -> bool:
    """Return whether something would be written to an image's asset, or is still to settle there."""
    return bool((item.plan and item.plan.changes) or item.adopted)
