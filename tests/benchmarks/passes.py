"""What is measured of the reconciler, each in a process of its own so that CPU and memory are its own.

``passes.py apply CATALOGUE URL STORE ROOT``: a first apply, with the parent of all tags. With the same arguments:
``apply-again``, one that finds nothing to do, one more of the same cycle, as the daemon does it, and one that finds
one image changed; ``undo``, of the first; ``writes``, what a first apply would write, for the bound. ``planning
CATALOGUE``: seconds to plan an image, without network and store. The key comes from the environment. Each prints
one line of JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import resource
import sqlite3
import statistics
import sys
import time
import urllib.request
from collections import Counter
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from catalogues import PIXELS, computer
from meter import server_cpu, since
from wire import Wire, is_simulator

from reconciler.core.asset import ObservedAsset
from reconciler.core.desired.desired import Form
from reconciler.core.desired.template import DEFAULT_TEMPLATE
from reconciler.core.plan.asset_plan import plan_asset
from reconciler.core.plan.plan import Rules
from reconciler.core.policy import DescriptionPolicy, Policy, Switches, TagPolicy
from reconciler.engine.events import Progress
from reconciler.engine.passes import Selection
from reconciler.engine.planner.desired import DesiredStateComputer, DesiredStates
from reconciler.engine.planner.wishes import Wishes
from reconciler.engine.reconcile import Reconciler
from reconciler.engine.undo import Undo
from reconciler.immich import roundtrip
from reconciler.immich.client import SystemClock
from reconciler.immich.roundtrip import field_body
from reconciler.immich.target import Immich
from reconciler.immich.wire import iso
from reconciler.rendering.renderer import SafeRenderer
from reconciler.skymmich.sources import open_catalogue
from state.store import StateStore

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from typing import Self

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.core.desired.desired import Desired

MOST_PLANNED = 2000
KEY = "IMMICH_TEST_API_KEY"
RULES = Rules(Policy(), Switches(), "2.7.5", "me")


def measured_memory() -> int:
    """Give the most memory that this process ever held, in bytes (VmHWM)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def ask_simulator(url: str, what: str, *, post: bool = False) -> dict:
    data = b"{}" if post else None
    with urllib.request.urlopen(f"{url}/_simulator/{what}", data=data, timeout=60) as answer:
        return json.load(answer)


class Bench:
    """Passes of one cycle, each beside what went over the wire and, of a simulated server, its faults."""

    def __init__(self, catalogue: str, url: str, store: str | Path, root: str) -> None:
        self.url, self.catalogue, self.wire = url, catalogue, Wire()
        self.target = Immich(url, os.environ[KEY], transport=self.wire)
        self.store = StateStore.open(store)
        self.wishes = Wishes(replace(Policy(), tags=TagPolicy(root=root)), Switches())
        self.cycle = Reconciler(
            open_catalogue(catalogue), self.target, self.store, SystemClock(), listen=self.listen, mode="sync"
        )
        self.writing_since: float | None = None

    async def __aenter__(self) -> Self:
        self.simulated = is_simulator(self.url)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.target.aclose()
        self.store.close()

    def listen(self, event: object) -> None:
        if isinstance(event, Progress) and event.phase == "writing":
            self.writing_since = self.writing_since or time.perf_counter()

    async def measure(self, name: str, work: Callable[[], Awaitable[dict]]) -> dict:
        if self.simulated:
            ask_simulator(self.url, "reset", post=True)
        self.wire.reset()
        self.writing_since = None
        server = server_cpu()
        began, cpu = time.perf_counter(), time.process_time()
        found = await work()
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        return {
            "name": name,
            "seconds": seconds,
            "preparing": (self.writing_since or began) - began,
            "cpu": cpu,
            "server_cpu": since(server),
            "memory": measured_memory(),
            "requests": self.wire.counted(),
            "window": self.wire.window(),
            "faults": ask_simulator(self.url, "faults") if self.simulated else None,
            **found,
        }

    async def run(self, name: str) -> dict:
        async def work() -> dict:
            report = await self.cycle.run(Selection(), self.wishes, run_id=name, trigger="cli")
            statuses = Counter(outcome.status for outcome in report.outcomes)
            return {"images": len(report.outcomes), "statuses": statuses}

        return await self.measure(name, work)

    async def undo(self, run_id: str) -> dict:
        async def work() -> dict:
            undo = Undo(self.cycle, self.target, self.store, SystemClock(), self.listen)
            entries = self.store.journal_of(run_id=run_id, limit=10**7)
            prepared = await undo.prepare(entries, self.wishes)
            report = await undo.apply(prepared, run_id="undo", stop=lambda: False)
            return {"images": len(report.undone), "left": len(report.left)}

        return await self.measure("undo", work)

    def change_one(self) -> None:
        """Change one image in the catalogue, as its owner does."""
        table = "astrophotography_images"
        with closing(sqlite3.connect(self.catalogue)) as connection, connection:
            first = f"SELECT min(id) FROM {table} WHERE immich_id IS NOT NULL"
            connection.execute(f"UPDATE {table} SET title = title || ' II' WHERE id = ({first})")


async def apply(*arguments: str) -> dict:
    """Measure an apply of a process of its own."""
    async with Bench(*arguments) as bench:
        return {"apply": await bench.run("apply")}


async def apply_again(*arguments: str) -> dict:
    """Measure a later apply, and two more passes as a daemon does them, which knows the one before."""
    async with Bench(*arguments) as bench:
        again, daemon = await bench.run("second"), await bench.run("third")
        bench.change_one()
        return {"apply": again, "daemon": daemon, "change": await bench.run("change")}


async def take_back(*arguments: str) -> dict:
    """Measure the undo of the first apply."""
    async with Bench(*arguments) as bench:
        return {"undo": await bench.undo("apply")}


async def writes_of(*arguments: str) -> dict:
    """Plan the first apply against a fresh server, and give what it would send."""
    async with Bench(*arguments) as bench:
        prepared = await bench.cycle.prepare(Selection(), bench.wishes)
    plans = prepared.changes
    fields = [
        {
            "id": plan.asset_id,
            "body": field_body(description=plan.description, coordinates=plan.coordinates).decode(),
        }
        for plan in plans
        if plan.writes_fields
    ]
    return {
        "url": bench.url,
        "seen": {plan.asset_id: iso(plan.observed.updated_at) for plan in plans},
        "fields": fields,
        "tags": [{"id": plan.asset_id, "tags": sorted(plan.add_tags)} for plan in plans if plan.add_tags],
    }


async def planning(catalogue: str) -> dict:
    """Measure one image after the other, and as passes do it: in slices, by both kinds of template."""
    began = time.perf_counter()
    images = open_catalogue(catalogue).read().linked()
    reading = (time.perf_counter() - began) / len(images)
    chosen = images[:: max(1, len(images) // MOST_PLANNED)]
    wanted, spent = computer(), []
    gc.collect()
    for image in chosen:
        began = time.perf_counter()
        plan(image, wanted(image))
        spent.append(time.perf_counter() - began)
    mean, median = statistics.mean(spent), statistics.median(spent)
    built_in, own = await planning_in_slices(chosen, None), await planning_in_slices(chosen, DEFAULT_TEMPLATE)
    return {"median": median, "mean": mean, "reading": reading, "built_in": built_in, "own": own}


def plan(image: CatalogueImage, desired: Desired) -> None:
    width, height = PIXELS
    date = datetime(2026, 1, 1, tzinfo=UTC)
    seen = ObservedAsset(image.asset_id, "me", date, tags=frozenset(), width=width, height=height)
    plan_asset(image.image_id, image.title, desired, seen, None, RULES)


async def planning_in_slices(images: Sequence[CatalogueImage], template: str | None) -> dict:
    policy = Policy(DescriptionPolicy(template=template))
    form, desires = Form(roundtrip.settled_description, roundtrip.settled_tag), DesiredStates()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    with SafeRenderer() as renderer:
        computer = DesiredStateComputer(renderer, form)
        await computer.check(policy.description)  # starts the process, if there is to be one
        gc.collect()
        began, cpu = time.perf_counter(), time.process_time()
        await computer.compute([(image, PIXELS) for image in images], policy, desires)
        for image in images:
            plan(image, desires.of(image))
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        memory = resident(renderer.pid) if renderer.pid else 0
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    beside = ended.ru_utime + ended.ru_stime - children.ru_utime - children.ru_stime
    count = len(images)
    return {"seconds": seconds / count, "cpu": cpu / count, "beside": beside, "memory": memory}


def resident(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))


WHAT = {
    "apply": apply,
    "apply-again": apply_again,
    "undo": take_back,
    "writes": writes_of,
    "planning": planning,
}

if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    print(json.dumps(asyncio.run(WHAT[what](*arguments))))
