"""What the albums are like before a pass: one listing, and the contents of those that changed since.

An album shows by a stamp that something was put in or that it was changed, and by its count that something
was taken out. So only those of ours are read of which one of the two is another than before, and all at an
audit.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.core.albums import Albums, OwnAlbum, recognised
from reconciler.core.store_keys import ALBUM_INTENTS, ALBUMS
from reconciler.errors import MissingPermissionError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.albums import SeenAlbum
    from reconciler.core.policy import Policy
    from reconciler.core.ports import Target
    from reconciler.core.store_port import Store


@dataclass(slots=True)
class AlbumMemory:
    """What was in the albums when they were last read, by their ids."""

    contents: dict[str, tuple[tuple[str, int], frozenset[str]]] = field(default_factory=dict)
    """What an album looked like, and its assets."""


@dataclass(frozen=True, slots=True)
class AlbumSight:
    """What a look at the albums told."""

    albums: Albums | None = None
    unusable: Mapping[str, str] = field(default_factory=dict)
    moved: frozenset[str] = frozenset()
    """Assets that came into an album, or went, since they were last read."""
    lacking: tuple[str, ...] = ()
    """Permissions for want of which nobody could look."""


async def look(
    target: Target, store: Store, memory: AlbumMemory, policy: Policy, *, anew: bool
) -> AlbumSight:
    """List the albums, and read those of ours that changed; ``anew``: all of them.

    Raises:
        ImmichError: they could not be listed.
    """
    try:
        seen = await target.albums()
    except MissingPermissionError as error:
        return AlbumSight(lacking=(error.permission or "album.read",))
    own, unusable, shown = recognised(
        seen, known_albums(store), prefix=policy.albums.prefix, use_existing=policy.albums.use_existing,
        again=policy.merge.on_drift_albums == "correct",
    )  # fmt: skip
    if anew:
        memory.contents.clear()
    members: dict[str, frozenset[str]] = {}
    partial, moved = set[str](), set[str]()
    for name, album in shown.items():
        known = memory.contents.get(album.album_id)
        if known is not None and known[0] == album.state:
            members[name] = known[1]
            continue
        found, whole = await target.album_assets(album)
        members[name] = found
        if known is not None:
            moved |= known[1] ^ found
        if whole:
            memory.contents[album.album_id] = (album.state, found)
        else:
            partial.add(name)
    intended = {name: frozenset(ids) for name, ids in (ALBUM_INTENTS.read(store) or {}).items()}
    for ids in intended.values():
        moved |= ids
    albums = Albums(own, members, frozenset(partial), intended, shown)
    return AlbumSight(albums, unusable, frozenset(moved))


def known_albums(store: Store) -> dict[str, OwnAlbum]:
    """Return the albums that the store has, by name."""
    kept = ALBUMS.read(store) or {}
    return {name: OwnAlbum(*one) for name, one in kept.items()}


def keep_albums(store: Store, own: Mapping[str, OwnAlbum]) -> None:
    """Keep them in the place of all others."""
    ALBUMS.write(store, {name: (one.album_id, one.made, one.cover) for name, one in sorted(own.items())})


def settle(memory: AlbumMemory, albums: Albums, seen: list[SeenAlbum]) -> None:
    """Remember the albums as they are after a pass wrote to them, where they have just what is known."""
    by_id = {one.album_id: one for one in seen}
    for name, one in albums.own.items():
        there = by_id.get(one.album_id)
        if there is None or name not in albums.members or name in albums.partial:
            continue
        if there.count == len(albums.members[name]):
            memory.contents[one.album_id] = (there.state, albums.members[name])
        else:
            memory.contents.pop(one.album_id, None)


def with_own(albums: Albums, name: str, one: OwnAlbum, seen: SeenAlbum | None = None) -> Albums:
    """Return them with another album, or another state of one."""
    members = albums.members if name in albums.members else {**albums.members, name: frozenset()}
    shown = albums.seen if seen is None else {**albums.seen, name: seen}
    return replace(albums, own={**albums.own, name: one}, members=members, seen=shown)
