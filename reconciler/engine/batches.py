"""Many assets, a batch at a time: what is looked up or recorded in one go holds nobody up for long."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SIZE: Final = 200
"""Assets that are looked up, or recorded, in one go."""
T = TypeVar("T")


def batches(several: Sequence[T], size: int = SIZE) -> Iterator[Sequence[T]]:
    """Yield them ``size`` at a time, in order."""
    for start in range(0, len(several), size):
        yield several[start : start + size]
