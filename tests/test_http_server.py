"""Answering on a socket: signals stay the process's, and the end waits for what is being answered, not for ever."""

from __future__ import annotations

import asyncio
import signal
import socket
from contextlib import asynccontextmanager

import httpx
import pytest
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from reconciler.http_server import HttpServer

pytestmark = pytest.mark.anyio


class Slow:
    """An application that answers once it may."""

    def __init__(self):
        self.begun, self.may_answer, self.ended = asyncio.Event(), asyncio.Event(), ""

    async def __call__(self, scope, _, send):
        self.begun.set()
        try:
            if scope["path"] == "/slow":
                await self.may_answer.wait()
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"well"})
            self.ended = "answered"
        except asyncio.CancelledError:
            self.ended = "cancelled"
            raise


@asynccontextmanager
async def serving(application, patience):
    config = uvicorn.Config(
        application, lifespan="off", log_config=None, log_level="critical", timeout_graceful_shutdown=patience
    )
    server = HttpServer(config, H11Protocol)
    listener = socket.create_server(("127.0.0.1", 0))
    await server.start(listener)
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as client:
        try:
            yield server, client
        finally:
            await server.stop()


async def test_the_processes_signals_stay_its_own():
    before = [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)]
    async with serving(Slow(), 20) as (_, client):
        assert (await client.get("/")).text == "well"
        assert [signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)] == before


async def test_what_is_being_answered_is_finished_first_and_nobody_comes_in_meanwhile():
    application = Slow()
    async with serving(application, 20) as (server, client):
        asked = asyncio.ensure_future(client.get("/slow"))
        await application.begun.wait()
        stopping = asyncio.ensure_future(server.stop())
        while not stopping.done():
            try:
                async with httpx.AsyncClient(base_url=client.base_url) as another:
                    await another.get("/")
            except httpx.ConnectError:
                break
            await asyncio.sleep(0)
        assert not stopping.done()
        application.may_answer.set()
        assert (await asked).text == "well"
        await asyncio.wait_for(stopping, 10)
        assert server.connections == set()


async def test_an_answer_that_does_not_end_is_cancelled():
    application = Slow()
    async with serving(application, 0.1) as (server, client):
        asked = asyncio.ensure_future(client.get("/slow"))
        await application.begun.wait()
        await asyncio.wait_for(server.stop(), 10)
        await asyncio.wait({asked})
        assert application.ended == "cancelled"


async def test_a_connection_that_waits_for_its_next_request_holds_up_nothing():
    async with serving(Slow(), 3600) as (server, client):
        await client.get("/")
        assert len(server.connections) == 1
        await asyncio.wait_for(server.stop(), 10)
        assert server.connections == set()


async def test_a_server_that_never_began_is_stopped_as_well():
    config = uvicorn.Config(Slow(), lifespan="off", log_config=None)
    await HttpServer(config, H11Protocol).stop()
