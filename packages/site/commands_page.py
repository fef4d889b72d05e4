"""The page of all commands, with their arguments and options, from their help."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import typer
from page_text import code, made, table
from typer.main import get_command

from reconciler.cli.app import COMMANDS, app
from reconciler.cli.names import PROGRAM
from reconciler.cli.plain_help import paragraphs

if TYPE_CHECKING:
    from collections.abc import Iterator

_OPENING: Final = f"""\
# Commands

`{PROGRAM} COMMAND --help` shows the same. [Which command for what](../commands.md) begins from what you want.

Exit codes: 0 well, 1 an error, 64 a mistake in the command line, 78 one in the configuration, 128 + n stopped by signal n. Some
commands have more of their own, which stand with them. Where `--json` is taken, standard output is one JSON document, an error too,
and standard error is for people.
"""
_COMMON: Final = {"--config", "--json", "--verbose", "--help"}
_COMMON_SAID: Final = """
Options of (nearly) every command:

"""


def commands_page() -> str:
    """Return the page."""
    group = get_command(app)
    top = typer.Context(group, info_name=PROGRAM)  # type: ignore[attr-defined] # typer's own, which it does not type
    parts, common = [], {}
    panel = ""
    for name, (heading, line) in COMMANDS.items():
        if heading != panel:
            parts.append(f"\n## {heading}\n")
            panel = heading
        for words, command, context in _with_subcommands(group.get_command(top, name), top, name):
            options, shared = _options(command, context)
            common |= shared
            parts.append(_section(words, command, context, line if words == name else "", options))
    rows = [common[name] for name in sorted(common, key=lambda one: sorted(_COMMON).index(one))]
    return (
        made("`make reference`") + _OPENING + _COMMON_SAID + table(("option", "does"), rows) + "".join(parts)
    )


def _with_subcommands(command: Any, above: Any, words: str) -> Iterator[tuple[str, Any, Any]]:  # noqa: ANN401 - typer does not export the types
    context = typer.Context(command, info_name=words.rpartition(" ")[2], parent=above)
    yield words, command, context
    for name, one in getattr(command, "commands", {}).items():
        yield from _with_subcommands(one, context, f"{words} {name}")


def _section(words: str, command: Any, context: Any, line: str, options: list[tuple[str, str]]) -> str:  # noqa: ANN401 - the same
    usage = " ".join([PROGRAM, words, *command.collect_usage_pieces(context)])
    text = f"\n### {words}\n\n"
    said = _markdown(command.help)
    if line and not said.startswith(line.rstrip(".")):
        text += f"{line}\n\n"
    text += f"```\n{usage}\n```\n\n{said}\n"
    arguments = [
        (code(one.get_help_record(context)[0].strip("[]")), _markdown(one.get_help_record(context)[1]))
        for one in command.get_params(context)
        if one.param_type_name == "argument"
    ]
    if arguments:
        text += "\n" + table(("argument", "is"), arguments)
    if options:
        text += "\n" + table(("option", "does"), options)
    return text


def _options(command: Any, context: Any) -> tuple[list[tuple[str, str]], dict[str, tuple[str, str]]]:  # noqa: ANN401 - the same
    """Return the rows of a command's own options, and of those that all have."""
    own, shared = [], {}
    for one in command.get_params(context):
        if one.param_type_name != "option" or getattr(one, "hidden", False):
            continue
        names, said = one.get_help_record(context)
        row = (code(names.rstrip()), _markdown(said))
        if one.opts[0] in _COMMON:
            shared[one.opts[0]] = row
        else:
            own.append(row)
    return own, shared


def _markdown(text: str | None) -> str:
    """Return a help text without the marks that are for a terminal."""
    return re.sub(r"\\\[", "[", paragraphs(text) or "").replace("\b", "").strip()
