from __future__ import annotations

import math
import random
import warnings

import pytest

from reconciler.core.sky.constellations import (
    CONSTELLATIONS,
    abbreviation_of,
    constellation_at,
    name_of,
    to_b1875,
)

# Positions J2000 (SIMBAD), and the constellation every atlas gives.
KNOWN = [
    ("M 31", 10.6847, 41.2688, "And"),
    ("M 51", 202.4696, 47.1952, "CVn"),
    ("M 57", 283.3962, 33.0291, "Lyr"),
    ("M 27", 299.9016, 22.7212, "Vul"),
    ("M 33", 23.4621, 30.6602, "Tri"),
    ("IC 434", 85.25, -2.45, "Ori"),
    ("M 1", 83.6331, 22.0145, "Tau"),
    ("NGC 281", 13.2, 56.62, "Cas"),
    ("IC 1805", 38.2, 61.45, "Cas"),
    ("M 101", 210.8024, 54.3489, "UMa"),
    ("M 42", 83.8221, -5.3911, "Ori"),
    ("M 16", 274.7, -13.8067, "Ser"),
    ("M 5", 229.6384, 2.081, "Ser"),
    ("NGC 5139", 201.697, -47.4795, "Cen"),
    ("LMC", 80.8942, -69.7561, "Dor"),
    ("SMC", 13.1583, -72.8003, "Tuc"),
    ("Polaris", 37.9546, 89.2641, "UMi"),
    ("σ Octantis", 317.195, -88.9565, "Oct"),
]


@pytest.mark.parametrize(("name", "ra", "dec", "constellation"), KNOWN, ids=[row[0] for row in KNOWN])
def test_an_object_lies_where_every_atlas_puts_it(name, ra, dec, constellation):
    assert constellation_at(ra, dec) == constellation


def test_the_poles_and_any_turn_of_the_circle_are_on_the_sky():
    assert constellation_at(0, 90) == "UMi"
    assert constellation_at(0, -90) == "Oct"
    assert constellation_at(10.6847 - 360, 41.2688) == constellation_at(10.6847 + 360, 41.2688) == "And"


@pytest.mark.parametrize(
    "position", [(0, 90.001), (0, -91), (float("nan"), 0), (float("inf"), 0), (0, float("nan"))]
)
def test_what_is_no_position_is_refused(position):
    with pytest.raises(ValueError, match="no position"):
        constellation_at(*position)


def test_all_88_have_a_region_and_a_name():
    generator = random.Random(88)
    found = {constellation_at(ra, dec) for ra, dec in _uniform(generator, 10_000)}
    assert len(CONSTELLATIONS) == 88
    assert found == set(CONSTELLATIONS)


def test_names_are_spelled_as_the_iau_does():
    assert name_of("And") == "Andromeda"
    assert name_of("Boo") == "Boötes"
    assert name_of("PsA") == "Piscis Austrinus"
    assert name_of("Oph") == "Ophiuchus"
    assert name_of("Cha") == "Chamaeleon"
    with pytest.raises(KeyError):
        name_of("Xyz")


@pytest.mark.parametrize(
    ("text", "abbreviation"),
    [
        ("Andromeda", "And"),
        ("canes venatici", "CVn"),
        ("CVN", "CVn"),
        ("  coma   berenices ", "Com"),
        ("Boötes", "Boo"),
        ("Bootes", "Boo"),
        ("BOO\u0308TES", "Boo"),
        ("Orionis", "Ori"),
        ("Serpens Caput", "Ser"),
        ("Serpens (Cauda)", "Ser"),
        ("Se2", "Ser"),
        ("Ursae Majoris", "UMa"),
        ("", None),
        ("Argo Navis", None),
        ("Deep Sky", None),
    ],
)
def test_a_constellation_is_known_by_any_of_its_names(text, abbreviation):
    assert abbreviation_of(text) == abbreviation


def test_every_name_and_abbreviation_leads_to_its_constellation():
    for abbreviation, name in CONSTELLATIONS.items():
        assert abbreviation_of(name) == abbreviation_of(abbreviation.upper()) == abbreviation


def test_twenty_thousand_positions_agree_with_astropy_but_for_arcseconds_at_a_boundary():
    pytest.importorskip("astropy")
    from astropy.coordinates import GCRS, SkyCoord, get_constellation
    from astropy.utils import iers

    positions = _uniform(random.Random(20_000), 20_000)
    with iers.conf.set_temp("auto_download", value=False), warnings.catch_warnings():
        # As GCRS: from ICRS astropy would also apply the aberration of 1 January 2000, up to 20″, which no
        # boundary knows of.
        expected = get_constellation(
            SkyCoord([p[0] for p in positions], [p[1] for p in positions], unit="deg", frame=GCRS),
            short_name=True,
        )
    differing = [
        (ra, dec)
        for (ra, dec), theirs in zip(positions, expected, strict=True)
        if constellation_at(ra, dec) != theirs
    ]
    assert len(differing) <= 5
    assert all(_arcsec_to_boundary(ra, dec) < 3 for ra, dec in differing)


def test_precession_is_astropys_to_a_tenth_of_an_arcsecond():
    pytest.importorskip("astropy")
    from astropy.coordinates import GCRS, PrecessedGeocentric, SkyCoord
    from astropy.utils import iers

    positions = _uniform(random.Random(1875), 500)
    with iers.conf.set_temp("auto_download", value=False), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # ERFA calls the year 1875 dubious
        there = SkyCoord(
            [p[0] for p in positions], [p[1] for p in positions], unit="deg", frame=GCRS
        ).transform_to(PrecessedGeocentric(equinox="B1875"))
        here = SkyCoord(
            [to_b1875(*p) for p in positions], unit="deg", frame=there.frame.replicate_without_data()
        )
        assert here.separation(there).arcsec.max() < 0.1


def _uniform(generator, count):
    return [
        (generator.uniform(0, 360), math.degrees(math.asin(generator.uniform(-1, 1)))) for _ in range(count)
    ]


def _arcsec_to_boundary(ra, dec):
    """How far one must go, in the directions of the compass, to be in another constellation: at most 60″."""
    here = constellation_at(ra, dec)
    for distance in range(1, 61):
        step = distance / 3600
        across = step / max(math.cos(math.radians(dec)), 1e-6)
        around = [
            (ra + across, dec),
            (ra - across, dec),
            (ra, min(90, dec + step)),
            (ra, max(-90, dec - step)),
        ]
        if any(constellation_at(*position) != here for position in around):
            return distance
    return 60
