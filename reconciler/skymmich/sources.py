"""Turns ``[skymmich] source`` into the reader for it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote

from reconciler.errors import ConfigurationError
from reconciler.plainfile import exists
from reconciler.skymmich.database import SqliteCatalogue

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.core.ports import ObjectCatalogue
    from reconciler.http_way import Way
    from reconciler.skymmich.postgres import PostgresCatalogue
    from reconciler.skymmich.rest.pace import Pace
    from reconciler.skymmich.rest.source import RestCatalogue

_SCHEME = re.compile(r"(sqlite|file)(?=:)|([a-z][a-z0-9+.-]+)(?=://)", re.IGNORECASE)
_SUPPORTED = (
    "Give the path of Skymmich's SQLite file (/app/config/skymmich.db, or sqlite:///app/config/skymmich.db), "
    "the address of its PostgreSQL database (postgresql://user@host:5432/skymmich), or Skymmich's own web "
    "address (http://skymmich:5000)."
)


@dataclass(frozen=True, slots=True)
class Web:
    """How a catalogue is read over Skymmich's web address."""

    kept: Path | None = None
    """The file in which its answers are kept; ``None``: in memory."""
    pace: Pace | None = None
    progress: Callable[[int, int], None] = lambda _done, _of: None
    way: Way | None = None
    """Whom to trust, and a proxy."""


def open_catalogue(
    source: str, *, sky: ObjectCatalogue | None = None, web: Web | None = None
) -> SqliteCatalogue | PostgresCatalogue | RestCatalogue:
    """Return the reader for a source; nothing is opened before it reads.

    Args:
        source: a path, ``sqlite:PATH``, ``sqlite:///PATH``, ``file:///PATH``, ``postgresql://…``, or
            ``http://…``. A password in it is never shown.
        sky: knows objects that Skymmich's own table lacks.
        web: for one that is read over the web.

    Raises:
        ConfigurationError: it is none of these.
    """
    text = source.strip()
    if not text:
        raise ConfigurationError("No catalogue is named: [skymmich] source is empty.", remedy=_SUPPORTED)
    found = _SCHEME.match(text)
    scheme = found[0].lower() if found is not None else ""
    if scheme in {"", "sqlite", "file"}:
        return SqliteCatalogue(_path(text) if scheme else text, sky=sky)
    if scheme in {"postgresql", "postgres"} or scheme.startswith("postgresql+"):
        # psycopg loads a C library: only who has a PostgreSQL needs it.
        from reconciler.skymmich.postgres import PostgresCatalogue  # noqa: PLC0415  see above

        return PostgresCatalogue("postgresql" + text[len(scheme) :], sky=sky)
    if scheme in {"http", "https"}:
        # It brings an HTTP client along.
        from reconciler.skymmich.rest.source import RestCatalogue  # noqa: PLC0415  see above

        web = web or Web()
        return RestCatalogue(text, kept=web.kept, pace=web.pace, sky=sky, progress=web.progress, way=web.way)
    raise ConfigurationError(f"A catalogue source cannot begin with {scheme}:.", remedy=_SUPPORTED)


def _path(url: str) -> Path:
    """Read the path out of a URL: three slashes begin an absolute path, which people also write with four.

    SQLAlchemy reads three as the beginning of a relative path; that is taken where only that file exists.
    """
    rest = unquote(url.partition(":")[2].partition("?")[0])
    if not rest.startswith("///"):
        return Path(rest.removeprefix("//"))
    absolute, relative = Path("/" + rest.lstrip("/")), Path(rest.lstrip("/"))
    return relative if exists(relative) and not exists(absolute) else absolute
