from __future__ import annotations

import random

import pytest

from reconciler.core.sky.astronomy import (
    format_angle_field,
    format_dec,
    format_exposure,
    format_integration,
    format_pixel_scale,
    format_ra,
    format_rotation,
    parse_dec,
    parse_ra,
    pixel_scale,
)


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("10.6970456789012", 10.6970456789012),
        (" 0 ", 0.0),
        ("-0.0", 0.0),
        ("1.25e-7", 1.25e-7),
        ("05h 35m 17.3s", 83.82208333333333),
        ("05h35m17.3s", 83.82208333333333),
        ("5h 35m", 83.75),
        ("05:35:17.3", 83.82208333333333),
        ("05 35 17.3", 83.82208333333333),
        ("05ʰ 35ᵐ 17.3ˢ", 83.82208333333333),
        ("5.5h", 82.5),
        ("83° 49′ 19.5″", 83.82208333333333),
        ("23:59:59.99", 359.99995833333333),
    ],
)
def test_right_ascension_is_read_in_the_forms_people_and_solvers_write(text, degrees):
    assert parse_ra(text) == pytest.approx(degrees, abs=1e-10)


@pytest.mark.parametrize(
    ("text", "degrees"),
    [
        ("-47.48937654321", -47.48937654321),
        ("-05° 23' 28\"", -5.391111111111111),
        ("−05° 23′ 28″", -5.391111111111111),
        ("-05:23:28", -5.391111111111111),
        ("+69:03:55.1", 69.06530555555556),
        ("-00 15 00", -0.25),
        ("-00:00:30", -30 / 3600),
        ("+41d16m09s", 41.26916666666667),
        ("41° 16.15'", 41.26916666666667),
        ("-5° 23’ 28”", -5.391111111111111),
        ("-5° 23' 28''", -5.391111111111111),
        ("90", 90.0),
        ("-90:00:00", -90.0),
    ],
)
def test_declination_is_read_in_the_forms_people_and_solvers_write(text, degrees):
    assert parse_dec(text) == pytest.approx(degrees, abs=1e-10)


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        " ",
        "M 42",
        "nan",
        "inf",
        "1e999",
        "-1",
        "360",
        "24:00:00",
        "05:60:00",
        "05:35:60",
        "5:35:17:2",
    ],
)
def test_what_is_no_right_ascension_is_none(text):
    assert parse_ra(text) is None


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "90.1",
        "-90:00:01",
        "+41:60:00",
        "+41:15:60",
        "05h 23m 28s",
        "5.5h",
        "1 2.5 3",
        "٤١",
        "9" * 5000,
    ],
)
def test_what_is_no_declination_is_none(text):
    assert parse_dec(text) is None


def test_right_ascension_is_written_in_hours():
    assert format_ra(10.6970456789012) == "00h 42m 47s"
    assert format_ra(83.8220833, decimals=1) == "05h 35m 17.3s"


def test_seconds_that_round_up_carry_and_a_full_day_wraps():
    assert format_ra(359.9999) == "00h 00m 00s"
    assert format_ra(14.99999) == "01h 00m 00s"
    assert format_ra(-0.0) == "00h 00m 00s"
    assert format_ra(-1e-20) == "00h 00m 00s"
    assert format_dec(9.99999) == "+10° 00′ 00″"
    assert format_dec(-0.999999, decimals=1) == "−01° 00′ 00.0″"


def test_declination_keeps_its_sign_below_one_degree():
    assert format_dec(41.259223) == "+41° 15′ 33″"
    assert format_dec(-30 / 3600) == "−00° 00′ 30″"
    assert format_dec(-5.391111, decimals=2) == "−05° 23′ 28.00″"


def test_a_declination_that_shows_as_zero_has_no_minus():
    assert format_dec(-0.0) == "+00° 00′ 00″"
    assert format_dec(-1e-9, decimals=1) == "+00° 00′ 00.0″"


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 90.0001, -91])
def test_a_declination_out_of_range_is_refused(value):
    with pytest.raises(ValueError, match=r"declination|finite"):
        format_dec(value)


def test_what_is_written_is_read_back():
    generator = random.Random(1875)
    for _ in range(2_000):
        ra, dec = generator.uniform(0, 359.999), generator.uniform(-90, 90)
        assert parse_ra(format_ra(ra, decimals=4)) == pytest.approx(ra, abs=1e-6)
        assert parse_dec(format_dec(dec, decimals=3)) == pytest.approx(dec, abs=1e-6)


def _angles():
    generator = random.Random(42)
    anywhere = [generator.uniform(-90, 90) for _ in range(1_500)]
    # Just below a full minute, and a full degree: what rounds up to 60.
    near_sixty = [
        generator.choice((-1, 1))
        * (generator.randrange(89) + (generator.randrange(60) + generator.uniform(59.4, 60) / 60) / 60)
        for _ in range(1_500)
    ]
    return anywhere + near_sixty


@pytest.mark.parametrize("decimals", [0, 2])
def test_sexagesimal_text_is_what_astropy_writes(decimals):
    units = pytest.importorskip("astropy.units")
    from astropy.coordinates import Angle

    declinations = _angles()
    expected = Angle(declinations, units.deg).to_string(
        unit=units.deg, sep=("° ", "′ ", "″"), pad=True, alwayssign=True, precision=decimals
    )
    for degrees, text in zip(declinations, expected, strict=True):
        assert format_dec(degrees, decimals=decimals).replace("−", "-") == text

    right_ascensions = [(degrees + 90) * 2 % 360 for degrees in declinations]
    expected = Angle(right_ascensions, units.deg).to_string(
        unit=units.hour, sep=("h ", "m ", "s"), pad=True, precision=decimals
    )
    for degrees, text in zip(right_ascensions, expected, strict=True):
        assert format_ra(degrees, decimals=decimals) == text.replace("24h", "00h")


@pytest.mark.parametrize(
    ("width", "height", "text"),
    [
        (1.1808, 0.7872, "1.18° × 0.79°"),
        (0.4938, 0.3292, "29.6′ × 19.8′"),
        (0.5, 1.25, "0.50° × 1.25°"),
        (19.2, 12.8, "19.2° × 12.8°"),
        (9.999, 5.0, "10.0° × 5.0°"),
        (0.99999, 0.5, "1.00° × 0.50°"),
        (0.0125, 0.0083333, "45.0″ × 30.0″"),
        (0.0166665, 0.01, "1.0′ × 0.6′"),
    ],
)
def test_a_field_is_shown_in_the_unit_that_reads_best(width, height, text):
    assert format_angle_field(width, height) == text


@pytest.mark.parametrize("sides", [(0, 1), (1, -1), (float("nan"), 1)])
def test_a_field_without_extent_is_refused(sides):
    with pytest.raises(ValueError, match=r"field|finite"):
        format_angle_field(*sides)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (47_221.2, "13h 7m"),
        (2_700, "45m"),
        (30, "30s"),
        (0, "0s"),
        (0.4, "0.4s"),
        (59.7, "1m"),
        (90, "1m 30s"),
        (599.6, "10m"),
        (3_599, "1h"),
        (7_199.9, "2h"),
        (36_000, "10h"),
        (360_030, "100h"),
    ],
)
def test_integration_is_rounded_with_carry(seconds, text):
    assert format_integration(seconds) == text


def test_integration_never_shows_sixty_minutes():
    for seconds in range(0, 20_000, 7):
        text = format_integration(seconds + 0.5)
        assert "60m" not in text
        assert "60s" not in text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (300, "300 s"),
        (180.5, "180.5 s"),
        (1 / 60, "1/60 s"),
        (1.25, "1.25 s"),
        (0.00032, "0.00032 s"),
        (0.0015, "0.0015 s"),
        (0.01667, "0.01667 s"),
        (299.98, "300 s"),
        (0.00001, "0.00001 s"),
        (0, "0 s"),
        (1_200.0, "1200 s"),
        (0.9999, "1 s"),
    ],
)
def test_a_sub_exposure_is_shown_in_seconds(seconds, text):
    assert format_exposure(seconds) == text


@pytest.mark.parametrize("write", [format_integration, format_exposure, format_pixel_scale])
def test_a_negative_measure_is_refused(write):
    with pytest.raises(ValueError, match="nothing"):
        write(-1)


@pytest.mark.parametrize(
    ("arcsec", "text"),
    [(2.9519959, "2.95″/px"), (48.001, "48.0″/px"), (0.0712, "0.071″/px"), (9.996, "10.0″/px")],
)
def test_pixel_scale_is_rounded(arcsec, text):
    assert format_pixel_scale(arcsec) == text


@pytest.mark.parametrize(
    ("degrees", "text"),
    [
        (237.32546, "237.3°"),
        (-168.153, "191.8°"),
        (0, "0.0°"),
        (359.97, "0.0°"),
        (-0.01, "0.0°"),
        (720.5, "0.5°"),
    ],
)
def test_rotation_is_one_turn(degrees, text):
    assert format_rotation(degrees) == text


def test_pixel_scale_is_of_the_original_and_not_of_the_preview():
    # An ASI2600 behind 400 mm: 6248 × 4176 pixels of 3.76 µm.
    assert pixel_scale(12_110.0, 8_094.0, 6_248, 4_176) == pytest.approx(1.938, abs=0.001)


def test_a_file_that_is_stored_turned_is_matched_by_its_aspect():
    assert pixel_scale(8_094.0, 12_110.0, 6_248, 4_176) == pytest.approx(1.938, abs=0.001)


@pytest.mark.parametrize(
    "arguments",
    [
        (12_110.0, 8_094.0, 4_176, 4_176),
        (None, 8_094.0, 6_248, 4_176),
        (12_110.0, 8_094.0, 0, 4_176),
        (float("inf"), 1.0, 3, 2),
        (float("nan"), 1.0, 3, 2),
    ],
)
def test_there_is_no_pixel_scale_where_the_picture_is_not_what_was_solved(arguments):
    assert pixel_scale(*arguments) is None
