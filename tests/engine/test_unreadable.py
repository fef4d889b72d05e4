"""What could not be read did not leave: a row gone wrong in Skymmich costs nothing in Immich."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.policy import MergePolicy

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("damage", ["title = x'ff00'", "immich_id = 'oops'"])
async def test_an_image_whose_row_or_link_can_not_be_read_is_not_released(install, damage):
    here = install(count=6)
    here.policy = replace(here.policy, merge=MergePolicy(orphans="release"))
    await here.run()
    image_id, asset_id = here.images()[0]
    before = here.shown(asset_id)
    assert before["description"]
    here.sql(f"UPDATE astrophotography_images SET {damage} WHERE id = ?", image_id)
    await here.run(full=True)
    assert here.writes == 0
    assert here.shown(asset_id)["description"] == before["description"]
    assert here.store.records()[asset_id].linked
