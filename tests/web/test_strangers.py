"""Strangers at the door: hundreds of real connections that ask nothing, half of something, or very slowly.

The server runs as in the daemon; the strangers are sockets of this test.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import sys
import time
from pathlib import Path

import httpx
import pytest

from reconciler.web.access.connections import Limits
from reconciler.web.access.policy import Access
from reconciler.web.access.throttle import Slowdown
from reconciler.web.app import create_app
from reconciler.web.live.events import MAX_STREAMS
from reconciler.web.server import WebServer

pytestmark = pytest.mark.anyio

TOKEN = {"authorization": "Bearer right-token"}
HALF = b"GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: "
BODY = b"POST /login HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\nContent-Length: 60000\r\n\r\n"
STREAM = b"GET /api/v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer right-token\r\n\r\n"
PATIENT = Limits(head=60.0, body=60.0, stalled=60.0)
"""So patient that only the number of connections decides."""
HASTY = Limits(head=0.4, body=0.6, stalled=0.5)


class Crowd:
    """Connections that strangers hold open."""

    def __init__(self, server):
        self.port = int(server.url.rpartition(":")[2])
        self.sockets = []

    async def come(self, count, data, address="127.0.0.1"):
        """Open so many connections, and send this on each."""
        loop = asyncio.get_running_loop()
        for _ in range(count):
            one = socket.socket()
            one.settimeout(0)
            one.bind((address, 0))
            self.sockets.append(one)
            await loop.sock_connect(one, ("127.0.0.1", self.port))
            with contextlib.suppress(OSError):
                await loop.sock_sendall(one, data)

    async def said(self, one):
        """Give what the server said to this one; empty if it was sent away."""
        with contextlib.suppress(ConnectionError):
            return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(one, 65536), 5)
        return b""

    async def closed(self, one):
        """Wait until the server closes this one; gives what it said before."""
        loop, said = asyncio.get_running_loop(), b""
        with contextlib.suppress(OSError):
            while piece := await loop.sock_recv(one, 65536):
                said += piece
        return said

    def leave(self):
        for one in self.sockets:
            one.close()


@contextlib.asynccontextmanager
async def served(control, store, limits, token="right-token"):
    app = create_app(control, store, access=Access(token=token, slowdown=Slowdown()))
    async with WebServer(app, "127.0.0.1", 0, limits) as server:
        await asyncio.wait({server.warming})  # what the store opens for it is nothing of a stranger's
        crowd = Crowd(server)
        try:
            yield server, crowd
        finally:
            crowd.leave()


async def answered(server, path, within=3.0, **headers):
    """Ask on a connection of its own; the answer has to come at once, also where other tests run beside it."""
    begun = time.monotonic()
    async with httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.get(path, headers=headers)
    assert time.monotonic() - begun < within, path
    return answer.status_code


def descriptors():
    return len(list(Path("/proc/self/fd").iterdir()))


async def until(true, seconds=30.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        await asyncio.sleep(0.01)


async def test_a_crowd_that_asks_nothing_keeps_nobody_out(control, store):
    async with served(control, store, PATIENT) as (server, crowd):

        async def all_pages():
            for path in ("/livez", "/readyz", "/login"):
                assert await answered(server, path) == 200, path
            for path in ("/", "/images", "/api/v1/status"):
                assert await answered(server, path, **TOKEN) == 200, path

        await all_pages()  # the store has opened what it needs
        before = descriptors()
        await crowd.come(300, b"x")
        await crowd.come(100, HALF)
        await crowd.come(20, BODY + b"token=")
        await crowd.come(100, STREAM)
        await all_pages()
        # Of 420 that asked nothing, most were sent away; of the 100 that listen, as many as may.
        assert len(server._server.connections) <= PATIENT.waiting + MAX_STREAMS + 2
        heard = [await crowd.said(one) for one in crowd.sockets[-100:]]
        assert all(b"event: state" in one for one in heard[:MAX_STREAMS])
        assert all(b" 503 " in one for one in heard[MAX_STREAMS:] if one)
        crowd.leave()
        await until(lambda: descriptors() <= before)


async def test_a_crowd_from_one_address_costs_another_address_nothing(control, store):
    async with served(control, store, PATIENT) as (_, crowd):
        await crowd.come(1, HALF, "127.0.0.2")
        await crowd.come(400, b"x")
        loop, slow = asyncio.get_running_loop(), crowd.sockets[0]
        await loop.sock_sendall(slow, b"no more\r\nConnection: close\r\n\r\n")
        assert b"200 OK" in await asyncio.wait_for(crowd.closed(slow), 5)


async def test_what_does_not_come_within_its_time_is_closed_however_steadily_it_drips(control, store, caplog):
    await create_app(control, store).state.warm()  # what the store opens for it stays open
    before = descriptors()
    with caplog.at_level(logging.INFO):
        async with served(control, store, HASTY) as (server, crowd):
            await crowd.come(60, b"x")
            await crowd.come(30, HALF)
            await crowd.come(30, BODY)
            await crowd.come(5, b"")
            await crowd.come(5, b"\x16\x03\x01 this is no HTTP\r\n\r\n")
            drips = [crowd.sockets[70], crowd.sockets[100]]

            async def drip(one):
                loop = asyncio.get_running_loop()
                with contextlib.suppress(OSError):
                    while True:
                        await loop.sock_sendall(one, b"a")
                        await asyncio.sleep(0.02)

            dripping = [asyncio.create_task(drip(one)) for one in drips]
            assert await answered(server, "/livez") == 200
            await asyncio.wait_for(asyncio.gather(*map(crowd.closed, crowd.sockets)), 5)
            await asyncio.wait_for(asyncio.gather(*dripping), 5)
            await until(lambda: not server._server.connections)
            assert await answered(server, "/livez") == 200
    await until(lambda: descriptors() <= before + 2)
    mine = [record.getMessage() for record in caplog.records if record.name.startswith("uvicorn")]
    assert mine == [], "a stranger wrote into the log"


async def test_a_deadline_does_not_touch_who_is_being_answered_or_asks_again(control, store):
    limits = Limits(head=0.3, body=0.3, stalled=0.3)
    async with served(control, store, limits) as (server, crowd):
        await crowd.come(1, STREAM)
        async with httpx.AsyncClient(base_url=server.url) as client:
            for _ in range(8):
                assert (await client.get("/livez")).status_code == 200
                await asyncio.sleep(0.1)
            (stream,) = crowd.sockets
            assert len(server._server.connections) == 2
        stream.settimeout(0)
        assert b"event: beat" in stream.recv(65536)


async def test_who_does_not_take_the_answers_is_sent_away(control, store):
    async with served(control, store, HASTY) as (server, crowd):
        await crowd.come(1, b"")
        (greedy,) = crowd.sockets
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        ask = b"GET /static/htmx.min.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"

        async def ask_on():
            with contextlib.suppress(OSError):
                while True:
                    await asyncio.get_running_loop().sock_sendall(greedy, ask)

        await asyncio.wait_for(ask_on(), 20)
        assert await answered(server, "/livez") == 200
        await until(lambda: not server._server.connections)


async def test_the_right_token_is_taken_at_once_among_hundreds_of_wrong_ones(control, store):
    async with served(control, store, PATIENT) as (server, crowd):
        wrong = b"GET /api/v1/status HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer %d\r\n\r\n"
        for number in range(200):
            await crowd.come(1, wrong % number)
        assert await answered(server, "/api/v1/status", **TOKEN) == 200
        async with httpx.AsyncClient(base_url=server.url) as client:
            begun = time.monotonic()
            answer = await client.post(
                "/login", data={"token": "right-token"}, headers={"origin": server.url}
            )
            assert answer.status_code == 303
            assert (await client.get("/")).status_code == 200
            assert time.monotonic() - begun < Slowdown.longest / 2  # a wrong one would wait that long, twice


async def test_logging_out_ends_the_open_pages_of_that_session(control, store, monkeypatch):
    monkeypatch.setattr("reconciler.web.live.events.HEARTBEAT", 0.02)
    async with (
        served(control, store, PATIENT) as (server, _),
        httpx.AsyncClient(base_url=server.url, headers={"origin": server.url}) as client,
    ):
        await client.post("/login", data={"token": "right-token"})
        async with client.stream("GET", "/api/v1/events") as stream:
            pieces = stream.aiter_text()
            assert "state" in await anext(pieces)
            await client.post("/logout")

            async def to_the_end():
                async for _ in pieces:
                    pass

            await asyncio.wait_for(to_the_end(), 5)


@pytest.mark.skipif(sys.platform != "linux", reason="the option is Linux's own")
async def test_the_kernel_gives_up_who_vanished_without_a_word(control, store):
    async with served(control, store, HASTY) as (server, crowd):
        await crowd.come(1, STREAM)
        await crowd.said(crowd.sockets[0])
        (connection,) = server._server.connections
        accepted = connection.transport.get_extra_info("socket")
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 500
