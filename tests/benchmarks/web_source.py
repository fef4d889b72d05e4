"""What a catalogue over Skymmich's web address costs: the first reading, and an hour in which nothing changes.

The hour is virtual; its requests and bytes are real, over real sockets, from the stand-in of Skymmich's API.
"""

from __future__ import annotations

import json
import sqlite3
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from reconciler.skymmich.rest.source import RestCatalogue  # noqa: E402 - the same
from tests.benchmarks.catalogues import build  # noqa: E402 - after the path to the checkout
from tests.skymmich.standin import AsPostgres, SqliteData, serving  # noqa: E402 - the same

if TYPE_CHECKING:
    from collections.abc import Callable

    from report import Table

IMAGES = 10_000
LOOK = 5.0
MOST_REQUESTS = 2_500
"""Over an hour: two in three seconds, most of a hundred bytes."""
MOST_MEGABYTES = 700
DATA = {"sqlite": SqliteData, "postgresql": AsPostgres}


def measure(images: int, kind: str, seconds: float = 3600.0) -> dict:
    """Measure the first reading and so many seconds after the first hour, which still settles."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        build(folder / "skymmich.sqlite3", images)
        _index(folder / "skymmich.sqlite3")
        now = [time.time()]
        with serving(DATA[kind](folder / "skymmich.sqlite3")) as standin:
            standin.kept = {}
            source = RestCatalogue(standin.url, kept=folder / "answers.sqlite3", clock=lambda: now[0])
            try:
                began = time.perf_counter()
                found = {"images": len(source.read().images), "first_seconds": time.perf_counter() - began}
                found |= {"first_requests": standin.total, "first_bytes": standin.sent}
                now[0] += 3600.0
                for _ in range(3):
                    now[0] += LOOK
                    source.data_version()
                standin.requests.clear()
                before, cpu = standin.sent, time.process_time()
                until = now[0] + seconds
                while now[0] < until:
                    now[0] += LOOK
                    if source.data_version() is None:
                        sys.exit("A look failed; nothing was measured.")
                cpu = time.process_time() - cpu
                return found | {"requests": standin.total, "bytes": standin.sent - before, "cpu": cpu}
            finally:
                source.close()


def _index(path: Path) -> None:
    """Let the stand-in answer as quickly as it can: it is not what is measured."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in ("image_acquisition", "image_equipment"):
            connection.execute(f"CREATE INDEX of_{table} ON {table} (image_id)")


def measure_web(table: Table, child: Callable[..., dict]) -> None:
    """Measure both kinds of Skymmich, each in a process of its own."""
    table.heading(f"{IMAGES:,} images over Skymmich's web address, nothing changes")
    for kind in DATA:
        found = child("web_source.py", IMAGES, kind)
        table.row(
            f"first reading, {kind} behind it", f"{found['first_requests']:,} requests",
            f"{found['first_bytes'] / 1e6:.0f} MB, {found['first_seconds']:.0f} s",
        )  # fmt: skip
        table.row("  CPU of an hour's looks, with the stand-in's", f"{found['cpu']:.1f} s")
        table.limit("  requests an hour", found["requests"], MOST_REQUESTS, "{:,.0f}")
        table.limit("  megabytes an hour", found["bytes"] / 1e6, MOST_MEGABYTES, "{:,.0f}")


if __name__ == "__main__":
    print(json.dumps(measure(int(sys.argv[1]), sys.argv[2])))
