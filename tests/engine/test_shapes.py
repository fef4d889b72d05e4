"""A new release of Skymmich that keeps its values in another shape thins out nothing that Immich shows."""

from __future__ import annotations

import json

import pytest

pytestmark = pytest.mark.anyio


def renamed_states(here):
    here.sql("UPDATE plate_solving_jobs SET status = 'solved' WHERE status = 'success'")


def renamed_sides(here):
    for job_id, result in here.sql("SELECT id, result FROM plate_solving_jobs WHERE status = 'success'"):
        answer = json.loads(result)
        names = {"width_arcsec": "fieldWidth", "height_arcsec": "fieldHeight"}
        changed = json.dumps({names.get(key, key): value for key, value in answer.items()})
        here.sql("UPDATE plate_solving_jobs SET result = ? WHERE id = ?", changed, job_id)


def deeper_specifications(here):
    for piece_id, stored in here.sql("SELECT id, specifications FROM equipment"):
        if stored and json.loads(stored):
            deeper = json.dumps({"data": json.loads(stored)})
            here.sql("UPDATE equipment SET specifications = ? WHERE id = ?", deeper, piece_id)


def emptied_objects(here):
    here.sql("DELETE FROM catalog_objects")


def emptied_jobs(here):
    here.sql("DELETE FROM plate_solving_jobs")


@pytest.mark.parametrize(
    "change", [renamed_states, renamed_sides, deeper_specifications, emptied_objects, emptied_jobs]
)
async def test_values_of_a_new_shape_cost_nothing_that_immich_shows(install, change):
    here = install(count=8)
    await here.run()
    before = {asset_id: here.shown(asset_id) for _, asset_id in here.images()}
    change(here)
    for _ in range(2):  # the second pass must not take the first for how it always was
        report = await here.run(full=True)
        assert here.writes == 0
        assert "failed" in {outcome.status for outcome in report.outcomes}
    assert {asset_id: here.shown(asset_id) for _, asset_id in here.images()} == before
    assert report.run.outcome == "succeeded"
    assert report.attention


async def test_tables_that_never_had_a_row_leave_nothing_unknown(install):
    here = install(count=3)
    emptied_objects(here)
    emptied_jobs(here)
    for _ in range(2):
        await here.run(full=True)
        assert set(here.statuses().values()) == {"in_sync"}
    prepared = await here.prepare()
    assert prepared.catalogue.problems == ()
