"""Reading survives what Immich's searches do: repeats, gaps, partners, hidden archives, endless pages."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.errors import (
    AssetIncompleteError,
    AssetUnknownError,
    ImmichAnswerError,
    ImmichRejectedError,
    MaintenanceError,
)

pytestmark = pytest.mark.anyio

SEARCH = ("POST", "/api/search/metadata")
SINCE = datetime(2026, 11, 22, 14, 0, 0, 123456, tzinfo=UTC)


def library(answer, timeline=(), archive=(), *, page_size=1000):
    """A search over rows by visibility, with pages."""

    def search(asked):
        body = asked.json
        assert isinstance(body["page"], int)
        rows = {"timeline": list(timeline), "archive": list(archive)}[body["visibility"]]
        start = (body["page"] - 1) * page_size
        following = str(body["page"] + 1) if start + page_size < len(rows) else None
        items = rows[start : start + page_size]
        return answer.ok({"assets": {"items": items, "total": len(items), "nextPage": following}})

    return search


async def test_a_listing_asks_for_timeline_and_archive_by_name(immich, server, answer, row, uuid):
    server.on(*SEARCH, library(answer, [row(1)], [row(2, visibility="archive")]))
    found = await (await immich()).listing()
    assert [asset.asset_id for asset in found] == [uuid(1), uuid(2)]
    assert [asset.visibility for asset in found] == ["timeline", "archive"]
    assert [asked.json["visibility"] for asked in server.asked] == ["timeline", "archive"]
    assert all(asked.json["size"] == 1000 and asked.json["withExif"] is True for asked in server.asked)


async def test_a_listing_goes_on_page_by_page_and_folds_repeated_rows(immich, server, answer, row, uuid):
    rows = [row(n) for n in (1, 2, 3, 3, 4, 2, 5)]
    server.on(*SEARCH, library(answer, rows, page_size=2))
    found = await (await immich()).listing()
    assert {asset.asset_id for asset in found} == {uuid(n) for n in range(1, 6)}
    assert len(found) == 5


async def test_of_a_repeated_row_the_newest_counts(immich, server, answer, row):
    old, new = row(1, description="old"), row(1, description="new", updatedAt="2026-11-22T15:00:00Z")
    server.on(*SEARCH, library(answer, [new, row(2), old], page_size=2))
    found = await (await immich()).listing()
    assert [asset.description for asset in found if asset.asset_id == old["id"]] == ["new"]


@pytest.mark.parametrize("following", ["1", "2", 2, "900"])
async def test_a_server_that_repeats_its_first_page_for_ever_is_left(immich, server, answer, row, following):
    page = {"assets": {"items": [row(1), row(2)], "nextPage": following}}
    server.on(*SEARCH, answer.ok(page))
    found = await (await immich()).listing()
    assert len(found) == 2
    assert len(server.asked) <= 4


async def test_partners_assets_are_left_out_and_incomplete_rows_are_named(
    immich, server, answer, row, uuid, bob
):
    odd = [row(1), row(2, owner=bob), {"ownerId": bob}, None, {**row(3), "updatedAt": None}]
    server.on(*SEARCH, library(answer, odd))
    found = await (await immich()).listing()
    assert [asset.asset_id for asset in found] == [uuid(1)]
    assert [(one.asset_id, one.fields) for one in found.incomplete] == [(uuid(3), ("updatedAt",))]


async def test_a_listing_of_which_a_share_is_unknown_is_refused(immich, server, answer, row):
    few = [row(n) for n in range(40)]
    for broken in (2, 3):
        rows = [*few, *({**row(n), "exifInfo": {"description": None}} for n in range(50, 50 + broken))]
        server.on(*SEARCH, library(answer, rows))
        if broken == 2:
            assert len((await (await immich()).listing()).incomplete) == 2
    with pytest.raises(ImmichAnswerError) as caught:
        await (await immich()).listing()
    for told in (
        "2.7.5",
        "exifInfo.description",
        "exifInfo.latitude",
        "POST /api/search/metadata",
        "3 of 43",
    ):
        assert told in str(caught.value)


async def test_a_listing_of_something_else_than_was_asked_for_is_refused(immich, server, answer, row):
    rows = [row(n, visibility="hidden") for n in range(3)]
    server.on(*SEARCH, answer.ok({"assets": {"items": rows, "nextPage": None}}))
    with pytest.raises(ImmichAnswerError, match="visibility hidden"):
        await (await immich()).listing()
    rows = [row(n, updatedAt="2026-11-22T13:59:59.999Z") for n in range(3)]
    server.on(*SEARCH, answer.ok({"assets": {"items": rows, "nextPage": None}}))
    with pytest.raises(ImmichAnswerError, match="13:59:59"):
        await (await immich()).changed_since(SINCE, visibilities=("timeline",))


async def test_one_row_that_was_not_asked_for_costs_that_row(immich, server, answer, row, uuid):
    old = row(1, updatedAt="1970-01-01T00:00:00.000Z")
    server.on(*SEARCH, answer.ok({"assets": {"items": [old, row(2)], "nextPage": None}}))
    found = await (await immich()).changed_since(SINCE, visibilities=("timeline",))
    assert [asset.asset_id for asset in found] == [uuid(2)]
    assert [one.asset_id for one in found.incomplete] == [uuid(1)]


async def test_an_answer_about_another_asset_is_refused(immich, server, answer, row, uuid):
    server.on("GET", f"/api/assets/{uuid(1)}", answer.ok(row(2)))
    with pytest.raises(ImmichAnswerError, match=f"about asset {uuid(2)}"):
        await (await immich()).asset(uuid(1))


async def test_without_leave_to_ask_who_we_are_nobody_is_left_out(immich, server, answer, row, bob):
    server.on("GET", "/api/users/me", answer.refused(403, "Missing required permission: user.read"))
    server.on(*SEARCH, library(answer, [row(1), row(2, owner=bob)]))
    assert len(await (await immich()).listing()) == 2


async def test_changes_are_asked_for_with_a_full_time_cut_to_milliseconds(immich, server, answer, row):
    server.on(*SEARCH, library(answer, [row(1)]))
    found = await (await immich()).changed_since(SINCE)
    assert len(found) == 1
    assert [asset.tags for asset in found] == [None]
    assert [asked.json["updatedAfter"] for asked in server.asked] == ["2026-11-22T14:00:00.123Z"] * 2


async def test_one_visibility_alone_costs_one_request(immich, server, answer, row):
    server.on(*SEARCH, library(answer, [row(1)]))
    await (await immich()).changed_since(SINCE, visibilities=("timeline",))
    assert len(server.asked) == 1


async def test_before_1_133_the_archive_comes_along(immich, server, answer, row):
    server.on("GET", "/api/server/version", answer.ok({"major": 1, "minor": 132, "patch": 0}))
    server.on("GET", "/api/tags", answer.ok([]))
    old = row(1, isArchived=False)
    del old["visibility"]
    server.on(*SEARCH, answer.ok({"assets": {"items": [old], "nextPage": None}}))
    assert len(await (await immich()).listing()) == 1
    assert len(server.asked) == 1
    assert server.asked[0].json["withArchived"] is True
    assert "visibility" not in server.asked[0].json


async def test_untagged_assets_are_listed_a_thousand_at_a_time(immich, server, answer, row, uuid, bob):
    server.on(*SEARCH, library(answer, [row(1), row(2, owner=bob)], [row(3)]))
    found = await (await immich()).untagged()
    assert {asset.asset_id: asset.tags for asset in found} == {uuid(1): None, uuid(3): None}
    assert all(asked.json["tagIds"] is None and asked.json["withExif"] is True for asked in server.asked)


async def test_a_server_that_can_not_be_asked_for_untagged_assets_is_not_asked(immich, server, answer):
    server.on("GET", "/api/server/version", answer.ok({"major": 1, "minor": 135, "patch": 0}))
    server.on(*SEARCH, answer.ok({})).on("GET", "/api/tags", answer.ok([]))
    assert len(await (await immich()).untagged()) == 0
    assert server.asked == []


async def test_assets_are_counted_if_the_key_may(immich, server, answer):
    server.on("GET", "/api/assets/statistics", answer.ok({"images": 3, "videos": 1, "total": 4}))
    assert await (await immich()).asset_count() == 4


async def test_a_refused_count_is_unknown_and_not_asked_again(immich, server, answer):
    server.on("GET", "/api/assets/statistics", answer.refused(403, "Missing required permission: x"))
    target = await immich()
    assert await target.asset_count() is None
    assert await target.asset_count() is None
    assert len(server.asked) == 1


async def test_one_asset_is_read_with_its_tags(immich, server, answer, row, uuid):
    tags = [{"id": uuid(9), "value": "Astro/Galaxy"}]
    server.on("GET", f"/api/assets/{uuid(1)}", answer.ok(row(1, tags=tags)))
    assert (await (await immich()).asset(uuid(1))).tags == {"Astro/Galaxy"}


async def test_an_asset_is_unknown_only_after_a_400_outside_maintenance(immich, server, answer, uuid):
    server.on("GET", f"/api/assets/{uuid(1)}", answer.refused(400))
    with pytest.raises(AssetUnknownError) as caught:
        await (await immich()).asset(uuid(1))
    assert caught.value.asset_id == uuid(1)


async def test_an_asset_is_never_unknown_because_of_a_404(immich, server, answer, uuid, clock):
    target = await immich()
    with pytest.raises(ImmichRejectedError) as caught:
        await target.asset(uuid(1))
    assert not isinstance(caught.value, AssetUnknownError)
    server.on("GET", "/api/server/config", answer.ok({"maintenanceMode": True}))
    with pytest.raises(MaintenanceError):
        await target.asset(uuid(1))


async def test_a_400_during_maintenance_makes_no_asset_unknown(immich, server, answer, uuid, clock):
    target = await immich()
    clock.advance(3600)
    server.on("GET", "/api/server/config", answer.ok({"maintenanceMode": True}))
    server.on("GET", f"/api/assets/{uuid(1)}", answer.refused(400))
    with pytest.raises(MaintenanceError):
        await target.asset(uuid(1))


async def test_many_unknown_assets_cost_one_look_at_the_maintenance_mode(immich, server, answer, uuid, clock):
    target = await immich()
    clock.advance(3600)
    for number in range(10):
        server.on("GET", f"/api/assets/{uuid(number)}", answer.refused(400))
        with pytest.raises(AssetUnknownError):
            await target.asset(uuid(number))
    assert len(server.calls("GET", "/api/server/config")) == 1


async def test_what_is_no_uuid_is_no_asset_and_is_not_asked_for(immich, server):
    target = await immich()
    for odd in ("", "../users/me", "5c006224", "x" * 36):
        with pytest.raises(AssetUnknownError):
            await target.asset(odd)
    assert server.asked == []


async def test_an_upper_case_id_is_asked_for_in_lower_case(immich, server, answer, row):
    lower = "abcdefab-0000-4000-8000-000000000001"
    server.on("GET", f"/api/assets/{lower}", answer.ok({**row(1), "id": lower}))
    assert (await (await immich()).asset(lower.upper())).asset_id == lower


async def test_an_incomplete_answer_about_an_asset_names_what_is_missing(immich, server, answer, row, uuid):
    server.on("GET", f"/api/assets/{uuid(1)}", answer.ok({**row(1), "tags": None}))
    with pytest.raises(AssetIncompleteError) as caught:
        await (await immich()).asset(uuid(1))
    for told in ("2.7.5", "tags", uuid(1), "GET /api/assets/{id}"):
        assert told in str(caught.value)


async def test_the_servers_clock_is_read_from_an_answer_that_came_anyway(immich, server, answer, clock):
    date = {"date": "Sun, 22 Nov 2026 14:00:00 GMT"}
    server.on("GET", "/api/tags", answer.ok([], **date))
    target = await immich()
    await target.tag_ids()
    assert await target.server_time() == datetime(2026, 11, 22, 14, tzinfo=UTC)
    assert len(server.asked) == 1
    clock.advance(60)
    assert await target.server_time() == datetime(2026, 11, 22, 14, 42, 32, tzinfo=UTC)
    assert server.asked[-1].path == "/api/server/ping"


async def test_a_target_that_was_not_opened_says_so(server, clock):
    from reconciler.immich.target import Immich

    async with Immich("http://immich.test", "k", transport=server.transport) as target:
        with pytest.raises(RuntimeError, match="open"):
            await target.listing()
        assert "immich.test" in repr(target)
