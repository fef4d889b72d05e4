"""Everything that is neither an asset nor a tag: the server, the key, the user, and the searches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.simulator.server import search
from reconciler.simulator.server.requests import Answer, Request, answer
from reconciler.simulator.server.responses import user_json
from reconciler.simulator.server.state import STRANGER_ID, USER_ID

if TYPE_CHECKING:
    from reconciler.simulator.server.state import State

_LONG_AGO = "2024-01-01T00:00:00.000Z"


def search_metadata(state: State, request: Request) -> Answer:
    """``POST /search/metadata``."""
    return Answer(200, search.search(state, request.body).encode())


def search_statistics(state: State, request: Request) -> Answer:
    """``POST /search/statistics``: the only true total."""
    return answer({"total": len(search.matching(state, request.body))})


def ping(state: State, request: Request) -> Answer:  # noqa: ARG001 - the form of a handler
    """``GET /server/ping``."""
    return answer({"res": "pong"})


def version(state: State, request: Request) -> Answer:  # noqa: ARG001 - the form of a handler
    """``GET /server/version``."""
    major, minor, patch = state.settings.version
    shown: dict[str, object] = {"major": major, "minor": minor, "patch": patch}
    if state.settings.version >= (3, 0, 0):
        shown["prerelease"] = None
    return answer(shown)


def config(state: State, request: Request) -> Answer:  # noqa: ARG001 - the form of a handler
    """``GET /server/config``: the one place that shows maintenance mode."""
    more = {"minFaces": 3} if state.settings.version >= (3, 1, 0) else {}
    return answer(
        {
            "loginPageMessage": "",
            "trashDays": 30,
            "userDeleteDelay": 7,
            "oauthButtonText": "Login with OAuth",
            "isInitialized": True,
            "isOnboarded": True,
            "externalDomain": "",
            "publicUsers": True,
            "mapDarkStyleUrl": "",
            "mapLightStyleUrl": "",
            "maintenanceMode": state.settings.maintenance,
            **more,
        }
    )


def about(state: State, request: Request) -> Answer:  # noqa: ARG001 - the form of a handler
    """``GET /server/about``."""
    return answer(
        {
            "version": "v" + ".".join(map(str, state.settings.version)),
            "versionUrl": "https://example.org/simulator",
            "licensed": False,
            "exiftool": "12.57",
        }
    )


def own_key(state: State, request: Request) -> Answer:  # noqa: ARG001 - the form of a handler
    """``GET /api-keys/me``: what the key may do."""
    return answer(
        {
            "id": "0b5c1d2e-3f40-4a51-8b62-73849506a7b8",
            "name": "skymmich-reconciler",
            "permissions": list(state.settings.scopes),
            "createdAt": _LONG_AGO,
            "updatedAt": _LONG_AGO,
        }
    )


def own_user(state: State, request: Request) -> Answer:  # noqa: ARG001 - the form of a handler
    """``GET /users/me``."""
    own = STRANGER_ID if state.settings.another_user else USER_ID
    more = {"clusterGroupId": own} if state.settings.version >= (3, 2, 0) else {}
    return answer(
        {
            **user_json(own),
            "isAdmin": False,
            "status": "active",
            "storageLabel": None,
            "shouldChangePassword": False,
            "oauthId": "",
            "license": None,
            "quotaSizeInBytes": None,
            "quotaUsageInBytes": 0,
            "createdAt": _LONG_AGO,
            "updatedAt": _LONG_AGO,
            "deletedAt": None,
            **more,
        }
    )


def own_preferences(state: State, request: Request) -> Answer:  # noqa: ARG001 - the form of a handler
    """``GET /users/me/preferences``: the tags feature has a switch of its own."""
    off = {"enabled": False, "sidebarWeb": False}
    memories: dict[str, object] = {"enabled": True, "duration": 5}
    people: dict[str, object] = {"enabled": True, "sidebarWeb": False}
    more: dict[str, object] = {}
    if state.settings.version >= (3, 2, 0):
        memories["sidebarWeb"], people["updateStrategy"] = False, "self"
        more["recentlyAdded"] = {"sidebarWeb": False}
    return answer(
        {
            "albums": {"defaultAssetOrder": "desc"},
            "cast": {"gCastEnabled": False},
            "download": {"archiveSize": 4_294_967_296, "includeEmbeddedVideos": False},
            "emailNotifications": {"enabled": True, "albumInvite": True, "albumUpdate": True},
            "folders": off,
            "memories": memories,
            "people": people,
            "purchase": {"showSupportBadge": True, "hideBuyButtonUntil": _LONG_AGO},
            "ratings": {"enabled": False},
            "sharedLinks": {"enabled": True, "sidebarWeb": False},
            "tags": {"enabled": state.settings.tags_enabled, "sidebarWeb": state.settings.tags_enabled},
            **more,
        }
    )
