"""A switch of Skymmich's that cannot be read is neither on nor off: it stays as it was last read."""

from __future__ import annotations

import json

import pytest

from reconciler.app.overrides import overridden_switches
from reconciler.core.policy import Policy, Switches
from reconciler.core.reasons import reason
from reconciler.core.store_keys import SETTINGS_OVERRIDE
from reconciler.engine.planner.wishes import switches_of
from reconciler.engine.schema import recalled
from reconciler.skymmich.sources import open_catalogue

pytestmark = pytest.mark.anyio

SETTINGS = {"metadataSyncEnabled": True, "syncDescription": False, "syncCoordinates": True, "syncTags": True}


def saves(here, value):
    here.sql("UPDATE admin_settings SET value = ? WHERE key = 'immich'", value)


def descriptions(here):
    return {asset_id: here.shown(asset_id)["description"] for _, asset_id in here.images()}


@pytest.fixture
def follows(install):
    """Give an installation that goes by Skymmich's own switches, as nobody set any here."""

    def make(**settings):
        here = install(count=3)
        here.switches = None
        saves(here, json.dumps(SETTINGS | settings))
        return here

    return make


@pytest.mark.parametrize("odd", [None, "off", 0])
async def test_a_description_that_was_switched_off_stays_off(follows, odd):
    here = follows()
    await here.run()
    before = descriptions(here)
    saves(here, json.dumps(SETTINGS | {"syncDescription": odd}))
    for _ in range(2):
        await here.run(full=True)
        assert here.writes == 0
    assert descriptions(here) == before
    prepared = await here.prepare()
    (problem,) = prepared.catalogue.problems
    assert problem.table == "admin_settings"
    assert problem.reason == reason("row_no_switch", key="syncDescription")


async def test_one_that_was_on_stays_on_until_it_is_read_again(follows):
    here = follows(syncDescription=True)
    await here.run()
    saves(here, json.dumps(SETTINGS | {"syncDescription": "yes"}))
    image_id, asset_id = here.images()[0]
    here.sql("UPDATE astrophotography_images SET description = 'Two nights.' WHERE id = ?", image_id)
    await here.run()
    assert "Two nights." in here.shown(asset_id)["description"]
    saves(here, json.dumps(SETTINGS))
    here.sql("UPDATE astrophotography_images SET description = 'Three nights.' WHERE id = ?", image_id)
    await here.run()
    assert "Two nights." in here.shown(asset_id)["description"]


async def test_one_that_was_never_read_is_off(follows):
    here = follows(syncDescription="on")
    before = descriptions(here)
    await here.run()
    assert here.writes > 0  # coordinates and tags
    assert descriptions(here) == before


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE admin_settings SET value = '[]'",
        "UPDATE admin_settings SET value = '{broken'",
        "UPDATE admin_settings SET value = NULL",
        "UPDATE admin_settings SET key = 'immich2' WHERE key = 'immich'",
        "ALTER TABLE admin_settings RENAME COLUMN value TO settings",
        "ALTER TABLE admin_settings RENAME TO settings",
        "DELETE FROM admin_settings",
    ],
)
async def test_settings_that_are_gone_switch_nothing_on(follows, change):
    here = follows()
    await here.run()
    before = descriptions(here)
    here.sql(change)
    catalogue = recalled(open_catalogue(str(here.path)).read(), here.store)
    assert switches_of(catalogue, Policy()) == Switches(enabled=False, description=False)
    assert [problem.table for problem in catalogue.problems] == ["admin_settings"]
    SETTINGS_OVERRIDE.write(
        here.store, {"metadataSyncEnabled": True}
    )  # a person switched on here what is off there
    here.switches = overridden_switches(here.store, catalogue, Policy())
    for _ in range(2):
        await here.run(full=True)
        assert here.writes == 0
    assert descriptions(here) == before
