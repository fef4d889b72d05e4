"""``settings``: what is kept in sync, where that is decided, and changing it.

Nothing is written to Immich here, so it needs no right to: it works beside a running daemon.
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from reconciler.app.overrides import settings_writer
from reconciler.app.source import source_of
from reconciler.app.store_place import is_absent
from reconciler.app.wiring import store_of
from reconciler.cli import switches
from reconciler.cli.plain_help import PlainCommand, PlainGroup
from reconciler.cli.session import ConfigFile, Json, Options, Verbose, begin
from reconciler.cli.switches import Standing
from reconciler.core.policy import ALL_SWITCHES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.cli.session import Session
    from reconciler.core.catalogue import Catalogue
    from state.store import StateStore


class _Commands(PlainGroup):
    """Says what was meant by ``settings syncTags=off``."""

    def resolve_command(self, ctx, args):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202 - typer does not export the types
        if "=" in args[0]:
            ctx.fail(f"To change settings: {ctx.command_path} set {' '.join(args)}")
        return super().resolve_command(ctx, args)


group = typer.Typer(cls=_Commands, invoke_without_command=True, add_completion=False)


@group.callback()
def show(
    ctx: typer.Context, *, config: ConfigFile = None, json: Json = False, verbose: Verbose = False
) -> int:
    """Show what is kept in sync (all, description, place, tags), and where each switch is set.

    They are Skymmich's own settings, read on every run; what was set here overrides them.
    """
    ctx.obj = Options(config, json, verbose)
    if ctx.invoked_subcommand is not None:
        return 0
    session = begin(config, as_json=json, verbose=verbose)
    catalogue = source_of(session.config).read()
    standing = _on_record(session, catalogue)
    if json:
        session.screen.json(switches.standing_json(standing, session.config))
        return 0
    switches.show_standing(session.screen, standing)
    switches.show_ways(session.screen, standing, session.config)
    return 0


def _on_record(session: Session, catalogue: Catalogue) -> Standing:
    if is_absent(session.config):
        return Standing.of(None, catalogue, session.config)
    with store_of(session.config, read_only=True) as store:
        return Standing.of(store, catalogue, session.config)


@group.command("set", cls=PlainCommand)
def change(
    ctx: typer.Context,
    changes: Annotated[list[str], typer.Argument(metavar="NAME=VALUE", show_default=False)],
    *,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Change some: syncTags=off syncDescription=on. All of them are changed, or none.

    A value is on, off, true, false, yes or no. They are changed in Skymmich itself where its address is
    configured; else here, over Skymmich's own.

    A field that is switched off is no longer kept in sync: what is in Immich stays.
    """
    wanted = switches.changes_of(changes)
    session = ctx.obj.begin(config, json=json, verbose=verbose)
    source = source_of(session.config)
    catalogue = source.read()
    with store_of(session.config) as store:
        _warn(session, store)
        before = Standing.of(store, catalogue, session.config)
        after = replace(before.in_force, **wanted)
        if after != before.in_force:
            writer = settings_writer(session.config, store, lambda: catalogue)
            asyncio.run(writer.write(wanted))
        now = Standing.of(store, source.read(), session.config)
        changed = {
            name: on
            for name, on in switches.by_name(after).items()
            if on != getattr(before.in_force, ALL_SWITCHES[name])
        }
        # Skymmich has read them back, so this is another Skymmich's catalogue.
        strange = replace(now.in_force, **wanted) != now.in_force
        _report(session, store, now, changed, strange=strange)
    return 0


@group.command("follow", cls=PlainCommand)
def follow(
    ctx: typer.Context, *, config: ConfigFile = None, json: Json = False, verbose: Verbose = False
) -> int:
    """Give up what was set here: Skymmich's own settings apply again. Nothing is changed in Skymmich."""
    session = ctx.obj.begin(config, json=json, verbose=verbose)
    catalogue = source_of(session.config).read()
    with store_of(session.config) as store:
        _warn(session, store)
        before = Standing.of(store, catalogue, session.config)
        asyncio.run(settings_writer(session.config, store, lambda: catalogue).follow())
        now = Standing.of(store, catalogue, session.config)
        given_up = {name: getattr(now.in_force, ALL_SWITCHES[name]) for name in before.override}
        _report(session, store, now, given_up, idle="Nothing was set here; Skymmich's own settings hold.")
    return 0


def _warn(session: Session, store: StateStore) -> None:
    for warning in store.warnings:
        session.screen.say(f"! {warning}", "yellow")


def _report(
    session: Session,
    store: StateStore,
    now: Standing,
    changed: Mapping[str, bool],
    *,
    idle: str = "It is like that already; nothing was changed.",
    strange: bool = False,
) -> None:
    """Say what holds now, and from when on."""
    screen = session.screen
    runs, taken = switches.when_taken(session.config, store)
    if session.screen.as_json:
        told = switches.standing_json(now, session.config)
        screen.json({**told, "changed": dict(changed), "daemon": runs, "as_asked": not strange})
        return
    if not changed:
        screen.line(idle)
    else:
        listed = ", ".join(f"{name} is {switches.on_off(on)}" for name, on in changed.items())
        screen.line(f"{listed}. {taken}", "bold")
        if not all(changed.values()):
            screen.line("What is in Immich stays there; it is no longer kept in sync.", "dim")
    screen.line()
    switches.show_standing(screen, now)
    if strange:
        screen.line()
        screen.line(
            "! Skymmich took them and read them back, but the catalogue that is read here does not have "
            "them: do [skymmich] url and source name the same Skymmich?",
            "yellow",
        )
