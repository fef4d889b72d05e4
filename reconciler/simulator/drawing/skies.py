"""The light of skies: a globular cluster's glow, the Milky Way, a moon, a town."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reconciler.simulator.drawing.light import turned

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from reconciler.simulator.drawing.light import Clouds, Light, Palette, Shine


def globular(chance: random.Random, clouds: Sequence[Clouds], _: Palette) -> Shine:  # noqa: ARG001 - the form of a kind
    """The unresolved light of a hundred thousand suns."""

    def shine(x: float, y: float) -> Light:
        glow = 0.34 / (1 + (math.hypot(x, y) / 0.15) ** 2) ** 1.1
        return (glow, 0.88 * glow, 0.68 * glow)

    return shine


def dark(chance: random.Random, clouds: Sequence[Clouds], _: Palette) -> Shine:  # noqa: ARG001 - the form of a kind
    """Stars alone, over the faintest of haze."""

    def shine(x: float, y: float) -> Light:
        haze = 0.035 * clouds[0].at(x, y)
        return (0.8 * haze, 0.85 * haze, 1.1 * haze)

    return shine


def milky_way(chance: random.Random, clouds: Sequence[Clouds], _: Palette) -> Shine:
    """A band of star clouds with its dark rift, and pink specks."""
    turn = turned(chance, 0.25)

    def shine(x: float, y: float) -> Light:
        _, v = turn(x, y)
        first, second = clouds[0].at(x, y), clouds[1].at(x, y)
        v += 0.5 * (first - 0.5)
        band = math.exp(-((v / 0.42) ** 2)) * (0.35 + first)
        rift = math.exp(-(((v - 0.05) / 0.13) ** 2)) * max(0.0, second - 0.3) * 2.2
        light = 0.05 + 0.62 * band * max(0.08, 1 - rift)
        speck = 5 * max(0.0, second - 0.72) * band
        return (light * 0.98 + speck, light * 0.84 + 0.2 * speck, light * 0.74 + 0.5 * speck)

    return shine


def moon(chance: random.Random, clouds: Sequence[Clouds], _: Palette) -> Shine:
    """Some days past the first quarter, with seas and craters."""
    craters = [
        (chance.uniform(-0.7, 0.7), chance.uniform(-0.7, 0.7), 0.02 + 0.09 * chance.random() ** 3)
        for _ in range(46)
    ]

    def shine(x: float, y: float) -> Light:
        radius = math.hypot(x, y) / 0.84
        if radius >= 1:
            return (0.0, 0.0, 0.0)
        depth = math.sqrt(1 - radius * radius)
        lit = max(0.0, 0.62 * x / 0.84 + 0.78 * depth) ** 0.7
        sea = 0.75 - 0.42 * max(0.0, min(1.0, (clouds[0].at(x, y) - 0.42) * 6))
        relief = 0.0
        for cx, cy, size in craters:
            dx, dy = x - cx, y - cy
            if abs(dx) < size * 1.4 and abs(dy) < size * 1.4:
                rim = math.hypot(dx, dy) / size
                relief += math.exp(-(((rim - 1) / 0.22) ** 2)) * (0.14 - 0.24 * dx / size)
        light = (
            1.7
            * lit
            * max(0.05, sea + relief + 0.22 * (clouds[1].at(x, y) - 0.5))
            * min(1.0, (1 - radius) * 40)
        )
        return (light, 0.97 * light, 0.92 * light)

    return shine


def sky(chance: random.Random, clouds: Sequence[Clouds], _: Palette) -> Shine:
    """Nothing but a sky with a town somewhere below it."""
    lean = chance.uniform(-0.5, 0.5)

    def shine(x: float, y: float) -> Light:
        glow = 0.05 + 0.12 * max(0.0, 1 + y + lean * x) * (0.7 + 0.6 * clouds[0].at(x, y))
        return (glow, 0.86 * glow, 0.66 * glow)

    return shine
