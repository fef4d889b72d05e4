"""``installations``: which share the database, how they stand, and putting them in and out of work."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from reconciler.cli.commands.worker import need_fleet
from reconciler.cli.consent import ask
from reconciler.cli.images import find_run_or_record
from reconciler.cli.plain_help import PlainCommand, PlainGroup
from reconciler.cli.session import ConfigFile, Json, Options, Session, Verbose, begin
from reconciler.core.permission import Permission
from reconciler.engine.undo_wish import UndoWish, candidates, wanted
from reconciler.errors import ConfigurationError, ReconcilerError, UndoError
from reconciler.messages.nouns import counted
from reconciler.messages.runs import summary
from state.lease import Lease
from state.postgres.place import PostgresPlace
from state.store import StateStore

if TYPE_CHECKING:
    from reconciler.fleet.tasks import Task
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
    return _list(begin(config, as_json=json, verbose=verbose))


@group.command("list", cls=PlainCommand)
def listed(
    ctx: typer.Context, *, config: ConfigFile = None, json: Json = False, verbose: Verbose = False
) -> int:
    """List them: the same as without a word."""
    return _list(ctx.obj.begin(config, json=json, verbose=verbose))


def _list(session: Session) -> int:
    address = _address(session)
    from state.postgres import installations  # noqa: PLC0415 - who has a file pays nothing for it
    from state.postgres.statuses import statuses  # noqa: PLC0415 - the same

    visited = statuses(address)
    found = [_standing(address, one, visited.get(one.name)) for one in installations.installations(address)]
    if session.screen.as_json:
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
    need_fleet()
    from reconciler.fleet.tasks import Task  # noqa: PLC0415 - an optional extra

    _at_work(_address(session), name)
    return _asked(session, Task("sync", name))


@group.command("undo", cls=PlainCommand)
def undo(  # noqa: PLR0913 - one parameter an option
    ctx: typer.Context,
    name: Name,
    what: Annotated[
        str | None,
        typer.Argument(
            metavar="RUN|IMAGE", help="A run, or an image on record: its last change.", show_default=False
        ),
    ] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="Everything that was ever written for it.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    config: ConfigFile = None,
    json: Json = False,
    verbose: Verbose = False,
) -> int:
    """Have a worker take back what was written for an installation; what people wrote stays."""
    session = ctx.obj.begin(config, json=json, verbose=verbose)
    address = _address(session)
    need_fleet()
    from reconciler.fleet.configured import Configured  # noqa: PLC0415 - an optional extra
    from reconciler.fleet.tasks import Task  # noqa: PLC0415 - the same

    if (what is None) != everything:
        raise UndoError(
            "It is not clear what to undo; nothing was asked for.", remedy="Name a run or an image, or --all."
        )
    _at_work(address, name)
    mode = Configured(session.config).load(name).merge.mode
    with StateStore.open(PostgresPlace(address, name), read_only=True) as store:
        Permission.of(store, mode).require_mode()
        wish, images = undo_wish(what, store)
    if not yes:
        ask(
            session.screen,
            f"Take back what was written to {counted(images, 'image')} of {name}? What people wrote stays.",
            command=f"installations undo {name} {what or '--all'} --yes",
            otherwise="nothing was asked for",
        )
    return _asked(session, Task("undo", name, undo=wish.to_json()))


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


def undo_wish(what: str | None, store: StateStore) -> tuple[UndoWish, int]:
    """Return what is meant to be taken back, ``None`` being everything, and from how many images.

    Raises:
        ReconcilerError: there is no such run or image, or nothing to take back.
    """
    records = store.records().values()
    if what is None:
        return UndoWish(everything=True), len(records)
    run, record = find_run_or_record(what, store, records)
    wish = (
        UndoWish(run_id=run.run_id)
        if run is not None
        else UndoWish(asset_id=record.asset_id if record else "")
    )
    if wish.asset_id:
        # Bound to its run: a task may be carried out twice, and must not go one further back then.
        found = candidates(store, wish)[wish.asset_id]
        wish = replace(wish, run_id=found[0].run_id)
    return wish, len(wanted(store, wish).asset_ids)


def _at_work(address: str, name: str) -> None:
    """Make sure that workers take an installation.

    Raises:
        ReconcilerError: there is none of this name, or it is paused.
    """
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


def _asked(session: Session, task: Task) -> int:
    from reconciler.fleet.tasks import put_by_person  # noqa: PLC0415 - an optional extra

    new = put_by_person(_address(session), task)
    if session.screen.as_json:
        session.screen.json({"name": task.installation, "asked": True, "new": new})
    else:
        session.screen.line(
            f"Asked for. {'' if new else 'It was asked for already. '}A worker takes it next."
        )
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
