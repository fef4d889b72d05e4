"""The one vocabulary: how every face calls states, fields, cases, outcomes, triggers and conditions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.messages.translation import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

FIELDS: Final[Mapping[str, Message]] = {
    "block": Message("facts"),
    "prose": Message("words"),
    "description": Message("description"),
    "coordinates": Message("coordinates"),
    "tags": Message("tags"),
}
