"""Whether passes start by themselves: a person's wish, kept in the store, where a command may change it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from reconciler.core.store_keys import PAUSED
from reconciler.errors import StateError

if TYPE_CHECKING:
    from reconciler.core.ports import Clock
    from reconciler.core.store_values import Values


class Pause:
    """The wish as it stands.

    Args:
        store: keeps it.
        clock: time.
    """

    def __init__(self, store: Values, clock: Clock) -> None:
        self._store, self._clock = store, clock
        self.on = PAUSED.is_kept(store)

    def set(self, *, on: bool) -> None:
        """Take a wish, and keep it; it is taken once it is kept."""
        if on:
            PAUSED.write(self._store, self._clock.now())
        else:
            PAUSED.forget(self._store)
        self.on = on

    def reread(self) -> bool:
        """Take what was left in the store by who could not tell this process; tells whether it is another."""
        before = self.on
        with suppress(StateError):
            self.on = PAUSED.is_kept(self._store)
        return self.on != before
