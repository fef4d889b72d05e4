"""What all sequences have in common that look their values up by place, packed or otherwise made small."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TypeVar, overload

T_co = TypeVar("T_co", covariant=True)


class ByPlace(Sequence[T_co]):
    """A sequence of which a subclass says how long it is, and what stands at a place."""

    __slots__ = ()

    @abstractmethod
    def _at(self, place: int) -> T_co:
        """Return what stands at a place from 0 on that there is."""

    @overload
    def __getitem__(self, place: int) -> T_co: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[T_co]: ...

    def __getitem__(self, place: int | slice) -> T_co | Sequence[T_co]:
        """Return one, or some as a tuple.

        Raises:
            IndexError: there are not so many.
        """
        if isinstance(place, slice):
            return tuple(map(self._at, range(*place.indices(len(self)))))
        if not -len(self) <= place < len(self):
            raise IndexError(place)
        return self._at(place % len(self))
