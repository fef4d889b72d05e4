"""What a store that was put back from a copy must not go on believing: it is of another time.

Its records stay as they are; that everything is looked at again makes of them what is true by now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from reconciler.core.store_keys import (
    ARCHIVED,
    CATCHING_UP,
    FULL_LOOK_AT,
    GUARD_APPROVED,
    HINTS,
    RESTORED_AT,
    RUNNING,
    STOPPED,
    WATERMARK,
    WEB_SESSIONS,
)
from reconciler.engine.approvals import begin_moment

if TYPE_CHECKING:
    from datetime import datetime

    from reconciler.core.store_port import Store

_OF_THEN: Final = (
    WATERMARK,  # without it, the next pass reads every asset
    FULL_LOOK_AT,
    HINTS,
    ARCHIVED,
    GUARD_APPROVED,
    WEB_SESSIONS,  # somebody may have logged out since
    RUNNING,
    STOPPED,
)


def begin_again(store: Store, now: datetime) -> None:
    """Have the next pass look at everything, and nothing be approved or logged in any more."""
    with store.transaction():
        for key in _OF_THEN:
            key.forget(store)
        begin_moment(store)
        RESTORED_AT.write(store, now)
        CATCHING_UP.write(store, now)
