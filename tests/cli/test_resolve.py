"""Deciding a conflict on the command line, looked at in Immich."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from state.lease import Lease
from state.store import StateStore

MINE, THEIRS = "Seen with my own eyes", "Three nights with the new mount"
RING, JELLYFISH = 19, 33


@pytest.fixture
def conflict(two):
    """One image has a person's words in Immich against the catalogue's."""
    two.sql("UPDATE astrophotography_images SET description = ? WHERE id = ?", THEIRS, RING)
    two.person(RING, "set_description", MINE)
    assert two.call("apply", "--yes").returncode == 0
    return two


def words(here):
    here.simulator.wait_until_idle()
    return here.shown(RING)["description"].partition("✦")[0].split("\n\n")[:-1]


def open_conflicts(here):
    return [one["image_id"] for one in json.loads(here.call("conflicts", "--json").stdout)["conflicts"]]


def test_each_side_can_stay_and_a_decision_can_be_taken_back(conflict):
    listed = conflict.call("conflicts")
    assert MINE in listed.stdout
    assert THEIRS in listed.stdout
    assert "resolve IMAGE --keep immich|skymmich|both" in listed.stdout

    kept = conflict.call("resolve", str(RING), "--keep", "immich")
    assert kept.returncode == 0, kept.stderr
    assert "Immich's stays." in kept.stdout
    assert words(conflict) == [MINE]
    assert open_conflicts(conflict) == []
    assert "decided on" in conflict.call("explain", str(RING)).stdout

    assert conflict.call("resolve", str(RING), "--reopen").returncode == 0
    assert open_conflicts(conflict) == [RING]

    both = conflict.call("resolve", "--keep", "both", str(RING), "--json")
    found = json.loads(both.stdout)
    assert found["decided"][0]["fields"] == ["prose"]
    assert words(conflict) == [MINE, THEIRS]
    assert open_conflicts(conflict) == []
    assert conflict.call("plan").returncode == 0

    # What was taken back is not written once more for the decision it came from.
    undone = conflict.call("undo", found["run"]["run_id"], "--yes")
    assert undone.returncode == 0, undone.stderr
    assert words(conflict) == [MINE]
    conflict.call("apply", "--yes")
    assert words(conflict) == [MINE]
    assert open_conflicts(conflict) == [RING]

    asked = conflict.call("resolve", str(RING), "--keep", "skymmich")
    assert asked.returncode == 1
    assert "Nobody is there to be asked" in asked.stderr
    taken = conflict.call("resolve", str(RING), "--keep", "skymmich", "--field", "prose", "--yes")
    assert taken.returncode == 0, taken.stdout
    assert words(conflict) == [THEIRS]
    with StateStore.open(conflict.store, read_only=True) as store:
        assert any(MINE in str(entry.before) for entry in store.journal_of())


def test_beside_a_process_that_writes_it_is_left_on_record(conflict):
    with StateStore.open(conflict.store) as store:
        lease = Lease(store, lambda: datetime.now(UTC))
        with lease.held("daemon", timedelta(minutes=2)):
            before = conflict.writes
            told = conflict.call("resolve", str(RING), "--keep", "both")
            assert told.returncode == 0, told.stderr
            assert "on record" in told.stdout
            assert "daemon" in told.stdout
            assert conflict.writes == before
    conflict.call("apply", "--yes")
    assert words(conflict) == [MINE, THEIRS]


def test_the_daemon_that_has_the_right_to_write_carries_it_out_at_once_and_the_command_says_so(
    conflict, serving
):
    with serving(conflict):
        told = conflict.call("resolve", str(RING), "--keep", "both")
        assert told.returncode == 0, told.stderr
        assert "The daemon has carried it out: Checked 1 image, wrote 1" in told.stdout
        assert words(conflict) == [MINE, THEIRS]


def test_what_can_not_be_decided_changes_nothing_and_says_why(conflict):
    before = conflict.writes
    for arguments, said in (
        (("--keep", "both", str(JELLYFISH)), "no conflict"),
        (("--keep", "both", "--field", "coordinates", str(RING)), "no conflict about its place"),
        ((str(RING),), "Say which side stays"),
        (("--keep", "both", "--reopen", str(RING)), "Say which side stays"),
        # Of several images all are decided, or none.
        ((str(RING), str(JELLYFISH), "--keep", "skymmich", "--yes"), "no conflict"),
    ):
        refused = conflict.call("resolve", *arguments)
        assert refused.returncode == 1
        assert said in refused.stderr
    assert conflict.writes == before
    assert open_conflicts(conflict) == [RING]
    assert words(conflict) == [MINE]
