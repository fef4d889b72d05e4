"""``make bench``: requests, time and memory of the reconciler, each beside its limit.

For 1,000 and 10,000 images with distinct content, and with ``--realistic`` for 200 images of 18 tags on a server
as slow as a measured one. Every process is its own: the simulator, the reconciler and the bound (a bare loop that
sends the same writes with the same settling, see ``bound.py``) each get a fresh start. Exits 1 when a limit is
exceeded, so the figures can be trusted without being read.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT))  # also runs from a checkout that nothing leads to

import idle  # noqa: E402 - after the path to the checkout
from catalogues import build  # noqa: E402 - the same
from report import Table  # noqa: E402 - the same

if TYPE_CHECKING:
    from collections.abc import Iterator

UNKIND = "settling,lost_updates,round_trip,early_updated_at,unstable_paging,slow_tagging,clock_skew"
"""How a real server is, without what makes assets special or answers fail: the bare loop could not go on."""
MOST_REQUESTS = 3.3


@dataclass(frozen=True)
class Case:
    images: int
    drain: float
    """Jobs a second in each of the simulated server's two queues; 28 were measured on a real one of 2 cores."""
    most_ratio: float = 1.15
    tags: int | None = None


PAGED = 100_000
FIRST_BYTE = 100.0

SMALL = Case(1000, 60.0)
CASES = (SMALL, Case(10000, 150.0))
REALISTIC = (Case(200, 28.0, most_ratio=1.2, tags=18),)


@dataclass(frozen=True)
class Server:
    url: str
    key: str
    pid: int


@contextmanager
def simulator(catalogue: Path, drain: float) -> Iterator[Server]:
    command = [sys.executable, "-m", "reconciler.simulator", "--catalogue", str(catalogue)]
    command += ["--drain", str(drain), "--unkind", UNKIND]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment()) as process:
        try:
            url, key = (process.stdout.readline().partition(": ")[2].strip() for _ in range(2))
            if not key:
                sys.exit("The simulator did not start.")
            yield Server(url, key, process.pid)
        finally:
            process.terminate()


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}


def child(script: str, *arguments: object) -> dict:
    """Run one of the scripts here and give what it measured."""
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment()) as process:
        output, _ = process.communicate()
    if process.returncode:
        sys.exit(f"{script} {arguments[0]} failed with {process.returncode}; nothing was measured.")
    return json.loads(output.splitlines()[-1])


def ask(server: Server, what: str, *, post: bool = False) -> dict:
    with urllib.request.urlopen(f"{server.url}/_simulator/{what}", data=b"{}" if post else None) as answer:
        return json.load(answer)


def run_bound(catalogue: Path, case: Case, folder: Path) -> dict:
    with simulator(catalogue, case.drain) as server:
        plan = child("passes.py", "writes", catalogue, server.url, server.key, folder)
        file = folder / "writes.json"
        file.write_text(json.dumps(plan), encoding="utf-8")
        ask(server, "reset", post=True)
        bound = child("bound.py", file)
        counts = {"requests": ask(server, "requests"), "faults": ask(server, "faults")}
    sets = [tuple(write["tags"]) for write in plan["tags"]]
    content = {
        "texts": len({write["body"] for write in plan["fields"]}),
        "sets": len(set(sets)),
        "tags_each": statistics.mean(map(len, sets)),
    }
    return bound | counts | content


def run_engine(catalogue: Path, case: Case, folder: Path) -> tuple[dict, dict, dict]:
    with simulator(catalogue, case.drain) as server:
        arguments = (catalogue, server.url, server.key, folder / "state.sqlite3")
        first = child("passes.py", "apply", *arguments)
        later = child("passes.py", "apply-again", *arguments)
    return first["apply"], later["apply"], later["daemon"]


def measure(case: Case, table: Table) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        catalogue = folder / "skymmich.sqlite3"
        build(catalogue, case.images, case.tags)
        planning = child("passes.py", "planning", catalogue)
        bound = run_bound(catalogue, case, folder)
        first, second, daemon = run_engine(catalogue, case, folder)
    table.heading(
        f"{case.images:,} images, {bound['texts']:,} texts and {bound['sets']:,} sets of tags "
        f"({bound['tags_each']:.1f} tags each), a server that settles {case.drain:g} writes/s"
    )
    show_times(case, table, bound, first)
    show_requests(case, table, first)
    table.row("peak memory of the first apply", f"{first['memory'] / 2**20:.0f} MiB")
    for title, result in (("second apply", second), ("a daemon's pass without a change", daemon)):
        requests, cpu = result["requests"], f"{result['cpu']:.2f} s of CPU"
        table.row(title, f"{result['seconds']:.2f} s", f"{cpu}, {requests['total']} requests")
        table.limit("  writes", requests["writes"], 0, "{}")
    mean = f"mean {planning['mean'] * 1e3:.2f} ms"
    table.row("planning an image, without the network", f"{planning['median'] * 1e3:.2f} ms", mean)
    for title, what in (("  in slices", "built_in"), ("  by a user's template, in its process", "own")):
        found = planning[what]
        cpu = f"{found['cpu'] * 1e3:.2f} ms of CPU"
        table.row(title, f"{found['seconds'] * 1e3:.2f} ms", cpu)
        table.limit("  beside one image after the other", found["seconds"] / planning["mean"], 1.2, "{:.2f}")
    beside = f"{planning['own']['beside']:.1f} s of CPU, with its start"
    table.row("  that process", f"{planning['own']['memory'] / 2**20:.0f} MiB", beside)
    table.row("reading an image from the catalogue", f"{planning['reading'] * 1e3:.2f} ms")


def show_times(case: Case, table: Table, bound: dict, first: dict) -> None:
    cpu = f"{bound['cpu']:.1f} s of CPU, {bound['requests']['writes']:,} writes"
    table.row("the bound: the same writes, a bare loop", f"{bound['seconds']:.1f} s", cpu)
    cpu = f"{first['cpu']:.1f} s of CPU, {first['requests']['writes']:,} writes"
    table.row("first apply", f"{first['seconds']:.1f} s", cpu)
    table.row("  reading and planning, before any write", f"{first['preparing']:.1f} s")
    table.limit("  beside the bound", first["seconds"] / bound["seconds"], case.most_ratio, "{:.3f}")
    for what in ("overlaps", "lost", "rejected"):
        if bound["faults"][what]:
            table.fail(f"the bound has {bound['faults'][what]} writes {what}: the comparison is not fair")


def show_requests(case: Case, table: Table, first: dict) -> None:
    for route, count in first["requests"].items():
        if route not in {"total", "writes", "reads"}:
            table.row(f"    {route}", f"{count:,}", f"{count / case.images:.3f} per image")
    table.limit("  requests per image", first["requests"]["total"] / case.images, MOST_REQUESTS, "{:.3f}")
    for what in ("overlaps", "lost", "rejected"):
        table.limit(f"  writes {what}", first["faults"][what], 0, "{}")
    table.limit("  images not in sync", case.images - first["statuses"].get("in_sync", 0), 0, "{}")


def measure_daemon(table: Table) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        catalogue = Path(name) / "skymmich.sqlite3"
        build(catalogue, idle.IMAGES)
        with simulator(catalogue, drain=1000.0) as server:

            def quiet() -> bool:
                written = ask(server, "requests").get("PUT /tags/assets", 0)
                return written >= idle.IMAGES and ask(server, "idle")["idle"]

            idle.measure(table, environment(), catalogue, server.url, server.key, quiet)


def measure_pages(table: Table) -> None:
    table.heading(f"The page with {PAGED:,} images in the store: first byte, median of seven")
    for name, times in child("page.py", PAGED).items():
        note = f"the first of all: {times[0]:.0f} ms"
        if name in {"the overview", "the grid"}:
            table.limit(name, statistics.median(times), FIRST_BYTE, "{:.1f} ms")
        else:
            table.row(name, f"{statistics.median(times):.1f} ms", note)


def main() -> int:
    options = _parser().parse_args()
    cases = REALISTIC if options.realistic else (SMALL,) if options.quick else CASES
    if options.images:
        cases = tuple(Case(count, options.drain or SMALL.drain) for count in options.images)
    began, table = time.monotonic(), Table()
    for case in cases:
        measure(case, table)
    if not options.realistic and not options.images:
        measure_daemon(table)
        measure_pages(table)
    print(f"\nMeasured in {time.monotonic() - began:.0f} s.")
    return table.verdict()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure the reconciler against its limits.")
    parser.add_argument(
        "--realistic", action="store_true", help="200 images of 18 tags, a server that settles 28 writes/s"
    )
    parser.add_argument("--quick", action="store_true", help="without the 10,000 images")
    parser.add_argument(
        "--images", type=int, nargs="+", help="only so many images (more than one number: each)"
    )
    parser.add_argument("--drain", type=float, help="with --images: writes a second that the server settles")
    return parser


if __name__ == "__main__":
    raise SystemExit(main())
