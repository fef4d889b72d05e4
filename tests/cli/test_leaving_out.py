"""Leaving out on the command line: images and fields, told by every command, and a renamed branch of tags."""

from __future__ import annotations

import json

import pytest

from reconciler.core.catalogue import WRITTEN_PARTS
from state.store import StateStore

RING, JELLYFISH = 19, 33


@pytest.fixture
def begun(two):
    assert two.call("apply", "--yes").returncode == 0
    return two


def retitled(here, image_id, title):
    here.sql("UPDATE astrophotography_images SET title = ? WHERE id = ?", title, image_id)


def description(here, image_id):
    here.simulator.wait_until_idle()
    return here.simulator.assets()[here.asset(image_id)]["description"]


def test_an_image_is_left_out_told_everywhere_and_taken_in_again(begun):
    before = description(begun, RING)
    told = begun.call("leave-out", str(RING))
    assert told.returncode == 0, told.stderr
    assert "is left out: description, place, tags, date and albums." in told.stdout
    assert "What was written before stays." in told.stdout
    assert "was so already" in begun.call("leave-out", str(RING)).stdout
    retitled(begun, RING, "Another ring")

    plan = json.loads(begun.call("plan", "--json").stdout)
    assert plan["changes"] == 0
    assert {one["image_id"]: one["status"] for one in plan["items"]}[RING] == "left_out"
    forced = begun.call("apply", str(RING), "--force", "--yes")
    assert "left out on" in forced.stdout, "it says why it does nothing"
    assert "on the command line" in forced.stdout
    assert description(begun, RING) == before
    explained = begun.call("explain", str(RING)).stdout
    assert "Left out: left out on" in explained
    assert f"take-in {RING}" in explained
    record = json.loads(begun.call("explain", str(RING), "--json").stdout)["record"]
    assert [(one["field"], one["by"]) for one in record["left_out"]] == [
        (field, "cli") for field in sorted(WRITTEN_PARTS)
    ]
    status = begun.call("status")
    assert status.returncode in {0, 3}
    assert "1 left out" in status.stdout

    taken = begun.call("take-in", str(RING), "--json")
    assert taken.returncode == 0, taken.stderr
    (one,) = json.loads(taken.stdout)["taken_in"]
    assert (one["image_id"], sorted(one["fields"])) == (RING, sorted(WRITTEN_PARTS))
    assert "Another ring" in description(begun, RING)
    assert "was not left out here" in begun.call("take-in", str(RING)).stdout


def test_a_field_alone_is_left_out_and_an_unknown_one_is_refused(begun):
    told = begun.call("leave-out", str(RING), "--field", "place", "--field", "description", "--json")
    assert json.loads(told.stdout)["left_out"][0]["fields"] == ["description", "coordinates"]
    wrong = begun.call("leave-out", str(RING), "--field", "title")
    assert wrong.returncode == 1
    assert "description, place, tags, date and albums" in wrong.stderr
    with StateStore.open(begun.store) as store:
        assert {one.field for one in store.record(begun.asset(RING)).left_out} == {
            "coordinates",
            "description",
        }


def test_it_is_kept_where_immich_cannot_be_asked(begun):
    begun.configure(url="http://127.0.0.1:9")
    told = begun.call("leave-out", str(RING))
    assert told.returncode == 0, told.stderr
    assert "It is on record. The next run goes by it." in told.stdout
    begun.configure()
    retitled(begun, RING, "Another ring")
    assert json.loads(begun.call("plan", "--json").stdout)["changes"] == 0


def test_a_renamed_root_is_one_line_of_the_plan(begun):
    begun.configure('[tags]\nroot = "Astronomy"\n')
    plan = json.loads(begun.call("plan", "--json").stdout)
    (renamed,) = plan["renamed"]
    assert (renamed["before"], renamed["after"]) == ("Astro", "Astronomy")
    assert renamed["tags"] > 10
    assert not plan["guard"]["tripped"]
    shown = begun.call("plan").stdout
    assert f"renamed Astro/… → Astronomy/… ({renamed['tags']} tags)" in shown
    assert "Astro/Type/" not in shown
    applied = begun.call("apply", "--yes")
    assert applied.returncode == 0
    assert f"renamed Astro/… → Astronomy/… ({renamed['tags']} tags)" in applied.stdout
    assert "empty tags of the old branch" in applied.stdout
