"""When an image was taken, and the day that a place moves: written, in between, switched off, taken back."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.core.policy import CoordinatesPolicy, DatesPolicy, MergePolicy, SitePolicy, Switches
from reconciler.simulator.server import responses
from tests.virtual.world import NO_CANARY

DATES = replace(NO_CANARY, dates=DatesPolicy(enabled=True))
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
NOON = timedelta(hours=12)
REAL = "settling,lost_updates,round_trip,early_updated_at,unstable_paging,clock_skew"
TOKYO = (35.68, 139.76)


class Zones:
    """Zones as the simulated server has them: a twenty-fourth of the globe each."""

    def offset(self, place, at, otherwise=""):  # noqa: ARG002 - none of them has a summer
        if place is None:
            return timedelta(hours=1) if otherwise else None
        return timedelta(hours=round(place.longitude / 15))


@pytest.fixture
def dated(world):
    """Make a world of the first images, with dates switched on."""

    def make(count=12, policy=DATES, **how):
        here = world(count=count, policy=policy, **how)
        here.zones, here.switches = Zones(), Switches(dates=policy.dates.enabled)
        return here

    return make


def one(here, image_id):
    return here.state.assets[dict(here.images())[image_id]]


def shown(here, image_id):
    """Give the local time at which Immich shows an image."""
    here.settle()
    asset = one(here, image_id)
    return (EPOCH + timedelta(milliseconds=asset.created + asset.local_shift)).replace(tzinfo=None)


def first_nights(here):
    rows = here.sql(
        "SELECT i.id, min(a.date) FROM astrophotography_images i JOIN image_acquisition a ON a.image_id = i.id "
        "WHERE i.immich_id IS NOT NULL AND i.longitude IS NOT NULL AND a.date IS NOT NULL GROUP BY i.id"
    )
    return {image_id: (EPOCH + timedelta(seconds=int(at))).date() for image_id, at in rows}


def edit_date(here, image_id, moment):
    here.person(one(here, image_id).asset_id, "set_date", moment)
    here.settle()


def elsewhere(here, image_id, night, place=TOKYO):
    """Give an image one night, and a place."""
    at = int(datetime.combine(night, datetime.min.time(), UTC).timestamp())
    here.sql("UPDATE image_acquisition SET date = ? WHERE image_id = ?", at, image_id)
    here.sql("UPDATE astrophotography_images SET latitude = ?, longitude = ? WHERE id = ?", *place, image_id)


@pytest.mark.parametrize("unkind", ["none", REAL])
def test_each_image_is_shown_in_its_first_night_and_the_second_pass_writes_nothing(dated, unkind):
    here = dated(count=None, unkind=unkind)
    nights = first_nights(here)
    here.run()
    kept = {record.image_id for record in here.store.records().values() if record.status == "in_sync"}
    assert len(kept & nights.keys()) > 20
    assert {image_id: (shown(here, image_id) - NOON).date() for image_id in nights.keys() & kept} == {
        image_id: night for image_id, night in nights.items() if image_id in kept
    }
    here.run()
    assert here.writes == 0


def test_description_place_and_date_are_one_write(dated):
    here = dated(count=3)
    image_id = next(iter(first_nights(here)))
    elsewhere(here, image_id, datetime(2023, 5, 1, tzinfo=UTC).date())
    asset_id = one(here, image_id).asset_id
    here.run()
    bodies = [
        json.loads(body) for _, _, path, body in here.line.sent if path == f"/api/assets/{asset_id}" and body
    ]
    assert [sorted(body) for body in bodies] == [["dateTimeOriginal", "description", "latitude", "longitude"]]
    assert bodies[0]["dateTimeOriginal"] == "2023-05-01T22:00:00+09:00"
    assert shown(here, image_id) == datetime(2023, 5, 1, 22)  # noqa: DTZ001 - local


def test_a_date_of_the_same_night_is_as_good_and_stays(dated):
    here = dated(count=3)
    image_id = next(iter(first_nights(here)))
    elsewhere(here, image_id, datetime(2023, 5, 1, tzinfo=UTC).date(), place=(48.1, 1.6))
    edit_date(here, image_id, "2023-05-02T03:12:00+00:00")
    here.run()
    assert shown(here, image_id) == datetime(2023, 5, 2, 3, 12)  # noqa: DTZ001 - local
    record = here.store.record(one(here, image_id).asset_id)
    assert (record.status, record.applied.taken_at) == ("in_sync", None)


def test_a_date_that_a_person_entered_is_a_conflict_and_stays(dated):
    here = dated(count=3)
    image_id = next(iter(first_nights(here)))
    edit_date(here, image_id, "1999-12-31T23:00:00+01:00")
    here.run()
    assert one(here, image_id).exif.taken.startswith("1999-12-31")
    record = here.store.record(one(here, image_id).asset_id)
    assert (record.status, record.reasons[0].fields) == ("conflict", ("taken_at",))


def test_a_person_who_changes_our_date_keeps_theirs(dated):
    here = dated(count=3, unkind=REAL)
    image_id = next(iter(first_nights(here)))
    here.run()
    edit_date(here, image_id, "2001-02-03T04:05:06+00:00")
    here.run()
    assert one(here, image_id).exif.taken.startswith("2001-02-03")
    assert here.writes == 0
    here.policy = replace(DATES, merge=MergePolicy(on_drift_taken_at="correct"))
    here.run(full=True)
    assert shown(here, image_id).year > 2010


def test_an_undo_gives_the_former_date_back(dated):
    here = dated(unkind="settling,round_trip")
    before = {image_id: one(here, image_id).created for image_id in first_nights(here)}
    here.run()
    here.settle()
    changed = [image_id for image_id, at in before.items() if one(here, image_id).created != at]
    assert changed
    here.take_back(everything=True)
    here.settle()
    assert {image_id: one(here, image_id).created for image_id in before} == before
    here.run()
    assert here.writes == 0


def test_switched_off_again_a_date_stays_as_it_is(dated):
    here = dated()
    here.run()
    here.settle()
    then = {image_id: one(here, image_id).created for image_id in first_nights(here)}
    here.policy, here.switches = NO_CANARY, Switches()
    here.run(full=True)
    assert here.writes == 0
    assert {image_id: one(here, image_id).created for image_id in then} == then


def test_a_date_that_immich_does_not_tell_is_left_alone(dated, monkeypatch):
    here = dated(count=3)
    exif = responses.exif_json
    monkeypatch.setattr(responses, "exif_json", lambda asset: exif(asset) | {"dateTimeOriginal": None})
    here.run()
    reasons = [why for record in here.store.records().values() for why in record.reasons]
    assert {(why.code, why.fields) for why in reasons} == {("date_not_told", ("taken_at",))}
    assert not any(b"dateTimeOriginal" in body for _, _, _, body in here.line.sent)


# -- the day --------------------------------------------------------------------------------------------


def placed(dated, *, keep):
    policy = replace(NO_CANARY, coordinates=CoordinatesPolicy(keep_day=keep))
    here = dated(count=3, policy=policy)
    image_id = here.images()[0][0]
    elsewhere(here, image_id, datetime(2023, 5, 1, tzinfo=UTC).date())
    one(here, image_id).created = int(datetime(2023, 5, 1, 22, 30, tzinfo=UTC).timestamp() * 1000)
    one(here, image_id).row = None
    return here, image_id


def test_what_a_place_does_to_the_day_is_told_of_a_single_image_before_it_happens(dated):
    here, image_id = placed(dated, keep=False)
    plan = here.look(image_ids=frozenset({image_id})).items[0].plan
    assert [(note.code, note.get("before"), note.get("after")) for note in plan.notes] == [
        ("place_moves_day", "2023-05-01", "2023-05-02")
    ]
    here.run()
    assert shown(here, image_id) == datetime(2023, 5, 2, 7, 30)  # noqa: DTZ001 - local


def test_a_day_that_is_to_stay_is_sent_with_the_place_and_is_not_ours_by_that(dated):
    here, image_id = placed(dated, keep=True)
    here.run()
    assert shown(here, image_id) == datetime(2023, 5, 1, 22, 30)  # noqa: DTZ001 - local
    record = here.store.record(one(here, image_id).asset_id)
    assert (record.status, record.applied.taken_at) == ("in_sync", None)
    here.run()
    assert here.writes == 0
    here.undo("run-1")
    here.settle()
    assert one(here, image_id).created == int(datetime(2023, 5, 1, 22, 30, tzinfo=UTC).timestamp() * 1000)


# -- coarser places -------------------------------------------------------------------------------------


@pytest.mark.parametrize("policy", [CoordinatesPolicy(25.0), CoordinatesPolicy(25.0, keep_day=True)])
def test_the_exact_place_is_in_no_request(dated, policy):
    here = dated(count=None, policy=replace(DATES, coordinates=policy), unkind="settling,round_trip")
    here.run()
    exact = here.sql("SELECT latitude, longitude FROM astrophotography_images WHERE latitude IS NOT NULL")
    numbers = {f"{abs(value):.4f}"[:-1] for pair in exact for value in pair if abs(value) < 180 and value}
    sent = b" ".join(body for _, method, _, body in here.line.sent if method != "GET").decode()
    assert '"latitude":' in sent
    assert not [number for number in numbers if number in sent]
    here.run()
    assert here.writes == 0


def test_another_precision_is_a_change_and_no_loss(dated):
    here = dated(count=None, policy=NO_CANARY)
    here.run()
    here.policy = replace(NO_CANARY, coordinates=CoordinatesPolicy(25.0))
    found = here.look(full=True)
    moving = [item.plan for item in found.items if item.plan and item.plan.coordinates]
    assert len(moving) > 20
    assert not any(plan.takes_away for plan in moving)
    assert not found.verdict.tripped


def test_a_place_that_is_the_catalogues_exact_one_gives_way_to_the_coarser(dated):
    here = dated(count=3, policy=replace(NO_CANARY, coordinates=CoordinatesPolicy(25.0)))
    image_id = here.images()[0][0]
    elsewhere(here, image_id, datetime(2023, 5, 1, tzinfo=UTC).date())
    here.person(one(here, image_id).asset_id, "set_coordinates", list(TOKYO))
    here.settle()
    here.run()
    here.settle()
    assert one(here, image_id).exif.coordinates != TOKYO
    assert here.store.record(one(here, image_id).asset_id).status == "in_sync"


def test_a_site_can_be_told_as_its_town(dated):
    here = dated(count=None, policy=NO_CANARY)
    site = here.sql("SELECT name, latitude, longitude FROM locations ORDER BY id")[0]
    sites = (SitePolicy(site[0].upper(), at=(47.5, 11.1)),)
    here.policy = replace(NO_CANARY, coordinates=CoordinatesPolicy(sites=sites))
    found = here.look(full=True)
    told = {
        item.plan.desired.coordinates for item in found.items if item.plan and item.plan.desired.exact_place
    }
    assert {(place.latitude, place.longitude) for place in told} == {(47.5, 11.1)}


def test_everything_switched_on_costs_no_request_more(dated):
    plain = dated(count=None, policy=NO_CANARY, unkind="settling")
    plain.run()
    policy = replace(DATES, coordinates=CoordinatesPolicy(25.0, keep_day=True))
    here = dated(count=None, policy=policy, unkind="settling")
    here.run()
    assert here.writes <= plain.writes
    assert here.requests["GET /assets/{id}"] <= plain.requests["GET /assets/{id}"] + 5
    here.run()
    assert here.writes == 0


def test_what_is_ours_of_a_date_is_kept_in_immich_too(dated):
    here = dated(count=3)
    image_id = next(iter(first_nights(here)))
    here.run()
    note = here.notes()[one(here, image_id).asset_id]["skymmich-reconciler"]
    assert note["taken_at"] == here.store.record(one(here, image_id).asset_id).applied.taken_at.isoformat()
