"""``POST /search/metadata`` and ``/search/statistics``: filters, visibility, pages that do not hold still.

Only the filters that a client of metadata could want; a field that is not known here is ignored, as the
server ignores unknown fields. For the other form that 3.2 has see ``search_filters``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.simulator.server import responses, search_filters, validation
from reconciler.simulator.server.problems import V3, ApiError, ValidationError
from reconciler.simulator.server.state import PARTNER_ID, USER_ID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from reconciler.simulator.server.model import Asset
    from reconciler.simulator.server.state import State

_SINCE_VISIBILITY = (1, 133, 0)
_SINCE_STABLE = (3, 1, 0)
"""Rows of equal date are told apart by their id: pages hold still."""
_VISIBILITIES = ("archive", "timeline", "hidden", "locked")


def search(state: State, body: Mapping[str, object]) -> str:
    """Answer a search as JSON text.

    Raises:
        ApiError: a filter is wrong (400), or asks for the locked folder (401).
    """
    version = state.settings.version
    size = validation.whole_number(body, "size", 250, 1000, version)
    if filtered := search_filters.is_filtered(body, version):
        page, start = None, search_filters.offset(body)
    else:
        page = validation.whole_number(body, "page", 1, None, version)
        start = (page - 1) * size
    found = matching(state, body)
    rows, more = _page(state, found, start, size, ascending=_is_ascending(body, filtered=filtered))
    if body.get("withExif"):
        items = ",".join([responses.row(asset, version) for asset in rows])
    else:
        items = ",".join(
            [responses.dumps(responses.asset_json(asset, version, with_exif=False)) for asset in rows]
        )
    following = f'"{page + 1}"' if more and page is not None else "null"
    if version >= search_filters.SINCE:
        cursor = search_filters.cursor_of(start + size)
        following += f',"nextCursor":"{cursor}"' if more and page is None else ',"nextCursor":null'
    return (
        '{"albums":{"total":0,"count":0,"items":[],"facets":[]},'
        f'"assets":{{"total":{len(rows)},"count":{len(rows)},"items":[{items}],"facets":[],'
        f'"nextPage":{following}}}}}'
    )


def matching(state: State, body: Mapping[str, object]) -> list[Asset]:
    """List the assets that a search finds, newest first.

    Raises:
        ApiError: a filter is wrong (400), or asks for the locked folder (401).
    """
    version = state.settings.version
    if search_filters.is_filtered(body, version):
        of_filter = [_visibility(state, {}), *search_filters.tests(state, body)]
        return [asset for asset in state.newest_first() if all(test(asset) for test in of_filter)]
    validation.checked_types(body, version)
    tests = _tests(state, body)
    candidates, in_order = _candidates(state, body)
    found = [asset for asset in candidates if all(test(asset) for test in tests)]
    if not in_order:
        found.sort(key=lambda asset: (-asset.created, asset.asset_id))
    return found


def _candidates(state: State, body: Mapping[str, object]) -> tuple[Iterable[Asset], bool]:
    """Return the smallest set that is quick to find, and whether it is in order of date."""
    if (asset_id := body.get("id")) is not None:
        if not validation.is_id(asset_id, state.settings.version):
            raise ValidationError([("id", "id must be a UUID")])
        one = state.assets.get(str(asset_id))
        return ([one] if one else []), True
    since = validation.moment(body, "updatedAfter", state.settings.version)
    if since is not None:
        return state.changed_since(since), False
    tag_ids = body.get("tagIds")
    if isinstance(tag_ids, list) and tag_ids:
        return _tagged(state, validation.uuids(body, "tagIds", state.settings.version)), False
    return state.newest_first(), True


def _tagged(state: State, tag_ids: list[str]) -> list[Asset]:
    """List the assets that carry each of these tags, itself or a descendant."""
    common: set[str] | None = None
    for tag_id in tag_ids:
        tag = state.tags.by_id.get(tag_id)
        carriers: set[str] = set()
        if tag is not None and tag.indexed:
            carriers.update(*(member.assets for member in state.tags.family(tag)))
        common = carriers if common is None else common & carriers
    return [state.assets[asset_id] for asset_id in common or () if asset_id in state.assets]


def _tests(state: State, body: Mapping[str, object]) -> list[Callable[[Asset], bool]]:
    """Turn the body into tests, the cheap and telling ones first."""
    tests = [_visibility(state, body)]
    if not body.get("withDeleted"):
        tests.append(lambda asset: not asset.trashed)
    if body.get("withExif"):
        tests.append(lambda asset: asset.extracted)
    if isinstance(album_ids := body.get("albumIds"), list) and album_ids:
        wrong = [one for one in album_ids if not validation.is_id(one, state.settings.version)]
        if wrong:
            raise ValidationError([("albumIds", "each value in albumIds must be a UUID")])
        albums = [state.albums.by_id.get(one) for one in album_ids]
        # Of several albums those that are in all of them.
        tests.append(lambda asset: all(one is not None and asset.asset_id in one.assets for one in albums))
    if "tagIds" in body and body["tagIds"] is None:
        tests.append(lambda asset: not asset.tags)
    if "rating" in body and body["rating"] is None:
        tests.append(lambda asset: asset.exif.rating is None)
    if isinstance(favorite := body.get("isFavorite"), bool):
        tests.append(lambda asset: asset.favorite == favorite)
    return tests + _text_tests(body) + _date_tests(state, body)


def _text_tests(body: Mapping[str, object]) -> list[Callable[[Asset], bool]]:
    tests: list[Callable[[Asset], bool]] = []
    if isinstance(checksum := body.get("checksum"), str):
        tests.append(lambda asset: asset.checksum == checksum)
    if isinstance(text := body.get("description"), str):
        tests.append(lambda asset: text.lower() in (asset.exif.description or "").lower())
    if isinstance(name := body.get("originalFileName"), str):
        tests.append(lambda asset: name.lower() in asset.filename.lower())
    if isinstance(path := body.get("originalPath"), str):
        tests.append(lambda asset: path.lower() in asset.path.lower())
    return tests


def _date_tests(state: State, body: Mapping[str, object]) -> list[Callable[[Asset], bool]]:
    tests: list[Callable[[Asset], bool]] = []
    version = state.settings.version
    if (before := validation.moment(body, "updatedBefore", version)) is not None:
        tests.append(lambda asset: asset.updated <= before)
    if (taken_after := validation.moment(body, "takenAfter", version)) is not None:
        tests.append(lambda asset: asset.created >= taken_after)
    if (taken_before := validation.moment(body, "takenBefore", version)) is not None:
        tests.append(lambda asset: asset.created <= taken_before)
    return tests


def _visibility(state: State, body: Mapping[str, object]) -> Callable[[Asset], bool]:
    """Own assets by visibility, and partners'. If nothing is asked: up to 2.x the timeline.

    A partner's archive is listed like one's own, although reading one of its assets is refused. Before 1.133
    there was ``withArchived`` instead, which adds the archive.
    """
    with_archive = state.settings.version < _SINCE_VISIBILITY and body.get("withArchived") is True
    asked = body.get("visibility") if state.settings.version >= _SINCE_VISIBILITY else "timeline"
    if asked is not None and asked not in _VISIBILITIES:
        names = ", ".join(_VISIBILITIES)
        raise ValidationError([("visibility", f"visibility must be one of the following values: {names}")])
    if asked == "locked":
        raise ApiError(401, "Elevated permission is required")
    if asked is None and state.settings.version < V3:
        asked = "timeline"

    def visible(asset: Asset) -> bool:
        shown = asset.visibility
        if state.settings.another_user:
            return False
        if shown != asked and (asked is not None or shown == "locked"):
            return with_archive and shown == "archive" and asset.owner_id == USER_ID
        return asset.owner_id == USER_ID or (
            asset.owner_id == PARTNER_ID and shown in {"timeline", "archive"}
        )

    return visible


def _is_ascending(body: Mapping[str, object], *, filtered: bool) -> bool:
    if not filtered:
        return body.get("order") == "asc"
    order = body.get("orderBy")
    return isinstance(order, dict) and order.get("direction") == "asc"


def _page(
    state: State, found: list[Asset], start: int, size: int, *, ascending: bool
) -> tuple[list[Asset], bool]:
    """Cut a page out. Rows of equal date come in a new order each time: a page may repeat and skip some."""
    found = found[::-1] if ascending else found
    end = min(start + size, len(found))
    if start >= end:
        return [], False
    more = end < len(found)
    if not state.settings.on("unstable_paging") or state.settings.version >= _SINCE_STABLE:
        return found[start:end], more
    low, high = start, end
    while low and found[low - 1].created == found[start].created:
        low -= 1
    while high < len(found) and found[high].created == found[end - 1].created:
        high += 1
    sign = 1 if ascending else -1
    drawn = sorted(found[low:high], key=lambda asset: (sign * asset.created, state.paging.random()))
    return drawn[start - low : end - low], more
