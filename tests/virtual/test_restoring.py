"""A store put back from an earlier copy, and the pass after it: what is lost, doubled, written, told."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from functools import partial

import pytest

from reconciler.core.policy import GuardPolicy, Policy
from reconciler.core.store_keys import RESTORED_AT
from reconciler.engine.restored import begin_again
from state.backup import back_up
from state.restoring import restore
from state.store import StateStore

NOW = datetime(2026, 11, 27, tzinfo=UTC)


def put_back(here, copy, *, exactly):
    """Restore as the command does."""
    path = here.store.file
    here.store.close()
    done = restore(copy, path, NOW, partial(begin_again, now=NOW), exactly=exactly)
    here.store = StateStore.open(path)
    return done


def visible(shown):
    """What a person sees of each asset; the records beside it say who wrote that."""
    seen = ("description", "latitude", "longitude")
    return {key: (*(one[name] for name in seen), frozenset(one["tags"])) for key, one in shown.items()}


def blocks(shown):
    """Count the blocks in each description: a second one would be a double."""
    return {asset["description"].count("— Skymmich") for asset in shown.values()}


@pytest.fixture(params=["2.4.0", "2.7.5"])
def here(world, tmp_path, request):
    """A library in sync, copied, that went on: every title is another, half of the sites are.

    Before Immich 2.5 nothing beside the store knows who wrote what.
    """
    unguarded = Policy(guard=GuardPolicy(canary=0, max_fraction=1.0))  # all tags are exchanged
    made = world(count=20, unkind="settling,round_trip", drain=50.0, policy=unguarded, version=request.param)
    made.run()
    made.copy = tmp_path / "copy.sqlite3"
    back_up(made.store.file, made.copy, NOW)
    with closing(sqlite3.connect(made.path)) as connection, connection:
        connection.execute("UPDATE astrophotography_images SET title = 'New ' || title")
        connection.execute("UPDATE astrophotography_images SET tags = '[\"Brand new\"]'")
        connection.execute(
            "UPDATE astrophotography_images SET latitude = 48.5, longitude = 11.5 WHERE id % 2 = 0"
        )
    made.run()
    assert made.statuses() == {"in_sync": 20}
    yield made
    made.store.close()


def test_with_what_the_former_store_knew_nothing_is_written_lost_or_in_conflict(here):
    before, entries = here.shown(), len(here.store.journal_of(limit=100_000))
    records = {key: record.applied for key, record in here.store.records().items()}
    put_back(here, here.copy, exactly=False)
    report = here.run()
    assert (here.writes, here.statuses()) == (0, {"in_sync": 20})
    assert (report.run.outcome, report.attention) == ("succeeded", ())
    assert visible(here.shown()) == visible(before)
    assert {key: record.applied for key, record in here.store.records().items()} == records
    assert len(here.store.journal_of(limit=100_000)) == entries
    assert RESTORED_AT.read(here.store) == NOW
    # What was ours is ours: the next change of the catalogue is an update.
    with closing(sqlite3.connect(here.path)) as connection, connection:
        connection.execute("UPDATE astrophotography_images SET title = 'Newest', tags = '[]'")
    here.run()
    assert here.statuses() == {"in_sync": 20}
    shown = here.shown()
    assert all("Newest" in asset["description"] for asset in shown.values())
    assert not any("Astro/Brand new" in asset["tags"] for asset in shown.values())


def test_of_a_copy_alone_nothing_is_lost_and_nothing_doubled_and_what_is_not_known_is_told(here):
    """The former store is lost. What equals the catalogue stays; what does not is a person's until decided."""
    before = here.shown()
    put_back(here, here.copy, exactly=True)
    here.run()
    assert (here.writes, here.statuses()) == (0, {"in_sync": 20})
    assert visible(here.shown()) == visible(before)
    with closing(sqlite3.connect(here.path)) as connection, connection:
        connection.execute("UPDATE astrophotography_images SET title = 'Newest', tags = '[]'")
    report = here.run()
    shown = here.shown()
    assert blocks(shown) == {1}
    if here.settings.version < (2, 5, 0):
        # Whose these are is not known: they stay. A text that differs is a conflict, which says so.
        assert all(set(asset["tags"]) >= set(before[key]["tags"]) for key, asset in shown.items())
        assert {outcome.status for outcome in report.outcomes} <= {"in_sync", "conflict"}
        assert all(outcome.reasons for outcome in report.outcomes if outcome.status == "conflict")
    else:
        assert here.statuses() == {"in_sync": 20}
        assert not any("Astro/Brand new" in asset["tags"] for asset in shown.values())
    here.run()
    assert here.writes == 0


def test_a_copy_from_the_midst_of_a_pass_knows_of_writes_that_have_settled_long_since(world, tmp_path):
    here = world(count=20, unkind="settling,round_trip", drain=20.0)
    copy = tmp_path / "copy.sqlite3"
    here.run(within=1.5)
    assert here.store.pending()
    back_up(here.store.file, copy, NOW)
    here.run()
    here.clock.seconds += 86_400.0
    with closing(sqlite3.connect(here.path)) as connection, connection:
        connection.execute("UPDATE astrophotography_images SET title = 'New ' || title WHERE id % 2 = 0")
    here.run()
    assert here.statuses() == {"in_sync": 20}
    before = here.shown()
    put_back(here, copy, exactly=True)
    assert here.store.pending()
    here.run()
    assert here.store.pending() == {}
    assert visible(here.shown()) == visible(before)
    assert set(here.statuses()) <= {"in_sync"}
    here.run()
    assert here.writes == 0
    here.store.close()
