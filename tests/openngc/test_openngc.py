"""OpenNGC by name and by place."""

from __future__ import annotations

import gc
import sqlite3
import subprocess
import sys
from math import degrees

import pytest

from reconciler.core.sky.plane import separation_deg
from reconciler.openngc.catalogue import OpenNgc

SKY = OpenNgc()


@pytest.mark.parametrize(
    ("designation", "name"),
    [
        ("NGC 7000", "NGC 7000"),
        ("ngc7000", "NGC 7000"),
        ("C 20", "NGC 7000"),
        ("LBN 373", "NGC 7000"),
        ("IC 434", "IC 434"),
        ("M 31", "NGC 224"),
        ("UGC 454", "NGC 224"),
        ("M 102", "NGC 5457"),
        ("Mel 22", "Mel 22"),
        ("M 45", "Mel 22"),
        ("Sh2-155", "C 9"),
        ("C 9", "C 9"),
        ("Cr 399", "Cl 399"),
        ("B 33", "B 33"),
    ],
)
def test_an_object_is_found_by_each_of_its_designations(designation, name):
    found = SKY.find(designation)
    assert found is not None
    assert found.name == name


@pytest.mark.parametrize(("duplicate", "main"), [("IC 1824", "NGC 1027"), ("IC 11", "NGC 281")])
def test_a_duplicate_entry_is_the_object_that_it_repeats(duplicate, main):
    assert SKY.find(duplicate) is SKY.find(main) is not None


@pytest.mark.parametrize("designation", ["", "NGC", "NGC 99999", "my garden", "HD 44179"])
def test_what_is_no_object_is_not_found(designation):
    assert SKY.find(designation) is None


def test_an_object_is_as_the_library_itself_describes_it():
    """The database is read past the library's classes, for speed: what they say is what we say."""
    from pyongc import ongc

    for name in ("NGC0224", "IC0434", "NGC6618", "Mel022", "NGC7009", "C041", "NGC5866", "ESO056-115"):
        theirs, ours = ongc.get(name), SKY.find(name)
        assert ours is not None
        assert (ours.constellation, ours.major_arcmin) == (theirs.constellation, theirs.dimensions[0])
        assert ours.magnitude in theirs.magnitudes[:2]
        assert [ours.ra_deg, ours.dec_deg] == pytest.approx(
            [degrees(one) for one in theirs.rad_coords.ravel()]
        )
        messier, *_, common, _ = theirs.identifiers
        assert list(ours.common_names) == (common or [])
        assert ours.messier == (f"M {int(messier[1:])}" if messier else None)


@pytest.mark.parametrize(
    ("ra", "dec", "radius"), [(10.7, 41.3, 2), (0.1, -3, 4), (359.9, 20, 6), (100, 89.5, 4)]
)
def test_objects_near_a_position_are_those_within_the_radius_across_the_pole_and_hour_zero(ra, dec, radius):
    found = SKY.near(ra, dec, radius)
    everything = SKY.near(0, 0, 180)
    assert len(everything) > 13_000
    within = [each for each in everything if separation_deg(each.ra_deg, each.dec_deg, (ra, dec)) <= radius]
    assert found == within
    assert found


def test_it_costs_little_and_only_who_asks():
    """Under 30 MB and 300 ms, once; importing it reads nothing."""
    script = """
import resource, sys, time
from reconciler.openngc.catalogue import OpenNgc
sky = OpenNgc()
assert "pyongc" not in sys.modules and "numpy" not in sys.modules
before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
sky.find("M 31")
print(time.process_time() - begun, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
assert "numpy" not in sys.modules
"""
    runs = [
        subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        for _ in range(3)
    ]
    seconds, kilobytes = zip(*(map(float, run.stdout.split()) for run in runs), strict=True)
    assert min(seconds) < 0.3
    assert max(kilobytes) < 30_000


def test_objects_that_are_too_small_to_be_told_are_not_read():
    around = SKY.near(10.68, 41.27, 3)
    assert {each.name for each in around} > {"NGC 224", "NGC 205"}
    large = [each for each in around if (each.major_arcmin or 0) >= 15]
    assert [each.name for each in SKY.near(10.68, 41.27, 3, 15)] == [each.name for each in large]
    assert 0 < len(large) < len(around)


def test_a_catalogue_that_nobody_asks_any_more_closes_its_database():
    """Python 3.13 and newer warn of one that is only forgotten."""
    before = connections()
    sky = OpenNgc()
    assert sky.find("M 31") is not None
    (its_own,) = (each for each in connections() if each not in before)
    assert its_own.execute("SELECT 1").fetchone() == (1,)

    del sky
    gc.collect()

    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        its_own.execute("SELECT 1")


def connections():
    return [each for each in gc.get_objects() if isinstance(each, sqlite3.Connection)]
