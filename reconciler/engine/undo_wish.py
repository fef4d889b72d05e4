"""What a person wants taken back, where it is found in the store, and what was begun and not finished."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Final

from reconciler.core.plan.reversal import Reversal, reversals
from reconciler.core.store_keys import UNDOING, UndoingForm
from reconciler.errors import UndoError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from reconciler.core.records import JournalEntry
    from reconciler.core.store_port import Store

ALL: Final = 10_000_000
"""Journal entries: all there are."""


@dataclass(frozen=True, slots=True)
class UndoWish:
    """One of: everything; a run; of an asset its last change, a run's, or all since a moment; of several."""

    everything: bool = False
    run_id: str = ""
    asset_id: str = ""
    to: datetime | None = None
    images: tuple[tuple[str, str], ...] = ()
    """Asset id, and the run of which its change is taken back; ``""``: its last one. Planned, each is bound
    to its run: what goes on after a kill must not go one further back."""

    def to_json(self) -> UndoingForm:
        """Return it as the store keeps it."""
        form = UndoingForm(everything=self.everything, run_id=self.run_id, asset_id=self.asset_id)
        if self.to is not None:
            form["to"] = self.to.isoformat()
        if self.images:
            form["images"] = [list(pair) for pair in self.images]
        return form

    @classmethod
    def from_json(cls, form: UndoingForm) -> UndoWish:
        """Return a wish from what ``to_json`` made."""
        to = form.get("to")
        return cls(
            form.get("everything", False),
            form.get("run_id", ""),
            form.get("asset_id", ""),
            datetime.fromisoformat(to) if to else None,
            tuple((asset_id, run_id) for asset_id, run_id in form.get("images", ())),
        )

    def without(self, asset_ids: Collection[str]) -> UndoWish | None:
        """Return what is left of it without these assets; ``None``: nothing is."""
        if self.asset_id in asset_ids:
            return None
        left = tuple(pair for pair in self.images if pair[0] not in asset_ids)
        return None if self.images and not left else replace(self, images=left)


@dataclass(frozen=True, slots=True)
class Candidate:
    """What may be taken back of an asset: of several, the first that would change anything is."""

    run_id: str
    reversal: Reversal


def unfinished(store: Store) -> list[UndoWish]:
    """Return what was begun to be undone and has not come to its end."""
    return [UndoWish.from_json(form) for form in UNDOING.read(store) or ()]


def begun(store: Store, wish: UndoWish) -> None:
    """Note that this is being undone."""
    known = unfinished(store)
    if wish not in known:
        _keep(store, [*known, wish])


def ended(store: Store, wish: UndoWish) -> None:
    """Note that this came to its end, or is wanted no more."""
    known = unfinished(store)
    if wish in known:
        _keep(store, [one for one in known if one != wish])


def _keep(store: Store, wishes: list[UndoWish]) -> None:
    if wishes:
        UNDOING.write(store, [one.to_json() for one in wishes])
    else:
        UNDOING.forget(store)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of the journal is to be taken back."""

    asset_ids: Sequence[str]
    image_ids: frozenset[int]
    albums: bool
    """Whether anything was put into albums, or taken out."""
    of: Callable[[Collection[str]], Mapping[str, list[Candidate]]]
    """Gives what that is of some of the assets; of all at once it may take much memory."""

    @classmethod
    def these(cls, found: Mapping[str, list[Candidate]]) -> Wanted:
        """Make it of what was found."""
        several = [one.reversal for listed in found.values() for one in listed]
        return cls(
            tuple(found),
            frozenset(one.image_id for one in several),
            any(one.put_in or one.taken_out for one in several),
            lambda asset_ids: {one: found[one] for one in asset_ids if one in found},
        )


def wanted(store: Store, wish: UndoWish) -> Wanted:
    """Return what of the journal is to be taken back.

    Raises:
        UndoError: it cannot be, or there is nothing.
    """
    if wish.images or not wish.run_id or wish.asset_id:
        return Wanted.these(candidates(store, wish))
    refuse_undo_of_undo(store, wish.run_id)
    asset_ids, image_ids, fields = store.journaled(wish.run_id)
    if not asset_ids:
        _nothing(f"by or to “{wish.run_id}”")
    return Wanted(
        asset_ids,
        image_ids,
        "albums" in fields,
        lambda some: of_entries(store.journal_of_assets(wish.run_id, some)),
    )


def candidates(store: Store, wish: UndoWish) -> dict[str, list[Candidate]]:
    """Return what of the journal is to be taken back of one asset, or of several that are named, by asset.

    Raises:
        UndoError: it cannot be, or there is nothing.
    """
    if wish.images:
        found: dict[str, list[Candidate]] = {}
        for asset_id, run_id in wish.images:
            with suppress(UndoError):  # of one there is nothing to take back: it is left alone
                found |= candidates(store, UndoWish(run_id=run_id, asset_id=asset_id, to=wish.to))
        return found or _nothing("to them")
    wish = _gone_on_with(store, wish)
    if wish.to is not None:
        since = [one for one in store.journal_of(asset_id=wish.asset_id, limit=ALL) if one.at > wish.to]
        return of_entries(since) if since else _nothing("since then")
    if wish.run_id:
        refuse_undo_of_undo(store, wish.run_id)
        entries = store.journal_of(wish.run_id, wish.asset_id, ALL)
        return of_entries(entries) if entries else _nothing(f"by or to “{wish.run_id}”")
    groups: dict[str, list[JournalEntry]] = {}
    for entry in store.journal_of(asset_id=wish.asset_id, limit=ALL):
        groups.setdefault(entry.run_id, []).append(entry)
    several = [
        Candidate(run_id, reversal)
        for run_id, entries in groups.items()  # the newest first
        if not is_undo(store, run_id)
        for reversal in reversals(entries)
    ]
    return {wish.asset_id: several} if several else _nothing("to it")


def of_entries(entries: list[JournalEntry]) -> dict[str, list[Candidate]]:
    """Return what takes back journal entries as a whole."""
    run_id = entries[0].run_id if entries else ""
    return {one.asset_id: [Candidate(run_id, one)] for one in reversals(entries)}


def is_undo(store: Store, run_id: str) -> bool:
    """Return whether a run was an undo."""
    run = store.run(run_id)
    return run is not None and run.trigger == "undo"


def refuse_undo_of_undo(store: Store, run_id: str) -> None:
    """See that a run is none that took something back.

    Raises:
        UndoError: it is.
    """
    if is_undo(store, run_id):
        raise UndoError(
            f"Run {run_id} took something back: undoing it would write that again. Nothing was written.",
            remedy=f"To have it written again: skymmich-reconciler redo --run {run_id}",
        )


def _gone_on_with(store: Store, wish: UndoWish) -> UndoWish:
    """Return, of an asset's last change, the very undo of it that was broken off, if one was."""
    if wish.run_id or wish.to is not None or wish.everything:
        return wish
    for one in unfinished(store):
        if one.asset_id == wish.asset_id:
            return one
        for asset_id, run_id in one.images:
            if asset_id == wish.asset_id:
                return UndoWish(run_id=run_id, asset_id=asset_id, to=one.to)
    return wish


def _nothing(what: str) -> dict[str, list[Candidate]]:
    raise UndoError(
        f"Nothing was written {what}, so there is nothing to undo.",
        remedy="See what was: skymmich-reconciler history",
    )
