"""A picture replaced by a new asset, in virtual time: a person's words are offered, carried over, taken back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.policy import AlbumPolicy, Switches
from reconciler.engine.carrying_over import dismiss_carry_over, want_carried_over
from reconciler.errors import DecisionError
from reconciler.simulator.server.albums import Album
from reconciler.simulator.server.model import Exif
from reconciler.simulator.server.state import USER_ID
from reconciler.skymmich.sources import open_catalogue
from tests.virtual.world import NO_CANARY

REAL = "settling,lost_updates,round_trip,early_updated_at,unstable_paging,clock_skew"
NEW = "0a1b2c3d-0000-4000-8000-00000000000{}"
ALBUM = "0a1b2c3d-1111-4111-8111-111111111111"
WORDS = "Seen with my daughter.\nNever so clear again."
PIN = [46.5, 11.25]


def image_of(here, number=0):
    image_id, _ = here.images()[number]
    return open_catalogue(str(here.path)).read().image(image_id)


def replaced(here, number=0, new=1, **changes):
    """Import the picture again under another id, and have Skymmich link that; gives both ids."""
    image_id, old = here.images()[number]
    asset = here.state.assets[old]
    again = NEW.format(new)
    here.state.add(
        replace(
            asset, asset_id=again, exif=Exif(), sidecar=Exif(), embedded=Exif(), tags=set(), metadata={}, row=None,
            trashed=False, favorite=False, visibility="timeline", locked={}, mixed=set(), **changes,
        )
    )  # fmt: skip
    here.sql("UPDATE astrophotography_images SET immich_id = ? WHERE id = ?", again, image_id)
    return old, again


def touched_by_a_person(here, number=0):
    """Let a person write into a synced asset: words, a tag, a pin, a favourite, an album."""
    _, asset_id = here.images()[number]
    here.person(asset_id, "append_description", f"\n\n{WORDS}")
    here.settle()
    here.person(asset_id, "add_tag", "Family/Best")
    here.settle()
    here.state.assets[asset_id].favorite = True
    here.state.albums.by_id[ALBUM] = Album(ALBUM, USER_ID, "Best of", "", 0, 0, asset_id, {asset_id: None})


def offers(here, asset_id):
    return here.store.carry_overs([asset_id]).get(asset_id, ())


def wanted(here, number=0):
    return want_carried_over(here.store, image_of(here, number), "page", here.clock.now())


def synced(world, unkind="none", **more):
    here = world(count=3, unkind=unkind, **more)
    # A pin from before: what is moved later is put right.
    here.person(here.images()[0][1], "set_coordinates", PIN)
    here.settle()
    here.run(full=True)
    touched_by_a_person(here)
    here.run(full=True)
    return here


def carried(here, new):
    shown = here.shown()[new]
    return (
        WORDS in shown["description"],
        "Family/Best" in shown["tags"],
        [shown["latitude"], shown["longitude"]] == PIN,
        here.state.assets[new].favorite,
        new in here.state.albums.by_id[ALBUM].assets,
    )


@pytest.mark.parametrize("unkind", ["none", REAL])
@pytest.mark.parametrize("where", ["timeline", "archive", "trash"])
def test_what_a_person_had_is_offered_and_comes_along_only_when_asked(world, unkind, where):
    here = synced(world, unkind)
    _, old = here.images()[0]
    if where != "timeline":
        here.person(old, where)
    old, new = replaced(here)
    here.run(full=True)
    (offer,) = offers(here, new)
    assert (offer.from_asset, offer.state, offer.source) == (old, "offered", "asset")
    assert offer.was_trashed == (where == "trash")
    assert (offer.kept.prose, offer.kept.tags) == (WORDS, {"Family/Best"})
    assert [offer.kept.coordinates.latitude, offer.kept.coordinates.longitude] == PIN
    assert offer.kept.favorite
    assert [one.name for one in offer.kept.albums] == ["Best of"]
    # Offered, and not done.
    assert not any(carried(here, new))
    here.run(full=True)
    assert here.writes == 0
    assert not any(carried(here, new))

    wanted(here)
    report = here.run(image_ids=frozenset({here.images()[0][0]}))
    assert report.error is None
    assert all(carried(here, new))
    (done,) = offers(here, new)
    assert (done.state, done.left, done.run_id) == ("carried", (), f"run-{here.runs}")
    # It is the person's there, too; and the catalogue's own stays.
    record = here.store.record(new)
    assert "Family/Best" not in record.applied.tags
    assert record.applied.coordinates is None
    assert WORDS not in (record.applied.prose or "")
    assert record.applied.block
    assert record.applied.block in here.shown()[new]["description"]
    # Nothing is left to do, nothing is a conflict that was none, and nothing is written over.
    here.run(full=True)
    assert here.store.record(new).status == "in_sync"
    here.run(full=True)
    assert here.writes == 0
    assert all(carried(here, new))


def test_the_offer_survives_the_emptied_trash(world):
    here = synced(world)
    old, new = replaced(here)
    here.run(full=True)
    here.state.delete(here.state.assets[old])
    here.settle()
    wanted(here)
    here.run(image_ids=frozenset({here.images()[0][0]}))
    assert all(carried(here, new))


@pytest.mark.parametrize("how", ["deleted", "locked"])
def test_what_cannot_be_read_any_more_is_told_from_the_journal(world, how):
    """The tag and the words were there at the last write; whether it was a favourite, nobody knows."""
    here = world(count=3)
    _, old = here.images()[0]
    here.person(old, "set_description", WORDS)
    here.settle()
    here.run(full=True)
    here.person(old, "add_tag", "Family/Best")
    here.settle()
    here.sql("UPDATE astrophotography_images SET tags = ? WHERE immich_id = ?", '["Another"]', old)
    here.run(full=True)
    if how == "locked":
        here.state.assets[old].visibility = "locked"
    else:
        here.state.delete(here.state.assets[old])
        here.settle()
        here.clock.seconds += 5
        here.settle()
    old, new = replaced(here) if how == "locked" else replaced_after_deletion(here, old)
    here.run(full=True)
    (offer,) = offers(here, new)
    assert (offer.state, offer.source) == ("offered", "memory")
    assert [one.code for one in offer.unknown] == ["replaced_unread"]
    assert offer.kept.prose == WORDS
    assert offer.kept.tags == {"Family/Best"}
    wanted(here)
    here.run(image_ids=frozenset({here.images()[0][0]}))
    shown = here.shown()[new]
    assert WORDS in shown["description"]
    assert "Family/Best" in shown["tags"]


def replaced_after_deletion(here, old):
    image_id, other = here.images()[0][0], here.images()[1][1]
    again = NEW.format(1)
    here.state.add(
        replace(here.state.assets[other], asset_id=again, exif=Exif(), sidecar=Exif(), tags=set(), row=None)
    )
    here.sql("UPDATE astrophotography_images SET immich_id = ? WHERE id = ?", again, image_id)
    return old, again


def test_a_dismissed_offer_stays_dismissed_and_can_be_asked_for_again(world):
    here = synced(world)
    old, new = replaced(here)
    here.run(full=True)
    dismiss_carry_over(here.store, image_of(here), "page", here.clock.now())
    for _ in range(2):
        here.run(full=True)
    # The link goes back and forth once more.
    here.sql("UPDATE astrophotography_images SET immich_id = ? WHERE immich_id = ?", old, new)
    here.run(full=True)
    here.sql("UPDATE astrophotography_images SET immich_id = ? WHERE immich_id = ?", new, old)
    here.run(full=True)
    assert [one.state for one in offers(here, new)] == ["dismissed"]
    assert not any(carried(here, new))
    with pytest.raises(DecisionError):
        dismiss_carry_over(here.store, image_of(here), "page", here.clock.now())
    wanted(here)
    here.run(image_ids=frozenset({here.images()[0][0]}))
    assert all(carried(here, new))


def test_what_the_new_asset_has_is_not_written_over_and_equal_lines_come_once(world):
    here = synced(world)
    _, new = replaced(here)
    here.person(new, "set_description", "Seen with my daughter.\nA new remark.")
    here.settle()
    here.person(new, "set_coordinates", [10.0, 20.0])
    here.settle()
    here.run(full=True)
    wanted(here)
    here.run(image_ids=frozenset({here.images()[0][0]}))
    shown = here.shown()[new]
    assert shown["description"].count("Seen with my daughter.") == 1
    assert shown["description"].index("A new remark.") < shown["description"].index("Never so clear again.")
    assert [shown["latitude"], shown["longitude"]] == [10.0, 20.0]


@pytest.mark.parametrize("unkind", ["none", REAL])
def test_it_is_taken_back_and_what_is_not_is_named(world, unkind):
    here = synced(world, unkind)
    _, new = replaced(here)
    here.run(full=True)
    before = here.shown()[new]
    wanted(here)
    here.run(image_ids=frozenset({here.images()[0][0]}))
    run_id = f"run-{here.runs}"
    undone = here.take_back(run_id=run_id)
    after = here.shown()[new]
    assert after["description"] == before["description"]
    assert set(after["tags"]) == set(before["tags"])
    assert (after["latitude"], after["longitude"]) == (before["latitude"], before["longitude"])
    assert {why.code for _, why in undone.left} >= {"favorite_stays", "album_stays"}
    assert [one.state for one in offers(here, new)] == ["dismissed"]
    here.run(full=True)
    here.run(full=True)
    assert here.writes == 0
    assert here.shown()[new]["description"] == before["description"]


def test_a_person_who_went_on_writing_keeps_it_when_it_is_taken_back(world):
    here = synced(world)
    _, new = replaced(here)
    here.run(full=True)
    wanted(here)
    here.run(image_ids=frozenset({here.images()[0][0]}))
    run_id = f"run-{here.runs}"
    here.person(new, "append_description", "\nAnd a second visit.")
    here.settle()
    here.take_back(run_id=run_id)
    shown = here.shown()[new]
    assert "And a second visit." in shown["description"]
    assert "Family/Best" not in shown["tags"]


@pytest.mark.parametrize("at", [0.05, 0.2, 0.6, 1.5, 3.0])
def test_a_kill_at_any_moment_leaves_what_the_next_run_completes(world, at):
    here = synced(world, "settling")
    _, new = replaced(here)
    here.run(full=True)
    wanted(here)
    here.run(image_ids=frozenset({here.images()[0][0]}), within=at)
    for _ in range(3):
        here.run(full=True)
    assert all(carried(here, new))
    assert [one.state for one in offers(here, new)] == ["carried"]
    assert "Family/Best" not in here.store.record(new).applied.tags
    assert here.shown()[new]["description"].count("Never so clear again.") == 1


def test_an_open_offer_goes_on_to_the_asset_after(world):
    here = synced(world)
    old, second = replaced(here, new=1)
    here.run(full=True)
    assert [one.state for one in offers(here, second)] == ["offered"]
    _, third = replaced(here, new=2)
    here.run(full=True)
    assert offers(here, second) == ()
    assert {one.from_asset for one in offers(here, third) if one.state == "offered"} == {old}
    wanted(here)
    here.run(image_ids=frozenset({here.images()[0][0]}))
    assert all(carried(here, third))


def test_an_album_that_was_filled_from_here_is_not_a_persons_and_is_filled_by_itself(world):
    here = world(count=3, policy=replace(NO_CANARY, albums=AlbumPolicy(enabled=True, kinds=("target",))))
    here.switches = Switches(albums=True)
    here.run(full=True)
    _, old = here.images()[0]
    (ours,) = [one for one in here.state.albums.by_id.values() if old in one.assets]
    touched_by_a_person(here)
    here.run(full=True)
    old, new = replaced(here)
    here.run(full=True)
    (offer,) = offers(here, new)
    assert [one.name for one in offer.kept.albums] == ["Best of"]
    assert new in ours.assets
    wanted(here)
    here.run(full=True)
    assert new in here.state.albums.by_id[ALBUM].assets
    record = here.store.record(new)
    assert record.applied.albums == {ours.name}
    here.run(full=True)
    assert here.writes == 0
    assert new in ours.assets


def test_without_the_right_to_albums_the_rest_comes_along_and_it_is_said(world):
    granted = (
        "asset.read",
        "asset.update",
        "tag.read",
        "tag.create",
        "tag.asset",
        "user.read",
        "asset.statistics",
    )
    here = synced(world, scopes=granted)
    _, new = replaced(here)
    here.run(full=True)
    (offer,) = offers(here, new)
    assert [one.code for one in offer.unknown] == ["albums_unknown"]
    wanted(here)
    here.run(image_ids=frozenset({here.images()[0][0]}))
    assert carried(here, new) == (True, True, True, True, False)


def test_a_server_that_is_down_while_the_link_changes_costs_nothing(world):
    """The old asset cannot be read now: it counts as linked until it can."""
    here = synced(world)
    old, new = replaced(here)
    here.line.meanwhile = lambda when, method, path: here.settings.__setattr__(
        "maintenance", when == "before" and method == "GET" and path.endswith(old)
    )
    here.run(full=True)
    here.line.meanwhile = lambda *_: None
    here.settings.maintenance = False
    assert here.store.record(old).linked
    assert offers(here, new) == ()
    here.run(full=True)
    assert [one.state for one in offers(here, new)] == ["offered"]
    assert not here.store.record(old).linked


def test_prose_of_ours_that_somebody_must_keep_does_not_take_the_words_out_again(world):
    """Under on_drift and on_conflict at their harshest, too: it was a person's decision."""
    here = world(count=3)
    policy = here.policy
    here.policy = replace(
        policy, merge=replace(policy.merge, on_conflict="overwrite", on_drift_prose="correct")
    )
    here.sql("UPDATE astrophotography_images SET description = 'The catalogue says so.'")
    here.run(full=True)
    _, old = here.images()[0]
    here.person(old, "append_description", f"\n\n{WORDS}")
    here.settle()
    _, new = replaced(here)
    here.run(full=True)
    (offer,) = offers(here, new)
    assert offer.kept.prose == WORDS
    wanted(here)
    here.run(image_ids=frozenset({here.images()[0][0]}))
    for _ in range(2):
        here.run(full=True)
    shown = here.shown()[new]["description"]
    assert WORDS in shown
    assert "The catalogue says so." in shown
