"""Reads a row value by value, in all the shapes Skymmich has stored them in over its releases.

Both storages come through here: SQLite gives integers, floats and text; PostgreSQL gives booleans, lists
and, by choice of its adapter, the text of timestamps and of JSON. An odd value is dropped and noted as a
warning; only what a row cannot be understood without makes the row unreadable. No field's meaning is here.
"""

from __future__ import annotations

import json
import math
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from reconciler.core.catalogue import RowProblem

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.skymmich.tables import Row, Snapshot, Table

T = TypeVar("T")

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_SECONDS = re.compile(r"-?\d+(\.\d+)?")


class UnreadableRowError(ValueError):
    """The row cannot be understood; its text is the reason."""


def read_rows(
    snapshot: Snapshot, table: Table, read: Callable[[Fields], T], problems: list[RowProblem]
) -> list[T]:
    """Read every row of ``table``; one that is unreadable is noted in ``problems`` and left out."""
    results: list[T] = []
    for row in snapshot.rows.get(table.name, ()):
        fields = Fields(table.name, row, problems)
        try:
            results.append(read(fields))
        except UnreadableRowError as error:
            problems.append(RowProblem(table.name, fields.row_id, str(error)))
    return results


class Fields:
    """One row; its odd values go to ``problems`` as warnings."""

    def __init__(self, table: str, row: Row, problems: list[RowProblem]) -> None:
        self._table = table
        self._row = row
        self._problems = problems
        self.dropped: set[str] = set()
        """Columns that hold something that could not be read: not to be taken for empty."""

    @property
    def row_id(self) -> int | str:
        """The row's id for messages, whatever it is."""
        value = self._row.get("id")
        return value if isinstance(value, int) else excerpt(value)

    def warn(self, reason: str) -> None:
        """Note that a part of this row was left out."""
        self._problems.append(RowProblem(self._table, self.row_id, reason, "warning"))

    def raw(self, name: str) -> object:
        """The value as the database gave it; ``None`` for a column that is not there."""
        return self._row.get(name)

    def reference(self, name: str) -> int | None:
        """A foreign key; ``None`` where it is missing or no integer: such a row refers to nothing."""
        value = self._row.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def identity(self) -> int:
        """The row's own id.

        Raises:
            UnreadableRowError: it is not an integer.
        """
        found = self.reference("id")
        if found is None:
            raise UnreadableRowError(f"its id is not an integer: {excerpt(self._row.get('id'))}")
        return found

    def vital(self, name: str) -> str:
        """A text that the row must not lose, as stored; ``""`` for NULL or a column that is not there.

        To read on without it would look as if a person had cleared it, and would clear it in Immich.

        Raises:
            UnreadableRowError: it is not text.
        """
        value = self._row.get(name)
        if value is None:
            return ""
        if isinstance(value, bytes):
            raise UnreadableRowError(f"{name} is not text but {len(value)} bytes of binary data")
        return self._clean(name, value if isinstance(value, str) else str(value))

    def text(self, name: str) -> str | None:
        """A text without outer blanks, or ``None`` where there is none."""
        value = self._row.get(name)
        if value is None:
            return None
        if isinstance(value, bytes):
            self.warn(f"{name} is not text but {len(value)} bytes of binary data; it is ignored")
            return None
        return self._clean(name, value if isinstance(value, str) else str(value)).strip() or None

    def number(self, name: str, *, minimum: float = -math.inf) -> float | None:
        """A finite number of at least ``minimum``, or ``None``."""
        value = self._row.get(name)
        if value is None:
            return None
        found = finite(value)
        if found is None or found < minimum:
            self.dropped.add(name)
            reason = "is not a number" if found is None else f"is less than {minimum:g}"
            self.warn(f"{name} {reason} ({excerpt(value)}); it is ignored")
            return None
        return found

    def integer(self, name: str, *, minimum: float = -math.inf) -> int | None:
        """A whole number of at least ``minimum``, or ``None``."""
        found = self.number(name, minimum=minimum)
        if found is None:
            return None
        if not found.is_integer():
            self.warn(f"{name} is not a whole number ({found:g}); it is ignored")
            return None
        return int(found)

    def flag(self, name: str) -> bool:
        """A boolean: SQLite keeps 0 and 1."""
        return self._row.get(name) in (True, 1, "1", "true", "t")

    def moment(self, name: str) -> datetime | None:
        """A moment in UTC from unix seconds, ISO text (without a zone it is UTC), or a ``datetime``."""
        value = self._row.get(name)
        if value is None or value == "":
            return None
        try:
            return _moment(value)
        except (ValueError, OverflowError, OSError):
            self.warn(f"{name} is not a date ({excerpt(value)}); it is ignored")
            return None

    def json(self, name: str, *, secret: bool = False) -> object:
        """A JSON value; ``None`` for NULL, for ``null``, and with a warning for what is not JSON.

        Args:
            name: the column.
            secret: keep the value out of the warning.
        """
        value = self._row.get(name)
        if value is None or value == "":
            return None
        try:
            if not isinstance(value, str):
                raise TypeError  # noqa: TRY301  the same warning as for text that does not parse
            return json.loads(value)
        except (TypeError, ValueError, RecursionError):
            self.dropped.add(name)
            shown = "" if secret else f" ({excerpt(value)})"
            self.warn(f"{name} is not JSON{shown}; it is ignored")
            return None

    def strings(self, name: str) -> tuple[str, ...]:
        """A list of texts: a JSON array in SQLite, an array in PostgreSQL. NULL elements are nothing."""
        value = self._row.get(name)
        found = value if isinstance(value, list) else self.json(name)
        if found is None:
            return ()
        if not isinstance(found, list):
            self.dropped.add(name)
            self.warn(f"{name} is not a list ({excerpt(found)}); it is ignored")
            return ()
        odd: Sequence[object] = [item for item in found if item is not None and not isinstance(item, str)]
        if odd:
            self.warn(f"{name} has elements that are not text ({excerpt(odd[0])}); they are ignored")
        return tuple(self._clean(name, item) for item in found if isinstance(item, str))

    def _clean(self, name: str, text: str) -> str:
        """Replace lone surrogates (JSON can spell them): no encoding could carry them on."""
        if _LONE_SURROGATE.search(text) is None:
            return text
        self.warn(f"{name} has half a character in it, which is replaced")
        return _LONE_SURROGATE.sub("\ufffd", text)


def finite(value: object) -> float | None:
    """Give a finite number as a float; ``None`` for everything else, booleans and numeric text included."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def excerpt(value: object) -> str:
    """Show a value in a message, short."""
    shown = repr(value)
    return shown if len(shown) <= 60 else f"{shown[:57]}…"


def _moment(value: object) -> datetime:
    if isinstance(value, datetime):
        found = value
    elif isinstance(value, str) and _SECONDS.fullmatch(value.strip()) is None:
        found = datetime.fromisoformat(value.strip())
    elif isinstance(value, str | int | float):
        return datetime.fromtimestamp(float(value), UTC)
    else:
        raise ValueError(value)
    return found.astimezone(UTC) if found.tzinfo is not None else found.replace(tzinfo=UTC)
