"""The bound: a bare loop that sends given writes as fast as the server's settling lets anything send them.

It reads nothing but one search a second, plans nothing, records nothing, survives nothing. Per asset: the
field write; settled once ``updatedAt`` has moved and was seen again a second later; then the tag write, and
the same again. All field writes go out as fast as four calls at a time can, and each tag write as soon as its
asset has settled, so the server's queue never runs empty: for a queue that works first in, first out this is
the shortest time there is (two jobs an asset, and the last second of waiting).

Used as ``python bound.py PLAN``: see ``writes_of`` in ``passes.py`` for the plan's form. Prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from pathlib import Path

import httpx

IN_FLIGHT = 4
AGAIN = 1.0
TAGS_A_CALL = 200


class Bound:
    def __init__(self, plan: dict) -> None:
        self.fields = {write["id"]: write["body"] for write in plan["fields"]}
        self.tags = {write["id"]: write["tags"] for write in plan["tags"]}
        self.seen = dict(plan["seen"])  # asset id → updatedAt before the write; ISO texts compare as times
        self.ready = deque([("fields", asset) for asset in self.fields])
        self.ready.extend(("tags", asset) for asset in self.tags if asset not in self.fields)
        self.sent: dict[str, str] = {}
        self.moved: dict[str, tuple[float, str]] = {}
        self.left = len(self.fields) + len(self.tags)
        self.more = asyncio.Event()
        self.more.set()
        self.http = httpx.AsyncClient(
            base_url=plan["url"] + "/api",
            headers={"x-api-key": plan["api_key"], "content-type": "application/json"},
            limits=httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT),
            timeout=60,
        )

    async def send(self, method: str, path: str, body: bytes) -> bytes:
        response = await self.http.request(method, path, content=body)
        response.raise_for_status()
        return response.content

    async def run(self) -> float:
        began = time.monotonic()
        paths = sorted({path for tags in self.tags.values() for path in tags})
        self.tag_ids: dict[str, str] = {}
        for start in range(0, len(paths), TAGS_A_CALL):
            body = json.dumps({"tags": paths[start : start + TAGS_A_CALL]}).encode()
            made = json.loads(await self.send("PUT", "/tags", body))
            self.tag_ids.update((tag["value"], tag["id"]) for tag in made)
        workers = [asyncio.create_task(self.work()) for _ in range(IN_FLIGHT)]
        watching = asyncio.create_task(self.watch())
        done, _ = await asyncio.wait([*workers, watching], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()  # a failed request ends it all
        for task in workers:
            task.cancel()
        await self.http.aclose()
        return time.monotonic() - began

    async def work(self) -> None:
        while True:
            while not self.ready:
                self.more.clear()
                await self.more.wait()
            step, asset = self.ready.popleft()
            self.sent[asset] = step
            if step == "fields":
                await self.send("PUT", f"/assets/{asset}", self.fields[asset].encode())
            else:
                body = {"assetIds": [asset], "tagIds": [self.tag_ids[path] for path in self.tags[asset]]}
                await self.send("PUT", "/tags/assets", json.dumps(body).encode())

    async def watch(self) -> None:
        cursor = max(self.seen.values())
        tick = time.monotonic()
        while self.left:
            tick = max(tick + AGAIN, time.monotonic())
            await asyncio.sleep(tick - time.monotonic())
            cursor = await self.look(cursor)

    async def look(self, cursor: str) -> str:
        since = min([cursor, *(updated for _, updated in self.moved.values())])
        now, page, newest = time.monotonic(), 1, cursor
        while page:
            body = {"updatedAfter": since, "size": 1000, "page": page, "visibility": "timeline"}
            answer = json.loads(await self.send("POST", "/search/metadata", json.dumps(body).encode()))
            for row in answer["assets"]["items"]:
                newest = max(newest, row["updatedAt"])
                self.take(row["id"], row["updatedAt"], now)
            page = int(answer["assets"]["nextPage"] or 0)
        return newest

    def take(self, asset: str, updated: str, now: float) -> None:
        step = self.sent.get(asset)
        if step is None:
            return
        first = self.moved.get(asset)
        if first is None:
            if updated > self.seen[asset]:
                self.moved[asset] = now, updated
        elif now - first[0] >= AGAIN - 0.01:
            del self.sent[asset], self.moved[asset]
            self.seen[asset] = updated
            self.left -= 1
            if step == "fields" and asset in self.tags:
                self.ready.append(("tags", asset))
                self.more.set()


async def main(plan: dict) -> None:
    bound = Bound(plan)
    cpu = time.process_time()
    seconds = await bound.run()
    print(json.dumps({"seconds": seconds, "cpu": time.process_time() - cpu}))


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
