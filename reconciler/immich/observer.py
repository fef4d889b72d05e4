"""Reads what Immich shows: searches, a thousand rows a request, and single assets.

Search pages repeat and skip rows of equal date, hide what is archived unless asked, and include partners'
assets. So rows are folded by id, each visibility is asked for by name, other owners are left out, and a row
that is missing means nothing. Only ``asset`` can say that an asset is gone.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.errors import (
    AssetUnknownError,
    ImmichAnswerError,
    ImmichRejectedError,
    ImmichTemporaryError,
    MissingPermissionError,
)
from reconciler.immich.client import Call
from reconciler.immich.wire import is_uuid, iso, member, observed, text, whole

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from datetime import datetime

    from reconciler.core.asset import ObservedAsset, Visibility
    from reconciler.immich.capabilities import Capabilities
    from reconciler.immich.client import Client

PAGE_SIZE = 1000
SMALLEST_PAGE = 60
EVERYWHERE: tuple[Visibility, ...] = ("timeline", "archive")
# A 400 on an asset comes from a working API; this only excludes a maintenance that began in between.
_MAINTENANCE_AGE = 30.0
LAST_PAGE = 5000
"""Five million assets of one visibility: more is no library, but a server that counts on without end."""
LONGEST_LISTING = 1800.0
"""Seconds for all pages; 100,000 assets take some 20 s."""
_SEARCH = Call("POST", "/search/metadata", permission="asset.read")


class Observer:
    """The reading half of the target.

    Args:
        client: sends.
        capabilities: of this server.
        user_id: the key's owner; ``None`` if unknown, then partners' assets can not be told apart.
    """

    def __init__(self, client: Client, capabilities: Capabilities, user_id: str | None) -> None:
        self._client = client
        self._capabilities = capabilities
        self.user_id = user_id
        self._may_count = True

    async def search(
        self, criteria: Mapping[str, object], visibilities: Sequence[Visibility] = EVERYWHERE
    ) -> list[ObservedAsset]:
        """Search own assets with description and coordinates; tags are ``None``; each asset once."""
        found: dict[str, ObservedAsset] = {}
        async for row in self._rows({**criteria, "withExif": True}, visibilities):
            seen = observed(row, with_tags=False)
            if seen is None or not self._is_own(seen.owner_id):
                continue
            known = found.get(seen.asset_id)
            if known is None or known.updated_at < seen.updated_at:
                found[seen.asset_id] = seen
        return list(found.values())

    async def changed_since(
        self, since: datetime, visibilities: Sequence[Visibility] = EVERYWHERE
    ) -> list[ObservedAsset]:
        """Search own assets with ``updated_at >= since`` (cut to the millisecond)."""
        return await self.search({"updatedAfter": iso(since)}, visibilities)

    async def untagged(self) -> list[ObservedAsset]:
        """List own assets without a tag; empty on servers before 1.136, which can not be asked."""
        if not self._capabilities.untagged_search:
            return []
        return [replace(seen, tags=frozenset()) for seen in await self.search({"tagIds": None})]

    async def count(self) -> int | None:
        """Count own assets; ``None`` if the key may not."""
        if not self._may_count:
            return None
        try:
            answer = await self._client.send(Call("GET", "/assets/statistics", permission="asset.statistics"))
        except (MissingPermissionError, ImmichRejectedError):
            self._may_count = False
            return None
        return whole(member(answer, "total"))

    async def asset(self, asset_id: str) -> ObservedAsset:
        """Read one asset, tags included.

        Raises:
            AssetUnknownError: gone, locked, or not ours (a 400 on the asset, outside maintenance).
            ImmichTemporaryError: the answer was incomplete.
        """
        if not is_uuid(asset_id):
            raise AssetUnknownError(asset_id)
        call = Call("GET", "/assets/{id}", ids={"id": asset_id.lower()}, permission="asset.read")
        try:
            answer = await self._client.send(call)
        except ImmichRejectedError as error:
            if error.status != 400:
                raise
            await self._client.check_maintenance(no_older_than=_MAINTENANCE_AGE)
            raise AssetUnknownError(asset_id) from error
        seen = observed(answer, with_tags=True)
        if seen is None:
            raise ImmichTemporaryError(f"Immich's answer about asset {asset_id} is incomplete.", status=200)
        return seen

    async def _rows(
        self, criteria: Mapping[str, object], visibilities: Sequence[Visibility]
    ) -> AsyncIterator[object]:
        """Yield rows page by page, each once or more often.

        Raises:
            ImmichAnswerError: a page is none, or there is no end of pages.
        """
        scopes: list[dict[str, object]] = (
            [{"visibility": name} for name in visibilities]
            if self._capabilities.visibility
            else [{"withArchived": "archive" in visibilities}]
        )
        began = self._client.seconds()
        for scope in scopes:
            page, size, known = 1, PAGE_SIZE, set[str]()
            while True:
                # The page is a number: Immich 3 answers 400 to the very string it gave as nextPage.
                body = {**criteria, **scope, "size": size, "page": page}
                try:
                    answer = await self._client.send(replace(_SEARCH, body=json.dumps(body).encode()))
                except ImmichAnswerError:
                    if size < SMALLEST_PAGE * 2:
                        raise
                    # A thousand long texts may be beyond the bound: begin anew with fewer at a time.
                    page, size, known = 1, size // 4, set[str]()
                    continue
                rows, following = _page(answer)
                ids = set[str]()
                for row in rows:
                    ids.add(_id(row))
                    yield row
                # A proxy or an old server may give the first page for ever: no new row, no next page.
                if following is None or following <= page or ids <= known:
                    break
                if following > LAST_PAGE or self._client.seconds() - began > LONGEST_LISTING:
                    raise ImmichAnswerError(
                        f"Immich's answers to {_SEARCH.name} do not come to an end: "
                        f"after page {page} there is to be a page {following}.",
                        status=200,
                        remedy="Nothing was done with them. Look at what stands between here and Immich.",
                    )
                known |= ids
                page = following

    def _is_own(self, owner_id: str) -> bool:
        return self.user_id is None or not owner_id or owner_id == self.user_id


def _page(answer: object) -> tuple[list[object], int | None]:
    """Take a page apart: its rows, and the number of the next page (``None`` after the last).

    Raises:
        ImmichAnswerError: it is none. An empty library would be told by a page without rows.
    """
    assets = member(answer, "assets")
    rows, following = member(assets, "items"), member(assets, "nextPage")
    number = whole(following)
    if not isinstance(rows, list) or (number is None and following is not None):
        what = "has no assets.items" if not isinstance(rows, list) else "has a nextPage that is no page"
        raise ImmichAnswerError(
            f"Immich's answer to {_SEARCH.name} {what}.",
            status=200,
            remedy="Nothing was done with it. Look at what stands between here and Immich.",
        )
    return rows, number


def _id(row: object) -> str:
    return text(member(row, "id")).lower()
