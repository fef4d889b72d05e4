"""What a check finds, and how bad it is."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal

from reconciler.errors import ConfigurationError
from reconciler.messages.voice import advice

if TYPE_CHECKING:
    from collections.abc import Iterable

    from reconciler.errors import Again, ReconcilerError
    from reconciler.messages.translation import Voice

Level = Literal["ok", "warning", "problem"]
TITLES: Final = {
    "configuration": "Configuration",
    "catalogue": "Skymmich's catalogue",
    "skymmich": "Skymmich's own sync",
    "immich": "Immich",
    "store": "State store",
    "notices": "Notices",
}
"""The sections, in their order."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    section: str
    level: Level
    what: str
    remedy: str = ""
    exit_code: int = 0
    """Of the error behind a problem."""
    again: Again | None = None
    """Of the same."""

    def spoken(self, voice: Voice) -> Finding:
        """Return it with what to do as this voice says it."""
        return replace(self, remedy=advice(self.remedy, self.again, voice), again=None)


def exit_code(findings: Iterable[Finding]) -> int:
    """Return 0, or that of the worst problem: 78 for one of the configuration, else 1."""
    codes = [finding.exit_code or 1 for finding in findings if finding.level == "problem"]
    wrong = ConfigurationError.exit_code
    return wrong if wrong in codes else max(codes, default=0)


def problem(section: str, error: ReconcilerError) -> Finding:
    """Return what an error means for a section."""
    return Finding(section, "problem", error.message, error.remedy, error.exit_code, error.again)
