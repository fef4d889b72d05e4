"""An answer beyond its bounds costs its own asset, or the pass before any write: never more."""

from __future__ import annotations

import asyncio
import gzip
from dataclasses import replace

import httpx
import pytest

from reconciler.errors import ImmichAnswerError, ImmichSlowError
from reconciler.messages.reasons import sentence

pytestmark = pytest.mark.anyio
BOMB = gzip.compress(bytes(64 << 20))


class Between(httpx.AsyncBaseTransport):
    """Answers some requests itself, and passes on the others."""

    def __init__(self, inner, path, answer):
        self.inner, self.path, self.answer = inner, path, answer

    async def handle_async_request(self, request):
        if request.method in {"GET", "POST"} and request.url.path == self.path:
            return self.answer()
        return await self.inner.handle_async_request(request)

    async def aclose(self):
        await self.inner.aclose()


def between(path, answer):
    def wrap(target):
        http = target._client._http
        http._transport = Between(http._transport, path, answer)
        return target

    return wrap


class Drip(httpx.AsyncByteStream):
    async def __aiter__(self):
        while True:
            yield b" "
            await asyncio.sleep(0.02)


def bomb():
    class Packed(httpx.AsyncByteStream):
        async def __aiter__(self):
            yield BOMB

    return httpx.Response(200, headers={"content-encoding": "gzip"}, stream=Packed())


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (bomb, "unpacks to more than 4 MB"),
        (lambda: httpx.Response(200, content=b"[" * 100_000), "is nested too deep"),
        (
            lambda: httpx.Response(200, content=b'{"id":"x","updatedAt":"9999-12-31T23:59:59-05:00"}'),
            "is about asset x",
        ),
        (lambda: httpx.Response(200, content=b'{"id":"a","id":"b"}'), "has a name twice"),
    ],
)
async def test_one_assets_answer_costs_that_asset_and_is_named(install, answer, words):
    here = install(count=6)
    odd = here.asset(2)
    here.wrap = between(f"/api/assets/{odd}", answer)
    report = await here.run()
    assert report.error is None
    by_asset = {outcome.asset_id: outcome for outcome in report.outcomes}
    assert by_asset.pop(odd).status == "failed"
    assert words in sentence(here.store.records()[odd].reasons)
    assert {outcome.status for outcome in by_asset.values()} == {"in_sync"}
    assert not here.shown(odd)["description"]
    here.wrap = lambda target: target
    await here.run(by_person=False)
    await here.assert_true()


@pytest.mark.parametrize(
    "answer",
    [
        bomb,
        lambda: httpx.Response(200, json={"assets": {"items": [], "nextPage": "9" * 5000}}),
        lambda: httpx.Response(200, json={}),
    ],
)
async def test_a_listings_answer_stops_the_pass_before_any_write_and_names_the_route(install, answer):
    here = install(count=12)
    here.wrap = between("/api/search/metadata", answer)
    with pytest.raises(ImmichAnswerError, match="POST /api/search/metadata"):
        await here.run(full=True)
    assert here.writes == 0
    assert not here.store.pending()


async def test_an_answer_that_drips_ends_the_pass(install):
    here = install(count=3)
    here.patience = replace(here.patience, read=0.1, total=3.0)
    here.wrap = between(f"/api/assets/{here.asset(0)}", lambda: httpx.Response(200, stream=Drip()))
    with pytest.raises(ImmichSlowError, match="did not finish its answer"):
        await here.run()
    assert here.writes == 0
