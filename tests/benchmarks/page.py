"""How soon the page's first byte comes with a hundred thousand images in the store, beside an empty page's.

A real store and the real web server; the daemon behind them is a stand-in that only holds a catalogue, so that
what is measured is the page. Prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import random
import sys
import tempfile
import time
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

from reconciler.core.catalogue import Catalogue, CatalogueImage, CatalogueObject, Equipment
from reconciler.core.packed_catalogue import PackedImages
from reconciler.core.policy import Switches
from reconciler.core.records import AssetRecord, JournalEntry, Run
from reconciler.service.api import Headline, ImageView, Snapshot
from reconciler.web.app import create_app
from reconciler.web.server import WebServer
from state.store import StateStore

PATHS = {
    "an empty page": "/livez",
    "the overview": "/",
    "the grid": "/images",
    "the grid, the last page": "/images?page=1000000",
    "the grid, the last written first": "/images?sort=written&page=70",
    "the list, compact": "/images?density=list",
    "the grid, by state": "/images?status=conflict",
    "searched: a number in the title": "/images?q=47{turn}1",
    "searched: all have it": "/images?q={part}",
    "searched: an object and a camera": "/images?q=ngc123{turn}+camera",
    "searched: a state": "/images?q=in+conflict+{turn}",
    "an image among those with a camera": "/images/4711?q=camera+1{turn}",
    "the next image of the same search": "/images/4712?q=camera+10",
    "the same search, another page": "/images?q=camera+10&page=2",
    "the grid, by target": "/images?target=NGC+1234",
    "the grid, by equipment": "/images?equipment=Camera+3",
    "the grid, by target and state": "/images?target=NGC+1234&status=in_sync",
    "the grid, what changed in Immich last": "/images?sort=changed&page=70",
    "the grid, what needs attention first": "/images?sort=state&page=70",
    "searched: nothing has it": "/images?q=nowhere{turn}",
    "an image": "/images/4711",
    "an image's state": "/images/4711/state",
    "the overview's cards": "/parts/attention",
    "the overview's latest changes": "/parts/recent",
    "the overview's counts": "/parts/counts",
    "the overview's runs": "/parts/passes",
    "the runs": "/runs",
    "the runs, a later page": "/runs?before=run250",
    "a run of all images": "/runs/run0",
    "a run of all images, a later page": "/runs/run0?before=50000",
    "a run of nothing": "/runs/run7",
    "the doctor": "/doctor",
    "metrics": "/metrics",
    "the status": "/api/v1/status",
    "the API's list of images": "/api/v1/images",
    "the API's list, a later page": "/api/v1/images?after={after}",
}
REPEATS = 7
NOW = datetime.now(UTC)


def asset(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


class StandIn:
    """A daemon that has looked at everything."""

    def __init__(self, catalogue: Catalogue, counts: dict[str, int]) -> None:
        self._catalogue = catalogue
        self._snapshot = Snapshot(
            headline=Headline("not_in_sync", "attention", images=sum(counts.values()), counts=counts),
            started_at=NOW,
            checked_at=NOW,
            attempted_at=NOW,
            counts=counts,
            switches=Switches(),
            switches_source="Skymmich",
        )

    def snapshot(self) -> Snapshot:
        return self._snapshot

    def catalogue(self) -> Catalogue:
        return self._catalogue

    @asynccontextmanager
    async def subscribe(self):
        yield ()

    def run_state(self, _: str) -> None:
        return None

    def assets_of(self, image_id: int) -> tuple[str, ...]:
        image = self._catalogue.image(image_id)
        return (image.asset_id,) if image is not None and image.asset_id else ()

    async def view(self, image_id: int, asset_id: str = "") -> ImageView | None:  # noqa: ARG002
        image = self._catalogue.image(image_id)
        return None if image is None else ImageView(image, None, None)


def catalogue_of(count: int) -> Catalogue:
    chance = random.Random(1)
    cameras = [Equipment(number, f"Camera {number}", "camera") for number in range(40)]
    return Catalogue(
        PackedImages(  # as the reader makes them
            CatalogueImage(
                number,
                asset(number),
                f"Picture {chance.randrange(10**7)}",
                target=CatalogueObject(f"NGC {number % 7000}"),
                equipment=(cameras[number % 40],),
            )
            for number in range(count)
        )
    )


def fill(store: StateStore, catalogue: Catalogue) -> None:
    images = catalogue.images
    for start in range(0, len(images), 10_000):
        store.save_records(
            AssetRecord(
                image.asset_id or "",
                image.image_id,
                image.title,
                status="conflict" if image.image_id % 500 == 0 else "in_sync",
                checked_at=NOW,
            )
            for image in images[start : start + 10_000]
        )
        store.journal(
            JournalEntry("run0", image.asset_id or "", image.image_id, "description", "", "block", NOW)
            for image in images[start : start + 10_000]
        )
    for number in range(500):
        store.start_run(Run(f"run{number}", "schedule", NOW - timedelta(minutes=number)))
    store.optimize()


def first_byte(url: str, path: str) -> float:
    """Measure from a connection that is open to the first byte of the answer, in milliseconds."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    connection.connect()
    began = time.perf_counter()
    connection.request("GET", path, headers={"accept": "text/html"})
    answer = connection.getresponse()
    taken = time.perf_counter() - began
    answer.read()
    connection.close()
    if answer.status != 200:
        sys.exit(f"{path} answered {answer.status}")
    return taken * 1000


def _filled(path: str, cursor: str, turn: int) -> str:
    """Return an address; a search is another one each time, for the same one is remembered."""
    return path.format(after=cursor, turn=turn, part="picture"[: REPEATS - turn])


async def measure(count: int) -> dict[str, list[float]]:
    catalogue = catalogue_of(count)
    with (
        tempfile.TemporaryDirectory(prefix="bench-page-") as folder,
        StateStore.open(Path(folder) / "state.sqlite3") as store,
    ):
        fill(store, catalogue)
        app = create_app(StandIn(catalogue, store.counts_by_status()), store)
        async with WebServer(app, "127.0.0.1", 0) as server:

            def ask() -> dict[str, list[float]]:
                address = urlsplit(server.url).netloc
                connection = http.client.HTTPConnection(address, timeout=30)
                connection.request("GET", "/api/v1/images?limit=500")
                cursor = json.loads(connection.getresponse().read())["next"]
                connection.close()
                return {
                    name: [first_byte(server.url, _filled(path, cursor, turn)) for turn in range(REPEATS)]
                    for name, path in PATHS.items()
                }

            await asyncio.wait({server.warming})  # a second or two, while a daemon begins its work
            return await asyncio.to_thread(ask)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(measure(int(sys.argv[1])))))
