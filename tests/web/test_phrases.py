"""What the page says in fewer words than the daemon."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.core.reasons import of_error, reason, told
from reconciler.core.records import Run, RunCounts
from reconciler.engine.events import Progress
from reconciler.errors import ImmichUnreachableError
from reconciler.messages.headlines import heading, sentence
from reconciler.messages.runs import wrote
from reconciler.service.api import Condition, Headline
from reconciler.web.pages.attention import digest
from reconciler.web.pages.diff import condensed, difference, extent
from reconciler.web.pages.environment import number
from reconciler.web.short_messages import fields_of, spoken
from tests.web.conftest import FakeControl

NOW = datetime(2026, 3, 1, tzinfo=UTC)


WELL = Headline("in_sync", "ok", images=142, looked=38, next_look=22)


@pytest.mark.parametrize(
    ("headline", "said", "told"),
    [
        (
            Headline(
                "not_in_sync", "attention", images=1055, counts={"conflict": 4, "not_writable": 2}, looked=1
            ),
            (
                "Attention",
                "6 of 1\N{NARROW NO-BREAK SPACE}055 images are not in sync",
                "4 in conflict, 2 not writable · checked just now",
            ),
            "Attention: 6 of 1,055 images: 4 in conflict, 2 not writable, checked 1 s ago",
        ),
        (
            Headline("not_in_sync", "attention", images=55, counts={"failed": 1}),
            ("Attention", "1 of 55 images is not in sync", "1 failed"),
            "Attention: 1 of 55 images: 1 failed",
        ),
        (
            WELL,
            ("In sync", "142 images, checked 38 s ago, next look in 22 s", ""),
            "In sync: 142 images, checked 38 s ago, next look in 22 s",
        ),
        (
            replace(WELL, counts={"undone": 2}),
            ("In sync", "142 images, 2 taken back, checked 38 s ago, next look in 22 s", ""),
            "In sync: 142 images, 2 taken back, checked 38 s ago, next look in 22 s",
        ),
        (
            Headline("edit_missing", "attention", images=142, crossed=2, looked=38),
            ("Attention", "An edit may be missing in 2 of 142 images, checked 38 s ago", ""),
            "Attention: an edit may be missing in 2 of 142 images, checked 38 s ago",
        ),
        (
            Headline("paused", "attention", looked=38),
            ("", "Paused by a person: nothing starts by itself; checked 38 s ago", ""),
            "Paused by a person: nothing starts by itself; checked 38 s ago",
        ),
        (
            Headline("writing", "unknown", progress=Progress("writing", 3, 55)),
            ("Writing", "3 of 55 images done", ""),
            "Writing: 3 of 55 images done",
        ),
        (
            Headline("stale", "unknown", looked=600),
            ("Unknown", "The last complete look was 10 min ago", ""),
            "Unknown: the last complete look was 10 min ago",
        ),
        (
            Headline("not_looked", "unknown"),
            ("", "Nothing was looked at yet", ""),
            "Nothing was looked at yet",
        ),
        (
            Headline("first_look", "unknown"),
            ("", "Looking at the catalogue and at Immich for the first time", ""),
            "Looking at the catalogue and at Immich for the first time",
        ),
    ],
)
def test_the_headline_is_one_short_sentence_and_the_terminal_says_the_same(headline, said, told):
    assert tuple(map(str, heading(headline, number))) == said
    assert sentence(headline) == told


def test_the_time_of_the_last_look_stands_apart_so_that_a_page_counts_it_on():
    assert heading(WELL, number).sentence == ("142 images, checked ", "38 s ago", ", next look in 22 s")


@pytest.mark.parametrize(("code", "badge"), [("broken", "Trouble"), ("off", "Off"), ("waiting", "Attention")])
def test_what_is_broken_is_named_and_its_long_message_left_to_what_stands_below(code, badge):
    error = ImmichUnreachableError("http://immich.lan did not answer.", again="by_itself")
    down = Condition("ImmichReachable", "False", "NoAnswer", (of_error(error),), NOW)
    found = Headline(code, "trouble", condition=down)
    assert tuple(map(str, heading(found, number))) == (badge, "Immich does not answer", "")
    assert sentence(found) == f"{badge}: http://immich.lan did not answer. It is tried again by itself."


def test_reasons_call_fields_as_the_page_does():
    found = (reason("conflict").of("prose", "tags"), reason("immich_stays"))
    assert spoken(found) == (
        "Prose and tags: Immich has a value that was not written from here; Immich's value is kept"
    )
    assert spoken((reason("trashed"),)) == "The asset is in Immich's trash"
    assert fields_of(found) == "Prose and tags"
    assert fields_of((reason("trashed"),)) == ""


def test_a_run_tells_what_it_wrote_but_its_own_summary_where_that_tells_more():
    ended = (reason("run_images", count=2), reason("run_changed", count=2))
    counts = RunCounts(images=2, wrote={"block": 2, "tags": 0})
    run = Run("r", "page", NOW, NOW, "succeeded", ended, counts)
    assert wrote(run) == [("block", 2)]
    assert wrote(replace(run, summary=(*ended, reason("run_guarded")))) == []
    assert wrote(replace(run, outcome="failed")) == []
    assert wrote(replace(run, summary=told("2 images: 2 changed"))) == []


def test_a_page_is_not_asked_to_draw_anew_what_reads_the_same():
    def shown(seconds):
        details = (reason("looked_long_ago", seconds=seconds),)
        return replace(FakeControl().shown, conditions=(Condition("Fresh", "False", "Old", details, NOW),))

    assert digest(shown(10_800.0)) == digest(shown(10_801.5))
    assert digest(shown(10_800.0)) != digest(shown(90_000.0))


def test_unchanged_lines_are_left_out_of_a_difference_with_their_number():
    old = "\n".join(f"line {n}" for n in range(12))
    pieces = condensed(difference(old, old.replace("line 6", "line six")))
    assert [piece.text for piece in pieces if piece.kind == "gap"] == [
        "5 lines as before",
        "4 lines as before",
    ]
    assert "line 5" in "".join(piece.text for piece in pieces)
    assert "line 2" not in "".join(piece.text for piece in pieces)
    assert "".join(piece.text for piece in condensed(difference("a\nb", "a\nc"))) == "a\nbc"


def test_texts_that_only_share_a_word_or_two_are_shown_whole():
    pieces = difference(
        "A cold night in January; the mount behaved for once.",
        "Two exposures for the core, so that the Trapezium survives the stretch.",
    )
    assert [piece.kind for piece in pieces] == ["removed", "added"]
    assert extent(pieces) == "1 line added, 1 removed"
