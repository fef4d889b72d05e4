"""What the page makes of reasons, of a journal and of equipment: shorter, and in groups."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from reconciler.core.plan.reversal import reversals
from reconciler.messages.formats import first_upper
from reconciler.messages.reasons import fields
from reconciler.models.reasons import told

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.catalogue import Equipment
    from reconciler.core.reasons import Reason
    from reconciler.core.records import JournalEntry

_KINDS = ("telescope", "camera", "mount", "filter", "accessory", "software")


def spoken(reasons: Iterable[Reason]) -> str:
    """Return reasons as the page says them, as sentences begin: ``Words: …``."""
    return first_upper(told(reasons))


def fields_of(reasons: Iterable[Reason]) -> str:
    """Return only the fields that reasons name; empty if they name none."""
    return first_upper(fields(reasons))


def by_run(entries: Iterable[JournalEntry]) -> list[list[JournalEntry]]:
    """Group what was written by the run that did; each run's values by field."""
    runs = groupby(entries, key=lambda entry: entry.run_id)
    return [sorted(group, key=lambda entry: entry.field) for _, group in runs]


def tag_changes(entries: Iterable[JournalEntry]) -> tuple[list[str], list[str]]:
    """Return which tags came and which went, over all writes: an undo takes off one a write."""
    found = reversals(entries)
    came = {tag for one in found for tag in one.added}
    went = {tag for one in found for tag in one.removed}
    return sorted(came), sorted(went)


def album_changes(entries: Iterable[JournalEntry]) -> tuple[list[str], list[str]]:
    """Return into which albums it was put, and out of which it was taken, over all writes."""
    found = reversals(entries)
    came = {name for one in found for name in one.put_in}
    went = {name for one in found for name in one.taken_out}
    return sorted(came), sorted(went)


def by_kind(pieces: Iterable[Equipment]) -> list[tuple[str, list[Equipment]]]:
    """Group equipment as the light meets it: telescope, camera, then what carries and serves them."""
    groups: dict[str, list[Equipment]] = {kind: [] for kind in _KINDS}
    for piece in pieces:
        groups.setdefault(piece.kind, []).append(piece)
    return [(kind, group) for kind, group in groups.items() if group]
