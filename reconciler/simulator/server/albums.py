"""Albums as the server keeps them: a name that need not be the only one, and assets; no file knows of them.

Putting an asset in moves the album's date, and so does taking the cover's asset out; no other removal does.
No date of an asset moves. All measured on 2.7.5.
"""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.simulator.server.model import iso
from reconciler.simulator.server.problems import V3

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.simulator.server.model import Asset


@dataclass(slots=True)
class Album:
    """One album."""

    album_id: str
    owner_id: str
    name: str
    description: str
    created: int
    updated: int
    cover: str | None = None
    assets: dict[str, None] = field(default_factory=dict)
    """Ids, in the order in which they came."""
    shared_with: set[str] = field(default_factory=set)
    """Ids of users."""
    has_link: bool = False


class AlbumStore:
    """All albums."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"albums:{seed}")  # noqa: S311 - ids of a simulation
        self.by_id: dict[str, Album] = {}

    def create(self, owner_id: str, name: str, description: str, now: int) -> Album:
        """Make one; there may be others of that name."""
        album_id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        self.by_id[album_id] = Album(album_id, owner_id, name, description, now, now)
        return self.by_id[album_id]

    def put(self, album: Album, asset_id: str, now: int) -> None:
        """Put an asset in; the first becomes the cover."""
        album.assets[asset_id] = None
        album.updated = now
        album.cover = album.cover or asset_id

    def take(self, album: Album, asset_id: str, now: int) -> None:
        """Take an asset out; another one becomes the cover, if it was that."""
        album.assets.pop(asset_id, None)
        if album.cover == asset_id:
            album.cover = next(iter(album.assets), None)
            album.updated = now

    def forget(self, asset_id: str) -> None:
        """Take an asset that is deleted out of all."""
        for album in self.by_id.values():
            if asset_id in album.assets:
                self.take(album, asset_id, album.updated)


def album_json(album: Album, assets: Mapping[str, Asset], version: tuple[int, int, int]) -> dict[str, object]:
    """Render an album as the API does, without its assets; those in the trash do not count."""
    inside = [asset for one in album.assets if (asset := assets.get(one)) is not None and not asset.trashed]
    users: list[dict[str, object]] = [
        {"role": "editor", "user": {"id": user_id}} for user_id in sorted(album.shared_with)
    ]
    shown: dict[str, object] = {
        "id": album.album_id,
        "albumName": album.name,
        "description": album.description,
        "albumThumbnailAssetId": album.cover,
        "assetCount": len(inside),
        "createdAt": iso(album.created),
        "updatedAt": iso(album.updated),
        "shared": bool(album.shared_with),
        "hasSharedLink": album.has_link,
        "isActivityEnabled": True,
        "order": "desc",
    }
    if version >= V3:
        return {**shown, "albumUsers": [{"role": "owner", "user": {"id": album.owner_id}}, *users]}
    return {
        **shown,
        "albumUsers": users,
        "ownerId": album.owner_id,
        "owner": {"id": album.owner_id},
        "assets": [],
    }
