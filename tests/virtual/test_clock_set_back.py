"""Immich's clock is set back while a write is on its way: its date is an earlier one than before, and it has moved."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize("count", [1, 3])
def test_a_write_whose_asset_shows_an_earlier_date_than_before_it_has_settled(world, count):
    here = world(count=count, unkind="settling", drain=200.0)
    here.run()
    here.settle()
    here.clock.seconds += 60
    here.settings.clock_ahead -= 3600
    here.sql("UPDATE astrophotography_images SET title = title || ' anew'")
    here.run()
    here.settle()
    here.clock.seconds += 60
    here.run(full=True)
    here.settle()
    here.run(full=True)
    assert not here.store.pending()
    assert here.statuses() == {"in_sync": count}
    assert here.writes == 0
    assert here.faults["overlaps"] == here.faults["lost"] == 0
