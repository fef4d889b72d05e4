"""When an image was taken, and whose date it is: the table row by row; the day; coarser places."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from reconciler.core.asset import Coordinates
from reconciler.core.catalogue import Acquisition
from reconciler.core.desired.coordinates import coarse, distance_km, told_place
from reconciler.core.desired.dates import desired_date, sendable
from reconciler.core.fingerprint import fingerprint, policy_digest
from reconciler.core.plan.guard import withhold
from reconciler.core.plan.reversal import Reversal, ValueStep
from reconciler.core.plan.undo import reverse
from reconciler.core.policy import CoordinatesPolicy, DatesPolicy, MergePolicy, Policy, SitePolicy, Switches
from reconciler.core.reasons import reason
from reconciler.core.records import PendingWrite
from reconciler.core.writes.verification import kept, owned_after

SUMMER = timezone(timedelta(hours=2))
NIGHT = datetime(2024, 5, 1, 22, tzinfo=SUMMER)
OTHER = datetime(2023, 1, 1, 22, tzinfo=SUMMER)
THEIRS = datetime(1999, 12, 31, 23, 59, tzinfo=SUMMER)
ON = Switches(dates=True)
BEFORE = ("400624d0b8de8975e992", "51a29e30e0940c44c2ee")


class Zones:
    """It is two hours ahead wherever there is a place, and one in a zone that is named."""

    def offset(self, place, at, otherwise=""):
        assert isinstance(at, datetime)
        return timedelta(hours=2) if place is not None else timedelta(hours=1) if otherwise else None


def taken(image, policy=DatesPolicy(enabled=True), zones=Zones()):  # noqa: B008 - neither changes
    return desired_date(image, policy, zones)


def rows(*nights):
    return tuple(Acquisition(None, 1, 60.0, night=night) for night in nights)


NIGHTS = rows(date(2024, 5, 3), date(2024, 5, 1), None)


@pytest.mark.parametrize(
    ("policy", "wanted"),
    [
        (DatesPolicy(), "2024-05-01T22:00:00+02:00"),
        (DatesPolicy(source="last_night"), "2024-05-03T22:00:00+02:00"),
        (DatesPolicy(hour=12), "2024-05-01T12:00:00+02:00"),
        (DatesPolicy(hour=2), "2024-05-02T02:00:00+02:00"),
        (DatesPolicy(source="capture_date"), "2024-05-02T00:30:00+02:00"),
    ],
)
def test_a_night_has_the_date_of_its_evening_and_lasts_until_noon(make, policy, wanted):
    at = datetime(2024, 5, 1, 22, 30, 0, 123456, UTC)
    image = make.image(latitude=48.1, longitude=11.6, acquisitions=NIGHTS, captured_at=at)
    assert taken(image, policy) == (datetime.fromisoformat(wanted), None)


def test_without_a_place_the_configured_zone_is_the_nights(make):
    image = make.image(acquisitions=NIGHTS)
    assert taken(image) == (None, reason("date_without_zone"))
    found, _ = taken(image, DatesPolicy(time_zone="Europe/Berlin"))
    assert found.isoformat() == "2024-05-01T22:00:00+01:00"


@pytest.mark.parametrize("source", ["first_night", "capture_date"])
def test_without_nights_or_capture_date_there_is_no_date_and_no_problem(make, source):
    assert taken(make.image(latitude=48.1, longitude=11.6), DatesPolicy(source=source)) == (None, None)


@pytest.mark.parametrize("night", [date(1, 1, 1), date(9999, 12, 31)])
def test_a_date_that_nobody_means_is_named(make, night):
    image = make.image(latitude=48.1, longitude=11.6, acquisitions=rows(night))
    assert taken(image, DatesPolicy(hour=2))[1].code == "date_out_of_range"


@pytest.mark.parametrize("minutes", [-720, 841, 53])
def test_an_offset_that_immich_loses_is_not_sent(minutes):
    odd = timedelta(minutes=minutes) + (timedelta(seconds=28) if minutes == 53 else timedelta())
    moment = datetime(2024, 5, 1, 22, tzinfo=timezone(odd))
    assert sendable(moment) == moment
    assert sendable(moment).utcoffset() == timedelta()


# -- whose date it is -----------------------------------------------------------------------------------


def merged(make, wanted, live, base=None, *, files=False, night=False, **rules):
    desired = make.desired(taken_at=wanted, is_of_night=night)
    seen = make.asset(taken_at=live, date_is_files=files)
    record = make.record(taken_at=base) if base else None
    plan = make.plan(desired, seen, record, make.rules(switches=ON, **rules))
    found = next(one for one in plan.decisions if one.field == "taken_at")
    return (
        found.case,
        found.action,
        plan.taken_at,
        plan.base.taken_at,
        found.reason.code if found.reason else "",
    )


@pytest.mark.parametrize(
    ("sides", "how", "expected"),
    [
        # wanted, live, base
        ((NIGHT, NIGHT, None), {}, ("in_sync", "nothing", None, None, "")),
        ((NIGHT, NIGHT.astimezone(UTC), NIGHT), {}, ("in_sync", "nothing", None, NIGHT, "")),
        ((NIGHT, THEIRS, None), {}, ("conflict", "keep", None, None, "conflict")),
        ((NIGHT, THEIRS, None), {"on_conflict": "overwrite"}, ("conflict", "write", NIGHT, None, "conflict")),
        ((NIGHT, THEIRS, None), {"files": True}, ("update", "write", NIGHT, None, "date_of_file")),
        ((NIGHT, NIGHT, None), {"files": True}, ("in_sync", "nothing", None, None, "")),
        ((NIGHT, OTHER, OTHER), {}, ("update", "write", NIGHT, OTHER, "update")),
        ((NIGHT, THEIRS, NIGHT), {}, ("drift", "keep", None, NIGHT, "drift")),
        ((NIGHT, THEIRS, NIGHT), {"on_drift_taken_at": "correct"}, ("drift", "write", NIGHT, NIGHT, "drift")),
        ((NIGHT, THEIRS, OTHER), {}, ("both_changed", "keep", None, OTHER, "both_changed")),
        ((NIGHT, THEIRS, OTHER), {"files": True}, ("both_changed", "keep", None, OTHER, "both_changed")),
        ((None, NIGHT, NIGHT), {}, ("withdraw", "keep", None, NIGHT, "date_stays")),
        ((None, THEIRS, None), {}, ("not_ours", "nothing", None, None, "not_ours")),
        ((None, THEIRS, None), {"files": True}, ("not_ours", "nothing", None, None, "not_ours")),
        ((NIGHT, None, None), {}, ("not_writable", "keep", None, None, "date_not_told")),
        ((NIGHT, None, NIGHT), {}, ("not_writable", "keep", None, NIGHT, "date_not_told")),
    ],
)
def test_the_table(make, sides, how, expected):
    assert merged(make, *sides, **how) == expected


@pytest.mark.parametrize(
    ("live", "files", "same"),
    [
        (NIGHT + timedelta(hours=5), False, True),
        (NIGHT - timedelta(hours=10), False, True),
        (NIGHT - timedelta(hours=10, seconds=1), False, False),
        (NIGHT + timedelta(hours=14), False, False),
        # A file without a zone has local time: 23:30 there is 23:30 here.
        (datetime(2024, 5, 2, 11, 30, tzinfo=UTC), True, True),
        (datetime(2024, 5, 1, 11, 30, tzinfo=UTC), True, False),
    ],
)
def test_of_a_night_any_moment_is_as_good_from_noon_to_noon(make, live, files, same):
    case, *_ = merged(make, NIGHT, live, files=files, night=True)
    assert (case == "in_sync") is same


def test_what_we_wrote_ourselves_follows_another_hour_within_the_night(make):
    later = NIGHT + timedelta(hours=1)
    assert merged(make, later, NIGHT, NIGHT, night=True)[:3] == ("update", "write", later)


def test_a_date_is_looked_at_only_when_it_is_switched_on(make):
    plan = make.plan(make.desired(taken_at=NIGHT), make.asset(taken_at=THEIRS))
    assert not [one for one in plan.decisions if one.field == "taken_at"]
    assert not plan.changes


def test_a_date_that_the_place_brought_along_is_not_ours(make):
    pending = PendingWrite("a", 1, "run", "fields", sent=True, before_updated_at=NIGHT, taken_at=NIGHT)
    seen = make.asset(taken_at=NIGHT)
    result = kept(pending, seen, make.rules().markers)
    assert result.fields == {"taken_at"}
    nothing = make.record().applied
    assert owned_after(nothing, pending, result).taken_at == NIGHT
    assert owned_after(nothing, replace(pending, keeps_day=True), result).taken_at is None


@pytest.mark.parametrize(
    ("live", "written", "left"),
    [(NIGHT, OTHER, []), (OTHER, None, []), (THEIRS, None, ["newer"])],
)
def test_an_undo_gives_the_former_date_back_where_ours_still_stands(make, live, written, left):
    reversal = Reversal("a", 1, values={"taken_at": ValueStep(OTHER, NIGHT)})
    applied = make.record(taken_at=NIGHT).applied
    found = reverse(reversal, make.asset(taken_at=live), "M 31", applied, make.rules().markers, 10_000)
    assert (found.plan.taken_at, [one.code for one in found.left]) == (written, left)


def test_what_keeps_the_day_goes_with_the_place_where_the_guard_holds_the_rest_back(make):
    rules = replace(make.rules(), zones=Zones(), policy=Policy(coordinates=CoordinatesPolicy(keep_day=True)))
    late = datetime(2024, 5, 1, 22, 30, tzinfo=UTC)
    plan = make.plan(make.desired(coordinates=HOME), make.asset(taken_at=late), None, rules)
    assert (plan.keeps_day, plan.taken_at.isoformat()) == (True, "2024-05-01T22:30:00+02:00")
    assert withhold(plan).taken_at == plan.taken_at
    moving = make.plan(
        make.desired(coordinates=HOME), make.asset(taken_at=late, coordinates=Coordinates(1, 2)),
        make.record(coordinates=Coordinates(1, 2)), rules,
    )  # fmt: skip
    assert (withhold(moving).coordinates, withhold(moving).taken_at) == (None, None)


# -- coarser places -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kilometres", [1, 10, 25, 200, 500])
def test_a_square_has_one_middle_that_is_near_and_is_its_own(kilometres):
    draw = random.Random(kilometres)
    for _ in range(300):
        place = Coordinates(draw.uniform(-90, 90), draw.uniform(-180, 180))
        middle = coarse(place, kilometres)
        assert distance_km(place, middle) <= kilometres * 1.2
        assert coarse(middle, kilometres) == middle


def test_many_places_of_one_garden_tell_no_more_than_one():
    draw = random.Random(7)
    garden = [Coordinates(48.1 + draw.gauss(0, 1e-4), 11.6 + draw.gauss(0, 1e-4)) for _ in range(200)]
    assert len({coarse(place, 25) for place in garden}) == 1


@pytest.mark.parametrize("place", [(90, 180), (-90, -180), (0, 0.0001), (0, 180), (89.99, 5)])
@pytest.mark.parametrize("kilometres", [1, 111.2, 500])
def test_the_edges_of_the_map_have_squares_too_and_none_is_no_place(place, kilometres):
    middle = coarse(Coordinates(*place), kilometres)
    assert abs(middle.latitude) <= 90
    assert abs(middle.longitude) <= 180
    assert (middle.latitude, middle.longitude) != (0, 0)


HOME = Coordinates(48.137154, 11.576124)


@pytest.mark.parametrize(
    ("site", "policy", "told"),
    [
        ("", CoordinatesPolicy(), HOME),
        ("Home", CoordinatesPolicy(10.0), coarse(HOME, 10)),
        ("HOME", CoordinatesPolicy(10.0, (SitePolicy("Home", 50.0),)), coarse(HOME, 50)),
        ("Home", CoordinatesPolicy(10.0, (SitePolicy("Home", 0.0),)), HOME),
        ("Home", CoordinatesPolicy(0.0, (SitePolicy("Home", 5.0, (47.5, 11.1)),)), Coordinates(47.5, 11.1)),
        ("Farm", CoordinatesPolicy(0.0, (SitePolicy("Home", 50.0),)), HOME),
        ("", CoordinatesPolicy(0.0, (SitePolicy("", 50.0),)), HOME),
    ],
)
def test_a_site_is_told_as_its_own_rule_says(site, policy, told):
    assert told_place(HOME, site, policy) == told


def test_another_precision_is_no_loss(make):
    near = coarse(HOME, 25)
    plan = make.plan(
        make.desired(coordinates=near, exact_place=HOME),
        make.asset(coordinates=HOME),
        make.record(coordinates=HOME),
    )
    assert (plan.coordinates, plan.takes_away) == (near, False)


def test_a_persons_place_stays_though_a_coarser_one_is_wanted(make):
    theirs = Coordinates(48.2, 11.5)
    plan = make.plan(
        make.desired(coordinates=coarse(HOME, 25), exact_place=HOME), make.asset(coordinates=theirs)
    )
    assert [one.case for one in plan.decisions if one.field == "coordinates"] == ["conflict"]


# -- nothing changes for who switches nothing on --------------------------------------------------------


def test_the_digests_of_who_chose_nothing_are_as_before(make):
    """Those of the version before there was a choice: another one would have all images looked at again."""
    assert policy_digest(Policy(), Switches(), "") == BEFORE[0]
    assert fingerprint(make.desired(block="a", coordinates=HOME, tags=["t"]), "rules") == BEFORE[1]
    for changed in (
        Policy(coordinates=CoordinatesPolicy(1.0)),
        Policy(merge=MergePolicy(on_drift_taken_at="correct")),
    ):
        assert policy_digest(changed, Switches(), "") != BEFORE[0]
    assert policy_digest(Policy().with_dates(on=True), ON, "") != BEFORE[0]
