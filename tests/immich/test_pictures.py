"""What the page shows of a picture: fetched by the daemon, so that the key never leaves it."""

from __future__ import annotations

import httpx
import pytest

from reconciler.errors import AssetUnknownError, ImmichRejectedError, MissingPermissionError
from reconciler.immich.target import Immich
from reconciler.simulator.sample.build import asset_id_of
from reconciler.simulator.serve import serve

pytestmark = pytest.mark.anyio
ASSET = asset_id_of("a.jpg")


async def test_a_thumbnail_comes_with_its_type_from_a_served_immich():
    with serve(assets=[ASSET], unkind="none") as simulator:
        async with Immich(simulator.url, simulator.api_key) as immich:
            content, content_type, _ = await immich.thumbnail(ASSET.upper(), "thumbnail")
    assert content_type == "image/png"
    assert content.startswith(b"\x89PNG")


async def test_a_key_without_the_scope_says_which_is_missing():
    with serve(assets=[ASSET], unkind="none", scopes=("asset.read",)) as simulator:
        async with Immich(simulator.url, simulator.api_key) as immich:
            with pytest.raises(MissingPermissionError) as caught:
                await immich.thumbnail(ASSET, "preview")
    assert caught.value.permission == "asset.view"


async def test_what_is_no_uuid_is_not_asked_for():
    async with Immich("http://127.0.0.1:9", "key") as immich:
        with pytest.raises(AssetUnknownError):
            await immich.thumbnail("../users/me", "thumbnail")
        assert not immich.requests


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", ""])
async def test_only_what_a_browser_shows_without_running_it_counts_as_a_picture(kind):
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=b"<svg/>", headers={"content-type": kind})

    async with Immich("http://immich.lan", "key", transport=httpx.MockTransport(answer)) as immich:
        with pytest.raises(ImmichRejectedError):
            await immich.thumbnail(ASSET, "thumbnail")


async def test_missing_pictures_do_not_open_the_circuit():
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(500, json={"message": "no thumbnail"})

    async with Immich("http://immich.lan", "key", transport=httpx.MockTransport(answer)) as immich:
        for _ in range(9):
            with pytest.raises(Exception, match="500"):
                await immich.thumbnail(ASSET, "thumbnail")
        assert not immich.circuit.is_open
