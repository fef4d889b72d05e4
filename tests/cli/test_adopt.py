"""What is ours is known again on the command line: shown first, then taken up, and never beside another instance."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from reconciler.core.ownership import KEY
from state.process import host
from state.store import StateStore

HOST = host()


@pytest.fixture
def applied(two):
    assert two.call("apply", "--yes").returncode == 0
    return two


def owned(here):
    with StateStore.open(here.store) as store:
        return {key: one.applied for key, one in store.records().items()}


def lose(here):
    for file in here.folder.glob("state.sqlite3*"):
        file.unlink()


def told(here, *arguments):
    done = here.call("adopt", "--json", *arguments)
    return done.returncode, json.loads(done.stdout)


def test_a_lost_store_is_shown_what_it_can_know_again_and_takes_it_up(applied):
    before = owned(applied)
    tags = sum(len(one.tags) for one in before.values())
    code, found = told(applied)
    assert (code, found["adopted"], found["carried_out"]) == (0, 0, "nothing")
    lose(applied)
    code, found = told(applied)
    assert (code, found["adopted"], found["tags"], found["carried_out"]) == (0, 2, tags, "nothing")
    assert owned(applied) == {}
    refused = applied.call("adopt")
    assert refused.returncode == 1
    assert f"2 images known by their records in Immich, with {tags} tags" in refused.stdout
    assert "Nobody is there to be asked" in refused.stderr
    done = applied.call("adopt", "--yes")
    assert (done.returncode, "Taken up: 2 images." in done.stdout) == (0, True)
    assert owned(applied) == before
    assert applied.call("plan").returncode == 0
    assert "nothing to take up" in applied.call("adopt").stdout


def move(applied):
    """Let the configuration name a store in another place, which is empty."""
    elsewhere = applied.folder / "elsewhere"
    elsewhere.mkdir()
    text = applied.config.read_text().replace(str(applied.store), str(elsewhere / "state.sqlite3"))
    applied.config.write_text(text)


def test_beside_another_instance_plan_and_status_say_so_first_and_nothing_is_called_to_write(applied):
    instance = told(applied)[1]["instance"]
    applied.sql("""UPDATE astrophotography_images SET tags = '["One more"]'""")
    move(applied)
    first = f"Another instance of this program ({instance} on {HOST}) has kept this library since "
    done = applied.call("plan")
    said = " ".join(done.stdout.split())
    assert done.returncode == 1
    assert said.startswith(first)
    assert "adopt --take-over" in said
    assert "2 images: 2 not as this store would write it." in said
    assert "to write" not in said
    assert "To write it" not in said
    status = applied.call("status")
    assert " ".join(status.stdout.split()).startswith(first)
    another = json.loads(applied.call("status", "--json").stdout)["another"]
    assert (another["instance"], another["host"]) == (instance, HOST)
    plan = applied.call("plan", "--json")
    assert (plan.returncode, json.loads(plan.stdout)["another"]["instance"]) == (1, instance)
    for command in (("apply",), ("undo", "--all")):
        refused = applied.call(*command)  # asks nobody, and shows no counts
        assert (refused.returncode, refused.stdout) == (1, "")
        assert first in " ".join(refused.stderr.split())
    assert "decided in conflicts" in applied.call("adopt").stdout
    assert told(applied, "--take-over", "--yes")[0] == 0
    assert "Another instance" not in applied.call("status").stdout
    assert applied.call("plan").stdout.startswith("2 images: 2 to write.")


def test_after_a_take_over_an_undo_of_everything_names_the_tags_that_it_leaves(applied):
    move(applied)
    assert told(applied, "--take-over", "--yes")[0] == 0
    shown = applied.call("undo", "--all")
    count = int(re.search(r"Not on record here as made from here[^:]*: (\d+) tags", shown.stdout)[1])
    done = applied.call("undo", "--all", "--yes")
    said = " ".join(done.stdout.split())
    assert done.returncode == 0
    assert f"Astro: {count} tags that nothing carries; who made them is not on record here" in said
    assert f"left {count} tags that nothing carries below “Astro”" in said
    assert f"left {count} tags that nothing carries below “Astro”" in " ".join(
        applied.call("history").stdout.split()
    )
    again = json.loads(applied.call("undo", "--all", "--yes", "--json").stdout)
    assert (len(again["unrecorded_tags"]), again["tags"]["deleted"]) == (count, [])
    assert [path for path, _ in again["tags"]["unrecorded"]] == ["Astro"]


def test_a_store_in_another_place_stands_back_until_it_is_told_to_take_over(applied):
    instance = told(applied)[1]["instance"]
    move(applied)
    refused = applied.call("apply", "--yes")
    assert refused.returncode == 1
    assert f"Another instance of this program ({instance} on {HOST})" in refused.stderr
    assert "adopt --take-over" in refused.stderr
    assert instance in applied.call("doctor").stdout
    code, found = told(applied)
    assert (code, found["another"]["instance"], found["adopted"]) == (1, instance, 0)
    code, found = told(applied, "--take-over", "--yes")
    assert (code, found["adopted"], found["carried_out"]) == (0, 2, "now")
    assert applied.call("apply", "--yes").returncode == 0
    (other,) = {
        one["metadata"][KEY]["instance"] for one in applied.simulator.assets().values() if one["metadata"]
    }
    assert other == found["instance"] != instance


def test_doctor_says_that_the_store_is_an_older_copy(applied):
    assert (
        "Immich also keeps records of what was written from here (instance" in applied.call("doctor").stdout
    )
    copy = applied.folder / "copy"
    shutil.copyfile(applied.store, copy)
    applied.sql("UPDATE astrophotography_images SET description = 'Another one.'")
    assert applied.call("apply", "--yes").returncode == 0
    before = owned(applied)
    lose(applied)
    shutil.copyfile(copy, applied.store)
    assert "older copy" in applied.call("doctor").stdout
    assert applied.call("apply", "--yes").returncode == 0
    assert owned(applied) == before
    assert "older copy" not in applied.call("doctor").stdout
