"""Edits that may have crossed with a write, on the command line: told until a person says that they looked."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.core.records import Crossing
from state.store import StateStore
from tests.free_port import free_port

AT = datetime(2026, 11, 22, 20, 0, tzinfo=UTC)
RING, JELLYFISH = 19, 33


@pytest.fixture
def crossed(two):
    """Two images in sync, of both of which an edit may be missing."""
    assert two.call("apply", "--yes").returncode == 0
    with StateStore.open(two.store) as store:
        run_id = store.runs(1)[0].run_id
        crossing = Crossing(AT, frozenset({"prose"}), run_id)
        store.note_crossings({two.asset(RING): crossing, two.asset(JELLYFISH): crossing})
    return two


def waiting(here):
    return [one["image_id"] for one in json.loads(here.call("seen", "--json").stdout)["crossed"]]


def test_it_is_told_until_a_person_says_that_they_looked(crossed):
    told = crossed.call("seen")
    assert (told.returncode, "An edit may be missing:" in told.stdout) == (0, True)
    for command in ("seen", "status"):
        shown = crossed.call(command).stdout
        assert "Ring" in shown
        assert "skymmich-reconciler seen IMAGE" in shown
    assert "An edit may be missing" in crossed.call("explain", str(RING)).stdout
    assert json.loads(crossed.call("explain", str(RING), "--json").stdout)["crossing"]["fields"] == ["prose"]
    found = json.loads(crossed.call("status", "--json").stdout)["crossed"]
    assert {one["image_id"] for one in found} == {RING, JELLYFISH}

    crossed.call("apply", "--yes", "--full")  # a pass is no person
    before = crossed.writes
    seen = crossed.call("seen", str(RING), "--json")
    assert seen.returncode == 0, seen.stderr
    assert [one["image_id"] for one in json.loads(seen.stdout)["seen"]] == [RING]
    assert waiting(crossed) == [JELLYFISH]
    assert "An edit may be missing" not in crossed.call("explain", str(RING)).stdout
    assert "nothing to look at" in crossed.call("seen", str(RING)).stdout

    assert "Looked at: 1 image." in crossed.call("seen", "--all").stdout
    assert waiting(crossed) == []
    assert "No edit is known" in crossed.call("seen").stdout
    assert "Nothing was left" in crossed.call("seen", "--all").stdout
    assert "An edit may be missing" not in crossed.call("status").stdout
    assert crossed.writes == before


def test_beside_the_daemon_status_asks_for_attention_until_its_next_look_after_somebody_looked(crossed):
    port = free_port()
    crossed.configure("[schedule]\nimmich_seconds = 1\ncatalogue_seconds = 0.5\n")
    environ = {"RECONCILER_STATUS__PORT": str(port)}

    def status(beginning):
        end = time.monotonic() + 30
        while not (told := crossed.call("status", **environ)).stdout.startswith(beginning):
            assert time.monotonic() < end, (told.stdout, told.stderr)
        return told

    with crossed.started("run", **environ) as daemon:
        try:
            told = status("Attention: an edit may be missing in 2 of 2 images")
            assert told.returncode == 1
            assert "skymmich-reconciler seen IMAGE" in told.stdout
            assert crossed.call("seen", "--all").returncode == 0
            told = status("In sync: 2 images")
            assert (told.returncode, "missing" in told.stdout) == (0, False)
        finally:
            daemon.terminate()
            daemon.communicate(timeout=30)


def test_an_image_that_left_skymmich_can_be_named_too(crossed):
    crossed.sql("DELETE FROM astrophotography_images WHERE id = ?", RING)
    crossed.call("apply", "--yes")
    assert crossed.call("seen", "Ring").returncode == 0
    assert waiting(crossed) == [JELLYFISH]


def test_what_crosses_while_the_person_looks_is_kept(crossed, monkeypatch):
    """It is noticed by a daemon between the listing and the end of the command."""
    asset_id, search = crossed.asset(RING), StateStore.search
    later = Crossing(AT + timedelta(hours=1), frozenset({"block"}), "r9")

    def and_then(self, *arguments, **named):
        found = search(self, *arguments, **named)
        self.note_crossings({asset_id: later})
        return found

    monkeypatch.setattr(StateStore, "search", and_then)
    assert crossed.call("seen", "--all").returncode == 0
    monkeypatch.undo()
    assert waiting(crossed) == [RING]


def test_a_mistake_changes_nothing(crossed):
    for arguments, said in (
        ((str(RING), "--all"), "not both"),
        (("no such image",), "No image in the store"),
        ((str(RING), "no such image"), "No image in the store"),
    ):
        refused = crossed.call("seen", *arguments)
        assert refused.returncode == 1
        assert said in refused.stderr
    assert set(waiting(crossed)) == {RING, JELLYFISH}


def test_apply_says_it_of_its_own_writes(two, monkeypatch):
    from reconciler.engine import outcomes

    made = outcomes.outcome_of
    monkeypatch.setattr(
        "reconciler.engine.recorder.outcome_of", lambda *found: replace(made(*found), crossed=True)
    )
    done = two.call("apply", "--yes")
    assert "An edit may be missing" in done.stdout
    assert f"({RING})" in done.stdout
