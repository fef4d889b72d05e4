"""A server to check the client's beliefs against, and assets of the tests' own.

By default the simulator, as each version that was measured; with ``IMMICH_TEST_URL`` and ``IMMICH_TEST_API_KEY`` set, that server. There the key
needs ``asset.upload``, ``asset.delete`` and ``tag.delete`` besides what the client needs; every asset and tag
that a test makes is deleted at the end, and nothing else is touched.
"""

from __future__ import annotations

import os
import struct
import time
import uuid
import zlib
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from reconciler.simulator.serve import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BELIEVED = "settling,round_trip,sign_flips,unstable_paging"
LONGEST_S = 60.0
MEASURED = ("2.7.5", "3.1.0")
GIVEN = (os.environ.get("IMMICH_TEST_URL"), os.environ.get("IMMICH_TEST_API_KEY"))


def png(number: int) -> bytes:
    """Make a PNG of 8 × 6 pixels that no other call makes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes((number * 7 + y * 31 + x) % 256 for x in range(24)) for y in range(6))
    header = struct.pack(">IIBBBBB", 8, 6, 8, 2, 0, 0, 0)
    comment = b"Comment\0" + uuid.uuid4().hex.encode()
    parts = ((b"IHDR", header), (b"tEXt", comment), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def until(condition: Callable[[], Any], what: str) -> Any:
    """Ask until there is an answer that counts as true; give it."""
    end = time.monotonic() + LONGEST_S
    while not (found := condition()):
        assert time.monotonic() < end, f"waited {LONGEST_S} s for: {what}"
        time.sleep(0.01)
    return found


@dataclass
class Server:
    """The server under test, and what was made there."""

    http: httpx.Client
    quiet: float
    """Seconds for which an asset has to read the same to count as settled."""
    prefix: str = field(default_factory=lambda: f"conformance-{uuid.uuid4().hex[:8]}")
    made: list[str] = field(default_factory=list)

    @property
    def version(self) -> tuple[int, int, int]:
        """What the server says that it is."""
        said = self.call("GET", "/server/version")
        return said["major"], said["minor"], said["patch"]

    def call(self, method: str, path: str, body: object = None) -> Any:
        """Ask, expect success, give the JSON."""
        answer = self.http.request(method, path, json=body)
        assert answer.is_success, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def refusal(self, method: str, path: str, body: object = None) -> httpx.Response:
        """Ask, expect a 4xx, give the answer."""
        answer = self.http.request(method, path, json=body)
        assert 400 <= answer.status_code < 500, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer

    def upload(self, taken: str = "2024-05-01T12:00:00.000Z") -> str:
        """Make an asset and wait until it is extracted; give its id."""
        fields = {
            "deviceAssetId": uuid.uuid4().hex,
            "deviceId": self.prefix,
            "fileCreatedAt": taken,
            "fileModifiedAt": taken,
        }
        files = {"assetData": ("frame.png", png(len(self.made)), "image/png")}
        answer = self.http.post("/assets", data=fields, files=files)
        assert answer.status_code == 201, answer.text
        asset_id: str = answer.json()["id"]
        self.made.append(asset_id)
        until(lambda: (self.asset(asset_id).get("exifInfo") or {}).get("fileSizeInByte"), "extraction")
        self.stands_still(asset_id)
        return asset_id

    def asset(self, asset_id: str) -> Any:
        """Read an asset."""
        return self.call("GET", f"/assets/{asset_id}")

    def exif(self, asset_id: str) -> Any:
        """Read an asset's exif values."""
        return self.asset(asset_id)["exifInfo"]

    def tag_paths(self, asset_id: str) -> set[str]:
        """Read an asset's tags, without the prefix that keeps this run's apart."""
        return {tag["value"].removeprefix(f"{self.prefix}/") for tag in self.asset(asset_id)["tags"]}

    def write(self, asset_id: str, **values: object) -> Any:
        """Write, wait until it has settled, and give the exif values then."""
        before = self.asset(asset_id)["updatedAt"]
        self.call("PUT", f"/assets/{asset_id}", values)
        return self.settled(asset_id, before)["exifInfo"]

    def settled(self, asset_id: str, before: str) -> Any:
        """Wait until ``updatedAt`` has moved past ``before`` and the asset stands still."""
        until(lambda: self.asset(asset_id)["updatedAt"] > before, "updatedAt to move")
        return self.stands_still(asset_id)

    def stands_still(self, asset_id: str) -> Any:
        """Wait until the asset has read the same for a while."""
        shown = self.asset(asset_id)
        since = time.monotonic()
        while time.monotonic() < since + self.quiet:
            time.sleep(0.05)
            now = self.asset(asset_id)
            if now != shown:
                shown, since = now, time.monotonic()
        return shown

    def tags(self, *names: str) -> list[str]:
        """Make tags under this run's prefix; give their ids."""
        paths = [f"{self.prefix}/{name}" for name in names]
        return [tag["id"] for tag in self.call("PUT", "/tags", {"tags": paths})]

    def tag(self, asset_ids: list[str], tag_ids: list[str]) -> int:
        """Tag assets, wait until that has settled, and give the count of new links."""
        before = {asset_id: self.asset(asset_id)["updatedAt"] for asset_id in asset_ids}
        count: int = self.call("PUT", "/tags/assets", {"assetIds": asset_ids, "tagIds": tag_ids})["count"]
        for asset_id, moment in before.items():
            self.settled(asset_id, moment)
        return count

    def search(self, **body: object) -> Any:
        """Search, and give what is under ``assets``."""
        return self.call("POST", "/search/metadata", body)["assets"]

    def found(self, **body: object) -> set[str]:
        """Search, and give those ids that this run made."""
        items = self.search(size=1000, **body)["items"]
        return {item["id"] for item in items} & set(self.made)

    def clean_up(self) -> None:
        """Delete what was made: assets first, for their files would bring the tags back."""
        if self.made:
            self.call("DELETE", "/assets", {"ids": self.made, "force": True})
            until(lambda: self.http.get(f"/assets/{self.made[-1]}").status_code == 400, "deletion")
        for tag in self.call("GET", "/tags"):
            if tag["value"] == self.prefix:
                self.call("DELETE", f"/tags/{tag['id']}")


@pytest.fixture(scope="session", params=["given"] if all(GIVEN) else MEASURED)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """The server under test."""
    url, key = GIVEN
    quiet = 1.5
    with ExitStack() as stack:
        if not (url and key):
            simulator = stack.enter_context(serve(unkind=BELIEVED, drain=2000.0, version=request.param))
            url, key, quiet = simulator.url, simulator.api_key, 0.0
        base = f"{url.rstrip('/').removesuffix('/api')}/api"
        http = stack.enter_context(httpx.Client(base_url=base, headers={"x-api-key": key}, timeout=60))
        tested = Server(http, quiet)
        yield tested
        tested.clean_up()


@pytest.fixture
def asset(server: Server) -> str:
    """An asset of this test's own."""
    return server.upload()


@pytest.fixture
def assets(server: Server) -> list[str]:
    """Three assets of this test's own."""
    return [server.upload() for _ in range(3)]
