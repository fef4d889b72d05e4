"""The one place where ports meet adapters: a configuration becomes a catalogue, a target and a store."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog

from reconciler.core.policy import Switches
from reconciler.engine.cycle import Cycle
from reconciler.engine.events import Event, Listener, Progress
from reconciler.engine.preparing import Wishes, switches_of
from reconciler.errors import ConfigurationError
from reconciler.immich.client import Patience, SystemClock
from reconciler.immich.target import Immich
from reconciler.logging import image_logger
from reconciler.redaction import register_secret
from reconciler.skymmich.sources import open_catalogue
from state.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.config import Config
    from reconciler.core.catalogue import Catalogue, SyncSettings
    from reconciler.engine.pace import Timing
    from reconciler.engine.ports import CatalogueSource

OVERRIDES = "settings.override"
"""Where the store keeps switches that were set here because Skymmich could not be told."""
_SWITCHES = {
    "metadataSyncEnabled": "enabled",
    "syncDescription": "description",
    "syncCoordinates": "coordinates",
    "syncTags": "tags",
}


def new_run_id() -> str:
    """Give a run's id: short, unique, sortable by nothing."""
    return uuid.uuid4().hex[:12]


def source_of(config: Config) -> CatalogueSource:
    """Open the catalogue that the configuration names.

    Raises:
        ConfigurationError: none is named, or not one that can be read.
    """
    return open_catalogue(config.catalogue_source())


def target_of(config: Config, settings: SyncSettings) -> Immich:
    """Open Immich: address and key from the configuration, else from Skymmich's own settings.

    Raises:
        ConfigurationError: neither has them.
    """
    if settings.immich_api_key:
        register_secret(settings.immich_api_key)
    url = config.immich.url.get_secret_value() if config.immich.url else settings.immich_url
    key = config.immich.api_key.get_secret_value() if config.immich.api_key else settings.immich_api_key
    if not url:
        raise ConfigurationError(
            "Immich's address is known neither to this program nor to Skymmich.",
            remedy="Set [immich] url, or RECONCILER_IMMICH__URL, or enter it in Skymmich's admin page.",
        )
    if not key:
        raise ConfigurationError(
            "No API key for Immich is known to this program or to Skymmich.",
            remedy="Set [immich] api_key_file, or RECONCILER_IMMICH__API_KEY, or enter it in Skymmich.",
        )
    register_secret(key)
    patience = Patience(read=config.immich.timeout_seconds)
    return Immich(url, key, in_flight=config.immich.in_flight, patience=patience)


def store_of(config: Config, *, read_only: bool = False) -> SqliteStore:
    """Open the state store."""
    return SqliteStore.open(config.state.url, read_only=read_only)


def wishes_of(config: Config, store: SqliteStore, catalogue: Catalogue | None = None) -> Wishes:
    """Give what the user configured: the policy, and the switches as they are overridden in the store."""
    override = store.get(OVERRIDES)
    if not isinstance(override, dict) or not override:
        return Wishes(config.policy())
    base = switches_of(catalogue) if catalogue else Switches()
    values = {name: bool(override.get(key, getattr(base, name))) for key, name in _SWITCHES.items()}
    return Wishes(config.policy(), Switches(**values))


@dataclass(slots=True)
class Workbench:
    """All parts of a pass, open. Close it when done."""

    config: Config
    source: CatalogueSource
    target: Immich
    store: SqliteStore
    clock: SystemClock
    cycle: Cycle
    wishes: Wishes

    async def aclose(self) -> None:
        """Close what is open."""
        await self.target.aclose()
        self.store.close()


def workbench(
    config: Config, *, timing: Timing | None = None, progress: Callable[[Progress], None] | None = None
) -> Workbench:
    """Open everything a pass needs; reads the catalogue once for Skymmich's settings."""
    source = source_of(config)
    catalogue = source.read()
    target = target_of(config, catalogue.settings)
    store = store_of(config)
    clock = SystemClock()
    cycle = Cycle(source, target, store, clock, timing=timing, listen=listener(progress))
    return Workbench(config, source, target, store, clock, cycle, wishes_of(config, store, catalogue))


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
        logger.log(_LEVELS[event.level], event.name, **run, **event.details)

    return listen


_LOGGER: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger("reconciler")
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
