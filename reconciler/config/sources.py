"""Where settings come from: the TOML file, the environment, systemd's credentials, files that hold a secret.

Each reader gives what it found with its origin, and the problems it met as sentences: nothing is raised, so
that a person sees all mistakes at once. Whether a value is right is not decided here: see ``sections``.
"""

from __future__ import annotations

import json
import re
import stat
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from reconciler.config.words import (
    PREFIX,
    Key,
    SecretHeaders,
    SecretLines,
    in_environment,
    in_file,
    is_list,
    is_secret,
    nearest_section,
    plain_type,
    suggestion,
)
from reconciler.plainfile import NotPlainError, exists, read_plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.fields import FieldInfo

FILE_VARIABLE: Final = PREFIX + "CONFIG"
HEADERS: Final[Key] = ("immich", "headers")
CREDENTIALS: Final[Mapping[str, Key]] = {
    "immich_api_key": ("immich", "api_key"),
    "status_token": ("status", "token"),
    "skymmich_source": ("skymmich", "source"),
    "state_url": ("state", "url"),
    "notices_urls": ("notices", "urls"),
    "immich_headers": HEADERS,
}
"""Names of the files in ``$CREDENTIALS_DIRECTORY`` and the settings they hold."""

_MAX_FILE: Final = 1 << 20
_MAX_SECRET: Final = 4096
_MAX_SCANNED_LINES: Final = 1000
_PLACE = re.compile(r" \((?:at line (\d+), column (\d+)|at end of document)\)$")


@dataclass(frozen=True, slots=True)
class TomlText:
    """The configuration file's text, kept for telling the line of a key."""

    path: Path
    text: str = field(default="", repr=False)

    def at(self, key: Key) -> str:
        """Return ``file:line`` of a key, or only the file where the line cannot be told.

        ``tomllib`` knows no positions. A key begins after the longest beginning of the file that is valid
        and does not yet hold it; slow, and only done for an error.
        """
        lines = self.text.splitlines()
        before = 0
        for count in range(1, min(len(lines), _MAX_SCANNED_LINES) + 1):
            try:
                node: object = tomllib.loads("\n".join(lines[:count]))
            except (ValueError, RecursionError):
                continue
            for part in key:
                node = node.get(part) if isinstance(node, dict) else None
            if node is not None:
                return f"{self.path}:{before + 1}"
            before = count
        return str(self.path)


@dataclass(frozen=True, slots=True)
class Found:
    """A setting as it was given."""

    value: object = field(repr=False)
    origin: TomlText | str
    """The file, or a name: the variable, the credential."""
    base: Path
    """What a relative path in the value is relative to."""

    def name(self, key: Key) -> str:
        """Say which setting this is and where it stands."""
        return f"{self.origin.at(key)}: {in_file(key)}" if isinstance(self.origin, TomlText) else self.origin


@dataclass(frozen=True, slots=True)
class Origins:
    """Where each value came from; two configurations are the same wherever theirs did."""

    found: Mapping[Key, Found] = field(default_factory=dict, compare=False, repr=False)

    def of(self, key: Key) -> str:
        """Say where a value came from; what is in no source is the default."""
        found = self.found.get(key)
        if found is None:
            return "the default"
        if isinstance(found.origin, TomlText):
            return found.origin.at(key)
        if found.origin.startswith(PREFIX):
            return f"the variable {found.origin}"
        named = (*key[:-1], f"{key[-1]}_file")
        if (file := self.found.get(named)) is not None and found.origin == file.name(named):
            return f"the file {file.value}, named by {self.of(named)}"
        return found.origin


@dataclass(slots=True)
class Gathered:
    """What the readers gave so far."""

    known: Mapping[Key, FieldInfo]
    found: dict[Key, Found] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    single_headers: dict[str, Found] = field(default_factory=dict)
    """What was given of one header each, by key or variable: see ``headers``."""


def read_toml(path: Path, gathered: Gathered) -> None:
    """Read the configuration file."""
    text = read_text(path, _MAX_FILE, gathered.problems, "the configuration file")
    if text is None:
        return
    try:
        data = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        gathered.problems.append(_syntax(path, text, str(error)))
        return
    _flatten(data, (), TomlText(path.absolute(), text), gathered)
    if any(isinstance(found.value, str) and "://" in found.value and "@" in found.value
           for found in gathered.found.values()):  # fmt: skip
        _warn_if_open(path, gathered)


def _syntax(path: Path, text: str, message: str) -> str:
    place = _PLACE.search(message)
    line = place.group(1) if place and place.group(1) else str(text.count("\n") + 1)
    what = _PLACE.sub("", message)
    hint = " (a text needs quotes)" if what == "Invalid value" else ""
    column = f", column {place.group(2)}" if place and place.group(2) else ""
    return f"{path.absolute()}:{line}: this is not valid TOML{column}: {what}{hint}."


def _flatten(node: Mapping[str, object], above: Key, file: TomlText, gathered: Gathered) -> None:
    sections = {key[:depth] for key in gathered.known for depth in range(1, len(key))}
    for name, value in node.items():
        key = (*above, name)
        if key in gathered.known:
            if key == HEADERS and isinstance(value, dict):
                found = {one: Found(path, file, file.path.parent) for one, path in value.items()}
                gathered.single_headers |= found
            elif is_secret(gathered.known[key]):
                gathered.problems.append(_secret_in_file(key, file))
            else:
                gathered.found[key] = Found(value, file, file.path.parent)
        elif key in sections:
            if isinstance(value, dict):
                _flatten(value, key, file, gathered)
            else:
                gathered.problems.append(f"{file.at(key)}: [{'.'.join(key)}] is a section, not a value.")
        elif isinstance(value, dict):
            meant = nearest_section(key, gathered.known)
            did = f" Did you mean [{'.'.join(meant)}]?" if meant else _sections(sections)
            gathered.problems.append(f"{file.at(key)}: [{'.'.join(key)}] is not a section.{did}")
        else:
            near = suggestion(key, gathered.known)
            did = f" Did you mean {in_file(near)}?" if near else _beside(above, gathered.known)
            gathered.problems.append(f"{file.at(key)}: {in_file(key)} is not a setting.{did}")


def _sections(sections: set[Key]) -> str:
    names = ["[" + ".".join(key) + "]" for key in sorted(sections)]
    return f" There are {', '.join(names)}."


def _beside(above: Key, known: Mapping[Key, FieldInfo]) -> str:
    names = [key[-1] for key in known if key[:-1] == above]
    return f" There are {', '.join(names)}." if names else ""


def _secret_in_file(key: Key, file: TomlText) -> str:
    return (
        f"{file.at(key)}: {in_file(key)} may not stand in this file: configuration files get shown, copied "
        f"and backed up. Put it into a file of its own that only the daemon can read and name that one with "
        f"{in_file((*key[:-1], key[-1] + '_file'))}, or use the credential {_credential(key)}, or the "
        f"variable {in_environment(key)}."
    )


def _credential(key: Key) -> str:
    return next(name for name, of in CREDENTIALS.items() if of == key)


def read_credentials(environ: Mapping[str, str], gathered: Gathered) -> None:
    """Read what systemd's ``LoadCredential=`` put into ``$CREDENTIALS_DIRECTORY``."""
    directory = environ.get("CREDENTIALS_DIRECTORY")
    if not directory:
        return
    for name, key in CREDENTIALS.items():
        path = Path(directory, name)
        if exists(path) and (text := _secret(path, gathered, f"the credential {name}", key)) is not None:
            gathered.found[key] = Found(text, f"the credential {name}", Path.cwd())


def read_environment(environ: Mapping[str, str], gathered: Gathered) -> None:
    """Read the variables that begin with ``RECONCILER_``."""
    names = {in_environment(key): key for key in gathered.known}
    for name in sorted(environ):
        if not name.startswith(PREFIX) or name == FILE_VARIABLE:
            continue
        key = names.get(name)
        if key is None and name.startswith(in_environment(HEADERS) + "__"):
            gathered.single_headers[name] = Found(environ[name], name, Path.cwd())
        elif key is None:
            near = suggestion(tuple(name.removeprefix(PREFIX).lower().split("__")), gathered.known)
            if near is None:
                near = suggestion((name.removeprefix(PREFIX).lower().replace("__", "_"),), gathered.known)
            did = f" Did you mean {in_environment(near)}?" if near else ""
            gathered.problems.append(f"{name} is not a setting.{did}")
        elif (value := _from_text(name, environ[name], gathered.known[key], gathered)) is not None:
            gathered.found[key] = Found(value, name, Path.cwd())


def _from_text(name: str, text: str, setting: FieldInfo, gathered: Gathered) -> object:
    """Turn a variable's text into a value; ``None``: as if it were not set."""
    if not text and setting.default is None:
        return None
    if not is_list(setting):
        return text
    if not text.lstrip().startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    try:
        value: object = json.loads(text)
    except ValueError:
        gathered.problems.append(f'{name} is not a list: write ["a", "b"] or a,b.')
        return None
    return value


def read_secret_file(key: Key, gathered: Gathered) -> None:
    """Fill a secret from the file that ``<key>_file`` names, unless it was given already."""
    named = (*key[:-1], key[-1] + "_file")
    given = gathered.found.get(named)
    if key in gathered.found or given is None or not isinstance(given.value, str):
        return
    path = Path(given.value)
    text = _secret(path, gathered, given.name(named), key)
    if text is not None:
        gathered.found[key] = Found(text, given.name(named), given.base)
        _warn_if_open(path, gathered)


def read_line(path: Path, gathered: Gathered, what: str, key: Key) -> str | None:
    """Read a file that holds one secret; ``None`` and a sentence in the problems if that cannot be."""
    text = _secret(path, gathered, what, key, several=False)
    if text is not None:
        _warn_if_open(path, gathered)
    return text


def _secret(
    path: Path, gathered: Gathered, what: str, key: Key, *, several: bool | None = None
) -> str | None:
    """Read a file with one line in it, or with several where the setting holds several."""
    text = read_text(path, _MAX_SECRET, gathered.problems, what)
    if text is None:
        return None
    if several is None:
        several = plain_type(gathered.known[key]) in {SecretLines, SecretHeaders}
    if len(text.strip().splitlines()) != 1 and not (several and text.strip()):
        size = "holds more than one line" if text.strip() else "is empty"
        gathered.problems.append(f"{what}: {path} {size}; it must hold the secret and nothing else.")
        return None
    return text.strip()


def read_text(path: Path, limit: int, problems: list[str], what: str) -> str | None:
    """Read a file of at most ``limit`` bytes; ``None`` and a sentence in ``problems`` if that cannot be."""
    try:
        data = read_plain(path, limit + 1)
        if len(data) > limit:
            problems.append(f"{what}: {path} is longer than {limit} bytes; is this the right file?")
            return None
        return data.decode("utf-8-sig")
    except NotPlainError as error:
        problems.append(f"{what}: {path} is not a file: it is {error.kind}, and was not read.")
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        problems.append(f"{what}: {path} cannot be read: {reason}.")
    except UnicodeDecodeError as error:
        problems.append(f"{what}: {path} is not UTF-8 text (byte {error.start}).")
    return None


def _warn_if_open(path: Path, gathered: Gathered) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & stat.S_IROTH:
        gathered.warnings.append(
            f"{path} holds a secret and every user of this machine can read it (mode {mode:04o}): "
            f"chmod 600 {path}"
        )


def absolute_path(text: str, base: Path, home: str | None) -> str:
    """Make a path absolute: ``~`` is the home directory, else it is relative to ``base``."""
    if home and (text == "~" or text.startswith("~/")):
        text = home + text[1:]
    return str(Path(base, text))
