"""What a review found: a reading that failed, a tag added as an undo begins, moves that people made, a stalled slice."""

from __future__ import annotations

import asyncio
import itertools

import httpx
import pytest

from reconciler.core.policy import GuardPolicy, Policy
from reconciler.core.store_keys import CANARY
from reconciler.engine import reconcile
from tests.virtual import world as worlds

NEVER = 0.00001
"""Writes a second that a server settles whose queue stands still."""


def failing_reads(here, asset_id, status, before=lambda: None, *, first=0):
    """Let every reading of an asset but the first few fail until it is written to; give the writes' bodies."""
    inner, written, reads = here.line.handle_async_request, [], itertools.count()

    async def handle(request):
        if request.url.path == f"/api/assets/{asset_id}":
            if request.method == "PUT":
                written.append(request.content)
            elif not written and next(reads) >= first:
                before()
                return httpx.Response(status, json={"message": "no", "statusCode": status})
        return await inner(request)

    here.line.handle_async_request = handle
    return written


@pytest.mark.parametrize("status", [500, 503])
def test_what_could_not_be_read_just_before_is_not_written_to(world, status):
    here = world(unkind="settling", drain=50.0)
    here.run()
    _, asset_id = here.images()[3]
    here.settle()
    here.clock.seconds += 100
    here.sql("UPDATE astrophotography_images SET title = title || ', again'")
    once = iter([True])

    def save():
        if next(once, False):
            here.person(asset_id, "set_description", "New words.")

    written = failing_reads(here, asset_id, status, save, first=1)
    here.run()
    assert written == []
    assert here.shown()[asset_id]["description"] == "New words."


def test_an_undo_leaves_what_could_not_be_read(world):
    here = world(unkind="settling", drain=50.0)
    here.run()
    here.settle()
    here.clock.seconds += 60
    written = failing_reads(here, here.images()[10][1], 500)
    report = here.undo("run-1")
    assert written == []
    assert len(report.undone) == len(here.images()) - 1


def test_a_tag_that_is_added_as_an_undo_reads_is_kept(world):
    here = world(unkind="settling,lost_updates", drain=20.0, seed=3)
    here.run()
    here.settle()
    here.clock.seconds += 60
    ids, tagged = {asset_id for _, asset_id in here.images()}, set()

    def tag(moment, method, path):
        asset_id = path.rpartition("/")[2]
        if moment == "before" and method == "GET" and asset_id in ids - tagged:
            tagged.add(asset_id)
            here.person(asset_id, "add_tag", "Mine")

    here.line.meanwhile = tag
    here.undo("run-1")
    here.line.meanwhile = lambda *_: None
    assert tagged
    shown = here.shown()
    assert [asset_id for asset_id in tagged if "Mine" not in shown[asset_id]["tags"]] == []


@pytest.mark.parametrize("touched", [2, 10])
def test_what_a_person_moves_past_the_queue_proves_nothing_of_it(world, monkeypatch, touched):
    monkeypatch.setattr(worlds, "ON_THE_WAY", (0.02, 0.04))
    here = world(unkind="settling", drain=NEVER)

    async def trash():
        await asyncio.sleep(9)
        sent = [path for _, method, path, _ in here.line.sent if method == "PUT"]
        for path in [path for path in sent if path.startswith("/api/assets/")][-touched:]:
            here.person(path.rpartition("/")[2], "trash")

    here.run(beside=trash, by_person=False)
    assert here.statuses()["in_sync"] == 0


def test_a_queue_that_stands_still_ends_the_pass_and_not_only_a_slice(world, monkeypatch):
    monkeypatch.setattr(reconcile, "_WRITTEN", 16)
    here = world(copies=4, unkind="settling", drain=NEVER)
    here.run(by_person=False)
    assert here.writes <= 16
    assert here.seconds < 60


def test_a_canary_that_waits_for_immich_has_not_failed(world, monkeypatch):
    monkeypatch.setattr(reconcile, "_WRITTEN", 16)
    here = world(unkind="settling", drain=NEVER, policy=Policy(guard=GuardPolicy(canary=5)))
    here.run(by_person=False)
    assert CANARY.read(here.store) is None
