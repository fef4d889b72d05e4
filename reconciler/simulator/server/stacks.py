"""Stacks as the server keeps them: several assets that are shown as one. Measured on 2.7.5 and 3.1.0.

Whatever makes an asset come to a stack, or go, moves its date; another cover moves none.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(slots=True)
class Stack:
    """One stack."""

    stack_id: str
    primary: str
    assets: dict[str, None]
    """Ids, the trash's and the archive's, too."""


class StackStore:
    """All stacks of the key's owner."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"stacks:{seed}")  # noqa: S311 - ids of a simulation
        self.by_id: dict[str, Stack] = {}

    def of(self, asset_id: str) -> Stack | None:
        """Return the stack that an asset is in."""
        return next((one for one in self.by_id.values() if asset_id in one.assets), None)

    def create(self, asset_ids: Iterable[str]) -> Stack:
        """Make one, its first asset the primary one; whole stacks of which one is primary come along."""
        ids = list(dict.fromkeys(asset_ids))
        for other in [one for one in self.by_id.values() if one.primary in ids]:
            ids += [asset_id for asset_id in other.assets if asset_id not in ids]
            del self.by_id[other.stack_id]
        for asset_id in ids:
            if (other_one := self.of(asset_id)) is not None:
                del other_one.assets[asset_id]
        stack_id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        self.by_id[stack_id] = Stack(stack_id, ids[0], dict.fromkeys(ids))
        return self.by_id[stack_id]

    def forget(self, asset_id: str) -> None:
        """Let an asset go that was deleted for good; another becomes primary, and one alone is no stack."""
        stack = self.of(asset_id)
        if stack is None:
            return
        del stack.assets[asset_id]
        if stack.primary == asset_id:
            if len(stack.assets) < 2:
                del self.by_id[stack.stack_id]
            else:
                stack.primary = next(iter(stack.assets))
