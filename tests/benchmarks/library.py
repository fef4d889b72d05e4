"""Small pictures of the benchmark's own on a real Immich, told apart by their names, and removed again.

Every run has a name that no other has: its files are ``skymmich-bench-RUN-a0001.png``, its tags hang under
``skymmich-bench-RUN-a``. So what it made is found again by name even where an answer was lost or the process
was killed, and nothing else is ever touched. Where pictures or tags of such names are there before the run
begins, whose they are cannot be told (perhaps another run is under way): the benchmark refuses, and removes
them only when told so.
"""

from __future__ import annotations

import re
import signal
import struct
import sys
import threading
import time
import uuid
import zlib
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

import httpx

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = "skymmich-bench"
FILE = re.compile(rf"{NAME}-[0-9a-f]{{12}}-[a-z]\d+\.png")
ROOT = re.compile(rf"{NAME}-[0-9a-f]{{12}}-[a-z]")
SCOPES = (
    "asset.upload", "asset.delete", "asset.read", "asset.update",
    "tag.read", "tag.create", "tag.asset", "tag.delete", "user.read",
)  # fmt: skip
FIRST = datetime(2020, 1, 1, 20, tzinfo=UTC)
STILL = 3.0
LONGEST = 900.0
MOST_DELETED = 500


class RefusedError(Exception):
    """The library is not fit to be measured in; nothing was made there."""


def picture(text: str, number: int) -> bytes:
    """Draw a PNG of 64 × 48 pixels that no other run and no other number makes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes((number * 7 + y * 5 + x) % 256 for x in range(3 * 64)) for y in range(48))
    header = struct.pack(">IIBBBBB", 64, 48, 8, 2, 0, 0, 0)
    comment = b"Comment\0" + f"{text} {number}".encode()
    parts = ((b"IHDR", header), (b"tEXt", comment), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


class Library:
    """What one run made on a server. Leaving the context removes it, whatever happened."""

    def __init__(self, url: str, key: str, *, run: str = "", still: float = STILL) -> None:
        self.url = url.rstrip("/").removesuffix("/api")
        self.name = f"{NAME}-{run or uuid.uuid4().hex[:12]}"
        self.still = still
        self._key = key
        self.http = self._client()
        self.began, self.removed = False, True

    def __enter__(self) -> Self:
        return self

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=f"{self.url}/api", headers={"x-api-key": self._key}, timeout=60)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        with undisturbed():
            if kind is not None:
                # A signal may have struck while the client held a lock of its own: it would wait for itself.
                self.http = self._client()
            if self.began:
                self.removed = self.clean_up(self.name)
            self.http.close()

    # -- before ---------------------------------------------------------------------------------------

    def check(self) -> None:
        """Make sure that this run can tell its own things apart and may remove them again.

        Raises:
            RefusedError: it cannot; nothing was made.
        """
        answer = self.http.get("/api-keys/me")
        if answer.status_code == 401:
            raise RefusedError("Immich does not know the key in IMMICH_TEST_API_KEY.")
        if not answer.is_success:
            raise RefusedError(
                "This server does not say what the key may do (GET /api-keys/me), so nothing is made."
            )
        granted = set(answer.json()["permissions"])
        lacking = [scope for scope in SCOPES if not granted & {scope, "all"}]
        if lacking:
            raise RefusedError(
                f"The key may not {', '.join(lacking)}; what was made could not be removed again."
            )
        preferences = self.http.get("/users/me/preferences")
        if preferences.is_success and preferences.json().get("tags", {}).get("enabled") is False:
            raise RefusedError(
                "Tags are switched off for this user in Immich (Account Settings, Features), so the reconciler would "
                "write none. Switch them on, or use a key without userPreference.read."
            )
        pictures, tags = self.pictures(NAME), self.roots(NAME)
        if pictures or tags:
            raise RefusedError(
                f"The library has {len(pictures)} pictures and {len(tags)} tags of another run of this benchmark "
                f"({', '.join(sorted(runs_of(pictures, tags)))}). If none is under way, remove them: "
                'make bench ARGS="--server URL --clean-up"'
            )

    def upload(self, part: str, count: int) -> list[str]:
        """Upload so many pictures and wait until Immich is done with them; give their ids in order."""
        self.began = True
        ids = []
        for number in range(count):
            name = f"{self.name}-{part}{number:04d}.png"
            taken = (FIRST + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            fields = {
                "deviceAssetId": name, "deviceId": NAME, "fileCreatedAt": taken, "fileModifiedAt": taken,
                "filename": name,
            }  # fmt: skip
            files = {"assetData": (name, picture(f"{self.name}-{part}", number), "image/png")}
            answer = self.http.post("/assets", data=fields, files=files)
            if answer.status_code != 201:
                raise RefusedError(
                    f"Immich did not take {name} as new: {answer.status_code} {answer.text[:200]}"
                )
            ids.append(answer.json()["id"])
        self.settle(f"{self.name}-{part}", count)
        return ids

    def settle(self, name: str, count: int) -> dict[str, str]:
        """Wait until so many pictures of this name stand still, with their thumbnails; give their ``updatedAt``."""
        end, since, known = time.monotonic() + LONGEST, time.monotonic(), None
        while time.monotonic() < end:
            rows = self.pictures(name)
            shown = {asset: (row["updatedAt"], bool(row.get("thumbhash"))) for asset, row in rows.items()}
            if shown != known:
                known, since = shown, time.monotonic()
            drawn = sum(thumbnail for _, thumbnail in shown.values())
            quiet = time.monotonic() - since
            if len(shown) == count and quiet >= (self.still if drawn in {0, count} else 30.0):
                return {asset: row["updatedAt"] for asset, row in rows.items()}
            time.sleep(0.2)
        raise TimeoutError(
            f"{count} pictures did not settle within {LONGEST:g} s: {len(known or ())} are shown"
        )

    # -- what is there --------------------------------------------------------------------------------

    def pictures(self, name: str) -> dict[str, dict]:
        """Find this key's own pictures whose file name begins so, and is one of this benchmark's."""
        own = self.call("GET", "/users/me")["id"]
        found, page = {}, 1
        while page:
            body = {
                "originalFileName": name,
                "size": 1000,
                "page": page,
                "withExif": False,
                "withDeleted": True,
            }
            answer = self.call("POST", "/search/metadata", body)["assets"]
            for row in answer["items"]:
                file = row["originalFileName"]
                if file.startswith(name) and FILE.fullmatch(file) and row["ownerId"] == own:
                    found[row["id"]] = row
            page = int(answer["nextPage"] or 0)
        return found

    def roots(self, name: str) -> dict[str, str]:
        """Find the top tags whose name begins so and is one of this benchmark's: id → path."""
        tags = self.call("GET", "/tags")
        return {
            tag["id"]: tag["value"]
            for tag in tags
            if tag["value"].startswith(name) and ROOT.fullmatch(tag["value"])
        }

    def call(self, method: str, path: str, body: object = None) -> object:
        answer = self.http.request(method, path, json=body)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    # -- after ----------------------------------------------------------------------------------------

    def clean_up(self, name: str) -> bool:
        """Remove the pictures and tags of this name; tell whether nothing is left of them.

        Pictures first: an extraction that is still to come would make their tags anew. An upload whose answer
        was lost may show itself late, so it looks again until nothing has been there for a while.
        """
        end, nothing_since, trouble = time.monotonic() + LONGEST, None, ""
        while time.monotonic() < end:
            try:
                left = self._remove(name)
            except httpx.HTTPError as error:
                refused = isinstance(error, httpx.HTTPStatusError) and error.response.status_code in {
                    401,
                    403,
                }
                if str(error) != trouble:
                    print(f"Cleaning up: {error}{'' if refused else '; trying again'}", file=sys.stderr)
                if refused:
                    break
                nothing_since, trouble = None, str(error)
                time.sleep(2)
                continue
            if left:
                nothing_since = None
            elif nothing_since is None:
                nothing_since = time.monotonic()
            elif time.monotonic() - nothing_since >= self.still:
                return True
            time.sleep(0.2)
        print(
            f"NOT REMOVED: pictures and tags whose names begin with {name}. Once Immich answers again: "
            'make bench ARGS="--server URL --clean-up"',
            file=sys.stderr,
        )
        return False

    def _remove(self, name: str) -> int:
        """Ask for the removal of what is there; give how much there was."""
        ids = list(self.pictures(name))
        for start in range(0, len(ids), MOST_DELETED):
            some = ids[start : start + MOST_DELETED]
            answer = self.http.request("DELETE", "/assets", json={"ids": some, "force": True})
            if answer.status_code != 400:  # some of them are just going: the next look has only the others
                answer.raise_for_status()
        roots = {} if ids else self.roots(name)
        for tag_id in roots:
            answer = self.http.delete(f"/tags/{tag_id}")
            if answer.status_code != 400:
                answer.raise_for_status()
        return len(ids) + len(roots)


def runs_of(pictures: dict[str, dict], roots: dict[str, str]) -> set[str]:
    names = [row["originalFileName"] for row in pictures.values()] + list(roots.values())
    return {name.removeprefix(f"{NAME}-").partition("-")[0] for name in names}


@contextmanager
def undisturbed() -> Iterator[None]:
    """Let no signal that can be kept out interrupt what is done here."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    names = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(each, signal.SIG_IGN) for each in names]
    try:
        yield
    finally:
        for each, handler in zip(names, before, strict=True):
            signal.signal(each, handler)
