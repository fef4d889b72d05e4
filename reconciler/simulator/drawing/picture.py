"""An astrophotograph for an asset, as PNG, drawn from its name alone: something for a page to show.

What kind of object it shows is guessed from what the catalogue says of it (`picture_kind`); the rest is
chance, with the asset's id as its seed. The diffuse light is `drawing`'s; here are the stars and the file.
"""

from __future__ import annotations

import math
import random
import struct
import zlib
from functools import lru_cache
from typing import TYPE_CHECKING

from reconciler.simulator.drawing.kinds import draw

if TYPE_CHECKING:
    from reconciler.simulator.drawing.light import Light

_STEPS = {"thumbnail": (90, 60, 3), "preview": (160, 107, 4)}
"""By size: the columns and rows in which the diffuse light is drawn, and how many pixels each becomes."""
_SKY: Light = (0.030, 0.033, 0.045)
_STARS = {"globular": 220, "milky way": 480, "moon": 0, "sky": 60}
_CROWD = {"globular": 1000, "open cluster": 80, "nebulous cluster": 9}
"""Stars that belong to the object itself."""


@lru_cache(maxsize=256)
def picture(asset_id: str, kind: str = "", filters: str = "", size: str = "thumbnail") -> bytes:
    """Draw an asset: 270 × 180 pixels, or as ``preview`` 640 × 428; 8-bit RGB.

    Args:
        asset_id: the seed.
        kind: of object, one of `drawing.kinds`'s; any other is drawn as one of the usual ones.
        filters: the palette of a nebula: ``sho``, ``hoo`` or ``lrgb``.
        size: ``thumbnail`` or ``preview``.
    """
    chance = random.Random(asset_id)  # noqa: S311 - a picture, not a secret
    usual = chance.choice(("galaxy", "nebula", "nebula", "planetary", "remnant", "milky way"))
    kind = kind or usual
    columns, rows, step = _STEPS.get(size, _STEPS["thumbnail"])
    stars = _stars(chance, kind)
    canvas = _Canvas(draw(kind, filters, random.Random(asset_id), columns, rows), step)  # noqa: S311 - as above
    for star in stars:
        canvas.add(*star)
    return canvas.png()


Star = tuple[float, float, float, float, bool]
"""Place in the frame, brightness, warmth from -1 (blue) to 1 (orange), and whether it has spikes."""


def _stars(chance: random.Random, kind: str) -> list[Star]:
    """Scatter stars, many faint and few bright; a cluster's own crowd about the middle."""
    spikes = chance.random() < 0.4
    stars: list[Star] = []
    for _ in range(_STARS.get(kind, 200)):
        bright = chance.random() ** 9
        warmth = chance.triangular(-1, 1, -0.15)
        stars.append(
            (chance.uniform(-1.5, 1.5), chance.uniform(-1, 1), bright, warmth, spikes and bright > 0.45)
        )
    for _ in range(_CROWD.get(kind, 0)):
        angle = chance.uniform(0, math.tau)
        if kind == "globular":
            radius = 0.17 * math.sqrt(1 / (1.03 - chance.random()) - 0.97)
            bright, warmth = 0.26 * chance.random() ** 3, chance.triangular(-0.9, 1, 0.6)
        elif kind == "nebulous cluster":
            radius, bright, warmth = 0.06 + 0.4 * chance.random(), 0.55 + 0.45 * chance.random(), -0.8
        else:
            radius = abs(chance.gauss(0, 0.42))
            bright, warmth = 0.9 * chance.random() ** 3, chance.triangular(-1, 0.6, -0.8)
        stars.append(
            (radius * math.cos(angle), radius * math.sin(angle), bright, warmth, spikes and bright > 0.5)
        )
    return stars


class _Canvas:
    """Pixels, 8 bits each of red, green and blue.

    Args:
        light: the diffuse light on a coarse grid.
        step: pixels from one point of the grid to the next.
    """

    def __init__(self, light: list[list[Light]], step: int) -> None:
        self.width, self.height = len(light[0]) * step, len(light) * step
        self._unit = self.width / 3
        rows = [_developed(row) for row in light]
        self._pixels = bytearray()
        for above, below in zip(rows, [*rows[1:], rows[-1]], strict=True):
            for part in range(step):
                share = part / step
                self._pixels += _widened(
                    [a + (b - a) * share for a, b in zip(above, below, strict=True)], step
                )

    def add(self, x: float, y: float, bright: float, warmth: float, spikes: bool) -> None:  # noqa: FBT001 - a star's fields
        """Add a star: a sharp core, a wide faint halo, and the cross of a telescope with a spider."""
        centre_x, centre_y = (x + 1.5) * self._unit, (y + 1) * self._unit
        core = self._unit * (0.0042 + 0.007 * bright)
        halo = core * 4.2
        reach = max(1, int(core * 2.6 + (halo * 2.4 if bright > 0.12 else 0) + (core * 13 if spikes else 0)))
        colour = (1 + 0.22 * warmth, 1.0 - 0.05 * abs(warmth), 1 - 0.34 * warmth)
        power, glow = 0.30 + 0.95 * bright**0.6, 0.34 * bright
        for row in range(max(0, int(centre_y) - reach), min(self.height, int(centre_y) + reach + 1)):
            for column in range(max(0, int(centre_x) - reach), min(self.width, int(centre_x) + reach + 1)):
                dx, dy = column + 0.5 - centre_x, row + 0.5 - centre_y
                square = dx * dx + dy * dy
                point = power * math.exp(-square / (2 * core * core))
                light = point + (glow * math.exp(-math.sqrt(square) / halo) if bright > 0.12 else 0)
                if spikes:
                    thin, long = min(abs(dx), abs(dy)), max(abs(dx), abs(dy))
                    light += 0.7 * bright * math.exp(-((thin / (0.45 * core)) ** 2) - long / (3.6 * core))
                if light > 0.012:
                    self._brighten(3 * (row * self.width + column), light, point, colour)

    def _brighten(self, at: int, light: float, point: float, colour: Light) -> None:
        # a core is burnt out to white; its halo shows the star's colour
        white = min(1.0, point)
        for channel in range(3):
            share = colour[channel] + (1 - colour[channel]) * white * 0.7
            value = self._pixels[at + channel]
            self._pixels[at + channel] = min(255, int(value + (262 - value) * min(1.0, light * share)))

    def png(self) -> bytes:
        """Write it (RFC 2083): signature, header, a block of rows, each pixel less its left one."""
        stride = 3 * self.width
        rows = bytearray()
        for start in range(0, len(self._pixels), stride):
            row = self._pixels[start : start + stride]
            rows += b"\1" + bytes([(a - b) & 255 for a, b in zip(row, b"\0\0\0" + row, strict=False)])
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 6)), (b"IEND", b""))
        return b"\x89PNG\r\n\x1a\n" + b"".join(
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
            for kind, data in chunks
        )


def _developed(row: list[Light]) -> list[float]:
    """Stretch linear light to what an eye likes: dark stays dark, bright never clips. Flat, 0 to 255."""
    return [
        255 * (1 - math.exp(-1.9 * (value + sky)))
        for light in row
        for value, sky in zip(light, _SKY, strict=True)
    ]


def _widened(row: list[float], step: int) -> bytearray:
    """Draw the pixels between the points of a row, straight from one to the next."""
    wide = bytearray(len(row) * step)
    following = [*row[3:], *row[-3:]]
    for part in range(step):
        share = part / step
        values = [int(a + (b - a) * share) for a, b in zip(row, following, strict=True)]
        for channel in range(3):
            wide[3 * part + channel :: 3 * step] = bytes(values[channel::3])
    return wide
