"""How a command's help reads: no type beside a flag or an argument, and paragraphs that fill the width."""

from __future__ import annotations

import inspect
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption


def paragraphs(text: str | None) -> str | None:
    """Return a help text with one line a paragraph: a docstring breaks its lines, a terminal elsewhere."""
    if text is None:
        return None
    return "\n\n".join(" ".join(part.split()) for part in inspect.cleandoc(text).split("\n\n"))


class PlainCommand(TyperCommand):
    """A command with such a help."""

    def __init__(self, *arguments: Any, **attributes: Any) -> None:  # noqa: ANN401 - typer's own, passed on
        super().__init__(*arguments, **attributes)
        self.help = paragraphs(self.help)

    def get_params(self, ctx):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - typer does not export the types
        """Return the parameters, told plainly."""
        return [_plain(one) for one in super().get_params(ctx)]


class PlainGroup(TyperGroup):
    """A group of commands with such a help."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - typer's own, passed on
        super().__init__(**attributes)
        self.help = paragraphs(self.help)

    def get_params(self, ctx):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201 - typer does not export the types
        """Return the parameters, told plainly."""
        return [_plain(one) for one in super().get_params(ctx)]


def _plain(one: object) -> object:
    """Take the type from a parameter's line where the name says it all."""
    if isinstance(one, TyperOption) and one.is_flag and one.metavar is None:
        one.metavar = ""
    if isinstance(one, TyperArgument):
        # Its metavar is its name; the type has no attribute of its own.
        setattr(one, "display_type_rich", _nothing)  # noqa: B010 - mypy takes no assignment to a method
    return one


def _nothing(**_: object) -> None:
    """Stand in for an argument's type."""
