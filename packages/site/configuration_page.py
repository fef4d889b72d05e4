"""The page of all settings: their names, limits and defaults from the code, their meaning from the example file."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, get_args

from page_text import code, made, table

from reconciler.config.loading import Config
from reconciler.config.sources import CREDENTIALS
from reconciler.config.words import allowed, in_environment, in_file, is_list, is_secret, leaves, plain_type

if TYPE_CHECKING:
    from pydantic.fields import FieldInfo

    from reconciler.config.words import Key

EXAMPLE: Final = Path(__file__).resolve().parents[2] / "systemd" / "config.example.toml"
_SECTION = re.compile(r"^\[([\w.]+)\]$")
_KEY = re.compile(r"^#?(\w+) = ")
_ELSEWHERE: Final[dict[Key, str]] = {
    ("immich", "api_key"): "api_key_file",
    ("immich", "headers"): "headers_file",
    ("status", "token"): "token_file",
    ("notices", "urls"): "urls_file",
}
"""Secrets that the file may not hold → the key beside which they are told."""
_OPENING: Final = """\
# Configuration

One TOML file, and every key also as an environment variable, which wins over the file. The file is the first of these that
exists: what `--config` or the variable `RECONCILER_CONFIG` names; `/etc/skymmich-reconciler/config.toml`;
`~/.config/skymmich-reconciler/config.toml`. One setting is needed, `[skymmich] source`; the
[example](../../systemd/config.example.toml) has all the others behind a `#`. Relative paths start from the folder of the file, `~`
is the home directory.

Secrets may not stand in the file. Each comes from, in this order: its variable, its credential (a file of that name in
`$CREDENTIALS_DIRECTORY`, which the units of systemd load from `/etc/credstore`), the file that a key names.
`skymmich-reconciler doctor` says which settings are in force, and where each comes from. A mistake is named with its line,
what is allowed, and what was probably meant; the program then ends with status 78. A running daemon reads the file again at `SIGHUP`
(`systemctl reload`), and keeps the former settings where the new ones have a mistake.

What can be switched on the daemon's page (the parts of the block, the template, the four switches) holds over what stands here.
"""


@dataclass
class Group:
    """What the example says about some keys that stand together."""

    said: list[str] = field(default_factory=list)
    keys: list[Key] = field(default_factory=list)


def configuration_page() -> str:
    """Return the page.

    Raises:
        SystemExit: a setting is not in the example, so nobody could say what it means.
    """
    settings, told = leaves(Config), set()
    parts = [made("`make reference`"), _OPENING]
    for section, groups in groups_of(EXAMPLE.read_text(encoding="utf-8")).items():
        parts.append(f"\n## [{section}]\n")
        for group in groups:
            if group.said:
                parts.append("\n" + _prose(group.said))
            if group.keys:
                keys = [one for key in group.keys for one in _with_secrets(key)]
                told.update(keys)
                rows = [_row(key, settings[key]) for key in keys]
                parts.append("\n" + table(("key", "what it may be", "default", "variable"), rows))
    if missing := settings.keys() - told:
        raise SystemExit(f"not in {EXAMPLE.name}: {', '.join(map(in_file, sorted(missing)))}")
    return "".join(parts)


def groups_of(text: str) -> dict[str, list[Group]]:
    """Return the keys of each section with what is said before them.

    Keys that follow one another without a remark between them are one group.
    """
    found: dict[str, list[Group]] = {}
    section: list[Group] = []
    name = ""
    for line in text.splitlines():
        if heading := _SECTION.match(line):
            name, section = heading[1], [Group()]
            found[name] = section
        elif not name or not line:
            continue
        elif key := _KEY.match(line):
            section[-1].keys.append((*name.split("."), key[1]))
        elif line.startswith("#"):
            if section[-1].keys:
                section.append(Group())
            section[-1].said.append(line.removeprefix("#").removeprefix(" "))
    return found


def _prose(lines: list[str]) -> str:
    """Return a remark as Markdown: lines that are indented in it are code."""
    text, fenced = "", False
    for line in lines:
        indented = line.startswith("    ")
        if indented != fenced:
            text += "\n```toml\n" if indented else "```\n\n"
            fenced = indented
        text += (line.removeprefix("    ") if indented else line) + "\n"
    text = re.sub(r"\bdocs/([\w-]+\.md)", r"[docs/\1](../\1)", text)
    return text + ("```\n" if fenced else "")


def _with_secrets(key: Key) -> list[Key]:
    return [key, *(secret for secret, beside in _ELSEWHERE.items() if (*secret[:-1], beside) == key)]


def _row(key: Key, setting: FieldInfo) -> tuple[str, str, str, str]:
    name = key[-1]
    if is_secret(setting):
        credential = next((one for one, of in CREDENTIALS.items() if of == key), "")
        where = f"a secret: never in the file. Credential {code(credential)}" if credential else "a secret"
        return f"(`{name}`)", where, "", code(in_environment(key))
    what = allowed(setting)
    if any(name == credential_key[-1] and key == credential_key for credential_key in CREDENTIALS.values()):
        credential = next(one for one, of in CREDENTIALS.items() if of == key)
        what += f"; with a password in it: credential {code(credential)}"
    return code(name), what, code(_default(key, setting)), code(in_environment(key))


def _default(key: Key, setting: FieldInfo) -> str:
    if key == ("state", "url"):
        return ""
    value = setting.get_default(call_default_factory=True)
    if value is None:
        return ""
    if isinstance(value, frozenset):
        order = get_args(get_args(plain_type(setting))[0])
        value = sorted(value, key=order.index)
    return json.dumps(list(value) if is_list(setting) else value, ensure_ascii=False)
