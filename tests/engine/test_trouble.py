"""Answers that are lost, refusals, outages, missing scopes: nothing is lost, and the next pass goes on."""

from __future__ import annotations

import pytest

from reconciler.cli.output.outcome import exit_code
from reconciler.core.reasons import reason
from reconciler.errors import (
    AssetUnknownError,
    ImmichTemporaryError,
    ImmichUnauthorizedError,
    ImmichUnreachableError,
    MaintenanceError,
    MissingPermissionError,
)
from reconciler.messages.reasons import sentence

pytestmark = pytest.mark.anyio


class Interposed:
    """A target that does something before or after a method's n-th call."""

    def __init__(self, target, name, act, after=0):
        self._target, self._name, self._act, self._left = target, name, act, after

    def __getattr__(self, name):
        known = getattr(self._target, name)
        if name != self._name:
            return known

        async def interposed(*args, **named):
            if self._left:
                self._left -= 1
                return await known(*args, **named)
            return await self._act(known, *args, **named)

        return interposed


@pytest.mark.parametrize("kind", ["busy", "dropped"])
async def test_writes_whose_answer_was_lost_are_neither_lost_nor_doubled(install, kind):
    here = install(count=30, unkind=f"settling,lost_updates,{kind}", seed=4)
    here.sim.configure(failures=0.25 if kind == "busy" else 0.03)
    for _ in range(4):
        try:
            report = await here.run(by_person=False)
        except ImmichUnreachableError:  # all tries of one request met a failure: this pass is none
            continue
        if report.run.outcome == "succeeded" and not report.attention:
            break
    here.sim.configure(failures=0.0)
    await here.run(by_person=False)
    assert sum(here.sim.faults()[f"{kind}_{when}"] for when in ("before", "after")) > 0
    await here.assert_true()
    await here.run()
    assert here.writes == 0


async def test_maintenance_in_the_middle_never_makes_an_asset_unknown(install):
    here = install(count=20)

    async def begin(known, *args):
        here.sim.configure(maintenance=True)
        return await known(*args)

    here.wrap = lambda target: Interposed(target, "add_tags", begin, after=8)
    report = await here.run()
    assert report.run.outcome == "failed"
    assert "maintenance" in str(report.error)
    assert "unknown_asset" not in here.statuses().values()
    with pytest.raises(MaintenanceError):
        await here.run()
    here.sim.configure(maintenance=False)
    here.wrap = lambda target: target
    report = await here.run(by_person=False)
    assert (report.run.outcome, report.attention) == ("succeeded", ())
    await here.assert_true()


async def test_maintenance_while_assets_are_read_makes_none_unknown(install):
    here = install(count=8)

    async def begin(known, *args):
        here.sim.configure(maintenance=True)
        return await known(*args)

    here.wrap = lambda target: Interposed(target, "asset", begin, after=3)
    with pytest.raises(MaintenanceError):
        await here.run()
    assert here.statuses() == {}


async def test_a_server_that_goes_down_is_left_alone_and_caught_up_later(install):
    here = install(count=30, unkind="settling,lost_updates")

    async def pull_the_plug(known, *args):
        here.sim.configure(down=True)
        return await known(*args)

    here.wrap = lambda target: Interposed(target, "add_tags", pull_the_plug, after=12)
    report = await here.run()
    assert report.run.outcome == "failed"
    assert report.error.remedy
    assert here.requests.total() < 150
    here.sim.configure(down=False)
    here.wrap = lambda target: target
    report = await here.run(by_person=False)
    assert (report.run.outcome, report.attention) == ("succeeded", ())
    await here.assert_true()


async def test_what_was_sent_before_a_stop_is_adopted_by_the_next_pass(install):
    here = install(count=30, drain=60.0, unkind="settling,lost_updates")
    stopped = []

    async def stop_soon(known, *args):
        outcome = await known(*args)
        stopped.append(True)
        return outcome

    here.wrap = lambda target: Interposed(target, "write_fields", stop_soon)
    report = await here.run(stop=lambda: bool(stopped))
    assert report.run.outcome == "stopped"
    assert here.store.pending()
    assert "pending" in here.statuses().values()
    assert "failed" not in here.statuses().values()  # nothing went wrong: the rest waits for the next pass
    before = {asset_id: shown["writes"] for asset_id, shown in here.sim.assets().items()}
    here.wrap = lambda target: target
    await here.run(by_person=False)
    await here.assert_true()
    after = here.shown(next(iter(here.sim.assets())))["writes"]
    assert after <= max(before.values()) + 2
    assert all(shown["writes"] == 2 for shown in here.sim.assets().values())


async def test_a_wrong_key_writes_nothing_and_says_so(install):
    here = install(count=3)
    here.api_key = "wrong"
    with pytest.raises(ImmichUnauthorizedError) as caught:
        await here.run()
    assert caught.value.remedy
    assert here.statuses() == {}


async def test_a_key_that_is_withdrawn_in_the_middle_ends_the_pass(install):
    here = install(count=20)

    async def withdraw(known, *args):
        here.sim.application.api_key = "another"
        return await known(*args)

    here.wrap = lambda target: Interposed(target, "add_tags", withdraw, after=6)
    report = await here.run()
    assert report.run.outcome == "failed"
    assert isinstance(report.error, ImmichUnauthorizedError)
    assert here.store.run("run-1").outcome == "failed"
    here.sim.application.api_key = here.api_key
    here.wrap = lambda target: target
    await here.run(by_person=False)
    await here.assert_true()


@pytest.mark.parametrize(
    ("scopes", "present", "absent"),
    [
        (("asset.read", "asset.update"), "description", "tags"),
        (("asset.read", "tag.read", "tag.create", "tag.asset"), "tags", "description"),
    ],
    ids=["description only", "tags only"],
)
async def test_a_missing_scope_costs_its_feature_only(install, scopes, present, absent):
    here = install(count=8, scopes=(*scopes, "user.read"))
    report = await here.run()
    assert report.run.outcome == "succeeded"
    assert report.attention
    assert report.attention
    assert all(shown[present] and not shown[absent] for shown in here.sim.assets().values())
    await here.run()
    assert here.writes == 0
    # What could not be written is not called in sync, and the reason names what is lacking.
    lacking = {"tags": "tag.read", "description": "asset.update"}[absent]
    assert {(one.status, lacking in sentence(one.reasons)) for one in here.store.records().values()} == {
        ("not_writable", True)
    }
    here.sim.configure(scopes=["all"])
    await here.run()
    await here.assert_true()
    assert all(shown[present] and shown[absent] for shown in here.sim.assets().values())


@pytest.mark.parametrize("version", ["1.138.1", "2.7.5"])
async def test_a_scope_that_is_refused_only_at_the_write_costs_its_feature_only(install, version):
    """Servers before 1.139.2 do not tell a key's scopes."""
    here = install(count=8, version=version)

    async def refuse(known, *args):
        raise MissingPermissionError("Missing required permission: tag.create", permission="tag.create")

    here.wrap = lambda target: Interposed(target, "ensure_tags", refuse)
    report = await here.run()
    assert report.run.outcome == "succeeded"
    assert all("tag.create" in sentence(outcome.reasons) for outcome in report.outcomes)
    assert all(shown["description"] for shown in here.sim.assets().values())
    here.wrap = lambda target: target
    await here.run(by_person=False)
    await here.assert_true()


async def test_with_immich_s_tag_feature_off_the_rest_goes_on_and_tags_follow_later(install):
    here = install(count=6)
    here.sim.configure(tags_enabled=False)
    await here.run()
    assert all(shown["description"] and not shown["tags"] for shown in here.sim.assets().values())
    here.sim.configure(tags_enabled=True)
    await here.run()
    await here.assert_true()
    assert all(shown["tags"] for shown in here.sim.assets().values())


@pytest.mark.parametrize(
    "oddity",
    [
        ImmichTemporaryError("Immich's answer is incomplete.", status=200),
        AssetUnknownError("00000000-0000-4000-8000-000000000001"),
    ],
    ids=["incomplete", "gone"],
)
async def test_an_asset_that_can_not_be_read_any_more_costs_only_itself(install, oddity):
    here = install(count=20)
    odd = here.asset(3)

    class Odd:
        def __init__(self, target):
            self._target = target

        def __getattr__(self, name):
            return getattr(self._target, name)

        async def asset(self, asset_id):
            if asset_id == odd:
                raise oddity
            return await self._target.asset(asset_id)

    here.wrap = Odd
    report = await here.run()
    assert report.error is None
    by_asset = {outcome.asset_id: outcome.status for outcome in report.outcomes}
    assert by_asset.pop(odd) == ("unknown_asset" if isinstance(oddity, AssetUnknownError) else "failed")
    assert set(by_asset.values()) == {"in_sync"}
    here.wrap = lambda target: target
    await here.run()
    await here.assert_true()


async def test_an_asset_that_is_refused_in_a_shared_call_costs_only_itself(install):
    here = install(count=10)
    here.sql("UPDATE astrophotography_images SET tags = '[\"Wide\"]'")
    odd = here.asset(2)

    async def vanish(known, *args):
        here.sim.state.assets[odd].visibility = "locked"
        return await known(*args)

    here.wrap = lambda target: Interposed(target, "add_tags", vanish)
    await here.run()
    statuses = here.statuses()
    assert statuses.pop(odd) in {"unknown_asset", "failed"}
    assert set(statuses.values()) == {"in_sync"}
    here.wrap = lambda target: target
    await here.run()
    assert here.statuses()[odd] == "unknown_asset"


async def test_a_new_key_is_believed_when_a_person_asks_again(install):
    here = install(count=6)
    await here.run()
    odd = here.asset(1)
    here.sim.state.assets[odd].visibility = "locked"
    here.sql("UPDATE astrophotography_images SET title = 'Other' WHERE immich_id = ?", odd)
    await here.run()
    assert here.statuses()[odd] == "unknown_asset"
    await here.run(by_person=False)
    assert here.requests.total() <= 6
    here.sim.state.assets[odd].visibility = "timeline"  # its date does not move: so it is with another key
    await here.run()
    assert here.statuses()[odd] == "in_sync"


async def test_a_catalogue_s_unreadable_tags_are_not_taken_for_none(install):
    here = install(count=3)
    await here.run()
    image_id, asset_id = here.images()[0]
    before = set(here.shown(asset_id)["tags"])
    here.sql("UPDATE astrophotography_images SET tags = '{broken' WHERE id = ?", image_id)
    report = await here.run()
    assert here.writes == 0
    assert before <= set(here.shown(asset_id)["tags"])
    (outcome,) = [outcome for outcome in report.outcomes if outcome.image_id == image_id]
    assert (outcome.status, outcome.reasons) == ("failed", (reason("unreadable").of("tags"),))
    # It is Skymmich's row that is wrong, and nothing is tried again until that is another one.
    assert exit_code(report) == 0
    assert here.store.record(asset_id).fingerprint
    report = await here.run(by_person=False)
    assert here.requests.total() <= 6
    assert not here.requests["GET /assets/{id}"]
    assert here.statuses()[asset_id] == "failed"
    assert not (await here.prepare(by_person=False)).items.tally.failed
    here.sql("UPDATE astrophotography_images SET tags = '[]' WHERE id = ?", image_id)
    await here.run(by_person=False)
    assert here.statuses()[asset_id] == "in_sync"
