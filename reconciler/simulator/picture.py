"""A small starry picture for an asset, as PNG, drawn from its id alone: something for a page to show."""

from __future__ import annotations

import math
import random
import struct
import zlib
from functools import lru_cache

WIDTH, HEIGHT = 180, 120
_STARS = 110
_TINTS = ((255, 96, 96), (96, 150, 255), (90, 220, 200), (255, 180, 110), (205, 120, 255))


@lru_cache(maxsize=512)
def picture(asset_id: str) -> bytes:
    """Draw stars over a nebula's glow: 180 × 120 pixels, 8-bit RGB."""
    chance = random.Random(asset_id)  # noqa: S311 - a picture, not a secret
    glows = [
        (
            chance.uniform(0.1, 0.9) * WIDTH,
            chance.uniform(0.1, 0.9) * HEIGHT,
            1 / (2 * chance.uniform(12, 34) ** 2),
            chance.uniform(0.15, 0.5),
            chance.choice(_TINTS),
        )
        for _ in range(chance.randint(2, 4))
    ]
    pixels = _glow(glows)
    for _ in range(_STARS):
        brightness = chance.random() ** 5
        _star(pixels, chance.randrange(WIDTH), chance.randrange(HEIGHT), brightness, chance.uniform(-1, 1))
    return _png(pixels)


def _glow(glows: list[tuple[float, float, float, float, tuple[int, int, int]]]) -> bytearray:
    """Add up Gaussian blobs. Each is a product of a column's and a row's share, so it costs little."""
    columns = [[math.exp(-((x - cx) ** 2) * width) for x in range(WIDTH)] for cx, _, width, _, _ in glows]
    pixels = bytearray()
    for y in range(HEIGHT):
        shares = [power * math.exp(-((y - cy) ** 2) * width) for _, cy, width, power, _ in glows]
        for x in range(WIDTH):
            red, green, blue = 7.0, 8.0, 16.0
            for share, column, glow in zip(shares, columns, glows, strict=True):
                light = share * column[x]
                red += light * glow[4][0]
                green += light * glow[4][1]
                blue += light * glow[4][2]
            pixels += bytes((min(255, int(red)), min(255, int(green)), min(255, int(blue))))
    return pixels


def _star(pixels: bytearray, x: int, y: int, brightness: float, warmth: float) -> None:
    """Add a star: a point, and with some brightness a halo and spikes."""
    reach = 1 + int(6 * brightness)
    colour = (235 + 20 * warmth, 235.0, 235 - 20 * warmth)
    for dy in range(-reach, reach + 1):
        for dx in range(-reach, reach + 1):
            if not (0 <= x + dx < WIDTH and 0 <= y + dy < HEIGHT):
                continue
            light = (0.35 + 0.65 * brightness) * math.exp(-(dx * dx + dy * dy) / (0.5 + 3 * brightness))
            if 0 in {dx, dy}:
                light += 0.5 * brightness * (1 - (abs(dx) + abs(dy)) / (reach + 1))
            at = 3 * ((y + dy) * WIDTH + x + dx)
            for channel in range(3):
                pixels[at + channel] = min(255, int(pixels[at + channel] + light * colour[channel]))


def _png(pixels: bytearray) -> bytes:
    """Pack RGB rows as PNG (RFC 2083): signature, header, one compressed block of unfiltered rows."""
    stride = 3 * WIDTH
    rows = b"".join(b"\0" + pixels[y * stride : (y + 1) * stride] for y in range(HEIGHT))
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
