"""What becomes of an asset's write with its albums: they are written after it, and it waits for nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.core.reasons import Reason
    from reconciler.core.records import AssetStatus
    from reconciler.core.writes.asset_write import AssetWrite


def with_albums(
    write: AssetWrite,
    *,
    come: frozenset[str] = frozenset(),
    gone: frozenset[str] = frozenset(),
    why: Reason | None = None,
    status: AssetStatus = "failed",
) -> AssetWrite:
    """Note what was done with an asset's albums.

    Args:
        write: of the asset, however it ended.
        come: names of the albums into which it was put.
        gone: those out of which it was taken, or in which it was not any more.
        why: why something of it was not done; ``None``: all was.
        status: where the asset stands for that, unless it stands worse already.
    """
    applied = write.record.applied
    owned = (applied.albums | come) - gone
    known = replace(write, record=replace(write.record, applied=replace(applied, albums=owned)))
    if come or gone:
        known = replace(known, changed=known.changed | {"albums"})
    if why is None or known.failed is not None:
        return known
    return replace(known, status=status, failed=why)
