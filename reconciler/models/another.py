"""Another instance of this program that keeps the library, as JSON: then nothing is written from here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from reconciler.models.base import Model, Moment, Text

if TYPE_CHECKING:
    from reconciler.engine.standpoint import Another as Found


class Another(Model):
    """Who keeps the library instead, and what to do."""

    instance: Text
    host: Text
    """Of its host, the name; empty: not known."""
    since: Moment
    seen_at: Moment
    """Its last sign of life, as far as it was looked for."""
    message: Text
    remedy: Text

    @classmethod
    def of(cls, found: Found | None) -> Self | None:
        """Return it as JSON; ``None``: there is none."""
        if found is None:
            return None
        error = found.error()
        return cls(
            instance=found.instance,
            host=found.host,
            since=found.since,
            seen_at=found.seen_at,
            message=error.message,
            remedy=error.remedy,
        )
