"""Text as it is compared: one normal form for all three sides of a merge.

Not for what is sent: a person's own text goes back byte for byte, only comparisons are normalised.
"""

from __future__ import annotations

import re
import unicodedata

# What JavaScript's String.prototype.trim takes away (ECMA-262, WhiteSpace and LineTerminator): Immich trims
# so. Python's strip() would also take U+0085 and U+001C…U+001F, and would leave U+FEFF.
_BLANKS = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
_RUNS = re.compile(f"[{re.escape(_BLANKS)}\x00-\x1f\x7f\u0085]+")


def trim(text: str) -> str:
    """Take outer blanks away as JavaScript's ``trim`` does."""
    return text.strip(_BLANKS)


def normal(text: str) -> str:
    """Return the form in which texts are compared: NFC, line ends as line feeds, outer blanks trimmed."""
    return trim(unicodedata.normalize("NFC", text.replace("\r\n", "\n").replace("\r", "\n")))


def one_line(text: str) -> str:
    """Return text as one line: every run of blanks, line ends and control characters becomes one space."""
    return _RUNS.sub(" ", text).strip()


def size(text: str) -> int:
    """Return the length in bytes of UTF-8; lone surrogates count as the three bytes that replace them."""
    return len(text.encode("utf-8", "surrogatepass"))
