"""Starts passes as processes of their own, quickly: one process imports everything and forks for each pass.

Run as a script. Each line of its input is a JSON object: ``id``, ``catalogue``, ``store``, ``url``, ``key`` and
``timing``; with ``undo`` it is none, but takes that back. It answers in lines of JSON: ``id`` with ``pid`` when the pass begins, and with ``status`` (as of
``os.waitstatus_to_exitcode``) when its process has ended.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import sys
from random import Random

import httpx

from reconciler.core.desired.template import BlockTemplate
from reconciler.core.policy import Policy, Switches
from reconciler.engine.passes import Selection
from reconciler.engine.planner.wishes import Wishes
from reconciler.engine.polling.timing import Timing
from reconciler.engine.reconcile import Reconciler
from reconciler.engine.undo import Undo
from reconciler.engine.undo_wish import UndoWish
from reconciler.immich.call import Patience
from reconciler.immich.client import SystemClock
from reconciler.immich.target import Immich
from reconciler.skymmich.sources import open_catalogue
from state.store import StateStore


def tell(**words) -> None:
    os.write(1, (json.dumps(words) + "\n").encode())


async def apply(order) -> None:
    plain = httpx.AsyncHTTPTransport(verify=False)  # certificates take longer than a pass
    patience = Patience(backoff=0.01)
    async with Immich(
        order["url"], order["key"], patience=patience, random=Random(1), transport=plain
    ) as target:
        with StateStore.open(order["store"]) as store:
            timing = Timing(**order["timing"])
            cycle = Reconciler(
                open_catalogue(order["catalogue"]), target, store, SystemClock(), timing=timing, mode="sync"
            )
            tell(id=order["id"], pid=os.getpid())
            wishes = Wishes(Policy(), Switches())
            if order.get("undo"):
                undo = Undo(cycle, target, store, SystemClock(), lambda _: None, timing)
                prepared = await undo.prepare(UndoWish.from_json(order["undo"]), wishes)
                await undo.apply(prepared, run_id=order["id"], stop=lambda: False)
                return
            await cycle.run(Selection(), wishes, run_id=order["id"], trigger="cli")


def begin(order) -> int:
    pid = os.fork()
    if pid == 0:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        status = 1
        try:
            asyncio.run(apply(order))
            status = 0
        finally:
            os._exit(status)
    return pid


def preload() -> None:
    """Import and compile what a pass does at first use; each process would do it anew."""
    import gc

    import anyio

    httpx.AsyncHTTPTransport(verify=False)
    asyncio.run(anyio.lowlevel.checkpoint())
    BlockTemplate(Policy().description)
    gc.collect()
    gc.freeze()


def main() -> None:
    preload()
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    children: dict[int, str] = {}
    buffered = b""
    while True:
        ready, _, _ = select.select([0, reading], [], [])
        if reading in ready:
            os.read(reading, 64)
        while children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            tell(id=children.pop(pid), status=os.waitstatus_to_exitcode(status))
        if 0 in ready:
            more = os.read(0, 65536)
            if not more:
                return
            *lines, buffered = (buffered + more).split(b"\n")
            for line in lines:
                order = json.loads(line)
                children[begin(order)] = order["id"]


if __name__ == "__main__":
    sys.exit(main())
