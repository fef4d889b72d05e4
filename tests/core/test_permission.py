"""What may be written, from what the store has of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from reconciler.core.permission import Permission, begin
from reconciler.core.records import Run

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Records:
    """Small values, and runs."""

    def __init__(self, *runs, **values):
        self.ended, self.values, self.asked = list(runs), dict(values), []

    def get(self, name):
        return self.values.get(name)

    def put(self, name, value):
        self.values[name] = value

    def runs(self, limit):
        self.asked.append(limit)
        return self.ended[:limit]

    def pending(self):
        return {}


def run(trigger):
    return Run(trigger, trigger, NOON)


@pytest.mark.parametrize("first", ["5", {"1": 2}, 7])
def test_a_limit_that_cannot_be_read_lets_nothing_be_written(first):
    kept = {"at": NOON.isoformat(), "by": "page", "first": first}
    store = Records(run("page"), begun=kept)
    assert Permission.of(store, "ask").standing == "asking"
    begin(store, "page", NOON)
    assert Permission.of(store, "ask").standing == "begun"


def test_a_store_of_an_older_version_has_begun_and_tells_by_its_newest_run():
    store = Records(run("schedule"), *[run("undo")] * 200)
    assert Permission.of(store, "ask").standing == "begun"
    assert store.asked == [1]
    assert Permission.of(Records(run("undo"), run("schedule")), "ask").standing == "begun"
    assert Permission.of(Records(run("undo")), "ask").standing == "asking"
