"""Every kind of diffuse light by its name, drawn on a grid of points. Stars are `picture`'s."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from reconciler.simulator.drawing import galaxies, nebulae, skies
from reconciler.simulator.drawing.light import Clouds

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

    from reconciler.simulator.drawing.light import Light, Palette, Shine

PALETTES: dict[str, Palette] = {
    "sho": ((1.0, 0.62, 0.16), (0.08, 0.50, 0.62)),
    "hoo": ((0.95, 0.20, 0.16), (0.10, 0.52, 0.60)),
    "lrgb": ((0.95, 0.25, 0.30), (0.34, 0.20, 0.42)),
}


def draw(kind: str, palette: str, chance: random.Random, columns: int, rows: int) -> list[list[Light]]:
    """Draw one kind's light on a grid of ``columns`` × ``rows`` points."""
    clouds = [Clouds(chance, columns, rows, cells, 5) for cells in (3, 4)]
    shine = KINDS.get(kind, skies.dark)(chance, clouds, PALETTES.get(palette, PALETTES["lrgb"]))
    across = [3 * (column + 0.5) / columns - 1.5 for column in range(columns)]
    return [[shine(x, 2 * (row + 0.5) / rows - 1) for x in across] for row in range(rows)]


KINDS: dict[str, Callable[[random.Random, Sequence[Clouds], Palette], Shine]] = {
    "galaxy": galaxies.galaxy,
    "face-on": partial(galaxies.galaxy, flat=0.88),
    "inclined": partial(galaxies.galaxy, flat=0.3),
    "edge-on": galaxies.edge_on,
    "elliptical": galaxies.elliptical,
    "nebula": nebulae.nebula,
    "reflection": nebulae.reflection,
    "planetary": nebulae.planetary,
    "remnant": nebulae.remnant,
    "globular": skies.globular,
    "open cluster": skies.dark,
    "nebulous cluster": nebulae.reflection,
    "irregular": galaxies.irregular,
    "sky": skies.sky,
    "milky way": skies.milky_way,
    "moon": skies.moon,
}
