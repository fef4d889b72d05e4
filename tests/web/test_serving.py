"""The application on a real socket, in the loop that is already running."""

from __future__ import annotations

import asyncio
import contextlib
import json
import signal
import socket
from datetime import UTC, datetime

import httpx
import pytest
from jinja2 import Environment

from reconciler.errors import ConfigurationError
from reconciler.service.api import Update
from reconciler.web.app import create_app
from reconciler.web.live import events
from reconciler.web.server import WebServer

pytestmark = pytest.mark.anyio


async def event(lines) -> tuple[str, dict]:
    name = ""
    async for line in lines:
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        if line.startswith("data: "):
            return name, json.loads(line.removeprefix("data: "))
    raise AssertionError("the stream ended")


async def test_it_serves_on_a_free_port_and_stops_at_once(control, store):
    before = signal.getsignal(signal.SIGTERM)
    async with WebServer(create_app(control, store), "127.0.0.1", 0) as server:
        async with httpx.AsyncClient(base_url=server.url) as client:
            answer = await client.get("/livez")
        assert answer.text == "ok\n"
        assert "server" not in answer.headers
        assert signal.getsignal(signal.SIGTERM) is before
    with pytest.raises(httpx.ConnectError):
        async with httpx.AsyncClient() as client:
            await client.get(server.url)


async def test_an_open_page_hears_of_everything_and_does_not_hold_up_the_end(control, store):
    server = WebServer(create_app(control, store), "127.0.0.1", 0)
    await server.start()
    async with (
        httpx.AsyncClient(base_url=server.url) as client,
        client.stream("GET", "/api/v1/events") as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.aiter_lines()
        name, data = await event(lines)
        assert (name, data["level"]) == ("state", "attention")
        name, data = await event(lines)
        assert (name, datetime.fromisoformat(data["now"]).tzinfo) == ("beat", UTC)
        control.queue.put_nowait(Update("progress", {"done": 3, "total": 9}))
        assert await event(lines) == ("progress", {"done": 3, "total": 9})
        await asyncio.wait_for(server.stop(), 2)
        with contextlib.suppress(httpx.RemoteProtocolError):
            assert [line async for line in lines if line.startswith("data")] == []
    assert control.queue is None


async def test_an_open_page_hears_beats_when_nothing_happens(control, store, monkeypatch):
    monkeypatch.setattr(events, "HEARTBEAT", 0.02)
    async with (
        WebServer(create_app(control, store), "127.0.0.1", 0) as server,
        httpx.AsyncClient(base_url=server.url) as client,
        client.stream("GET", "/api/v1/events") as answer,
    ):
        lines = answer.aiter_lines()
        heard = [await asyncio.wait_for(event(lines), 10) for _ in range(4)]
        assert [name for name, _ in heard] == ["state", "beat", "beat", "beat"]
        assert heard[1][1]["now"] < heard[3][1]["now"]
        control.queue.put_nowait(Update("progress", {"done": 3, "total": 9}))
        while (name := (await asyncio.wait_for(event(lines), 10))[0]) == "beat":
            pass
        assert name == "progress"


async def test_a_page_that_is_closed_is_forgotten(control, store):
    async with WebServer(create_app(control, store), "127.0.0.1", 0) as server:
        async with (
            httpx.AsyncClient(base_url=server.url) as client,
            client.stream("GET", "/api/v1/events") as answer,
        ):
            await event(answer.aiter_lines())
        for _ in range(500):
            if control.queue is None:
                break
            await asyncio.sleep(0.01)
        assert control.queue is None


async def test_a_port_that_is_taken_is_said(control, store):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(ConfigurationError, match="already in use") as caught:
            await WebServer(create_app(control, store), "127.0.0.1", other.getsockname()[1]).start()
    assert "[status] port" in caught.value.remedy


async def test_beyond_this_machine_it_does_not_start_without_a_token(control, store):
    with pytest.raises(ConfigurationError):
        await WebServer(create_app(control, store), "0.0.0.0", 0).start()


async def test_lists_and_searches_are_ready_before_anybody_asks_once_the_catalogue_was_read(
    control, store, monkeypatch
):
    control.known = False
    app = create_app(control, store)
    async with WebServer(app, "127.0.0.1", 0) as server:
        await asyncio.sleep(0)
        control.queue.put_nowait(Update("state"))
        await asyncio.wait({server.warming}, timeout=0.05)
        control.known = True
        control.queue.put_nowait(Update("progress"))
        await asyncio.wait({server.warming}, timeout=0.05)
        assert not server.warming.done()
        control.queue.put_nowait(Update("state"))
        await asyncio.wait_for(server.warming, 20)
        control.queue = None
        # What is ready is read from nowhere a second time.
        read = []
        for name in ("standings", "titles"):
            monkeypatch.setattr(type(store), name, lambda *told: read.append(told))
        async with httpx.AsyncClient(base_url=server.url) as client:
            page = (await client.get("/images?q=orion")).text
    assert "Orion" in page
    assert read == []


async def test_templates_are_compiled_before_anybody_asks(control, store, monkeypatch):
    async with WebServer(create_app(control, store), "127.0.0.1", 0) as server:
        await asyncio.wait_for(server.warming, 20)
        compiled, compile_it = [], Environment.compile

        def compiling(self, source, name=None, *more, **named):
            compiled.append(name)
            return compile_it(self, source, name, *more, **named)

        monkeypatch.setattr(Environment, "compile", compiling)
        async with httpx.AsyncClient(base_url=server.url, headers={"accept": "text/html"}) as client:
            for address in ("/", "/images", "/images/1", "/runs", "/runs/old1", "/undo?everything=true"):
                assert (await client.get(address)).status_code == 200, address
    assert compiled == []


async def test_a_server_that_ends_waits_for_no_catalogue(control, store):
    control.known = False
    async with WebServer(create_app(control, store), "127.0.0.1", 0) as server:
        await asyncio.sleep(0)
    assert server.warming.cancelled()
