"""What a description's template may name, and the parts that can be switched, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.messages.translation import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from reconciler.core.policy import Part

NAMES: Final[Mapping[str, Message]] = {
    "heading": Message("The target's names; without a target, the title or the file's name"),
    "title": Message("The title, where it says more than the heading"),
    "object_name": Message("The target's shortest name"),
    "common_name": Message("The target's popular name"),
    "object_type": Message("The kind of object"),
    "constellation": Message("The target's constellation"),
    "telescopes": Message("Telescopes, a list"),
    "cameras": Message("Cameras, a list"),
    "mounts": Message("Mounts, a list"),
    "guiding": Message("Guiding equipment, a list"),
    "filters": Message("Filters, a list"),
    "accessories": Message("Accessories, a list"),
    "software": Message("Software, a list"),
    "optics": Message("Focal length and ratio"),
    "integration": Message("The exposures by filter, a list of rows"),
    "total_integration": Message("The total exposure time"),
    "frames": Message("The number of exposures"),
    "nights": Message("The number of nights"),
    "night_span": Message("The first and the last night"),
    "ra": Message("Right ascension of the picture's centre"),
    "dec": Message("Declination of the picture's centre"),
    "field": Message("Width and height of the field on the sky"),
    "pixel_scale": Message("How much of the sky a pixel shows"),
    "rotation": Message("The position angle"),
    "site": Message("The observing site's name"),
    "also_in_field": Message("What else is in the picture, a list"),
    "more_in_field": Message("Whether there is more in the picture than that list names"),
    "night_lines": Message("The exposures of each night, a list"),
    "moon": Message("How much of the Moon was lit on these nights"),
}
"""All fields of ``core.desired.facts.Facts``."""

ROW_NAMES: Final[Mapping[str, Message]] = {
    "filter": Message("The filter's name"),
    "subs": Message("The number and length of the exposures"),
    "total": Message("The total exposure time through this filter"),
    "details": Message("Gain, offset, temperature and binning, where all rows agree"),
}
"""All fields of ``core.desired.integration_facts.FilterIntegration``: a row of ``integration``."""

PARTS: Final[Mapping[Part, Message]] = {
    "title": Message("Title"),
    "object": Message("Target"),
    "constellation": Message("Constellation"),
    "object_type": Message("Kind of object"),
    "equipment": Message("Telescope, camera and mount"),
    "filters": Message("Filters"),
    "accessories": Message("Accessories"),
    "software": Message("Software"),
    "integration": Message("Integration"),
    "nights": Message("Nights"),
    "plate_solution": Message("Position, field and angle"),
    "site": Message("Observing site"),
    "field_objects": Message("What else is in the picture"),
    "per_night": Message("A line for each night"),
    "moon": Message("How much of the Moon was lit"),
}
