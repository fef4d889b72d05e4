"""What of the catalogue's numbers is a place, and when two places are one."""

from __future__ import annotations

import math

import pytest

from reconciler.core.asset import Coordinates
from reconciler.core.desired.coordinates import (
    desired_coordinates,
    near_a_zero_line,
    same_place,
    sign_flipped,
)
from reconciler.core.reasons import reason


def test_a_pair_is_wanted():
    assert desired_coordinates(48.137154, 11.576124) == (Coordinates(48.137154, 11.576124), None)


def test_no_numbers_are_no_place_and_no_problem():
    assert desired_coordinates(None, None) == (None, None)


@pytest.mark.parametrize(
    ("latitude", "longitude", "why"),
    [
        (None, 12.5, reason("only_longitude")),
        (48.1, None, reason("only_latitude")),
        (None, 0.0, reason("only_longitude")),
        (95.0, -200.5, reason("place_out_of_range", latitude=95.0, longitude=-200.5)),
        (48.0, 180.001, reason("place_out_of_range", latitude=48.0, longitude=180.001)),
        (math.nan, 12.5, reason("place_no_number")),
        (48.1, math.inf, reason("place_no_number")),
        (0.0, 0.0, reason("place_zero")),
        (-0.0, 0.0, reason("place_zero")),
        (4e-7, -4e-7, reason("place_zero")),
    ],
)
def test_what_immich_can_not_take_is_reported(latitude, longitude, why):
    assert desired_coordinates(latitude, longitude) == (None, why)


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(0.0, 10.5), (10.5, 0.0), (90.0, 180.0), (-90.0, -180.0), (0.0, 0.000001)],
)
def test_zero_and_the_edges_are_places(latitude, longitude):
    assert desired_coordinates(latitude, longitude) == (Coordinates(latitude, longitude), None)


def test_a_negative_zero_is_a_zero():
    place, _ = desired_coordinates(-0.0, 10.5)
    assert math.copysign(1, place.latitude) == 1


def test_a_place_has_the_six_decimals_that_immich_keeps():
    assert desired_coordinates(34.123456789012, -118.1)[0] == Coordinates(34.123457, -118.1)


def test_a_place_that_was_rounded_either_way_is_the_same():
    """Measured: -118.1234565 comes back as -118.123456, 40.7484405 as 40.748441."""
    assert same_place(Coordinates(40.748440, -118.123457), Coordinates(40.748441, -118.123456))


def test_a_place_beyond_the_tolerance_is_another():
    assert same_place(Coordinates(48.0, 11.0), Coordinates(48.000002, 11.0))
    assert not same_place(Coordinates(48.0, 11.0), Coordinates(48.000003, 11.0))
    assert not same_place(Coordinates(48.0, 11.0), Coordinates(48.0, 11.000003))


def test_both_names_of_the_antimeridian_are_the_same_place():
    assert same_place(Coordinates(-17.8, 180.0), Coordinates(-17.8, -180.0))


def test_absent_equals_only_absent():
    assert same_place(None, None)
    assert not same_place(None, Coordinates(1, 2))
    assert not same_place(Coordinates(1, 2), None)


@pytest.mark.parametrize(
    ("wanted", "kept"),
    [
        (Coordinates(1, 1), Coordinates(1, -1)),
        (Coordinates(51.48, 0.001), Coordinates(51.48, -0.001)),
        (Coordinates(-17.8, -179.998), Coordinates(-17.8, 179.998)),
        (Coordinates(1.234568, 2.345679), Coordinates(-1.234568, 2.345679)),
    ],
)
def test_a_turned_sign_is_recognised(wanted, kept):
    """The pairs are those measured on Immich 2.7.5."""
    assert sign_flipped(wanted, kept)


@pytest.mark.parametrize("kept", [None, Coordinates(1, 1), Coordinates(2, 1)])
def test_other_outcomes_are_no_turned_sign(kept):
    assert not sign_flipped(Coordinates(1, 1), kept)


def test_places_where_immich_may_turn_a_sign_are_known():
    assert near_a_zero_line(Coordinates(51.48, 0.001))
    assert near_a_zero_line(Coordinates(-0.04, -78.45))
    assert near_a_zero_line(Coordinates(-17.8, -179.96))
    assert not near_a_zero_line(Coordinates(48.1, 11.6))
