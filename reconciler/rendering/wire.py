"""How facts travel to the process that renders: as JSON, which can carry values and nothing else."""

from __future__ import annotations

import json
from dataclasses import astuple, fields
from operator import attrgetter
from typing import TYPE_CHECKING

from reconciler.core.desired.facts import Facts
from reconciler.core.desired.integration_facts import FilterIntegration

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES = tuple(field.name for field in fields(Facts))
_ROWS = _NAMES.index("integration")
_values = attrgetter(*_NAMES)


def encoded(value: object) -> bytes:
    """Return a message, as one line."""
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"


def from_facts(facts: Facts) -> Sequence[object]:
    """Return facts as plain values."""
    values = list(_values(facts))
    values[_ROWS] = [astuple(row) for row in facts.integration]
    return values


def to_facts(values: Sequence[object]) -> Facts:
    """Return facts from plain values: just as they were, for a template could show the difference."""
    given = [tuple(value) if isinstance(value, list) else value for value in values]
    rows = given[_ROWS]
    given[_ROWS] = tuple(FilterIntegration(*row) for row in rows) if isinstance(rows, tuple) else ()
    return Facts(*given)  # type: ignore[arg-type]  # as ``from_facts`` gave them
