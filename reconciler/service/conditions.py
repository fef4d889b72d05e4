"""The daemon's conditions: named truths about it, each with the moment since when it holds.

Says how an error is filed, and nothing of how it is shown: see ``summary`` and ``reconciler.messages``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, get_args

from reconciler.engine.canary import CanaryError
from reconciler.errors import (
    AnotherInstanceError,
    CatalogueError,
    ConfigurationError,
    GuardError,
    ImmichRejectedError,
    ImmichTemporaryError,
    ImmichUnauthorizedError,
    LeaseHeldError,
    MaintenanceError,
    MissingPermissionError,
    NotBegunError,
    ObservingError,
    ReconcilerError,
    StateError,
    StateGoneError,
    TemplateError,
    UnconfirmedError,
)
from reconciler.service.api import Condition, ConditionType

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.reasons import Reason
    from reconciler.service.api import ConditionReason, Status

ORDER: Final[tuple[ConditionType, ...]] = get_args(ConditionType)
"""In the order in which a pass depends on them."""

_FILED: tuple[tuple[type[ReconcilerError], ConditionType, ConditionReason], ...] = (
    (CatalogueError, "CatalogueReadable", "NotReadable"),
    (TemplateError, "Configured", "TemplateBroken"),
    (UnconfirmedError, "Configured", "Unconfirmed"),
    (ConfigurationError, "Configured", "Incomplete"),
    (StateGoneError, "StoreWritable", "StoreGone"),
    (LeaseHeldError, "Writer", "HeldElsewhere"),
    (AnotherInstanceError, "Writer", "AnotherInstance"),
    (StateError, "StoreWritable", "StoreFailed"),
    (CanaryError, "CanaryClear", "NothingStuck"),
    (NotBegunError, "Begun", "NotBegun"),
    (ObservingError, "Begun", "Observes"),
    (GuardError, "SyncEnabled", "SwitchedOff"),
    (ImmichUnauthorizedError, "Permitted", "KeyRefused"),
    (MissingPermissionError, "Permitted", "PermissionMissing"),
    (MaintenanceError, "ImmichReachable", "Maintenance"),
    (ImmichTemporaryError, "ImmichReachable", "NoAnswer"),
    (ImmichRejectedError, "ImmichReachable", "Rejected"),
    (ReconcilerError, "Working", "Failed"),
)


def filed(error: ReconcilerError) -> tuple[ConditionType, ConditionReason]:
    """Return the condition that an error makes false, and the reason's word."""
    return next((kind, reason) for cls, kind, reason in _FILED if isinstance(error, cls))


class Conditions:
    """What holds now."""

    def __init__(self) -> None:
        self._known: dict[ConditionType, Condition] = {}

    def put(
        self,
        kind: ConditionType,
        status: Status,
        reason: ConditionReason,
        details: tuple[Reason, ...],
        now: datetime,
    ) -> bool:
        """Note a condition; ``since`` moves only when its status does.

        Returns:
            whether anything but the details changed.
        """
        before = self._known.get(kind)
        same = before is not None and before.status == status
        since = before.since if before is not None and same else now
        self._known[kind] = Condition(kind, status, reason, details, since)
        return before is None or (before.status, before.reason) != (status, reason)

    def forget(self, kind: ConditionType) -> None:
        """Say nothing of one any more: what it is about is not there."""
        self._known.pop(kind, None)

    def get(self, kind: ConditionType) -> Condition | None:
        """Return one; ``None`` if nothing is known of it."""
        return self._known.get(kind)

    def all(self) -> tuple[Condition, ...]:
        """Return all, in the order in which a pass depends on them."""
        return tuple(self._known[kind] for kind in ORDER if kind in self._known)
