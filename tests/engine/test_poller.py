"""Watching one slice of a pass after the other: what is shown of a later one is kept for its turn, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.core.asset import ObservedAsset
from reconciler.core.listing import Listing
from reconciler.engine.polling.poller import Poller

pytestmark = pytest.mark.anyio
START = datetime(2026, 3, 1, tzinfo=UTC)


def row(asset_id, seconds):
    return ObservedAsset(asset_id, "me", START + timedelta(seconds=seconds))


class Target:
    """Shows what is newer than asked for."""

    def __init__(self, *rows):
        self.rows = list(rows)

    async def changed_since(self, since, *, visibilities):
        assert visibilities == ["timeline"]
        return Listing(tuple(row for row in self.rows if row.updated_at >= since))


class Clock:
    def now(self):
        return START + timedelta(days=1)


async def test_what_was_shown_of_a_later_slice_is_claimed_once_in_its_turn_and_nothing_of_the_present_one():
    target = Target(row("first", 1), row("second", 2), row("stranger", 3))
    poller = Poller(target, Clock(), START)
    everyone = frozenset({"first", "second", "third"})
    poller.expect({"first": START}, everyone)
    assert set(await poller.look({"timeline": []})) == {"first", "second", "stranger"}
    assert poller.claim(["first", "stranger"]) == {}  # a row is of one look: it never counts as seen again
    poller.forget(["first"])
    target.rows = [row("third", 60)]
    await poller.look({"timeline": []})
    poller.expect({"second": START, "third": START}, everyone)
    assert poller.claim(["second", "third"]) == {"second": row("second", 2), "third": row("third", 60)}
    assert poller.claim(["second", "third"]) == {}


async def test_a_pass_in_one_piece_keeps_nothing():
    poller = Poller(Target(row("first", 1), row("second", 2)), Clock(), START)
    poller.expect({"first": START}, frozenset())
    await poller.look({"timeline": []})
    assert poller.claim(["first", "second"]) == {}
