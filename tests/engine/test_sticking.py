"""What Immich does not keep is tried a little, explained, and then left until something about it changes."""

from __future__ import annotations

import pytest

from reconciler.core.policy import Policy, Switches
from reconciler.core.reasons import reason

pytestmark = pytest.mark.anyio

ON_THE_EQUATOR = "UPDATE astrophotography_images SET latitude = 0.002, longitude = -78.45 WHERE id = ?"
FLIPPING = "sign_flips,round_trip"


def record_of(here, asset_id):
    return here.store.records()[asset_id]


async def one_that_flips(install):
    """Give an installation in which the first image's place cannot be written."""
    here = install(count=6, unkind=FLIPPING)
    image_id, asset_id = here.images()[0]
    for latitude in (0.002, -0.002, 0.004, -0.004, 0.006):
        for longitude in (-78.45, 9.45, 32.5, 103.8):
            here.sim.person(asset_id, "set_coordinates", [latitude, longitude])
            kept = here.shown(asset_id)
            if kept["latitude"] * latitude < 0 or kept["longitude"] * longitude < 0:
                here.sim.person(asset_id, "set_coordinates", [45.0, 9.0])
                here.shown(asset_id)
                here.sql(
                    "UPDATE astrophotography_images SET latitude = ?, longitude = ? WHERE id = ?",
                    latitude, longitude, image_id,
                )  # fmt: skip
                return here, image_id, asset_id
    raise AssertionError("no place flips")


async def test_a_turned_sign_is_one_attempt_with_its_diagnosis(install):
    here, image_id, asset_id = await one_that_flips(install)
    writes = here.sim.assets()[asset_id]["writes"]
    await here.run(force=True)
    record = record_of(here, asset_id)
    assert record.status == "not_sticking"
    assert record.reasons == (reason("sign_turned").of("coordinates"),)
    assert here.shown(asset_id)["writes"] - writes == 2  # its tags and its fields
    assert here.shown(asset_id)["description"]
    for by_person in (True, False):
        await here.run(by_person=by_person)
        assert here.writes == 0
    await here.run(full=True)
    assert here.writes == 0
    here.sql("UPDATE astrophotography_images SET latitude = 46.5, longitude = 9.5 WHERE id = ?", image_id)
    await here.run(force=True)
    assert record_of(here, asset_id).status == "in_sync"
    await here.assert_true()


async def test_a_turned_sign_where_there_was_no_place_is_not_taken_for_a_persons(install):
    here = install(count=6, unkind=FLIPPING)
    image_id, asset_id = here.images()[0]
    here.sql("UPDATE astrophotography_images SET latitude = 51.48, longitude = 0.001 WHERE id = ?", image_id)
    await here.run(by_person=False)
    assert here.shown(asset_id)["longitude"] == -0.001
    record = record_of(here, asset_id)
    assert (record.status, record.reasons) == ("not_sticking", (reason("sign_turned").of("coordinates"),))
    await here.run(full=True)
    assert here.writes == 0


@pytest.fixture
async def read_only(install):
    """Six images, brought in sync, then one whose folder cannot be written any more and whose title changes."""
    here = install(count=6, unkind="read_only")
    await here.run()
    image_id, asset_id = here.images()[2]
    here.sim.state.assets[asset_id].read_only = True
    here.sql("UPDATE astrophotography_images SET title = 'Changed' WHERE id = ?", image_id)
    writes = here.sim.assets()[asset_id]["writes"]
    await here.run(by_person=False)
    assert here.shown(asset_id)["writes"] == writes + 2
    assert record_of(here, asset_id).status == "not_sticking"
    assert {one.code for one in record_of(here, asset_id).reasons} == {"read_only"}
    return here, image_id, asset_id


async def test_a_read_only_asset_is_tried_twice_and_then_never_again(read_only):
    here, _, asset_id = read_only
    for selection in ({"by_person": False}, {}, {"full": True}):
        await here.run(**selection)
        assert here.writes == 0
        assert record_of(here, asset_id).status == "not_sticking"


async def test_another_desired_value_is_tried_anew(read_only):
    here, image_id, asset_id = read_only
    here.sim.state.assets[asset_id].read_only = False
    here.sql("UPDATE astrophotography_images SET title = 'Changed again' WHERE id = ?", image_id)
    await here.run(by_person=False)
    assert "Changed again" in here.shown(asset_id)["description"]
    await here.assert_true()


async def test_a_person_s_edit_in_immich_is_a_reason_to_try_anew(read_only):
    here, _, asset_id = read_only
    here.sim.state.assets[asset_id].read_only = False
    text = here.sim.assets()[asset_id]["description"]
    here.sim.person(asset_id, "set_description", text + "\n\nmine")
    here.sim.wait_until_idle()
    await here.run(by_person=False)
    assert "Changed" in here.shown(asset_id)["description"]
    assert "mine" in here.shown(asset_id)["description"]


async def test_another_version_of_the_server_is_a_reason_to_try_anew(read_only):
    here, _, asset_id = read_only
    here.sim.state.assets[asset_id].read_only = False
    here.sim.configure(version="2.8.0")
    await here.run(by_person=False)
    assert "Changed" in here.shown(asset_id)["description"]
    await here.assert_true()


async def test_a_person_s_wish_is_a_reason_to_try_anew(read_only):
    here, image_id, asset_id = read_only
    here.sim.state.assets[asset_id].read_only = False
    await here.run(image_ids=frozenset({image_id}), force=True)
    assert "Changed" in here.shown(asset_id)["description"]
    await here.assert_true()


async def test_several_tags_go_from_several_assets_in_shared_calls(install):
    here = install(count=12)
    images = here.images()
    for image_id, _ in images:
        here.tags_of(image_id, ["Alpha", "Beta", "Gamma", f"Own {image_id}"])
    await here.run()
    for number, (image_id, _) in enumerate(images[:9]):
        here.tags_of(image_id, ["Alpha"] if number < 6 else ["Alpha", "Beta"])
    here.sim.reset()
    await here.run()
    removals = sum(count for route, count in here.requests.items() if route.startswith("DELETE"))
    assert removals < 9 + 2 * 4
    for number, (_, asset_id) in enumerate(images):
        shown = set(here.shown(asset_id)["tags"])
        assert "Astro/Alpha" in shown
        assert ("Astro/Beta" in shown) == (number >= 6)
        assert ("Astro/Gamma" in shown) == (number >= 9)
    await here.assert_true()
    await here.run()
    assert here.writes == 0


async def test_images_that_leave_the_catalogue_keep_what_they_have_by_default(install):
    here = install(count=12)
    await here.run()
    image_id, asset_id = here.images()[5]
    before = here.shown(asset_id)
    here.sql("DELETE FROM astrophotography_images WHERE id = ?", image_id)
    await here.run()
    assert here.writes == 0
    assert here.shown(asset_id) == before
    assert here.statuses()[asset_id] == "unlinked"


async def test_images_that_leave_the_catalogue_are_released_where_that_is_the_policy(install, policy):
    here = install(count=12)
    here.policy = policy(orphans="release")
    image_id, asset_id = here.images()[5]
    here.sim.person(asset_id, "add_tag", "mine")
    await here.run()
    text = here.shown(asset_id)["description"]
    here.sim.person(asset_id, "set_description", f"My words.\n\n{text}")
    here.sim.wait_until_idle()
    await here.run()
    here.sql("DELETE FROM astrophotography_images WHERE id = ?", image_id)
    await here.run(by_person=False)
    shown = here.shown(asset_id)
    assert "✦" not in shown["description"]
    assert "My words." in shown["description"]
    assert shown["tags"] == ["mine"]
    await here.run(by_person=False)
    assert here.requests.total() <= 6
    assert here.statuses()[asset_id] == "unlinked"


async def test_a_relinked_image_writes_to_its_new_asset_and_leaves_the_old_one(install):
    here = install(count=12, assets=["11111111-1111-4111-8111-111111111111"])
    await here.run()
    image_id, old = here.images()[3]
    before, new = here.shown(old), "11111111-1111-4111-8111-111111111111"
    here.sql("UPDATE astrophotography_images SET immich_id = ? WHERE id = ?", new, image_id)
    await here.run(by_person=False)
    assert here.shown(old) == before
    assert here.shown(new)["description"].split("\n")[0] == before["description"].split("\n")[0]
    assert here.statuses()[old] == "unlinked"
    await here.assert_true()


async def test_conflicts_are_kept_reported_and_overwritten_only_on_a_person_s_word(install, policy):
    here = install(count=4)
    image_id, asset_id = here.images()[0]
    here.sql("UPDATE astrophotography_images SET description = 'Catalogue.' WHERE id = ?", image_id)
    here.sim.person(asset_id, "set_description", "Mine.")
    here.sim.wait_until_idle()
    await here.run()
    assert record_of(here, asset_id).status == "conflict"
    assert "Mine." in here.shown(asset_id)["description"]
    await here.run()
    assert here.writes == 0
    await here.run(image_ids=frozenset({image_id}), force=True)
    assert "Catalogue." in here.shown(asset_id)["description"]
    assert record_of(here, asset_id).status == "in_sync"
    replaced = [entry for entry in here.store.journal_of(asset_id=asset_id) if "Mine." in str(entry.before)]
    assert replaced
    await here.run()
    assert here.writes == 0


async def test_drift_of_block_place_and_tags_is_put_right(install):
    here = install(count=6)
    await here.run()
    asset_id = here.asset(1)
    before = here.shown(asset_id)
    here.sim.person(asset_id, "set_description", "")
    here.sim.person(asset_id, "set_coordinates", [1.5, 40.25])
    here.sim.person(asset_id, "remove_tag", before["tags"][0])
    here.sim.wait_until_idle()
    await here.run(by_person=False)
    after = here.shown(asset_id)
    assert set(after["tags"]) == set(before["tags"])
    assert (after["latitude"], after["longitude"]) == (before["latitude"], before["longitude"])
    assert after["description"].startswith("✦")


async def test_the_master_switch_off_shows_the_plan_and_writes_nothing(install):
    here = install(count=4)
    here.switches = Switches(enabled=False)
    assert len((await here.prepare()).changes) == 4
    with pytest.raises(Exception, match="sync is switched off"):
        await here.run()
    assert here.writes == 0


async def test_of_a_saved_plan_only_what_is_still_the_same_is_written(install):
    here = install(count=12)
    prepared = await here.prepare()
    saved = {plan.asset_id: plan.digest for plan in prepared.changes}
    (first, first_asset), (second, second_asset) = here.images()[:2]
    here.sql("UPDATE astrophotography_images SET title = 'Changed' WHERE id = ?", first)
    here.sim.person(second_asset, "set_description", "A person's.")
    here.sim.wait_until_idle()
    report = await here.run(expected=saved)
    stale = {outcome.image_id for outcome in report.outcomes if outcome.status == "failed"}
    assert stale == {first, second}
    assert len(report.stale) == 2
    assert "Changed" in report.stale
    shown = here.sim.assets()
    assert shown[first_asset]["description"] == ""
    assert shown[second_asset]["description"] == "A person's."
    assert sum(outcome.status == "in_sync" for outcome in report.outcomes) == 10
    await here.run()
    assert "Changed" in here.shown(first_asset)["description"]


async def test_of_a_saved_plan_what_a_person_touches_meanwhile_is_not_written(install):
    here = install(count=12)
    prepared = await here.prepare()
    saved = {plan.asset_id: plan.digest for plan in prepared.changes}
    odd = here.asset(7)

    class Touch:
        def __init__(self, target):
            self._target, self._done = target, False

        def __getattr__(self, name):
            return getattr(self._target, name)

        async def add_tags(self, asset_ids, tag_ids):
            if odd in asset_ids and not self._done:
                self._done = True
                here.sim.person(odd, "set_description", "Just now.")
            return await self._target.add_tags(asset_ids, tag_ids)

    here.wrap = Touch
    report = await here.run(expected=saved)
    (outcome,) = [outcome for outcome in report.outcomes if outcome.asset_id == odd]
    assert outcome.status != "in_sync"
    assert outcome.reasons == (reason("stale_plan"),)
    assert here.shown(odd)["description"] == "Just now."


async def test_switching_a_field_off_takes_nothing_away(install):
    here = install(count=5)
    await here.run()
    before = here.sim.assets()
    for switches in (Switches(description=False), Switches(coordinates=False), Switches(tags=False)):
        here.switches = switches
        await here.run()
        assert here.writes == 0
    assert here.sim.assets() == before
    here.switches, here.policy = Switches(), Policy()
    await here.run()
    assert here.writes == 0
