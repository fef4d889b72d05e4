"""What this server and this key can do: asked once at the start, in a handful of requests.

Versions decide which request forms exist; permissions decide which features work. A permission that cannot
be looked up is taken for granted until a 403 says otherwise. Nothing is written to find out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.core.ports import FeatureLoss, ServerFacts
from reconciler.errors import ImmichRejectedError, MissingPermissionError
from reconciler.immich.call import Call
from reconciler.immich.wire import is_uuid, is_v4, items, member, text, whole

if TYPE_CHECKING:
    from reconciler.immich.client import Client

Version = tuple[int, int, int]

MINIMUM_SCOPES: tuple[tuple[str, str], ...] = (
    ("asset.read", "reading"),
    ("asset.update", "description"),
    ("asset.update", "coordinates"),
    ("tag.read", "tags"),
    ("tag.create", "tags"),
    ("tag.asset", "tags"),
)
"""Permission → feature it is needed for, from Immich 1.137 on."""
OPTIONAL_SCOPES: tuple[tuple[str, str], ...] = (
    ("user.read", "telling partners' assets apart"),
    ("asset.statistics", "choosing the cheaper way to read the library"),
    ("asset.view", "pictures on the page"),
)

ALBUM_SCOPES: tuple[tuple[str, str], ...] = (
    ("album.read", "albums"),
    ("album.create", "albums"),
    ("album.update", "albums"),
    ("albumAsset.create", "albums"),
    ("albumAsset.delete", "albums"),
    ("album.delete", "deleting albums that are empty"),
)
"""What only those need who have albums kept."""

STACK_SCOPES: tuple[tuple[str, str], ...] = (("stack.read", "stacks"),)
"""What only those need who have what is written go to stacks."""

_WHERE = "Immich: Account settings → API keys."


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Which request forms the server understands."""

    version: Version = (0, 0, 0)

    @property
    def visibility(self) -> bool:
        """Searches take ``visibility``; before, ``withArchived``."""
        return self.version >= (1, 133, 0)

    @property
    def bulk_description(self) -> bool:
        """``PUT /assets`` takes ``description``."""
        return self.version >= (1, 133, 0)

    @property
    def untagged_search(self) -> bool:
        """Searches take ``tagIds: null``."""
        return self.version >= (1, 136, 0)

    @property
    def album_search(self) -> bool:
        """Searches take ``albumIds``; from 3.0 on an album itself tells no assets any more."""
        return self.version >= (1, 135, 0)

    @property
    def notes(self) -> bool:
        """Assets take custom metadata of any key, many in a call."""
        return self.version >= (2, 5, 0)

    @property
    def patch(self) -> bool:
        """``PATCH`` is the way to write assets; ``PUT`` is deprecated, and goes with version 4."""
        return self.version >= (3, 0, 0)

    def is_id(self, value: str) -> bool:
        """Return whether the server can have an id: from 3.0 on only a UUID of version 4.

        Any other makes it refuse a whole call, in which it could only be found by halving.
        """
        return is_uuid(value) and (self.version < (3, 0, 0) or is_v4(value))


def dotted(version: Version) -> str:
    """Write a version for people: ``2.7.5``."""
    return ".".join(str(part) for part in version)


def server_advice(version: Version) -> tuple[str, ...]:
    """Return what a person should know about this server's version; empty when it is fine."""
    advice = []
    if version < (1, 133, 0):
        advice.append("before 1.133 descriptions can only be written one by one")
    if version[:2] == (1, 136):
        advice.append("1.136 lets only API keys with the permission 'all' search: use such a key")
    if version < (2, 5, 0):
        advice.append("before 2.5 its own metadata extraction can overwrite an edit, or leave it locked")
    return tuple(f"Immich {dotted(version)}: {line}. Update Immich to 2.5 or newer." for line in advice)


async def discover(client: Client) -> tuple[ServerFacts, Capabilities]:
    """Ask for version, maintenance, permissions, user and the tags switch.

    Raises:
        MaintenanceError: the server is in maintenance mode.
        ImmichUnauthorizedError: the key is wrong.
        MissingPermissionError: the key may not even read assets.
        ImmichError: any other of its kinds.
    """
    version = _version(await client.send(Call("GET", "/server/version")))
    await client.check_maintenance()
    permissions = await _permissions(client, version)
    losses = _losses(permissions)
    if any(loss.feature == "reading" for loss in losses):
        raise MissingPermissionError(
            "The API key lacks the permission asset.read; without it nothing can be done.",
            permission="asset.read",
            remedy=f"Give the key {', '.join(dict(MINIMUM_SCOPES))} in {_WHERE}",
        )
    if permissions is None:
        losses += await _probe(client, version)
    user_id = None
    if _allowed(permissions, "user.read"):
        user_id = text(member(await _optional(client, "/users/me", "user.read"), "id")) or None
    tags_enabled = True
    if permissions is not None and _allowed(permissions, "userPreference.read"):
        preferences = await _optional(client, "/users/me/preferences", "userPreference.read")
        tags_enabled = member(preferences, "tags", "enabled") is not False
    capabilities = Capabilities(version)
    facts = ServerFacts(
        version=dotted(version),
        user_id=user_id,
        tags_enabled=tags_enabled,
        losses=tuple(losses),
        album_losses=tuple(_losses(permissions, ALBUM_SCOPES)),
        stack_losses=tuple(_losses(permissions, STACK_SCOPES)),
        notes=capabilities.notes,
    )
    return facts, capabilities


def _version(answer: object) -> Version:
    major, minor, patch = (whole(member(answer, name)) for name in ("major", "minor", "patch"))
    if major is None or minor is None:
        raise ImmichRejectedError(
            "The server's answer to GET /api/server/version is not Immich's.",
            status=200,
            remedy="Set [immich] url to Immich's own address.",
        )
    return (major, minor, patch or 0)


async def _permissions(client: Client, version: Version) -> frozenset[str] | None:
    """Read the key's permissions; ``None`` where they cannot be looked up (before 1.139.2)."""
    if version < (1, 139, 2):
        return None
    answer = await _optional(client, "/api-keys/me", "apiKey.read")
    listed = member(answer, "permissions")
    return frozenset(text(name) for name in items(listed)) if isinstance(listed, list) else None


async def _probe(client: Client, version: Version) -> list[FeatureLoss]:
    """Try what can be tried without writing: the two reads that everything else stands on."""
    search = Call("POST", "/search/metadata", body=b'{"size":1}', permission="asset.read")
    try:
        await client.send(search)
    except MissingPermissionError as error:
        if version[:2] == (1, 136):
            raise MissingPermissionError(
                error.message, permission="all", remedy=" ".join(server_advice(version))
            ) from error
        raise
    try:
        await client.send(Call("GET", "/tags", permission="tag.read"))
    except MissingPermissionError:
        return [_loss("tag.read", "tags")]
    return []


async def _optional(client: Client, route: str, permission: str) -> object:
    try:
        return await client.send(Call("GET", route, permission=permission))
    except (MissingPermissionError, ImmichRejectedError):
        return None


def _allowed(permissions: frozenset[str] | None, scope: str) -> bool:
    return permissions is None or "all" in permissions or scope in permissions


def _losses(
    permissions: frozenset[str] | None, scopes: tuple[tuple[str, str], ...] = MINIMUM_SCOPES + OPTIONAL_SCOPES
) -> list[FeatureLoss]:
    return [_loss(scope, feature) for scope, feature in scopes if not _allowed(permissions, scope)]


def _loss(scope: str, feature: str) -> FeatureLoss:
    return FeatureLoss(scope, feature, f"Give the API key the permission {scope} in {_WHERE}")
