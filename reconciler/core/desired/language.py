"""The block's language: its words by gettext, and how it writes numbers and the sky's names.

``locale/LANGUAGE/LC_MESSAGES/block.mo`` in this package holds the words. What is not translated is said in
English. The words of the pages and of the terminal are another matter: see ``reconciler.messages``.
"""

from __future__ import annotations

import gettext
import re
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from reconciler.core.sky import constellations, object_names
from reconciler.core.sky.formats import ENGLISH, GERMAN, Formats

if TYPE_CHECKING:
    from reconciler.core.policy import LanguageCode

DOMAIN: Final = "block"
_FORMATS: Final[dict[LanguageCode, Formats]] = {"en": ENGLISH, "de": GERMAN}
_PLACE: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Language:
    """A language that the block can be written in."""

    code: LanguageCode = "en"
    formats: Formats = ENGLISH

    def say(self, text: str, **values: str | int) -> str:
        """Return an English text in this language, with values in place of their names in braces."""
        return _filled(_translations(self.code).gettext(text), values)

    def say_many(self, one: str, many: str, count: int, **values: str | int) -> str:
        """Return the text for a number of things, which is ``{count}`` in it."""
        found = _translations(self.code).ngettext(one, many, count)
        return _filled(found, {"count": count, **values})

    def constellation(self, name: str) -> str:
        """Name a constellation, given by its IAU name or abbreviation; other words stay as they are."""
        return constellations.translated(name, self.code)

    def object_type(self, words: str) -> str:
        """Say what kind of object it is, given in English; a person's own words stay as they are."""
        return object_names.translated(words, self.code)


@cache
def language_of(code: LanguageCode) -> Language:
    """Return a language."""
    return Language(code, _FORMATS[code])


@cache
def _translations(code: LanguageCode) -> gettext.NullTranslations:
    if code == "en":
        return gettext.NullTranslations()
    catalogue = files(__package__).joinpath("locale", code, "LC_MESSAGES", f"{DOMAIN}.mo")
    with catalogue.open("rb") as file:
        return gettext.GNUTranslations(file)


def _filled(text: str, values: dict[str, str | int]) -> str:
    """Put values in their places; not by ``format``, which would let a template reach into them."""
    if not values:
        return text
    pieces = _pieces(text)
    return "".join([str(values.get(piece, f"{{{piece}}}")) if odd else piece for odd, piece in pieces])


@lru_cache(512)
def _pieces(text: str) -> tuple[tuple[bool, str], ...]:
    """Take a text apart: whether a piece is a place's name, and the piece."""
    return tuple((bool(number % 2), piece) for number, piece in enumerate(_PLACE.split(text)))
