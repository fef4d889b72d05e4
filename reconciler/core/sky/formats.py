"""How languages write numbers, dates and lengths of time: values that `astronomy` writes by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from datetime import date


@dataclass(frozen=True, slots=True)
class Formats:
    """The signs of one language; those of English by default."""

    decimal_sign: str = "."
    date_format: str = "%Y-%m-%d"
    hours: str = "h"
    """What follows a number of hours, blanks included."""
    minutes: str = "m"
    seconds: str = "s"

    def number(self, text: str) -> str:
        """Return a number, written with a point and without groups, as the language writes it."""
        return text if self.decimal_sign == "." else text.replace(".", self.decimal_sign)

    def date(self, day: date) -> str:
        """Write a day: ``2023-02-01``."""
        return day.strftime(self.date_format) if day.year > 999 else day.isoformat()


ENGLISH: Final = Formats()
GERMAN: Final = Formats(",", "%d.%m.%Y", " h", " min", " s")
"""After DIN 1333 (decimal comma), DIN 5008 (dates), DIN 1301 (``h``, ``min``, ``s`` after a blank)."""
