"""Reasons as JSON: the codes beside the texts that are made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field

from reconciler.core.reasons import to_json
from reconciler.models.base import Model, Text
from reconciler.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.reasons import Reason as CoreReason

Value = Text | int | float | list[Text]


class Reason(Model):
    """A code, the fields of an image that it speaks of, and its parameters by name."""

    code: Text
    fields: tuple[Text, ...] = ()
    params: dict[str, Value] = Field(default_factory=dict)

    @classmethod
    def of(cls, found: CoreReason) -> Self:
        """Return a reason as JSON, without secrets that a value may quote."""
        return cls.several([found])[0]

    @classmethod
    def several(cls, found: Iterable[CoreReason]) -> tuple[Self, ...]:
        """Return reasons as JSON."""
        return tuple(cls.model_validate(_redacted(one)) for one in to_json(found))


def _redacted(value: object) -> object:
    if isinstance(value, dict):
        return {key: _redacted(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_redacted(inner) for inner in value]
    return redact(value) if isinstance(value, str) else value
