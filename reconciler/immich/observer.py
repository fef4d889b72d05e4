"""Reads what Immich shows: searches, a thousand rows a request, and single assets.

Search pages repeat and skip rows of equal date, hide what is archived unless asked, and include partners'
assets. So rows are folded by id, each visibility is asked for by name, other owners are left out, and a row
that is missing means nothing. Only ``asset`` can say that an asset is gone. From 3.1 on rows of equal date
hold still: then no row is missing for that, and none of this costs a request.

An answer is used only if it is about what was asked (a cache or a proxy can give another one) and says what
it has to say; see ``wire`` for what that is.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.asset import IncompleteAsset, too_much_unknown
from reconciler.core.asset_ids import AssetIndex
from reconciler.core.listing import Listing
from reconciler.core.packed_assets import CompactAssets
from reconciler.core.ports import untold
from reconciler.errors import (
    AssetIncompleteError,
    AssetUnknownError,
    ImmichAnswerError,
    ImmichRejectedError,
    MissingPermissionError,
    UnfamiliarServerError,
)
from reconciler.immich.call import Call
from reconciler.immich.capabilities import dotted
from reconciler.immich.wire import iso, member, moment, observed, text, whole
from reconciler.spill import Spill

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Mapping, MutableMapping, Sequence
    from datetime import datetime

    from reconciler.core.asset import ObservedAsset, Visibility
    from reconciler.immich.capabilities import Capabilities
    from reconciler.immich.client import Client

PAGE_SIZE = 1000
SMALLEST_PAGE = 60
EVERYWHERE: tuple[Visibility, ...] = ("timeline", "archive")
_NO_CACHE = "Nothing is lost. Look for a cache or a proxy in front of Immich, and let /api pass it untouched."
# A 400 on an asset comes from a working API; this only excludes a maintenance that began in between.
_MAINTENANCE_AGE = 30.0
_MANY = 100
"""From so many rows on they are packed: to pack those that came until then holds the event loop."""
_AT_ONCE = 25
"""Rows between two turns of the event loop."""
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
        user_id: the key's owner; ``None`` if unknown, then partners' assets cannot be told apart.
    """

    def __init__(self, client: Client, capabilities: Capabilities, user_id: str | None) -> None:
        self._client = client
        self._capabilities = capabilities
        self.user_id = user_id
        self._may_count = True

    async def search(
        self,
        criteria: Mapping[str, object],
        visibilities: Sequence[Visibility] = EVERYWHERE,
        *,
        since: datetime | None = None,
        told: Callable[[int], None] = untold,
    ) -> Listing:
        """Search own assets with description and coordinates; tags are ``None``; each asset once.

        Args:
            criteria: of the search.
            visibilities: what is searched, a request each.
            since: no row may be older than this.
            told: is told with each page how many rows have come.

        Raises:
            ImmichAnswerError: so much is unknown, or it is about something else.
        """
        found: MutableMapping[str, ObservedAsset] = {}
        incomplete: dict[str, IncompleteAsset] = {}
        others: dict[str, str] = {}
        nameless = read = 0
        async for row in self._rows({**criteria, "withExif": True}, visibilities):
            if (read := read + 1) % _AT_ONCE == 0:
                await _breathe(read, told)
            seen = observed(row, with_tags=False, with_visibility=self._capabilities.visibility)
            if seen.owner_id and not self._is_own(seen.owner_id):
                continue
            if isinstance(seen, IncompleteAsset):
                incomplete[seen.asset_id or f"?{nameless}"] = seen
                nameless += not seen.asset_id
                continue
            if wrong := self._not_asked_for(seen, visibilities, since):
                others[seen.asset_id] = wrong
                continue
            known = found.get(seen.asset_id)
            if known is None or known.updated_at < seen.updated_at:
                found[seen.asset_id] = seen
                if len(found) == _MANY and isinstance(found, dict):
                    found = CompactAssets(found.values(), shelf=Spill)
        total = len(found) + len((incomplete.keys() | others.keys()) - found.keys())
        if too_much_unknown(len(others), total):
            raise ImmichAnswerError(
                f"Immich's answer to {_SEARCH.name} is about something else: {len(others)} of {total} rows "
                f"are not what was asked for, as {next(iter(others.values()))}. It is not used.",
                status=200,
                remedy=_NO_CACHE,
            )
        if too_much_unknown(len(incomplete), total):
            fields = {field for one in incomplete.values() for field in one.fields}
            raise UnfamiliarServerError(
                fields, route=_SEARCH.name, version=self.version, count=len(incomplete), of=total
            )
        doubtful = [one for one in incomplete.values() if one.asset_id]
        doubtful += [IncompleteAsset(asset_id, "", (wrong,)) for asset_id, wrong in others.items()]
        return _listing(found, doubtful)

    @staticmethod
    def _not_asked_for(
        seen: ObservedAsset, visibilities: Sequence[Visibility], since: datetime | None
    ) -> str:
        """Return what a row shows that was not asked for; empty where it fits."""
        if seen.visibility not in visibilities:
            return f"one of the visibility {seen.visibility} instead of {' or '.join(visibilities)}"
        if since is not None and iso(seen.updated_at) < iso(since):
            return f"one of {iso(seen.updated_at)}, before {iso(since)}"
        return ""

    async def changed_since(
        self, since: datetime, visibilities: Sequence[Visibility] = EVERYWHERE
    ) -> Listing:
        """Search own assets with ``updated_at >= since`` (cut to the millisecond), those in the trash too."""
        criteria = {"updatedAfter": iso(since), "withDeleted": True}
        return await self.search(criteria, visibilities, since=since)

    async def untagged(self, told: Callable[[int], None] = untold) -> Listing:
        """List own assets without a tag; empty on servers before 1.136, which cannot be asked.

        The rows do not show that they have none, so ``tags`` stays ``None``: see ``engine.observe``.
        """
        if not self._capabilities.untagged_search:
            return Listing()
        return await self.search({"tagIds": None}, told=told)

    async def carrying(
        self, tag_id: str, visibilities: Sequence[Visibility], *, trashed: bool = False
    ) -> dict[str, datetime]:
        """List own assets with this tag, or one below it, by id, with the date of each; all else is not read.

        A row of which id, owner or date cannot be read is left out: what is missing says nothing.
        """
        found: dict[str, datetime] = {}
        more = {"withDeleted": True} if trashed else {}
        async for row in self._rows({"tagIds": [tag_id], **more}, visibilities):
            date = moment(member(row, "updatedAt"))
            if (asset_id := _id(row)) and date is not None and self._is_own(text(member(row, "ownerId"))):
                found[asset_id] = date
        return found

    async def in_album(self, album_id: str, count: int, *, trashed: bool) -> tuple[frozenset[str], bool]:
        """List the assets in an album, whoever's they are; beside it whether these are all.

        Args:
            album_id: of the album.
            count: its assets, as it says itself. The archive is asked only if the timeline has fewer.
            trashed: those in the trash, too.
        """
        found: set[str] = set()
        criteria = {"albumIds": [album_id], **({"withDeleted": True} if trashed else {})}
        for visibility in EVERYWHERE:
            async for row in self._rows(criteria, (visibility,)):
                if asset_id := _id(row):
                    found.add(asset_id)
            if len(found) >= count and not trashed:
                break
        return frozenset(found), len(found) >= count

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
            AssetIncompleteError: the answer says less than it must.
            ImmichAnswerError: the answer is about another asset.
        """
        if not self._capabilities.is_id(asset_id):
            raise AssetUnknownError(asset_id)
        call = Call("GET", "/assets/{id}", ids={"id": asset_id.lower()}, permission="asset.read")
        try:
            answer = await self._client.send(call)
        except ImmichRejectedError as error:
            if error.status != 400:
                raise
            await self._client.check_maintenance(no_older_than=_MAINTENANCE_AGE)
            raise AssetUnknownError(asset_id) from error
        seen = observed(answer, with_tags=True, with_visibility=self._capabilities.visibility)
        if seen.asset_id and seen.asset_id != asset_id.lower():
            raise ImmichAnswerError(
                f"Immich's answer about asset {asset_id} is about asset {seen.asset_id}. It is not used.",
                status=200,
                remedy=_NO_CACHE,
            )
        if isinstance(seen, IncompleteAsset):
            raise AssetIncompleteError(asset_id, seen.fields, route=call.name, version=self.version)
        return seen

    @property
    def version(self) -> str:
        """The server's version, for people."""
        return dotted(self._capabilities.version)

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
            page, size, known = 1, PAGE_SIZE, AssetIndex()
            while True:
                # The page is a number: Immich 3 answers 400 to the very string it gave as nextPage.
                body = {**criteria, **scope, "size": size, "page": page}
                try:
                    answer = await self._client.send(replace(_SEARCH, body=json.dumps(body).encode()))
                except ImmichAnswerError:
                    if size < SMALLEST_PAGE * 2:
                        raise
                    # A thousand long texts may be beyond the bound: begin anew with fewer at a time.
                    page, size, known = 1, size // 4, AssetIndex()
                    continue
                rows, following = _page(answer)
                before = len(known)
                for row in rows:
                    known.add(_id(row))
                    yield row
                # A proxy or an old server may give the first page for ever: no new row, no next page.
                if following is None or following <= page or len(known) == before:
                    break
                if following > LAST_PAGE or self._client.seconds() - began > LONGEST_LISTING:
                    raise ImmichAnswerError(
                        f"Immich's answers to {_SEARCH.name} do not come to an end: "
                        f"after page {page} there is to be a page {following}.",
                        status=200,
                        remedy="Nothing was done with them. Look at what stands between here and Immich.",
                    )
                page = following

    def _is_own(self, owner_id: str) -> bool:
        return self.user_id is None or owner_id == self.user_id


async def _breathe(read: int, told: Callable[[int], None]) -> None:
    """Let the event loop go on; tell with each page how many rows have come."""
    if read % PAGE_SIZE == 0:
        told(read)
    await asyncio.sleep(0)


def _listing(found: Mapping[str, ObservedAsset], doubtful: Iterable[IncompleteAsset]) -> Listing:
    if isinstance(found, CompactAssets):
        return Listing((), tuple(doubtful), found)
    return Listing(tuple(found.values()), tuple(doubtful))


def _page(answer: object) -> tuple[list[object], int | None]:
    """Take a page apart: its rows, and the number of the next page (``None`` after the last).

    Raises:
        ImmichAnswerError: it is none. An empty library would be told by a page without rows.
    """
    assets = member(answer, "assets")
    rows, following = member(assets, "items"), member(assets, "nextPage")
    number = whole(following)
    if not isinstance(rows, list) or (number is None and following is not None):
        what = "has no assets.items" if not isinstance(rows, list) else "has a nextPage that is not a page"
        raise ImmichAnswerError(
            f"Immich's answer to {_SEARCH.name} {what}.",
            status=200,
            remedy="Nothing was done with it. Look at what stands between here and Immich.",
        )
    return rows, number


def _id(row: object) -> str:
    return text(member(row, "id")).lower()
