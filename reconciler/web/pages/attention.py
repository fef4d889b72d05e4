"""What a person should look at, worst first, each with its reason and what mends it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from reconciler.service.summary import TROUBLE
from reconciler.web import messages
from reconciler.web.short_messages import fields_of, spoken

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.records import AssetRecord
    from reconciler.service.api import Condition, Snapshot
    from reconciler.web.context import Panel
    from reconciler.web.image_index import Lookup
    from reconciler.web.messages import Tone

EXAMPLES = 3
"""Images shown of each state; a link leads to all of them."""
_PLAIN = frozenset({"unknown_asset", "held", "conflict"})
"""States of which the reason says no more than their meaning."""
_ATTENTION = ("CanaryClear", "GuardClear", "ConfigurationCurrent", "Fresh")


@dataclass(frozen=True, slots=True)
class Need:
    """One thing to look at."""

    title: str
    text: str
    tone: Tone
    condition: Condition | None = None
    status: str = ""
    """The images' state, if it is about images."""
    count: int = 0
    groups: tuple[tuple[str, tuple[tuple[AssetRecord, str], ...]], ...] = ()
    """Some of the images, by the reason that they share; each with a note of its own, or none."""
    approve: str = ""
    """The hash of what the guard holds back, if a click can approve it."""
    lines: tuple[str, ...] = ()
    seen_until: datetime | None = None
    """Until when crossings were noticed that a click can say to have looked at."""


async def needs(panel: Panel, snapshot: Snapshot, lookup: Lookup) -> list[Need]:
    """Gather everything; empty when all is well."""
    found = list(_conditions(snapshot))
    if crossed := snapshot.crossed.count:
        records = await asyncio.to_thread(panel.history.search, limit=EXAMPLES, crossed=True)
        title = f"{crossed} image{'' if crossed == 1 else 's'}: an edit may be missing"
        examples = (("", tuple((record, "") for record in records)),)
        need = Need(
            title, messages.MISSING.meaning, messages.MISSING.tone, status=messages.CROSSED, count=crossed
        )
        found.append(replace(need, groups=examples, seen_until=snapshot.crossed.newest))
    for status in messages.URGENCY:
        if count := snapshot.counts.get(status, 0):
            records = await asyncio.to_thread(panel.history.search, "", status, EXAMPLES)
            found.append(_images(status, count, records))
    if lookup.problems:
        many = len(lookup.problems)
        found.append(
            Need(
                f"{many} row{'' if many == 1 else 's'} of Skymmich's catalogue could not be read wholly",
                "Each spoils only itself; what could not be read is left alone in Immich.",
                "attention",
                lines=lookup.problems[:5],
            )
        )
    return found


def digest(snapshot: Snapshot) -> str:
    """Return a short text that differs whenever ``needs`` would, for open pages to compare."""
    broken = [(one.type, one.reason, one.message) for one in snapshot.conditions if one.status == "False"]
    counts = [(one, snapshot.counts.get(one, 0)) for one in messages.URGENCY]
    approvable = snapshot.verdict.hash if snapshot.verdict is not None and snapshot.verdict.tripped else ""
    every = (snapshot.level, broken, counts, approvable, snapshot.crossed.count, snapshot.crossed.newest)
    return sha256(repr(every).encode()).hexdigest()[:16]


def _images(status: str, count: int, records: list[AssetRecord]) -> Need:
    """Speak of the images in a state. A reason is said once, for all images that share it."""
    state = messages.STATES[status]
    title = f"{count} image{'' if count == 1 else 's'}: {state.label[0].lower()}{state.label[1:]}"
    text = state.meaning
    groups: dict[str, list[tuple[AssetRecord, str]]] = {}
    for record in records:
        note = fields_of(record.reasons) if status == "conflict" else ""
        reason = "" if status in _PLAIN else spoken(record.reasons)
        groups.setdefault(reason, []).append((record, note))
    if count == len(records) and all(groups):
        text = ""
        if len(groups) == 1:
            ((reason, found),) = groups.items()
            text, groups = reason.rstrip(".") + ".", {"": found}
    shown = tuple((reason, tuple(found)) for reason, found in groups.items())
    return Need(title, text, state.tone, status=status, count=count, groups=shown)


def _conditions(snapshot: Snapshot) -> list[Need]:
    known = {one.type: one for one in snapshot.conditions if one.status == "False"}
    found = []
    for kind in (*TROUBLE, "SyncEnabled", *_ATTENTION):
        if (condition := known.get(kind)) is None:
            continue
        partly = kind == "Permitted" and condition.reason.startswith("Partly")
        tone: Tone = "trouble" if kind in TROUBLE and not partly else "attention"
        if kind == "SyncEnabled":
            tone = "off"
        guard = snapshot.verdict if kind == "GuardClear" else None
        tripped = guard is not None and guard.tripped
        found.append(
            Need(
                messages.BROKEN.get(kind, kind),
                condition.message,
                tone,
                condition=condition,
                approve=guard.hash if guard is not None and tripped and not guard.shrunk else "",
                lines=tuple(one for one in guard.reasons if one not in condition.message)
                if guard is not None and tripped
                else (),
            )
        )
    return found
