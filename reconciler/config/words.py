"""The words in which a wrong configuration is explained: what was given, what is allowed, what was meant.

Not for finding what is wrong: that is ``sections`` and ``sources``. A secret's value is never in a
text made here, and an address shows without its password.
"""

from __future__ import annotations

import difflib
import json
import re
import types
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, TypeAlias, Union, get_args, get_origin

import annotated_types
from pydantic import BaseModel, SecretStr

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from pydantic.fields import FieldInfo
    from pydantic_core import ErrorDetails

Key: TypeAlias = tuple[str, ...]
"""A setting's place: ``("policy", "on_drift", "block")``."""

PREFIX = "RECONCILER_"
_MAX_SHOWN = 60
_USERINFO = re.compile(r"^(\s*[a-z][a-z0-9+.-]*:/{1,2})(.*)@", re.IGNORECASE | re.DOTALL)
_QUERY_SECRET = re.compile(r"(\w*(?:password|passwd|token|secret|api_?key))=[^&\s;]+", re.IGNORECASE)


def redact_url(url: str) -> str:
    """Return an address without the password in it: ``postgresql://me:***@host/db``.

    A text that is no address (a path) comes back as it is. Where a password holds unescaped ``/`` or ``@``,
    more is hidden than had to be, never less.
    """

    def hidden(match: re.Match[str]) -> str:
        scheme, userinfo = match.groups()
        user, colon, _ = userinfo.partition(":")
        if colon:
            return f"{scheme}{user}:***@"
        return f"{scheme}{user}@" if scheme.lower().startswith("postgres") else f"{scheme}***@"

    return _QUERY_SECRET.sub(r"\1=***", _USERINFO.sub(hidden, url))


class Address(SecretStr):
    """A URL or path that may carry a password: it shows redacted, ``get_secret_value()`` gives it whole."""

    def __str__(self) -> str:
        return redact_url(self.get_secret_value())

    def __repr__(self) -> str:
        return f"Address({str(self)!r})"


class SecretLines(SecretStr):
    """Several secrets, one a line or parted by blanks; lines that begin with ``#`` are remarks."""

    def each(self) -> tuple[str, ...]:
        """Return them one by one, as they are."""
        lines = (line.strip() for line in self.get_secret_value().splitlines())
        return tuple(one for line in lines if not line.startswith("#") for one in line.split())


class SecretHeaders(SecretStr):
    """HTTP headers, ``Name: value`` a line; lines that begin with ``#`` are remarks."""

    def each(self) -> tuple[tuple[str, str], ...]:
        """Return name and value of each; without a colon a line has no name: it may be the secret itself."""
        lines = (line.strip() for line in self.get_secret_value().splitlines())
        pairs = (line.partition(":") for line in lines if line and not line.startswith("#"))
        return tuple((name.strip() if colon else "", value.strip()) for name, colon, value in pairs)


def leaves(model: type[BaseModel], above: Key = ()) -> dict[Key, FieldInfo]:
    """List every setting of a model and of the models in it, in the order of their definition."""
    found: dict[Key, FieldInfo] = {}
    for name, field in model.model_fields.items():
        key = (*above, field.alias or name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            found |= leaves(field.annotation, key)
        else:
            found[key] = field
    return found


def plain_type(field: FieldInfo) -> object:
    """Return a setting's type without its ``| None`` and its rules."""
    annotation: object = field.annotation
    if get_origin(annotation) in {Union, types.UnionType}:
        annotation = next(member for member in get_args(annotation) if member is not type(None))
    return get_args(annotation)[0] if get_origin(annotation) is Annotated else annotation


def is_list(field: FieldInfo) -> bool:
    """Return whether a setting holds several values."""
    return get_origin(plain_type(field)) in {tuple, frozenset}


def is_secret(field: FieldInfo) -> bool:
    """Return whether a setting's value may never stand in a text, nor in the configuration file."""
    return plain_type(field) in {SecretStr, SecretLines, SecretHeaders}


def in_file(key: Key) -> str:
    """Name a setting as the file spells it: ``[policy.on_drift] block``."""
    return f"[{'.'.join(key[:-1])}] {key[-1]}" if len(key) > 1 else key[0]


def in_environment(key: Key) -> str:
    """Name a setting as the environment spells it: ``RECONCILER_POLICY__ON_DRIFT__BLOCK``."""
    return PREFIX + "__".join(key).upper()


def allowed(field: FieldInfo) -> str:
    """Say what a setting may be: ``a whole number from 0 to 65535``."""
    kind = plain_type(field)
    if get_origin(kind) is Literal:
        return "one of " + _listed(get_args(kind))
    if is_list(field):
        member = get_args(kind)[0]
        if isinstance(member, type) and issubclass(member, BaseModel):
            return "a list of tables with " + ", ".join(member.model_fields)
        names = _listed(get_args(member)) if get_origin(member) is Literal else ""
        return f"a list of {names}" if names else 'a list of texts, such as ["a", "b"]'
    plain = {bool: "true or false", int: "a whole number", float: "a number", Path: "a path in quotes"}
    words = plain.get(kind, "a text in quotes") if isinstance(kind, type) else "a text in quotes"
    return words + _limits(field)


def _limits(field: FieldInfo) -> str:
    words = ""
    for bound in field.metadata:
        if isinstance(bound, annotated_types.Ge):
            words += f" from {bound.ge}"
        elif isinstance(bound, annotated_types.Le):
            words += f" to {bound.le}"
    return words


def shown(value: object, field: FieldInfo) -> str:
    """Write a given value the way TOML and JSON do, short, with nothing secret in it."""
    if is_secret(field):
        return "(not shown)"
    if isinstance(value, str) and plain_type(field) is Address:
        value = redact_url(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "…"


def explained(error: ErrorDetails, field: FieldInfo | None) -> str:
    """Say why a value is wrong: a rule's own sentence, else what the setting may be."""
    cause = error.get("ctx", {}).get("error")
    if isinstance(cause, ValueError):
        return str(cause)
    return f"it must be {allowed(field)}" if field else error["msg"]


def suggestion(key: Key, known: Collection[Key]) -> Key | None:
    """Return the setting that was probably meant: a like name here, the same in another section, any like."""
    name, section = key[-1].lower(), tuple(part.lower() for part in key[:-1])
    beside = {candidate[-1]: candidate for candidate in known if candidate[:-1] == section}
    if near := difflib.get_close_matches(name, beside, n=1):
        return beside[near[0]]
    if same := [candidate for candidate in known if candidate[-1] == name]:
        dotted = {".".join(candidate): candidate for candidate in same}
        near = difflib.get_close_matches(".".join((*section, name)), dotted, n=1, cutoff=0.0)
        return dotted[near[0]]
    anywhere = {".".join(candidate): candidate for candidate in known}
    anywhere |= {candidate[-1]: candidate for candidate in known if candidate[:-1] != section}
    near = difflib.get_close_matches(".".join((*section, name)), anywhere, n=1, cutoff=0.7)
    near = near or difflib.get_close_matches(name, anywhere, n=1, cutoff=0.7)
    return anywhere[near[0]] if near else None


def nearest_section(section: Key, known: Mapping[Key, FieldInfo]) -> Key | None:
    """Return the section that was probably meant."""
    sections = {".".join(key[:depth]): key[:depth] for key in known for depth in range(1, len(key))}
    near = difflib.get_close_matches(".".join(section).lower(), sections, n=1)
    near = near or difflib.get_close_matches(section[-1].lower(), sections, n=1)
    return sections[near[0]] if near else None


def _listed(names: tuple[object, ...]) -> str:
    quoted = [f'"{name}"' for name in names]
    return quoted[0] if len(quoted) == 1 else f"{', '.join(quoted[:-1])} or {quoted[-1]}"
