"""Reads a row value by value, in all the shapes Skymmich has stored them in over its releases.

Both storages come through here: SQLite gives integers, floats and text; PostgreSQL gives booleans, lists
and, by choice of its adapter, the text of timestamps and of JSON. An odd value is dropped and noted as a
warning; only what a row cannot be understood without makes the row unreadable. Every value that leaves has
bounds, far beyond what a person would enter: no text is too long to render, and no number too large to add
or to write out. No field's meaning is here.
"""

from __future__ import annotations

import json
import math
import re
import reprlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, TypeVar

from reconciler.core.catalogue import RowProblem
from reconciler.core.reasons import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from reconciler.core.reasons import Code, Param
    from reconciler.skymmich.tables import Row, Snapshot, Table

T = TypeVar("T")

MAX_TEXT: Final = 2_000
"""Characters of a title, a name, or any other short text."""
MAX_PROSE: Final = 20_000
"""Characters of a description: twice what Immich is given at most."""
MAX_JSON: Final = 16_000_000
"""Characters of a JSON value."""
MAX_LIST: Final = 200_000
"""Texts in a list."""
MAX_NUMBER: Final = 1e9
"""The largest number, either side of zero, unless a column has bounds of its own."""

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_YES, _NO = (True, 1, "1", "true", "t"), (False, 0, "0", "false", "f", "")
_SECONDS = re.compile(r"-?\d+(\.\d+)?")


class UnreadableRowError(ValueError):
    """The row cannot be understood.

    Args:
        code: why.
        params: of that reason.
    """

    def __init__(self, code: Code, /, **params: Param) -> None:
        super().__init__(code)
        self.reason = reason(code, **params)


def read_rows(
    snapshot: Snapshot,
    table: Table,
    read: Callable[[Fields], T],
    problems: list[RowProblem],
    *,
    after: Callable[[Fields], None] | None = None,
) -> list[T]:
    """Read every row of ``table``; one that is unreadable is noted in ``problems`` and left out.

    ``after`` is told of each row that was read in part or not at all: what it has is unknown, not absent.
    """
    results: list[T] = []
    for row in snapshot.rows.get(table.name, ()):
        fields = Fields(table.name, row, problems)
        whole = True
        try:
            results.append(read(fields))
        except UnreadableRowError as error:
            problems.append(RowProblem(table.name, fields.row_id, error.reason))
            whole = False
        if after is not None and (fields.dropped or not whole):
            after(fields)
    return results


class Fields:
    """One row; its odd values go to ``problems`` as warnings."""

    __slots__ = ("_problems", "_row", "_table", "dropped", "partly")

    def __init__(self, table: str, row: Row, problems: list[RowProblem]) -> None:
        self._table = table
        self._row = row
        self._problems = problems
        self.dropped: set[str] = set()
        """Columns that hold something that could not be read: not to be taken for empty."""
        self.partly: set[str] = set()
        """Columns of which a part could not be read."""

    @property
    def row_id(self) -> int | str:
        """The row's id for messages, whatever it is."""
        value = self._row.get("id")
        return value if isinstance(value, int) and not isinstance(value, bool) else excerpt(value)

    def warn(self, code: Code, /, **params: Param) -> None:
        """Note that a part of this row was left out."""
        self._problems.append(RowProblem(self._table, self.row_id, reason(code, **params), "warning"))

    def raw(self, name: str) -> object:
        """The value as the database gave it; ``None`` for a column that is not there."""
        return self._row.get(name)

    def reference(self, name: str) -> int | None:
        """A foreign key; ``None`` where it refers to nothing, or to something that cannot be told."""
        value = self._row.get(name)
        if value is None:
            return None
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        self.drop(name, "row_no_reference", value=excerpt(value))
        return None

    def identity(self) -> int:
        """The row's own id.

        Raises:
            UnreadableRowError: it is not an integer.
        """
        found = self._row.get("id")
        if not isinstance(found, int) or isinstance(found, bool):
            raise UnreadableRowError("row_no_id", value=excerpt(found))
        return found

    def vital(self, name: str, longest: int = MAX_TEXT) -> str:
        """A text that the row must not lose, as stored; ``""`` for NULL or a column that is not there.

        To read on without it would look as if a person had cleared it, and would clear it in Immich. One that
        is too long is ``""`` too, and ``dropped``.

        Raises:
            UnreadableRowError: it is not text.
        """
        value = self._row.get(name)
        if value is None:
            return ""
        if isinstance(value, bytes):
            raise UnreadableRowError("row_binary", column=name, size=len(value))
        return self._plain(name, value, longest) or ""

    def text(self, name: str) -> str | None:
        """A text without outer blanks, or ``None`` where there is none."""
        value = self._row.get(name)
        if value is None:
            return None
        if isinstance(value, bytes):
            self.drop(name, "row_binary_ignored", size=len(value))
            return None
        found = self._plain(name, value, MAX_TEXT)
        return found.strip() or None if found else None

    def number(
        self,
        name: str,
        *,
        minimum: float = -MAX_NUMBER,
        maximum: float = MAX_NUMBER,
        may_be_nan: bool = False,
    ) -> float | None:
        """A number within bounds, or ``None``.

        Args:
            name: the column.
            minimum: the least.
            maximum: the most.
            may_be_nan: Skymmich itself keeps "no number" as NaN there: that is none, and nothing unknown.
        """
        value = self._row.get(name)
        if value is None:
            return None
        found = finite(value)
        if found is not None and minimum <= found <= maximum:
            return found
        shown = excerpt(value)
        if may_be_nan and isinstance(value, float) and math.isnan(value):
            self.warn("row_no_number", column=name, value=shown)
        elif found is None:
            self.drop(name, "row_no_number", value=shown)
        elif found < minimum:
            self.drop(name, "row_too_small", minimum=f"{minimum:g}", value=shown)
        else:
            self.drop(name, "row_too_large", maximum=f"{maximum:g}", value=shown)
        return None

    def integer(self, name: str, *, minimum: float = -MAX_NUMBER, maximum: float = MAX_NUMBER) -> int | None:
        """A whole number within bounds, or ``None``."""
        found = self.number(name, minimum=minimum, maximum=maximum)
        if found is None:
            return None
        if not found.is_integer():
            self.drop(name, "row_not_whole", value=f"{found:g}")
            return None
        return int(found)

    def flag(self, name: str) -> bool:
        """A boolean: SQLite keeps 0 and 1, or its column's default, the word; NULL is no."""
        value = self._row.get(name)
        if value is None or value in _NO:
            return False
        if value in _YES:
            return True
        self.drop(name, "row_no_flag", value=excerpt(value))
        return False

    def moment(self, name: str) -> datetime | None:
        """A moment in UTC from unix seconds, ISO text (without a zone it is UTC), or a ``datetime``."""
        value = self._row.get(name)
        if value is None or value == "":
            return None
        try:
            return _moment(value)
        except (ValueError, OverflowError, OSError):
            self.drop(name, "row_no_date", value=excerpt(value))
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
            if not isinstance(value, str) or len(value) > MAX_JSON:
                raise TypeError  # noqa: TRY301  the same warning as for text that does not parse
            return json.loads(value)
        except (TypeError, ValueError, RecursionError):  # ValueError: a number of too many digits as well
            if secret:
                self.drop(name, "row_no_json_secret")
            else:
                self.drop(name, "row_no_json", value=excerpt(value))
            return None

    def strings(self, name: str) -> tuple[str, ...]:
        """A list of texts: a JSON array in SQLite, an array in PostgreSQL. NULL elements are nothing.

        Elements that are no text of a name's length are ``partly`` dropped: the others stand.
        """
        value = self._row.get(name)
        found = value if isinstance(value, list) else self.json(name)
        if found is None:
            return ()
        if not isinstance(found, list):
            self.drop(name, "row_no_list", value=excerpt(found))
            return ()
        if len(found) > MAX_LIST:
            self.partly.add(name)
            self.warn("row_long_list", column=name, size=len(found), most=MAX_LIST)
            found = found[:MAX_LIST]
        texts: Sequence[str] = [item for item in found if isinstance(item, str) and len(item) <= MAX_TEXT]
        if len(texts) < len(found):
            odd = [item for item in found if item is not None and not isinstance(item, str)]
            long = sum(isinstance(item, str) and len(item) > MAX_TEXT for item in found)
            if odd:
                self.partly.add(name)
                self.warn("row_odd_elements", column=name, value=excerpt(odd[0]))
            if long:
                self.partly.add(name)
                self.warn("row_long_elements", column=name, most=MAX_TEXT, size=long)
        return tuple(self._clean(name, item) for item in texts)

    def absent(self, name: str) -> None:
        """Note that a column is NULL, or has nothing, which Skymmich always fills: unknown, not empty.

        Nothing is noted of a column that is not there, nor of one that was found unreadable before.
        """
        if name in self._row and name not in self.dropped:
            self.drop(name, "row_empty")

    def drop(self, column: str, code: Code, /, **params: Param) -> None:
        """Note that a column holds something that could not be read: not to be taken for empty."""
        self.dropped.add(column)
        self.warn(code, column=column, **params)

    def _plain(self, name: str, value: object, longest: int) -> str | None:
        """Return a value as text, if it is a plain one and not too long."""
        if not isinstance(value, str):
            if not isinstance(value, int | float | Decimal | datetime):
                self.drop(name, "row_no_text", value=excerpt(value))
                return None
            value = str(value)
        if len(value) > longest:
            self.drop(name, "row_too_long_ignored", most=longest, size=len(value))
            return None
        return self._clean(name, value)

    def _clean(self, name: str, text: str) -> str:
        """Replace lone surrogates (JSON can spell them): no encoding could carry them on."""
        if text.isascii() or _LONE_SURROGATE.search(text) is None:
            return text
        self.warn("row_half_character", column=name)
        return _LONE_SURROGATE.sub("\ufffd", text)


def finite(value: object) -> float | None:
    """Return a finite number as a float; ``None`` for everything else, booleans and numeric text included."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return None
    try:
        found = float(value)
    except (OverflowError, ValueError):
        return None
    return found if math.isfinite(found) else None


def within(value: object, minimum: float, maximum: float) -> float | None:
    """Return a number within bounds as a float; ``None`` for everything else."""
    found = finite(value)
    return found if found is not None and minimum <= found <= maximum else None


def plain_text(value: str) -> str | None:
    """Return a short text out of JSON without halves of characters; ``None`` for one that is too long."""
    return _LONE_SURROGATE.sub("\ufffd", value) if len(value) <= MAX_TEXT else None


def excerpt(value: object) -> str:
    """Show a value in a message, short, whatever its size and depth."""
    if isinstance(value, str | bytes):
        value = value[:60]
    try:
        shown = _SHORT.repr(value)
    except (ValueError, RecursionError):  # more digits than Python writes out
        return f"a value of type {type(value).__name__}"
    return shown if len(shown) <= 60 else f"{shown[:57]}…"


class _Short(reprlib.Repr):
    """Says of a value what fits into a line."""

    def __init__(self) -> None:
        super().__init__()
        self.maxlevel, self.maxlist, self.maxtuple, self.maxdict = 3, 4, 4, 4
        self.maxstring = self.maxlong = self.maxother = 60

    def repr_str(self, value: str, level: int) -> str:  # noqa: ARG002 - the library's own signature
        """Show a text from its beginning, not from both ends."""
        return repr(value[:60])


_SHORT: Final = _Short()


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
