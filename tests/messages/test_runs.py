"""The end of a run in words: what became of how many, and what ended it early."""

from __future__ import annotations

import pytest

from reconciler.core.plan.guard import Verdict
from reconciler.core.reasons import from_text, reason, to_text, told
from reconciler.core.records import RunCounts
from reconciler.engine.outcomes import summarise
from reconciler.engine.passes import Outcome
from reconciler.errors import ImmichUnreachableError
from reconciler.messages.runs import standings, summary

OUTCOMES = [
    Outcome(1, "a", "M 31", "in_sync", "", ("block",)),
    Outcome(2, "b", "M 33", "in_sync", ""),
    Outcome(3, "c", "M 42", "unknown_asset", ""),
]


def test_a_pass_is_told_by_codes_and_said_with_the_words_of_the_page():
    found = summarise(OUTCOMES, Verdict(), None, stood=1000)
    assert [one.code for one in found] == ["run_images", "run_changed"]
    assert summary(found) == "Checked 1,003 images, wrote 1"


def test_a_pass_says_what_it_failed_at_and_a_look_that_found_nothing_says_so():
    assert summary(summarise(OUTCOMES, Verdict(), None, failed=1)) == "Checked 3 images, wrote 1, failed 1"
    assert (
        summary(summarise(OUTCOMES[1:], Verdict(), None, stood=53)) == "Checked 55 images, nothing to write"
    )


def test_a_stopped_pass_says_how_far_it_came():
    stopped = summarise(OUTCOMES[:1], Verdict(), None, stood=5000, stopped_at=(3613, 5001))
    assert summary(stopped) == "Checked 5,001 images, wrote 1; stopped at 3,613 of 5,001"
    sent = [Outcome(4, "d", "M 45", "pending", ""), *OUTCOMES[:1]]
    stopped = summarise(sent, Verdict(), None, stopped_at=(2, 2))
    assert summary(stopped) == "Checked 2 images, wrote 1; stopped at 2 of 2, 1 of them waiting for Immich"


def test_where_the_images_stand_is_said_apart_from_the_run():
    counts = RunCounts(images=1003, statuses={"unknown_asset": 1, "in_sync": 1002})
    assert standings(counts) == "1,003 images: 1,002 in sync, 1 not in Immich"


def test_a_run_that_an_older_version_kept_reads_as_it_did():
    older = (
        reason("run_images", count=3),
        reason("run_changed", count=1),
        reason("run_status", status="conflict", count=2),
    )
    assert summary(older) == "Checked 3 images, wrote 1, 2 in conflict"


def test_what_the_guard_holds_and_what_ended_it_early_stand_beside_the_counts():
    error = ImmichUnreachableError("Immich is down.", remedy="Start it.", again="by_itself")
    found = summarise(OUTCOMES[:1], Verdict(tripped=True), error)
    assert found[-1] == reason("run_ended_early", kind="ImmichUnreachableError", text="Immich is down.")
    assert summary(found) == (
        "Checked 1 image, wrote 1; the guard holds back part of it; ended early: Immich is down."
    )
    assert from_text(to_text(found)) == found


@pytest.mark.parametrize(
    ("reasons", "words"),
    [
        ((reason("undo_images", count=1),), "1 image taken back"),
        (
            (reason("undo_images", count=2), reason("undo_left", count=3)),
            "2 images taken back, 3 values left as they are",
        ),
        (told("3 images: 3 not settled yet"), "3 images: 3 not settled yet"),
        ((), ""),
    ],
)
def test_an_undo_and_an_older_version_are_said_as_they_were(reasons, words):
    assert summary(reasons) == words
