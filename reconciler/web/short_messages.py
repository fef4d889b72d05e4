"""What the page says shorter than the daemon: it shows the rest beside it, and a terminal does not."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from reconciler.messages.reasons import fields
from reconciler.models.reasons import told
from reconciler.web import messages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.catalogue import Equipment
    from reconciler.core.reasons import Reason
    from reconciler.core.records import JournalEntry, Run
    from reconciler.service.api import Snapshot

_FIRST_WORDS = frozenset({"In sync", "Attention", "Trouble", "Off", "Unknown", "Writing"})
_ODD = re.compile(r"(?P<odd>\S+) of (?P<all>\S+) images?: (?P<states>.+?)(?:, (?P<looked>checked .+))?")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3})")
_NOW = re.compile(r"\b[01] s ago")
_NAMES = {"block": "facts", "prose": "words", **{one: one for one in ("description", "coordinates", "tags")}}
_KINDS = ("telescope", "camera", "mount", "filter", "accessory", "software")


class Heading(NamedTuple):
    """The headline in three: ``In sync`` for the badge, the sentence, and what stands smaller below it."""

    badge: str
    sentence: str
    more: str = ""


def heading(snapshot: Snapshot) -> Heading:
    """Part the headline. What is broken is only named: its message stands below, with what mends it."""
    first, colon, rest = snapshot.headline.partition(": ")
    badge, text = (first, rest) if colon and first in _FIRST_WORDS and rest else ("", snapshot.headline)
    for condition in snapshot.conditions:
        if condition.status == "False" and condition.message and condition.message in text:
            return Heading(badge, messages.BROKEN.get(condition.type, condition.type))
    text = _NOW.sub("just now", text)
    if found := _ODD.fullmatch(text):
        text = f"{found['odd']} of {found['all']} images {'is' if found['odd'] == '1' else 'are'} not in sync"
        more = " · ".join(filter(None, (found["states"], found["looked"])))
        return Heading(badge, _spaced(text), _spaced(more))
    return Heading(badge, _spaced(first_upper(text)))


def _spaced(text: str) -> str:
    """Write thousands as the page does."""
    return _THOUSANDS.sub("\N{NARROW NO-BREAK SPACE}", text)


def first_upper(text: str) -> str:
    """Begin a text as a sentence begins; addresses stay as they are."""
    return text if text.startswith("http") else text[:1].upper() + text[1:]


def spoken(reasons: Iterable[Reason]) -> str:
    """Return reasons as the page says them, as sentences begin: ``Words: …``."""
    return first_upper(told(reasons))


def fields_of(reasons: Iterable[Reason]) -> str:
    """Return only the fields that reasons name; empty if they name none."""
    return first_upper(fields(reasons))


def wrote(run: Run) -> list[tuple[str, int]]:
    """Return how many of each kind of value a run wrote; empty where its own summary tells more."""
    if run.outcome not in {"ok", "attention"} or ";" in run.summary:
        return []
    kinds = ((name.removeprefix("wrote_"), n) for name, n in run.counts.items() if name.startswith("wrote_"))
    return [(_NAMES.get(kind, kind), count) for kind, count in kinds if count]


def by_run(entries: Iterable[JournalEntry]) -> list[list[JournalEntry]]:
    """Group what was written by the run that did; each run's values by field."""
    runs = groupby(entries, key=lambda entry: entry.run_id)
    return [sorted(group, key=lambda entry: entry.field) for _, group in runs]


def by_kind(pieces: Iterable[Equipment]) -> list[tuple[str, list[Equipment]]]:
    """Group equipment as the light meets it: telescope, camera, then what carries and serves them."""
    groups: dict[str, list[Equipment]] = {kind: [] for kind in _KINDS}
    for piece in pieces:
        groups.setdefault(piece.kind, []).append(piece)
    return [(kind, group) for kind, group in groups.items() if group]
