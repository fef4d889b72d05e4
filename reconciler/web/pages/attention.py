"""What a person should look at, worst first, each with its reason and what mends it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TYPE_CHECKING

from reconciler.messages import conditions, guard
from reconciler.messages.carry_over import OFFERED, OFFERED_MEANING, kept_lines
from reconciler.messages.formats import state
from reconciler.messages.translation import Message, say
from reconciler.messages.vocabulary import MISSING
from reconciler.service.summary import PARTLY, TROUBLE
from reconciler.web.short_messages import fields_of, spoken
from reconciler.web.tones import CROSSED, URGENCY, missing, state_of

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.records import AssetRecord
    from reconciler.service.api import Condition, ConditionType, Snapshot
    from reconciler.web.context import Panel
    from reconciler.web.image_index import Lookup
    from reconciler.web.tones import Tone

EXAMPLES = 3
"""Images shown of each state; a link leads to all of them."""
PICTURES = 8
"""Images shown of those that the guard holds."""
_UNREAD = Message(
    "{count} row of Skymmich's catalogue could not be read completely",
    "{count} rows of Skymmich's catalogue could not be read completely",
)
_TITLE = Message("{count} image: {what}", "{count} images: {what}")
_STAND_BACK = Message("Stop the other one, or take over from here.")
_BEFORE_BEGUN = Message(
    "Stop the other one, or take over from here, and begin: until you begin, nothing is written, and the "
    "other one goes on."
)
_PLAIN = frozenset({"unknown_asset", "held", "conflict"})
"""States of which the reason says no more than their meaning."""
_ATTENTION: tuple[ConditionType, ...] = ("CanaryClear", "GuardClear", "ConfigurationCurrent", "Fresh")


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
    pictures: tuple[AssetRecord, ...] = ()
    """Some of the images that the guard holds something of."""
    take_over: bool = False
    """Whether another installation keeps the library, whose place can be taken."""
    listed: bool = True
    """Whether the list of images can be filtered by it."""
    seen_until: datetime | None = None
    """Until when crossings were noticed that a click can say to have looked at."""


async def needs(panel: Panel, snapshot: Snapshot, lookup: Lookup) -> list[Need]:
    """Gather everything; empty when all is well."""
    found = list(_conditions(snapshot))
    guarded = snapshot.verdict is not None and snapshot.verdict.tripped
    if guarded and (held := snapshot.counts.get("held", 0)):
        records = await asyncio.to_thread(panel.history.search, "", "held", PICTURES)
        found = [
            replace(need, pictures=tuple(records), status="held", count=held)
            if need.condition is not None and need.condition.type == "GuardClear"
            else need
            for need in found
        ]
    if crossed := snapshot.crossed.count:
        records = await asyncio.to_thread(panel.history.search, limit=EXAMPLES, crossed=True)
        title = say(_TITLE, count=crossed, what=say(MISSING))
        examples = (("", tuple((record, "") for record in records)),)
        need = Need(title, missing().meaning, missing().tone, status=CROSSED, count=crossed)
        found.append(replace(need, groups=examples, seen_until=snapshot.crossed.newest))
    if snapshot.offered:
        found.append(await _offered(panel, snapshot.offered))
    for status in URGENCY:
        if guarded and status == "held":
            continue  # of these speaks the guard's own card
        if count := snapshot.counts.get(status, 0):
            records = await asyncio.to_thread(panel.history.search, "", status, EXAMPLES)
            found.append(_images(status, count, records))
    if lookup.problems:
        found.append(
            Need(
                say(_UNREAD, count=len(lookup.problems)),
                "Only these are affected; what could not be read is left alone in Immich.",
                "attention",
                lines=lookup.problems[:5],
            )
        )
    return found


async def _offered(panel: Panel, count: int) -> Need:
    """Speak of images whose former asset had something of a person."""
    found = await asyncio.to_thread(panel.history.carry_overs_offered)
    records = await asyncio.to_thread(panel.history.records_of, sorted(found)[:EXAMPLES])
    shown = tuple(
        (record, ", ".join(title for title, _ in kept_lines(found[key][0].kept)))
        for key, record in sorted(records.items())
    )
    need = Need(say(OFFERED, count=count), say(OFFERED_MEANING), "attention", count=count, listed=False)
    return replace(need, groups=(("", shown),))


def digest(snapshot: Snapshot) -> str:
    """Return a short text that differs whenever ``needs`` would, for open pages to compare."""
    # By their words, in which a duration changes seldom: with another digest each second every page would ask
    # anew all the time.
    broken = [
        (one.type, one.reason, conditions.message(one))
        for one in snapshot.conditions
        if one.status == "False"
    ]
    counts = [(one, snapshot.counts.get(one, 0)) for one in URGENCY]
    approvable = snapshot.verdict.hash if snapshot.verdict is not None and snapshot.verdict.tripped else ""
    every = (snapshot.level, broken, counts, approvable, snapshot.crossed.count, snapshot.crossed.newest)
    return sha256(repr((*every, snapshot.offered)).encode()).hexdigest()[:16]


def _images(status: str, count: int, records: list[AssetRecord]) -> Need:
    """Speak of the images in a state. A reason is said once, for all images that share it."""
    shown = state_of(status)
    title = say(_TITLE, count=count, what=state(status))
    text = shown.meaning
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
    listed = tuple((reason, tuple(found)) for reason, found in groups.items())
    return Need(title, text, shown.tone, status=status, count=count, groups=listed)


def _conditions(snapshot: Snapshot) -> list[Need]:
    known = {one.type: one for one in snapshot.conditions if one.status == "False"}
    found = []
    for kind in (*TROUBLE, "SyncEnabled", *_ATTENTION):
        if (condition := known.get(kind)) is None:
            continue
        partly = kind == "Permitted" and condition.reason == PARTLY
        tone: Tone = "trouble" if kind in TROUBLE and not partly else "attention"
        if kind == "SyncEnabled":
            tone = "off"
        verdict = snapshot.verdict if kind == "GuardClear" else None
        tripped = verdict is not None and verdict.tripped
        found.append(
            Need(
                conditions.name(condition),
                guard.safe(verdict.cause) if verdict is not None and tripped else _text(condition, snapshot),
                tone,
                condition=condition,
                approve=verdict.hash if verdict is not None and tripped and not verdict.shrunk else "",
                lines=guard.lines(verdict.reasons) if verdict is not None and tripped else (),
                take_over=condition.reason == "AnotherInstance",
            )
        )
    return found


def _text(condition: Condition, snapshot: Snapshot) -> str:
    """Return what a card says; what the page has a button for is not said as a command."""
    if condition.reason != "AnotherInstance":
        return conditions.message(condition)
    told = [str(one.get("text")) for one in condition.details if one.get("text")]
    return " ".join([*told, say(_BEFORE_BEGUN if snapshot.permission.waits else _STAND_BACK)])
