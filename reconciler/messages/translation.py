"""Turns messages into words by gettext. The messages are written in English; a translation is a file beside.

``locale/LANGUAGE/LC_MESSAGES/skymmich-reconciler.mo`` in this package holds a language, as the environment
asks for it (``LANGUAGE``, ``LC_ALL``, ``LC_MESSAGES``, ``LANG``). Without one, everything is said in English.
"""

from __future__ import annotations

import gettext
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from reconciler.core.reasons import Param

Voice = Literal["daemon", "command"]
"""Who speaks: a daemon goes on by itself, a command ends."""
DOMAIN: Final = "skymmich-reconciler"
LOCALES: Final = Path(__file__).with_name("locale")


@dataclass(frozen=True, slots=True)
class Message:
    """An English text with ``{name}`` for each parameter, and with ``many`` for a number other than one."""

    one: str
    many: str = ""
    count: str = "count"
    """The parameter that decides between the two."""
    by_hand: str = ""
    """The same as it holds for a command: it ends, and nothing looks again by itself. Empty: as above."""

    def said_by(self, voice: Voice) -> Message:
        """Return the message as a daemon says it, or a command."""
        return replace(self, one=self.by_hand, many="") if self.by_hand and voice == "command" else self


@cache
def translations(locales: Path = LOCALES) -> gettext.NullTranslations:
    """Return the translation that the environment asks for; English if there is none."""
    return gettext.translation(DOMAIN, locales, fallback=True)


def say(message: Message, **params: Param) -> str:
    """Return a message with its parameters, in the reader's language."""
    found = translations()
    number = params.get(message.count)
    if message.many and isinstance(number, int):
        text = found.ngettext(message.one, message.many, number)
    else:
        text = found.gettext(message.one)
    shown = {name: _shown(value) for name, value in params.items()}
    # A translation, or a store of another version, may have other parameters: that costs no page.
    for template in (text, message.one):
        with suppress(LookupError, ValueError):
            return template.format(**shown)
    return message.one


def parted(message: Message, name: str) -> tuple[str, str]:
    """Return what stands before and after a parameter in a message that has no other, to be shown apart."""
    before, _, after = translations().gettext(message.one).partition(f"{{{name}}}")
    return before, after


def joined(parts: tuple[str, ...] | list[str]) -> str:
    """Return texts as a list in a sentence: ``a, b and c``."""
    if len(parts) < 2:
        return "".join(parts)
    return say(Message("{some} and {last}"), some=", ".join(parts[:-1]), last=parts[-1])


def _shown(value: Param) -> str:
    if isinstance(value, tuple):
        return joined(value)
    if isinstance(value, float):
        return f"{value:g}"
    return f"{value:,}" if isinstance(value, int) else value
