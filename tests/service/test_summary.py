"""One sentence for everything: a row of the table a test, and never green without a reason."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from reconciler.core.reasons import told
from reconciler.engine.events import Progress
from reconciler.errors import (
    CatalogueError,
    ImmichUnauthorizedError,
    ImmichUnreachableError,
    MaintenanceError,
    StateError,
    TemplateError,
)
from reconciler.messages.formats import lasting
from reconciler.messages.headlines import heading, sentence
from reconciler.service.api import Condition
from reconciler.service.conditions import Conditions, filed
from reconciler.service.summary import PARTLY, Standing, headline

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def standing(*broken, **more):
    conditions = {
        kind: Condition(kind, "False", reason, told(f"{kind} is broken."), NOW) for kind, reason in broken
    }
    values = {
        "now": NOW,
        "fresh_for": 195.0,
        "checked_at": NOW - timedelta(seconds=38),
        "next_look": NOW + timedelta(seconds=22),
        "counts": {"in_sync": 142},
        "conditions": conditions,
    }
    return Standing(**values | more)


def said(found):
    """Return the sentence and its level."""
    return sentence(found), found.level


def test_all_is_well():
    assert headline(standing()).code == "in_sync"
    assert said(headline(standing())) == ("In sync: 142 images, checked 38 s ago, next look in 22 s", "ok")


def test_images_that_left_the_catalogue_are_not_counted():
    found = headline(standing(counts={"in_sync": 1, "unlinked": 7}))
    assert (found.code, found.images) == ("in_sync", 1)
    assert sentence(found).startswith("In sync: 1 image,")


@pytest.mark.parametrize(
    "kind",
    ["StoreWritable", "Configured", "Writer", "Working", "CatalogueReadable", "ImmichReachable", "Permitted"],
)
def test_what_a_pass_depends_on_is_trouble_and_says_what(kind):
    text, level = said(headline(standing((kind, "Any"), paused=True)))
    assert (text, level) == (f"Trouble: {kind} is broken.", "trouble")


def test_switched_off_is_off_and_not_trouble():
    assert headline(standing(("SyncEnabled", "SwitchedOff"))).level == "off"


def test_a_pause_needs_attention():
    text, level = said(headline(standing(paused=True)))
    assert level == "attention"
    assert text.startswith("Paused by a person")


def test_a_pass_that_writes_is_shown_with_its_progress_and_is_not_green():
    progress = Progress("writing", done=3, total=1200, waiting=8)
    text, level = said(headline(standing(progress=progress, running=True)))
    assert (text, level) == ("Writing: 3 of 1,200 images done, 8 waiting for Immich", "unknown")


@pytest.mark.parametrize("age", [196, 86_400, -400])
def test_an_old_look_is_never_green_nor_is_one_in_the_future(age):
    text, level = said(headline(standing(checked_at=NOW - timedelta(seconds=age))))
    assert level == "unknown"
    assert text.startswith("Unknown: the last complete look")


def test_before_the_first_look_nothing_is_known():
    assert said(headline(standing(checked_at=None))) == ("Nothing was looked at yet", "unknown")
    first = headline(standing(checked_at=None, running=True))
    assert (first.code, first.level) == ("first_look", "unknown")


@pytest.mark.parametrize("kind", ["GuardClear", "CanaryClear", "ConfigurationCurrent"])
def test_what_waits_for_a_person_needs_attention(kind):
    assert headline(standing((kind, "Any"))).level == "attention"


def test_a_permission_missing_for_a_part_needs_attention_and_is_not_trouble():
    assert headline(standing(("Permitted", PARTLY))).level == "attention"


def test_images_out_of_sync_are_counted_by_what_is_wrong():
    text, level = said(headline(standing(counts={"in_sync": 139, "conflict": 2, "not_sticking": 1})))
    assert level == "attention"
    assert text == "Attention: 3 of 142 images: 2 in conflict, 1 not kept, checked 38 s ago"


def test_an_edit_that_may_be_missing_needs_attention_though_all_is_in_sync():
    text, level = said(headline(standing(crossed=2)))
    assert (text, level) == (
        "Attention: an edit may be missing in 2 of 142 images, checked 38 s ago",
        "attention",
    )
    assert sentence(headline(standing(crossed=2, counts={"in_sync": 139, "conflict": 3}))) == (
        "Attention: 3 of 142 images: 3 in conflict, an edit may be missing in 2, checked 38 s ago"
    )


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (119, "119 s"), (120, "2 min"), (7200, "2 h"), (200_000, "2 d")]
)
def test_durations_read_as_people_say_them(seconds, text):
    assert lasting(seconds) == text


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (CatalogueError("x"), "CatalogueReadable"),
        (TemplateError("x", source="t", line=1), "Configured"),
        (StateError("x"), "StoreWritable"),
        (ImmichUnauthorizedError("x"), "Permitted"),
        (ImmichUnreachableError("x"), "ImmichReachable"),
        (MaintenanceError("x"), "ImmichReachable"),
    ],
)
def test_every_error_is_filed_under_the_condition_it_breaks(error, kind):
    assert filed(error)[0] == kind


def test_a_condition_dates_from_the_change_of_its_status_not_of_its_words():
    conditions = Conditions()
    assert conditions.put("Fresh", "True", "LookedLately", told("one"), NOW)
    assert not conditions.put("Fresh", "True", "LookedLately", told("two"), NOW + timedelta(minutes=1))
    assert conditions.get("Fresh").since == NOW
    assert conditions.get("Fresh").details == told("two")
    assert conditions.put("Fresh", "False", "Old", told("three"), NOW + timedelta(minutes=2))
    assert conditions.get("Fresh").since == NOW + timedelta(minutes=2)


def test_an_image_that_a_person_took_back_is_not_called_in_sync():
    found = headline(standing(counts={"in_sync": 140, "undone": 2}))
    assert (found.images, found.counts) == (140, {"undone": 2})
    assert sentence(found).startswith("In sync: 140 images, 2 taken back, ")


def test_a_pass_that_records_what_it_wrote_is_not_yet_told_by_the_counts_of_before():
    found = headline(standing(counts={"new": 37, "in_sync": 5}, progress=Progress("done", 37, 37)))
    assert said(found) == ("Writing: 37 of 37 images done", "unknown")


def test_where_all_was_taken_back_no_images_are_counted_as_in_sync():
    text, level = said(headline(standing(counts={"undone": 42})))
    assert (text, level) == ("Taken back: 42 images, checked 38 s ago, next look in 22 s", "off")
    both = headline(standing(counts={"undone": 40, "left_out": 2, "unlinked": 3}))
    assert said(both) == ("Taken back: 40 images, 2 left out, checked 38 s ago, next look in 22 s", "off")
    out = headline(standing(counts={"left_out": 1}))
    assert said(out) == ("Left out: 1 image, checked 38 s ago, next look in 22 s", "off")
    assert headline(standing(counts={"undone": 41, "in_sync": 1})).code == "in_sync"
    assert headline(standing(counts={})).code == "in_sync"


def test_the_page_says_in_its_heading_what_was_taken_back():
    said = heading(headline(standing(counts={"undone": 40, "left_out": 2})), str)
    assert said.badge == "Taken back"
    assert str(said.sentence).startswith("40 images taken back, 2 left out, checked")


def test_a_run_that_a_person_asked_for_is_told_before_it_writes_anything():
    counts = {"new": 39, "in_sync": 3}
    found = headline(standing(counts=counts, asked=True))
    assert (found.code, found.level) == ("working", "unknown")
    reads = Progress("reading", done=10, total=42)
    assert headline(standing(counts=counts, asked=True, running=True, progress=reads)).code == "working"
    writes = Progress("writing", done=0, total=37)
    assert headline(standing(counts=counts, asked=True, running=True, progress=writes)).code == "writing"
    assert headline(standing(counts=counts, running=True, progress=reads)).code == "not_in_sync"
