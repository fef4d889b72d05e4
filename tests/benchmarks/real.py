"""``make bench ARGS="--server URL"``: the reconciler beside the bare loop, on a real Immich.

Sets of small pictures with tags of their own: two for the bare loop in the better order (fields, then tags), one
before and one after the reconciler's, and one for the bare loop the other way round. The very same writes to each,
after a few that warm the server up. Then the reconciler's second sync, one change, and its undo. Everything is
removed again at the end.
"""

from __future__ import annotations

import json
import os
import signal
import statistics
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from bound import FIELDS_FIRST, KEY, TAGS_FIRST
from catalogues import build, link
from library import NAME, STILL, Library, RefusedError
from meter import PIDS
from showing import MOST_RATIO, show_later, show_requests, show_undo, show_window
from wire import is_simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from report import Table

TAGS = 18
"""Of each image, where it is not said otherwise."""
WARM_UP = 10
BARE, OTHER_WAY, OURS = (
    "bare loop, fields then tags",
    "bare loop, tags then fields",
    "the reconciler's first sync",
)


def measure_server(
    table: Table,
    child: Callable[..., dict],
    url: str,
    images: int,
    pids: list[int],
    *,
    undo: bool = True,
    tags: int = TAGS,
) -> int:
    """Measure on a server; give the exit code of a refusal, or 0."""
    os.environ[PIDS] = " ".join(map(str, pids))
    try:
        still = 0.3 if is_simulator(url.rstrip("/").removesuffix("/api")) else STILL
        with ended_by_signals(), Library(url, os.environ[KEY], still=still) as library:
            library.check()
            _measure(table, child, library, images, tags, undo=undo)
    except (RefusedError, OSError, httpx.TransportError) as error:
        print(f"Refused: {error or repr(error)}", file=sys.stderr)
        return 2
    return 0 if library.removed else 1


def _measure(
    table: Table, child: Callable[..., dict], library: Library, images: int, tags: int, *, undo: bool
) -> None:
    version = ".".join(map(str, list(library.call("GET", "/server/version").values())[:3]))
    table.heading(f"{images:,} images of {tags} tags on Immich {version} at {library.url}")
    table.row("load of this machine", f"{os.getloadavg()[0]:.1f}", f"of {os.cpu_count()} processors, before")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(child, library, Path(folder), images, tags)
        found = bench.first_sync()
        show(table, found, images)
        show_later(table, bench.run("apply-again"))
        if undo:
            show_undo(table, bench.run("undo")["undo"], found["first"], images)
    table.row("load of this machine", f"{os.getloadavg()[0]:.1f}", "after")


def clean_up(url: str) -> int:
    """Remove what earlier runs left; give the exit code."""
    with Library(url, os.environ[KEY]) as library:
        return 0 if library.clean_up(NAME) else 1


class Bench:
    """All that is measured on one server."""

    def __init__(
        self, child: Callable[..., dict], library: Library, folder: Path, images: int, tags: int
    ) -> None:
        self._child, self._library, self._folder = child, library, folder
        self._images, self._tags = images, tags
        self._catalogue, self._root = folder / "skymmich.sqlite3", f"{library.name}-b"

    def run(self, what: str, store: str = "state.sqlite3") -> dict:
        """Let the reconciler do something."""
        return self._child(
            "passes.py", what, self._catalogue, self._library.url, self._folder / store, self._root
        )

    def first_sync(self) -> dict:
        """Measure it between two bare loops, and one the other way round."""
        library = self._library
        assets = {part: library.upload(part, self._images) for part in "abcd"}
        assets["w"] = library.upload("w", min(WARM_UP, self._images))
        build(self._catalogue, self._images, self._tags)
        link(self._catalogue, assets["b"])
        plan = self.run("writes", "unused.sqlite3")

        def bare(part: str, order: tuple[str, str]) -> dict:
            others = dict(zip(assets["b"], assets[part], strict=False))
            return self._bare(part, transferred(plan, others, self._root, f"{library.name}-{part}"), order)

        bare("w", FIELDS_FIRST)
        return {
            "before": bare("a", FIELDS_FIRST),
            "first": self.run("apply")["apply"],
            "after": bare("c", FIELDS_FIRST),
            "other way": bare("d", TAGS_FIRST),
        }

    def _bare(self, part: str, plan: dict, order: tuple[str, str]) -> dict:
        seen = self._library.settle(f"{self._library.name}-{part}", len(plan["fields"]))
        file = self._folder / f"{part}.json"
        file.write_text(json.dumps({**plan, "seen": seen, "order": order, "verify": True}), encoding="utf-8")
        return self._child("bound.py", file)


def show(table: Table, found: dict, images: int) -> None:
    first, other = found["first"], found["other way"]
    for title, run in ((BARE, found["before"]), (OURS, first), (BARE, found["after"]), (OTHER_WAY, other)):
        note = f"{run['cpu']:.1f} s of CPU, {run['requests']['total']:,} requests"
        if run["server_cpu"] is not None:
            note += f", {run['server_cpu']:.1f} s of the server's CPU"
        table.row(title, f"{run['seconds']:.1f} s", note)
        for name, phase in run.get("phases", {}).items():
            table.row(f"    {name}", f"{phase['settled']:.1f} s", f"answered after {phase['answered']:.1f} s")
        if run.get("wrong"):
            table.fail(f"{run['wrong']} assets do not carry what the {title} sent")
    for title, what in (
        ("beside the bare loop", "seconds"),
        ("the server's CPU beside the bare loop", "server_cpu"),
    ):
        if first[what] is None:
            continue
        bare = statistics.mean((found["before"][what], found["after"][what]))
        table.limit(title, first[what] / bare, MOST_RATIO, "{:.3f}")
        table.row("  tags then fields beside it", f"{other[what] / bare:.3f}")
    show_window(table, first)
    show_requests(table, first, images)


def transferred(plan: dict, assets: dict[str, str], root: str, other: str) -> dict:
    """Give the same writes for other assets, as many as there are, with tags under another root."""
    fields = [{**write, "id": assets[write["id"]]} for write in plan["fields"] if write["id"] in assets]
    tags = [
        {"id": assets[write["id"]], "tags": [other + path.removeprefix(root) for path in write["tags"]]}
        for write in plan["tags"]
        if write["id"] in assets
    ]
    return {**plan, "fields": fields, "tags": tags}


@contextmanager
def ended_by_signals() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the run as Ctrl-C does: through every clean-up."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    names = (signal.SIGTERM, signal.SIGHUP)
    before = [signal.signal(each, end) for each in names]
    try:
        yield
    finally:
        for each, handler in zip(names, before, strict=True):
            signal.signal(each, handler)
