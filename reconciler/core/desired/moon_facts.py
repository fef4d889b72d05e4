"""The Moon of an image's nights."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from reconciler.core.sky.moon import lit_at_night

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from reconciler.core.catalogue import CatalogueImage

_SUN_OR_MOON = re.compile(r"\b(?:sun|moon|solar|lunar|sol|luna|sonne|mond|eclipse)\b", re.IGNORECASE)


def moon_of(image: CatalogueImage, nights: Sequence[date]) -> str:
    """Return how much of the Moon was lit at the middle of the nights: ``35 %``, ``3–35 %``.

    Nothing for the Sun and for the Moon itself, nor where a single night's is unknown.

    Args:
        image: the catalogue's image, whose longitude tells when midnight was.
        nights: the dates entered, those of the evenings.
    """
    if any(_SUN_OR_MOON.search(text or "") for text in (image.target_name, image.object_type, image.title)):
        return ""
    longitude = image.longitude
    if longitude is not None and not (-180 <= longitude <= 180 and _is_place(image.latitude, longitude)):
        longitude = None
    fractions = [lit_at_night(night, longitude) for night in nights]
    known = [round(100 * one) for one in fractions if one is not None]
    if not known or len(known) < len(fractions):
        return ""
    least, most = min(known), max(known)
    return f"{least} %" if least == most else f"{least}–{most} %"


def _is_place(latitude: float | None, longitude: float) -> bool:
    """Return whether coordinates name a place: 0, 0 is what a program writes that knows none."""
    return latitude is not None and -90 <= latitude <= 90 and (latitude, longitude) != (0, 0)
