"""Somebody saves an image at the moment of our write, in virtual time: each way in which its two moves can be seen."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(("count", "seen_by"), [(1, "/api/assets/"), (6, "/api/search/metadata")])
def test_an_asset_that_moves_twice_for_one_write_was_somebody_elses_too(world, count, seen_by, seed):
    here = world(count=count, unkind="settling", drain=200.0, seed=seed)
    odd, done = here.images()[0][1], []
    asset = here.state.assets[odd]
    here.settle()
    before = asset.updated

    def save(moment, method, path):
        if moment == "after" and method != "PUT" and asset.updated > before and not done:
            done.append(path)
            here.person(odd, "set_description", asset.exif.description)

    here.line.meanwhile = save
    here.run()
    assert done[0].startswith(seen_by)
    assert here.told("asset.crossed").keys() == {odd}
    assert here.statuses() == {"in_sync": count}
    assert here.store.crossed().count == 1
    assert here.faults["overlaps"] == 0
    here.line.meanwhile = lambda *_: None
    here.run()
    assert here.writes == 0
