"""``[immich.headers]``: headers of a person's own, whose values are secrets.

Whole, as lines ``Name: value``, they come like any secret: variable, credential, ``headers_file``.
One by one they come from a file for each, which the table names, or from a variable for each::

    [immich.headers]
    CF-Access-Client-Secret_file = "/etc/…/cf_secret"

    RECONCILER_IMMICH__HEADERS__CF_ACCESS_CLIENT_SECRET=…
    RECONCILER_IMMICH__HEADERS__CF_ACCESS_CLIENT_SECRET_FILE=/run/secrets/cf_secret

One by one wins over whole, and the environment over the file. What a header may be is a rule of ``values``.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.config.sources import HEADERS, Found, TomlText, absolute_path, read_line
from reconciler.config.words import in_environment

if TYPE_CHECKING:
    from reconciler.config.sources import Gathered

_FILE: Final = "_file"


def put_together(gathered: Gathered, home: str | None) -> None:
    """Put the headers that came one by one to those that came whole."""
    named: dict[str, tuple[str, str, Found]] = {}
    for given, found in gathered.single_headers.items():
        header, is_file = _header(given, found)
        if isinstance(found.origin, TomlText) and not is_file:
            gathered.problems.append(_not_in_the_file(given, found.origin))
        elif not header or not isinstance(found.value, str):
            gathered.problems.append(f"{_place(given, found)} must be a text: the path of the header's file.")
        elif (value := _value(found, gathered, home, given) if is_file else found.value.strip()) is not None:
            named[header.lower()] = header, value, found  # the environment comes after the file
    if not named:
        return
    whole = gathered.found.get(HEADERS)
    lines = [
        line
        for line in (str(whole.value).splitlines() if whole else [])
        if line.partition(":")[0].strip().lower() not in named
    ]
    lines += [f"{header}: {value}" for header, value, _ in named.values()]
    origin = whole or next(found for _, _, found in named.values())
    gathered.found[HEADERS] = Found("\n".join(lines), origin.origin, origin.base)


def _header(given: str, found: Found) -> tuple[str, bool]:
    """Return the name of a header, and whether its value is in a file."""
    if isinstance(found.origin, TomlText):
        return given.removesuffix(_FILE), given.endswith(_FILE)
    rest = given.removeprefix(in_environment(HEADERS) + "__")
    upper = _FILE.upper()
    return rest.removesuffix(upper).replace("_", "-").title(), rest.endswith(upper)


def _value(found: Found, gathered: Gathered, home: str | None, given: str) -> str | None:
    path = Path(absolute_path(str(found.value), found.base, home))
    return read_line(path, gathered, _place(given, found), HEADERS)


def _place(given: str, found: Found) -> str:
    if isinstance(found.origin, TomlText):
        return f"{found.origin.at((*HEADERS, given))}: [immich.headers] {given}"
    return found.origin


def _not_in_the_file(given: str, file: TomlText) -> str:
    variable = in_environment((*HEADERS, given.replace("-", "_")))
    return (
        f"{file.at((*HEADERS, given))}: [immich.headers] {given} may not stand in this file: configuration "
        f"files get shown, copied and backed up. Put the value into a file of its own that only the daemon "
        f"can read and name that one with {given}{_FILE}, or use the variable {variable}."
    )
