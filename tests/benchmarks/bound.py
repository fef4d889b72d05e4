"""The bound: a bare loop that sends given writes as fast as the server's settling lets anything send them.

It reads nothing but searches, plans nothing, records nothing, survives nothing. Two phases: all field writes,
four at a time, until every asset's ``updatedAt`` has moved and nothing has moved for a second; then all tags,
one call for each distinct set of them, and the same again. A phase lasts until the last move; the second in
which nothing moves is in nobody's way and is not counted. ``order`` of the plan turns the phases round: Immich
upserts all of an asset's tags at every extraction, so tags first makes it do that twice.

Used as ``python bound.py PLAN``: see ``writes_of`` in ``passes.py`` for the plan's form; the key comes from the
environment. Prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from collections import deque
from pathlib import Path

import httpx
from meter import server_cpu, since
from wire import Wire

from reconciler.immich.roundtrip import settled_description

IN_FLIGHT = 4
STILL = 1.0
LOOK = 0.3
OVERLAP = 8
"""Looks by which a look reaches back: pages skip rows."""
TAGS_A_CALL = 200
ASSETS_A_CALL = 500
OVERDUE = 300.0
"""Seconds without any move after which it is given up."""
KEY = "IMMICH_TEST_API_KEY"
FIELDS_FIRST, TAGS_FIRST = ("fields", "tags"), ("tags", "fields")


class Bound:
    def __init__(self, plan: dict) -> None:
        self.plan = plan
        self.fields = {write["id"]: write["body"] for write in plan["fields"]}
        self.tags = {write["id"]: tuple(write["tags"]) for write in plan["tags"]}
        self.seen = dict(plan["seen"])  # asset id → updatedAt; ISO texts compare as times
        self.cursors = deque([max(self.seen.values())], maxlen=OVERLAP)
        self.wire = Wire()
        self.http = httpx.AsyncClient(
            base_url=plan["url"] + "/api",
            headers={"x-api-key": os.environ[KEY], "content-type": "application/json"},
            transport=self.wire,
            timeout=120,
        )

    async def send(self, method: str, path: str, body: bytes) -> bytes:
        response = await self.http.request(method, path, content=body)
        response.raise_for_status()
        return response.content

    async def run(self) -> dict:
        phases = {"fields": self.write_fields, "tags": self.write_tags}
        spent, server = {}, server_cpu()
        for name in self.plan.get("order", FIELDS_FIRST):
            began, before = time.monotonic(), dict(self.seen)
            awaited = await phases[name]()
            answered = time.monotonic() - began
            settled = await self.settle(awaited, before) - began
            spent[name] = {"answered": answered, "settled": settled}
        counted, server = self.wire.counted(), since(server)
        wrong = await self.wrong()
        await self.http.aclose()
        seconds = sum(phase["settled"] for phase in spent.values())
        return {
            "seconds": seconds,
            "phases": spent,
            "requests": counted,
            "wrong": wrong,
            "server_cpu": server,
        }

    async def write_fields(self) -> set[str]:
        sends = [(f"/assets/{asset}", body.encode()) for asset, body in self.fields.items()]
        await self.all_of(sends)
        return set(self.fields)

    async def write_tags(self) -> set[str]:
        paths = sorted({path for tags in self.tags.values() for path in tags})
        ids: dict[str, str] = {}
        for start in range(0, len(paths), TAGS_A_CALL):
            body = json.dumps({"tags": paths[start : start + TAGS_A_CALL]}).encode()
            made = json.loads(await self.send("PUT", "/tags", body))
            ids.update((tag["value"], tag["id"]) for tag in made)
        groups: dict[tuple[str, ...], list[str]] = {}
        for asset, tags in self.tags.items():
            groups.setdefault(tags, []).append(asset)
        sends = []
        for tags, assets in groups.items():
            for start in range(0, len(assets), ASSETS_A_CALL):
                some = assets[start : start + ASSETS_A_CALL]
                body = {"assetIds": some, "tagIds": [ids[path] for path in tags]}
                sends.append(("/tags/assets", json.dumps(body).encode()))
        await self.all_of(sends)
        return set(self.tags)

    async def all_of(self, sends: list[tuple[str, bytes]]) -> None:
        waiting = iter(sends)

        async def work() -> None:
            for path, body in waiting:
                await self.send("PUT", path, body)

        async with asyncio.TaskGroup() as group:
            for _ in range(IN_FLIGHT):
                group.create_task(work())

    async def settle(self, awaited: set[str], before: dict[str, str]) -> float:
        """Look until every asset has moved and nothing moves any more; give when the last move was seen."""
        last = time.monotonic()
        while True:
            now = time.monotonic()
            if await self.look():
                last = now
            left = [asset for asset in awaited if self.seen[asset] == before[asset]]
            if not left and now - last >= STILL:
                return last
            if now - last > OVERDUE:
                raise TimeoutError(f"{len(left)} assets did not settle, {left[0]} for one")
            await asyncio.sleep(LOOK)

    async def look(self) -> bool:
        moved, page, since, newest = False, 1, self.cursors[0], self.cursors[-1]
        while page:
            body = {"updatedAfter": since, "size": 1000, "page": page, "visibility": "timeline"}
            answer = json.loads(await self.send("POST", "/search/metadata", json.dumps(body).encode()))
            for row in answer["assets"]["items"]:
                asset, updated = row["id"], row["updatedAt"]
                newest = max(newest, updated)
                if asset in self.seen and updated > self.seen[asset]:
                    self.seen[asset], moved = updated, True
            page = int(answer["assets"]["nextPage"] or 0)
        self.cursors.append(newest)
        return moved

    async def wrong(self) -> int:
        """Count assets that do not carry what was sent, if the plan asks."""
        if not self.plan.get("verify"):
            return 0
        wrong = 0
        for asset in self.seen:
            shown = (await self.http.get(f"/assets/{asset}")).json()
            sent = json.loads(self.fields.get(asset, "{}"))
            kept = (shown.get("exifInfo") or {}).get("description")
            text = "description" in sent and settled_description(sent["description"]) != kept
            tags = set(self.tags.get(asset, ())) - {tag["value"] for tag in shown["tags"]}
            wrong += bool(text or tags)
        return wrong


async def main(plan: dict) -> None:
    bound = Bound(plan)
    cpu = time.process_time()
    found = await bound.run()
    print(json.dumps(found | {"cpu": time.process_time() - cpu}))


if __name__ == "__main__":
    asyncio.run(main(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))))
