"""The table of routes: path, method, scope, first version. Scopes are those of 1.137 and later."""

from __future__ import annotations

from urllib.parse import unquote

from reconciler.simulator.server import album_routes as albums
from reconciler.simulator.server import asset_routes as assets
from reconciler.simulator.server import server_routes as server
from reconciler.simulator.server import stack_routes as stacks
from reconciler.simulator.server import tag_routes as tags
from reconciler.simulator.server.requests import Route
from reconciler.simulator.server.upload import upload

_PATCH = (3, 0, 0)
"""PATCH stands beside PUT from here on, and is not in the published documents."""
_METADATA = (1, 140, 0)
_METADATA_OF_MANY = (2, 5, 0)

ROUTES: dict[str, dict[str, Route]] = {
    "/assets": {
        "POST": Route(upload, "asset.upload", has_body=False),
        "PUT": Route(assets.update_assets, "asset.update"),
        "PATCH": Route(assets.update_assets, "asset.update", since=_PATCH),
        "DELETE": Route(assets.delete_assets, "asset.delete"),
    },
    "/assets/statistics": {"GET": Route(assets.statistics, "asset.statistics")},
    "/assets/metadata": {
        "PUT": Route(assets.put_metadata_of_many, "asset.update", since=_METADATA_OF_MANY),
        "DELETE": Route(assets.delete_metadata_of_many, "asset.update", since=_METADATA_OF_MANY),
    },
    "/trash/restore/assets": {"POST": Route(assets.restore_assets, "asset.delete")},
    "/assets/{id}": {
        "GET": Route(assets.get_asset, "asset.read"),
        "PUT": Route(assets.update_asset, "asset.update"),
        "PATCH": Route(assets.update_asset, "asset.update", since=_PATCH),
    },
    "/assets/{id}/thumbnail": {"GET": Route(assets.thumbnail, "asset.view")},
    "/assets/{id}/metadata": {
        "GET": Route(assets.get_metadata, "asset.read", since=_METADATA),
        "PUT": Route(assets.put_metadata, "asset.update", since=_METADATA),
    },
    "/assets/{id}/metadata/{key}": {
        "GET": Route(assets.get_metadata, "asset.read", since=_METADATA),
        "DELETE": Route(assets.delete_metadata, "asset.update", since=_METADATA, has_body=False),
    },
    "/tags": {
        "GET": Route(tags.list_tags, "tag.read"),
        "POST": Route(tags.create_tag, "tag.create"),
        "PUT": Route(tags.upsert_tags, "tag.create"),
    },
    "/tags/assets": {"PUT": Route(tags.tag_assets, "tag.asset")},
    "/tags/{id}": {
        "GET": Route(tags.get_tag, "tag.read"),
        "PUT": Route(tags.update_tag, "tag.update"),
        "PATCH": Route(tags.update_tag, "tag.update", since=_PATCH),
        "DELETE": Route(tags.delete_tag, "tag.delete", has_body=False),
    },
    "/tags/{id}/assets": {
        "PUT": Route(tags.add_to_assets, "tag.asset"),
        "DELETE": Route(tags.remove_from_assets, "tag.asset"),
    },
    "/albums": {
        "GET": Route(albums.list_albums, "album.read"),
        "POST": Route(albums.create_album, "album.create"),
    },
    "/albums/{id}": {
        "GET": Route(albums.get_album, "album.read"),
        "PATCH": Route(albums.update_album, "album.update"),
        "DELETE": Route(albums.delete_album, "album.delete", has_body=False),
    },
    "/albums/{id}/assets": {
        "PUT": Route(albums.put_in, "albumAsset.create"),
        "DELETE": Route(albums.take_out, "albumAsset.delete"),
    },
    "/stacks": {
        "GET": Route(stacks.list_stacks, "stack.read"),
        "POST": Route(stacks.create_stack, "stack.create"),
    },
    "/stacks/{id}": {
        "GET": Route(stacks.get_stack, "stack.read"),
        "PUT": Route(stacks.update_stack, "stack.update"),
        "DELETE": Route(stacks.delete_stack, "stack.delete", has_body=False),
    },
    "/stacks/{id}/assets/{assetId}": {
        "DELETE": Route(stacks.take_out, "stack.update", has_body=False, since=(1, 135, 0)),
    },
    "/search/metadata": {"POST": Route(server.search_metadata, "asset.read")},
    "/search/statistics": {"POST": Route(server.search_statistics, "asset.statistics", since=(1, 135, 0))},
    "/api-keys/me": {"GET": Route(server.own_key, since=(1, 139, 2))},
    "/users/me": {"GET": Route(server.own_user, "user.read")},
    "/users/me/preferences": {"GET": Route(server.own_preferences, "userPreference.read")},
    "/server/ping": {"GET": Route(server.ping, public=True)},
    "/server/version": {"GET": Route(server.version, public=True)},
    "/server/config": {"GET": Route(server.config, public=True)},
    "/server/about": {"GET": Route(server.about, "server.about")},
}


Found = tuple[Route | None, str, tuple[str, ...]]


def find(method: str, raw_path: str, version: tuple[int, int, int]) -> Found:
    """Return the route of a path (after ``/api``), its template, and the path's decoded segments."""
    parts = raw_path.strip("/").split("/")
    templates = [raw_path]
    if len(parts) > 1:
        templates.append("/" + "/".join([parts[0], "{id}", *parts[2:]]))
    if len(parts) == 4:
        templates.append("/" + "/".join([parts[0], "{id}", parts[2], "{key}"]))
    for template in templates:
        route = ROUTES.get(template, {}).get(method)
        if route is not None and version >= route.since:
            return route, template, tuple(map(unquote, parts))
    return None, "(unknown)", ()
