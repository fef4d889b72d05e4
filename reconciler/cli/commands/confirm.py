"""``confirm``: say once that Immich's address, or the library behind it, is the right one.

Nothing is written to Immich, and nothing is sent to an address before it is confirmed. It works beside a
running daemon, which goes on at its next look.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.app.pairing import check_pair, confirm_address, pair_of
from reconciler.app.source import source_of
from reconciler.app.wiring import immich_at, store_of
from reconciler.cli.consent import ask
from reconciler.cli.session import ConfigFile, Json, Verbose, begin
from reconciler.cli.switches import when_taken
from reconciler.engine.identity import KnownImmich, recognise
from reconciler.errors import UnconfirmedError

if TYPE_CHECKING:
    from reconciler.app.pairing import Pair
    from reconciler.cli.output.screen import Screen
    from reconciler.cli.session import Session
    from state.store import StateStore


def command(
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Confirm where Immich is, and whose library it is, when either is not what was known.

    Asks before the API key is sent to an address that its owner did not send it to, and before another user's
    library, or one without any of the managed images, is taken for the one that is kept in sync.
    """
    session = begin(config, as_json=json, verbose=verbose)
    screen = session.screen
    settings = source_of(session.config).read().settings
    with store_of(session.config) as store:
        pair = pair_of(session.config, settings)
        known = KnownImmich.of(store)
        if not json:
            _show(screen, pair, known)
        confirmed: list[str] = []
        try:
            check_pair(pair, store)
        except UnconfirmedError as error:
            _ask(screen, error, f"Send the API key to {pair.address}?", yes=yes)
            confirm_address(pair, store)
            confirmed.append("address")
        confirmed += asyncio.run(_library(session, pair, store, yes=yes))
        _, taken = when_taken(session.config, store)
    if json:
        screen.json({
            "address": pair.address, "address_from": pair.address_from, "key_from": pair.key_from,
            "confirmed": confirmed,
        })  # fmt: skip
    elif confirmed:
        screen.line(f"Confirmed: {' and '.join(confirmed)}. {taken}", "bold green")
    else:
        screen.line("All of it is known; there was nothing to confirm.", "bold green")
    return 0


async def _library(session: Session, pair: Pair, store: StateStore, *, yes: bool) -> list[str]:
    """Look whose library it is, and have it confirmed where that is not the one that is remembered."""
    target = immich_at(pair, session.config)
    try:
        server = await target.open()
        try:
            await recognise(target, store, server, store.there_ids(), anyway=True)
        except UnconfirmedError as error:
            _ask(session.screen, error, "Keep this library in sync from now on?", yes=yes)
            KnownImmich(target.address, server.user_id, without_assets=True).keep(store)
            return ["library"]
    finally:
        await target.aclose()
    return []


def _show(screen: Screen, pair: Pair, known: KnownImmich | None) -> None:
    screen.row("Address", f"{pair.address}  (from {pair.address_from})", indent=0)
    screen.row("API key", f"from {pair.key_from}", indent=0)
    if known is not None:
        whose = f", user {known.user_id}" if known.user_id else ""
        screen.row("Before", f"{known.address}{whose}", indent=0)


def _ask(screen: Screen, error: UnconfirmedError, question: str, *, yes: bool) -> None:
    """Ask a person.

    Raises:
        ReconcilerError: nobody is there to be asked, or the answer was no. Nothing was confirmed.
    """
    if yes:
        return
    if screen.interactive:
        screen.line(error.message, "yellow")
    ask(
        screen, question, command="confirm --yes", otherwise="nothing was confirmed",
        before=f"{error.message} ",
    )  # fmt: skip
