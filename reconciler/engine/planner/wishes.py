"""What the user configured for all passes, and what of it holds for one."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from reconciler.core.policy import Switches

if TYPE_CHECKING:
    from reconciler.core.catalogue import Catalogue
    from reconciler.core.policy import Policy
    from reconciler.core.ports import TimeZones
    from reconciler.engine.passes import Selection


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user configured for all passes. A switch that is ``None`` follows Skymmich's own setting."""

    policy: Policy
    switches: Switches | None = None
    zones: TimeZones | None = field(default=None, compare=False)
    """Tells which time it is where; ``None``: no date can be told."""

    def instead(self, other: Wishes | None) -> Wishes:
        """Return other wishes with what tells the time here; without any, these."""
        return self if other is None else replace(other, zones=self.zones)

    @property
    def as_switched(self) -> Wishes:
        """The same with our own switches in the policy as they are wished, if only for one plan."""
        on = self.switches
        if on is None:
            return self
        return replace(self, policy=self.policy.switched(dates=on.dates, albums=on.albums, stacks=on.stacks))


def switches_of(catalogue: Catalogue, policy: Policy) -> Switches:
    """Return Skymmich's own four settings, and ours as the policy in force has it."""
    settings = catalogue.settings
    return Switches(
        settings.enabled, settings.description, settings.coordinates, settings.tags,
        policy.dates.enabled, policy.albums.enabled, policy.stacks.enabled,
    )  # fmt: skip


def tells_day(wishes: Wishes, selection: Selection) -> bool:
    """Return whether it is told where a place moves the day: of single images, and where dates matter."""
    single = selection.image_ids is not None and len(selection.image_ids) == 1
    return single or wishes.policy.dates.enabled
