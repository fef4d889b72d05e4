"""Integration as people count it: lengths, digits, temperatures, lights, nights, a stack's flat columns."""

from __future__ import annotations

import random
from datetime import date
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.core.catalogue import Acquisition, Equipment, Summary
from reconciler.core.desired.facts import facts_of
from reconciler.core.desired.integration_facts import lengths_of
from reconciler.core.desired.template import BlockTemplate
from reconciler.core.policy import ALL_PARTS, DescriptionPolicy
from reconciler.core.sky.astronomy import format_exposure, format_integration

SECONDS = st.one_of(
    st.floats(0.0001, 2000), st.floats(295, 305), st.sampled_from([60.0, 60.2, 60.5, 61, 299.98, 300, 300.01])
)
LENGTHS = st.lists(st.tuples(SECONDS, st.integers(1, 500)), min_size=1, max_size=12)


@pytest.fixture
def facts(make):
    def gather(*rows, **known):
        image = make.image(acquisitions=rows, **known)
        return facts_of(image, DescriptionPolicy(enabled_parts=ALL_PARTS), None)

    return gather


def rows_of(lengths):
    return [Acquisition("L", frames, seconds) for seconds, frames in lengths]


@pytest.mark.parametrize(
    ("lengths", "shown"),
    [
        ([(300, 20), (299.98, 12), (300.01, 3)], "35 × 300 s"),
        ([(299.98, 3), (300, 20)], "23 × 300 s"),
        ([(60, 5), (60.7, 5)], "5 × 60 s + 5 × 60.7 s"),
        ([(1.25, 10), (1.26, 10)], "20 × 1.25 s"),
        ([(1.25, 10), (1.3, 10)], "10 × 1.25 s + 10 × 1.3 s"),
        ([(600, 5), (300, 5), (600.1, 1)], "6 × 600 s + 5 × 300 s"),
    ],
)
def test_lengths_that_a_clock_explains_are_one(facts, lengths, shown):
    (row,) = facts(*rows_of(lengths)).integration
    assert row.subs == shown


def test_a_chain_of_small_steps_is_not_one_length():
    chain = [(300.0, 1), (300.4, 1), (300.8, 1), (301.2, 1)]
    assert lengths_of(rows_of(chain)) == chain


@given(LENGTHS, st.randoms(use_true_random=False))
def test_lengths_are_the_same_in_any_order_and_once_more(lengths, chance):
    found = lengths_of(rows_of(lengths))
    mixed = list(lengths)
    chance.shuffle(mixed)
    assert sorted(lengths_of(rows_of(mixed))) == sorted(found)
    assert lengths_of(rows_of(found)) == found
    assert sum(frames for _, frames in found) == sum(frames for _, frames in lengths)


@given(SECONDS, st.integers(1, 600_000))
@example(1.25, 1000)
@example(0.00032, 3000)
@example(0.0015, 600_000)
@example(1 / 60, 7200)
@example(2.25, 4)
def test_frames_times_the_length_shown_is_the_total(seconds, frames):
    number = format_exposure(seconds, frames=frames).removesuffix(" s")
    shown = Fraction(number)
    assert abs(shown - Fraction(seconds)) <= Fraction(seconds) / 1000
    assert format_integration(float(frames * shown)) == format_integration(frames * seconds)


@pytest.mark.parametrize(
    ("seconds", "frames", "text"),
    [
        (1.25, 1, "1.25 s"),
        (1 / 8000, 1, "0.000125 s"),
        (1 / 30, 1, "1/30 s"),
        (0.03333, 1, "0.0333 s"),
        (300.04, 1, "300 s"),
        (300.04, 1000, "300.04 s"),
    ],
)
def test_there_are_as_many_digits_as_it_takes(seconds, frames, text):
    assert format_exposure(seconds, frames=frames) == text


@pytest.mark.parametrize(
    ("temperatures", "shown"),
    [
        ([-10.0, -10.1, -9.9], "−10 °C"),
        ([-10.0, -10.5], "−10.5 °C"),
        ([-10.0, -10.6], ""),
        ([-0.1, 0.1], "0 °C"),
        ([-0.2], "0 °C"),
        ([4.6, 4.5], "4.5 °C"),
        ([-10.0, None], ""),
        ([float("nan")], ""),
    ],
)
def test_a_regulated_sensor_has_one_temperature(facts, temperatures, shown):
    rows = [Acquisition("L", 1, 60.0, sensor_temp_c=each) for each in temperatures]
    random.Random(1).shuffle(rows)
    assert facts(*rows).integration[0].details == shown


@pytest.mark.parametrize(
    "name", ["Dark", "darks", "FLAT", "Flats", "Bias", "Dark flat", "flat darks", "Offset", "Dark frames"]
)
def test_calibration_frames_are_no_lights(facts, name):
    found = facts(
        Acquisition("Ha", 10, 300.0, night=date(2023, 2, 1)),
        Acquisition(name, 50, 300.0, night=date(2023, 2, 2)),
    )
    assert (found.total_integration, found.frames, found.nights, found.filters) == ("50m", 10, 1, ("Ha",))
    assert [row.filter for row in found.integration] == ["Ha"]


@pytest.mark.parametrize("name", ["Dark Sky L", "Flatfield Ha", "Darkness", "L dark"])
def test_a_filter_that_is_only_named_like_them_counts(facts, name):
    assert facts(Acquisition(name, 50, 300.0)).frames == 50


def test_a_night_has_a_line_of_its_own(facts):
    first, second = date(2023, 2, 1), date(2023, 2, 3)
    found = facts(
        Acquisition("Ha", 20, 300.0, night=second),
        Acquisition("OIII", 10, 300.0, night=second),
        Acquisition("Ha", 5, 300.0, night=first),
        Acquisition("Ha", 5, 300.0),
    )
    assert found.night_lines == (
        "2023-02-01: Ha 5 × 300 s (25m)",
        "2023-02-03: Ha 20 × 300 s, OIII 10 × 300 s (2h 30m)",
    )


STACK = {"camera": "Canon EOS Ra", "iso": 1600, "frame_count": 60}


@pytest.mark.parametrize(
    ("length", "hours", "subs"),
    [
        ("180", 3.0, "60 × 180 s"),
        ("180s", 3.0, "60 × 180 s"),
        ("180.0 sec", 3.0, "60 × 180 s"),
        ("1/60", 1 / 3600, "60 × 1/60 s"),
        ("180s", 0.05, "60 × 180 s"),
    ],
)
def test_a_stack_without_rows_is_told_by_its_flat_columns(facts, make, length, hours, subs):
    summary = Summary(**STACK, exposure_time=length, integration_hours=hours)
    found = facts(summary=summary)
    (row,) = found.integration
    assert (row.filter, row.subs, row.details, found.frames) == ("", subs, "ISO 1600", 60)
    block = BlockTemplate(DescriptionPolicy()).render(found)
    assert f"\n· {subs} ({row.total}), ISO 1600\n" in block


@pytest.mark.parametrize(
    ("length", "hours", "total"), [("180", 5.0, "5h"), ("60s - 300s", 3.0, "3h"), ("1/0", 3.0, "3h")]
)
def test_flat_columns_that_do_not_agree_make_no_row(facts, length, hours, total):
    found = facts(summary=Summary(**STACK, exposure_time=length, integration_hours=hours))
    assert (found.integration, found.total_integration) == ((), total)


@pytest.mark.parametrize("camera", ["ZWO ASI2600MC Pro", "QHY268M", "Player One Poseidon-C", None])
def test_a_gain_is_no_iso_speed(facts, camera):
    summary = Summary(camera=camera, iso=100, frame_count=60, exposure_time="180", integration_hours=3.0)
    assert facts(summary=summary).integration[0].details == ""
    linked = (Equipment(1, camera or "ASI294MC", "camera"),)
    assert facts(summary=summary, equipment=linked).integration[0].details == ""
