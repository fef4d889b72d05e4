"""What a person had on a replaced asset, as JSON: in the store, and for others to read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from reconciler.core.belongings import Album
from reconciler.core.carry_over import Kept
from reconciler.core.fields import BY_NAME, VALUE_FIELDS, VALUE_NAMES

if TYPE_CHECKING:
    from collections.abc import Mapping


def to_json(kept: Kept) -> dict[str, object]:
    """Return it as JSON."""
    return {
        "prose": kept.prose,
        "tags": sorted(kept.tags),
        **{one.name: one.to_json(one.of(kept)) for one in VALUE_FIELDS},
        "favorite": kept.favorite,
        "albums": [[one.album_id, one.name] for one in kept.albums],
    }


def from_json(kept: Mapping[str, Any]) -> Kept:
    """Return what ``to_json`` made."""
    values: dict[str, Any] = {name: BY_NAME[name].read(kept.get(name)) for name in VALUE_NAMES}
    return Kept(
        prose=str(kept.get("prose") or ""),
        tags=frozenset(kept.get("tags") or ()),
        favorite=bool(kept.get("favorite")),
        albums=tuple(Album(str(one[0]), str(one[1])) for one in kept.get("albums") or ()),
        **values,
    )
