"""Which of the page's buttons can do something now, and why the others cannot: pure, from a snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.messages.blocked import BLOCKED
from reconciler.messages.translation import say
from reconciler.service.summary import PARTLY

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reconciler.core.permission import Standing
    from reconciler.core.records import AssetRecord
    from reconciler.messages.blocked import Block
    from reconciler.messages.proposals import Action
    from reconciler.service.api import ConditionType, RunState, Snapshot

_LOOKING: Final[Mapping[ConditionType, Block]] = {"StoreWritable": "store", "Writer": "writer"}
"""What keeps the daemon from even looking. Where Immich or the catalogue are gone, a look is what helps."""
_WRITING: Final[Mapping[ConditionType, Block]] = {
    **_LOOKING,
    "CatalogueReadable": "catalogue",
    "SyncEnabled": "off",
    "ImmichReachable": "immich",
    "Permitted": "key",
}
_BEFORE: Final[Mapping[Standing, Block]] = {
    "asking": "not_begun",
    "trying": "first_only",
    "observing": "observes",
}


def no_look(snapshot: Snapshot) -> str:
    """Return why a look would do nothing now; empty: it would."""
    if why := _broken(snapshot, _LOOKING):
        return why
    current = at_work(snapshot)
    return say(BLOCKED["running"]) if current is not None and current.request.image_ids is None else ""


def at_work(snapshot: Snapshot) -> RunState | None:
    """Return the run that does something now; ``None``: none does.

    A look of the background that reads nothing is over before anybody could press a button.
    """
    current = snapshot.current
    progress = current.progress if current else None
    return current if progress is not None and (progress.phase == "writing" or progress.done > 0) else None


def no_write(snapshot: Snapshot, image_ids: Collection[int] | None = None) -> str:
    """Return why some images cannot be written now, or all (``None``); empty: they can.

    A pause stops nothing that a person asks for.
    """
    if why := _broken(snapshot, _WRITING):
        return why
    permission = snapshot.permission
    return "" if permission.allows(image_ids) else say(BLOCKED[_BEFORE[permission.standing]])


def no_undo(snapshot: Snapshot) -> str:
    """Return why nothing can be taken back now; empty: it can, also before anybody has begun."""
    return _broken(snapshot, _WRITING) or no_decision(snapshot)


def no_decision(snapshot: Snapshot) -> str:
    """Return why no decision can be kept; empty: it can, also before anybody has begun."""
    return say(BLOCKED["observes"]) if snapshot.permission.standing == "observing" else ""


def no_action(snapshot: Snapshot, action: Action, image_ids: Collection[int] | None) -> str:
    """Return why something cannot be done with some images now, or with all (``None``); empty: it can."""
    if action in {"sync", "redo", "approve"}:
        return no_write(snapshot, image_ids)
    if action == "take_over":
        return no_decision(snapshot)
    if action in {"pause", "resume"}:
        return ""
    return (no_look(snapshot) or no_decision(snapshot)) if action == "immich" else no_undo(snapshot)


def no_sync(snapshot: Snapshot, image_id: int, record: AssetRecord | None) -> str:
    """Return why an image cannot be synced now; empty: it can."""
    if record is not None and (record.taken_back is not None or record.status == "undone"):
        return say(BLOCKED["taken_back"])
    return no_write(snapshot, (image_id,))


def _broken(snapshot: Snapshot, blocks: Mapping[ConditionType, Block]) -> str:
    known = {one.type: one for one in snapshot.conditions if one.status == "False" and one.reason != PARTLY}
    return next((say(BLOCKED[block]) for kind, block in blocks.items() if kind in known), "")
