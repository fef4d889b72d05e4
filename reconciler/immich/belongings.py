"""What an asset has beside its fields: whether it is a favourite, and the albums that it is in.

A favourite is written by a call of its own that queues no job: only the asset's own row changes. Albums
change nothing of an asset at all. So neither has to settle.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from reconciler.core.belongings import Album, Belongings
from reconciler.errors import (
    AssetUnknownError,
    ImmichAnswerError,
    ImmichRejectedError,
    MissingPermissionError,
)
from reconciler.immich.call import Call
from reconciler.immich.wire import is_uuid, member, text

if TYPE_CHECKING:
    from reconciler.immich.client import Client


async def read(client: Client, asset_id: str) -> Belongings:
    """Ask whether an asset is a favourite, and in which albums it is; two requests.

    What the key may not ask, and what an answer does not tell, is not known.

    Raises:
        AssetUnknownError: gone, locked, or not ours.
        ImmichError: it could not be asked.
    """
    if not is_uuid(asset_id):
        raise AssetUnknownError(asset_id)
    asset_id = asset_id.lower()
    try:
        shown = await client.send(Call("GET", "/assets/{id}", ids={"id": asset_id}, permission="asset.read"))
    except ImmichRejectedError as error:
        if error.status != 400:
            raise
        raise AssetUnknownError(asset_id) from error
    favorite = member(shown, "isFavorite") if text(member(shown, "id")).lower() == asset_id else None
    call = Call("GET", "/albums", query=f"assetId={asset_id}", permission="album.read")
    try:
        listed = await client.send(call)
    except MissingPermissionError:
        listed = None
    return Belongings(favorite if isinstance(favorite, bool) else None, _albums(listed))


async def set_favorite(client: Client, asset_id: str, *, method: str) -> None:
    """Make an asset a favourite.

    Raises:
        ImmichError: it was not, or it is not known whether it was.
    """
    body = json.dumps({"isFavorite": True}).encode()
    ids = {"id": asset_id.lower()}
    call = Call(method, "/assets/{id}", body=body, ids=ids, write=True, permission="asset.update")
    answer = await client.send(call)
    if member(answer, "isFavorite") is not True:
        raise ImmichAnswerError(
            f"Immich's answer to {call.name} does not say that asset {asset_id} is a favourite.",
            status=200,
            remedy="Look at it in Immich.",
        )


def _albums(answer: object) -> tuple[Album, ...] | None:
    """Read a list of albums; one that cannot be read makes the whole unknown."""
    if not isinstance(answer, list):
        return None
    found = tuple(Album(text(member(one, "id")).lower(), text(member(one, "albumName"))) for one in answer)
    return found if all(is_uuid(one.album_id) for one in found) else None
