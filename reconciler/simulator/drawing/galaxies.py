"""The light of galaxies: spirals from above and from the side, an old one with dust, a torn one."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reconciler.simulator.drawing.light import turned

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from reconciler.simulator.drawing.light import Clouds, Light, Palette, Shine


def galaxy(chance: random.Random, clouds: Sequence[Clouds], _: Palette, *, flat: float = 0.0) -> Shine:
    """A spiral, seen at some inclination: yellow bulge, blue arms with dust and pink knots."""
    turn = turned(chance)
    axes = flat or chance.uniform(0.3, 0.85)
    size, winding = chance.uniform(0.62, 0.8), chance.uniform(3.2, 4.6)
    size *= 1.4 if axes < 0.5 else 1  # seen aslant, the frame holds more of it
    start = chance.uniform(0, 6)

    def shine(x: float, y: float) -> Light:
        u, v = turn(x, y)
        v /= axes
        radius = math.hypot(u, v) / size + 1e-6
        bulge = 1.5 * math.exp(-radius * 7.5) + 0.16 * math.exp(-radius * 2.6)
        if radius > 2.4:
            return (0.0, 0.0, 0.0)
        mottle = clouds[0].at(x, y)
        arm = math.cos(2 * (math.atan2(v, u) - start) + winding * math.log(radius) + 2.2 * (mottle - 0.5))
        crest = max(0.0, arm) ** 1.5
        disc = math.exp(-radius * 2.7) * (0.35 + 1.5 * crest * (0.4 + mottle)) * min(1.0, radius * 3.2)
        lane = max(0.0, math.cos(math.acos(max(-1.0, min(1.0, arm))) + 0.9)) ** 3 * math.exp(
            -abs(radius - 0.5) * 2
        )
        knot = 2.4 * max(0.0, clouds[1].at(x, y) - 0.62) * crest * math.exp(-radius)
        shade = 1 - 0.55 * lane
        return (
            shade * (bulge + 0.60 * disc + 1.6 * knot),
            shade * (0.83 * bulge + 0.68 * disc + 0.4 * knot),
            shade * (0.56 * bulge + 1.05 * disc + 0.8 * knot),
        )

    return shine


def edge_on(chance: random.Random, clouds: Sequence[Clouds], _: Palette) -> Shine:
    """A spiral from the side, parted by its dust."""
    turn = turned(chance)

    def shine(x: float, y: float) -> Light:
        u, v = turn(x, y)
        mottle = clouds[0].at(x, y) - 0.5
        bulge = 1.2 * math.exp(-math.hypot(u / 0.16, v / 0.11))
        disc = 0.95 * math.exp(-abs(u) / 0.42 - (v / 0.05) ** 2) + 0.22 * math.exp(
            -abs(u) / 0.5 - abs(v) / 0.08
        )
        lane = math.exp(-(((v - 0.012 + 0.03 * mottle) / 0.018) ** 2)) * math.exp(-abs(u) / 0.75)
        shade = 1 - (0.72 + 0.5 * mottle) * lane
        return (
            shade * (bulge + disc),
            shade**1.15 * (0.83 * bulge + 0.92 * disc),
            shade**1.3 * (0.58 * bulge + 0.95 * disc),
        )

    return shine


def elliptical(chance: random.Random, clouds: Sequence[Clouds], _: Palette) -> Shine:
    """An old galaxy behind a torn band of dust, as Centaurus A."""
    turn = turned(chance)

    def shine(x: float, y: float) -> Light:
        u, v = turn(x, y)
        glow = 1.3 * math.exp(-math.hypot(u / 0.24, v / 0.2)) + 0.1 * math.exp(-math.hypot(u, v) / 0.5)
        bend = 0.12 * math.sin(2.2 * u) + 0.16 * (clouds[0].at(x, y) - 0.5)
        dust = (
            math.exp(-(((v - bend) / 0.075) ** 2)) * math.exp(-((u / 0.6) ** 4)) * (0.6 + clouds[1].at(x, y))
        )
        shade = max(0.06, 1 - 0.95 * dust)
        rim = 0.10 * dust * math.exp(-abs(u) / 0.35)
        return (shade * glow + rim, shade**1.2 * 0.86 * glow, shade**1.4 * 0.66 * glow + 0.5 * rim)

    return shine


def irregular(chance: random.Random, clouds: Sequence[Clouds], _: Palette) -> Shine:
    """A small galaxy torn by its neighbour, as the Magellanic Clouds: a bar, and pink regions."""
    turn = turned(chance)

    def shine(x: float, y: float) -> Light:
        u, v = turn(x, y)
        first, second = clouds[0].at(x, y), clouds[1].at(x, y)
        bar = 0.42 * math.exp(-((u / 0.5) ** 2) - ((v - 0.1 * u * u) / 0.13) ** 2) * (0.6 + 0.8 * first)
        disc = 0.40 * math.exp(-math.hypot(u / 0.6, v / 0.45)) * (0.2 + 1.5 * first)
        knot = 3.2 * max(0.0, second - 0.6) * math.exp(-math.hypot(u, v) / 0.6)
        return (
            bar + 0.85 * disc + 1.3 * knot,
            0.92 * bar + 0.88 * disc + 0.4 * knot,
            0.8 * bar + disc + 0.7 * knot,
        )

    return shine
