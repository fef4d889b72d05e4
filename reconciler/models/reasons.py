"""Reasons as JSON: codes with the fields they speak of and their parameters. The words stand beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from reconciler.core.reasons import Code
from reconciler.messages.reasons import sentence
from reconciler.models.base import Model, Text
from reconciler.redaction import redact

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.core.reasons import Param
    from reconciler.core.reasons import Reason as CoreReason
    from reconciler.messages.translation import Voice


class Reason(Model):
    """Why something is as it is. ``code`` says it; a text of an older version has the code ``told``."""

    code: Code
    fields: list[Text]
    params: dict[str, Text | int | float | list[Text]]

    @classmethod
    def of(cls, found: CoreReason) -> Self:
        """Return a reason as JSON, without any secret."""
        return cls(
            code=found.code,
            fields=list(found.fields),
            params={name: _shown(value) for name, value in found.params},
        )

    @classmethod
    def all(cls, found: Iterable[CoreReason | None]) -> list[Self]:
        """Return reasons as JSON; what is none is left out."""
        return [cls.of(one) for one in found if one is not None]


def told(found: Iterable[CoreReason | None], voice: Voice = "daemon") -> str:
    """Return reasons as a text, without any secret; empty for none."""
    return redact(sentence((one for one in found if one is not None), voice))


def _shown(value: Param) -> str | int | float | list[str]:
    if isinstance(value, tuple):
        return [redact(one) for one in value]
    return redact(value) if isinstance(value, str) else value
