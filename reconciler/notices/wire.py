"""What goes between the process that sends and who asks it: JSON."""

from __future__ import annotations

from typing import TypedDict


class Wish(TypedDict):
    """What is to be sent, and to whom."""

    addresses: list[str]
    title: str
    body: str
    patience: float
    """Seconds for one address."""
    only_check: bool
    """Send nothing, and say only whether the addresses can be used."""


class Outcome(TypedDict):
    """How it went with one address."""

    number: int
    """Its place in the list, from 0."""
    error: str
    """Empty: well."""
