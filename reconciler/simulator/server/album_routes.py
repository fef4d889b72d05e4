"""Albums: listed by asset, made, and given assets; as tests/conformance/test_albums.py says."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from reconciler.simulator.server import responses, validation
from reconciler.simulator.server.model import iso
from reconciler.simulator.server.problems import ApiError, ValidationError
from reconciler.simulator.server.requests import Answer, Request, answer
from reconciler.simulator.server.state import USER_ID

if TYPE_CHECKING:
    from reconciler.simulator.server.state import State


@dataclass(slots=True)
class Album:
    """One user's album."""

    album_id: str
    name: str
    description: str
    created: int
    updated: int
    assets: list[str] = field(default_factory=list)


def list_albums(state: State, request: Request) -> Answer:
    """``GET /albums``: own ones, or those that an asset is in, also one in the trash."""
    asked = request.query.get("assetId")
    if asked is not None and not validation.is_id(asked, state.settings.version):
        raise ValidationError([("assetId", "assetId must be a UUID")])
    found = [one for one in state.albums.values() if asked is None or asked in one.assets]
    return answer([_json(state, one) for one in found])


def create_album(state: State, request: Request) -> Answer:
    """``POST /albums``: assets that are not the user's are left out without a word."""
    name = request.body.get("albumName")
    if not isinstance(name, str):
        raise ValidationError([("albumName", "albumName must be a string")])
    given = (
        validation.uuids(request.body, "assetIds", state.settings.version)
        if "assetIds" in request.body
        else []
    )
    drawn = random.Random(f"album:{state.settings.seed}:{len(state.albums)}")  # noqa: S311 - a simulation
    made = Album(
        str(uuid.UUID(int=drawn.getrandbits(128), version=4)),
        name,
        str(request.body.get("description") or ""),
        state.milliseconds,
        state.milliseconds,
        [one for one in dict.fromkeys(given) if _is_own(state, one)],
    )
    state.albums[made.album_id] = made
    return answer(_json(state, made), status=201)


def add_assets(state: State, request: Request) -> Answer:
    """``PUT /albums/{id}/assets``: a word on every asset. Nothing of an asset changes."""
    album = state.albums.get(request.path[1])
    if album is None:
        if not validation.is_id(request.path[1], state.settings.version):
            raise ValidationError([("id", "id must be a UUID")])
        raise ApiError(400, "Album not found")
    results: list[dict[str, object]] = []
    for asset_id in validation.uuids(request.body, "ids", state.settings.version):
        if asset_id in album.assets:
            results.append({"id": asset_id, "success": False, "error": "duplicate"})
        elif not _is_own(state, asset_id):
            results.append({"id": asset_id, "success": False, "error": "no_permission"})
        else:
            album.assets.append(asset_id)
            album.updated = state.milliseconds
            results.append({"id": asset_id, "success": True})
    return answer(results)


def _is_own(state: State, asset_id: str) -> bool:
    asset = state.shown(asset_id)
    return asset is not None and asset.owner_id == USER_ID and asset.visibility != "locked"


def _json(state: State, album: Album) -> dict[str, object]:
    there = [
        one for one in album.assets if (asset := state.assets.get(one)) is not None and not asset.trashed
    ]
    shown: dict[str, object] = {
        "id": album.album_id,
        "albumName": album.name,
        "description": album.description,
        "createdAt": iso(album.created),
        "updatedAt": iso(album.updated),
        "albumThumbnailAssetId": there[0] if there else None,
        "albumUsers": [],
        "assetCount": len(there),
        "hasSharedLink": False,
        "isActivityEnabled": True,
        "shared": False,
        "order": "desc",
    }
    if state.settings.version < (3, 0, 0):
        shown |= {"assets": [], "owner": responses.user_json(USER_ID), "ownerId": USER_ID}
    return shown
