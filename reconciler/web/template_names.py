"""The names that a template may use, each with an example from the user's own catalogue."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, fields, replace
from itertools import islice
from typing import TYPE_CHECKING

from reconciler.core.desired.desired import FAILURES
from reconciler.core.desired.facts import Facts, facts_of
from reconciler.core.desired.integration_facts import FilterIntegration
from reconciler.core.policy import ALL_PARTS
from reconciler.engine.planner.desired import sized
from reconciler.messages.template_names import NAMES, ROW_NAMES
from reconciler.messages.translation import say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from reconciler.core.catalogue import CatalogueImage
    from reconciler.core.policy import DescriptionPolicy
    from reconciler.web.ports import History

_LOOKED_AT = 24
"""The newest images, of which the most complete one gives the examples."""
_NONE = "—"


@dataclass(frozen=True, slots=True)
class Name:
    """A name, as it is written in a template."""

    name: str
    meaning: str
    example: str


def names_of(
    images: Sequence[CatalogueImage], policy: DescriptionPolicy, history: History
) -> tuple[Name, ...]:
    """Return all names with what they are for the most complete of the newest images, whatever is off.

    Args:
        images: of the catalogue, in order of their ids; the newest linked ones alone are looked at.
        policy: how facts are written.
        history: knows the pictures' sizes.
    """
    everything = replace(policy, enabled_parts=ALL_PARTS)
    newest = islice((image for image in reversed(images) if image.asset_id is not None), _LOOKED_AT)
    facts = max(_gathered(newest, everything, history), key=_known, default=None)
    row = next(iter(facts.integration), None) if facts else None
    return (
        *(Name(one.name, say(NAMES[one.name]), _example(facts, one.name)) for one in fields(Facts)),
        *(
            Name(f"row.{one.name}", say(ROW_NAMES[one.name]), _example(row, one.name))
            for one in fields(FilterIntegration)
        ),
    )


def _gathered(
    images: Iterable[CatalogueImage], policy: DescriptionPolicy, history: History
) -> Iterator[Facts]:
    """Gather the facts of those images of which they can be: the others say so elsewhere."""
    for image, pixels in sized(images, history.record):
        with suppress(*FAILURES):
            yield facts_of(image, policy, pixels)


def _known(facts: Facts) -> int:
    return sum(bool(getattr(facts, one.name)) for one in fields(facts))


def _example(of: Facts | FilterIntegration | None, name: str) -> str:
    value = getattr(of, name) if of is not None else None
    if isinstance(value, tuple):
        value = ", ".join(one.filter if isinstance(one, FilterIntegration) else one for one in value)
    return str(value) if value else _NONE
