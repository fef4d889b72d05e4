"""Hides secrets in text and in values on their way to a log, a page or a terminal.

Two nets: what was registered (``register_secret``) is hidden wherever it stands, in any of its spellings; and
what looks like a secret (a key named ``token``, ``Authorization: Bearer …``, a password in a URL) is hidden
although nobody registered it. Not for keeping secrets out of ``repr``: holders of secrets see to that.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, quote_plus, unquote

if TYPE_CHECKING:
    from structlog.typing import EventDict, WrappedLogger

HIDDEN: Final = "[redacted]"
MIN_LENGTH: Final = 4
"""A registered secret shorter than this is not searched for: hiding every "ab" leaves no line to read."""

_MAX_DEPTH: Final = 8
_TELLING: Final = 8
_PLAIN_WORD: Final = re.compile(r"[a-z]+|[A-Z][a-z]+|([a-z0-9-]+\.)+[a-z]{2,}|[0-9.]+")
_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SENSITIVE: Final = re.compile(
    r"(?:^|_)(?:api_?key|access_?key|token|pass(?:word|wd|phrase)?|pwd|secret|authorization|cookie|credentials?)s?$"
)
_LOOKS_SECRET: Final = (
    (re.compile(r"\b(bearer|basic)\s+(?=\S*[\d=])[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1 {HIDDEN}"),
    (re.compile(r"(://[^\s/:@'\"]*):[^\s/@'\"]+@"), rf"\1:{HIDDEN}@"),
    (
        re.compile(
            r"((?:api[_-]?key|token|password|passwd|secret|sessionkey)['\"]?\s*[=:]\s*b?['\"]?)"
            r"(?!\[redacted\])[^\s'\"&,;)}\]]+",
            re.IGNORECASE,
        ),
        rf"\1{HIDDEN}",
    ),
)


_OWN_WORDS: Final = frozenset({"skymmich", "immich", "reconciler", "skymmich-reconciler", "postgres"})


class _Registry:
    """The secrets of this process, and one expression that finds any spelling of any of them."""

    def __init__(self) -> None:
        self.spellings: set[str] = set()
        self.pattern: re.Pattern[str] | None = None

    def add(self, secret: str) -> None:
        for text in {secret, secret.strip()}:
            if len(text) < MIN_LENGTH:
                continue
            escaped = (json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1], repr(text)[1:-1])
            raw = text.encode("utf-8", "surrogatepass")
            quoted = (quote(raw, safe=""), quote(raw), quote_plus(raw))
            self.spellings |= {text, *escaped, *quoted, repr(raw)[2:-1], base64.b64encode(raw).decode()}
        ordered = sorted(self.spellings, key=lambda spelling: (-len(spelling), spelling))
        # Case is ignored for the sake of %2f and %2F, and of whoever writes a key in capitals.
        self.pattern = re.compile("|".join(map(re.escape, ordered)), re.IGNORECASE) if ordered else None


_registry = _Registry()


def register_secret(secret: str) -> None:
    """Hide a secret from now on, as it is and URL-encoded, escaped for JSON or Python, or in Base64.

    Secrets under four characters are ignored, and so are the words that this program's own texts are made
    of: hiding ``skymmich``, a usual database password, would garble every command that it names. Such a
    password is still hidden where it stands as one: in an address, or beside a key that says so.
    """
    if secret.strip().casefold() not in _OWN_WORDS:
        _registry.add(secret)


def parts_of(url: str) -> tuple[str, ...]:
    """Return the pieces of an address behind its scheme, as they stand there and decoded; longest first."""
    pieces = re.split(r"[/:@?&=#,;]+", url.partition("://")[2])
    both = {one for piece in pieces for one in (piece, unquote(piece)) if one}
    return tuple(sorted(both, key=lambda one: (-len(one), one)))


def telling_parts(url: str) -> tuple[str, ...]:
    """Return the pieces of an address that may be secrets: not short, and no plain word or host.

    What is left out is hidden where the address itself is spoken of; in all other texts, to hide every
    ``localhost`` or ``notify`` would leave little to read.
    """
    return tuple(
        piece for piece in parts_of(url) if len(piece) >= _TELLING and not _PLAIN_WORD.fullmatch(piece)
    )


def redact_registered(text: str) -> str:
    """Return a text without the registered secrets; what only looks like one stays."""
    return _registry.pattern.sub(HIDDEN, text) if _registry.pattern is not None else text


def redact(text: str) -> str:
    """Return a text without any secret that is known or recognised."""
    text = redact_registered(text)
    for pattern, replacement in _LOOKS_SECRET:
        text = pattern.sub(replacement, text)
    return text


def redact_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Hide secrets in all values of a log line, however deep (structlog's processor interface)."""
    return {redact(str(key)): HIDDEN if _hides(key, value) else _clean(value) for key, value in event.items()}


def _hides(key: object, value: object) -> bool:
    """Return whether a key's name says that its value is a secret."""
    if value is None or value == "" or isinstance(value, bool):
        return False
    name = key.decode("latin-1") if isinstance(key, bytes) else str(key)
    return bool(_SENSITIVE.search(_CAMEL.sub("_", name).lower().replace("-", "_").replace(" ", "_")))


def _clean(value: object, depth: int = 0) -> object:
    """Return a value that renders without secrets: anything but plain data becomes its text."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return value if redact_registered(str(value)) == str(value) else HIDDEN
    if depth < _MAX_DEPTH and isinstance(value, Mapping):
        return {
            redact(str(key)): HIDDEN if _hides(key, inner) else _clean(inner, depth + 1)
            for key, inner in value.items()
        }
    if depth < _MAX_DEPTH and isinstance(value, (list, tuple, AbstractSet)):
        return _clean_items(value, depth)
    if isinstance(value, (bytes, bytearray)):
        value = bytes(value).decode("utf-8", "backslashreplace")
    return redact(str(value))


def _clean_items(values: list[object] | tuple[object, ...] | AbstractSet[object], depth: int) -> list[object]:
    """Clean a sequence; a pair that begins with a sensitive name is a header."""
    items = list(values)
    if len(items) == 2 and isinstance(items[0], (str, bytes)) and _hides(items[0], items[1]):
        return [_clean(items[0]), HIDDEN]
    return [_clean(item, depth + 1) for item in items]
