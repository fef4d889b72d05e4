"""What the page says shorter than the daemon: it shows the rest beside it, and a terminal does not."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING

from reconciler.web.tones import first_upper

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.catalogue import Equipment
    from reconciler.core.records import JournalEntry

_NAMES = {"block": "facts", "prose": "words", **{one: one for one in ("description", "coordinates", "tags")}}
_KINDS = ("telescope", "camera", "mount", "filter", "accessory", "software")
_FIELDS = re.compile(rf"(?:{'|'.join(_NAMES)})(?: and (?:{'|'.join(_NAMES)}))*(?=: )")


def spoken(reason: str) -> str:
    """Write a reason with the page's names of fields: ``Words: …`` instead of ``prose: …``."""
    named = _FIELDS.sub(lambda found: " and ".join(_NAMES[one] for one in found[0].split(" and ")), reason)
    return first_upper(named)


def fields_of(reason: str) -> str:
    """Return only the fields that a reason names; empty if it names none."""
    found = _FIELDS.match(reason)
    return spoken(found[0] + ": ")[:-2] if found else ""


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
