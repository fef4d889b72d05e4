"""What is kept on assets for this program alone: read one by one, written in bulk, and a bad one costs only itself."""

from __future__ import annotations

import pytest

from reconciler.core.ownership import KEY
from reconciler.errors import (
    AssetUnknownError,
    ImmichAnswerError,
    ImmichRejectedError,
    MissingPermissionError,
)
from reconciler.immich import notes
from reconciler.immich.wire import iso

pytestmark = pytest.mark.anyio

BULK = ("PUT", "/api/assets/metadata")


async def test_a_note_is_ours_among_others_with_the_servers_date(server, client, answer, uuid, clock):
    theirs = {"key": "mobile-app", "value": {"n": 1}, "updatedAt": iso(clock.now())}
    ours = {"key": KEY, "value": {"n": 2}, "updatedAt": iso(clock.now())}
    server.on("GET", f"/api/assets/{uuid(1)}/metadata", answer.ok([theirs, ours]))
    server.on("GET", f"/api/assets/{uuid(2)}/metadata", answer.ok([theirs]))
    found = await notes.read(client(), uuid(1).upper())
    assert (found.value, found.updated_at) == ({"n": 2}, clock.now())
    assert await notes.read(client(), uuid(2)) is None


async def test_an_asset_that_is_gone_is_told_apart_from_one_without_a_note(server, client, answer, uuid):
    server.on("GET", f"/api/assets/{uuid(1)}/metadata", answer.refused(400))
    for asset_id in (uuid(1), "no id"):
        with pytest.raises(AssetUnknownError):
            await notes.read(client(), asset_id)


async def test_an_answer_that_is_no_list_is_not_used(server, client, answer, uuid):
    server.on("GET", f"/api/assets/{uuid(1)}/metadata", answer.ok({"items": []}))
    with pytest.raises(ImmichAnswerError, match="not a list"):
        await notes.read(client(), uuid(1))


async def test_twelve_hundred_notes_take_three_calls(server, client, answer, uuid):
    server.on(*BULK, answer.ok([]))
    values = {uuid(number): {"n": number} for number in range(1200)}
    assert await notes.write(client(), values) == frozenset()
    assert [len(asked.json["items"]) for asked in server.calls(*BULK)] == [500, 500, 200]
    sent = {item["assetId"]: item["value"] for asked in server.calls(*BULK) for item in asked.json["items"]}
    assert sent == values
    assert {item["key"] for asked in server.calls(*BULK) for item in asked.json["items"]} == {KEY}


async def test_one_asset_that_is_gone_is_found_and_all_others_are_written(server, client, answer, uuid):
    written = []

    def handle(asked):
        ids = [item["assetId"] for item in asked.json["items"]]
        if uuid(77) in ids:
            return answer.refused(400, "Not found or no asset.update access")
        written.extend(ids)
        return answer.ok([])

    server.on(*BULK, handle)
    values = {uuid(number): {} for number in range(100)}
    assert await notes.write(client(), {**values, "no id": {}}) == {uuid(77), "no id"}
    assert sorted(written) == sorted(values.keys() - {uuid(77)})
    assert len(server.calls(*BULK)) <= 16


async def test_a_key_that_may_not_write_them_is_told_at_once(server, client, answer, uuid):
    server.on(*BULK, answer.refused(403, "Missing required permission: asset.update"))
    with pytest.raises(MissingPermissionError):
        await notes.write(client(), {uuid(1): {}, uuid(2): {}})
    assert len(server.calls()) == 1


async def test_a_server_that_takes_none_of_them_is_not_asked_for_each(server, client, answer, uuid):
    server.on(*BULK, answer.refused(400, "id must be a UUID"))
    with pytest.raises(ImmichRejectedError):
        await notes.write(client(), {uuid(number): {} for number in range(500)})
    assert len(server.calls()) <= 24
