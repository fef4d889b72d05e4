"""What a pass may not do by itself: take much away at once, or write much under new rules unproven."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from reconciler.core.policy import DescriptionPolicy
from reconciler.messages.guard import message

pytestmark = pytest.mark.anyio

LOSING_ALL_BUT_THREE = (
    "DELETE FROM astrophotography_images WHERE id NOT IN (SELECT id FROM astrophotography_images "
    "WHERE immich_id IS NOT NULL ORDER BY id LIMIT 3)"
)


def keep_rows(here):
    """Put the catalogue's rows aside, to bring them back."""
    here.sql("CREATE TABLE kept AS SELECT * FROM astrophotography_images")

    def restore():
        here.sql("DELETE FROM astrophotography_images")
        here.sql("INSERT INTO astrophotography_images SELECT * FROM kept")

    return restore


def blank(here, count):
    """Do what Skymmich's re-import does: bring rows back without what people had entered."""
    here.sql("CREATE TEMP TABLE dropped AS SELECT 1")
    chosen = "(SELECT id FROM astrophotography_images WHERE immich_id IS NOT NULL ORDER BY id LIMIT ?)"
    columns = {
        "tags": "'[\"astrophotography\"]'", "object_type": "'Deep Sky'", "description": "''",
        **dict.fromkeys(
            ("constellation", "target_name", "telescope", "camera", "mount", "filters", "latitude", "longitude",
             "ra", "dec", "pixel_scale", "field_of_view", "rotation", "focal_length", "aperture", "iso",
             "exposure_time", "frame_count", "total_integration_hours"),
            "NULL",
        ),
    }  # fmt: skip
    assignments = ", ".join(f"{name} = {value}" for name, value in columns.items())
    here.sql(f"UPDATE astrophotography_images SET {assignments} WHERE id IN {chosen}", count)
    for table in ("image_equipment", "image_acquisition", "plate_solving_jobs"):
        here.sql(f"DELETE FROM {table} WHERE image_id IN {chosen}", count)


def everything(here):
    """Give all that Immich shows: description, place and tags of each asset."""
    here.sim.wait_until_idle()
    return {
        asset_id: (shown["description"], shown["latitude"], shown["longitude"], sorted(shown["tags"]))
        for asset_id, shown in here.sim.assets().items()
    }


@pytest.mark.parametrize("orphans", ["keep", "release"])
async def test_a_catalogue_that_lost_most_of_its_images_costs_immich_nothing(install, policy, orphans):
    """The real case: Skymmich deletes its images after one 401 from Immich, and has them again later."""
    here = install(count=40)
    here.policy = policy(orphans=orphans)
    await here.run()
    before, restore = everything(here), keep_rows(here)
    images = len(before)
    here.sql(LOSING_ALL_BUT_THREE)
    for by_person in (False, True, False):
        report = await here.run(by_person=by_person)
        assert report.verdict.tripped
        assert report.verdict.shrunk
        assert f"lost {images - 3} of its {images} linked images" in message(report.verdict.told)
        assert f"apply --approve {report.verdict.hash}" in message(report.verdict.told)
        assert here.writes == 0
    assert everything(here) == before
    restore()
    report = await here.run(by_person=False)
    assert not report.verdict.tripped
    assert here.writes == 0
    assert set(here.statuses().values()) == {"in_sync"}
    assert everything(here) == before


async def test_a_catalogue_that_is_empty_costs_immich_nothing(install, policy):
    here = install(count=5)
    here.policy = policy(orphans="release")
    await here.run()
    before = everything(here)
    here.sql("DELETE FROM astrophotography_images")
    report = await here.run()
    assert report.verdict.shrunk
    assert "empty" in message(report.verdict.told)
    assert here.writes == 0
    assert everything(here) == before


async def test_an_edit_made_while_the_catalogue_was_gone_is_seen_when_it_is_back(install):
    here = install(count=20)
    await here.run()
    restore, asset_id = keep_rows(here), here.asset(15)
    description = here.shown(asset_id)["description"]
    here.sql(LOSING_ALL_BUT_THREE)
    await here.run(by_person=False)
    here.sim.person(asset_id, "set_description", description.replace("— Skymmich", "torn\n— Skymmich"))
    here.sim.wait_until_idle()
    await here.run(by_person=False)
    restore()
    await here.run(by_person=False)
    text = here.shown(asset_id)["description"]
    assert "— Skymmich\n\ntorn" in text


async def test_rows_that_come_back_blank_take_nothing_away_until_a_person_approves(install):
    here = install(count=24)
    await here.run()
    before = everything(here)
    images = [image_id for image_id, _ in here.images()]
    blank(here, 14)
    (tags,) = here.sql("SELECT tags FROM astrophotography_images WHERE id = ?", images[20])[0]
    here.tags_of(images[20], [*json.loads(tags), "Brand new"])
    held = await here.run(by_person=False)
    verdict = held.verdict
    assert verdict.tripped
    assert not verdict.shrunk
    assert f"14 of {len(images)} managed assets would lose something" in message(verdict.told)
    assert verdict.hash in message(verdict.told)
    after = everything(here)
    by_image = dict(here.images())
    for image_id in images[:14]:
        description, *_, tags = before[by_image[image_id]]
        assert after[by_image[image_id]][0] == description
        assert set(tags) <= set(after[by_image[image_id]][3])
        assert here.store.records()[by_image[image_id]].status == "held"
    assert "Astro/Brand new" in after[by_image[images[20]]][3]

    again = await here.run(by_person=False)
    assert here.requests.total() <= 7
    assert again.verdict.tripped
    assert again.verdict.hash == verdict.hash
    assert message(again.verdict.told)
    assert here.writes == 0

    wrong = await here.run(approved="0" * 20)
    assert wrong.verdict.tripped
    assert here.writes == 0

    approved = await here.run(approved=verdict.hash)
    assert not approved.verdict.tripped
    assert all(before[asset_id][0] != now[0] for asset_id, now in everything(here).items()
               if asset_id in {by_image[i] for i in images[:14]})  # fmt: skip
    assert set(here.statuses().values()) <= {"in_sync", "not_writable", "conflict"}
    await here.run()
    assert here.writes == 0
    assert here.sim.faults()["overlaps"] == 0


async def test_changed_rules_are_not_told_as_a_lost_catalogue(install):
    here = install(count=12)
    await here.run()
    here.policy = replace(here.policy, tags=replace(here.policy.tags, equipment=False, root="Sky"))
    for _ in range(2):  # it stays the cause until it is approved or taken back
        held = await here.run(by_person=False)
        assert (held.verdict.tripped, held.verdict.cause) == (True, "rules")
        assert "another setting" in message(held.verdict.told)
        assert "estore" not in message(held.verdict.told)
    approved = await here.run(approved=held.verdict.hash)
    assert not approved.verdict.tripped
    blank(here, 11)
    emptied = await here.run(by_person=False)
    assert (emptied.verdict.tripped, emptied.verdict.cause) == (True, "values")


async def test_held_removals_do_not_slip_through_when_their_assets_move_one_by_one(install):
    here = install(count=30)
    await here.run()
    blank(here, 25)
    await here.run(by_person=False)
    for _, asset_id in here.images()[:4]:
        before = here.shown(asset_id)
        here.sim.person(asset_id, "add_tag", "looked at")
        here.sim.wait_until_idle()
        report = await here.run(by_person=False)
        assert report.verdict.tripped
        assert here.shown(asset_id)["description"] == before["description"]
        assert set(before["tags"]) <= set(here.shown(asset_id)["tags"])
    image_id, asset_id = here.images()[5]
    before = here.shown(asset_id)
    await here.run(image_ids=frozenset({image_id}))
    assert here.shown(asset_id) == before


async def test_removals_go_on_by_themselves_once_the_catalogue_is_right_again(install):
    here = install(count=30)
    await here.run()
    before, restore = everything(here), keep_rows(here)
    here.sql("UPDATE astrophotography_images SET tags = '[]'")
    report = await here.run(by_person=False)
    assert report.verdict.tripped
    restore()
    report = await here.run(by_person=False)
    assert not report.verdict.tripped
    assert set(here.statuses().values()) == {"in_sync"}
    assert {asset: sides[0] for asset, sides in everything(here).items()} == {
        asset: sides[0] for asset, sides in before.items()
    }


async def test_the_first_pass_writes_to_five_assets_and_only_then_to_the_rest(install):
    here = install(count=30)
    verified_when_sixth_was_written = []

    class Watch:
        def __init__(self, target):
            self.target, self.seen = target, set()

        def __getattr__(self, name):
            return getattr(self.target, name)

        async def add_tags(self, asset_ids, tag_ids):
            if len(self.seen | set(asset_ids)) > 5 and not verified_when_sixth_was_written:
                records = here.store.records()
                verified_when_sixth_was_written.extend(
                    here.sim.assets()[asset]["tags"] and records[asset].applied.tags for asset in self.seen
                )
            self.seen |= set(asset_ids)
            return await self.target.add_tags(asset_ids, tag_ids)

    here.wrap = Watch
    await here.run()
    assert len(verified_when_sixth_was_written) == 5
    assert all(verified_when_sixth_was_written)
    await here.assert_true()


async def test_a_wholly_read_only_library_stops_after_the_canary_and_waits_for_a_person(install, policy):
    here = install(count=30, unkind="read_only")
    for asset in here.sim.state.assets.values():
        asset.read_only = True
    report = await here.run(by_person=False)
    assert report.run.outcome == "failed"
    assert "none of the first 5 assets" in str(report.error)
    assert "folder writable" in str(report.error)
    touched = [asset for asset in here.sim.state.assets.values() if asset.writes]
    assert len(touched) == 5
    for _ in range(2):
        report = await here.run(by_person=False)
        assert here.writes == 0
        assert "none of the first 5 assets" in str(report.error)
    for asset in here.sim.state.assets.values():
        asset.read_only = False
    await here.run(by_person=True, force=True)
    await here.assert_true()


async def test_new_rules_send_the_canary_again(install, policy):
    here = install(count=30, unkind="read_only")
    await here.run()
    for asset in here.sim.state.assets.values():
        asset.read_only = True
    here.sim.reset()
    here.policy = type(here.policy)(description=DescriptionPolicy(opening="★ "))
    report = await here.run(by_person=False)
    assert "none of the first 5 assets" in str(report.error)
    assert here.writes <= 10


async def test_a_canary_of_one_that_was_not_kept_proves_nothing(install):
    here = install(count=12, unkind="read_only")
    for asset in here.sim.state.assets.values():
        asset.read_only = True
    await here.run(image_ids=frozenset({here.images()[0][0]}))
    report = await here.run()
    assert "none of the first 5 assets" in str(report.error)
