"""The stack routes: a listing, stacks themselves, and who is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.simulator.server import responses, validation
from reconciler.simulator.server.asset_routes import checked_id, writable
from reconciler.simulator.server.problems import V3, ApiError, ValidationError, no_access
from reconciler.simulator.server.requests import Answer, Request, answer, nothing

if TYPE_CHECKING:
    from reconciler.simulator.server.stacks import Stack
    from reconciler.simulator.server.state import State


def list_stacks(state: State, request: Request) -> Answer:
    """``GET /stacks``: own ones, each with its assets that are not in the trash."""
    stacks = [] if state.settings.another_user else list(state.stacks.by_id.values())
    if (primary := request.query.get("primaryAssetId")) is not None:
        checked_id(state, primary)
        stacks = [one for one in stacks if one.primary == primary]
    return answer([_shown(state, one) for one in stacks])


def create_stack(state: State, request: Request) -> Answer:
    """``POST /stacks``: the first asset becomes the primary one; all must be the user's own."""
    ids = validation.uuids(request.body, "assetIds", state.settings.version)
    if len(ids) < 2:
        words = (
            "Too small: expected array to have >=2 items"
            if state.settings.version >= V3
            else "assetIds must contain at least 2 elements"
        )
        raise ValidationError([("assetIds", words)])
    for asset_id in ids:
        writable(state, asset_id)
    stack = state.stacks.create(ids)
    for asset_id in stack.assets:
        _touch(state, asset_id)
    return answer(_shown(state, stack), 201)


def get_stack(state: State, request: Request) -> Answer:
    """``GET /stacks/{id}``."""
    return answer(_shown(state, _own(state, request.path[1], "stack.read")))


def update_stack(state: State, request: Request) -> Answer:
    """``PUT /stacks/{id}``: another primary asset, of those in it. No asset's date moves."""
    stack = _own(state, request.path[1], "stack.update")
    primary = request.body.get("primaryAssetId")
    if primary is not None:
        if not validation.is_id(primary, state.settings.version):
            raise ValidationError([("primaryAssetId", "primaryAssetId must be a UUID")])
        if primary not in _there(state, stack):
            raise ApiError(400, "Primary asset must be in the stack")
        stack.primary = str(primary)
    return answer(_shown(state, stack))


def delete_stack(state: State, request: Request) -> Answer:
    """``DELETE /stacks/{id}``: its assets stay, each by itself."""
    stack = _own(state, request.path[1], "stack.delete")
    del state.stacks.by_id[stack.stack_id]
    for asset_id in stack.assets:
        _touch(state, asset_id)
    return nothing()


def take_out(state: State, request: Request) -> Answer:
    """``DELETE /stacks/{id}/assets/{assetId}``: any but the primary one."""
    stack = _own(state, request.path[1], "stack.update")
    asset_id = checked_id(state, request.path[3])
    if asset_id not in stack.assets:
        raise ApiError(400, "Asset not in stack")
    if asset_id == stack.primary:
        raise ApiError(400, "Cannot remove stack's primary asset")
    del stack.assets[asset_id]
    _touch(state, asset_id)
    return nothing()


def _touch(state: State, asset_id: str) -> None:
    if (asset := state.assets.get(asset_id)) is not None:
        state.touch(asset)


def _there(state: State, stack: Stack) -> list[str]:
    """Return its assets that are shown: not in the trash, in the timeline or in the archive."""
    shown = [
        asset_id
        for asset_id in stack.assets
        if (asset := state.assets.get(asset_id)) is not None
        and not asset.trashed
        and asset.visibility in {"timeline", "archive"}
    ]
    return sorted(shown, key=lambda asset_id: asset_id != stack.primary)


def _shown(state: State, stack: Stack) -> dict[str, object]:
    version = state.settings.version
    return {
        "id": stack.stack_id,
        "primaryAssetId": stack.primary,
        "assets": [
            responses.asset_json(state.assets[asset_id], version, with_exif=True)
            for asset_id in _there(state, stack)
        ],
    }


def _own(state: State, stack_id: str, permission: str) -> Stack:
    stack = state.stacks.by_id.get(checked_id(state, stack_id))
    if stack is None or state.settings.another_user:
        raise no_access(permission)
    return stack
