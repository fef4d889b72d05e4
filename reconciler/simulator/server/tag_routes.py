"""The tag routes: listing, the idempotent upsert, and links between tags and assets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.simulator.server import validation
from reconciler.simulator.server.asset_routes import checked_id
from reconciler.simulator.server.problems import V3, ApiError, ValidationError, no_access
from reconciler.simulator.server.requests import Answer, Request, answer, nothing
from reconciler.simulator.server.state import PARTNER_ID, USER_ID
from reconciler.simulator.server.tags import tag_json

if TYPE_CHECKING:
    from reconciler.simulator.server.model import Asset, Tag
    from reconciler.simulator.server.state import State

_SINCE_RENAMING = (3, 2, 0)
_TAGGING_S = 0.010
"""Measured: a tag call handles its assets one by one, at this rate."""
_MAKING_S = 0.020
"""Measured on an idle 2.7.5: 44 paths took 0.8 to 0.9 s; between writes 2.6 to 7 s."""


def list_tags(state: State, request: Request) -> Answer:  # noqa: ARG001 - the form of a handler
    """``GET /tags``: all own tags, parents too, by value."""
    return answer([tag_json(tag) for tag in state.tags.own(USER_ID)])


def upsert_tags(state: State, request: Request) -> Answer:
    """``PUT /tags``: the leaf tags, in order; a path of slashes only gives none."""
    paths = validation.tag_paths(request.body, state.settings.version)
    tags = [state.tags.upsert(USER_ID, path, state.milliseconds) for path in paths]
    slow = len(paths) * _MAKING_S if state.settings.on("slow_tagging") else 0.0
    return answer([tag_json(tag) for tag in tags if tag], delay=slow)


def create_tag(state: State, request: Request) -> Answer:
    """``POST /tags``: a name with "/" makes one flat tag; one that exists is a 400."""
    name, parent_id = request.body.get("name"), request.body.get("parentId")
    if not isinstance(name, str) or not (name or state.settings.version >= V3):
        raise ValidationError([("name", "name should not be empty")])
    parent = _own_tag(state, str(parent_id), "tag.read") if parent_id else None
    value = f"{parent.value}/{name}" if parent else name
    if state.tags.find(USER_ID, value):
        raise ApiError(400, "A tag with that name already exists")
    tag = state.tags.create(USER_ID, value, name, state.milliseconds)
    tag.indexed = False
    if parent:
        tag.parent_id = parent.tag_id
        parent.children.add(tag.tag_id)
    color = request.body.get("color")
    tag.color = color if isinstance(color, str) and color else None
    return answer(tag_json(tag), 201)


def get_tag(state: State, request: Request) -> Answer:
    """``GET /tags/{id}``."""
    return answer(tag_json(_own_tag(state, request.path[1], "tag.read")))


def update_tag(state: State, request: Request) -> Answer:
    """``PUT`` and ``PATCH /tags/{id}``: the colour; from 3.2 on the name, too, which no file learns."""
    tag = _own_tag(state, request.path[1], "tag.update")
    version, body = state.settings.version, request.body
    color = body.get("color")
    if version >= V3 and color == "":
        raise ValidationError([("color", "Invalid color")])
    name = body.get("name") if version >= _SINCE_RENAMING else None
    if V3 <= version < _SINCE_RENAMING and "color" not in body:
        raise ApiError(500, "Failed to update tag")  # the name is dropped, and nothing is left to set
    if isinstance(name, str) and name:
        known = state.tags.find(USER_ID, "/".join([*tag.value.split("/")[:-1], name]))
        if known is not None and known is not tag:
            raise ApiError(400, "A tag with that name already exists")
        state.tags.rename(tag, name, state.milliseconds)
    if version < V3 or "color" in body:
        tag.color = color if isinstance(color, str) and color else None
    tag.updated = state.milliseconds
    return answer(tag_json(tag))


def delete_tag(state: State, request: Request) -> Answer:
    """``DELETE /tags/{id}``: with its children and links. The files keep the name, so it may come back."""
    state.tags.delete(_own_tag(state, request.path[1], "tag.delete"), state.assets)
    return nothing()


def tag_assets(state: State, request: Request) -> Answer:
    """``PUT /tags/assets``: all these tags to all these assets; what is unknown is skipped without a word.

    ``count`` has only the new links. Each asset with a new link goes through the queues once.
    """
    version = state.settings.version
    asset_ids = list(dict.fromkeys(validation.uuids(request.body, "assetIds", version)))
    tags = [
        tag
        for tag_id in dict.fromkeys(validation.uuids(request.body, "tagIds", version))
        if (tag := state.tags.by_id.get(tag_id)) and tag.user_id == USER_ID
    ]
    count = changed = 0
    for asset_id in asset_ids:
        asset = state.shown(asset_id.lower() if version >= V3 else asset_id)
        if asset is None or asset.owner_id != USER_ID or asset.visibility == "locked":
            continue
        new = [tag for tag in tags if tag.tag_id not in asset.tags]
        if new:
            state.write_tags(asset, new, (), "client")
            count += len(new)
            changed += 1
    return answer({"count": count}, delay=_work(state, changed))


def add_to_assets(state: State, request: Request) -> Answer:
    """``PUT /tags/{id}/assets``: a word on every asset. A partner's asset may be tagged too."""
    tag = _own_tag(state, request.path[1], "tag.asset")
    results: list[dict[str, object]] = []
    ids = validation.uuids(request.body, "ids", state.settings.version)
    for asset_id in dict.fromkeys(ids):
        asset = state.shown(asset_id)
        if asset is None or asset.owner_id not in {USER_ID, PARTNER_ID} or asset.visibility == "locked":
            results.append({"id": asset_id, "success": False, "error": "no_permission"})
        elif tag.tag_id in asset.tags:
            results.append({"id": asset_id, "success": False, "error": "duplicate"})
        else:
            state.write_tags(asset, [tag], (), "client")
            results.append({"id": asset_id, "success": True})
    return answer(results, delay=_work(state, sum(bool(result["success"]) for result in results)))


def remove_from_assets(state: State, request: Request) -> Answer:
    """``DELETE /tags/{id}/assets``: ``not_found`` for what did not carry the tag, unknown ids too."""
    tag = _own_tag(state, request.path[1], "tag.asset")
    results: list[dict[str, object]] = []
    ids = validation.uuids(request.body, "ids", state.settings.version)
    for asset_id in dict.fromkeys(ids):
        asset = _tagged(state, asset_id, tag)
        if asset is None:
            results.append({"id": asset_id, "success": False, "error": "not_found"})
        else:
            state.write_tags(asset, (), [tag], "client")
            results.append({"id": asset_id, "success": True})
    return answer(results, delay=_work(state, sum(bool(result["success"]) for result in results)))


def _tagged(state: State, asset_id: str, tag: Tag) -> Asset | None:
    asset = state.assets.get(asset_id)
    return asset if asset is not None and tag.tag_id in asset.tags else None


def _own_tag(state: State, tag_id: str, permission: str) -> Tag:
    """Return a tag of the user.

    Raises:
        ApiError: there is none (400).
    """
    tag = state.tags.by_id.get(tag_id)
    if tag is None:
        checked_id(state, tag_id)
    if tag is None or tag.user_id != USER_ID:
        raise no_access(permission)
    return tag


def _work(state: State, assets: int) -> float:
    return assets * _TAGGING_S if state.settings.on("slow_tagging") else 0.0
