"""``installations``: which share the database, how they stand, and putting them in and out of work."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reconciler.cli.commands.worker import need_fleet
from reconciler.cli.consent import ask
from reconciler.cli.plain_help import PlainCommand, PlainGroup
from reconciler.cli.session import ConfigFile, Json, Options, Session, Verbose, begin
from reconciler.errors import ConfigurationError, ReconcilerError
from reconciler.messages.nouns import counted
from reconciler.messages.runs import summary
from state.lease import Lease
from state.postgres.place import PostgresPlace
from state.store import StateStore

if TYPE_CHECKING:
    from state.postgres.installations import Installation
    from state.postgres.statuses import InstallationStatus

Name = Annotated[str, typer.Argument(metavar="NAME", help="The installation.")]

group = typer.Typer(cls=PlainGroup, invoke_without_command=True, add_completion=False)


@group.callback()
def show(
    ctx: typer.Context, *, config: ConfigFile = None, json: Json = False, verbose: Verbose = False
) -> int:
    """List the installations whose state is in one PostgreSQL database, and how each stands."""
    ctx.obj = Options(config, json, verbose)
    if ctx.invoked_subcommand is not None:
        return 0
    session = begin(config, as_json=json, verbose=verbose)
    address = _address(session)
    from state.postgres import installations  # noqa: PLC0415 - who has a file pays nothing for it
    from state.postgres.statuses import statuses  # noqa: PLC0415 - the same

    visited = statuses(address)
    found = [_standing(address, one, visited.get(one.name)) for one in installations.installations(address)]
    if json:
        session.screen.json({"installations": found})
        return 0
    if not found:
        session.screen.line("There is no installation yet.", "bold")
        session.screen.line("→ skymmich-reconciler installations add NAME", indent=2)
    for one in found:
        session.screen.row(one["name"], _told(one))
    return 0


@group.command("add", cls=PlainCommand)
def add(
    ctx: typer.Context, name: Name, *, config: ConfigFile = None, json: Json = False, verbose: Verbose = False
) -> int:
    """Add an installation: its configuration is checked, and workers take it from then on."""
    session = ctx.obj.begin(config, json=json, verbose=verbose)
    address = _address(session)
    need_fleet()
    from reconciler.fleet.configured import Configured  # noqa: PLC0415 - an optional extra
    from state.postgres import installations  # noqa: PLC0415 - who has a file pays nothing for it

    configured = Configured(session.config)
    configured.load(name).catalogue_source()
    new = installations.add(address, name)
    if json:
        session.screen.json({"name": name, "new": new})
    elif new:
        session.screen.line(f"Added {name}: {configured.file(name)}", "bold green")
    else:
        session.screen.line(f"{name} is there already.")
    return 0


@group.command("pause", cls=PlainCommand)
def pause(
    ctx: typer.Context, name: Name, *, config: ConfigFile = None, json: Json = False, verbose: Verbose = False
) -> int:
    """Let no worker take an installation any more. One that is at it now finishes."""
    return _pause(ctx.obj.begin(config, json=json, verbose=verbose), name, datetime.now(UTC))


@group.command("resume", cls=PlainCommand)
def resume(
    ctx: typer.Context, name: Name, *, config: ConfigFile = None, json: Json = False, verbose: Verbose = False
) -> int:
    """Let workers take it again."""
    return _pause(ctx.obj.begin(config, json=json, verbose=verbose), name, None)


@group.command("sync", cls=PlainCommand)
def sync(
    ctx: typer.Context, name: Name, *, config: ConfigFile = None, json: Json = False, verbose: Verbose = False
) -> int:
    """Have all images of an installation gone through now, before what workers do by themselves."""
    session = ctx.obj.begin(config, json=json, verbose=verbose)
    address = _address(session)
    need_fleet()
    from reconciler.fleet import tasks  # noqa: PLC0415 - an optional extra
    from state.postgres import installations  # noqa: PLC0415 - who has a file pays nothing for it

    found = {one.name: one for one in installations.installations(address)}.get(name)
    if found is None:
        raise ReconcilerError(
            f"There is no installation {name}.", remedy="Which there are: skymmich-reconciler installations"
        )
    if found.paused_at is not None:
        raise ReconcilerError(
            f"{name} is paused, so no worker takes it.",
            remedy=f"skymmich-reconciler installations resume {name}",
        )
    tasks.make_tables(address)

    async def put() -> bool:
        app = tasks.app_at(address)
        async with app.open_async():
            return await tasks.put(app, "sync", name)

    new = asyncio.run(put())
    if json:
        session.screen.json({"name": name, "asked": True, "new": new})
    else:
        session.screen.line(
            f"Asked for. {'' if new else 'It was asked for already. '}A worker takes it next."
        )
    return 0


@group.command("remove", cls=PlainCommand)
def remove(
    ctx: typer.Context,
    name: Name,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Forget an installation with its journal. Nothing in Immich is changed, or can be taken back then."""
    session = ctx.obj.begin(config, json=json, verbose=verbose)
    address = _address(session)
    from state.postgres import installations  # noqa: PLC0415 - who has a file pays nothing for it

    with StateStore.open(PostgresPlace(address, name), read_only=True) as store:
        images = sum(store.counts_by_status().values())
        holder = Lease(store, lambda: datetime.now(UTC)).current()
    if holder is not None and holder.expires_at > datetime.now(UTC):
        raise ReconcilerError(
            f"{holder.what}, process {holder.process.pid} on {holder.process.host}, writes for {name} now.",
            remedy=f"Pause it first: skymmich-reconciler installations pause {name}",
        )
    if not yes:
        question = f"Forget {name}, {counted(images, 'image')}, and the only copy of what was replaced?"
        ask(
            session.screen,
            question,
            command=f"installations remove {name} --yes",
            otherwise="nothing was removed",
        )
    installations.remove(address, name)
    if json:
        session.screen.json({"name": name, "removed": True})
    else:
        session.screen.line(f"Removed {name}.", "bold")
    return 0


def _pause(session: Session, name: str, at: datetime | None) -> int:
    from state.postgres import installations  # noqa: PLC0415 - who has a file pays nothing for it

    installations.pause(_address(session), name, at)
    if session.screen.as_json:
        session.screen.json({"name": name, "paused_at": at})
    else:
        session.screen.line(f"{name} is {'paused' if at else 'at work again'}.", "bold")
    return 0


def _address(session: Session) -> str:
    if session.config.state.file is not None:
        raise ConfigurationError(
            "Installations share a PostgreSQL database, and [state] url names a file.",
            remedy='Set [state] url = "postgresql://…".',
        )
    return session.config.state.url.get_secret_value()


def _standing(address: str, one: Installation, status: InstallationStatus | None) -> dict[str, Any]:
    with StateStore.open(PostgresPlace(address, one.name), read_only=True) as store:
        counts, runs = store.counts_by_status(), store.runs(1)
        holder = Lease(store, lambda: datetime.now(UTC)).current()
    held = holder is not None and holder.expires_at > datetime.now(UTC)
    return {
        "name": one.name,
        "made_at": one.made_at,
        "paused_at": one.paused_at,
        "status": None
        if status is None
        else {
            "level": status.level,
            "text": status.text,
            "visited_at": status.visited_at,
            "checked_at": status.checked_at,
            "worker": status.worker,
        },
        "images": sum(counts.values()),
        "by_status": counts,
        "last_run": None
        if not runs
        else {"at": runs[0].started_at, "outcome": runs[0].outcome, "summary": summary(runs[0].summary)},
        "writer": f"{holder.what}, process {holder.process.pid} on {holder.process.host}"
        if holder is not None and held
        else None,
    }


def _told(one: dict[str, Any]) -> str:
    if status := one["status"]:
        words = f"{status['text']}; visited {_moment(status['visited_at'])}"
    else:
        words = counted(one["images"], "image")
        if one["images"]:
            words += f", {one['by_status'].get('in_sync', 0):,} in sync"
    if one["paused_at"]:
        words += f"; paused since {_moment(one['paused_at'])}"
    if one["last_run"]:
        words += f"; last run {_moment(one['last_run']['at'])}: {one['last_run']['summary']}"
    if one["writer"]:
        words += f"; written by {one['writer']}"
    return words


def _moment(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}"
