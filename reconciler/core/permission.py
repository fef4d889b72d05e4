"""Whether Immich may be written to: what the configuration says, and whether a person has begun it.

A new installation reads, plans and shows, and waits for one word of a person. The one place where that is
decided; whoever writes asks here first:

========= ====================== ========= =========================================================
mode      begun in this store    state     may be written
========= ====================== ========= =========================================================
observe   any                    observing nothing, and nothing is taken back
sync      any                    begun     everything
ask       no                     asking    nothing; what was written before may be taken back
ask       with some images       trying    these images; what was written may be taken back
ask       yes                    begun     everything, for ever
========= ====================== ========= =========================================================

A store that an older version wrote with has begun: it has runs on record, and no store has any before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, Protocol, get_args

from reconciler.core.store_keys import BEGUN, BegunForm
from reconciler.core.store_values import Values
from reconciler.errors import NotBegunError, ObservingError

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from reconciler.core.policy import Mode
    from reconciler.core.records import Run

_RUNS: Final = 100
"""Runs that are looked at: an undo alone begins nothing."""
Beginner = Literal["page", "api", "apply", "configuration", "upgrade"]
"""A person on the page, a program over the API, ``apply``, ``mode = "sync"``, or an older version."""
Standing = Literal["begun", "trying", "asking", "observing"]


class Records(Values, Protocol):
    """What is asked of the state store."""

    def runs(self, limit: int, before: str | None = None) -> list[Run]:
        """Return runs, newest first."""
        ...

    def pending(self) -> Mapping[str, object]:
        """Return the pending writes by asset id."""
        ...


@dataclass(frozen=True, slots=True)
class Begun:
    """That writing was begun."""

    by: Beginner
    at: datetime | None = None
    """``None``: by an older version, which did not note when."""
    first: frozenset[int] | None = None
    """The images that may be written before all others may; ``None``: all may."""


@dataclass(frozen=True, slots=True)
class Permission:
    """What may be written at one moment."""

    mode: Mode
    begun: Begun | None = None

    @classmethod
    def of(cls, store: Records, mode: Mode) -> Permission:
        """Look what was begun in a store."""
        return cls(mode, begun_in(store))

    @property
    def standing(self) -> Standing:
        """How it stands; the table above is this function."""
        if self.mode == "observe":
            return "observing"
        if self.mode == "sync":
            return "begun"
        if self.begun is None:
            return "asking"
        return "begun" if self.begun.first is None else "trying"

    @property
    def waits(self) -> bool:
        """Whether a person has to begin."""
        return self.standing in {"asking", "trying"}

    def allows(self, image_ids: Collection[int] | None) -> bool:
        """Return whether these images may be written; ``None``: all."""
        standing = self.standing
        if standing == "trying" and self.begun is not None and image_ids is not None:
            return frozenset(image_ids) <= (self.begun.first or frozenset())
        return standing == "begun"

    def require(self, image_ids: Collection[int] | None) -> None:
        """Refuse what may not be written.

        Raises:
            ObservingError: nothing may, for ever.
            NotBegunError: nobody has begun it.
        """
        if not self.allows(image_ids):
            raise ObservingError if self.standing == "observing" else NotBegunError

    def require_mode(self) -> None:
        """Refuse where nothing may be written for ever, not even to take something back.

        Raises:
            ObservingError: that is so.
        """
        if self.standing == "observing":
            raise ObservingError


UNASKED: Final = Permission("sync")
"""Everything may be written."""


def begun_in(store: Records) -> Begun | None:
    """Return by whom writing was begun in a store; ``None``: nobody has."""
    kept = BEGUN.read(store)
    if kept is not None:
        by: Beginner = next((one for one in get_args(Beginner) if one == kept["by"]), "upgrade")
        first = None if kept["first"] is None else frozenset(kept["first"])
        return Begun(by, datetime.fromisoformat(kept["at"]), first)
    if BEGUN.is_kept(store):
        return None  # what stands there cannot be read: a person says it once more
    # The newest nearly always tells: the others are read only where it was an undo.
    wrote = any(run.trigger != "undo" for many in (1, _RUNS) for run in store.runs(many)) or store.pending()
    return Begun("upgrade") if wrote else None


def begin(store: Values, by: Beginner, now: datetime, first: Collection[int] | None = None) -> None:
    """Keep that a person has begun it: with some images, or with all, for ever."""
    some = None if first is None else sorted(first)
    BEGUN.write(store, BegunForm(at=now.isoformat(), by=by, first=some))


def settle(store: Records, permission: Permission, now: datetime) -> None:
    """Keep what holds without a person's word, once something is written: another mode later does not ask."""
    if permission.standing != "begun":
        return
    kept = BEGUN.read(store)
    if kept is None or kept["first"] is not None:
        begin(store, "upgrade" if permission.begun is not None and kept is None else "configuration", now)
