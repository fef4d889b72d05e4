"""How long the event loop is held, and what a look costs, with many images: ``loop.py IMAGES [CATALOGUE]``.

A daemon's service, without its schedule, beside a heartbeat; the simulated Immich is another process. That all
images are in sync already is put into the store by hand: to write a hundred thousand takes an hour, and is measured
elsewhere. Prints a table, or one line of JSON with ``--json``. A gap is time that passed between two beats; held is
what of it this process itself worked on the loop, which other programs of a busy machine do not change.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import asynccontextmanager, closing, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))  # also runs from a checkout that nothing leads to

from catalogues import build  # noqa: E402 - after the path to the checkout

from reconciler.core.policy import Policy, Switches, TagPolicy  # noqa: E402 - the same
from reconciler.core.records import AssetRecord, JournalEntry, Run  # noqa: E402 - the same
from reconciler.core.store_keys import ARCHIVED, CANARY, WATERMARK  # noqa: E402 - the same
from reconciler.daemon.memory import give_back, settle_down, share_one_heap  # noqa: E402 - the same
from reconciler.engine.events import ignore  # noqa: E402 - the same
from reconciler.engine.passes import Selection  # noqa: E402 - the same
from reconciler.engine.planner.planner import Wishes  # noqa: E402 - the same
from reconciler.engine.undo import Undo  # noqa: E402 - the same
from reconciler.engine.undo_wish import UndoWish  # noqa: E402 - the same
from reconciler.immich.client import SystemClock  # noqa: E402 - the same
from reconciler.immich.target import Immich  # noqa: E402 - the same
from reconciler.service.api import Request  # noqa: E402 - the same
from reconciler.service.service import Service  # noqa: E402 - the same
from reconciler.skymmich.sources import open_catalogue  # noqa: E402 - the same
from reconciler.web.image_index import Lookups  # noqa: E402 - the same
from state.postgres.place import PostgresPlace  # noqa: E402 - the same
from state.store import StateStore  # noqa: E402 - the same

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from reconciler.engine.passes import Prepared

BEAT = 0.005
"""Seconds between two beats: often enough for gaps of 50 ms, and seldom enough to cost a look next to nothing."""
SLICE = 2000
UNDONE = 200
LOOKS = 20
EACH_IDLE_LOOK = f"idle look, each of {LOOKS}"
WISHES = Wishes(Policy(), Switches())
OTHERS = Wishes(Policy(tags=TagPolicy(root="Sky")), Switches())


def memory(what: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) // 1024 for line in lines if line.startswith(what))


def forget_peak() -> None:
    """Let the peak be that of what follows, where the system can do that."""
    with suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def simulated(url: str, what: str, *, post: bool = False) -> dict:
    with urllib.request.urlopen(f"{url}/_simulator/{what}", data=b"{}" if post else None) as answer:
        return json.load(answer)


class Installed:
    """Fulfils ``service.environment.Installation``."""

    circuit_open_since = None
    mode = "sync"

    def __init__(self, catalogue: Path, url: str, key: str) -> None:
        self.source, self.immich_url = open_catalogue(str(catalogue)), url
        self.immich = Immich(url, key)

    def wishes(self, _: object) -> Wishes:
        return WISHES

    async def target(self, _: object) -> Immich:
        return self.immich

    def warm_up(self) -> None:
        """Load what is loaded late."""
        self.source.data_version()

    async def aclose(self) -> None:
        await self.immich.aclose()


class Phases:
    """What was measured, phase by phase."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.found: dict[str, dict[str, float]] = {}

    @asynccontextmanager
    async def measured(self, name: str) -> AsyncIterator[None]:
        await asyncio.to_thread(simulated, self._url, "reset", post=True)
        longest, held, stop = 0.0, 0.0, asyncio.Event()

        async def beat() -> None:
            nonlocal longest, held
            last, worked = time.perf_counter(), time.thread_time()
            while not stop.is_set():
                await asyncio.sleep(BEAT)
                now, work = time.perf_counter(), time.thread_time()
                longest, held = max(longest, now - last - BEAT), max(held, work - worked)
                last, worked = now, work

        task = asyncio.create_task(beat())
        await asyncio.sleep(0.05)
        forget_peak()
        longest, held, began, cpu = 0.0, 0.0, time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            spent, taken = time.process_time() - cpu, time.perf_counter() - began
            stop.set()
            await task
            requests = await asyncio.to_thread(simulated, self._url, "requests")
            self.found[name] = {
                "gap_ms": longest * 1000,
                "held_ms": held * 1000,
                "cpu_ms": spent * 1000,
                "seconds": taken,
                "requests": requests["total"],
                "rss": memory("VmRSS"),
                "peak": memory("VmHWM"),
            }
            row = {key: round(value, 1) for key, value in self.found[name].items()}
            print(datetime.now(UTC).strftime("%H:%M:%S"), name, row, file=sys.stderr, flush=True)


@contextmanager
def simulator(catalogue: Path) -> Iterator[tuple[str, str]]:
    command = [
        sys.executable,
        str(HERE / "large_immich.py"),
        "--catalogue",
        str(catalogue),
        "--drain",
        "1000",
    ]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [*command, "--unkind", "none"], stdout=subprocess.PIPE, text=True, cwd=ROOT, env=env
    ) as process:
        try:
            url, key = (process.stdout.readline().partition(": ")[2].strip() for _ in range(2))
            if not key:
                sys.exit("The simulator did not start.")
            yield url, key
        finally:
            process.terminate()


async def keep_as_in_sync(prepared: Prepared, store: StateStore) -> None:
    """Record all of a plan as if it had been carried out."""
    now, old = datetime.now(UTC), datetime.now(UTC) - timedelta(days=400)
    store.start_run(Run("run", "cli", old))
    records, entries = [], []

    def save() -> None:
        with store.transaction():
            store.save_records(records)
            store.journal(entries)
        records.clear()
        entries.clear()

    for item in prepared.items:
        plan = item.plan
        if plan is None:
            continue
        desired = plan.desired
        applied = replace(plan.base, block=desired.block, tags=desired.tags)
        records.append(
            AssetRecord(
                item.asset_id, item.image_id, item.title, applied, item.fingerprint, "in_sync", "",
                plan.observed.updated_at, plan.observed.width, plan.observed.height, checked_at=now,
            )
        )  # fmt: skip
        entries += [
            JournalEntry("run", item.asset_id, item.image_id, "description", "", desired.block, old),
            JournalEntry("run", item.asset_id, item.image_id, "tags", [], sorted(desired.tags), old),
        ]
        if len(records) >= SLICE:
            save()
            await asyncio.sleep(0)
    if records:
        save()
    store.start_run(Run("newest", "cli", now))
    ARCHIVED.write(store, [])
    WATERMARK.write(store, now + timedelta(seconds=1))
    CANARY.forget(store)


async def many_idle_looks(service: Service, phases: Phases) -> None:
    """Measure looks in a row, and give one's share: a processor that was asleep takes twice as long for one."""
    async with phases.measured(EACH_IDLE_LOOK):
        for _ in range(LOOKS):
            service.enqueue(Request(by_person=False, trigger="immich"))
            await service.tick()
    found = phases.found[EACH_IDLE_LOOK]
    for name in ("cpu_ms", "seconds", "requests"):
        found[name] /= LOOKS


def change_one(catalogue: Path) -> None:
    with closing(sqlite3.connect(catalogue)) as connection, connection:
        connection.execute(
            "UPDATE astrophotography_images SET title = title || ' II' WHERE id = "
            "(SELECT max(id) FROM astrophotography_images WHERE immich_id IS NOT NULL)"
        )


async def measure(catalogue: Path, url: str, key: str, kept: Path | PostgresPlace, *, short: bool) -> dict:
    with StateStore.open(kept) as store:
        installed = Installed(catalogue, url, key)
        phases = Phases(url)
        service = Service(installed, store, SystemClock(), random=Random(1))
        lookups = Lookups(service)
        await asyncio.to_thread(installed.warm_up)
        settle_down()  # as the daemon does once it is ready
        async with phases.measured("first plan"):
            prepared = await service.preview()
        await keep_as_in_sync(prepared, store)
        del prepared
        await asyncio.to_thread(give_back)  # as the daemon does after a pass

        async def look(name: str, request: Request | None = None) -> None:
            async with phases.measured(name):
                service.enqueue(request or Request(by_person=False, trigger="immich"))
                await service.tick()
            await asyncio.to_thread(give_back)  # as the daemon does after a pass that did something

        await look("look after a start")
        await look("idle look, by itself")
        await many_idle_looks(service, phases)
        async with phases.measured("page: index and names"):
            await lookups.named()
        await asyncio.to_thread(change_one, catalogue)
        await look("one image changed")
        await look("idle look after it")
        for name, selection, wishes in (
            ()
            if short
            else (
                ("re-plan, another tag root", Selection(by_person=False), OTHERS),
                ("audit", Selection(full=True, by_person=False, brief=True), WISHES),
            )
        ):
            async with phases.measured(name):
                cycle = await service._runner._look_with(service.catalogue())
                await cycle.prepare(selection, wishes)
            await asyncio.to_thread(give_back)
        if short:
            await installed.aclose()
            return phases.found
        undo = Undo(cycle, installed.immich, store, SystemClock(), ignore)
        async with phases.measured(f"undo of {UNDONE} images, planned"):
            entries = await asyncio.to_thread(store.journal_of, "run", limit=2 * UNDONE)
            await undo.prepare(entries, WISHES)
        del entries
        await asyncio.to_thread(give_back)
        for name, wish in (
            ("a whole run", UndoWish(run_id="run")),
            ("everything", UndoWish(everything=True)),
        ):
            async with phases.measured(f"undo of {name}, planned"):
                await undo.prepare(wish, WISHES)
            await asyncio.to_thread(give_back)
        async with phases.measured("housekeeping"):
            await asyncio.to_thread(store.prune, datetime.now(UTC) - timedelta(days=1), 1000)
            await asyncio.to_thread(store.optimize)
        await installed.aclose()
        return phases.found


def build_apart(catalogue: Path, images: int) -> None:
    """Write a catalogue in a process of its own: what that takes is not this one's memory."""
    builder = get_context("spawn").Process(target=build, args=(catalogue, images))
    builder.start()
    builder.join()
    if builder.exitcode:
        sys.exit("The catalogue could not be made.")


def cpu_of(home: Path) -> float:
    """Give the seconds of CPU of a PostgreSQL server, with its processes that ended."""
    server = int((home / "data" / "postmaster.pid").read_text().split()[0])
    seconds = 0.0
    for file in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = file.read_text().rpartition(")")[2].split()
            if int(file.parent.name) == server:
                seconds += sum(map(int, fields[11:15]))
            elif int(fields[1]) == server:
                seconds += sum(map(int, fields[11:13]))
    return seconds / os.sysconf("SC_CLK_TCK")


@contextmanager
def place(folder: Path, *, postgres: bool) -> Iterator[Path | PostgresPlace]:
    if not postgres:
        yield folder / "state.sqlite3"
        return
    from tests.postgres_server import a_server

    with a_server() as server:
        server.execute("CREATE ROLE keeper LOGIN", "CREATE DATABASE state OWNER keeper")
        yield PostgresPlace(server.address("state", "keeper"))
        print(f"the database itself took {cpu_of(server.home):.0f} s of CPU", file=sys.stderr)


def main() -> None:
    """Measure, and print it."""
    parser = argparse.ArgumentParser(description="How long the event loop is held")
    parser.add_argument("images", type=int)
    parser.add_argument("catalogue", type=Path, nargs="?", help="made before; it is changed")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--short", action="store_true", help="without re-plan, audit, undo and housekeeping")
    parser.add_argument("--postgres", action="store_true", help="keep the state in a PostgreSQL of its own")
    asked = parser.parse_args()
    share_one_heap()  # as the daemon does
    with tempfile.TemporaryDirectory(prefix="bench-loop-") as name:
        folder = Path(name)
        catalogue = asked.catalogue or folder / "catalogue.sqlite3"
        if asked.catalogue is None:
            build_apart(catalogue, asked.images)
        with simulator(catalogue) as (url, key), place(folder, postgres=asked.postgres) as kept:
            found = asyncio.run(measure(catalogue, url, key, kept, short=asked.short))
    if asked.json:
        print(json.dumps(found))
        return
    print(f"{asked.images:,} images: gap ms, of it held ms, CPU ms, requests, resident MB, peak MB")
    for phase, of in found.items():
        print(
            f"  {phase:28}{of['gap_ms']:9.0f}{of['held_ms']:9.0f}{of['cpu_ms']:10.1f}{of['requests']:7.0f}"
            f"{of['rss']:8.0f}{of['peak']:8.0f}"
        )


if __name__ == "__main__":
    main()
