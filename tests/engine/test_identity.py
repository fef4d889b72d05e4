"""Another server, another user, an empty library behind the same address: noticed before the first write."""

from __future__ import annotations

import pytest

from reconciler.core.reasons import reason
from reconciler.core.store_keys import IMMICH_KNOWN
from reconciler.engine.identity import KnownImmich
from reconciler.errors import UnconfirmedError
from reconciler.immich.capabilities import MINIMUM_SCOPES
from reconciler.simulator.server.state import PARTNER_ID
from reconciler.simulator.server.state import USER_ID as OWNER

pytestmark = pytest.mark.anyio

MINIMAL = [scope for scope, _ in MINIMUM_SCOPES]
"""May not ask whose key it is."""


def writes(installation):
    return installation.sim.requests()["writes"]


async def met(installation):
    """Bring everything in sync, and then let the catalogue change every image."""
    await installation.run()
    installation.sim.wait_until_idle()
    assert set(installation.statuses().values()) == {"in_sync"}
    installation.sql("UPDATE astrophotography_images SET title = title || ' II'")
    installation.sim.reset()


async def test_whom_it_writes_to_is_remembered_without_the_key(install):
    installation = install(count=4)
    await installation.run()
    known = KnownImmich.of(installation.store)
    assert known.user_id
    assert known.address == installation.sim.url
    assert installation.api_key not in str(IMMICH_KNOWN.read(installation.store))


async def test_another_users_key_writes_nothing_and_says_why(install):
    installation = install(count=4)
    await met(installation)
    before = installation.store.records()
    installation.sim.configure(another_user=True)
    with pytest.raises(UnconfirmedError, match="another user's library") as caught:
        await installation.run(full=True)
    assert "confirm" in caught.value.remedy
    assert writes(installation) == 0
    assert installation.store.records() == before
    installation.sim.configure(another_user=False)
    await installation.run()
    assert set(installation.statuses().values()) == {"in_sync"}


@pytest.mark.parametrize("scopes", [["all"], MINIMAL])
async def test_a_library_without_any_of_our_images_is_written_nothing(install, scopes):
    """A new server behind the old address, or a restored one."""
    installation = install(count=5)
    installation.sim.configure(scopes=scopes)
    await met(installation)
    before = installation.store.records()
    kept = installation.asset(0)
    hidden = {asset_id: installation.sim.state.assets.pop(asset_id) for asset_id in list(before)}
    with pytest.raises(UnconfirmedError, match="None of the 5 managed images"):
        await installation.run(full=True)
    assert writes(installation) == 0
    assert installation.store.records() == before
    assert kept in before
    # One of them is enough to know it again.
    installation.sim.state.assets[kept] = hidden[kept]
    await installation.run(full=True)
    assert installation.statuses()[kept] == "in_sync"
    assert sorted(installation.statuses().values()) == ["in_sync"] + ["unknown_asset"] * 4


async def test_one_deleted_image_of_few_is_no_other_library(install):
    installation = install(count=2)
    await met(installation)
    gone = [installation.asset(0), installation.asset(1)]
    for asset_id in gone:
        del installation.sim.state.assets[asset_id]
    await installation.run(full=True)
    assert set(installation.statuses().values()) == {"unknown_asset"}


async def test_a_key_that_may_not_ask_whose_it_is_is_judged_by_the_images(install):
    installation = install(count=4)
    await met(installation)
    user = KnownImmich.of(installation.store).user_id
    installation.sim.configure(scopes=MINIMAL)
    await installation.run()
    assert set(installation.statuses().values()) == {"in_sync"}
    assert KnownImmich.of(installation.store).user_id == user


async def test_an_upgrade_and_another_key_of_the_same_user_are_no_change(install):
    installation = install(count=4)
    await met(installation)
    installation.sim.configure(version="3.1.0")
    installation.api_key = installation.sim.application.api_key = "another-key-of-the-same-user"
    await installation.run()
    assert set(installation.statuses().values()) == {"in_sync"}


async def test_a_store_of_before_knows_its_immich_by_the_images(install):
    """What an update of this program finds: records, and nobody remembered."""
    installation = install(count=4)
    await met(installation)
    IMMICH_KNOWN.forget(installation.store)
    shown = dict(installation.sim.state.assets)
    installation.sim.state.assets.clear()
    with pytest.raises(UnconfirmedError):
        await installation.run(full=True)
    installation.sim.state.assets.update(shown)
    await installation.run()
    assert KnownImmich.of(installation.store).user_id


async def test_what_a_person_confirmed_goes_on(install):
    installation = install(count=4)
    await met(installation)
    installation.sim.configure(another_user=True)
    with pytest.raises(UnconfirmedError):
        await installation.run(full=True)
    known = KnownImmich.of(installation.store)
    stranger = "c4d5e6f7-1a2b-4c3d-9e8f-a0b1c2d3e4f5"
    KnownImmich(known.address, stranger, without_assets=True).keep(installation.store)
    await installation.run(full=True)
    assert set(installation.statuses().values()) == {"unknown_asset"}
    assert writes(installation) == 0


async def test_a_look_at_what_is_known_costs_no_further_request(install):
    installation = install(count=4)
    await installation.run()
    installation.sim.wait_until_idle()
    await installation.prepare(by_person=False)
    assert installation.requests["GET /assets/{id}"] == 0


def give_to_a_partner(here):
    """Make one of the assets a partner's: readable, and not writable."""
    asset_id = here.asset(3)
    asset = here.sim.application.state.assets[asset_id]
    asset.owner_id, asset.row = PARTNER_ID, None
    return asset_id


async def test_the_owner_that_a_write_told_of_is_kept_where_the_key_may_not_ask(install):
    here = install(count=8, scopes=MINIMAL)
    partners = give_to_a_partner(here)
    report = await here.run()
    assert here.statuses()[partners] == "not_writable"
    assert report.run.outcome == "succeeded"
    assert report.attention
    assert KnownImmich.of(here.store).user_id == OWNER
    # A new process, with a person before it: nothing is to be written for ever.
    prepared = await here.prepare()
    assert prepared.changes == ()
    (item,) = (one for one in prepared.items if one.asset_id == partners)
    assert item.plan.blocked == reason("foreign")
    await here.run()
    assert here.writes == 0


async def test_a_refusal_alone_tells_of_another_user_too(install):
    here = install(count=8, scopes=MINIMAL)
    partners = give_to_a_partner(here)
    here.sql("DELETE FROM astrophotography_images WHERE immich_id IS NOT NULL AND immich_id != ?", partners)
    await here.run()
    assert here.statuses() == {partners: "not_writable"}
    known = KnownImmich.of(here.store)
    assert (known.user_id, len(known.others)) == (None, 1)
    assert (await here.prepare()).changes == ()


def test_what_was_learnt_of_one_key_is_forgotten_where_another_one_contradicts():
    known = KnownImmich("http://immich", "eve", others=())
    assert known.learn(set(), {"adam"}).others == ("adam",)
    other = known.learn(set(), {"eve"})
    assert (other.user_id, other.others) == (None, ("eve",))
    assert other.learn({"adam"}, set()) == KnownImmich("http://immich", "adam")
    assert known.learn(set(), set()) == known
