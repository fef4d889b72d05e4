"""Assets in the form of the API (AssetResponseDto of 2.7.5, with the fields that 3.0 took away)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from reconciler.simulator.server.model import iso
from reconciler.simulator.server.state import PARTNER_ID, STRANGER_ID, USER_ID
from reconciler.simulator.server.tags import tag_json

if TYPE_CHECKING:
    from reconciler.simulator.server.model import Asset
    from reconciler.simulator.server.state import State

USER_NAMES = {USER_ID: "Stella", PARTNER_ID: "Orion", STRANGER_ID: "Vesta"}


def dumps(value: object) -> str:
    """Write JSON as JavaScript does: no spaces, no escapes for letters."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def user_json(user_id: str) -> dict[str, object]:
    """Render a user as others see them."""
    name = USER_NAMES[user_id]
    return {
        "id": user_id,
        "name": name,
        "email": f"{name.lower()}@example.org",
        "avatarColor": "primary",
        "profileChangedAt": "2024-01-01T00:00:00.000Z",
        "profileImagePath": "",
    }


def asset_json(asset: Asset, version: tuple[int, int, int], *, with_exif: bool) -> dict[str, object]:
    """Render an asset without tags, owner, and stack, as in a search or in the answer to a write."""
    shown: dict[str, object] = {
        "id": asset.asset_id,
        "createdAt": iso(asset.added),
        "ownerId": asset.owner_id,
        "libraryId": asset.library_id,
        "type": "IMAGE",
        "originalPath": asset.path,
        "originalFileName": asset.filename,
        "originalMimeType": asset.mime,
        "thumbhash": None,
        "fileCreatedAt": iso(asset.created),
        "fileModifiedAt": iso(asset.modified),
        "localDateTime": iso(asset.created + asset.local_shift),
        "updatedAt": iso(asset.updated),
        "isFavorite": asset.favorite,
        "isArchived": asset.visibility == "archive",
        "isTrashed": asset.trashed,
        "isOffline": False,
        "isEdited": False,
        "visibility": asset.visibility,
        "duration": "0:00:00.00000",
        "livePhotoVideoId": None,
        "people": [],
        "checksum": asset.checksum,
        "duplicateId": None,
        "resized": True,
        "hasMetadata": True,
        "width": asset.width if asset.extracted else None,
        "height": asset.height if asset.extracted else None,
    }
    if version >= (3, 0, 0):
        shown["duration"] = None
    else:
        shown |= {"deviceAssetId": asset.filename, "deviceId": "Library Import", "unassignedFaces": []}
    if with_exif and asset.extracted:
        shown["exifInfo"] = exif_json(asset)
    return shown


def exif_json(asset: Asset) -> dict[str, object]:
    """Render ``exifInfo``: the description always a text, everything else perhaps ``null``."""
    latitude, longitude = asset.exif.coordinates or (None, None)
    taken = asset.exif.taken
    return {
        "make": None,
        "model": None,
        "exifImageWidth": asset.width,
        "exifImageHeight": asset.height,
        "fileSizeInByte": asset.size,
        "orientation": "1",
        "dateTimeOriginal": _postgres(taken) if taken else _postgres(iso(asset.created)),
        "modifyDate": None,
        "timeZone": asset.time_zone,
        "lensModel": None,
        "fNumber": None,
        "focalLength": None,
        "iso": None,
        "exposureTime": None,
        "latitude": latitude,
        "longitude": longitude,
        "city": None,
        "state": None,
        "country": None,
        "description": asset.exif.description or "",
        "projectionType": None,
        "rating": asset.exif.rating,
    }


def full_json(state: State, asset: Asset) -> dict[str, object]:
    """Render an asset as ``GET /assets/{id}`` does: with tags, owner and stack."""
    shown = asset_json(asset, state.settings.version, with_exif=True)
    shown["tags"] = [
        tag_json(state.tags.by_id[tag_id]) for tag_id in sorted(asset.tags) if tag_id in state.tags.by_id
    ]
    shown["owner"] = user_json(asset.owner_id)
    shown["stack"] = _stack_json(state, asset)
    return shown


def _stack_json(state: State, asset: Asset) -> dict[str, object] | None:
    """Render an asset's stack, with a count of its primary asset and the others of the timeline."""
    stack = state.stacks.of(asset.asset_id)
    if stack is None:
        return None
    others = [state.assets[one] for one in stack.assets if one != stack.primary and one in state.assets]
    count = 1 + sum(one.visibility == "timeline" and not one.trashed for one in others)
    return {"id": stack.stack_id, "primaryAssetId": stack.primary, "assetCount": count}


def row(asset: Asset, version: tuple[int, int, int]) -> str:
    """Return a search's row with exif as JSON text, rendered anew only when something changed."""
    if asset.row is None:
        asset.row = dumps(asset_json(asset, version, with_exif=True))
    return asset.row


def final_json(state: State, asset: Asset) -> dict[str, object]:
    """Render what a test wants to know of an asset."""
    latitude, longitude = asset.exif.coordinates or (None, None)
    return {
        "description": asset.exif.description or "",
        "latitude": latitude,
        "longitude": longitude,
        "tags": list(state.tags.values(asset)),
        "updatedAt": iso(asset.updated),
        "settled": asset.jobs == 0,
        "ownerId": asset.owner_id,
        "visibility": asset.visibility,
        "trashed": asset.trashed,
        "readOnly": asset.read_only and state.settings.on("read_only"),
        "metadata": {key: value for key, (value, _) in asset.metadata.items()},
        "writes": asset.writes,
        "lost": {f"{whose}'s {name}": count for (whose, name), count in sorted(asset.lost.items())},
    }


def _postgres(text: str) -> str:
    """Return a moment as PostgreSQL prints it: ``2024-05-01T12:00:00+00:00``."""
    return datetime.fromisoformat(text).astimezone(UTC).isoformat()
