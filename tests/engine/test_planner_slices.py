"""How often Immich is asked while it digests: as often as it takes, and no more."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest

from reconciler.engine.polling.timing import Timing
from reconciler.errors import WriteInDoubtError

pytestmark = pytest.mark.anyio

STEADY = Timing(recheck=0.2, look=0.4)
FUTURE = "77777777-7777-4777-8777-777777777777"


class Noting:
    """A target that notes which visibilities were searched, and who was tagged in which order.

    With ``lose`` the first tag write never arrives, and nobody can know.
    """

    def __init__(self, *, lose=False):
        self.searched, self.tagged, self._lose = [], [], lose

    def __call__(self, target):
        self._target = target
        return self

    def __getattr__(self, name):
        return getattr(self._target, name)

    async def changed_since(self, since, *, visibilities=("timeline", "archive")):
        self.searched.extend(visibilities)
        return await self._target.changed_since(since, visibilities=visibilities)

    async def add_tags(self, asset_ids, tag_ids):
        self.tagged.extend(asset_ids)
        if self._lose:
            self._lose = False
            raise WriteInDoubtError("The connection broke.")
        return await self._target.add_tags(asset_ids, tag_ids)


async def test_many_tags_leave_one_image_in_two_requests_each(install):
    """One takes the tag away; one reads the asset, once it should have settled: it shows its date and its tags."""
    here = install(count=6, unkind="settling,lost_updates", timing=STEADY)
    image_id, asset_id = here.images()[0]
    here.tags_of(image_id, [f"T{number}" for number in range(8)])
    await here.run()
    before = here.shown(asset_id)["tags"]
    here.tags_of(image_id, [])
    await here.run(by_person=False)
    assert here.requests["DELETE /tags/{id}/assets"] == 8
    assert here.requests.total() <= 8 * 3 + 8  # two are about the record of what is ours
    assert set(before) - set(here.shown(asset_id)["tags"]) == {f"Astro/T{number}" for number in range(8)}
    await here.assert_true()


async def test_the_archive_is_searched_only_while_something_of_ours_is_in_it(install):
    here = install(count=40, unkind="settling,archived", timing=STEADY)
    here.wrap = noting = Noting()
    archived = [asset for asset, shown in here.sim.assets().items() if shown["visibility"] == "archive"]
    assert 1 <= len(archived) <= 2
    await here.run()
    assert noting.searched.count("archive") <= 2 < noting.searched.count("timeline")
    await here.assert_true()


async def test_a_date_from_the_future_hides_nothing_that_moves_now(install):
    """Once the server's clock was wrong, and an asset still bears the date."""
    here = install(count=20, assets=[FUTURE], timing=Timing(recheck=0.02, look=0.03, grace=20.0))
    odd = here.sim.state.assets[FUTURE]
    here.sim._on_loop(lambda: _date(here.sim.state, odd, timedelta(days=400)))
    began = time.monotonic()
    report = await here.run()
    assert {outcome.status for outcome in report.outcomes} == {"in_sync"}
    assert time.monotonic() - began < 15
    await here.assert_true()


def _date(state, asset, ahead):
    del state.assets[asset.asset_id]
    asset.updated += int(ahead.total_seconds() * 1000)
    state.add(asset)


async def test_a_canary_whose_write_was_perhaps_lost_keeps_nobody_waiting(install):
    here = install(count=12, timing=Timing(recheck=0.02, look=0.03, grace=3.0))
    here.wrap = noting = Noting(lose=True)
    report = await here.run()
    assert (report.run.outcome, report.attention) == ("succeeded", ())
    lost = noting.tagged[0]
    assert noting.tagged.count(lost) == 2
    assert noting.tagged[-1] == lost  # after all others, when it surely will not arrive any more
    await here.assert_true()
