"""Carrying over on the command line: listed, shown before, asked, left, looked at in Immich."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.conformance.conftest import png

WORDS = "Seen with my daughter."
RING = 19


@pytest.fixture
def replaced(two):
    """An image whose picture was imported again, after somebody wrote into it."""
    two.person(RING, "set_description", WORDS)
    assert two.call("apply", "--yes").returncode == 0
    taken = {"fileCreatedAt": "2024-05-01T12:00:00Z", "fileModifiedAt": "2024-05-01T12:00:00Z"}
    made = httpx.post(
        f"{two.simulator.url}/api/assets", headers={"x-api-key": two.simulator.api_key}, data=taken,
        files={"assetData": ("again.png", png(7), "image/png")},
    ).json()["id"]  # fmt: skip
    two.sql("UPDATE astrophotography_images SET immich_id = ? WHERE id = ?", made, RING)
    two.simulator.wait_until_idle()
    assert two.call("apply", "--yes").returncode == 0
    return two


def words(here):
    here.simulator.wait_until_idle()
    return here.shown(RING)["description"]


def test_it_is_listed_shown_asked_and_carried_over(replaced):
    assert WORDS not in words(replaced)
    assert f"{RING}" in replaced.call("carry-over").stdout
    assert "carry-over IMAGE" in replaced.call("status").stdout
    listed = json.loads(replaced.call("carry-over", "--json").stdout)["offered"]
    assert [one["kept"]["prose"] for one in listed] == [WORDS]

    asked = replaced.call("carry-over", str(RING))
    assert asked.returncode == 1
    assert "Nobody is there to be asked" in asked.stderr
    assert WORDS in asked.stdout
    assert WORDS not in words(replaced)

    done = replaced.call("carry-over", str(RING), "--yes", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [one["state"] for one in found["carry_over"]] == ["carried"]
    assert WORDS in words(replaced)

    undone = replaced.call("undo", found["run"]["run_id"], "--yes")
    assert undone.returncode == 0, undone.stderr
    assert WORDS not in words(replaced)


def test_it_is_left_and_is_not_listed_any_more(replaced):
    assert replaced.call("carry-over", str(RING), "--leave").returncode == 0
    assert "Nothing is offered" in replaced.call("carry-over").stdout
    again = replaced.call("carry-over", str(RING), "--leave")
    assert again.returncode == 1
    assert "Nothing is offered" in again.stderr
    assert WORDS not in words(replaced)
