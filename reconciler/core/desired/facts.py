"""The facts of an image as people read them: what a description's template may use.

Numbers become text here, once, with their units, so that no template has to round. Every text is one line,
and may stand in a line of any template: names with right-to-left letters are isolated.
A fact that the catalogue does not know, or a part that is switched off, is ``""`` or an empty tuple.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace
from operator import attrgetter
from typing import TYPE_CHECKING

from reconciler.core.bidi import isolated
from reconciler.core.desired.equipment_facts import filters_of, iso_of, kinds_of, names_by_kind
from reconciler.core.desired.integration_facts import (
    FilterIntegration,
    flat_row,
    is_guessed,
    lights,
    per_filter,
    per_night,
    span_of,
    usable,
)
from reconciler.core.desired.language import language_of
from reconciler.core.desired.moon_facts import moon_of
from reconciler.core.desired.object_facts import (
    common_name_of,
    constellation_of,
    object_type_of,
    target_names,
)
from reconciler.core.desired.optics_facts import optics_of
from reconciler.core.desired.solution_facts import field_line, solution_facts
from reconciler.core.desired.title import tells_more
from reconciler.core.sky import astronomy
from reconciler.core.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.catalogue import Acquisition, CatalogueImage
    from reconciler.core.desired.language import Language
    from reconciler.core.policy import DescriptionPolicy


@dataclass(frozen=True, slots=True)
class Facts:
    """All that the default template shows, and a user's own may."""

    heading: str
    """``M 31 · NGC 224 · Andromeda Galaxy``; without a target the title, else the file's name."""
    title: str = ""
    """The image's title, when it says something else than the heading and the file's name."""
    object_name: str = ""
    """The target's shortest name: ``M 31``."""
    common_name: str = ""
    object_type: str = ""
    constellation: str = ""
    telescopes: tuple[str, ...] = ()
    cameras: tuple[str, ...] = ()
    mounts: tuple[str, ...] = ()
    guiding: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    accessories: tuple[str, ...] = ()
    software: tuple[str, ...] = ()
    optics: str = ""
    """``400 mm f/5.6``."""
    integration: tuple[FilterIntegration, ...] = ()
    total_integration: str = ""
    frames: int = 0
    nights: int = 0
    night_span: str = ""
    """``2023-02-01`` or ``2023-02-01 to 2023-04-01``."""
    ra: str = ""
    dec: str = ""
    field: str = ""
    pixel_scale: str = ""
    rotation: str = ""
    site: str = ""
    also_in_field: tuple[str, ...] = ()
    """What else is in the picture, best known first: ``M 110``, ``M 32``."""
    more_in_field: bool = False
    """Whether there is more than ``also_in_field`` names."""
    night_lines: tuple[str, ...] = ()
    """``2023-02-01: Ha 20 × 300 s (1h 40m)``, a line a night; on request."""
    moon: str = ""
    """How much of it was lit at the middle of the nights: ``3–35 %``; on request."""


_NAMES = tuple(entry.name for entry in fields(Facts))
_OF_NIGHTS = frozenset({"nights", "moon"})
_row_values = attrgetter(*(entry.name for entry in fields(FilterIntegration)))


def facts_of(image: CatalogueImage, policy: DescriptionPolicy, pixels: tuple[int, int] | None) -> Facts:
    """Gather the facts of an image.

    Args:
        image: the catalogue's image.
        policy: which parts may appear.
        pixels: width and height of the original in pixels, when the asset is known; for the pixel scale.
    """
    on, language = policy.enabled_parts, language_of(policy.language)
    names = target_names(image) if "object" in on else ()
    title, filename = one_line(image.title), one_line(image.filename)
    heading = " · ".join(map(isolated, names)) or title or filename or language.say("Astrophotograph")
    kinds = kinds_of(image)
    extras = names_by_kind(image, kinds)
    equipment = extras if "equipment" in on else {}
    own = lights(image.acquisitions)
    rows = usable(own)
    integration, total, frames = (
        _integration(image, rows, extras, language) if "integration" in on else ((), 0, 0)
    )
    nights = sorted({row.night for row in own if row.night}) if on & _OF_NIGHTS else []
    shown_nights = nights if "nights" in on else []
    others, more = field_line(image, policy) if "field_objects" in on else ((), False)
    facts = Facts(
        heading=heading,
        title=title if "title" in on and tells_more(title, names or (heading,), filename) else "",
        object_name=names[0] if names else "",
        common_name=common_name_of(image) if names else "",
        object_type=language.object_type(object_type_of(image)) if "object_type" in on else "",
        constellation=language.constellation(constellation_of(image)) if "constellation" in on else "",
        telescopes=equipment.get("telescope", ()),
        cameras=equipment.get("camera", ()),
        mounts=equipment.get("mount", ()),
        guiding=equipment.get("guiding", ()),
        filters=filters_of(image, extras) if "filters" in on else (),
        accessories=extras.get("accessory", ()) if "accessories" in on else (),
        software=extras.get("software", ()) if "software" in on else (),
        optics=optics_of(image, kinds, language.formats) if "equipment" in on else "",
        integration=integration,
        total_integration=astronomy.format_integration(total, language.formats)
        if 0 < total < math.inf
        else "",
        frames=frames,
        nights=len(shown_nights),
        night_span=span_of(shown_nights, language),
        site=one_line(image.site.name) if image.site and "site" in on else "",
        also_in_field=others,
        more_in_field=more,
        night_lines=per_night(rows, language) if "per_night" in on else (),
        moon=moon_of(image, nights) if "moon" in on else "",
        **(solution_facts(image, policy, pixels) if "plate_solution" in on else {}),
    )
    return _set_apart(facts)


def _integration(
    image: CatalogueImage,
    rows: list[Acquisition],
    equipment: Mapping[str, tuple[str, ...]],
    language: Language,
) -> tuple[tuple[FilterIntegration, ...], float, int]:
    """Return what each filter has, the seconds of all, and the frames."""
    if image.acquisitions:
        found, total = per_filter(rows, language)
        return found, total, sum(row.frame_count for row in rows)
    summary = image.summary
    if row := flat_row(summary):
        found, total = per_filter([row], language, unnamed="", iso=iso_of(image, equipment))
        return found, total, row.frame_count
    hours = 0 if is_guessed(summary) else summary.integration_hours or 0
    return ((), hours * 3600, summary.frame_count or 0) if hours > 0 else ((), 0, 0)


def _set_apart(facts: Facts) -> Facts:
    """Return the facts with the names isolated that could move what a template writes around them."""
    changed: dict[str, object] = {}
    for name in _NAMES:
        value = getattr(facts, name)
        if isinstance(value, str):
            apart: object = isolated(value)
        elif isinstance(value, tuple):
            apart = tuple(isolated(each) if isinstance(each, str) else _row_apart(each) for each in value)
        else:
            continue
        if apart != value:
            changed[name] = apart
    return replace(facts, **changed) if changed else facts  # type: ignore[arg-type]  # each of its own type


def _row_apart(row: FilterIntegration) -> FilterIntegration:
    return FilterIntegration(*map(isolated, _row_values(row)))
