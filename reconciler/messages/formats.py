"""How parameters that are no plain texts are written: durations, names of states, fields and features.

A parameter's name says what it is; what is not named here is written as it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.messages.translation import Message, joined, say
from reconciler.messages.vocabulary import FIELDS, STATES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.core.reasons import Param


def lasting(seconds: float) -> str:
    """Write a duration for people: ``38 s``, ``12 min``, ``5 h``, ``3 d``."""
    for unit, name, limit in ((1.0, "s", 120.0), (60.0, "min", 7200.0), (3600.0, "h", 172_800.0)):
        if seconds < limit:
            return f"{max(0.0, seconds) / unit:.0f} {name}"
    return f"{seconds / 86_400:.0f} d"


def first_upper(text: str) -> str:
    """Begin a text as a sentence begins; addresses stay as they are."""
    return text if text.startswith("http") else text[:1].upper() + text[1:]


def state(status: str) -> str:
    """Return how a state is called within a sentence, also one of a later version."""
    return say(STATES[status]) if status in STATES else status


def field(name: str) -> str:
    """Return how a field is called within a sentence."""
    return say(FIELDS[name]) if name in FIELDS else name


def _fields(names: Param) -> str:
    return joined([field(name) for name in names]) if isinstance(names, tuple) else str(names)


def _quoted(names: Param) -> Param:
    return ", ".join(f"“{name}”" for name in names) if isinstance(names, tuple) else names


_FACES: Final[Mapping[str, Message]] = {
    "page": Message("on the page"),
    "cli": Message("on the command line"),
    "api": Message("over the API"),
}
"""Where a person did something, if it is not known who it was."""
_BY: Final = Message("by {user}")


def who(by: str) -> str:
    """Return who did something: ``on the page``, ``by anna``."""
    return say(_FACES[by]) if by in _FACES else say(_BY, user=by)


_WRITTEN: Final[Mapping[str, Callable[[Param], Param]]] = {
    "seconds": lambda value: lasting(float(value)) if isinstance(value, int | float) else str(value),
    "status": lambda value: state(str(value)),
    "features": lambda value: ", ".join(value) if isinstance(value, tuple) else str(value),
    "tags": _quoted,
    "who": lambda value: who(str(value)),
    "removed": _fields,
    "replaced": _fields,
}


def written(params: Mapping[str, Param]) -> dict[str, Param]:
    """Return parameters as a message takes them."""
    return {name: _WRITTEN[name](value) if name in _WRITTEN else value for name, value in params.items()}
