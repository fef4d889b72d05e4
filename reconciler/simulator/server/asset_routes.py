"""The asset routes: reading, writing one or many, deleting, and custom metadata."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from reconciler.simulator.drawing.picture import picture
from reconciler.simulator.drawing.subject import filters_of
from reconciler.simulator.server import responses, validation
from reconciler.simulator.server.model import iso
from reconciler.simulator.server.problems import V3, ApiError, ValidationError, no_access
from reconciler.simulator.server.requests import Answer, Request, answer, nothing
from reconciler.simulator.server.state import PARTNER_ID, USER_ID

if TYPE_CHECKING:
    from reconciler.simulator.server.model import Actor, Asset
    from reconciler.simulator.server.state import State


def checked_id(state: State, asset_id: str) -> str:
    """Check that a path names something by a UUID; from 3.0 on one of version 4.

    Raises:
        ValidationError: it does not.
    """
    if not validation.is_id(asset_id, state.settings.version):
        raise ValidationError([("id", "id must be a UUID")])
    return asset_id


def readable(state: State, asset_id: str, permission: str = "asset.read") -> Asset:
    """Return an asset of the user or a partner.

    Raises:
        ApiError: there is none that the key may see (400).
    """
    asset = state.shown(asset_id)
    if asset is None or asset.owner_id not in {USER_ID, PARTNER_ID} or asset.visibility == "locked":
        raise no_access(permission)
    if asset.owner_id == PARTNER_ID and asset.visibility != "timeline":
        raise no_access(permission)
    return asset


def writable(state: State, asset_id: str, permission: str = "asset.update") -> Asset:
    """Return an asset of the user. Ids are compared as text: an upper-case one is unknown.

    Raises:
        ApiError: there is none that the key may change (400).
    """
    asset = state.shown(asset_id)
    if asset is None or asset.owner_id != USER_ID or asset.visibility == "locked":
        raise no_access(permission)
    return asset


def get_asset(state: State, request: Request) -> Answer:
    """``GET /assets/{id}``."""
    asset = readable(state, checked_id(state, request.path[1]))
    return answer(responses.full_json(state, asset))


def update_asset(state: State, request: Request) -> Answer:
    """``PUT /assets/{id}``: the answer has no tags, owner and stack, and the old ``updatedAt``."""
    asset_id = checked_id(state, request.path[1])
    update(state, [asset_id], request.body, "client")
    return answer(responses.asset_json(state.assets[asset_id], state.settings.version, with_exif=True))


def update_assets(state: State, request: Request) -> Answer:
    """``PUT /assets``: every id counts, repeated ones too; one bad id and nothing is written.

    Before 1.133 a description is an unknown field here, and so ignored without a word.
    """
    ids = validation.uuids(request.body, "ids", state.settings.version)
    ignored = {"description"} if state.settings.version < (1, 133, 0) else set()
    body = {name: value for name, value in request.body.items() if name not in ignored}
    update(state, ids, body, "client", bulk=True)
    return nothing()


def update(
    state: State, ids: list[str], body: dict[str, object], actor: Actor, *, bulk: bool = False
) -> None:
    """Change assets as the body says.

    A bulk call queues jobs for every id, whatever it changes; a single one only for exif fields.

    Raises:
        ApiError: the body is wrong, or an id is not the user's: then nothing is written.
    """
    values, fields = validation.asset_changes(body, state.settings.version)
    assets = [writable(state, asset_id) for asset_id in ids]
    visibility, favorite = body.get("visibility"), body.get("isFavorite")
    for asset in assets:
        if visibility is not None or favorite is not None:
            asset.visibility = str(visibility or asset.visibility)
            asset.favorite = bool(asset.favorite if favorite is None else favorite)
            state.touch(asset)
        if fields or bulk:
            state.write(asset, values, fields, actor)


def delete_assets(state: State, request: Request) -> Answer:
    """``DELETE /assets``: into the trash, or with ``force`` for good."""
    ids = validation.uuids(request.body, "ids", state.settings.version)
    for asset in [writable(state, asset_id, "asset.delete") for asset_id in ids]:
        if request.body.get("force"):
            state.delete(asset)
        else:
            asset.trashed = True
            state.touch(asset)
    return nothing()


def restore_assets(state: State, request: Request) -> Answer:
    """``POST /trash/restore/assets``: out of the trash; those that are not in it are left alone."""
    ids = validation.uuids(request.body, "ids", state.settings.version)
    trashed = [one for asset_id in ids if (one := writable(state, asset_id, "asset.delete")).trashed]
    for asset in trashed:
        asset.trashed = False
        state.touch(asset)
    return answer({"count": len(trashed)})


def statistics(state: State, request: Request) -> Answer:
    """``GET /assets/statistics``: own assets, by ``visibility`` and ``isTrashed`` if asked."""
    asked = request.query.get("visibility")
    trashed = request.query.get("isTrashed") == "true"
    shown = {asked} if asked else {"timeline", "archive"}
    total = sum(
        asset.owner_id == USER_ID and asset.trashed == trashed and asset.visibility in shown
        for asset in state.assets.values()
    )
    return answer({"images": total, "videos": 0, "total": total})


def thumbnail(state: State, request: Request) -> Answer:
    """``GET /assets/{id}/thumbnail``, as ``size`` says; drawn beside the loop, which has other work."""
    asset = readable(state, checked_id(state, request.path[1]), "asset.view")
    size = request.query.get("size", "thumbnail")
    drawn = partial(picture, asset.asset_id, asset.kind, filters_of(asset.filename), size)
    return Answer(200, b"", "image/png", {"cache-control": "private, max-age=86400"}, drawn=drawn)


def get_metadata(state: State, request: Request) -> Answer:
    """``GET /assets/{id}/metadata`` and ``…/{key}``."""
    asset = readable(state, checked_id(state, request.path[1]))
    if len(request.path) == 3:
        return answer([_item(asset, key) for key in asset.metadata])
    key = request.path[3]
    if key not in asset.metadata:
        raise ApiError(400, f'Metadata with key "{key}" not found for asset with id "{asset.asset_id}"')
    return answer(_item(asset, key))


def put_metadata(state: State, request: Request) -> Answer:
    """``PUT /assets/{id}/metadata``: merges by key, queues nothing, moves no ``updatedAt``."""
    asset_id = checked_id(state, request.path[1])
    items = _items(state, request.body, ("key",), valued=True)
    asset = writable(state, asset_id)
    keys = [str(item["key"]) for item in items]
    if len(set(keys)) < len(keys):
        raise ApiError(400, "Duplicate items are not allowed")
    for item in items:
        asset.metadata[str(item["key"])] = (_jsonb(item["value"]), state.milliseconds)
    return answer([_item(asset, key) for key in keys])


def delete_metadata(state: State, request: Request) -> Answer:
    """``DELETE /assets/{id}/metadata/{key}``: 204 also if there was none."""
    asset = writable(state, checked_id(state, request.path[1]))
    asset.metadata.pop(request.path[3], None)
    return nothing()


def put_metadata_of_many(state: State, request: Request) -> Answer:
    """``PUT /assets/metadata``: one bad id and nothing is written."""
    items = _items(state, request.body, ("assetId", "key"), valued=True)
    assets = [writable(state, str(item["assetId"])) for item in items]
    shown = []
    for asset, item in zip(assets, items, strict=True):
        key = str(item["key"])
        asset.metadata[key] = (_jsonb(item["value"]), state.milliseconds)
        shown.append({"assetId": asset.asset_id, **_item(asset, key)})
    return answer(shown)


def delete_metadata_of_many(state: State, request: Request) -> Answer:
    """``DELETE /assets/metadata``."""
    items = _items(state, request.body, ("assetId", "key"), valued=False)
    assets = [writable(state, str(item["assetId"])) for item in items]
    for asset, item in zip(assets, items, strict=True):
        asset.metadata.pop(str(item["key"]), None)
    return nothing()


def _item(asset: Asset, key: str) -> dict[str, object]:
    value, updated = asset.metadata[key]
    return {"key": key, "value": value, "updatedAt": iso(updated)}


def _jsonb(value: object) -> object:
    """Return a value as PostgreSQL's jsonb gives it back: keys by their length, then by their bytes."""
    if isinstance(value, list):
        return [_jsonb(one) for one in value]
    if isinstance(value, dict):
        return {key: _jsonb(value[key]) for key in sorted(value, key=lambda key: (len(key), key.encode()))}
    return value


def _items(
    state: State, body: dict[str, object], names: tuple[str, ...], *, valued: bool
) -> list[dict[str, object]]:
    """Read the items of a metadata call: non-empty keys (free ones since 2.5), and objects as values."""
    items = body.get("items")
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise ValidationError([("items", "items must be an array")])
    for item in items:
        for name in names:
            # From 3.0 on the empty key is one like any other.
            if not isinstance(item.get(name), str) or not (item[name] or state.settings.version >= V3):
                raise ValidationError([(f"items.{name}", f"items.0.{name} should not be empty")])
        if "assetId" in names and not validation.is_id(item["assetId"], state.settings.version):
            raise ValidationError([("items.assetId", "items.0.assetId must be a UUID")])
        if state.settings.version < (2, 5, 0) and item["key"] != "mobile-app":
            raise ValidationError([("items.key", "items.0.key must be one of: mobile-app")])
        if valued and not isinstance(item.get("value"), dict):
            raise ValidationError([("items.value", "items.0.value must be an object")])
    return items
