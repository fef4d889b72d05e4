"""The solver's sentence comes to Immich by the sidecar, before us and again: it displaces nobody's words."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.desired.solver_sentence import SENTENCE
from reconciler.core.policy import MergePolicy
from tests.virtual.world import NO_CANARY

WORDS = "My own words."


@pytest.fixture
def solved(world):
    """Give a world of one image with words of its own, which Skymmich's worker has solved just before."""
    here = world(count=1, unkind="round_trip")
    here.sql("UPDATE astrophotography_images SET description = ?", WORDS)
    here.asset_id = here.images()[0][1]
    here.person(here.asset_id, "overwrite_sidecar", SENTENCE)
    here.settle()
    assert here.state.assets[here.asset_id].exif.description == SENTENCE
    return here


def description(here):
    here.settle()
    return here.state.assets[here.asset_id].exif.description


def in_sync(here):
    here.run()
    assert here.statuses() == {"in_sync": 1}
    return here.writes


def test_it_is_replaced_at_once_and_after_each_refresh_by_one_write_of_the_text(solved):
    assert in_sync(solved) > 0
    assert description(solved).startswith(f"{WORDS}\n\n✦ ")
    assert SENTENCE not in description(solved)
    assert in_sync(solved) == 0
    for _ in range(3):
        solved.person(solved.asset_id, "overwrite_sidecar", SENTENCE)
        solved.settle()
        in_sync(solved)
        assert solved.requests["PUT /assets"] + solved.requests["PUT /assets/{id}"] == 1, solved.requests
        assert description(solved).startswith(f"{WORDS}\n\n✦ ")
        assert in_sync(solved) == 0


@pytest.mark.parametrize("choice", ["keep", "correct"])
def test_what_it_took_the_place_of_comes_back_whatever_is_said_of_a_person_s_edits(solved, choice):
    solved.policy = replace(NO_CANARY, merge=MergePolicy(on_drift_block=choice, on_drift_prose=choice))
    in_sync(solved)
    whole = description(solved)
    solved.person(solved.asset_id, "overwrite_sidecar", SENTENCE)
    solved.settle()
    in_sync(solved)
    assert description(solved) == whole


def test_what_was_replaced_is_in_the_journal_and_an_undo_stays_undone(solved):
    in_sync(solved)
    solved.undo("run-1")
    assert description(solved) == SENTENCE
    solved.run()
    assert solved.writes == 0
    assert solved.statuses() == {"undone": 1}
    assert description(solved) == SENTENCE
