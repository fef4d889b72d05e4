"""How a picture lies on the sky, checked against astropy's WCS."""

from __future__ import annotations

import cmath
import math
import random
import warnings

import pytest

from reconciler.core.sky.plane import (
    Orientation,
    Sighting,
    orientation_of,
    project,
    separation_deg,
    true_angle_deg,
)


def wcs_of(ra, dec, scale_deg, angle, width, height, *, mirrored=False):
    """Return astropy's WCS of a picture whose top points to a position angle; rows are counted from the top."""
    from astropy.wcs import WCS

    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = [ra, dec]
    wcs.wcs.crpix = [width / 2 + 0.5, height / 2 + 0.5]
    turn = math.radians(angle)
    flip = -1 if mirrored else 1
    # Down in the picture is away from the position angle; right is a quarter further west.
    right = (-math.cos(turn) * flip, math.sin(turn) * flip)
    down = (-math.sin(turn), -math.cos(turn))
    wcs.wcs.cd = [[right[0] * scale_deg, down[0] * scale_deg], [right[1] * scale_deg, down[1] * scale_deg]]
    return wcs


def sightings_in(wcs, width, height, count, rng, jitter=0.0):
    centre = tuple(float(one) for one in wcs.wcs.crval)
    found = []
    for _ in range(count):
        x, y = rng.uniform(0, width), rng.uniform(0, height)
        ra, dec = (float(one) for one in wcs.all_pix2world(x, y, 0))
        at = complex(x + rng.gauss(0, jitter), y + rng.gauss(0, jitter))
        found.append(Sighting(at, project(ra, dec, centre)))
    return found


def apart(one, other):
    return abs((one - other + 180) % 360 - 180)


CENTRES = [(10.7, 41.3), (0.02, -5.0), (359.97, 12.0), (120.0, 89.2), (200.0, -88.5), (83.8, -5.4)]


@pytest.mark.parametrize("centre", CENTRES)
@pytest.mark.parametrize("mirrored", [False, True])
def test_angle_and_parity_follow_from_objects_of_known_position(centre, mirrored):
    rng = random.Random(f"{centre}{mirrored}")
    for _ in range(20):
        scale, angle = rng.choice([0.0004, 0.002, 0.01]), rng.uniform(0, 360)
        wcs = wcs_of(*centre, scale, angle, 1440, 960, mirrored=mirrored)
        found = orientation_of(
            sightings_in(wcs, 1440, 960, rng.randint(5, 20), rng, jitter=1.5),
            math.hypot(1440, 960),
            math.radians(scale),
        )
        assert found is not None
        assert found.mirrored is mirrored
        assert apart(found.position_angle_deg, angle) < 1


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_place_in_the_picture_is_where_astropy_puts_it(mirrored):
    scale = 0.003
    wcs = wcs_of(10.7, 41.3, scale, 121.6, 1440, 960, mirrored=mirrored)
    orientation = Orientation(121.6, mirrored)
    for x, y in ((10, 20), (1400, 33), (720, 480), (5, 950)):
        ra, dec = (float(one) for one in wcs.all_pix2world(x, y, 0))
        offset = project(ra, dec, (10.7, 41.3))
        place = orientation.place(offset) / math.radians(scale) + complex(719.5, 479.5)
        assert abs(place - complex(x, y)) < 0.01
        assert abs(orientation.offset(orientation.place(offset)) - offset) < 1e-12


def test_one_object_of_five_that_lies_elsewhere_does_not_turn_the_picture():
    rng = random.Random(5)
    for _ in range(30):
        angle = rng.uniform(0, 360)
        wcs = wcs_of(150, 20, 0.001, angle, 1440, 960)
        good = sightings_in(wcs, 1440, 960, 8, rng, jitter=0.5)
        bad = [Sighting(complex(rng.uniform(0, 1440), rng.uniform(0, 960)), each.offset) for each in good[:2]]
        found = orientation_of([*bad, *good[2:]], math.hypot(1440, 960), math.radians(0.001))
        assert found is None or apart(found.position_angle_deg, angle) < 1.5


@pytest.mark.parametrize("kind", ["two", "together", "at odds", "another scale", "a line", "at one place"])
def test_what_does_not_tell_tells_nothing(kind):
    rng = random.Random(kind)
    wcs = wcs_of(150, 20, 0.001, 33.0, 1440, 960)
    sightings = sightings_in(wcs, 1440, 960, 5, rng)
    scale = math.radians(0.001)
    if kind == "two":
        sightings = sightings[:2]
    elif kind == "together":
        middle = sightings[0]
        sightings = [
            Sighting(middle.place + each / 40, middle.offset + complex(-each.real, -each.imag) / 40 * scale)
            for each in (complex(100, 10), complex(20, 80), complex(-40, 5))
        ]
    elif kind == "at odds":
        sightings = [
            Sighting(complex(rng.uniform(0, 1440), rng.uniform(0, 960)), one.offset) for one in sightings
        ]
    elif kind == "another scale":
        scale *= 1.2
    elif kind == "at one place":
        sightings = [sightings[0]] * 5
    else:  # on one line a picture and its mirror image are alike
        line = [
            Sighting(complex(300 + 200 * at, 480), cmath.rect(1, 0.3) * scale * 200 * at) for at in range(4)
        ]
        sightings = line
    assert orientation_of(sightings, math.hypot(1440, 960), scale) is None


def test_the_plane_is_astropys():
    warnings.simplefilter("ignore")
    rng = random.Random(1)
    for centre in CENTRES:
        wcs = wcs_of(*centre, 1.0, 0.0, 0, 0)
        wcs.wcs.crpix = [0, 0]
        for _ in range(20):
            ra, dec = rng.uniform(0, 360), rng.uniform(-90, 90)
            offset = project(ra, dec, centre)
            if separation_deg(ra, dec, centre) > 89.9:
                assert offset is None
                continue
            if separation_deg(ra, dec, centre) < 80:
                x, y = (float(one) for one in wcs.all_world2pix(ra, dec, 0))
                assert abs(complex(-x - 1, -y - 1) - offset * (180 / math.pi)) < 1e-6 * max(
                    1, abs(offset) * 60
                )


def test_a_wide_field_is_as_wide_as_it_is_on_the_sky():
    assert true_angle_deg(249840) == pytest.approx(62.4, abs=0.1)
    assert true_angle_deg(165600) == pytest.approx(43.7, abs=0.1)
    assert true_angle_deg(3600) == pytest.approx(1, abs=1e-4)
    assert true_angle_deg(180 * 3600) is None
    assert true_angle_deg(0) is None


def test_an_angle_that_leans_on_one_misplaced_object_is_not_told():
    """A catalogue has the middle of one nebula 2.4′ elsewhere; it lies farthest from all others."""
    scale, truth = math.radians(2.4770682 / 3600), Orientation(225.76, mirrored=True)
    places = [(770, 787), (656, 659), (756, 841), (718, 697), (680, 980), (561, 957), (761, 226)]
    found = [Sighting(complex(*each), truth.offset(complex(*each)) * scale) for each in places]
    assert apart(orientation_of(found, 1800.0, scale).position_angle_deg, 225.76) < 0.01
    misplaced = Sighting(complex(618, -74), truth.offset(complex(560, -74)) * scale)
    told = orientation_of([*found[:5], misplaced], 1800.0, scale)
    assert told is None or apart(told.position_angle_deg, 225.76) < 1.5
