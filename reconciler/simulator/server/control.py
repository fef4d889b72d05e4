"""``/_simulator``: what tests and the demo may ask of the simulator itself, and do to it.

Not part of Immich. A person's deeds go through the same state machine as the API's, but are in no count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.errors import ConfigurationError
from reconciler.simulator.server import responses, validation
from reconciler.simulator.server.model import Exif
from reconciler.simulator.server.problems import ApiError
from reconciler.simulator.server.requests import Answer, answer
from reconciler.simulator.server.unkindness import UNKINDNESS, parse_unkind, parse_version

if TYPE_CHECKING:
    from collections.abc import Callable

    from reconciler.simulator.server.model import Asset
    from reconciler.simulator.server.state import State

    Body = dict[str, object]


_FLAGS = {"maintenance", "paused", "down", "tags_enabled", "another_user"}


def handle(state: State, method: str, path: str, body: Body) -> Answer:
    """Answer a request to ``/_simulator/…``.

    Raises:
        ApiError: there is no such thing to ask (404), or it is asked wrongly (400).
    """
    handler = _HANDLERS.get(f"{method} {path.removeprefix('/_simulator')}")
    if handler is None:
        raise ApiError(404, f"The simulator knows no {method} {path}; known: {', '.join(_HANDLERS)}")
    return answer(handler(state, body))


def requests(state: State, body: Body) -> object:  # noqa: ARG001 - the form of a handler
    """Count requests by method and route."""
    return state.book.requests_json()


def faults(state: State, body: Body) -> object:  # noqa: ARG001 - the form of a handler
    """Count what went wrong."""
    return state.book.faults_json()


def reset(state: State, body: Body) -> object:  # noqa: ARG001 - the form of a handler
    """Set every count to zero."""
    state.book.reset()
    return {}


def assets(state: State, body: Body) -> object:  # noqa: ARG001 - the form of a handler
    """Show what every asset has now."""
    return {asset.asset_id: responses.final_json(state, asset) for asset in state.assets.values()}


def idle(state: State, body: Body) -> object:  # noqa: ARG001 - the form of a handler
    """Return whether both queues are empty."""
    return {"idle": state.queues.waiting == 0, "waiting": state.queues.waiting}


def clean_up(state: State, body: Body) -> object:  # noqa: ARG001 - the form of a handler
    """Do the nightly tag clean-up: tags without assets go, and their ids with them."""
    return {"deleted": state.tags.delete_unused(state.assets)}


def settings(state: State, body: Body) -> object:
    """Switch ``unkind`` (text or list), ``drain``, ``version``, ``scopes``, ``maintenance``, and so on.

    Unkindness that belongs to an asset from the start (missing, foreign, archived, trashed, locked) cannot
    be switched any more.
    """
    switches = state.settings
    try:
        for name, value in body.items():
            if name == "unkind":
                switches.unkind = parse_unkind(",".join(value) if isinstance(value, list) else str(value))
            elif name == "version":
                switches.version = parse_version(str(value))
            elif name == "scopes" and isinstance(value, list):
                switches.scopes = tuple(map(str, value))
            elif name in {"drain", "loss", "failures", "proxy_ahead", "clock_ahead"} and isinstance(
                value, int | float
            ):
                setattr(switches, name, float(value))
            elif name in {"maintenance", "paused", "down", "tags_enabled", "another_user"} and isinstance(
                value, bool
            ):
                setattr(switches, name, value)
            else:
                raise ApiError(400, f"There is no setting {name!r} that could be {value!r}")
    except ConfigurationError as error:
        raise ApiError(400, f"{error} {error.remedy}") from error
    for asset in state.assets.values():
        asset.row = None
    return {
        "unkind": sorted(switches.unkind),
        "known": UNKINDNESS,
        "drain": switches.drain,
        "version": ".".join(map(str, switches.version)),
        "scopes": list(switches.scopes),
        "maintenance": switches.maintenance,
        "paused": switches.paused,
        "down": switches.down,
    }


def person(state: State, body: Body) -> object:
    """Let a person do something in Immich: ``asset_id``, ``action``, ``value``."""
    asset = state.assets.get(str(body.get("asset_id")))
    if asset is None:
        raise ApiError(400, f"There is no asset {body.get('asset_id')!r}")
    action = _ACTIONS.get(str(body.get("action")))
    if action is None:
        raise ApiError(400, f"A person cannot do {body.get('action')!r}; known: {', '.join(_ACTIONS)}")
    action(state, asset, body.get("value"))
    return responses.final_json(state, asset)


def _set_description(state: State, asset: Asset, value: object) -> None:
    state.write(asset, Exif(description=str(value or "")), ("description",), "person")


def _append_description(state: State, asset: Asset, value: object) -> None:
    _set_description(state, asset, (asset.exif.description or "") + str(value or ""))


def _set_coordinates(state: State, asset: Asset, value: object) -> None:
    """Move it; ``value`` is a list of latitude and longitude."""
    pair = value if isinstance(value, list) and len(value) == 2 else [None, None]
    body = {"latitude": pair[0], "longitude": pair[1]}
    values, fields = validation.asset_changes(body, state.settings.version)
    state.write(asset, values, fields, "person")


def _set_date(state: State, asset: Asset, value: object) -> None:
    """Say when it was taken; ``value`` is an ISO 8601 text with an offset."""
    values, fields = validation.asset_changes({"dateTimeOriginal": value}, state.settings.version)
    state.write(asset, values, fields, "person")


def _overwrite_sidecar(state: State, asset: Asset, value: object) -> None:
    """Let another program write the sidecar anew, with a description only; then metadata are refreshed."""
    asset.sidecar = Exif(description=str(value or ""))
    state.extract_new(asset)


def _add_tag(state: State, asset: Asset, value: object) -> None:
    tag = state.tags.upsert(asset.owner_id, str(value), state.milliseconds)
    if tag is not None and tag.tag_id not in asset.tags:
        state.write_tags(asset, [tag], (), "person")


def _remove_tag(state: State, asset: Asset, value: object) -> None:
    tag = state.tags.find(asset.owner_id, str(value))
    if tag is not None and tag.tag_id in asset.tags:
        state.write_tags(asset, (), [tag], "person")


def _trash(state: State, asset: Asset, value: object) -> None:
    """Put it into the trash, or with ``value`` false take it out."""
    asset.trashed = value is not False
    state.touch(asset)


def _archive(state: State, asset: Asset, value: object) -> None:
    """Archive it, or with ``value`` false take it back to the timeline."""
    asset.visibility = "timeline" if value is False else "archive"
    state.touch(asset)
    state.write(asset, Exif(), (), "person")


def _delete(state: State, asset: Asset, value: object) -> None:  # noqa: ARG001 - the form of an action
    """Delete it for good, past the trash."""
    state.delete(asset)


def _delete_tag(state: State, asset: Asset, value: object) -> None:
    """Delete a tag of the asset's owner and its descendants: they are off all assets, and no date moves."""
    if (tag := state.tags.find(asset.owner_id, str(value))) is not None:
        state.tags.delete(tag, state.assets)


_ACTIONS: dict[str, Callable[[State, Asset, object], None]] = {
    "set_description": _set_description,
    "append_description": _append_description,
    "set_coordinates": _set_coordinates,
    "set_date": _set_date,
    "overwrite_sidecar": _overwrite_sidecar,
    "add_tag": _add_tag,
    "remove_tag": _remove_tag,
    "trash": _trash,
    "archive": _archive,
    "delete": _delete,
    "delete_tag": _delete_tag,
}

_HANDLERS: dict[str, Callable[[State, Body], object]] = {
    "GET /requests": requests,
    "GET /faults": faults,
    "GET /assets": assets,
    "GET /idle": idle,
    "GET /settings": settings,
    "POST /settings": settings,
    "POST /reset": reset,
    "POST /person": person,
    "POST /tag-cleanup": clean_up,
}
