"""Where the catalogue is: a configuration becomes the source that reads it. Part of the wiring."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

import structlog

from reconciler.openngc.catalogue import OpenNgc
from reconciler.plainfile import exists
from reconciler.skymmich.rest.pace import Pace
from reconciler.skymmich.sources import Web, open_catalogue

if TYPE_CHECKING:
    from pathlib import Path

    from reconciler.config import Config
    from reconciler.engine.catalogue_cache import Watchable
    from reconciler.http_way import Way

_LOGGER: Final[structlog.stdlib.BoundLogger] = structlog.stdlib.get_logger("reconciler")
_SKY: Final = OpenNgc()
"""One for all readers: it takes a quarter of a second to load, at the first question."""


def source_of(config: Config, *, leave_no_trace: bool = False) -> Watchable:
    """Open the catalogue that the configuration names.

    Args:
        config: names it.
        leave_no_trace: make no file, where what Skymmich answers over the web would be kept in one.

    Raises:
        ConfigurationError: none is named, or not one that can be read.
    """
    section = config.skymmich
    pace = Pace(section.list_seconds, section.links_seconds, section.details_hours)
    kept = _answers_of(config, leave_no_trace=leave_no_trace)
    web = Web(kept, pace, _read_so_far, way_to_skymmich(config))
    return open_catalogue(config.catalogue_source(), sky=_SKY, web=web)


def way_to_skymmich(config: Config) -> Way | None:
    """Return how requests get to Skymmich; ``None``: straight, with what is trusted anyway."""
    own = config.skymmich
    if own.ca_file is None and own.proxy is None:
        return None
    # It brings an HTTP client along.
    from reconciler.http_way import Way  # noqa: PLC0415  see above

    return Way(own.ca_file, own.proxy.get_secret_value() if own.proxy else "")


def _answers_of(config: Config, *, leave_no_trace: bool) -> Path | None:
    """Return where Skymmich's answers are kept, beside the store; ``None`` where this user may not."""
    store = config.beside
    path = store.with_name(f"{store.stem}.skymmich{store.suffix}")
    if exists(path):
        return path if os.access(path, os.R_OK | os.W_OK) and os.access(path.parent, os.W_OK) else None
    folder = next(folder for folder in path.parents if exists(folder))
    return None if leave_no_trace or not os.access(folder, os.W_OK | os.X_OK) else path


def _read_so_far(done: int, of: int) -> None:
    _LOGGER.info("catalogue.reading", images=done, of=of)


@runtime_checkable
class _Closing(Protocol):
    def close(self) -> None:
        """Let go of what is open."""


def close_source(source: object) -> None:
    """Let go of what a catalogue keeps open, if it does."""
    if isinstance(source, _Closing):
        source.close()


@runtime_checkable
class _Stoppable(Protocol):
    def stop(self) -> None:
        """Send nothing more."""


def stop_source(source: object) -> None:
    """Let a reading that may take minutes come to its end at once."""
    if isinstance(source, _Stoppable):
        source.stop()
