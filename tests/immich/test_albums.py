"""Albums on the wire: a listing that is read whole or not at all, and a word on each asset that is put in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from reconciler.errors import ImmichAnswerError, ImmichRejectedError, MissingPermissionError
from reconciler.immich.albums import AlbumRoutes
from reconciler.immich.capabilities import Capabilities

pytestmark = pytest.mark.anyio

MINE, YOURS = "00000000-0000-4000-8000-00000000a11c", "00000000-0000-4000-8000-000000000b0b"


class Searches:
    """What the routes need of the observer."""

    user_id = MINE

    async def in_album(self, album_id, count, *, trashed):
        return frozenset({album_id, str(trashed)}), count == 1


@pytest.fixture
def row(uuid, clock):
    def made(number, **changes):
        return {
            "id": uuid(number), "albumName": "Astro · M 31", "description": "", "assetCount": 1,
            "updatedAt": (clock.now() + timedelta(0)).isoformat(), "shared": False, "hasSharedLink": False,
            "albumThumbnailAssetId": None, "ownerId": MINE, "albumUsers": [], **changes,
        }  # fmt: skip

    return made


@pytest.fixture
def routes(client):
    def made(version=(2, 7, 5)):
        return AlbumRoutes(client(), Capabilities(version), Searches())

    return made


async def test_a_listing_tells_whose_an_album_is_and_whether_others_are_in_it(
    server, routes, answer, uuid, row
):
    owner = {"role": "owner", "user": {"id": YOURS}}
    rows = [
        row(1, albumThumbnailAssetId=uuid(9).upper()),
        row(2, ownerId=YOURS),
        row(3, ownerId=None, albumUsers=[owner]),
        row(4, albumUsers=[{"role": "editor", "user": {"id": YOURS}}]),
        row(5, hasSharedLink=True),
    ]
    server.on("GET", "/api/albums", answer.ok(rows))
    found = await routes().listing()
    assert [one.album_id for one in found] == [uuid(number) for number in range(1, 6)]
    assert [one.is_own for one in found] == [True, False, False, True, True]
    assert [one.is_shared for one in found] == [False, False, False, True, True]
    assert found[0].cover == uuid(9)


@pytest.mark.parametrize(
    "changes",
    [{"id": "none"}, {"albumName": None}, {"description": 1}, {"assetCount": "many"}, {"updatedAt": None}],
)
async def test_one_album_that_cannot_be_read_makes_the_listing_unknown(server, routes, answer, row, changes):
    server.on("GET", "/api/albums", answer.ok([row(1), row(2, **changes)]))
    with pytest.raises(ImmichAnswerError, match="no list of albums"):
        await routes().listing()
    server.on("GET", "/api/albums", answer.ok({"items": []}))
    with pytest.raises(ImmichAnswerError, match="no list of albums"):
        await routes().listing()


async def test_an_album_that_is_gone_is_none_and_a_server_that_fails_is_an_error(
    server, routes, answer, uuid, row
):
    path = f"/api/albums/{uuid(1)}"
    server.on("GET", path, answer.ok(row(1)))
    assert (await routes().one(uuid(1))).name == "Astro · M 31"
    for status in (400, 404):
        server.on("GET", path, answer.refused(status))
        assert await routes().one(uuid(1)) is None
    server.on("GET", path, answer.refused(409))
    with pytest.raises(ImmichRejectedError):
        await routes().one(uuid(1))


async def test_what_is_in_an_album_is_searched_for_or_told_by_the_album_of_an_old_server(
    server, routes, answer, uuid, row
):
    server.on("GET", "/api/albums", answer.ok([row(1), row(2, assetCount=0)]))
    album, empty = await routes().listing()
    assert await routes().assets(album, trashed=True) == ({uuid(1), "True"}, True)
    assert await routes().assets(empty, trashed=False) == (frozenset(), True)
    inside = [{"id": uuid(7).upper()}, {"id": None}]
    server.on("GET", f"/api/albums/{uuid(1)}", answer.ok(row(1, assets=inside)))
    assert await routes((1, 134, 0)).assets(album, trashed=False) == ({uuid(7)}, True)
    server.on("GET", f"/api/albums/{uuid(1)}", answer.ok(row(1, assets=[])))
    assert await routes((1, 134, 0)).assets(album, trashed=False) == (frozenset(), False)


async def test_albums_are_made_given_a_cover_and_deleted(server, routes, answer, uuid, row):
    path = f"/api/albums/{uuid(1)}"
    server.on("POST", "/api/albums", answer.ok(row(1)))
    server.on("PATCH", path, answer.ok(row(1)))
    made = await routes().create("Astro · M 31", "words")
    assert made.album_id == uuid(1)
    assert server.calls("POST")[0].json == {"albumName": "Astro · M 31", "description": "words"}
    await routes().set_cover(uuid(1), uuid(9))
    assert server.calls("PATCH")[0].json == {"albumThumbnailAssetId": uuid(9)}
    for gone in (answer.nothing(), answer.refused(400)):  # it is gone already: as wanted
        server.on("DELETE", path, gone)
        await routes().delete(uuid(1))
    server.on("DELETE", path, answer.refused(403, "Missing required permission: album.delete"))
    with pytest.raises(MissingPermissionError):
        await routes().delete(uuid(1))


@pytest.mark.parametrize(("method", "as_wanted"), [("PUT", "duplicate"), ("DELETE", "not_found")])
async def test_each_asset_gets_a_word_also_where_the_answer_has_none(
    server, routes, answer, uuid, method, as_wanted
):
    rows = [
        {"id": uuid(1), "success": True},
        {"id": uuid(2), "success": False, "error": as_wanted},
        {"id": uuid(3), "success": False, "error": "no_permission"},
        {"id": uuid(99), "success": True},
    ]
    server.on(method, f"/api/albums/{uuid(8)}/assets", answer.ok(rows))
    told = await routes().change(
        method, uuid(8), [uuid(1).upper(), uuid(1), uuid(2), uuid(3), uuid(4), "none"]
    )
    assert (told.done, told.unchanged) == ({uuid(1)}, {uuid(2)})
    assert told.refused == {uuid(3): "no_permission", uuid(4): "no_answer", "none": "not_found"}
    assert server.calls(method)[0].json == {"ids": [uuid(number) for number in range(1, 5)]}


async def test_eleven_hundred_assets_take_three_calls(server, routes, answer, uuid):
    server.on(
        "PUT", f"/api/albums/{uuid(1)}/assets",
        lambda asked: answer.ok([{"id": one, "success": True} for one in asked.json["ids"]]),
    )  # fmt: skip
    ids = [uuid(number) for number in range(2, 1102)]
    assert (await routes().change("PUT", uuid(1), ids)).done == set(ids)
    assert [len(asked.json["ids"]) for asked in server.calls("PUT")] == [500, 500, 100]
