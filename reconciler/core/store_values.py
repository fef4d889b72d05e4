"""How small values are kept in the store by name: what a name is, and where they are. See ``store_keys``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class Values(Protocol):
    """Where small values are kept: the state store."""

    def get(self, key: str) -> object:
        """Read a small JSON value; ``None`` if absent."""
        ...

    def put(self, key: str, value: object) -> None:
        """Write a small JSON value; ``None`` deletes it."""
        ...


@dataclass(frozen=True, slots=True)
class Key(Generic[T]):
    """The name of a small value, and its form."""

    name: str
    _decode: Callable[[object], T | None]
    """Gives ``None`` for a value of another form."""
    _encode: Callable[[T], object]

    def read(self, store: Values) -> T | None:
        """Return the value; ``None`` if there is none."""
        kept = store.get(self.name)
        return None if kept is None else self._decode(kept)

    def write(self, store: Values, value: T) -> None:
        """Keep a value in the place of any other."""
        store.put(self.name, self._encode(value))

    def forget(self, store: Values) -> None:
        """Let nothing be kept."""
        store.put(self.name, None)

    def is_kept(self, store: Values) -> bool:
        """Return whether anything is kept, in whatever form."""
        return store.get(self.name) is not None
