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

MASK: Final = "••••"
"""With which Skymmich's API begins whatever it shows of a key: such a text is never one."""


def read_settings(snapshot: Snapshot, problems: list[RowProblem]) -> SyncSettings:
    """Return the settings; Skymmich's own defaults for what is missing."""
    found = read_rows(snapshot, SETTINGS, _read, problems)
    return found[0] if found else SyncSettings()


def _read(fields: Fields) -> SyncSettings:
    stored = fields.json("value", secret=True)
    if not isinstance(stored, dict):
        if not fields.dropped:
            fields.warn("row_no_settings")
        return SyncSettings(stored=True).without()
    unreadable: set[Switch] = set()

    def switch(key: str, *, default: bool) -> bool:
        value = stored.get(key, default)
        if isinstance(value, bool):
            return value
        part = SWITCHES[key]
        if part in SWITCHED_PARTS:
            unreadable.add(part)
            fields.warn("row_no_switch", key=key)
        else:
            fields.warn("row_no_master_switch", key=key)
        return False

    def text(key: str) -> str:
        value = stored.get(key)
        if isinstance(value, str) and (kept := plain_text(value)) is not None:
            return kept.strip()
        if value is not None:
            fields.warn("row_no_setting", key=key)
        return ""

    defaults, key = SyncSettings(), text("apiKey")
    masked = key.startswith(MASK)
    return SyncSettings(
        enabled=switch("metadataSyncEnabled", default=defaults.enabled),
        description=switch("syncDescription", default=defaults.description),
        coordinates=switch("syncCoordinates", default=defaults.coordinates),
        tags=switch("syncTags", default=defaults.tags),
        immich_url=text("host"),
        immich_api_key="" if masked else key,
        masked=masked,
        stored=True,
        unreadable=frozenset(unreadable),
    )
