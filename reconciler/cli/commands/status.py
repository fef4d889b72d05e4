"""``status``: how things stand, from the running daemon, or without one from the store."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from reconciler.app.overrides import override_of
from reconciler.app.store_place import place_of
from reconciler.app.wiring import store_of
from reconciler.cli.beginning import show_permission
from reconciler.cli.daemon_client import find_daemon
from reconciler.cli.output.another import show_another
from reconciler.cli.output.carry_over import show_offers
from reconciler.cli.output.history import moment, show_crossed, show_runs
from reconciler.cli.output.tables import Standing, show_standings
from reconciler.cli.session import ConfigFile, Json, Verbose, begin
from reconciler.core.permission import UNASKED, Permission
from reconciler.core.records import FINE
from reconciler.core.store_keys import PAUSED
from reconciler.engine.another import known_another
from reconciler.errors import StateError
from reconciler.messages.formats import state
from reconciler.messages.nouns import counted
from reconciler.messages.reasons import sentence
from reconciler.messages.voice import told as told_by
from reconciler.models import runs as models
from reconciler.models.another import Another as AnotherModel
from reconciler.models.carry_over import CarryOver as Offered
from reconciler.models.images import Image
from state.lease import Lease

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.cli.daemon_client import Daemon
    from reconciler.cli.output.screen import Screen
    from reconciler.config import Config
    from reconciler.core.carry_over import CarryOver
    from reconciler.core.records import AssetRecord, Run
    from reconciler.engine.standpoint import Another
    from reconciler.messages.translation import Voice
    from state.store import StateStore

NO_DAEMON: Final = 3
_MOST: Final = 100
_STYLES: Final = {"ok": "bold green", "attention": "bold yellow", "trouble": "bold red"}


@dataclass(frozen=True, slots=True)
class OnRecord:
    """What the store knows."""

    counts: dict[str, int] = field(default_factory=dict)
    runs: tuple[Run, ...] = ()
    attention: tuple[AssetRecord, ...] = ()
    crossed: tuple[AssetRecord, ...] = ()
    """Of which an edit may be missing, and nobody has looked."""
    offered: tuple[CarryOver, ...] = ()
    """What is offered from replaced assets, and nobody has decided."""
    override: dict[str, bool] = field(default_factory=dict)
    """What is set here over Skymmich's own settings."""
    paused_at: datetime | None = None
    """Since when the daemon is paused, if it is."""
    permission: Permission = UNASKED
    """What may be written."""
    writer: str = ""
    """Who has the right to write; empty: nobody."""
    another: Another | None = None
    """Another instance that kept this library when it was last looked for."""
    trouble: str = ""
    """Why it could not be read."""


def command(*, config: ConfigFile = None, json: Json = False, verbose: Verbose = False) -> int:
    """Show how things stand: in sync or not, what needs a look, the last runs.

    Exits 0 in sync, 1 when something needs attention or the daemon does not let this command in, 3 when no
    daemon of this store answers: then what is on record is shown.
    """
    session = begin(config, as_json=json, verbose=verbose)
    screen = session.screen
    daemon = find_daemon(session.config)
    told = daemon.told if daemon is not None and daemon.is_ours else None
    refused = _why_silent(daemon, session.config)
    known = _on_record(session.config)
    answers = daemon is not None and daemon.is_ours
    code = _code(told) if told is not None else 1 if answers else NO_DAEMON
    if json:
        record: dict[str, object] = {
            "counts": known.counts,
            "attention": [Image.of(one) for one in known.attention],
            "crossed": [Image.of(one) for one in known.crossed],
            "offered": [Offered.of(one) for one in known.offered],
            "runs": [models.Run.of(run) for run in known.runs],
            "override": known.override,
            "paused": known.paused_at is not None,
            "mode": known.permission.mode,
            "waits": known.permission.waits,
            "writer": known.writer,
            "another": AnotherModel.of(known.another),
            "trouble": refused or known.trouble,
        }
        of_daemon = {"daemon": answers, "same_store": daemon.same_store if daemon is not None else None}
        screen.json(of_daemon | (record if told is None else told))
        return code
    if told is None or not _tells_another(told):
        show_another(screen, known.another, counts=False)
    if told is None:
        _show_record(screen, known, refused)
    else:
        _show_daemon(screen, told)
    # Without a daemon nothing looks again by itself.
    voice: Voice = "daemon" if answers or known.writer.startswith("daemon") else "command"
    if known.attention:
        screen.line()
        screen.line("Needs a look:", "yellow")
    show_standings(
        screen,
        [
            Standing(one.image_id, one.title, one.status, sentence(one.reasons, voice))
            for one in known.attention
        ],
        most=10_000,
    )
    if known.crossed:
        screen.line()
        show_crossed(screen, known.crossed)
    if known.offered:
        screen.line()
        show_offers(screen, list(known.offered))
    if known.runs:
        screen.line()
        screen.line("Last runs:", "bold")
        show_runs(screen, known.runs)
    return code


def _why_silent(daemon: Daemon | None, config: Config) -> str:
    """Return why a daemon that answers says nothing of this store; empty where it does, or none answers."""
    if daemon is None:
        return ""
    if not daemon.is_ours:
        return (
            f"A daemon answers at {daemon.address}, but it is another installation's: its state store is not "
            f"{place_of(config)}, as in this command's configuration. To ask that one, give its "
            "configuration: --config FILE, or RECONCILER_CONFIG."
        )
    return told_by(daemon.refused, "command") if daemon.refused is not None else ""


def _on_record(config: Config) -> OnRecord:
    try:
        with store_of(config, read_only=True) as store:
            counts = store.counts_by_status()
            attention = [
                record
                for status in sorted(counts.keys() - FINE)
                for record in store.search(status=status, limit=_MOST)
            ]
            crossed = store.search(limit=_MOST, crossed=True)
            runs, override, writer = tuple(store.runs(5)), override_of(store), _writer(store)
            paused = PAUSED.read(store)
            may = Permission.of(store, config.merge.mode)
            offered = tuple(one for several in store.carry_overs_offered().values() for one in several)
            another = known_another(store)
            return OnRecord(
                counts,
                runs,
                tuple(attention),
                tuple(crossed),
                offered,
                override,
                paused,
                may,
                writer,
                another,
            )
    except StateError as error:
        return OnRecord(trouble=error.message)


def _writer(store: StateStore) -> str:
    holder = Lease(store, lambda: datetime.now(UTC)).current()
    if holder is None or holder.process.is_gone():
        return ""
    over = holder.expires_at <= datetime.now(UTC)
    who = f"{holder.what}, process {holder.process.pid} on {holder.process.host}"
    return f"{who} (it stands still, or hangs: its right has ended)" if over else who


def _show_record(screen: Screen, known: OnRecord, refused: str) -> None:
    if refused:
        screen.line(refused, "bold yellow")
        screen.line("This is what is on record.")
    else:
        screen.line("No daemon answers, so this is what is on record.", "bold yellow")
    if known.paused_at:
        screen.line(f"Paused {moment(known.paused_at)}; to go on: skymmich-reconciler resume", "yellow")
    show_permission(screen, known.permission)
    if known.writer:
        screen.line(f"The right to write is with {known.writer}.")
    if known.trouble:
        screen.line(known.trouble)
        return
    total = sum(known.counts.values())
    listed = ", ".join(f"{count} {state(status)}" for status, count in sorted(known.counts.items()))
    screen.line(f"{counted(total, 'image')}: {listed}." if total else "No image was looked at yet.", "bold")
    checked = max((run.finished_at for run in known.runs if run.finished_at), default=None)
    if checked:
        screen.line(f"Last looked at {moment(checked)}.", "dim")
    if known.override:
        screen.line(f"{_listed(known.override)} (set here, over Skymmich's own settings)", "dim")


def _tells_another(told: Mapping[str, object]) -> bool:
    """Return whether a daemon says itself that another instance keeps the library."""
    conditions = told.get("conditions")
    listed = conditions if isinstance(conditions, list) else []
    return any(isinstance(one, dict) and one.get("reason") == "AnotherInstance" for one in listed)


def _code(told: dict[str, object]) -> int:
    return 0 if told.get("level") in {"ok", "off"} else 1


def _show_daemon(screen: Screen, told: dict[str, object]) -> None:
    screen.line(str(told.get("headline", "")), _STYLES.get(str(told.get("level")), "bold"))
    conditions = told.get("conditions")
    for one in conditions if isinstance(conditions, list) else ():
        if isinstance(one, dict) and one.get("status") != "True":
            kind, message = str(one.get("type", "")), str(one.get("message", ""))
            screen.row(kind, message, "yellow", width=20)
    settings = told.get("settings")
    if isinstance(settings, dict):
        source = told.get("settings_source")
        where = (
            "some set here, over Skymmich's own" if source == "override" else f"from {source or 'Skymmich'}"
        )
        screen.line(f"{_listed(settings)} ({where})", "dim")


def _listed(settings: Mapping[str, object]) -> str:
    return ", ".join(f"{name} {'on' if on else 'off'}" for name, on in settings.items())
