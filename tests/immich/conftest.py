"""A scripted Immich behind httpx's transport, a clock that tests move, and clients without real waits."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

import httpx
import pytest

from reconciler.immich.call import Patience
from reconciler.immich.client import Client
from reconciler.immich.target import Immich

ALICE = "00000000-0000-4000-8000-00000000a11c"
BOB = "00000000-0000-4000-8000-000000000b0b"


class FakeClock:
    """Time that passes only in ``sleep`` and ``advance``; it notes the waits."""

    def __init__(self):
        self.start = datetime(2026, 11, 22, 12, 0, 0, tzinfo=UTC)
        self.seconds = 0.0
        self.waits = []

    def now(self):
        return self.start + timedelta(seconds=self.seconds)

    def monotonic(self):
        return self.seconds

    async def sleep(self, seconds):
        self.waits.append(seconds)
        self.seconds += seconds

    def advance(self, seconds):
        self.seconds += seconds


@dataclass
class Asked:
    """A request as it went over the wire."""

    method: str
    path: str
    headers: httpx.Headers
    raw: bytes

    @property
    def json(self):
        return json.loads(self.raw)


@dataclass
class ScriptedServer:
    """Answers per (method, path): a response, an exception, a function of the request, or a list of these.

    A list is used up one by one; its last item stays.
    """

    answers: dict = field(default_factory=dict)
    asked: list = field(default_factory=list)

    def on(self, method, path, *answers):
        self.answers[method, path] = list(answers)
        return self

    def calls(self, method=None, path=None):
        return [a for a in self.asked if method in (None, a.method) and path in (None, a.path)]

    def handle(self, request):
        asked = Asked(request.method, request.url.path, request.headers, request.content)
        self.asked.append(asked)
        queue = self.answers.get((asked.method, asked.path))
        if queue is None:
            message = f"Cannot {asked.method} {asked.path}"
            return httpx.Response(404, json={"message": message, "error": "Not Found", "statusCode": 404})
        answer = queue.pop(0) if len(queue) > 1 else queue[0]
        if callable(answer) and not isinstance(answer, type):
            answer = answer(asked)
        if isinstance(answer, type) and issubclass(answer, Exception):
            raise answer("scripted")
        # A response can be read once; a queue's last one is answered again and again.
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    @property
    def transport(self):
        return httpx.MockTransport(self.handle)


def ok(value=None, **headers):
    return httpx.Response(200, json=value, headers=headers)


def refused(status, message="Not found or no access", **headers):
    return httpx.Response(status, json={"message": message, "statusCode": status}, headers=headers)


def nothing(status=204):
    return httpx.Response(status)


@pytest.fixture
def answer():
    """Makers of answers: ``answer.ok``, ``answer.refused``, ``answer.nothing``."""

    class Makers:
        pass

    Makers.ok, Makers.refused, Makers.nothing = staticmethod(ok), staticmethod(refused), staticmethod(nothing)
    return Makers


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
def server():
    """A healthy 2.7.5 with an ``all`` key of Alice's."""
    return (
        ScriptedServer()
        .on("GET", "/api/server/version", ok({"major": 2, "minor": 7, "patch": 5}))
        .on("GET", "/api/server/config", ok({"maintenanceMode": False}))
        .on("GET", "/api/api-keys/me", ok({"id": "k", "name": "me", "permissions": ["all"]}))
        .on("GET", "/api/users/me", ok({"id": ALICE}))
        .on("GET", "/api/users/me/preferences", ok({"tags": {"enabled": True}}))
        .on("GET", "/api/server/ping", ok({"res": "pong"}, date="Sun, 22 Nov 2026 14:42:32 GMT"))
    )


@pytest.fixture
def client(server, clock):
    """Make a client of the scripted server."""

    def make(url="http://immich.test:2283", key="secret-key", **options):
        options = {"clock": clock, "random": Random(1), "transport": server.transport, **options}
        return Client(url, key, **options)

    return make


@pytest.fixture
def immich(server, clock):
    """Make a target on the scripted server and open it."""

    async def make(**options):
        options = {"clock": clock, "random": Random(1), "transport": server.transport, **options}
        target = Immich("http://immich.test:2283", "secret-key", **options)
        await target.open()
        server.asked.clear()
        return target

    return make


@pytest.fixture
def patience():
    return Patience


@pytest.fixture
def uuid():
    """Make the n-th asset or tag id."""
    return lambda number: f"00000000-0000-4000-8000-{number:012d}"


@pytest.fixture
def alice():
    return ALICE


@pytest.fixture
def bob():
    return BOB


@pytest.fixture
def row(uuid):
    """Make an asset as Immich answers it."""

    def make(number, *, owner=ALICE, description="", **more):
        return {
            "id": uuid(number),
            "ownerId": owner,
            "updatedAt": "2026-11-22T14:42:32.866Z",
            "visibility": "timeline",
            "isTrashed": False,
            "hasMetadata": True,
            "originalFileName": f"M{number}.jpg",
            "tags": [],
            "exifInfo": {"description": description, "latitude": None, "longitude": None},
            **more,
        }

    return make
