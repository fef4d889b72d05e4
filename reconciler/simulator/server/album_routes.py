"""The album routes: a listing, albums themselves, and what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.simulator.server import responses, validation
from reconciler.simulator.server.albums import album_json
from reconciler.simulator.server.asset_routes import checked_id
from reconciler.simulator.server.problems import V3, ApiError, ValidationError, no_access
from reconciler.simulator.server.requests import Answer, Request, answer, nothing
from reconciler.simulator.server.state import PARTNER_ID, USER_ID

if TYPE_CHECKING:
    from reconciler.simulator.server.albums import Album
    from reconciler.simulator.server.state import State


def list_albums(state: State, request: Request) -> Answer:
    """``GET /albums``: own ones, newest first; with ``assetId`` those it is in."""
    albums = [one for one in state.albums.by_id.values() if one.owner_id == USER_ID]
    if (asset_id := request.query.get("assetId")) is not None:
        checked_id(state, asset_id)
        albums = [one for one in albums if asset_id in one.assets]
    if state.settings.another_user:
        albums = []
    albums.sort(key=lambda one: (-one.created, one.album_id))
    return answer([_shown(state, one) for one in albums])


def create_album(state: State, request: Request) -> Answer:
    """``POST /albums``: a name may be empty, and there may be others of it."""
    body = request.body
    name, description = _text(body, "albumName", required=True), _text(body, "description")
    album = state.albums.create(USER_ID, name or "", description or "", state.milliseconds)
    if "assetIds" in body:
        for asset_id in validation.uuids(body, "assetIds", state.settings.version):
            if _may_put(state, asset_id):
                state.albums.put(album, asset_id, state.milliseconds)
    return answer(_shown(state, album), 201)


def get_album(state: State, request: Request) -> Answer:
    """``GET /albums/{id}``: up to 2.x with its assets, unless it is asked without."""
    album = _own(state, request.path[1], "album.read")
    version = state.settings.version
    shown = _shown(state, album)
    if version < V3 and request.query.get("withoutAssets") != "true":
        inside = [asset for one in album.assets if (asset := state.shown(one)) and not asset.trashed]
        shown["assets"] = [responses.asset_json(asset, version, with_exif=False) for asset in inside]
    return answer(shown)


def update_album(state: State, request: Request) -> Answer:
    """``PATCH /albums/{id}``: a cover has to be in it."""
    album = _own(state, request.path[1], "album.update")
    body = request.body
    name, description = _text(body, "albumName"), _text(body, "description")
    cover = body.get("albumThumbnailAssetId")
    if cover is not None:
        if not validation.is_id(cover, state.settings.version):
            raise ValidationError([("albumThumbnailAssetId", "albumThumbnailAssetId must be a UUID")])
        if cover not in album.assets:
            raise ApiError(400, "Invalid album thumbnail")
        album.cover = str(cover)
    album.name = album.name if name is None else name
    album.description = album.description if description is None else description
    album.updated = state.milliseconds
    return answer(_shown(state, album))


def delete_album(state: State, request: Request) -> Answer:
    """``DELETE /albums/{id}``: its assets stay."""
    del state.albums.by_id[_own(state, request.path[1], "album.delete").album_id]
    return nothing()


def put_in(state: State, request: Request) -> Answer:
    """``PUT /albums/{id}/assets``: a word on every id that was sent, twice on one that was sent twice."""
    album_id, version = checked_id(state, request.path[1]), state.settings.version
    ids = validation.uuids(request.body, "ids", version)
    album = state.albums.by_id.get(album_id)
    if album is None or album.owner_id != USER_ID or state.settings.another_user:
        raise ApiError(400, "Album not found")
    results: list[dict[str, object]] = []
    for asset_id in ids:
        if asset_id in album.assets:
            results.append({"id": asset_id, "success": False, "error": "duplicate"})
        elif not _may_put(state, asset_id):
            results.append({"id": asset_id, "success": False, "error": "no_permission"})
        else:
            state.albums.put(album, asset_id, state.milliseconds)
            results.append({"id": asset_id, "success": True})
    return answer(results)


def take_out(state: State, request: Request) -> Answer:
    """``DELETE /albums/{id}/assets``: ``not_found`` for what was not in it, unknown ids too."""
    ids = validation.uuids(request.body, "ids", state.settings.version)
    album = _own(state, request.path[1], "albumAsset.delete")
    results: list[dict[str, object]] = []
    for asset_id in ids:
        if asset_id not in album.assets:
            results.append({"id": asset_id, "success": False, "error": "not_found"})
        else:
            state.albums.take(album, asset_id, state.milliseconds)
            results.append({"id": asset_id, "success": True})
    return answer(results)


def _may_put(state: State, asset_id: str) -> bool:
    asset = state.shown(asset_id)
    return asset is not None and asset.owner_id in {USER_ID, PARTNER_ID} and asset.visibility != "locked"


def _own(state: State, album_id: str, permission: str) -> Album:
    """Return an album of the user.

    Raises:
        ApiError: there is none (400).
    """
    album = state.albums.by_id.get(checked_id(state, album_id))
    if album is None or album.owner_id != USER_ID or state.settings.another_user:
        raise no_access(permission)
    return album


def _text(body: dict[str, object], name: str, *, required: bool = False) -> str | None:
    value = body.get(name)
    if value is None and not required:
        return None
    if not isinstance(value, str):
        raise ValidationError([(name, f"{name} must be a string")])
    if "\0" in value:
        raise ApiError(500, "Failed to create album" if required else "Failed to update album")
    return value


def _shown(state: State, album: Album) -> dict[str, object]:
    return album_json(album, state.assets, state.settings.version)
