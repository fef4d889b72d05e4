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
    from state.store import StateStore

_FROM_NOW: Final = Finding(
    "immich", "ok", "from the next run on, Immich also keeps a record of what was written from here"
)
_MANY: Final = 1_000_000


async def check_ownership(
    target: Target, facts: ServerFacts, store: StateStore | None, clock: Clock, catalogue: Catalogue | None
) -> list[Finding]:
    """Return what is to be said of the records in Immich."""
    if not facts.notes:
        what = f"Immich {facts.version} cannot keep records of what was written from here; 2.5 and newer can."
        remedy = (
            "Keep backups of the state store, or update Immich: if the store is lost, nobody knows what was "
            "written from here."
        )
        return [Finding("immich", "warning", what, remedy)]
    if any(loss.permission == "asset.update" for loss in facts.losses):
        what = "Records of what was written from here cannot be kept in Immich: the key lacks asset.update."
        return [Finding("immich", "warning", what, "Keep backups of the state store.")]
    if store is None:
        return [_FROM_NOW]
    linked = catalogue.linked_assets if catalogue else tuple[str, ...]
    point = await Ownership(target, store, clock, ignore, Memory()).look(facts, linked, anew=True)
    if point.another is not None:
        error = point.another.error()
        return [Finding("immich", "warning", error.message, error.remedy)]
    return [_kept(point, store)]


def _kept(point: Standpoint, store: StateStore) -> Finding:
    if point.mode == "all":
        what = (
            "Immich has newer records of what was written from here than the state store, which is an older "
            "copy or was lost."
        )
        remedy = "Nothing is lost: the next run over all images takes them up. See: skymmich-reconciler adopt"
        return Finding("immich", "warning", what, remedy)
    if not OWNER.is_kept(store):
        return _FROM_NOW
    waiting, owner = len(store.unshared(_MANY)), point.owner
    more = f"; {waiting} are still to be written" if waiting else ""
    instance = f"instance {owner.instance}, writing {owner.generation}"
    what = f"Immich also keeps records of what was written from here ({instance}{more})"
    return Finding("immich", "ok", what)
