"""What a first sync costs with every field switched on, beside one with what is on by default; and the passes after it."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from catalogues import build
from passes import Bench

from reconciler.core.policy import Policy, Switches, TagPolicy
from reconciler.engine.planner.wishes import Wishes

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from report import Table

IMAGES, DRAIN, TAGS = 200, 20.0, 18
AN_ALBUM = 3
"""Requests that an album costs once: it is made, filled, and given a cover."""
MOST_MORE = 10
"""Other requests that all that is off by default may cost together, however many images there are."""


def everything(policy: Policy) -> Wishes:
    albums = replace(
        policy.albums, enabled=True, cover=True, kinds=("target", "constellation", "object_type")
    )
    more = replace(policy, albums=albums, dates=replace(policy.dates, enabled=True))
    more = replace(more, coordinates=replace(more.coordinates, keep_day=True))
    return Wishes(more, Switches(dates=True, albums=True, stacks=True))


async def passes(catalogue: str, url: str, store: str, which: str) -> dict:
    """Measure a first sync and two more passes, of one process."""
    async with Bench(catalogue, url, store, "Astro") as bench:
        if which == "everything":
            bench.wishes = everything(replace(Policy(), tags=TagPolicy(root="Astro")))
        return {name: await bench.run(name) for name in ("first", "second", "third")}


def measure_everything(
    table: Table,
    simulator: Callable[..., AbstractContextManager],
    child: Callable[..., dict],
) -> None:
    """Measure both, each on a server of its own."""
    table.heading(
        f"{IMAGES} images with every field on, {TAGS} tags each, a server that settles {DRAIN:g} writes/s"
    )
    found = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        catalogue = Path(name) / "skymmich.sqlite3"
        build(catalogue, IMAGES, TAGS)
        for which in ("default", "everything"):
            with simulator(catalogue, DRAIN) as server:
                arguments = (catalogue, server.url, Path(name) / f"{which}.sqlite3", which)
                found[which] = child("everything.py", *arguments, key=server.key)
    each = {which: one["first"]["requests"]["total"] / IMAGES for which, one in found.items()}
    usual, first = found["default"]["first"], found["everything"]["first"]
    table.row(
        "first sync, with what is on by default",
        f"{usual['seconds']:.1f} s",
        f"{each['default']:.3f} requests an image",
    )
    table.row(
        "first sync, everything on",
        f"{first['seconds']:.1f} s",
        f"{each['everything']:.3f} requests an image",
    )
    for route, count in first["requests"].items():
        if route not in {"total", "writes", "reads"} and count != usual["requests"].get(route, 0):
            table.row(f"    {route}", f"{count:,}", f"{usual['requests'].get(route, 0):,} by default")
    albums = first["requests"].get("POST /albums", 0)
    more = first["requests"]["total"] - usual["requests"]["total"] - AN_ALBUM * albums
    table.limit(f"  more requests, but for {AN_ALBUM} for each of {albums} albums", more, MOST_MORE, "{}")
    for what in ("overlaps", "lost", "rejected"):
        table.limit(f"  writes {what}", first["faults"][what], 0, "{}")
    table.limit("  images not in sync", IMAGES - first["statuses"].get("in_sync", 0), 0, "{}")
    for name in ("second", "third"):
        one = found["everything"][name]
        table.row(f"{name} pass", f"{one['seconds']:.2f} s", f"{one['requests']['total']:,} requests")
        table.limit("  writes", one["requests"]["writes"], 0, "{}")


if __name__ == "__main__":
    print(json.dumps(asyncio.run(passes(*sys.argv[1:]))))
