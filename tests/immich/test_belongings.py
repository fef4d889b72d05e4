"""A favourite and the albums of one asset: what is not told, or may not be asked, is not known."""

from __future__ import annotations

import pytest

from reconciler.core.belongings import Album
from reconciler.errors import AssetUnknownError, ImmichAnswerError, ImmichRejectedError
from reconciler.immich import belongings

pytestmark = pytest.mark.anyio


@pytest.fixture
def shown(server, answer, uuid):
    def on(asset, albums):
        server.on("GET", f"/api/assets/{uuid(1)}", asset)
        server.on("GET", "/api/albums", albums)

    return on


async def test_both_are_read_in_two_requests(server, client, answer, uuid, shown):
    albums = [{"id": uuid(5).upper(), "albumName": "Best of"}]
    shown(answer.ok({"id": uuid(1), "isFavorite": True}), answer.ok(albums))
    found = await belongings.read(client(), uuid(1).upper())
    assert (found.favorite, found.albums) == (True, (Album(uuid(5), "Best of"),))
    assert len(server.asked) == 2


@pytest.mark.parametrize("asset", [{"isFavorite": True}, {"id": "another", "isFavorite": True}, {}])
async def test_the_answer_of_another_asset_tells_nothing(client, answer, uuid, shown, asset):
    shown(answer.ok(asset), answer.ok([]))
    assert (await belongings.read(client(), uuid(1))).favorite is None


async def test_albums_that_may_not_be_asked_for_or_are_no_list_are_not_known(client, answer, uuid, shown):
    asset = answer.ok({"id": uuid(1), "isFavorite": False})
    for albums in (
        answer.refused(403, "Missing required permission: album.read"),
        answer.ok({"albums": []}),
        answer.ok([{"id": uuid(5), "albumName": "One"}, {"albumName": "Another"}]),
    ):
        shown(asset, albums)
        found = await belongings.read(client(), uuid(1))
        assert (found.favorite, found.albums) == (False, None)


async def test_an_asset_that_is_gone_is_told_apart_from_a_server_that_refuses(client, answer, uuid, shown):
    with pytest.raises(AssetUnknownError):
        await belongings.read(client(), "no id")
    shown(answer.refused(400), answer.ok([]))
    with pytest.raises(AssetUnknownError):
        await belongings.read(client(), uuid(1))
    shown(answer.refused(409), answer.ok([]))
    with pytest.raises(ImmichRejectedError):
        await belongings.read(client(), uuid(1))


async def test_a_favourite_is_written_where_the_answer_shows_it(server, client, answer, uuid):
    path = f"/api/assets/{uuid(1)}"
    server.on("PATCH", path, answer.ok({"isFavorite": True}))
    await belongings.set_favorite(client(), uuid(1).upper(), method="PATCH")
    assert server.calls("PATCH", path)[0].json == {"isFavorite": True}
    server.on("PATCH", path, answer.ok({"isFavorite": False}))
    with pytest.raises(ImmichAnswerError, match="favourite"):
        await belongings.set_favorite(client(), uuid(1), method="PATCH")
