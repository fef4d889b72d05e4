"""Tags as the server keeps them: per user, by full path, with their parents.

Links between tags and assets are kept here on both sides; which jobs a link causes is the state machine's.
"""

from __future__ import annotations

import random
import uuid
from typing import TYPE_CHECKING

from reconciler.simulator.server.model import Tag, iso

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from reconciler.simulator.server.model import Asset


class TagStore:
    """All users' tags."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(f"tags:{seed}")  # noqa: S311 - ids of a simulation
        self.by_id: dict[str, Tag] = {}
        self._by_value: dict[tuple[str, str], Tag] = {}

    def find(self, user_id: str, value: str) -> Tag | None:
        """Return a user's tag by its full path."""
        return self._by_value.get((user_id, value))

    def upsert(self, user_id: str, path: str, now: int) -> Tag | None:
        """Return the tag of a path, made with its parents where it is missing; ``None`` for an empty path.

        Empty segments are dropped; spaces, case and Unicode form are kept. Each call bumps ``updatedAt``.
        """
        known = self._by_value.get((user_id, path))
        if known is not None and known.indexed:
            known.updated = now
            return known
        tag: Tag | None = None
        for name in filter(None, path.split("/")):
            value = f"{tag.value}/{name}" if tag else name
            child = self._by_value.get((user_id, value)) or self.create(user_id, value, name, now)
            if tag is not None:
                child.parent_id = tag.tag_id
                tag.children.add(child.tag_id)
            child.name, child.indexed, child.updated = name, True, now
            tag = child
        return tag

    def create(self, user_id: str, value: str, name: str, now: int) -> Tag:
        """Make one tag, not yet placed under a parent."""
        tag_id = str(uuid.UUID(int=self._random.getrandbits(128), version=4))
        tag = Tag(tag_id, user_id, value, None, now, now, name=name)
        self.by_id[tag_id] = self._by_value[(user_id, value)] = tag
        return tag

    def rename(self, tag: Tag, name: str, now: int) -> None:
        """Give the last segment of a path another name, here and in the paths below it; in no file."""
        above, below = tag.value.rpartition("/")[0], self.family(tag)
        value = f"{above}/{name}" if above else name
        for member in below:
            self._by_value.pop((member.user_id, member.value), None)
        old = len(tag.value)
        for member in below:
            member.value, member.updated = value + member.value[old:], now
            self._by_value[(member.user_id, member.value)] = member
        tag.name = name

    def own(self, user_id: str) -> list[Tag]:
        """List a user's tags by value."""
        return sorted((tag for tag in self.by_id.values() if tag.user_id == user_id), key=lambda t: t.value)

    def family(self, tag: Tag) -> list[Tag]:
        """List a tag and all its descendants."""
        found = [tag]
        for member in found:
            found.extend(self.by_id[child] for child in member.children if child in self.by_id)
        return found

    def delete(self, tag: Tag, assets: Mapping[str, Asset]) -> None:
        """Delete a tag with its descendants and links. The files still name it, so it may well come back."""
        for member in self.family(tag):
            for asset_id in member.assets:
                assets[asset_id].tags.discard(member.tag_id)
            self.by_id.pop(member.tag_id, None)
            self._by_value.pop((member.user_id, member.value), None)
        parent = self.by_id.get(tag.parent_id or "")
        if parent:
            parent.children.discard(tag.tag_id)

    def delete_unused(self, assets: Mapping[str, Asset]) -> int:
        """Do what the nightly clean-up does: delete tags that no asset carries. Give how many went."""
        unused = [tag for tag in self.by_id.values() if not any(member.assets for member in self.family(tag))]
        for tag in unused:
            if tag.tag_id in self.by_id:
                self.delete(tag, assets)
        return len(unused)

    def link(self, asset: Asset, tag: Tag) -> None:
        """Give an asset a tag."""
        asset.tags.add(tag.tag_id)
        tag.assets.add(asset.asset_id)

    def unlink(self, asset: Asset, tag: Tag) -> None:
        """Take a tag from an asset."""
        asset.tags.discard(tag.tag_id)
        tag.assets.discard(asset.asset_id)

    def replace(self, asset: Asset, paths: Iterable[str], now: int) -> None:
        """Give an asset just these tags, made for its owner where they are missing."""
        wanted = {tag.tag_id: tag for path in paths if (tag := self.upsert(asset.owner_id, path, now))}
        for tag_id in asset.tags - wanted.keys():
            if tag_id in self.by_id:
                self.unlink(asset, self.by_id[tag_id])
            asset.tags.discard(tag_id)
        for tag in wanted.values():
            self.link(asset, tag)

    def values(self, asset: Asset) -> tuple[str, ...]:
        """List the paths of an asset's tags, in order."""
        return tuple(sorted(self.by_id[tag_id].value for tag_id in asset.tags))


def tag_json(tag: Tag) -> dict[str, object]:
    """Render a tag as the API does: ``parentId`` and ``color`` only where there are any."""
    shown: dict[str, object] = {
        "id": tag.tag_id,
        "name": tag.name,
        "value": tag.value,
        "createdAt": iso(tag.created),
        "updatedAt": iso(tag.updated),
    }
    if tag.parent_id:
        shown["parentId"] = tag.parent_id
    if tag.color:
        shown["color"] = tag.color
    return shown
