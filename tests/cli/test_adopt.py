"""What is ours is known again on the command line: shown first, then taken up, and never beside another instance."""

from __future__ import annotations

import json
import shutil

import pytest

from reconciler.core.ownership import KEY
from state.store import SqliteStore


@pytest.fixture
def applied(two):
    assert two.call("apply", "--yes").returncode == 0
    return two


def owned(here):
    with SqliteStore.open(here.store) as store:
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


def test_a_store_in_another_place_stands_back_until_it_is_told_to_take_over(applied):
    instance = told(applied)[1]["instance"]
    elsewhere = applied.folder / "elsewhere"
    elsewhere.mkdir()
    text = applied.config.read_text().replace(str(applied.store), str(elsewhere / "state.sqlite3"))
    applied.config.write_text(text)
    refused = applied.call("apply", "--yes")
    assert refused.returncode == 1
    assert f"Another instance of this program ({instance})" in refused.stderr
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
