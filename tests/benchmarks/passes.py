"""What is measured of the reconciler, each in a process of its own so that CPU and memory are its own.

``passes.py apply CATALOGUE URL KEY STORE``: a first apply. ``apply-again``, with the same arguments: one that finds
nothing to do, and one more of the same cycle, as the daemon does it. ``writes CATALOGUE URL KEY FOLDER``: the writes
of a first apply, for the bound. ``planning CATALOGUE``: seconds to plan an image, without network and store. Each
prints one line of JSON.
"""

from __future__ import annotations

import asyncio
import gc
import json
import resource
import statistics
import sys
import time
import urllib.request
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from catalogues import PIXELS, desirer

from reconciler.core.asset import ObservedAsset
from reconciler.core.desired import Form
from reconciler.core.plan import Rules
from reconciler.core.planning import plan_asset
from reconciler.core.policy import DescriptionPolicy, Policy, Switches
from reconciler.core.template import DEFAULT_TEMPLATE
from reconciler.engine.cycle import Cycle
from reconciler.engine.desiring import Desirer, Desires
from reconciler.engine.events import Progress
from reconciler.engine.passes import Selection
from reconciler.engine.preparing import Wishes
from reconciler.immich import roundtrip
from reconciler.immich.client import SystemClock
from reconciler.immich.roundtrip import field_body
from reconciler.immich.target import Immich
from reconciler.immich.wire import iso
from reconciler.rendering.renderer import SafeRenderer
from reconciler.skymmich.sources import open_catalogue
from state.store import SqliteStore

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Self

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.core.desired import Desired

MOST_PLANNED = 2000
WISHES = Wishes(Policy(), Switches())
RULES = Rules(WISHES.policy, Switches(), "2.7.5", "me")


def measured_memory() -> int:
    """Give the most memory that this process ever held, in bytes (VmHWM)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def ask_simulator(url: str, what: str, *, post: bool = False) -> dict:
    data = b"{}" if post else None
    with urllib.request.urlopen(f"{url}/_simulator/{what}", data=data, timeout=60) as answer:
        return json.load(answer)


class Bench:
    """Passes of one cycle, each beside what the simulated server counted of it."""

    def __init__(self, catalogue: str, url: str, key: str, store: str | Path) -> None:
        self.url, self.target, self.store = url, Immich(url, key), SqliteStore.open(store)
        source = open_catalogue(catalogue)
        self.cycle = Cycle(source, self.target, self.store, SystemClock(), listen=self.listen)
        self.writing_since: float | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.target.aclose()
        self.store.close()

    def listen(self, event: object) -> None:
        if isinstance(event, Progress) and event.phase == "writing":
            self.writing_since = self.writing_since or time.perf_counter()

    async def measure(self, name: str) -> dict:
        ask_simulator(self.url, "reset", post=True)
        began, cpu = time.perf_counter(), time.process_time()
        report = await self.cycle.run(Selection(), WISHES, run_id=name, trigger="cli")
        seconds, cpu = time.perf_counter() - began, time.process_time() - cpu
        return {
            "seconds": seconds,
            "preparing": (self.writing_since or began) - began,
            "cpu": cpu,
            "memory": measured_memory(),
            "images": len(report.outcomes),
            "statuses": Counter(outcome.status for outcome in report.outcomes),
            "requests": ask_simulator(self.url, "requests"),
            "faults": ask_simulator(self.url, "faults"),
        }


async def apply(catalogue: str, url: str, key: str, store: str) -> dict:
    """Measure an apply of a process of its own."""
    async with Bench(catalogue, url, key, store) as bench:
        return {"apply": await bench.measure("apply")}


async def apply_again(catalogue: str, url: str, key: str, store: str) -> dict:
    """Measure a later apply, and one more pass as a daemon does it, which knows the one before."""
    async with Bench(catalogue, url, key, store) as bench:
        return {"apply": await bench.measure("second"), "daemon": await bench.measure("third")}


async def writes_of(catalogue: str, url: str, key: str, folder: str) -> dict:
    """Plan the first apply against a fresh server, and give what it would send."""
    async with Bench(catalogue, url, key, Path(folder) / "unused.sqlite3") as bench:
        prepared = await bench.cycle.prepare(Selection(), WISHES)
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
        "url": url,
        "api_key": key,
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
    wanted, spent = desirer(), []
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
    form, desires = Form(roundtrip.settled_description, roundtrip.settled_tag), Desires()
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    with SafeRenderer() as renderer:
        desirer = Desirer(renderer, form)
        await desirer.check(policy.description)  # starts the process, if there is to be one
        gc.collect()
        began, cpu = time.perf_counter(), time.process_time()
        await desirer.compute([(image, PIXELS) for image in images], policy, desires)
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


WHAT = {"apply": apply, "apply-again": apply_again, "writes": writes_of, "planning": planning}

if __name__ == "__main__":
    what, *arguments = sys.argv[1:]
    print(json.dumps(asyncio.run(WHAT[what](*arguments))))
