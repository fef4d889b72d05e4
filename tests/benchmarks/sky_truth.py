"""Pictures of the sky of which everything is known: what a solver would answer, made by astropy, not by us.

Targets are OpenNGC's rows, read here anew; places come from astropy's WCS, and the solver's number for the
orientation from astrometry.net's formula (``orient = -atan2(p·cd21 - cd12, p·cd11 + cd22)``, of which nova
tells ``180 - orient`` for what is no FITS file).
"""

from __future__ import annotations

import json
import math
import re
import sqlite3
import warnings
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from astropy import units
from astropy.coordinates import SkyCoord, get_constellation
from astropy.wcs import WCS
from pyongc import DBPATH

from reconciler.simulator.sample.build import build_sample

if TYPE_CHECKING:
    from random import Random

PREVIEW = 1440
"""Pixels of a preview's longer side."""
ENLARGED = 4
FREE_TEXT = ("Backyard test", "First light", "", "Panel 3 of 4")


def key(name):
    """Fold a designation: case, blanks, zero padding."""
    return re.sub(r"(?<!\d)0+(?=\d)", "", re.sub(r"\s", "", name)).lower()


@dataclass(frozen=True)
class Thing:
    """A row of OpenNGC; ``number`` is its own, whatever its names."""

    number: int
    name: str
    kind: str
    ra: float
    dec: float
    messier: str
    major: float

    @property
    def is_star(self):
        return not self.messier and self.kind in {"*", "**", "Nova", "Other"}


class Truth:
    """OpenNGC's things, by name and as columns."""

    def __init__(self):
        text = "SELECT name, type, ra, dec, messier, majax, ngc, ic FROM objects ORDER BY name"
        with closing(sqlite3.connect(f"{Path(DBPATH).as_uri()}?mode=ro", uri=True)) as database:
            rows = database.execute(text).fetchall()
        self.things, self.named, repeated = [], {}, []
        for name, kind, ra, dec, messier, major, ngc, ic in rows:
            if kind in {"Dup", "NonEx"}:
                main = f"m{messier}" if messier else f"ngc{ngc}" if ngc else f"ic{ic}" if ic else ""
                repeated.append((key(name), key(main)))
            elif ra is not None and dec is not None:
                short = f"M {int(messier)}" if messier else ""
                thing = Thing(
                    len(self.things), name, kind, math.degrees(ra), math.degrees(dec), short, major or 0.0
                )
                self.things.append(thing)
                self.named[key(name)] = thing
                if short:
                    self.named[key(short)] = thing
        for name, main in repeated:
            if main in self.named:
                self.named.setdefault(name, self.named[main])
        self.wholes = [one for one in self.things if " NED" not in one.name]
        """Nobody names a picture after one galaxy of a pair by its number in NED."""
        self.ra = np.array([one.ra for one in self.things])
        self.dec = np.array([one.dec for one in self.things])

    def around(self, ra, dec, radius):
        """Return the numbers of the things within a radius, degrees."""
        a, d = np.radians(self.ra), np.radians(self.dec)
        ra, dec = math.radians(ra), math.radians(dec)
        cosine = np.sin(d) * math.sin(dec) + np.cos(d) * math.cos(dec) * np.cos(a - ra)
        return np.flatnonzero(cosine > math.cos(math.radians(min(radius, 85.0))))


@dataclass
class Scene:
    """A picture, and what is true of it."""

    wcs: WCS
    width: int
    height: int
    scale: float
    """Arcseconds a pixel at the centre."""
    angle: float
    mirrored: bool
    target: Thing | None
    target_name: str
    is_preview: bool
    annotations: list = field(default_factory=list)
    constellation: str = ""
    """Astropy's abbreviation, of the target, else of the centre."""

    @property
    def position(self):
        """Return the position whose constellation it is."""
        return (self.target.ra, self.target.dec) if self.target else self.centre

    @property
    def centre(self):
        return tuple(float(one) for one in self.wcs.wcs.crval)

    def place(self, thing):
        """Return where a thing lies, as shares of the sides from the upper left corner."""
        x, y = self.wcs.all_world2pix(thing.ra, thing.dec, 0)
        return (float(x) + 0.5) / self.width, (float(y) + 0.5) / self.height

    def plane(self):
        """Return width and height in the tangent plane, degrees."""
        return self.width * self.scale / 3600, self.height * self.scale / 3600

    def sides(self):
        """Return the angles that the picture's middle row and column cover, degrees."""
        w, h = self.width - 0.5, self.height - 0.5
        x, y = (self.width - 1) / 2, (self.height - 1) / 2
        ra, dec = self.wcs.all_pix2world([-0.5, w, x, x], [y, y, -0.5, h], 0)
        ends = SkyCoord(ra, dec, unit="deg")
        return float(ends[0].separation(ends[1]).deg), float(ends[2].separation(ends[3]).deg)

    def result(self, rng):
        """Return what Skymmich keeps of the solver's answer."""
        (cd11, cd12), (cd21, cd22) = self.wcs.wcs.cd
        parity = 1 if cd11 * cd22 - cd12 * cd21 >= 0 else -1
        orient = -math.degrees(math.atan2(parity * cd21 - cd12, parity * cd11 + cd22))
        number = 180 - orient if self.is_preview else rng.uniform(0, 360)
        ra, dec = self.centre
        return {
            "ra": ra, "dec": dec, "width_arcsec": self.width * self.scale,
            "height_arcsec": self.height * self.scale, "pixscale": self.scale,
            "orientation": (number + 180) % 360 - 180, "parity": parity, "annotations": self.annotations,
        }  # fmt: skip


def wcs_of(centre, scale, angle, width, height, *, mirrored):
    """Return the WCS of a picture whose top points to a position angle, rows counted from the top."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.crval = list(centre)
    wcs.wcs.crpix = [width / 2 + 0.5, height / 2 + 0.5]
    turn, step, flip = math.radians(angle), scale / 3600, -1 if mirrored else 1
    wcs.wcs.cd = [
        [-math.cos(turn) * flip * step, -math.sin(turn) * step],
        [math.sin(turn) * flip * step, -math.cos(turn) * step],
    ]
    return wcs


def scene(truth: Truth, rng: Random) -> Scene:
    """Make a picture: any target, field from 0.1° to 60°, angle, parity, and proportions."""
    thing = rng.choice(truth.wholes)
    longer = math.exp(rng.uniform(math.log(0.1), math.log(60)))
    width, height = PREVIEW, rng.choice((960, 1080, 810, 1440))
    if rng.random() < 0.25:
        width, height = height, width
    plane = 2 * math.tan(math.radians(longer) / 2)
    scale = math.degrees(plane) * 3600 / max(width, height)
    # The target is somewhere in the picture, not always in its middle.
    aside = SkyCoord(thing.ra, thing.dec, unit="deg").directional_offset_by(
        rng.uniform(0, 360) * units.deg,
        0.3 * longer * min(width, height) / PREVIEW * rng.random() * units.deg,
    )
    angle, mirrored = rng.uniform(0, 360), rng.random() < 0.2
    wcs = wcs_of((aside.ra.deg, aside.dec.deg), scale, angle, width, height, mirrored=mirrored)
    known = rng.random() < 0.9
    spelt = rng.choice((thing.name, thing.messier or thing.name, thing.name.lower()))
    made = Scene(
        wcs, width, height, scale, angle, mirrored, thing if known else None,
        spelt if known else rng.choice(FREE_TEXT), rng.random() < 0.75,
    )  # fmt: skip
    _annotate(made, truth, rng, longer)
    return made


def _annotate(made: Scene, truth: Truth, rng: Random, longer: float) -> None:
    """Mark things as a solver does: in the picture and just beside it, a few pixels off, stars among them."""
    how_many = rng.choice((0, 0, 1, 2, 3, 4, 8, 20, 40))
    near = [truth.things[number] for number in truth.around(*made.centre, longer)]
    near = [one for one in near if all(-0.1 < side < 1.1 for side in made.place(one))]
    rng.shuffle(near)
    jitter = rng.choice((0.5, 2.0, 5.0))
    for one in near[:how_many]:
        x, y = made.place(one)
        at = x * made.width + rng.gauss(0, jitter), y * made.height + rng.gauss(0, jitter)
        if how_many >= 8 and rng.random() < 0.05:
            # A catalogue that has the middle of a nebula elsewhere.
            at = at[0] + 0.04 * made.width, at[1]
        names = [one.messier, one.name] if one.messier else [one.name]
        made.annotations.append(
            {
                "type": "ngc",
                "names": names,
                "pixelx": at[0],
                "pixely": at[1],
                "radius": one.major * 30 / made.scale,
            }
        )
    for number in range(how_many // 2):
        kind, name = rng.choice((("hd", f"HD {3000 + number}"), ("bright", "ν And"), ("bright", "51 Peg")))
        at = rng.uniform(0, made.width), rng.uniform(0, made.height)
        made.annotations.append(
            {"type": kind, "names": [name], "pixelx": at[0], "pixely": at[1], "radius": 0}
        )


def scenes(truth: Truth, count: int, rng: Random) -> list[Scene]:
    """Make pictures, with the constellations that astropy gives, asked for at once."""
    made = [scene(truth, rng) for _ in range(count)]
    found = _constellations(SkyCoord(*np.array([one.position for one in made]).T, unit="deg"))
    for one, name in zip(made, found, strict=True):
        one.constellation = str(name)
    return made


def constellations_beside(ra, dec):
    """Return those within half a minute of arc: astropy's frame has the aberration of a day in it, 20″."""
    aside = SkyCoord(ra, dec, unit="deg").directional_offset_by(
        range(0, 360, 30) * units.deg, 0.5 * units.arcmin
    )
    return set(_constellations(aside))


def _constellations(places):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return get_constellation(places, short_name=True)


def store(path: Path, made: list[Scene], rng: Random) -> None:
    """Write a catalogue of Skymmich with these pictures, and no others; ids count from 1."""
    build_sample(path)
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in (
            "image_acquisition",
            "image_equipment",
            "plate_solving_jobs",
            "astrophotography_images",
        ):
            connection.execute(f"DELETE FROM {table}")
        for number, one in enumerate(made, start=1):
            result = one.result(rng)
            ending = "jpg" if one.is_preview else rng.choice(("tif", "fits"))
            asset = f"00000000-0000-4000-8000-{number:012x}"
            row = (
                number, asset, f"Picture {number}", f"{number}.{ending}", one.target_name, 1,
                str(result["ra"]), str(result["dec"]), result["orientation"] or None, "[]", "Orion",
            )  # fmt: skip
            connection.execute(
                "INSERT INTO astrophotography_images (id, immich_id, title, filename, target_name, plate_solved,"
                " ra, dec, rotation, tags, constellation, created_at, updated_at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1700000000, 1700000000)",
                row,
            )
            connection.execute(
                "INSERT INTO plate_solving_jobs (image_id, astrometry_submission_id, status, submitted_at,"
                " completed_at, result) VALUES (?, ?, 'success', ?, ?, ?)",
                (number, str(number), 1_700_000_000, 1_700_000_000, json.dumps(result)),
            )
