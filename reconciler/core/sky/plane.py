"""The plane that a picture of the sky is: gnomonic projection, and how a picture lies in it.

Pictures are solved as tangent planes: a position is projected from the sphere's centre onto the plane that
touches it at the picture's centre. How a picture is turned in that plane, and whether it is mirrored, follows
from objects of known position by least squares (a similarity of the plane, after Umeyama 1991, IEEE PAMI 13,
376, in complex numbers). Nothing is looked up here.
"""

from __future__ import annotations

import cmath
import math
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

LEAST: Final = 3
"""Objects of known position that tell how a picture lies."""
_MOST_SEEDS: Final = 16
_SCALE_DIFFERS: Final = 0.04
"""Share by which the objects' scale may differ from the solver's: more, and they are not these objects."""
_CERTAIN_DEG: Final = 0.5
"""Standard error of the angle that is still told: three of them are the 1.5° that it is right within."""
_NEAR: Final = 0.01
"""Share of the picture's diagonal within which an object lies where it should: catalogues differ about the
middle of a nebula, and older ones have minutes of arc."""
_USUAL: Final = 0.25
"""Share of this, by which an object is usually off in each direction."""
_USUAL_WEIGHT: Final = 4
"""Measured values that this counts for: as many as two objects have."""
_OUTLIERS: Final = 0.34
"""Share of the objects that may lie elsewhere."""


def project(ra_deg: float, dec_deg: float, at: tuple[float, float]) -> complex | None:
    """Project a position onto the plane that touches the sky at another, after Calabretta & Greisen 2002.

    Args:
        ra_deg: right ascension, degrees.
        dec_deg: declination, degrees.
        at: right ascension and declination of the point of contact, degrees.

    Returns:
        east as the real part and north as the imaginary one, in radians of the plane; ``None`` for what is
        90° away or farther, which no plane shows.
    """
    dec, dec0 = math.radians(dec_deg), math.radians(at[1])
    difference = math.radians(ra_deg - at[0])
    sin_dec, cos_dec, sin_dec0, cos_dec0 = math.sin(dec), math.cos(dec), math.sin(dec0), math.cos(dec0)
    depth = sin_dec0 * sin_dec + cos_dec0 * cos_dec * math.cos(difference)
    if depth <= 1e-6:
        return None
    east = cos_dec * math.sin(difference) / depth
    north = (cos_dec0 * sin_dec - sin_dec0 * cos_dec * math.cos(difference)) / depth
    return complex(east, north)


def separation_deg(ra_deg: float, dec_deg: float, at: tuple[float, float]) -> float:
    """Return the angle between two positions, degrees."""
    dec, dec0 = math.radians(dec_deg), math.radians(at[1])
    half = math.sin((dec - dec0) / 2) ** 2
    half += math.cos(dec) * math.cos(dec0) * math.sin(math.radians(ra_deg - at[0]) / 2) ** 2
    return math.degrees(2 * math.asin(min(1.0, math.sqrt(half))))


def true_angle_deg(plane_arcsec: float) -> float | None:
    """Return the angle that a picture's side covers, whose length in the tangent plane is given.

    Solvers repeat the scale at the centre over all pixels; a plane's half width is the tangent of half the
    angle. Half the sky has no such picture: ``None``.
    """
    if not 0 < plane_arcsec < 180 * 3600:
        return None
    return math.degrees(2 * math.atan(math.radians(plane_arcsec / 3600) / 2))


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a picture lies on the sky."""

    position_angle_deg: float
    """Of the picture's top, from north through east, 0 ≤ angle < 360."""
    mirrored: bool
    """Whether east is to the right of north, as in no view of the sky with bare eyes."""

    def place(self, offset: complex) -> complex:
        """Return where an offset in the plane (east, north) lies in the picture: right, and down."""
        # Seen from below, east is to the left where north is up.
        seen = complex(-offset.real, offset.imag) * cmath.rect(1, -math.radians(self.position_angle_deg))
        return complex(-seen.real if self.mirrored else seen.real, -seen.imag)

    def offset(self, place: complex) -> complex:
        """Return the offset in the plane of a place in the picture (right, down) from its centre."""
        seen = complex(-place.real if self.mirrored else place.real, -place.imag)
        turned = seen * cmath.rect(1, math.radians(self.position_angle_deg))
        return complex(-turned.real, turned.imag)


@dataclass(frozen=True, slots=True)
class Sighting:
    """An object of known position, as found in a picture."""

    place: complex
    """Right and down, in pixels from any corner."""
    offset: complex
    """East and north, in radians of the tangent plane."""


def orientation_of(
    sightings: Sequence[Sighting], diagonal_px: float, scale_rad: float | None = None
) -> Orientation | None:
    """Find how a picture lies from objects in it, whatever its solver meant.

    Args:
        sightings: those objects.
        diagonal_px: the picture's diagonal in pixels.
        scale_rad: what a pixel covers at the centre, radians, where the solver tells.

    Returns:
        ``None`` where they do not tell, or not well enough: too few, too close together, at odds with each
        other or with the solver's scale, or as good for one as for its mirror image.
    """
    # A duplicate entry of a catalogue is no second object.
    sightings = list({each.place: each for each in sightings}.values())
    if len(sightings) < LEAST or diagonal_px <= 0:
        return None
    fits = [
        fit
        for mirrored in (False, True)
        if (fit := _fit_robustly(sightings, diagonal_px * _NEAR, scale_rad, mirrored=mirrored))
    ]
    if not fits:
        return None
    best = min(fits, key=lambda fit: (-len(fit.kept), fit.residual))
    others = [fit for fit in fits if fit is not best]
    if others and len(others[0].kept) >= len(best.kept) and others[0].residual < 3 * best.residual + 1e-9:
        return None
    if best.error_deg > _CERTAIN_DEG or len(best.kept) < (1 - _OUTLIERS) * len(sightings):
        return None
    return Orientation(math.degrees(cmath.phase(best.turn)) % 360, best.mirrored)


@dataclass(frozen=True, slots=True)
class _Fit:
    """Offsets as seen from below = ``turn`` × places, y up + a constant."""

    turn: complex
    kept: tuple[int, ...]
    residual: float
    """Root mean square, pixels."""
    error_deg: float
    mirrored: bool


def _fit_robustly(
    sightings: Sequence[Sighting], near_px: float, scale_rad: float | None, *, mirrored: bool
) -> _Fit | None:
    """Fit one parity, without those that lie elsewhere."""
    seen = [complex(-each.offset.real, each.offset.imag) for each in sightings]
    places = [
        complex(-each.place.real if mirrored else each.place.real, -each.place.imag) for each in sightings
    ]
    everyone = tuple(range(len(sightings)))
    fit = _fitted(places, seen, everyone)
    if fit is not None and _agrees(fit, scale_rad) and max(_distances(fit, places, seen)) <= near_px:
        kept = everyone
    else:
        kept = _agreeing(places, seen, near_px, scale_rad)
    if len(kept) < LEAST or (fit := _fitted(places, seen, kept)) is None or not _agrees(fit, scale_rad):
        return None
    turn, shift = fit
    squares = sum(abs(seen[one] - turn * places[one] - shift) ** 2 for one in kept) / abs(turn) ** 2
    middle = sum(places[one] for one in kept) / len(kept)
    spread = math.sqrt(sum(abs(places[one] - middle) ** 2 for one in kept))
    # Few that agree by chance prove little about how far they are off: a usual error counts beside theirs.
    usual = _USUAL_WEIGHT * (near_px * _USUAL) ** 2
    noise = math.sqrt((squares + usual) / (2 * len(kept) - 4 + _USUAL_WEIGHT))
    error = max(math.degrees(noise / spread), _leaning_deg(places, seen, kept, turn) / 2)
    return _Fit(turn, kept, math.sqrt(squares / len(kept)), error, mirrored)


def _leaning_deg(
    places: Sequence[complex], seen: Sequence[complex], kept: Sequence[int], turn: complex
) -> float:
    """Return by how much the angle changes without the one that it leans on most (the jackknife)."""
    fits = [_fitted(places, seen, [each for each in kept if each != one]) for one in kept]
    return max((abs(math.degrees(cmath.phase(fit[0] / turn))) for fit in fits if fit), default=180.0)


def _fitted(
    places: Sequence[complex], seen: Sequence[complex], which: Sequence[int]
) -> tuple[complex, complex] | None:
    """Return turn and shift of the similarity of least squares; ``None`` if all are at one place."""
    count = len(which)
    middle = sum(places[one] for one in which) / count
    its = sum(seen[one] for one in which) / count
    spread = sum(abs(places[one] - middle) ** 2 for one in which)
    if spread <= 1e-9:
        return None
    turn = sum((seen[one] - its) * (places[one] - middle).conjugate() for one in which) / spread
    return (turn, its - turn * middle) if abs(turn) > 0 else None


def _agrees(fit: tuple[complex, complex], scale_rad: float | None) -> bool:
    return scale_rad is None or abs(abs(fit[0]) / scale_rad - 1) <= _SCALE_DIFFERS


def _distances(
    fit: tuple[complex, complex], places: Sequence[complex], seen: Sequence[complex]
) -> list[float]:
    """Return how many pixels each is from where it should be."""
    turn, shift = fit
    return [abs(there - turn * here - shift) / abs(turn) for here, there in zip(places, seen, strict=True)]


def _agreeing(
    places: Sequence[complex], seen: Sequence[complex], near_px: float, scale_rad: float | None
) -> tuple[int, ...]:
    """Return the largest set that some pair of its members puts where the others are (RANSAC, all pairs)."""
    step = max(1, len(places) // _MOST_SEEDS)
    best: tuple[int, ...] = ()
    for one, other in combinations(range(0, len(places), step), 2):
        fit = _fitted(places, seen, (one, other))
        if fit is None or abs(places[one] - places[other]) < 10 * near_px or not _agrees(fit, scale_rad):
            continue
        kept = tuple(place for place, far in enumerate(_distances(fit, places, seen)) if far <= near_px)
        if len(kept) > len(best):
            best = kept
    return best
