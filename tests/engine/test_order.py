"""In which order assets are written: those of the same values side by side, whatever else there is."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace

from reconciler.core.asset import Coordinates, ObservedAsset
from reconciler.core.desired.desired import Desired
from reconciler.core.plan.plan import AssetPlan
from reconciler.engine.order import groups, order

NOW = datetime(2026, 11, 22, tzinfo=UTC)
HERE, THERE = Coordinates(48.1, 11.6), Coordinates(-30.1, -70.8)


def jobs(*values):
    made = []
    for number, written in enumerate(values):
        seen = ObservedAsset(f"asset-{number}", "me", NOW)
        plan = AssetPlan(number, seen.asset_id, "", seen, Desired(), **written)
        made.append(SimpleNamespace(asset_id=seen.asset_id, write=SimpleNamespace(plan=plan)))
    return made


def test_equal_values_stand_side_by_side_beside_any_others():
    date, other, place = {"taken_at": NOW}, {"taken_at": NOW.replace(year=2020)}, {"coordinates": HERE}
    listed = jobs(
        date,
        place,
        {"description": "a"},
        date,
        {"coordinates": THERE},
        place,
        other,
        {"description": "a"},
        date,
        other,
    )
    ordered = [job.write.plan.image_id for job in order(listed)]
    assert sorted(ordered) == list(range(10))
    assert ordered[-1] == 4  # the only one that shares nothing
    for together in ({0, 3, 8}, {1, 5}, {2, 7}, {6, 9}):
        places = sorted(ordered.index(one) for one in together)
        assert places == list(range(places[0], places[0] + len(places)))
    assert sorted(len(group) for group in groups(listed)) == [1, 2, 2, 2, 3]
