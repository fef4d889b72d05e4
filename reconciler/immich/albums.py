"""Immich's albums: listed in one request, filled and emptied some hundred assets a request.

Putting an asset into an album moves none of its dates and writes no file (measured), so nothing settles:
the answer says of each asset what became of it. ``PUT /albums/assets`` takes many albums at once, and is not
used: it puts all assets into all of them, and its answer says nothing of any single one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final, Literal

from reconciler.core.albums import SeenAlbum
from reconciler.core.ports import AlbumOutcome
from reconciler.errors import ImmichAnswerError, ImmichRejectedError
from reconciler.immich.call import Call
from reconciler.immich.wire import is_uuid, items, member, text, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from reconciler.immich.capabilities import Capabilities
    from reconciler.immich.client import Client
    from reconciler.immich.observer import Observer

ASSETS_PER_CALL: Final = 500
_AS_WANTED: Final = {"PUT": "duplicate", "DELETE": "not_found"}
"""Immich's word for what was so before."""
_SCOPES: Final = {"PUT": "albumAsset.create", "DELETE": "albumAsset.delete"}


class AlbumRoutes:
    """The albums' part of the target.

    Args:
        client: sends.
        capabilities: of this server.
        observer: searches.
    """

    def __init__(self, client: Client, capabilities: Capabilities, observer: Observer) -> None:
        self._client, self._capabilities, self._observer = client, capabilities, observer

    async def listing(self) -> list[SeenAlbum]:
        """List all albums.

        Raises:
            ImmichAnswerError: it is no list, or one of them cannot be read: it must not be taken for gone.
            MissingPermissionError: the key lacks ``album.read``.
        """
        call = Call("GET", "/albums", permission="album.read")
        answer = await self._client.send(call)
        if not isinstance(answer, list):
            raise _unreadable(call)
        return [self._read(row, call) for row in answer]

    async def one(self, album_id: str) -> SeenAlbum | None:
        """Read one; ``None``: it is gone, or not shown to this key."""
        call = Call(
            "GET", "/albums/{id}", ids={"id": album_id}, query="withoutAssets=true", permission="album.read"
        )
        try:
            return self._read(await self._client.send(call), call)
        except ImmichRejectedError as error:
            if error.status not in {400, 404}:
                raise
            return None

    async def assets(self, album: SeenAlbum, *, trashed: bool) -> tuple[frozenset[str], bool]:
        """List the assets in it; beside it whether these are all."""
        if not album.count and not trashed:
            return frozenset(), True
        if self._capabilities.album_search:
            return await self._observer.in_album(album.album_id, album.count, trashed=trashed)
        call = Call("GET", "/albums/{id}", ids={"id": album.album_id}, permission="album.read")
        listed = member(await self._client.send(call), "assets")
        found = frozenset(filter(None, (text(member(row, "id")).lower() for row in items(listed))))
        return found, len(found) >= album.count

    async def create(self, name: str, description: str) -> SeenAlbum:
        """Make one, empty."""
        body = json.dumps({"albumName": name, "description": description}).encode()
        call = Call("POST", "/albums", body=body, write=True, permission="album.create")
        return self._read(await self._client.send(call), call)

    async def set_cover(self, album_id: str, asset_id: str) -> None:
        """Make an asset the cover. It may be repeated."""
        body = json.dumps({"albumThumbnailAssetId": asset_id}).encode()
        await self._client.send(
            Call("PATCH", "/albums/{id}", body=body, ids={"id": album_id}, permission="album.update")
        )

    async def delete(self, album_id: str) -> None:
        """Delete one. A 400 is about the album: it is gone already."""
        call = Call("DELETE", "/albums/{id}", ids={"id": album_id}, write=True, permission="album.delete")
        try:
            await self._client.send(call)
        except ImmichRejectedError as error:
            if error.status != 400:
                raise

    async def change(
        self, method: Literal["PUT", "DELETE"], album_id: str, asset_ids: Sequence[str]
    ) -> AlbumOutcome:
        """Put assets in (``PUT``), or take them out.

        Raises:
            ImmichRejectedError: the album is gone, or another's.
            WriteInDoubtError: the last call may have been carried out; those before it were.
        """
        ids = list(dict.fromkeys(asset_id.lower() for asset_id in asset_ids))
        done: set[str] = set()
        unchanged: set[str] = set()
        refused = {one: "not_found" for one in ids if not self._capabilities.is_id(one)}
        usable = [one for one in ids if one not in refused]
        for start in range(0, len(usable), ASSETS_PER_CALL):
            part = usable[start : start + ASSETS_PER_CALL]
            call = Call(
                method, "/albums/{id}/assets", body=json.dumps({"ids": part}).encode(),
                ids={"id": album_id}, write=True, permission=_SCOPES[method], bulk=True,
            )  # fmt: skip
            told: set[str] = set()
            for row in items(await self._client.send(call)):
                asset_id, error = text(member(row, "id")).lower(), text(member(row, "error"))
                told.add(asset_id)
                if member(row, "success") is True:
                    done.add(asset_id)
                elif error == _AS_WANTED[method]:
                    unchanged.add(asset_id)
                else:
                    refused[asset_id] = error or "unknown"
            refused |= {one: "no_answer" for one in part if one not in told}
        asked = frozenset(ids)
        return AlbumOutcome(
            frozenset(done & asked),
            frozenset(unchanged & asked),
            {one: why for one, why in refused.items() if one in asked},
        )

    def _read(self, row: object, call: Call) -> SeenAlbum:
        album_id, name = text(member(row, "id")).lower(), member(row, "albumName")
        description, stamp = member(row, "description"), text(member(row, "updatedAt"))
        count = whole(member(row, "assetCount"))
        if not is_uuid(album_id) or not isinstance(name, str) or not isinstance(description, str):
            raise _unreadable(call)
        if count is None or not stamp:
            raise _unreadable(call)
        owner, others = _people(row)
        mine = self._observer.user_id
        return SeenAlbum(
            album_id=album_id,
            name=name,
            description=description,
            count=count,
            stamp=stamp,
            is_own=not owner or mine is None or owner == mine,
            is_shared=others or member(row, "shared") is True or member(row, "hasSharedLink") is True,
            cover=text(member(row, "albumThumbnailAssetId")).lower(),
        )


def _people(row: object) -> tuple[str, bool]:
    """Return whose album it is, and whether others are in it. From 3.0 on the owner is one of its users."""
    owner, others = text(member(row, "ownerId")), False
    for one in items(member(row, "albumUsers")):
        user_id = text(member(one, "user", "id"))
        if text(member(one, "role")) == "owner":
            owner = owner or user_id
        elif user_id != owner:
            others = True
    return owner, others


def _unreadable(call: Call) -> ImmichAnswerError:
    return ImmichAnswerError(
        f"Immich's answer to {call.name} is no list of albums with names, descriptions and counts; "
        "nothing was done with it.",
        status=200,
        remedy="Nothing is lost. Look for a proxy in front of Immich, or update this program.",
    )
