"""The light of gas and dust: nebulae, the shells of dying stars, what supernovae left."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from reconciler.simulator.drawing.light import turned

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

    from reconciler.simulator.drawing.light import Clouds, Light, Palette, Shine


_BLUE: Palette = ((0.34, 0.52, 1.0), (0.30, 0.20, 0.14))


def nebula(chance: random.Random, clouds: Sequence[Clouds], palette: Palette) -> Shine:
    """Glowing gas with a bright heart, and dark lanes before it."""
    cx, cy = chance.uniform(-0.35, 0.35), chance.uniform(-0.25, 0.25)
    wide, high = chance.uniform(0.55, 0.85), chance.uniform(0.4, 0.6)
    dense, thin = palette

    def shine(x: float, y: float) -> Light:
        first, second = clouds
        wx, wy = x + 0.9 * (first.at(y * 1.4, x * 0.6) - 0.5), y + 0.9 * (second.at(-y * 1.4, x * 0.6) - 0.5)
        near = math.exp(-(((wx - cx) / wide) ** 2) - ((wy - cy) / high) ** 2)
        gas = max(0.0, first.at(wx, wy) - 0.28) * 1.9
        other = max(0.0, second.at(wy * 1.4, -wx * 0.65) - 0.3) * 1.7
        heart = 0.9 * math.exp(-(((x - cx) / 0.2) ** 2) - ((y - cy) / 0.16) ** 2) * (0.4 + gas)
        lane = max(0.0, 1 - abs(second.at(wx, wy) - 0.5) * 9) * 0.75
        one = (near * gas * 1.25 + 0.05 * gas) * (1 - lane) + heart * 0.6
        two = (near**0.6 * other * 0.75 + 0.03) * (1 - 0.6 * lane) * (
            1.15 - 0.6 * min(1.0, one)
        ) + heart * 0.55
        return (
            dense[0] * one + thin[0] * two + 0.12 * heart,
            dense[1] * one + thin[1] * two + 0.10 * heart,
            dense[2] * one + thin[2] * two + 0.12 * heart,
        )

    return shine


def planetary(chance: random.Random, clouds: Sequence[Clouds], _: Palette) -> Shine:
    """A star's last breath: a teal disc within a red ring, and a faint halo."""
    turn = turned(chance, 0.06)
    size, axes = chance.uniform(0.34, 0.44), chance.uniform(0.74, 0.92)

    def shine(x: float, y: float) -> Light:
        u, v = turn(x, y)
        mottle = clouds[1].at(x, y)
        radius = math.hypot(u, v / axes) / size + 0.42 * (clouds[0].at(x, y) - 0.5) + 0.2 * (mottle - 0.5)
        ring = math.exp(-(((radius - 1) / 0.2) ** 2)) * max(0.0, 2.6 * mottle - 0.55)
        inner = 0.36 * math.exp(-((radius / 0.85) ** 4)) * max(0.1, 2.4 * mottle - 0.35)
        inside = math.exp(-(((radius - 0.78) / 0.2) ** 2)) * (0.4 + mottle)
        halo = 0.13 * math.exp(-(((radius - 1.75) / 0.4) ** 2)) * (0.2 + 1.6 * mottle)
        return (
            0.95 * ring + 0.10 * inner + 0.35 * inside + halo,
            0.30 * ring + 0.55 * inner + 0.55 * inside + 0.3 * halo,
            0.22 * ring + 0.72 * inner + 0.42 * inside + 0.3 * halo,
        )

    return shine


def remnant(chance: random.Random, clouds: Sequence[Clouds], palette: Palette) -> Shine:
    """A shell of threads, where a star blew up."""
    turn = turned(chance, 0.2)
    size, axes = chance.uniform(0.62, 0.95), chance.uniform(0.6, 0.85)
    dense, thin = palette

    def shine(x: float, y: float) -> Light:
        u, v = turn(x, y)
        first, second = clouds[0].at(x, y), clouds[1].at(x, y)
        radius = math.hypot(u, v / axes) / size + 0.5 * (first - 0.5)
        shell = math.exp(-(((radius - 0.85) / 0.3) ** 2)) + 0.25 * math.exp(-((radius / 0.8) ** 2))
        red = 0.62 * _threads(12 * first + 3 * radius) * shell * (0.2 + 1.1 * second)
        teal = 0.55 * _threads(13 * second + 4 * radius + 1) * shell * (0.2 + 1.1 * first)
        haze = 0.16 * shell * first
        return (
            dense[0] * (red + haze) + thin[0] * teal,
            dense[1] * (red + haze) + thin[1] * (teal + haze),
            dense[2] * (red + haze) + thin[2] * (teal + haze),
        )

    return shine


def _threads(place: float) -> float:
    """Bright where a wave crosses zero, with a faint skirt: gas that is seen along its sheets."""
    near = 1 - abs(math.sin(place))
    return 0.75 * near**7 + 0.25 * near**2


def reflection(chance: random.Random, clouds: Sequence[Clouds], _: Palette) -> Shine:
    """Dust that shines in its stars' light, and dust that does not."""
    return nebula(chance, clouds, _BLUE)
