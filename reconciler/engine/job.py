"""The assets of a pass that have something to write: each an item of the plan and how its write stands.

How a write goes on is decided by ``core.writes.asset_write`` alone; here its value is only kept.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reconciler.core.reasons import Reason
    from reconciler.core.writes.asset_write import AssetWrite
    from reconciler.engine.item import Item


@dataclass(slots=True)
class Job:
    """Lives for one pass, in one task."""

    item: Item
    write: AssetWrite
    told: Reason | None = None
    """The remark that was told already."""

    @property
    def asset_id(self) -> str:
        """The asset."""
        return self.item.asset_id
