from __future__ import annotations

import json

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
