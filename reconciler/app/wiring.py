"""The one place where ports meet adapters: a configuration becomes a catalogue, a target and a store."""

from __future__ import annotations

import uuid
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import structlog

from reconciler.app.overrides import overridden_switches, with_own_block
from reconciler.app.pairing import check_pair, pair_of
from reconciler.app.source import close_source, source_of, stop_source
from reconciler.app.store_place import place_of
from reconciler.core.reasons import Reason
from reconciler.engine.events import Event, Listener, Progress
from reconciler.engine.planner.wishes import Wishes
from reconciler.engine.reconcile import Reconciler
from reconciler.engine.schema import recalled
from reconciler.errors import ImmichUnreachableError, ReconcilerError
from reconciler.immich.call import Patience
from reconciler.immich.client import SystemClock
from reconciler.immich.connection import Connection
from reconciler.immich.target import Immich
from reconciler.logging import image_logger
from reconciler.messages.reasons import sentence, words
from reconciler.rendering.renderer import SafeRenderer
from reconciler.timezones.zones import OfflineTimeZones
from state.store import StateStore

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from reconciler.app.pairing import Pair
    from reconciler.config import Config
    from reconciler.core.catalogue import Catalogue, SyncSettings
    from reconciler.core.policy import Mode, Policy
    from reconciler.core.ports import CatalogueSource
    from reconciler.engine.catalogue_cache import Watchable
    from reconciler.engine.polling.timing import Timing
    from reconciler.service.environment import Installation
    from reconciler.web.ports import PictureSize


def new_run_id() -> str:
    """Return a run's id: short, unique, sortable by nothing."""
    return uuid.uuid4().hex[:12]


def target_of(config: Config, settings: SyncSettings, store: StateStore | None) -> Immich:
    """Open Immich: address and key from the configuration, else from Skymmich's own settings.

    Raises:
        ConfigurationError: neither has them.
        UnconfirmedError: nobody who may say so sent this key to that address; nothing was sent.
    """
    pair = pair_of(config, settings)
    check_pair(pair, store)
    return immich_at(pair, config, store.require_right if store else None)


def immich_at(pair: Pair, config: Config, permit: Callable[[], None] | None = None) -> Immich:
    """Open Immich at an address that was checked, or just confirmed; ``permit``: see ``Immich``."""
    patience = Patience(read=config.immich.timeout_seconds)
    in_flight, way = config.immich.in_flight, connection_of(config)
    return Immich(pair.url, pair.key, in_flight=in_flight, patience=patience, permit=permit, connection=way)


def connection_of(config: Config) -> Connection:
    """Return how requests get to Immich, as configured."""
    own = config.immich
    return Connection(
        headers=own.headers.each() if own.headers else (),
        ca_file=own.ca_file,
        proxy=own.proxy.get_secret_value() if own.proxy else "",
    )


def store_of(config: Config, *, read_only: bool = False) -> StateStore:
    """Open the state store."""
    return StateStore.open(place_of(config), read_only=read_only)


def wishes_of(config: Config, store: StateStore, catalogue: Catalogue | None = None) -> Wishes:
    """Return what the user configured: the policy, and the switches as they are overridden in the store."""
    policy = with_own_block(config.policy(), store)
    return Wishes(policy, overridden_switches(store, catalogue, policy), OfflineTimeZones())


@dataclass(slots=True)
class Workbench:
    """All parts of a pass, open. Close it when done."""

    config: Config
    source: CatalogueSource
    target: Immich
    store: StateStore
    clock: SystemClock
    cycle: Reconciler
    wishes: Wishes
    renderer: SafeRenderer

    async def aclose(self) -> None:
        """Close what is open."""
        self.renderer.close()
        close_source(self.source)
        await self.target.aclose()
        self.store.close()


def workbench(
    config: Config, *, timing: Timing | None = None, progress: Callable[[Progress], None] | None = None
) -> Workbench:
    """Open everything a pass needs; reads the catalogue once for Skymmich's settings."""
    source = source_of(config)
    catalogue = source.read()
    store = store_of(config)
    try:
        target = target_of(config, catalogue.settings, store)
    except ReconcilerError:
        close_source(source)
        store.close()
        raise
    clock = SystemClock()
    renderer = SafeRenderer()
    cycle = Reconciler(
        source,
        target,
        store,
        clock,
        timing=timing,
        renderer=renderer,
        listen=listener(progress),
        mode=config.merge.mode,
        words=partial(sentence, voice="command"),
    )
    wishes = wishes_of(config, store, recalled(catalogue, store))
    return Workbench(config, source, target, store, clock, cycle, wishes, renderer)


class Installed:
    """What a configuration leads to, for the daemon; fulfils ``reconciler.service.environment.Installation``.

    Immich may become known later, and change with Skymmich's settings.

    Args:
        config: as loaded.
        store: for the switches that are overridden in it.

    Raises:
        ConfigurationError: the catalogue's address cannot be used, or the template's file not be read.
    """

    def __init__(self, config: Config, store: StateStore) -> None:
        self.config = config
        self._store = store
        self._policy = config.policy()
        self._source = source_of(config)
        self._named: tuple[str, str] | None = None
        self._targets: list[Immich] = []

    @property
    def source(self) -> Watchable:
        """Skymmich."""
        return self._source

    @property
    def mode(self) -> Mode:
        """Whether anything may be written, as configured."""
        return self.config.merge.mode

    @property
    def immich_url(self) -> str:
        """Immich's address for people; empty while it is not known."""
        return self._target.address if self._target else ""

    @property
    def circuit_open_since(self) -> datetime | None:
        """Since when Immich is being left alone."""
        return self._target.circuit.open_since if self._target else None

    @property
    def policy(self) -> Policy:
        """What the user configured, and what the page changed of it."""
        return with_own_block(self._policy, self._store)

    @property
    def configured(self) -> Policy:
        """What the user configured."""
        return self._policy

    @property
    def _target(self) -> Immich | None:
        return self._targets[-1] if self._targets else None

    def wishes(self, catalogue: Catalogue) -> Wishes:
        """Return policy and switches as they hold now."""
        policy = self.policy
        return Wishes(policy, overridden_switches(self._store, catalogue, policy), OfflineTimeZones())

    async def target(self, settings: SyncSettings) -> Immich:
        """Return Immich: the same object for as long as its address and key stay.

        Raises:
            ConfigurationError: address or key are not known, or nobody confirmed that they belong together.
        """
        named = (settings.immich_url, settings.immich_api_key)
        known = self._target
        if known is not None and named == self._named:
            return known
        found = target_of(self.config, settings, self._store)
        self._named = named
        # A pass may still work with the former one: all are closed at the end.
        self._targets.append(found)
        return found

    def requests(self) -> Mapping[tuple[str, str, int], int]:
        """Count requests to Immich by method, route and status."""
        return sum((target.requests for target in self._targets), Counter[tuple[str, str, int]]())

    async def thumbnail(self, asset_id: str, size: PictureSize) -> tuple[bytes, str, str]:
        """Fetch a picture.

        Raises:
            ImmichError: there is none, or Immich cannot be asked now.
        """
        if self._target is None:
            raise ImmichUnreachableError("Immich's address is not known yet.")
        return await self._target.thumbnail(asset_id, size)

    def stop_reading(self) -> None:
        """Let a reading of the catalogue come to its end at once, where it may take minutes."""
        stop_source(self._source)

    async def aclose(self) -> None:
        """Close the connections."""
        for target in self._targets:
            await target.aclose()
        close_source(self._source)


class Present:
    """The installation in force, through all reloads: for the faces, which are made once."""

    def __init__(self, installed: Installed) -> None:
        self._all = [installed]

    def take(self, installed: Installed) -> None:
        """Go by another one from now on."""
        self._all.append(installed)

    def requests(self) -> Mapping[tuple[str, str, int], int]:
        """Count requests to Immich since the start."""
        return sum((Counter(each.requests()) for each in self._all), Counter[tuple[str, str, int]]())

    @property
    def config(self) -> Config:
        """The configuration in force."""
        return self._all[-1].config

    def configured(self) -> Policy:
        """Return what the user configured."""
        return self._all[-1].configured

    async def thumbnail(self, asset_id: str, size: PictureSize) -> tuple[bytes, str, str]:
        """Fetch a picture.

        Raises:
            ImmichError: there is none, or Immich cannot be asked now.
        """
        return await self._all[-1].thumbnail(asset_id, size)

    def stop_reading(self) -> None:
        """Let a reading of the catalogue come to its end at once."""
        for each in self._all:
            each.stop_reading()

    async def aclose(self) -> None:
        """Close all connections."""
        for each in self._all:
            await each.aclose()


def listener(progress: Callable[[Progress], None] | None = None) -> Listener:
    """Turn the engine's events into log lines, and hand progress on."""

    def listen(event: Event | Progress) -> None:
        if isinstance(event, Progress):
            if progress is not None:
                progress(event)
            return
        about_image = event.image_id is not None or event.asset_id is not None
        logger = image_logger(event.image_id, event.asset_id) if about_image else _LOGGER
        run = {"run": event.run} if event.run else {}
        logger.log(_LEVELS[event.level], event.name, **run, **_logged(event.details))

    return listen


def _logged(details: Mapping[str, object]) -> Mapping[str, object]:
    """Return an event's details as a log line has them: a reason as its words, with the code beside them."""
    if not any(isinstance(value, Reason) for value in details.values()):
        return details
    found: dict[str, object] = {}
    for name, value in details.items():
        if isinstance(value, Reason):
            found |= {name: words(value), f"{name}_code": value.code}
        else:
            found[name] = value
    return found


_LOGGER: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("reconciler")
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}

if TYPE_CHECKING:
    _fulfils: type[Installation] = Installed
