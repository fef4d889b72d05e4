"""``notices``: what people are told, and trying whether it arrives; when, is the daemon's to decide."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import typer

from reconciler.app.store_place import is_absent
from reconciler.app.wiring import store_of
from reconciler.cli.output.history import moment
from reconciler.cli.plain_help import PlainCommand, PlainGroup
from reconciler.cli.session import ConfigFile, Json, Options, Verbose, begin
from reconciler.core.notices import OCCASIONS, Book
from reconciler.core.store_keys import NOTICES
from reconciler.errors import ConfigurationError
from reconciler.messages.letters import trial_letter
from reconciler.notices.sender import check, send

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.cli.output.screen import Screen
    from reconciler.cli.session import Session
    from reconciler.config import Config
    from reconciler.notices.sender import Delivery

_REMEDY: Final = (
    "Write apprise's addresses (ntfy://topic, mailtos://…) into a file of their own, one a line, and name it "
    "with [notices] urls_file; or use the credential notices_urls, or the variable RECONCILER_NOTICES__URLS."
)

group = typer.Typer(cls=PlainGroup, invoke_without_command=True, add_completion=False)


@group.callback()
def show(
    ctx: typer.Context, *, config: ConfigFile = None, json: Json = False, verbose: Verbose = False
) -> int:
    """Show what notices are sent, to how many addresses, in which hours none is sent, and what is due.

    The daemon sends them. Section `notices` of the configuration says of what, to whom, and when not.
    """
    ctx.obj = Options(config, json, verbose)
    if ctx.invoked_subcommand is not None:
        return 0
    session = begin(config, as_json=json, verbose=verbose)
    section, book = session.config.notices, _book(session.config)
    addresses = asyncio.run(check(section.addresses)) if section.addresses else ()
    if json:
        session.screen.json(
            {
                "addresses": _listed(addresses, "usable"),
                "events": [one for one in OCCASIONS if one in section.events],
                "quiet_hours": section.quiet_hours,
                "sent_at": book.sent_at,
                "due": len(book.due),
                "trouble": book.trouble,
            }
        )
        return 0
    _show(session.screen, session.config, book, addresses)
    return 0


@group.command("test", cls=PlainCommand)
def try_them(
    ctx: typer.Context, *, config: ConfigFile = None, json: Json = False, verbose: Verbose = False
) -> int:
    """Send a test to every address, also in quiet hours, and say of each how it went.

    Exits 0 when it went to all of them, 1 when it did not, 78 when there is none.
    """
    session: Session = ctx.obj.begin(config, json=json, verbose=verbose)
    section, screen = session.config.notices, session.screen
    if not section.addresses:
        raise ConfigurationError("No address for notices is configured.", remedy=_REMEDY)
    letter = trial_letter(section.page_url.get_secret_value() if section.page_url else "")
    delivered = asyncio.run(send(section.addresses, letter.title, letter.body))
    bad = any(one.error for one in delivered)
    if screen.as_json:
        screen.json({"sent": not bad, "addresses": _listed(delivered, "sent")})
    else:
        _rows(screen, delivered, "sent")
    return 1 if bad else 0


def _book(config: Config) -> Book:
    if is_absent(config):
        return Book()
    with store_of(config, read_only=True) as store:
        return NOTICES.read(store) or Book()


def _show(screen: Screen, config: Config, book: Book, addresses: Sequence[Delivery]) -> None:
    section = config.notices
    if not addresses:
        screen.line("Nobody is told when something needs attention: no address is configured.", "bold")
        screen.line(f"→ {_REMEDY}", indent=2)
        return
    _rows(screen, addresses, "can be used")
    screen.line()
    screen.row("told", ", ".join(one for one in OCCASIONS if one in section.events))
    screen.row("quiet hours", section.quiet_hours or "none")
    screen.row("last sent", moment(book.sent_at) if book.sent_at else "never")
    if book.due:
        screen.row("due", str(len(book.due)))
    if book.trouble:
        screen.row("trouble", book.trouble, "yellow")


def _rows(screen: Screen, addresses: Sequence[Delivery], well: str) -> None:
    for one in addresses:
        mark, style, said = ("✗", "red", one.error) if one.error else ("✓", "", well)
        screen.row(mark, f"address {one.name}: {said}", style, indent=1, width=2)


def _listed(addresses: Sequence[Delivery], well: str) -> list[dict[str, object]]:
    return [
        {"address": one.number, "service": one.service, well: not one.error, "error": one.error}
        for one in addresses
    ]
