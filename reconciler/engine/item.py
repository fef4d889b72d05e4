"""One image of a pass: what it wants by then, what was planned for it, and where it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.core.plan.plan import AssetPlan
    from reconciler.core.reasons import Reason
    from reconciler.core.records import AssetRecord, AssetStatus, PendingWrite


@dataclass(frozen=True, slots=True)
class Item:
    """One linked image of a pass: its desired state's fingerprint, and where it stands."""

    image: CatalogueImage | None
    """``None`` for an image that left the catalogue."""
    asset_id: str
    image_id: int
    title: str
    fingerprint: str = ""
    plan: AssetPlan | None = None
    """``None``: skipped by fingerprint, or not readable (see ``status``)."""
    status: AssetStatus = "in_sync"
    reasons: tuple[Reason, ...] = ()
    edited: bool = False
    """Whether somebody was at work on the asset when it was read."""
    adopted: PendingWrite | None = None
    """A write of an earlier run that has not been seen settled: it is waited for before anything else."""
    held: str = ""
    """Hash of the harm that the guard holds back; ``plan`` is then what remains. ``""``: nothing is."""
    withheld: AssetPlan | None = None
    """The whole plan of which the guard holds a part back; ``None`` where it does not, or did not look."""


def stands(item: Item, record: AssetRecord | None) -> bool:
    """Return whether an image is where its record says."""
    if item.plan is not None or item.adopted is not None or record is None or not record.linked:
        return False
    return (record.image_id, record.title, record.status, record.reasons) == (
        item.image_id,
        item.title,
        item.status,
        item.reasons,
    )


def is_catalogues(reasons: Collection[Reason]) -> bool:
    """Return whether nothing is wrong with an image but what the catalogue has of it: trying again is no use.

    It is looked at again once its row is another one, as with any change of the catalogue.
    """
    return bool(reasons) and all(one.code == "unreadable" for one in reasons)
