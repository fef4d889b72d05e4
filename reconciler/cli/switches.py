"""The switches for people: how they are named on the command line, and how they stand."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from rich.text import Text
from typer import TyperException

from reconciler.app.overrides import (
    OwnSettings,
    TheirSettings,
    overridden_switches,
    override_of,
    with_own_switches,
)
from reconciler.cli.daemon_client import ask_daemon
from reconciler.config import redact_url
from reconciler.core.policy import ALL_SWITCHES, OWN_SWITCHES
from reconciler.engine.planner.wishes import switches_of
from reconciler.engine.schema import recalled
from reconciler.errors import DaemonRefusedError
from reconciler.messages.formats import lasting
from reconciler.models.plans import Settings
from reconciler.models.status import SettingsView
from state.lease import Lease

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from reconciler.cli.output.screen import Screen
    from reconciler.config import Config
    from reconciler.core.catalogue import Catalogue
    from reconciler.core.policy import Switches
    from state.store import StateStore

_WORDS: Final = {"on": True, "true": True, "yes": True, "off": False, "false": False, "no": False}
_NAMES: Final = {name.lower(): name for name in ALL_SWITCHES}
_MEANINGS: Final = {
    "metadataSyncEnabled": "the master switch: off, nothing is written",
    "syncDescription": "the block, and Skymmich's own text",
    "syncCoordinates": "the place on Immich's map",
    "syncTags": "type, constellation, target, equipment and Skymmich's own tags",
    "syncDates": "when it was taken, as [dates] says",
    "syncAlbums": "which albums it is in, as [albums] says",
    "syncStacks": "the other members of a stack, or its cover, as [stacks] says",
}
_NAME_WIDTH: Final = 21


@dataclass(frozen=True, slots=True)
class Standing:
    """How the switches stand."""

    theirs: Switches
    """What Skymmich itself says."""
    override: Mapping[str, bool]
    """What was set here over that, by Skymmich's names."""
    in_force: Switches
    saved: bool = True
    """Whether they were ever saved in Skymmich; else its defaults hold."""

    @classmethod
    def of(cls, store: StateStore | None, catalogue: Catalogue, config: Config) -> Standing:
        """Look at store and catalogue; ``None``: there is no store yet, and so no override."""
        catalogue = recalled(catalogue, store) if store is not None else catalogue
        policy = config.policy()
        if store is not None:
            policy = with_own_switches(policy, store)
        theirs = switches_of(catalogue, policy)
        saved = catalogue.settings.stored
        if store is None:
            return cls(theirs, {}, theirs, saved)
        in_force = overridden_switches(store, catalogue, policy) or theirs
        return cls(theirs, override_of(store), in_force, saved)


def changes_of(words: Sequence[str]) -> dict[str, bool]:
    """Return ``syncTags=off`` and its like as ``core.policy.Switches``' names and values.

    Raises:
        TyperException: one is no name or no value, or two contradict each other.
    """
    found: dict[str, bool] = {}
    for word in words:
        given, equals, value = word.partition("=")
        name = _NAMES.get(given.strip().lower())
        if name is None:
            raise TyperException(f"There is no setting “{given}”.{_meant(given)} Nothing was changed.")
        on = _WORDS.get(value.strip().lower())
        if not equals or on is None:
            raise TyperException(f"Say {name}=on or {name}=off. Nothing was changed.")
        if found.setdefault(ALL_SWITCHES[name], on) != on:
            raise TyperException(f"{name} cannot be both on and off. Nothing was changed.")
    return found


def _meant(given: str) -> str:
    known = _NAMES | {field: name for name, field in ALL_SWITCHES.items()}
    near = difflib.get_close_matches(given.strip().lower(), known, n=1, cutoff=0.5)
    return f" Did you mean {known[near[0]]}?" if near else f" There are {', '.join(ALL_SWITCHES)}."


def by_name(switches: Switches) -> dict[str, bool]:
    """Return switches by Skymmich's names."""
    return {name: getattr(switches, field) for name, field in ALL_SWITCHES.items()}


def standing_json(standing: Standing, config: Config) -> dict[str, object]:
    """Return how the switches stand as a JSON-able value."""
    shown = SettingsView(
        settings=Settings.of(standing.in_force),
        source="override" if standing.override else "Skymmich",
        skymmich=Settings.of(standing.theirs),
        changed_in=OwnSettings.where if config.skymmich_address() is None else TheirSettings.where,
    )
    return dict(shown) | {"override": dict(standing.override)}


def show_standing(screen: Screen, standing: Standing) -> None:
    """Show each switch and where its value lives."""
    theirs = by_name(standing.theirs)
    for name, on in by_name(standing.in_force).items():
        if name in OWN_SWITCHES:
            where = "this program's own"
        elif name not in standing.override:
            where = "Skymmich's own" if standing.saved else "Skymmich's default"
        elif theirs[name] == on:
            where = "set here; Skymmich itself says the same"
        else:
            where = f"set here; Skymmich itself says {on_off(theirs[name])}"
        text = Text.assemble(
            (f"{on_off(on):<4}", "green" if on else "yellow"), where, (f"  ({_MEANINGS[name]})", "dim")
        )
        screen.row(name, text, indent=0, width=_NAME_WIDTH)


def show_ways(screen: Screen, standing: Standing, config: Config) -> None:
    """Say how to change them, and where that changes them."""
    screen.line()
    if (url := config.skymmich_address()) is not None:
        screen.line(f"They are changed in Skymmich itself, at {redact_url(url)}.")
    else:
        screen.line(f"They are changed in {OwnSettings.where}, over Skymmich's own.")
        screen.line("With [skymmich] url in the configuration they are changed in Skymmich itself.", "dim")
    screen.line("To change some: skymmich-reconciler settings set syncTags=off", "dim")
    if standing.override:
        screen.line("To give up what was set here: skymmich-reconciler settings follow", "dim")


def on_off(on: bool) -> str:  # noqa: FBT001 - it is all that this is about
    """Write a switch's position."""
    return "on" if on else "off"


def when_taken(config: Config, store: StateStore) -> tuple[bool, str]:
    """Return whether a daemon runs beside, and when a change is taken."""
    try:
        told = ask_daemon(config)
    except DaemonRefusedError:
        return True, "The daemon takes it at its next look."
    if told is not None:
        looks = told.get("next_looks")
        return True, f"The daemon takes it at its next look{_until(looks)}."
    now = datetime.now(UTC)
    holder = Lease(store, lambda: now).current()
    if holder and holder.what == "daemon" and holder.expires_at > now and not holder.process.is_gone():
        return True, "The daemon that runs beside takes it at its next look."
    return False, "No daemon runs; the next plan or apply takes it."


def _until(looks: object) -> str:
    when = looks.get("immich") if isinstance(looks, dict) else None
    try:
        seconds = (datetime.fromisoformat(str(when)) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return ""
    return f", in {lasting(seconds)}" if seconds > 1 else ""
