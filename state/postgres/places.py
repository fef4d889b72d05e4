"""Places that processes on several machines share: advisory locks, which end with whoever has them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from state.postgres.own_connection import OwnConnection

if TYPE_CHECKING:
    from state.postgres.place import PostgresPlace

_MOST: Final = 256
"""Places of one kind."""


class Places(OwnConnection):
    """This process's places.

    Args:
        place: the database; its installation does not matter.
    """

    def __init__(self, place: PostgresPlace) -> None:
        super().__init__(place)
        self._held: set[tuple[int, int]] = set()

    def take(self, kind: int, count: int, most: int) -> list[int]:
        """Take so many places of a kind, or none; gives their numbers.

        Args:
            kind: of 31 bits.
            count: as many.
            most: as many there are of this kind, for all processes together; at most 256.

        Raises:
            StateError: the server cannot be asked.
        """
        with self._asking():
            taken: list[int] = []
            for number in range(min(most, _MOST)):
                if len(taken) == count:
                    break
                # A lock that this connection has already would be given once more.
                if (kind, number) not in self._held and self._try(kind, number):
                    taken.append(number)
            if len(taken) == count:
                self._held |= {(kind, number) for number in taken}
                return taken
            self._unlock(kind, taken)
            return []

    def give_back(self, kind: int, numbers: list[int]) -> None:
        """Give places back that were taken.

        Raises:
            StateError: the connection is gone; so are all places that it held.
        """
        with self._asking():
            self._held -= {(kind, number) for number in numbers}
            self._unlock(kind, numbers)

    def _try(self, kind: int, number: int) -> bool:
        row = self._connected().execute("SELECT pg_try_advisory_lock(%s, %s)", (kind, number)).fetchone()
        return bool(row and row[0])

    def _unlock(self, kind: int, numbers: list[int]) -> None:
        for number in numbers:
            if self._connection is not None:
                self._connection.execute("SELECT pg_advisory_unlock(%s, %s)", (kind, number))

    def _lose(self) -> None:
        super()._lose()
        self._held.clear()
