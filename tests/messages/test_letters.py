"""The words of a notice: one message, short, true of now, with the way to the page and without secrets."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from reconciler.core.notices import OCCASIONS, Matter, classes
from reconciler.core.plan.guard import Verdict
from reconciler.core.reasons import reason
from reconciler.core.records import Crossed
from reconciler.messages.letters import TITLES, Facts, examples, letter, trial_letter
from reconciler.service.api import Condition, Headline, Snapshot
from reconciler.service.noticing import image_matter

NOW = datetime(2026, 11, 22, 20, 0, tzinfo=ZoneInfo("Europe/Berlin"))
PAGE = "https://reconciler.example.org/"
WELL = Snapshot(
    headline=Headline("in_sync", "ok", images=6, looked=3),
    started_at=NOW,
    checked_at=NOW,
    attempted_at=NOW,
    counts={"in_sync": 6},
)
DOWN, FIRST = Matter("immich_down", "immich"), Matter("first_sync", "first")


def said(told, snapshot=WELL, *, now=None, titles=(), page=PAGE):
    since = dict.fromkeys(told, NOW - timedelta(hours=1, minutes=5))
    return letter(told, Facts(snapshot, since, told if now is None else now, dict(titles), page))


def test_images_are_counted_and_a_few_are_named_with_the_way_to_all_of_them():
    told = [image_matter("conflict", one) for one in "abcde"]
    assert examples(told) == ["a", "b", "c"]
    found = said(told, titles={"a": "M 31", "b": "M 42", "c": "Orion’s Sword"})
    assert found.title == "skymmich-reconciler: Images are in conflict"
    assert found.body == (
        "5 images: in conflict (“M 31”, “M 42”, “Orion’s Sword” and 2 more). A person's value in Immich differs "
        "from Skymmich's. Immich's is kept until you decide.\n"
        "https://reconciler.example.org/images?status=conflict"
    )


def test_one_image_is_one_image():
    found = said([image_matter("not_sticking", "a")], titles={"a": "M 31"}, page="")
    assert found.body.startswith("1 image: not kept (“M 31”). Immich accepted the value")
    assert "http" not in found.body


def test_an_outage_is_told_in_the_readers_own_time():
    assert said([DOWN]).body.startswith("Immich has not answered since 2026-11-22 18:55.")
    assert (
        said([DOWN], now=()).body == "Immich did not answer from 2026-11-22 18:55 on; now it answers again."
    )


def test_the_guard_tells_what_it_holds_and_that_nothing_was_taken():
    verdict = Verdict(
        tripped=True,
        hash="abc",
        reasons=(reason("catalogue_shrunk", before=50, lost=40, percent=80, most=20),),
    )
    told = classes("guard", "held", 40)
    found = said(told, replace(WELL, verdict=verdict))
    assert "the catalogue lost 40 of its 50 linked images" in found.body
    assert "Nothing was taken from Immich." in found.body
    assert "--approve" not in found.body
    assert "40 images: held back" in said(told, replace(WELL, counts={"held": 40})).body
    assert said(told, now=()).body == "The guard held something back; it no longer does."


def test_a_condition_is_told_in_the_daemons_words_and_that_it_is_over():
    condition = Condition("Working", "False", "Unexpected", (reason("broke_off", kind="KeyError"),), NOW)
    snapshot, matter = replace(WELL, conditions=(condition,)), Matter("attention", "Working")
    assert said([matter], snapshot).body == (
        "A run broke off. A run broke off because of KeyError; the log has the details. It is tried again by itself.\n"
        "https://reconciler.example.org/doctor"
    )
    assert said([matter], snapshot, now=()).body == "A run broke off; that is over now."


def test_images_that_are_over_by_now_are_told_as_that():
    told = [image_matter("conflict", "a"), image_matter("conflict", "b")]
    assert said(told, now=()).body == "2 images: in conflict; that is over now."
    assert said(told, now=told[:1]).body.startswith("1 image: in conflict. ")


def test_a_crowd_is_counted():
    told = [*classes("conflict", "conflict", 5), image_matter("conflict", "a")]
    found = said(told, replace(WELL, counts={"conflict": 5300}), titles={"a": "M 31"})
    assert "5,300 images: in conflict (“M 31” and 5,299 more)" in found.body
    crossed = said([image_matter("crossed", "a")], replace(WELL, crossed=Crossed(1, NOW)))
    assert "1 image: an edit may be missing." in crossed.body
    assert "/images?crossed=true" in crossed.body


def test_many_kinds_are_one_message_the_worst_first():
    told = [FIRST, image_matter("conflict", "a"), DOWN, *classes("guard", "held", 3)]
    found = said(told)
    assert found.title == "skymmich-reconciler: The guard holds something back, and 3 more things"
    starts = [part[:9] for part in found.body.split("\n\n")]
    assert starts == ["The guard", "Immich ha", "1 image: ", "The first"]


def test_the_first_sync_says_how_things_stand():
    assert said([FIRST]).body.startswith("The first sync is done. In sync: 6 images, checked 3 s ago.")


def test_no_secret_goes_out():
    error = reason("told", text="http://me:hunter22@immich.lan api_key=abcdefghijklmnop")
    condition = Condition("CatalogueReadable", "False", "NotReadable", (error,), NOW)
    found = said([Matter("attention", "CatalogueReadable")], replace(WELL, conditions=(condition,)))
    assert "hunter22" not in found.body
    assert "abcdefghijklmnop" not in found.body


def test_every_occasion_has_its_words():
    assert set(TITLES) == set(OCCASIONS)


@pytest.mark.parametrize(("page", "ending"), [("", "here."), (PAGE, "\nhttps://reconciler.example.org/")])
def test_a_test_says_that_it_is_one(page, ending):
    assert trial_letter(page).title == "skymmich-reconciler: A test"
    assert trial_letter(page).body.endswith(ending)
