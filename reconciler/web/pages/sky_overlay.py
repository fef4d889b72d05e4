"""The objects in a picture, drawn over it: circles at their places, and as many names as fit.

Immich's preview is what was solved, or has its proportions: a drawing with the proportions of the solved
field, fitted into the same box as the picture, lies on it. An object whose place is not known is only listed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.catalogue import CatalogueImage, FieldObject

SIDE: Final = 1000
"""Units of the drawing's longer side."""
_MOST: Final = 32
_LONGEST: Final = 24
"""Characters of a name in the drawing."""
_LETTER: Final = 23.0
"""Width of a letter, where names are largest: in the narrowest windows."""
_LINE: Final = 42.0
_LEAST_RADIUS: Final = 9.0
_GAP: Final = 8.0
_DIFFERS: Final = 0.03
"""Share by which the proportions of the picture in Immich may differ from the solved field's."""


@dataclass(frozen=True, slots=True)
class Mark:
    """An object's circle, and its name if there is room for it; in units of the drawing."""

    x: float
    y: float
    radius: float
    is_target: bool
    label: str = ""
    label_x: float = 0.0
    label_y: float = 0.0
    """Of the text's middle."""


@dataclass(frozen=True, slots=True)
class Overlay:
    """What a page shows of the objects in a picture."""

    names: tuple[str, ...]
    width: float = 0.0
    height: float = 0.0
    marks: tuple[Mark, ...] = ()
    """Empty: nothing to draw."""


@dataclass(frozen=True, slots=True)
class _Box:
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: _Box) -> bool:
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


def overlay_of(image: CatalogueImage, pixels: tuple[int | None, int | None] | None) -> Overlay | None:
    """Return what is shown of the objects in an image; ``None`` if it is not known what is in it.

    Args:
        image: of the catalogue.
        pixels: width and height in Immich, as far as known: a crop is another picture than the solved one.
            ``None``: there is no picture to draw upon.
    """
    solution = image.solution
    if solution is None or not solution.objects:
        return None
    objects = solution.objects[:_MOST]
    names = tuple(one_line(each.name) for each in objects)
    across, along = solution.width_arcsec or 0.0, solution.height_arcsec or 0.0
    if (
        pixels is None
        or not (0 < across < math.inf and 0 < along < math.inf)
        or not _is_whole(across / along, pixels)
    ):
        return Overlay(names)
    longer = max(across, along)
    width, height = SIDE * across / longer, SIDE * along / longer
    return Overlay(names, round(width, 1), round(height, 1), _marks(objects, width, height))


def _is_whole(ratio: float, pixels: tuple[int | None, int | None]) -> bool:
    width, height = pixels
    if not width or not height:
        return True
    # The file may be stored lying on its side.
    return any(abs(ratio / each - 1) <= _DIFFERS for each in (width / height, height / width))


def _marks(objects: Iterable[FieldObject], width: float, height: float) -> tuple[Mark, ...]:
    """Place circles, and names beside them, the best known first; one that would cover another is out."""
    taken: list[_Box] = []
    marks: list[Mark] = []
    for each in objects:
        if each.x is None or each.y is None or not (0 <= each.x <= 1000 and 0 <= each.y <= 1000):
            continue
        x, y = each.x / 1000 * width, each.y / 1000 * height
        radius = min(max(each.radius / 1000 * width, _LEAST_RADIUS), 2.0 * SIDE)
        label = _shortened(one_line(each.name))
        boxes = _boxes(x, y, radius, len(label) * _LETTER, width, height)
        box = next((box for box in boxes if not any(box.overlaps(other) for other in taken)), None)
        mark = Mark(round(x, 1), round(y, 1), round(radius, 1), each.is_target)
        if box is not None:
            taken.append(box)
            at_x, at_y = (box.left + box.right) / 2, (box.top + box.bottom) / 2
            mark = replace(mark, label=label, label_x=round(at_x, 1), label_y=round(at_y, 1))
        marks.append(mark)
    return tuple(marks)


def _boxes(x: float, y: float, radius: float, wide: float, width: float, height: float) -> Iterable[_Box]:
    """Yield where a name may stand, all of it in the picture: below its circle, above, beside, inside."""
    away = radius + _GAP + _LINE / 2
    aside = radius + _GAP + wide / 2
    for dx, dy in ((0.0, away), (0.0, -away), (aside, 0.0), (-aside, 0.0), (0.0, 0.0)):
        at_x = min(max(x + dx, wide / 2), width - wide / 2) if dx == 0 else x + dx
        box = _Box(at_x - wide / 2, y + dy - _LINE / 2, at_x + wide / 2, y + dy + _LINE / 2)
        if box.left >= -0.01 and box.right <= width + 0.01 and box.top >= 0 and box.bottom <= height:
            yield box


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST else name[: _LONGEST - 1].rstrip() + "…"
