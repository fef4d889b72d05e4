"""Stacks on the command line: shown, decided, left out and taken back with their image."""

from __future__ import annotations

import json
import uuid

import httpx
import pytest

RING = 19


class Stacked:
    """An installation of which another asset is stacked with an image's."""

    def __init__(self, here):
        self.here = here
        simulator = here.simulator
        self.http = httpx.Client(
            base_url=f"{simulator.url}/api", headers={"x-api-key": simulator.api_key}, timeout=60
        )
        at = "2024-05-01T12:00:00.000Z"
        fields = {
            "deviceAssetId": uuid.uuid4().hex,
            "deviceId": "x",
            "fileCreatedAt": at,
            "fileModifiedAt": at,
        }
        made = self.http.post(
            "/assets", data=fields, files={"assetData": ("edit.jpg", b"edit", "image/jpeg")}
        )
        self.member = made.json()["id"]
        simulator.wait_until_idle()
        stacked = self.http.post("/stacks", json={"assetIds": [here.asset(RING), self.member]})
        assert stacked.status_code == 201, stacked.text

    def text(self, asset_id):
        self.here.simulator.wait_until_idle()
        return self.here.simulator.assets()[asset_id]["description"]


@pytest.fixture
def stacked(two):
    found = Stacked(two)
    yield found
    found.http.close()


@pytest.fixture
def written(stacked):
    assert stacked.here.call("settings", "set", "syncStacks=on").returncode == 0
    done = stacked.here.call("apply", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    return stacked


def test_it_is_off_until_it_is_switched_on(stacked):
    here = stacked.here
    assert here.call("apply", "--yes").returncode == 0
    assert stacked.text(stacked.member) == ""
    assert here.call("settings", "set", "syncStacks=on").returncode == 0
    assert json.loads(here.call("settings", "--json").stdout)["settings"]["syncStacks"] is True
    assert here.call("apply", str(RING), "--yes").returncode == 0
    assert "✦" in stacked.text(stacked.member)


def test_explain_names_the_other_assets_with_their_state(written):
    told = written.here.call("explain", str(RING)).stdout
    assert "In the same stack" in told
    assert f"{written.member}  In sync" in told
    (one,) = json.loads(written.here.call("explain", str(RING), "--json").stdout)["members"]
    assert (one["asset_id"], one["status"]) == (written.member, "in_sync")


def test_undo_and_redo_of_an_image_are_of_all_its_assets(written):
    here = written.here
    assert here.call("undo", str(RING), "--yes").returncode == 0
    assert written.text(written.member) == ""
    assert "✦" not in written.text(here.asset(RING))
    assert here.call("redo", str(RING), "--yes").returncode == 0
    assert "✦" in written.text(written.member)
    assert "✦" in written.text(here.asset(RING))


def test_a_member_is_taken_back_alone_by_its_own_id(written):
    here = written.here
    assert here.call("undo", written.member, "--yes").returncode == 0
    assert written.text(written.member) == ""
    assert "✦" in written.text(here.asset(RING))


def test_leaving_an_image_out_leaves_its_members_out(written):
    here = written.here
    assert here.call("leave-out", str(RING)).returncode == 0
    here.sql("UPDATE astrophotography_images SET title = 'Another ring' WHERE id = ?", RING)
    here.call("apply", "--yes")
    assert "Another ring" not in written.text(written.member)
    assert here.call("take-in", str(RING)).returncode == 0
    assert "Another ring" in written.text(written.member)


def test_a_conflict_of_a_member_is_decided_with_its_image(written):
    here = written.here
    here.sql("UPDATE astrophotography_images SET latitude = 48.1, longitude = 11.5 WHERE id = ?", RING)
    here.simulator.person(written.member, "set_coordinates", [10.0, 20.0])
    here.simulator.wait_until_idle()
    here.call("apply", "--yes")
    done = here.call("resolve", str(RING), "--keep", "immich", "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    (one,) = json.loads(here.call("explain", str(RING), "--json").stdout)["members"]
    assert one["status"] == "in_sync"


def test_a_saved_plan_writes_to_members(stacked, tmp_path):
    here, file = stacked.here, tmp_path / "plan.json"
    assert here.call("apply", "--yes").returncode == 0
    here.call("settings", "set", "syncStacks=on")
    here.call("plan", "--out", str(file))
    done = here.call("apply", str(file), "--yes")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "✦" in stacked.text(stacked.member)


def test_the_doctor_names_the_permission(written):
    written.here.simulator.configure(
        scopes=["asset.read", "asset.update", "tag.read", "tag.create", "tag.asset", "apiKey.read"]
    )
    told = written.here.call("doctor").stdout
    assert "stack.read" in told
