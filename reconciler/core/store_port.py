"""What the engine needs of the state store: the engine's memory between passes.

The state room fulfils it; the engine imports neither that room nor a database.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from reconciler.core.store_values import Values

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from collections.abc import Set as AbstractSet
    from contextlib import AbstractContextManager
    from datetime import datetime

    from reconciler.core.asset_ids import AssetIds
    from reconciler.core.carry_over import CarryOver
    from reconciler.core.records import (
        AssetRecord,
        Crossing,
        FormerValue,
        JournalEntry,
        LeftOut,
        LossKind,
        PendingWrite,
        RecentLosses,
        Resolution,
        Run,
    )


class Store(Values, Protocol):
    """The state store. Synchronous: it is a local SQLite file, and each call is short."""

    def home(self) -> str:
        """Digest of where it is: the same for a store that is made anew in its place."""
        ...

    def host(self) -> str:
        """Name of the host it is on, without its domain."""
        ...

    def transaction(self) -> AbstractContextManager[None]:
        """Group several calls into one commit; calls outside commit by themselves."""
        ...

    def records(self) -> dict[str, AssetRecord]:
        """All managed assets by asset id."""
        ...

    def record(self, asset_id: str) -> AssetRecord | None:
        """One managed asset; ``None`` if it is not known."""
        ...

    def records_of(self, asset_ids: Collection[str]) -> dict[str, AssetRecord]:
        """Those of these assets that are managed, by id."""
        ...

    def counts_by_status(self) -> dict[str, int]:
        """Count managed assets by status; a status that none has is absent."""
        ...

    def record_ids(self) -> AssetIds:
        """The ids of all managed assets."""
        ...

    def linked_ids(self) -> AssetIds:
        """Those that the last good pass found in the catalogue."""
        ...

    def there_ids(self) -> AssetIds:
        """Those that were there when they were last looked for."""
        ...

    def held_ids(self) -> Mapping[str, str]:
        """Those linked ones that the guard holds: asset id → the hash of the harm."""
        ...

    def ids_of_images(self, image_ids: Collection[int]) -> AbstractSet[str]:
        """The managed assets of these images."""
        ...

    def changes(self, since: object) -> tuple[object, frozenset[str] | None]:
        """Return which assets' records, decisions or pending writes may be others than at an earlier moment.

        Gives what names the present one, and the assets; ``None``: any may be.
        """
        ...

    def save_records(self, records: Iterable[AssetRecord]) -> None:
        """Insert or replace by asset id."""
        ...

    def unshared(self, most: int) -> list[str]:
        """Some assets of which what is ours changed since its record was written to Immich."""
        ...

    def share_all(self) -> None:
        """Have the records of all assets written to Immich anew."""
        ...

    def shared(self, asset_ids: Iterable[str]) -> None:
        """Take note that the records of these assets are in Immich."""
        ...

    def owners_of_tags(self, tags: Iterable[str]) -> frozenset[str]:
        """Return which assets own at least one of these tags; called from a thread: it may look at all."""
        ...

    def save_resolution(self, asset_id: str, resolution: Resolution) -> None:
        """Keep what a person decided of a conflict; insert or replace by asset and field."""
        ...

    def drop_resolution(self, asset_id: str, resolution: Resolution) -> bool:
        """Forget a decision, if it still is this one; tells whether it was."""
        ...

    def leave_out(self, asset_id: str, fields: Iterable[LeftOut]) -> None:
        """Leave these fields of an asset out; insert or replace by asset and field."""
        ...

    def take_in(self, asset_id: str, fields: Collection[str]) -> int:
        """Take these fields of an asset in again; tells how many were left out."""
        ...

    def left_out_of(self, asset_ids: Collection[str]) -> dict[str, tuple[LeftOut, ...]]:
        """Return what people left out of these assets, by id."""
        ...

    def save_carry_overs(self, offers: Iterable[CarryOver], gone: Iterable[CarryOver] = ()) -> None:
        """Keep what is offered to assets, by both assets, in the place of ``gone``."""
        ...

    def carry_overs(self, asset_ids: Collection[str] | None = None) -> dict[str, tuple[CarryOver, ...]]:
        """Return what is, or was, offered to these assets, by id; to all by default."""
        ...

    def note_crossings(self, crossings: Mapping[str, Crossing]) -> None:
        """Keep these by asset id, together with earlier ones, until a person has looked."""
        ...

    def pending(self) -> dict[str, PendingWrite]:
        """All pending writes by asset id."""
        ...

    def save_pending(self, writes: Iterable[PendingWrite]) -> None:
        """Insert or replace by asset id."""
        ...

    def mark_sent(self, asset_ids: Iterable[str]) -> None:
        """Note that these pending writes were accepted by the server."""
        ...

    def clear_pending(self, asset_ids: Iterable[str]) -> None:
        """Forget these pending writes."""
        ...

    def journal(self, entries: Iterable[JournalEntry]) -> None:
        """Append to the journal."""
        ...

    def note_losses(self, what: LossKind, losing: Mapping[str, str], at: datetime, since: datetime) -> None:
        """Count what assets lose for the guard, and forget what it does not count any more.

        Args:
            what: what they lose.
            losing: asset id → the record's fingerprint before, at which nothing is lost again; ``""``: none.
            at: now.
            since: losses until then are forgotten.
        """
        ...

    def losses(self, since: datetime) -> RecentLosses:
        """Return what was lost since, and is not back."""
        ...

    def forget_losses(self) -> None:
        """Let what was lost until now not count any more: a person approved it."""
        ...

    def journal_of(
        self,
        run_id: str | None = None,
        asset_id: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> list[JournalEntry]:
        """Return journal entries of a run, an asset, or both, newest first."""
        ...

    def journaled(self, run_id: str) -> tuple[tuple[str, ...], frozenset[int], frozenset[str]]:
        """Return to what a run wrote: assets in order of image, images, and names of fields."""
        ...

    def journal_of_assets(self, run_id: str, asset_ids: Collection[str]) -> list[JournalEntry]:
        """Return all journal entries of a run about these assets, newest first."""
        ...

    def keep_former(self, values: Iterable[FormerValue]) -> None:
        """Keep values that are not ours and are replaced now; insert or replace by asset and field."""
        ...

    def former_of(self, asset_ids: Collection[str]) -> dict[str, list[FormerValue]]:
        """Return what is kept of these assets, by id."""
        ...

    def forget_former(self, asset_ids: Collection[str]) -> None:
        """Forget what is kept of these assets: they are as they were."""
        ...

    def runs(self, limit: int, before: str | None = None) -> list[Run]:
        """Return runs, newest first; ``before``: older than this one."""
        ...

    def run(self, run_id: str) -> Run | None:
        """One run; ``None`` if it is not known."""
        ...

    def start_run(self, run: Run) -> None:
        """Record a run as running."""
        ...

    def finish_run(self, run: Run) -> None:
        """Record a run's end."""
        ...
