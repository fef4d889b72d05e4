"""What all models of the program's JSON have in common."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, SkipValidation

Text = Annotated[str, SkipValidation]
"""Any text of a person's, halves of an emoji included."""
Count = Annotated[int, Field(ge=0)]
Counts = dict[str, Count]
Moment = datetime
"""Aware."""


class Model(BaseModel):
    """A JSON object with these members and no others.

    A member that has a default may be missing; every other one is always there.
    """

    # Built when it is first needed: a daemon that nobody asks does without.
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


def json_form(value: object) -> object:
    """Return a value as JSON knows it: what ``json.dumps`` takes as its ``default``.

    Raises:
        TypeError: it has no such form.
    """
    if isinstance(value, BaseModel):
        return value.model_dump(exclude_unset=True)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, frozenset | set):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")
