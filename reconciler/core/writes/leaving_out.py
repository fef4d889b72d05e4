"""What becomes of an asset's write when a person leaves it out, or fields of it, while a pass is at it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.plan.left_out import leave_out, why_left_out

if TYPE_CHECKING:
    from reconciler.core.records import LeftOut
    from reconciler.core.writes.asset_write import AssetWrite


def on_left_out(write: AssetWrite, left_out: tuple[LeftOut, ...], now: float) -> AssetWrite:
    """Go on without what is left out by now. What was sent is verified, and stays as it is.

    Args:
        write: ready to send its next step.
        left_out: all that a person left out of it.
        now: the time.
    """
    plan = leave_out(write.plan, why_left_out(write.plan.marks, left_out))
    return write.knowing(left_out).on_planned(replace(plan, observed=write.observed), now)
