"""Whether what is ours is kept in Immich, too, and whether another instance or a newer store is seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.app.doctor.findings import Finding
from reconciler.core.store_keys import OWNER
from reconciler.engine.events import ignore
from reconciler.engine.ownership import Memory, Ownership

if TYPE_CHECKING:
    from reconciler.core.catalogue import Catalogue
    from reconciler.core.ports import Clock, ServerFacts, Target
    from reconciler.engine.standpoint import Standpoint
    from state.store import SqliteStore

_FROM_NOW: Final = Finding(
    "immich", "ok", "from the next run on, Immich also keeps a record of what was written from here"
)
_MANY: Final = 1_000_000


async def check_ownership(
    target: Target, facts: ServerFacts, store: SqliteStore | None, clock: Clock, catalogue: Catalogue | None
) -> list[Finding]:
    """Return what is to be said of the records in Immich."""
    if not facts.notes:
        what = f"Immich {facts.version} keeps no records of what is ours; 2.5 and newer do."
        remedy = "Keep backups of the state store, or update Immich: without it, what is ours is not known."
        return [Finding("immich", "warning", what, remedy)]
    if any(loss.permission == "asset.update" for loss in facts.losses):
        what = "What is ours cannot be kept in Immich, too: the key lacks asset.update."
        return [Finding("immich", "warning", what, "Keep backups of the state store.")]
    if store is None:
        return [_FROM_NOW]
    linked = catalogue.linked_assets if catalogue else tuple[str, ...]
    point = await Ownership(target, store, clock, ignore, Memory()).look(facts, linked, anew=True)
    if point.another is not None:
        error = point.another.error()
        return [Finding("immich", "warning", error.message, error.remedy)]
    return [_kept(point, store)]


def _kept(point: Standpoint, store: SqliteStore) -> Finding:
    if point.mode == "all":
        what = (
            "Immich has newer records of what is ours than the state store: it is an older copy, or was lost."
        )
        remedy = "Nothing is lost: the next run over all images takes them up. See: skymmich-reconciler adopt"
        return Finding("immich", "warning", what, remedy)
    if not OWNER.is_kept(store):
        return _FROM_NOW
    waiting, owner = len(store.unshared(_MANY)), point.owner
    more = f"; {waiting} are still to be written" if waiting else ""
    what = (
        f"what is ours is kept in Immich, too (instance {owner.instance}, writing {owner.generation}{more})"
    )
    return Finding("immich", "ok", what)
