"""``make bench``: requests, time and memory of the reconciler, each beside its limit.

For 200 images of 18 tags on a server as slow as a measured one, quiet and with busy neighbours, and for 1,000 and
10,000 images with distinct content; then the daemon, its pages, its event loop with up to 100,000, and a catalogue
over the web. Every process is its own: the simulator, the reconciler and the bound (a bare loop that sends the same writes, see ``bound.py``)
each get a fresh start. Exits 1 when a limit is exceeded, so the figures can be trusted without being read.
``--server URL`` measures on a real Immich instead, see ``real.py``.
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
import real  # noqa: E402 - the same
from bound import KEY, TAGS_FIRST  # noqa: E402 - the same
from catalogues import build  # noqa: E402 - the same
from everything import measure_everything  # noqa: E402 - the same
from looping import MILLION, SIZES, measure_loop  # noqa: E402 - the same
from report import Table  # noqa: E402 - the same
from showing import MOST_RATIO, show_later, show_requests, show_undo, show_window  # noqa: E402 - the same
from web_source import measure_web  # noqa: E402 - the same

if TYPE_CHECKING:
    from collections.abc import Iterator

UNKIND = (
    "settling,lost_updates,round_trip,early_updated_at,unstable_paging,slow_tagging,clock_skew,tag_upserts"
)
"""How a real server is, without what makes assets special or answers fail: the bare loop could not go on."""
ROOT_TAG = "Astro"


@dataclass(frozen=True)
class Case:
    images: int
    drain: float
    """Jobs a second in each of the simulated server's two queues, for assets without tags."""
    tags: int | None = None
    busy: bool = False
    """Whether other processes compete with the server for its machine."""
    thorough: bool = True
    """Whether the other order and an undo are measured as well."""


IMAGES_ON_A_SERVER = 200
PAGED = 100_000
FIRST_BYTE = 100.0

SMALL = Case(1000, 60.0, thorough=False)
REALISTIC = (Case(200, 20.0, tags=18), Case(200, 37.7, tags=18, busy=True))
"""As slow as real servers of 2 cores were: the better order took 23.8 s on the quiet one, 24.3 s on the busy one."""
CASES = (*REALISTIC, SMALL, Case(10000, 150.0, thorough=False))


@dataclass(frozen=True)
class Server:
    url: str
    key: str
    pid: int


@contextmanager
def simulator(catalogue: Path, drain: float, *, busy: bool = False) -> Iterator[Server]:
    command = [sys.executable, "-m", "reconciler.simulator", "--catalogue", str(catalogue)]
    command += ["--drain", str(drain), "--unkind", UNKIND + (",busy_machine" if busy else "")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment()) as process:
        try:
            url, key = (process.stdout.readline().partition(": ")[2].strip() for _ in range(2))
            if not key:
                sys.exit("The simulator did not start.")
            yield Server(url, key, process.pid)
        finally:
            process.terminate()


def environment(key: str = "") -> dict[str, str]:
    keys = {KEY: key} if key else {}
    return {
        **os.environ,
        **keys,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
    }


def child(script: str, *arguments: object, key: str = "") -> dict:
    """Run one of the scripts here and give what it measured."""
    command = [sys.executable, str(HERE / script), *map(str, arguments)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment(key)
    ) as process:
        try:
            output, _ = process.communicate()
        finally:
            process.kill()  # where a signal ended the waiting
    if process.returncode:
        sys.exit(f"{script} {arguments[0]} failed with {process.returncode}; nothing was measured.")
    return json.loads(output.splitlines()[-1])


def ask(server: Server, what: str, *, post: bool = False) -> dict:
    with urllib.request.urlopen(f"{server.url}/_simulator/{what}", data=b"{}" if post else None) as answer:
        return json.load(answer)


def run_bound(catalogue: Path, case: Case, folder: Path, order: tuple[str, str] | None = None) -> dict:
    with simulator(catalogue, case.drain, busy=case.busy) as server:
        arguments = ("writes", catalogue, server.url, folder / "unused.sqlite3", ROOT_TAG)
        plan = child("passes.py", *arguments, key=server.key) | ({"order": order} if order else {})
        file = folder / "writes.json"
        file.write_text(json.dumps(plan), encoding="utf-8")
        ask(server, "reset", post=True)
        bound = child("bound.py", file, key=server.key)
        bound["faults"] = ask(server, "faults")
    sets = [tuple(write["tags"]) for write in plan["tags"]]
    content = {
        "texts": len({write["body"] for write in plan["fields"]}),
        "sets": len(set(sets)),
        "tags_each": statistics.mean(map(len, sets)),
    }
    return bound | content


def run_engine(catalogue: Path, case: Case, folder: Path) -> dict:
    with simulator(catalogue, case.drain, busy=case.busy) as server:
        arguments = (catalogue, server.url, folder / "state.sqlite3", ROOT_TAG)
        first = child("passes.py", "apply", *arguments, key=server.key)["apply"]
        later = child("passes.py", "apply-again", *arguments, key=server.key)
        undo = child("passes.py", "undo", *arguments, key=server.key)["undo"] if case.thorough else None
    return {"first": first, "later": later, "undo": undo}


def measure(case: Case, table: Table) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        catalogue = folder / "skymmich.sqlite3"
        build(catalogue, case.images, case.tags)
        planning = child("passes.py", "planning", catalogue)
        bound = run_bound(catalogue, case, folder)
        worse = run_bound(catalogue, case, folder, TAGS_FIRST) if case.thorough else None
        found = run_engine(catalogue, case, folder)
    first = found["first"]
    table.heading(
        f"{case.images:,} images, {bound['texts']:,} texts and {bound['sets']:,} sets of tags "
        f"({bound['tags_each']:.1f} tags each), a server that settles {case.drain:g} writes/s"
        + (", busy neighbours" if case.busy else "")
    )
    show_times(table, bound, worse, first)
    show_window(table, first)
    show_requests(table, first, case.images)
    table.row("peak memory of the first apply", f"{first['memory'] / 2**20:.0f} MiB")
    show_later(table, found["later"])
    if found["undo"]:
        show_undo(table, found["undo"], first, case.images)
    show_planning(table, planning)


def show_planning(table: Table, planning: dict) -> None:
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


def show_times(table: Table, bound: dict, worse: dict | None, first: dict) -> None:
    cpu = f"{bound['cpu']:.1f} s of CPU, {bound['requests']['writes']:,} writes"
    table.row("the bound: the same writes, a bare loop", f"{bound['seconds']:.1f} s", cpu)
    if worse is not None:
        ratio = f"{worse['seconds'] / bound['seconds']:.3f} beside the bound"
        table.row("  tags then fields", f"{worse['seconds']:.1f} s", ratio)
    cpu = f"{first['cpu']:.1f} s of CPU, {first['requests']['writes']:,} writes"
    table.row("first apply", f"{first['seconds']:.1f} s", cpu)
    table.row("  reading and planning, before any write", f"{first['preparing']:.1f} s")
    table.limit("  beside the bound", first["seconds"] / bound["seconds"], MOST_RATIO, "{:.3f}")
    for what in ("overlaps", "lost", "rejected"):
        if bound["faults"][what]:
            table.fail(f"the bound has {bound['faults'][what]} writes {what}: the comparison is not fair")


def measure_daemon(table: Table) -> None:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        catalogue = Path(name) / "skymmich.sqlite3"
        build(catalogue, idle.IMAGES)
        with simulator(catalogue, drain=1000.0) as server:
            idle.measure(table, environment(), catalogue, server.url, server.key)


def measure_pages(table: Table) -> None:
    table.heading(f"The page with {PAGED:,} images in the store: first byte, median of seven")
    for name, times in child("page.py", PAGED).items():
        note = f"the first of all: {times[0]:.0f} ms"
        if name in {"the overview", "the grid"}:
            table.limit(name, statistics.median(times), FIRST_BYTE, "{:.1f} ms")
        else:
            table.row(name, f"{statistics.median(times):.1f} ms", note)


def measure_simulated(options: argparse.Namespace, table: Table) -> None:
    if options.everything:
        measure_everything(table, simulator, child)
        return
    cases = REALISTIC if options.realistic else (SMALL,) if options.quick else CASES
    if options.images:
        cases = tuple(Case(count, options.drain or SMALL.drain) for count in options.images)
    for case in cases:
        measure(case, table)
    if options.realistic or options.images:
        return
    if not options.quick:
        measure_everything(table, simulator, child)
    measure_daemon(table)
    measure_pages(table)
    if not options.quick and (HERE / "loop.py").exists():
        for images in (*SIZES, *((MILLION,) if options.million else ())):
            measure_loop(table, child, images)
    if not options.quick:
        measure_web(table, child)


def main() -> int:
    options = _options()
    if options.clean_up:
        return real.clean_up(options.server)
    began, table = time.monotonic(), Table()
    if options.server:
        images = options.images[0] if options.images else IMAGES_ON_A_SERVER
        undo = not options.quick
        failed = real.measure_server(
            table, child, options.server, images, options.server_pid, undo=undo, tags=options.tags
        )
        if failed:
            return failed
    else:
        measure_simulated(options, table)
    print(f"\nMeasured in {time.monotonic() - began:.0f} s.")
    return table.verdict()


def _options() -> argparse.Namespace:
    options = _parser().parse_args()
    if not options.server and (options.clean_up or options.server_pid):
        sys.exit("--clean-up and --server-pid are for a real Immich: name it with --server URL.")
    if options.server and not os.environ.get(KEY):
        sys.exit(f"Give the API key of {options.server} in the environment: {KEY}=…")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Measure the reconciler against its limits.")
    parser.add_argument(
        "--realistic",
        action="store_true",
        help="only 200 images of 18 tags, on servers as slow as measured ones",
    )
    parser.add_argument(
        "--quick",
        action="store_true",
        help="only 1,000 images, the daemon and the pages; with --server: no undo",
    )
    parser.add_argument(
        "--images", type=int, nargs="+", help="only so many images (more than one number: each)"
    )
    parser.add_argument("--tags", type=int, default=real.TAGS, help="with --server: so many an image")
    parser.add_argument("--drain", type=float, help="with --images: writes a second that the server settles")
    parser.add_argument(
        "--server",
        metavar="URL",
        help=f"measure on this real Immich, with pictures made for it; key in {KEY}",
    )
    parser.add_argument(
        "--server-pid", type=int, nargs="+", default=[], metavar="PID",
        help="with --server, on this machine: its processes, whose CPU is measured with that of their children",
    )  # fmt: skip
    parser.add_argument(
        "--everything", action="store_true", help="only 200 images with every field switched on"
    )
    parser.add_argument("--million", action="store_true", help="also the loop with 1,000,000 images")
    parser.add_argument(
        "--clean-up", action="store_true", help="with --server: remove what killed runs left there"
    )
    return parser


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except KeyboardInterrupt:
        sys.exit(130)
