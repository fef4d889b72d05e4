"""Reads Skymmich's ``immich`` settings: whether and what to write, and where Immich is.

Every key may be missing, and a save through Skymmich's own page may have dropped half of them: then
Skymmich's default holds. One that is there and cannot be read is unknown, and nothing is written by it. The
API key lies there in plain text: no value of this row is ever put into a message.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.catalogue import SWITCHED_PARTS, SyncSettings
from reconciler.core.policy import SWITCHES
from reconciler.skymmich.fields import plain_text, read_rows
from reconciler.skymmich.tables import SETTINGS

if TYPE_CHECKING:
    from reconciler.core.catalogue import RowProblem, Switch
    from reconciler.skymmich.fields import Fields
    from reconciler.skymmich.tables import Snapshot

_BUT: Final = "unless it is known what it was when last read"


def read_settings(snapshot: Snapshot, problems: list[RowProblem]) -> SyncSettings:
    """Return the settings; Skymmich's own defaults for what is missing."""
    found = read_rows(snapshot, SETTINGS, _read, problems)
    return found[0] if found else SyncSettings()


def _read(fields: Fields) -> SyncSettings:
    stored = fields.json("value", secret=True)
    if not isinstance(stored, dict):
        if not fields.dropped:
            fields.warn(f"the immich settings are not an object; they count as switched off, {_BUT}")
        return SyncSettings(stored=True).without()
    unreadable: set[Switch] = set()

    def switch(key: str, *, default: bool) -> bool:
        value = stored.get(key, default)
        if isinstance(value, bool):
            return value
        part = SWITCHES[key]
        if part in SWITCHED_PARTS:
            unreadable.add(part)
            fields.warn(f"the setting {key} is neither true nor false; it counts as off, {_BUT}")
        else:
            fields.warn(f"the setting {key} is neither true nor false; it counts as off")
        return False

    def text(key: str) -> str:
        value = stored.get(key)
        if isinstance(value, str) and (kept := plain_text(value)) is not None:
            return kept.strip()
        if value is not None:
            fields.warn(f"the setting {key} is no text of an address or a key; it is ignored")
        return ""

    defaults = SyncSettings()
    return SyncSettings(
        enabled=switch("metadataSyncEnabled", default=defaults.enabled),
        description=switch("syncDescription", default=defaults.description),
        coordinates=switch("syncCoordinates", default=defaults.coordinates),
        tags=switch("syncTags", default=defaults.tags),
        immich_url=text("host"),
        immich_api_key=text("apiKey"),
        stored=True,
        unreadable=frozenset(unreadable),
    )
