"""Writes are exact, are never repeated, and one bad asset costs only itself."""

from __future__ import annotations

import asyncio
import json
import math

import httpx
import pytest

from reconciler.core.asset import Coordinates
from reconciler.core.ports import FieldWrite
from reconciler.errors import (
    ImmichAnswerError,
    ImmichTemporaryError,
    ImmichUnauthorizedError,
    MissingPermissionError,
    WriteInDoubtError,
)
from reconciler.immich.wire import iso

pytestmark = pytest.mark.anyio

BULK = ("PUT", "/api/assets")
WORDS = FieldWrite("words")


@pytest.fixture
def strict(server, answer, row, uuid):
    """Bulk routes that refuse the whole call for one bad id, and note what they accepted."""

    def make(bad=(), *, method="PUT", path="/api/assets", key="ids", reply=None):
        accepted = []

        def handle(asked):
            ids = asked.json[key]
            if any(asset_id in bad for asset_id in ids):
                return answer.refused(400, "Not found or no asset.update access")
            accepted.extend(ids)
            return reply or answer.nothing()

        def single(number):
            def handle_single(asked):
                if uuid(number) in bad:
                    return answer.refused(400, "Not found or no asset.update access")
                accepted.append(uuid(number))
                return answer.ok(row(number))

            return handle_single

        server.on(method, path, handle)
        for number in range(600):
            asset = answer.refused(400) if uuid(number) in bad else answer.ok(row(number))
            server.on("GET", f"/api/assets/{uuid(number)}", asset)
            server.on("PUT", f"/api/assets/{uuid(number)}", single(number))
        return accepted

    return make


async def test_one_asset_gets_description_and_coordinates_in_one_request(immich, server, strict, uuid):
    strict()
    write = FieldWrite("M 31 &amp; friends", Coordinates(4e-06, -118.123456789))
    outcome = await (await immich()).write_fields([uuid(1)], write)
    assert outcome.sent == {uuid(1)}
    assert outcome.rejected == {}
    assert [(asked.method, asked.path) for asked in server.asked] == [("PUT", f"/api/assets/{uuid(1)}")]
    assert (
        server.asked[0].raw
        == b'{"description":"M 31 &amp;amp; friends","latitude":0.000004,"longitude":-118.123457}'
    )


async def test_the_date_from_before_the_write_is_told_where_the_answer_has_it(immich, strict, uuid, row):
    strict()
    target = await immich()
    outcome = await target.write_fields([uuid(1)], WORDS)
    assert {asset: iso(date) for asset, date in outcome.dates.items()} == {uuid(1): row(1)["updatedAt"]}
    assert (await target.write_fields([uuid(1), uuid(2)], WORDS)).dates == {}


async def test_a_text_is_not_sent_after_a_long_wait(immich, server, answer, uuid):
    server.on("PUT", f"/api/assets/{uuid(1)}", answer.refused(429, **{"retry-after": "20"}))
    with pytest.raises(ImmichTemporaryError):
        await (await immich()).write_fields([uuid(1)], WORDS)
    assert len(server.calls("PUT")) == 1


async def test_an_empty_description_clears(immich, server, strict, uuid):
    strict()
    await (await immich()).write_fields([uuid(1)], FieldWrite(""))
    assert server.asked[0].json == {"description": ""}


async def test_the_same_write_to_several_assets_is_one_request(immich, server, strict, uuid):
    strict()
    ids = [uuid(n) for n in range(100)]
    outcome = await (await immich()).write_fields(ids, WORDS)
    assert outcome.sent == set(ids)
    assert [asked.path for asked in server.asked] == ["/api/assets"]
    assert server.asked[0].json == {"ids": ids, "description": "words"}


async def test_many_assets_go_in_calls_of_five_hundred(immich, server, strict, uuid):
    strict()
    await (await immich()).write_fields([uuid(n) for n in range(600)], WORDS)
    assert [len(asked.json["ids"]) for asked in server.asked] == [500, 100]


async def test_ids_are_sent_in_lower_case_and_once(immich, server, strict):
    strict()
    asset_id = "abcdefab-0000-4000-8000-00000000000"
    ids = [asset_id.upper() + "1", asset_id + "2", asset_id + "1"]
    outcome = await (await immich()).write_fields(ids, WORDS)
    assert server.asked[0].json["ids"] == [asset_id + "1", asset_id + "2"]
    assert outcome.sent == {asset_id + "1", asset_id + "2"}


async def test_what_is_no_uuid_is_rejected_without_a_request(immich, server, strict, uuid):
    strict()
    outcome = await (await immich()).write_fields(["../me", uuid(1)], WORDS)
    assert outcome.sent == {uuid(1)}
    assert list(outcome.rejected) == ["../me"]
    assert [asked.path for asked in server.asked] == [f"/api/assets/{uuid(1)}"]


@pytest.mark.parametrize("place", [0, 1, 137, 255, 256, 498, 499])
async def test_one_bad_asset_among_five_hundred_is_found_by_halving(immich, server, strict, uuid, place):
    accepted = strict(bad={uuid(place)})
    ids = [uuid(n) for n in range(500)]
    outcome = await (await immich()).write_fields(ids, WORDS)
    assert outcome.sent == set(ids) - {uuid(place)}
    assert list(outcome.rejected) == [uuid(place)]
    assert uuid(place) in outcome.rejected[uuid(place)].message
    assert sorted(accepted) == sorted(outcome.sent), "nothing is written twice"
    writes = [asked for asked in server.asked if asked.method == "PUT"]
    assert len(writes) <= 2 * math.ceil(math.log2(500)) + 1


async def test_several_bad_assets_cost_only_themselves(immich, strict, uuid):
    bad = {uuid(3), uuid(4), uuid(99)}
    accepted = strict(bad=bad)
    ids = [uuid(n) for n in range(100)]
    outcome = await (await immich()).write_fields(ids, WORDS)
    assert set(outcome.rejected) == bad
    assert outcome.sent == set(ids) - bad
    assert sorted(accepted) == sorted(outcome.sent)


async def test_a_write_that_no_asset_would_take_is_not_tried_on_every_asset(
    immich, server, answer, row, uuid
):
    ids = [uuid(n) for n in range(256)]
    server.on(*BULK, answer.refused(400, ["description must be a string"]))
    for number in range(256):
        server.on("PUT", f"/api/assets/{uuid(number)}", answer.refused(400, ["description must be a string"]))
        server.on("GET", f"/api/assets/{uuid(number)}", answer.ok(row(number)))
    outcome = await (await immich()).write_fields(ids, WORDS)
    assert set(outcome.rejected) == set(ids)
    assert "must be a string" in outcome.rejected[uuid(200)].message
    assert len(server.asked) <= 11


async def test_a_partners_asset_is_rejected_as_anothers(immich, server, answer, row, uuid, bob):
    server.on("PUT", f"/api/assets/{uuid(1)}", answer.refused(400))
    server.on("GET", f"/api/assets/{uuid(1)}", answer.ok(row(1, owner=bob)))
    outcome = await (await immich()).write_fields([uuid(1)], WORDS)
    assert "another user's" in outcome.rejected[uuid(1)].message


async def test_what_can_not_survive_is_never_sent(immich, server, uuid):
    target = await immich()
    for write in (
        FieldWrite("東" * 4000),
        FieldWrite(coordinates=Coordinates(0, 0)),
        FieldWrite("words", Coordinates(91, 0)),
    ):
        outcome = await target.write_fields([uuid(1), uuid(2)], write)
        assert set(outcome.rejected) == {uuid(1), uuid(2)}
        assert outcome.sent == frozenset()
    assert server.asked == []


async def test_nothing_to_write_is_no_request(immich, server, uuid):
    target = await immich()
    outcome = await target.write_fields([uuid(1)], FieldWrite())
    assert outcome.unchanged == outcome.sent == {uuid(1)}
    assert (await target.write_fields([], WORDS)).sent == frozenset()
    assert (await target.add_tags([uuid(1)], [])).unchanged == {uuid(1)}
    assert server.asked == []


async def test_a_text_with_a_nul_or_a_surrogate_is_sent_as_what_can_be_kept(immich, server, strict, uuid):
    strict()
    await (await immich()).write_fields([uuid(1)], FieldWrite("a\0b\ud83d\x01"))
    assert server.asked[0].json == {"description": "ab\ufffd."}


@pytest.mark.parametrize("status", [404, 405])
async def test_patch_is_used_from_3_0_on_and_put_remembered_where_it_is_missing(
    immich, server, answer, strict, uuid, status
):
    server.on("GET", "/api/server/version", answer.ok({"major": 3, "minor": 0, "patch": 0}))
    strict()
    server.on("PATCH", f"/api/assets/{uuid(1)}", answer.refused(status))
    target = await immich()
    outcome = await target.write_fields([uuid(1)], WORDS)
    assert outcome.sent == {uuid(1)}
    await target.open()
    await target.write_fields([uuid(2)], WORDS)
    methods = [asked.method for asked in server.asked if "/api/assets/" in asked.path]
    assert methods == ["PATCH", "PUT", "PUT"]


async def test_writes_side_by_side_all_find_out_that_patch_is_missing(immich, server, answer, strict, uuid):
    server.on("GET", "/api/server/version", answer.ok({"major": 3, "minor": 0, "patch": 0}))
    accepted = strict()
    all_asked = asyncio.Event()

    async def handle(request):
        response = server.handle(request)
        if request.method == "PATCH":
            if len(server.calls("PATCH")) == 3:
                all_asked.set()
            await all_asked.wait()
        return response

    target = await immich(transport=httpx.MockTransport(handle))
    ids = [uuid(number) for number in (1, 2, 3)]
    outcomes = await asyncio.gather(*(target.write_fields([asset_id], WORDS) for asset_id in ids))
    assert [outcome.sent for outcome in outcomes] == [{asset_id} for asset_id in ids]
    assert sorted(accepted) == ids


async def test_patch_is_used_where_it_works(immich, server, answer, row, uuid):
    server.on("GET", "/api/server/version", answer.ok({"major": 4, "minor": 0, "patch": 0}))
    server.on("PATCH", f"/api/assets/{uuid(1)}", answer.ok(row(1))).on(
        "PATCH", "/api/assets", answer.nothing()
    )
    target = await immich()
    await target.write_fields([uuid(1)], WORDS)
    await target.write_fields([uuid(1), uuid(2)], WORDS)
    assert [asked.method for asked in server.asked] == ["PATCH", "PATCH"]


async def test_before_1_133_descriptions_go_one_by_one(immich, server, answer, strict, uuid):
    server.on("GET", "/api/server/version", answer.ok({"major": 1, "minor": 132, "patch": 0}))
    server.on("POST", "/api/search/metadata", answer.ok({})).on("GET", "/api/tags", answer.ok([]))
    strict()
    target = await immich()
    await target.write_fields([uuid(1), uuid(2)], WORDS)
    assert len(server.asked) == 2
    server.asked.clear()
    await target.write_fields([uuid(1), uuid(2)], FieldWrite(coordinates=Coordinates(1, 2)))
    assert [asked.path for asked in server.asked] == ["/api/assets"]


async def test_a_lost_answer_in_the_middle_tells_what_was_accepted_before(
    immich, server, answer, strict, uuid
):
    strict()
    server.on(*BULK, answer.nothing(), httpx.ReadTimeout)
    ids = [uuid(n) for n in range(600)]
    with pytest.raises(WriteInDoubtError) as caught:
        await (await immich()).write_fields(ids, WORDS)
    assert caught.value.accepted == set(ids[:500])
    assert len(server.asked) == 2


async def test_a_permanent_failure_in_the_middle_still_leaves_the_accepted_part_to_be_watched(
    immich, server, answer, strict, uuid
):
    strict()
    server.on(*BULK, answer.nothing(), answer.refused(401, "Invalid API key"))
    with pytest.raises(WriteInDoubtError) as caught:
        await (await immich()).write_fields([uuid(n) for n in range(600)], WORDS)
    assert len(caught.value.accepted) == 500
    assert isinstance(caught.value.__cause__, ImmichUnauthorizedError)


async def test_a_failure_before_anything_was_accepted_is_what_it_is(immich, server, answer, uuid):
    server.on(*BULK, answer.refused(403, "Missing required permission: asset.update"))
    with pytest.raises(MissingPermissionError):
        await (await immich()).write_fields([uuid(1), uuid(2)], WORDS)


async def test_whose_the_key_is_is_learnt_from_the_first_write(immich, server, answer, row, uuid, bob):
    server.on("GET", "/api/users/me", answer.refused(403, "Missing required permission: user.read"))
    server.on("PUT", f"/api/assets/{uuid(1)}", answer.ok(row(1)))
    rows = {"assets": {"items": [row(1), row(2, owner=bob)], "nextPage": None}}
    server.on("POST", "/api/search/metadata", answer.ok(rows))
    target = await immich()
    assert len(await target.listing()) == 2
    await target.write_fields([uuid(1)], WORDS)
    assert [asset.asset_id for asset in await target.listing()] == [uuid(1)]


async def test_tags_are_ensured_by_value_although_the_answer_is_shorter(immich, server, answer, uuid):
    def upsert(asked):
        # In another order, and without what Immich makes nothing of.
        made = [{"id": uuid(n), "value": path} for n, path in enumerate(asked.json["tags"]) if path != "b"]
        return answer.ok(made[::-1])

    server.on("PUT", "/api/tags", upsert).on("GET", "/api/tags", answer.ok([]))
    found = await (await immich()).ensure_tags(["Astro/Galaxy", "b", "M 31", "Astro//Galaxy/", "", "null"])
    assert server.asked[0].json == {"tags": ["Astro/Galaxy", "b", "M 31"]}
    assert found == {"Astro/Galaxy": uuid(0), "M 31": uuid(2), "Astro//Galaxy/": uuid(0)}


async def test_many_tags_go_in_calls_of_two_hundred(immich, server, answer):
    server.on("PUT", "/api/tags", answer.ok([]))
    await (await immich()).ensure_tags([f"t{n}" for n in range(450)])
    assert [len(asked.json["tags"]) for asked in server.asked] == [200, 200, 50]


async def test_a_path_that_can_not_be_made_is_left_out_alone(immich, server, answer, uuid):
    def upsert(asked):
        if "bad" in asked.json["tags"]:
            return answer.refused(400, "no")
        return answer.ok([{"id": uuid(int(path)), "value": path} for path in asked.json["tags"]])

    server.on("PUT", "/api/tags", upsert).on("GET", "/api/tags", answer.ok([]))
    found = await (await immich()).ensure_tags(["1", "2", "bad", "3"])
    assert found == {"1": uuid(1), "2": uuid(2), "3": uuid(3)}


async def test_ids_that_the_list_of_tags_tells_otherwise_are_not_used(immich, server, answer, uuid):
    made = [{"id": uuid(1), "value": "a"}, {"id": uuid(2), "value": "b"}]
    swapped = [{"id": uuid(2), "value": "a"}, {"id": uuid(1), "value": "b"}]
    server.on("PUT", "/api/tags", answer.ok(swapped)).on("GET", "/api/tags", answer.ok(made))
    with pytest.raises(ImmichAnswerError, match="differ in the id of 'a'"):
        await (await immich()).ensure_tags(["a", "b"])


async def test_making_tags_touches_no_asset_and_may_be_repeated(immich, server, answer):
    server.on("PUT", "/api/tags", httpx.ReadTimeout, answer.ok([]))
    await (await immich()).ensure_tags(["a"])
    assert len(server.asked) == 2


async def test_own_tags_are_listed_by_full_path(immich, server, answer, uuid):
    server.on("GET", "/api/tags", answer.ok([{"id": uuid(1), "name": "Galaxy", "value": "Astro/Galaxy"}]))
    assert await (await immich()).tag_ids() == {"Astro/Galaxy": uuid(1)}


async def test_all_tags_are_added_to_all_assets_in_one_call(immich, server, answer, uuid):
    server.on("PUT", "/api/tags/assets", answer.ok({"count": 4}))
    outcome = await (await immich()).add_tags([uuid(1), uuid(2)], [uuid(8), uuid(9)])
    assert outcome.sent == {uuid(1), uuid(2)}
    assert outcome.unchanged == frozenset()
    assert [asked.json for asked in server.asked] == [
        {"assetIds": [uuid(1), uuid(2)], "tagIds": [uuid(8), uuid(9)]}
    ]


async def test_tags_that_were_all_there_leave_nothing_to_settle(immich, server, answer, uuid):
    server.on("PUT", "/api/tags/assets", answer.ok({"count": 0}))
    outcome = await (await immich()).add_tags([uuid(1)], [uuid(9)])
    assert outcome.unchanged == {uuid(1)}


async def test_a_tag_call_refused_for_one_asset_is_halved(immich, strict, answer, uuid):
    accepted = strict(bad={uuid(5)}, path="/api/tags/assets", key="assetIds", reply=answer.ok({"count": 9}))
    ids = [uuid(n) for n in range(10)]
    outcome = await (await immich()).add_tags(ids, [uuid(99)])
    assert list(outcome.rejected) == [uuid(5)]
    assert sorted(accepted) == sorted(outcome.sent)


async def test_adding_tags_is_not_repeated_when_its_answer_is_lost(immich, server, uuid):
    server.on("PUT", "/api/tags/assets", httpx.ReadTimeout)
    with pytest.raises(WriteInDoubtError):
        await (await immich()).add_tags([uuid(1)], [uuid(9)])
    assert len(server.asked) == 1


async def test_removing_a_tag_tells_each_asset_apart(immich, server, answer, uuid):
    said = [
        {"id": uuid(1), "success": True},
        {"id": uuid(2), "success": False, "error": "not_found"},
        {"id": uuid(3), "success": False, "error": "no_permission"},
    ]
    server.on("DELETE", f"/api/tags/{uuid(9)}/assets", answer.ok(said))
    outcome = await (await immich()).remove_tag([uuid(n) for n in (1, 2, 3, 4)], uuid(9))
    assert outcome.sent == {uuid(1), uuid(2), uuid(4)}
    assert outcome.unchanged == {uuid(2)}
    assert "no_permission" in outcome.rejected[uuid(3)].message
    assert json.loads(server.asked[0].raw) == {"ids": [uuid(n) for n in (1, 2, 3, 4)]}


async def test_a_tag_that_is_gone_is_on_nobody(immich, server, answer, uuid):
    server.on("DELETE", f"/api/tags/{uuid(9)}/assets", answer.refused(400))
    target = await immich()
    for tag_id in (uuid(9), "no-uuid"):
        outcome = await target.remove_tag([uuid(1), uuid(2)], tag_id)
        assert outcome.unchanged == outcome.sent == {uuid(1), uuid(2)}
    assert len(server.asked) == 1
