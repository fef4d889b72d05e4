"""Who wins: the three-way merge of base (applied), desired and live (observed), field by field.

========================== ==================================================== =======================
case                       when                                                 decision
========================== ==================================================== =======================
``in_sync``                L = D                                                nothing is written
``fill``                   L empty, D not, B absent or D changed since B        write
``conflict``               B absent, L and D differ, both there                 keep, or ``overwrite``
``update``                 B = L, D changed                                     write
``drift``                  B ≠ L, D = B                                         by ``on_drift``
``both_changed``           B ≠ L, D ≠ B, L and D both there                     as ``conflict``
``withdraw``               D gone, B = L                                        take it away, where possible
``not_ours``               D gone, B absent or B ≠ L                            nothing
``left_out``               the field is left out: see ``left_out``              nothing
========================== ==================================================== =======================

The row *L empty, D not* and the row *drift* meet where a person emptied what we wrote: that is drift, and
the field's ``on_drift`` decides (a block comes back, a prose stays away). A prose that begins with D, not
written from here, and goes on is in no conflict: nothing lacks (``asset_plan``). Tags and albums
are sets: see ``merge_tags`` and ``album_plan``. Values are compared in the form that ``equal`` knows; they
are passed on untouched.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Generic, Literal, TypeVar

from reconciler.core.reasons import Reason, reason

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from reconciler.core.policy import OnConflict, OnDrift

Case = Literal[
    "in_sync",
    "fill",
    "conflict",
    "update",
    "drift",
    "both_changed",
    "withdraw",
    "not_ours",
    "switched_off",
    "not_sticking",
    "undone",
    "left_out",
    "not_writable",
    "resolved",
    "contested",
]
Action = Literal["nothing", "write", "remove", "keep"]
"""``nothing``: all is well. ``keep``: Immich's value stays although the catalogue wants another."""

WHY: Final[Mapping[Case, Reason]] = {
    "fill": reason("fill"),
    "conflict": reason("conflict"),
    "update": reason("update"),
    "drift": reason("drift"),
    "both_changed": reason("both_changed"),
    "withdraw": reason("withdraw"),
    "not_ours": reason("not_ours"),
}
"""The reasons of the table's cases, which are their codes. Other cases have reasons of their own, or none."""

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Merged(Generic[V]):
    """One field's decision. Absent values are ``None``."""

    case: Case
    action: Action
    base: V | None
    """What stays owned if nothing is written: dropped where the live value is no longer what we wrote."""
    takes_away: bool = False
    """Whether acting on it costs Immich a value: something removed, or a person's value overwritten."""


def merge_value(  # noqa: PLR0911 - a table of cases reads best as one
    base: V | None,
    desired: V | None,
    live: V | None,
    *,
    equal: Callable[[V, V], bool],
    on_conflict: OnConflict,
    on_drift: OnDrift,
) -> Merged[V]:
    """Merge one value; the table above is this function."""
    owned = base is not None and live is not None and equal(base, live)
    if desired is None:
        if owned:
            return Merged("withdraw", "remove", base, takes_away=True)
        return Merged("in_sync" if live is None else "not_ours", "nothing", None)
    if live is not None and equal(live, desired):
        return Merged("in_sync", "nothing", base if owned else None)
    if base is not None and equal(base, desired):
        return Merged("drift", "write" if on_drift == "correct" else "keep", base)
    if live is None:
        return Merged("fill", "write", base)
    if owned:
        return Merged("update", "write", base)
    overwrite = on_conflict == "overwrite"
    case: Case = "conflict" if base is None else "both_changed"
    return Merged(case, "write" if overwrite else "keep", base, takes_away=overwrite)


@dataclass(frozen=True, slots=True)
class MergedTags:
    """The tags' decision: sets of full paths."""

    add: frozenset[str]
    remove: frozenset[str]
    owned: frozenset[str]
    """Owned if nothing is written: those of ours that are still there, or that are wanted and kept off."""
    drifted: frozenset[str]
    """Ours, wanted, and taken off in Immich."""

    @property
    def case(self) -> Case:
        """The case that speaks for the whole set."""
        if self.drifted:
            return "drift"
        if self.remove and not self.add:
            return "withdraw"
        return "update" if self.add or self.remove else "in_sync"


def merge_tags(
    owned: frozenset[str], desired: frozenset[str], live: frozenset[str], *, on_drift: OnDrift
) -> MergedTags:
    """Merge tags: add ``D − L``, remove ``(owned ∩ L) − D``. A tag that was there before us is never removed.

    Under ``on_drift`` = ``keep`` a tag of ours that a person took off stays off. Otherwise it is ours again
    only once it was added: a person may put it back before us, and then it is theirs.
    """
    there = {unicodedata.normalize("NFC", tag) for tag in live}
    missing = frozenset(tag for tag in desired - live if unicodedata.normalize("NFC", tag) not in there)
    drifted = owned & missing
    kept_off = drifted if on_drift == "keep" else frozenset()
    return MergedTags(
        add=missing - kept_off,
        remove=(owned & live) - desired,
        owned=(owned & live) | kept_off,
        drifted=drifted,
    )
