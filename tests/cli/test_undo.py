from __future__ import annotations

import json
import time
from datetime import UTC, datetime

from tests.free_port import free_port

RING, JELLYFISH = 19, 33


def test_undo_takes_a_run_back_and_leaves_what_somebody_wrote_since_and_it_stays_so(two):
    two.sql("UPDATE astrophotography_images SET latitude = NULL, longitude = NULL")
    two.sql("UPDATE astrophotography_images SET tags = NULL")
    two.configure("[guard]\ncanary = 0\n[tags]\nconstellation = false\nequipment = false\ntarget = false\n")
    told = json.loads(two.call("apply", "--yes", "--json").stdout)
    two.person(RING, "set_description", two.shown(RING)["description"] + "\n\nMine.")
    undone = two.call("undo", told["run"]["run_id"], "--yes")
    assert undone.returncode == 0, undone.stderr
    assert two.shown(RING)["description"] == "Mine."
    assert (two.shown(JELLYFISH)["description"], two.shown(JELLYFISH)["tags"]) == ("", [])
    before = two.writes
    told = two.call("apply", "--yes", "--json")
    assert told.returncode == 0
    assert two.writes == before
    # Not called a fault of Immich's, and nobody has to attend to it.
    statuses = {one["image_id"]: one["status"] for one in json.loads(told.stdout)["images"]}
    assert statuses[JELLYFISH] == "undone"
    two.sql("UPDATE astrophotography_images SET title = 'Jellyfish again' WHERE id = ?", JELLYFISH)
    assert two.call("apply", "--yes").returncode == 0
    assert "Jellyfish again" in two.shown(JELLYFISH)["description"]


def test_everything_is_undone_with_a_plan_and_written_again(two):
    before = {image: two.shown(image) for image in (RING, JELLYFISH)}
    two.call("apply", "--yes")
    refused = two.call("undo", "--all")
    assert refused.returncode == 1
    assert "undo --yes" in refused.stderr
    assert "2 images" in refused.stdout
    assert "/photos/" in refused.stdout  # a place that Immich cannot clear
    told = json.loads(two.call("undo", "--all", "--yes", "--json").stdout)
    assert told["counts"]["images"] == 2
    assert told["tags"]["deleted"]
    for image, was in before.items():
        assert (two.shown(image)["description"], two.shown(image)["tags"]) == (
            was["description"],
            was["tags"],
        )
    assert "2 taken back" in two.call("apply", "--yes").stdout
    explained = two.call("explain", str(RING)).stdout
    assert "taken back on" in explained
    again = two.call("redo", "--all", "--yes")
    assert again.returncode == 0, again.stderr
    assert two.shown(RING)["tags"]
    nothing = two.call("redo", "--all", "--yes")
    assert (nothing.returncode, "nothing to write again" in nothing.stderr) == (1, True)


def test_an_undo_is_refused_as_one_to_undo_with_the_way_to_write_it_again(two):
    run_id = json.loads(two.call("apply", "--yes", "--json").stdout)["run"]["run_id"]
    undo_id = json.loads(two.call("undo", run_id, "--yes", "--json").stdout)["run"]["run_id"]
    refused = two.call("undo", undo_id, "--yes")
    assert refused.returncode == 1
    assert f"redo --run {undo_id}" in refused.stderr
    before = two.writes
    assert "nothing left to take back" in two.call("undo", str(RING), "--yes").stderr
    assert two.writes == before
    assert two.call("redo", "--run", undo_id, "--yes").returncode == 0
    assert two.shown(RING)["tags"]


def test_an_image_is_taken_back_to_a_moment(two):
    two.call("apply", "--yes")
    was = two.shown(RING)
    time.sleep(1.1)  # the moment is given in seconds
    moment = datetime.now(UTC).isoformat(timespec="seconds")
    two.sql("UPDATE astrophotography_images SET title = 'Another title' WHERE id = ?", RING)
    two.call("apply", "--yes")
    assert two.shown(RING)["description"] != was["description"]
    done = two.call("undo", "--image", str(RING), "--to", moment, "--yes")
    assert done.returncode == 0, done.stderr
    assert two.shown(RING)["description"] == was["description"]
    assert two.call("undo", "--image", str(RING), "--yes").returncode == 1
    assert "is not a moment" in two.call("undo", "--image", str(RING), "--to", "noon").stderr


def test_beside_the_daemon_it_is_handed_over(two):
    port = free_port()
    before = two.shown(RING)
    two.call("apply", "--yes")
    environ = {"RECONCILER_STATUS__PORT": str(port)}
    with two.started("run", **environ) as daemon:
        try:
            end = time.monotonic() + 60
            while not (told := two.call("status", **environ)).stdout.startswith("In sync"):
                assert time.monotonic() < end, (told.stdout, told.stderr)
            done = two.call("undo", "--all", "--yes", **environ)
            assert done.returncode == 0, done.stderr
            assert "2 images taken back" in done.stdout
            assert (two.shown(RING)["description"], two.shown(RING)["tags"]) == (before["description"], [])
            again = two.call("redo", str(RING), "--yes", **environ)
            assert again.returncode == 0, again.stderr
            assert two.shown(RING)["tags"]
            assert two.shown(JELLYFISH)["tags"] == []
        finally:
            daemon.terminate()
            daemon.communicate(timeout=30)
    # Nobody could be asked: nothing was written.
    with two.started("run") as daemon:
        try:
            end = time.monotonic() + 30
            while "daemon" not in json.loads(two.call("status", "--json").stdout)["writer"]:
                assert time.monotonic() < end
            refused = two.call("undo", "--all", "--yes")
            assert (refused.returncode, "port" in refused.stderr) == (1, True)
        finally:
            daemon.terminate()
            daemon.communicate(timeout=30)
