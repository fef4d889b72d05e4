"""What is to be done when a person lets writing begin: with some images, or with all, for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.permission import begin
from reconciler.errors import ObservingError
from reconciler.service.api import Request

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.permission import Beginner, Permission
    from reconciler.core.records import Trigger
    from reconciler.core.store_values import Values


def begun_by(store: Values, permission: Permission, by: Beginner, now: datetime, first: int) -> Request:
    """Keep that all may be written, unless only some are to be first, and give the pass to enqueue.

    Which images are the first is found out by that pass: it keeps them. Where it has begun, nothing is kept.

    Raises:
        ObservingError: nothing may be written here.
    """
    if permission.standing == "observing":
        raise ObservingError
    trigger: Trigger = "page" if by == "page" else "cli" if by == "apply" else "api"
    if not permission.waits:
        return Request(trigger=trigger)
    if first:
        return Request(first=first, by=by, trigger=trigger)
    begin(store, by, now)
    return Request(trigger=trigger)
