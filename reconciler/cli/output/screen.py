"""Where a command writes: results to standard output, everything about the way there to standard error.

On a terminal lines are wrapped with their indentation; elsewhere each fact stays on one line, for ``grep``.
What comes from a catalogue, a person or a server can move no cursor here, and no secret leaves.
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.text import Text

from reconciler.logging import printable
from reconciler.models.base import json_form
from reconciler.redaction import redact_registered

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.models.base import Model

_PLAIN_WIDTH = 100_000
LABEL = 13


class _Redacting:
    """A stream that hides registered secrets, whatever wrote them."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(redact_registered(text))

    def flush(self) -> None:
        self._stream.flush()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def fileno(self) -> int:
        return self._stream.fileno()

    @property
    def encoding(self) -> str:
        return self._stream.encoding


class Screen:
    """Both streams of a command.

    Args:
        as_json: one JSON document on standard output, and nothing else there.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.as_json = as_json
        self.out = _console(sys.stdout, _Results)
        self.err = _console(sys.stderr, _Asides)

    @classmethod
    def silent(cls) -> Screen:
        """Make one that writes nothing."""
        screen = cls()
        screen.out.quiet = screen.err.quiet = True
        return screen

    @property
    def interactive(self) -> bool:
        """Whether somebody is there who can be asked."""
        return sys.stdin.isatty() and self.out.is_terminal and not self.as_json

    def line(self, text: str | Text = "", style: str = "", *, indent: int = 0) -> None:
        """Write a line to standard output, wrapped under its own beginning."""
        _write(self.out, Text(), text, style, indent)

    def row(
        self, label: str, text: str | Text, style: str = "", *, indent: int = 2, width: int = LABEL
    ) -> None:
        """Write a label and what belongs to it, wrapped beside the label."""
        head = Text(" " * indent) + Text(printable(label).ljust(width - 1) + " ", style="dim")
        _write(self.out, head, text, style, indent + width)

    def say(self, text: str | Text, style: str = "") -> None:
        """Write a line about the way there, to standard error."""
        _write(self.err, Text(), text, style, 0)

    def json(self, value: Mapping[str, object] | Model) -> None:
        """Write the one JSON document."""
        text = json.dumps(value, ensure_ascii=False, indent=2, default=json_form)
        sys.stdout.write(redact_registered(text) + "\n")
        sys.stdout.flush()


def shortened(text: str, width: int) -> str:
    """Cut a text to a number of terminal cells, with an ellipsis."""
    cut = Text(printable(text.replace("\n", " ")))
    cut.truncate(max(width, 1), overflow="ellipsis")
    return cut.plain


class _Results(Console):
    """Ends the command where nobody reads any more (``| head``); rich would end it with an error's code."""

    def on_broken_pipe(self) -> None:
        """Let the program's edge answer: it is called where the error was caught."""
        raise BrokenPipeError


class _Asides(Console):
    """Falls silent where nobody reads any more: what is being written to Immich goes on."""

    def on_broken_pipe(self) -> None:
        """Write nothing more."""
        self.quiet = True


def _console(raw: TextIO, kind: type[Console]) -> Console:
    stream = _Redacting(raw)
    width = None if stream.isatty() else _PLAIN_WIDTH
    # rich needs just what is there of a stream.
    return kind(file=stream, highlight=False, markup=False, emoji=False, width=width)  # type: ignore[arg-type] # see above


def _write(console: Console, head: Text, text: str | Text, style: str, indent: int) -> None:
    body = text if isinstance(text, Text) else Text(printable(redact_registered(text)), style=style)
    room = max(console.width - indent, 20)
    lines = [
        piece
        for whole in body.split("\n", allow_blank=True)
        for piece in (whole.wrap(console, room) if whole.cell_len > room else [whole])
    ]
    for number, piece in enumerate(lines or [Text()]):
        start = head if number == 0 else Text(" " * indent)
        missing = indent - start.cell_len
        line = start + Text(" " * max(missing, 0)) + piece
        line.rstrip()
        console.print(line, soft_wrap=True)
