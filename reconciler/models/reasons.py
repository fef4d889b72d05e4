"""A reason as JSON: its code and parameters, beside the sentence that it makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from pydantic import Field

from reconciler.models.base import Model, Text
from reconciler.redaction import redact

if TYPE_CHECKING:
    from reconciler.core.reasons import Param
    from reconciler.core.reasons import Reason as CoreReason


class Reason(Model):
    """Why something is as it is: a code, which stays, while the sentence may be worded anew."""

    code: Text
    fields: list[Text] = Field(default_factory=list)
    params: dict[str, Text | int | float | list[Text]] = Field(default_factory=dict)

    @classmethod
    def of(cls, found: CoreReason) -> Self:
        """Return a reason as JSON, without secrets that a value may quote."""
        params = {name: _plain(value) for name, value in found.params}
        return cls(code=found.code, fields=list(found.fields), params=params)


def _plain(value: Param) -> str | int | float | list[str]:
    if isinstance(value, tuple):
        return [redact(one) for one in value]
    return redact(value) if isinstance(value, str) else value
