"""How much of the Moon is lit, against astropy's ephemeris, and when a description may say so."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta

import pytest

from reconciler.core.catalogue import Acquisition
from reconciler.core.desired.facts import facts_of
from reconciler.core.policy import ALL_PARTS, DescriptionPolicy
from reconciler.core.sky.moon import lit_at_night, lit_fraction

FULL, NEW, HALF = date(2023, 2, 5), date(2023, 2, 20), date(2023, 2, 13)


@pytest.fixture
def moon(make):
    def shown(*nights, **known):
        rows = tuple(Acquisition("L", 1, 60.0, night=night) for night in nights)
        return facts_of(
            make.image(acquisitions=rows, **known), DescriptionPolicy(enabled_parts=ALL_PARTS), None
        ).moon

    return shown


@pytest.mark.filterwarnings("ignore::erfa.ErfaWarning")
def test_it_is_astropy_s_within_a_point():
    import numpy as np
    from astropy import units as u
    from astropy.coordinates import get_body
    from astropy.time import Time

    chosen = random.Random(20261127)
    days = np.array([2_441_317.5 + chosen.random() * 36_525 for _ in range(500)])  # 1972 to 2072
    times = Time(days, format="jd", scale="tt")
    sun, moon = get_body("sun", times), get_body("moon", times)
    apart = sun.separation(moon, origin_mismatch="ignore")
    phase = np.arctan2(sun.distance * np.sin(apart), moon.distance - sun.distance * np.cos(apart)).to_value(
        u.rad
    )
    expected = (1 + np.cos(phase)) / 2
    found = np.array([lit_fraction(day) for day in days])
    assert np.abs(found - expected).max() < 0.01


def test_a_night_is_that_of_the_evening_and_its_middle_is_the_place_s_midnight():
    moment = datetime(2023, 2, 14, tzinfo=UTC) - timedelta(hours=-150 / 15)
    julian_day = moment.timestamp() / 86_400 + 2_440_587.5
    assert lit_at_night(HALF, -150.0) == pytest.approx(lit_fraction(julian_day), abs=1e-9)


def test_without_a_place_it_is_said_only_where_half_a_day_does_not_matter():
    assert lit_at_night(FULL, None) == pytest.approx(1, abs=0.01)
    assert lit_at_night(NEW, None) == pytest.approx(0, abs=0.02)
    assert lit_at_night(HALF, None) is None


def test_any_date_that_can_be_entered_has_one():
    for night in (date.min, date.max):
        assert 0 <= lit_at_night(night, 11.0) <= 1


def test_of_several_nights_the_least_and_the_most_are_shown(moon):
    place = {"latitude": 48.0, "longitude": 11.0}
    assert moon(FULL, **place) == "100 %"
    least, _, most = moon(FULL, HALF, **place).removesuffix(" %").partition("–")
    assert (40 < int(least) < 60, most) == (True, "100")


def test_one_night_that_is_not_known_leaves_all_unsaid(moon):
    assert moon(FULL) == "100 %"
    assert moon(FULL, HALF) == ""
    assert moon() == ""


@pytest.mark.parametrize(
    "place", [(95.0, 11.0), (48.0, -200.5), (0.0, 0.0), (None, 11.0), (48.0, float("nan"))]
)
def test_coordinates_that_are_no_place_tell_no_midnight(moon, place):
    assert moon(HALF, latitude=place[0], longitude=place[1]) == ""


@pytest.mark.parametrize(
    "known", [{"target_name": "Moon"}, {"object_type": "Solar"}, {"title": "The Sun in Ha"}]
)
def test_a_picture_of_the_sun_or_the_moon_has_none(moon, known):
    assert moon(FULL, latitude=48.0, longitude=11.0, **known) == ""


def test_darks_have_no_moon(make):
    rows = (Acquisition("Dark", 20, 60.0, night=FULL), Acquisition("L", 1, 60.0, night=NEW))
    image = make.image(acquisitions=rows, latitude=48.0, longitude=11.0)
    found = facts_of(image, DescriptionPolicy(enabled_parts=ALL_PARTS), None)
    assert (found.moon, found.nights, len(found.night_lines)) == ("1 %", 1, 1)


def test_it_is_shown_on_request_only(make):
    rows = (Acquisition("L", 1, 60.0, night=FULL),)
    assert facts_of(make.image(acquisitions=rows), DescriptionPolicy(), None).moon == ""
