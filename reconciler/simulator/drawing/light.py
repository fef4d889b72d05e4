"""What all kinds of diffuse light have in common: the frame, colours, noise, and a turn.

The frame reaches from -1.5 to 1.5 in x and from -1 to 1 in y, downwards.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

Light = tuple[float, float, float]
"""Red, green, blue; linear, 0 dark, 1 nearly white."""
Shine = Callable[[float, float], Light]
"""Gives the light at a place in the frame."""
Palette = tuple[Light, Light]
"""What the denser and the thinner gas shine in."""


class Clouds:
    """Fractal noise over the frame, in [0, 1], the same whatever the number of points it is asked for.

    Args:
        chance: draws the lattices.
        columns: points across the frame.
        rows: points from top to bottom.
        cells: of the coarsest lattice, across the frame.
        octaves: each twice as fine, and half as strong, as the one before.
    """

    def __init__(self, chance: random.Random, columns: int, rows: int, cells: int, octaves: int) -> None:
        total = [[0.0] * columns for _ in range(rows)]
        weight, weights = 1.0, 0.0
        for _ in range(octaves):
            lattice = [[chance.random() for _ in range(cells + 2)] for _ in range(cells + 2)]
            across = [_between(index, columns, cells) for index in range(columns)]
            for row in range(rows):
                down, share = _between(row, rows, max(1, cells * 2 // 3))
                line = [a + (b - a) * share for a, b in zip(lattice[down], lattice[down + 1], strict=True)]
                total[row] = [
                    sum_ + weight * (line[i] + (line[i + 1] - line[i]) * t)
                    for sum_, (i, t) in zip(total[row], across, strict=True)
                ]
            weights += weight
            weight, cells = weight / 2, cells * 2
        self._columns, self._rows = columns, rows
        self._values = [[value / weights for value in line] for line in total]

    def at(self, x: float, y: float) -> float:
        """Return the value at a place in the frame; beyond its edges that at the edge."""
        column = min(self._columns - 1, max(0, int((x + 1.5) / 3 * self._columns)))
        row = min(self._rows - 1, max(0, int((y + 1) / 2 * self._rows)))
        return self._values[row][column]


def _between(index: int, points: int, cells: int) -> tuple[int, float]:
    """Say between which lattice lines a point lies, and how far, eased so that no lattice shows."""
    place = index / points * cells
    share = place - int(place)
    return int(place), share * share * (3 - 2 * share)


def turned(chance: random.Random, spread: float = 0.12) -> Callable[[float, float], tuple[float, float]]:
    """Return a turn about a centre near the frame's."""
    angle, cx, cy = (
        chance.uniform(-0.9, 0.9),
        chance.uniform(-spread, spread),
        chance.uniform(-spread, spread),
    )
    cosine, sine = math.cos(angle), math.sin(angle)

    def turn(x: float, y: float) -> tuple[float, float]:
        return (x - cx) * cosine + (y - cy) * sine, (y - cy) * cosine - (x - cx) * sine

    return turn
