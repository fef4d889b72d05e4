"""How much of what is random is tried: little in every run, all of it with ``THOROUGH=1``.

What an issue names by number is tried at that number always: fifty kills, 300 random edits.
"""

from __future__ import annotations

import os
from typing import TypeVar

Amount = TypeVar("Amount")
THOROUGH = os.environ.get("THOROUGH", "") not in {"", "0"}


def several(quick: Amount, thorough: Amount) -> Amount:
    """Give the amount for this run, be it a number or the seeds themselves."""
    return thorough if THOROUGH else quick
