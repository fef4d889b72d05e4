"""The albums an image belongs into: one for each target, constellation, type, telescope or site it has.

Not for merging them with what is there: see ``plan.album_plan``. Names are what people read in Immich's
list of albums, and what albums are told apart by here: one name, one album.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from reconciler.core.desired.tags import tag_name

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.policy import AlbumKind, AlbumPolicy

MAX_NAME: Final = 200
"""Characters; longer ones are left out: no list could show them."""
MAX_ALBUMS: Final = 50
"""Albums of one image; more are left out."""


@dataclass(frozen=True, slots=True)
class AlbumSources:
    """What albums are made of; empty texts and tuples where the catalogue knows nothing."""

    targets: tuple[str, ...] = ()
    constellation: str = ""
    object_type: str = ""
    equipment: tuple[tuple[str, str], ...] = ()
    """Pairs of kind and name."""
    site: str = ""


def desired_albums(sources: AlbumSources, policy: AlbumPolicy) -> frozenset[str]:
    """Return the names of the albums that an image belongs into; none while albums are switched off.

    Names that differ only in case are one album, the first.
    """
    found: dict[str, str] = {}
    if not policy.enabled:
        return frozenset()
    for kind in policy.kinds:
        for text in _texts(kind, sources, policy):
            name = f"{policy.prefix}{text}" if (text := tag_name(text)) else ""
            if name and len(name) <= MAX_NAME and len(found) < MAX_ALBUMS:
                found.setdefault(name.casefold(), name)
    return frozenset(found.values())


def _texts(kind: AlbumKind, sources: AlbumSources, policy: AlbumPolicy) -> Iterable[str]:
    if kind == "equipment":
        return [name for of, name in sources.equipment if of in policy.equipment_kinds]
    if kind == "target":
        return sources.targets
    return [
        {"constellation": sources.constellation, "object_type": sources.object_type}.get(kind, sources.site)
    ]
