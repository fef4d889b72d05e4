"""How old the newest daily copy of the store is, and whether the store itself was put back from one."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

from reconciler.app.doctor.findings import Finding, problem
from reconciler.core.store_keys import BACKED_UP_AT, RESTORED_AT
from reconciler.errors import ReconcilerError
from reconciler.messages.formats import lasting
from reconciler.messages.nouns import counted
from state.daily import copies, folder_of

if TYPE_CHECKING:
    from datetime import datetime

    from state.store import StateStore

_LATE: Final = timedelta(days=2)
_ALL: Final = 10_000


def copies_of(store: StateStore, keep: int, now: datetime) -> list[Finding]:
    """Return what is to be said of a store's daily copies.

    Args:
        store: open.
        keep: so many are to be kept.
        now: aware.
    """
    findings = []
    if (restored := RESTORED_AT.read(store)) is not None:
        of = BACKED_UP_AT.read(store)
        then = f", of {of.astimezone():%Y-%m-%d %H:%M}" if of else ""
        what = f"put back from a copy on {restored.astimezone():%Y-%m-%d %H:%M}{then}"
        findings.append(Finding("store", "ok", what))
    if store.file is None:
        what = "no daily copies are made of it: back the database up (pg_dump). `backup FILE` copies this one"
        return [*findings, Finding("store", "ok", what)]
    if not keep:
        what = "no daily copies are made of it ([state] backups = 0)"
        return [*findings, Finding("store", "ok", what)]
    try:
        known = copies(store.file)
    except ReconcilerError as error:
        return [*findings, problem("store", error)]
    remedy = (
        "The daemon makes one a day; its log says why it did not. By hand: skymmich-reconciler backup FILE"
    )
    if not known:
        runs = store.runs(_ALL)
        old = bool(runs) and now - runs[-1].started_at > _LATE
        what = f"there is no daily copy in {folder_of(store.file)} yet"
        return [*findings, Finding("store", "warning" if old else "ok", what, remedy if old else "")]
    age = now - known[0].at
    many = counted(len(known), "copy")
    what = f"{many} in {folder_of(store.file)}, the newest {lasting(max(age.total_seconds(), 0.0))} old"
    late = age > _LATE
    return [*findings, Finding("store", "warning" if late else "ok", what, remedy if late else "")]
