"""The commands by name, and the one place where their errors become messages and exit codes.

A command's module is imported when it is called, so that ``--help`` answers at once. Exit codes: 0 well,
1 an error, 64 a mistake in the command line, 78 one in the configuration, 128 + n stopped by signal n;
``plan`` and ``status`` have more of their own.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from importlib import import_module
from io import TextIOWrapper
from typing import TYPE_CHECKING, Annotated, Any, Final, TextIO

import typer
from typer.completion import completion_init  # type: ignore[attr-defined] # without it no shell is known
from typer.main import get_command_from_info, get_group
from typer.models import CommandInfo

from reconciler import __version__
from reconciler.cli.interrupts import Interrupted
from reconciler.cli.names import COMPLETING, PROGRAM
from reconciler.cli.plain_help import PlainCommand, PlainGroup
from reconciler.errors import ReconcilerError
from reconciler.messages.voice import remedy_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

USAGE: Final = 64
"""EX_USAGE. Not the usual 2: that is what ``plan`` says when there is something to do."""

COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "demo": ("Begin here", "Watch a sample catalogue being reconciled; nothing of yours is touched."),
    "doctor": ("Begin here", "Check configuration, catalogue and Immich; say how to fix what is wrong."),
    "confirm": ("Begin here", "Confirm once that Immich's address, or the library there, is right."),
    "plan": ("Reconcile", "Show what would be written to Immich. Writes nothing."),
    "apply": ("Reconcile", "Write it, check that Immich kept it, and report on each image."),
    "resolve": ("Reconcile", "Decide a conflict: keep Immich's side, Skymmich's, or both."),
    "seen": ("Reconcile", "Confirm that you checked images where an edit may be missing."),
    "leave-out": ("Reconcile", "Leave an image out, or a field of it: it is never written."),
    "take-in": ("Reconcile", "Take it in again."),
    "carry-over": ("Reconcile", "Carry over what people had on an asset that another one replaced."),
    "undo": ("Reconcile", "Take back a run, an image's last change, or everything."),
    "redo": ("Reconcile", "Write again what was taken back."),
    "adopt": ("Reconcile", "Recognise what was written from here, with a new or older state store."),
    "settings": ("Reconcile", "Show or change what is kept in sync."),
    "template": ("Reconcile", "Show, try or change the template of the block in the description."),
    "status": ("Look", "Show how things stand."),
    "explain": ("Look", "Show one image from all sides, and explain its state."),
    "conflicts": ("Look", "List the images where Immich and the catalogue disagree."),
    "history": ("Look", "Show what was written, when, and what it replaced."),
    "backup": ("Keep", "Copy the state store, also while the daemon runs."),
    "restore": ("Keep", "Put a copy of the state store back."),
    "notices": ("Serve", "Show what you are notified of, and send a test."),
    "run": ("Serve", "Run the daemon."),
    "worker": ("Serve", "Keep many installations, together with other workers."),
    "pages": ("Serve", "Serve the pages of many installations."),
    "installations": ("Serve", "List, add, pause and remove installations that workers keep."),
    "pause": ("Serve", "Stop the daemon from starting runs by itself."),
    "resume": ("Serve", "Let it start runs by itself again."),
    "completion": ("Serve", "Print the completion script for bash, zsh or fish."),
    "simulator": ("Serve", "Run a simulated Immich to try things against."),
}
"""Name → panel of the help, and what it does."""


class Commands(PlainGroup):
    """The group of all commands."""

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - typer's own, passed on
        super().__init__(**attributes)
        self._listing = False
        for name, (panel, line) in COMMANDS.items():
            stand_in = CommandInfo(name, callback=_nothing, help=line, rich_help_panel=panel)
            self.commands[name] = _made(stand_in)

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]  # noqa: ARG002 - the signature is typer's
        """Return the names in order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: typer.Context, cmd_name: str):  # type: ignore[no-untyped-def,override]  # noqa: ANN201, ARG002 - typer does not export the type
        """Make a command; for the help just a stand-in with its line."""
        if self._listing or cmd_name not in COMMANDS:
            return self.commands.get(cmd_name)
        module = import_module(f"reconciler.cli.commands.{cmd_name.replace('-', '_')}")
        if hasattr(module, "group"):
            made = get_group(module.group)
            made.name = cmd_name
            return made
        settings = getattr(module, "CONTEXT", {})
        info = CommandInfo(cmd_name, cls=PlainCommand, callback=module.command, context_settings=settings)
        return _made(info)

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override] # the signature is typer's
        """Call a command; a signal is answered here, for typer would end the program without a word."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            return _stopped(error)
        except BrokenPipeError:
            # Typer would call it an error of ours.
            return _unread(sys.stdout)

    def format_help(self, ctx: typer.Context, formatter: object) -> None:  # type: ignore[override]
        """List the commands without importing them."""
        self._listing = True
        super().format_help(ctx, formatter)  # type: ignore[arg-type] # typer does not export the type

    def shell_complete(self, ctx: typer.Context, incomplete: str):  # type: ignore[no-untyped-def,override]  # noqa: ANN201 - as above
        """Complete a command's name without importing any."""
        self._listing = True
        return super().shell_complete(ctx, incomplete)


def _nothing() -> None:
    """Stand in for a command."""


def _made(info: CommandInfo):  # type: ignore[no-untyped-def]  # noqa: ANN202 - typer does not export the type
    return get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode="rich")


app = typer.Typer(
    cls=Commands, add_completion=False, pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)  # fmt: skip


def _version(value: bool) -> None:  # noqa: FBT001 - typer's form of a callback
    if value:
        sys.stdout.write(f"{PROGRAM} {__version__}\n")
        raise typer.Exit


@app.callback()
def program(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Keeps what Immich shows about an image equal to what Skymmich knows about it, and never
    costs people anything they wrote.
    """  # noqa: D205 - one sentence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command, and return the exit code."""
    args = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        return _guarded(lambda: _call(args), as_json="--json" in args)
    finally:
        _let_go()


def _call(args: list[str]) -> int:
    if COMPLETING in os.environ:
        completion_init()
        # What explains a word stays on its line.
        os.environ["COLUMNS"] = "10000"
    elif not args:
        _call(["--help"])
        return USAGE
    result = typer.main.get_command(app).main(args, PROGRAM, standalone_mode=False)
    sys.stdout.flush()
    return result if isinstance(result, int) else 0


def _unread(stream: TextIO) -> int:
    """Answer that whoever read has gone: Python would complain once more when it closes the stream."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    return 128 + signal.SIGPIPE


def _let_go() -> None:
    """Write what is left, or let it go where nobody reads: Python would end with a code of its own."""
    try:
        sys.stderr.flush()
    except BrokenPipeError:
        _unread(sys.stderr)


def _stopped(error: BaseException) -> int:
    """Tell a person how a signal left things, and return the exit code."""
    stop = error if isinstance(error, Interrupted) else Interrupted(signal.SIGINT, "Stopped.")
    sys.stderr.write(f"\n{stop.words}\n")
    return 128 + stop.number


def _guarded(call: Callable[[], int], *, as_json: bool) -> int:
    try:
        return call()
    except ReconcilerError as error:
        _tell(error.message, remedy_of(error, "command"), as_json=as_json)
        return error.exit_code
    except typer.TyperException as error:
        hint = getattr(error, "ctx", None)
        where = f"{hint.command_path} --help" if hint is not None else f"{PROGRAM} --help"
        _tell(error.format_message(), f"See: {where}", as_json=as_json)
        return USAGE
    except (KeyboardInterrupt, typer.Abort) as error:
        return _stopped(error)
    except BrokenPipeError:
        return _unread(sys.stdout)
    except Exception:  # noqa: BLE001 - the outermost edge: whatever it is, it is logged without secrets
        return _unexpected(as_json=as_json)


def _unexpected(*, as_json: bool) -> int:
    import structlog  # noqa: PLC0415 - only when something is badly wrong

    from reconciler.cli.session import log_to_stderr  # noqa: PLC0415 - the same

    log_to_stderr()  # it may not have been set up yet, and then would show every variable
    structlog.stdlib.get_logger("reconciler").exception("ended by an unexpected error")
    kind = sys.exc_info()[0]
    name = kind.__name__ if kind else "an error"
    _tell(
        f"This is a fault of the program: {name}.",
        "The log above has the details. What was sent to Immich is on record: run it again, and it goes on.",
        as_json=as_json,
    )
    return 1


def _tell(message: str, remedy: str, *, as_json: bool) -> None:
    """Say what went wrong and what to do about it."""
    from reconciler.logging import printable  # noqa: PLC0415 - only where something went wrong
    from reconciler.redaction import redact  # noqa: PLC0415 - the same

    message, remedy = redact(message), redact(remedy)
    if as_json:
        sys.stdout.write(json.dumps({"error": message, "remedy": remedy}, ensure_ascii=False) + "\n")
        sys.stdout.flush()
        return
    sys.stderr.write(f"✗ {printable(message)}\n" + (f"  → {printable(remedy)}\n" if remedy else ""))
