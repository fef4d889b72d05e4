"""What the page says in fewer words than the daemon."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from reconciler.core.reasons import reason
from reconciler.core.records import Run
from reconciler.service.api import Condition
from reconciler.web.pages.diff import condensed, difference, extent
from reconciler.web.short_messages import fields_of, heading, spoken, wrote

NOW = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass
class Shown:
    headline: str
    conditions: tuple[Condition, ...] = ()


@pytest.mark.parametrize(
    ("headline", "said"),
    [
        (
            "Attention: 6 of 1,055 images: 4 in conflict, 2 not writable, checked 1 s ago",
            (
                "Attention",
                "6 of 1 055 images are not in sync",
                "4 in conflict, 2 not writable · checked just now",
            ),
        ),
        ("Attention: 1 of 55 images: 1 failed", ("Attention", "1 of 55 images is not in sync", "1 failed")),
        (
            "In sync: 142 images, checked 38 s ago, next look in 22 s",
            ("In sync", "142 images, checked 38 s ago, next look in 22 s", ""),
        ),
        ("Writing: 3 of 55 images done", ("Writing", "3 of 55 images done", "")),
        ("Not looked yet", ("", "Not looked yet", "")),
    ],
)
def test_the_headline_is_one_short_sentence(headline, said):
    assert tuple(heading(Shown(headline))) == said


def test_what_is_broken_is_named_and_its_long_message_left_to_what_stands_below():
    message = "http://immich.lan did not answer. Nothing is lost; it is tried again."
    down = Condition("ImmichReachable", "False", "Down", message, NOW)
    assert heading(Shown(f"Trouble: {message}", (down,)))[:2] == ("Trouble", "Immich does not answer")


def test_reasons_call_fields_as_the_page_does():
    found = (reason("conflict").of("prose", "tags"), reason("immich_stays"))
    assert spoken(found) == ("Words and tags: Immich holds a value that is not ours; Immich's value is kept")
    assert spoken((reason("trashed"),)) == "The asset is in Immich's trash"
    assert fields_of(found) == "Words and tags"
    assert fields_of((reason("trashed"),)) == ""


def test_a_run_tells_what_it_wrote_but_its_own_summary_where_that_tells_more():
    run = Run(
        "r", "page", NOW, NOW, "ok", "2 images: 2 changed", {"images": 2, "wrote_block": 2, "wrote_tags": 0}
    )
    assert wrote(run) == [("facts", 2)]
    assert wrote(Run("r", "page", NOW, NOW, "failed", "ended early", {"wrote_block": 2})) == []


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
