"""A person's words that equal the catalogue's are found in sync, and are not ours: they may go on with them."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("later", ["{}\n\nMine.", "{}\nMine, too.\n\nAnd more."])
def test_who_goes_on_below_words_that_equalled_the_catalogues_is_in_no_conflict(world, later):
    """Whoever used Skymmich's own buttons before has its words in Immich already; they are not ours."""
    here = world(count=2, unkind="settling")
    image_id, asset_id = here.images()[0]
    here.sql(
        "UPDATE astrophotography_images SET description = ? WHERE id = ?", "Two nights.\nNo moon.", image_id
    )
    here.person(asset_id, "set_description", "Two nights.\nNo moon.")
    here.settle()
    here.run()
    here.settle()
    text = here.shown()[asset_id]["description"].replace(
        "Two nights.\nNo moon.", later.format("Two nights.\nNo moon.")
    )
    here.person(asset_id, "set_description", text)
    here.settle()
    here.run()
    assert (here.writes, here.statuses()) == (0, {"in_sync": 2})
    here.sql("UPDATE astrophotography_images SET description = 'Another' WHERE id = ?", image_id)
    here.run()
    assert here.statuses() == {"in_sync": 1, "conflict": 1}, "other words are for the person to decide"
    assert here.shown()[asset_id]["description"] == text


def test_who_writes_above_them_is_asked_as_ever(world):
    """So stand both sides once a person let them join: that has to be there to be decided again."""
    here = world(count=2, unkind="settling")
    image_id, asset_id = here.images()[0]
    here.sql("UPDATE astrophotography_images SET description = ? WHERE id = ?", "Two nights.", image_id)
    here.person(asset_id, "set_description", "Mine.\n\nTwo nights.")
    here.settle()
    here.run()
    assert here.statuses() == {"in_sync": 1, "conflict": 1}
