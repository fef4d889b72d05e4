"""The part of the store that keeps managed assets, and tells which of them changed."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy import delete, select, tuple_

from state import assets, carry_overs, history, rows, standings, unshared
from state.changes import Changes, last_mark, mark
from state.fence import Fenced
from state.statements import listed, raw, upsert
from state.tables import ASSETS, CROSSINGS, LEFT_OUT, storable, title_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from sqlalchemy.sql import ColumnElement

    from reconciler.core.asset_ids import AssetIds
    from reconciler.core.carry_over import CarryOver
    from reconciler.core.records import AssetRecord, JournalEntry, LeftOut, Standing
    from state.backend import Backend


class ManagedAssets(Fenced):
    """Managed assets in an open database.

    Args:
        database: open.
    """

    def __init__(self, database: Backend) -> None:
        super().__init__(database)
        self._changes = Changes()
        self._counted: tuple[str, dict[str, int]] = ("", {})

    def records(self) -> dict[str, AssetRecord]:
        """Return all managed assets by asset id."""
        with self.database.reading() as connection:
            found = assets.joined(connection, connection.execute(select(ASSETS)))
            return {record.asset_id: record for record in found}

    def record(self, asset_id: str) -> AssetRecord | None:
        """Return one managed asset; ``None`` if it is not known."""
        with self.database.reading() as connection:
            return next(iter(assets.records(connection, ASSETS.c.asset_id == asset_id)), None)

    def records_of(self, asset_ids: Collection[str]) -> dict[str, AssetRecord]:
        """Return those of these assets that are managed, by id."""
        with self.database.reading() as connection:
            return assets.of(connection, asset_ids)

    def record_ids(self) -> AssetIds:
        """Return the ids of all managed assets."""
        with self.database.reading() as connection:
            return assets.ids(connection)

    def linked_ids(self) -> AssetIds:
        """Return the ids of those that the last good pass found in the catalogue."""
        with self.database.reading() as connection:
            return assets.ids(connection, ASSETS.c.linked)

    def there_ids(self) -> AssetIds:
        """Return the ids of those that were there when they were last looked for."""
        with self.database.reading() as connection:
            seen = ASSETS.c.seen_updated_at.is_not(None)
            return assets.ids(connection, seen, ASSETS.c.status != "unknown_asset")

    def held_ids(self) -> Mapping[str, str]:
        """Return those linked ones that the guard holds: asset id → the hash of the harm."""
        with self.database.reading() as connection:
            return assets.held(connection)

    def ids_of_images(self, image_ids: Collection[int]) -> AbstractSet[str]:
        """Return the managed assets of these images."""
        with self.database.reading() as connection:
            return assets.of_images(connection, image_ids)

    def owners_of_tags(self, tags: Iterable[str]) -> frozenset[str]:
        """Return which assets own at least one of these tags."""
        with self.database.reading() as connection:
            return assets.owners_of_tags(connection, tags)

    def changes(self, since: object) -> tuple[object, frozenset[str] | None]:
        """Return which assets' records, decisions or pending writes may be others than at an earlier moment.

        Args:
            since: names that moment, as given here then.

        Returns:
            what names the present moment, and the assets; ``None``: any may be.
        """
        if since is not None and last_mark(self.database) == since:
            return since, frozenset()
        with self.database.reading() as connection:
            return self._changes.since(connection, since)

    def save_records(self, records: Iterable[AssetRecord]) -> None:
        """Insert or replace by asset id, owned tags included. Of two with one id the later counts.

        What a person decided of their conflicts is no part of this, nor what waits for their eyes: a pass
        must not undo what was decided, or looked at, while it ran.
        """
        known = list(records)
        if not known:
            return
        with self._writing_by_right() as connection:
            stored = partial(storable, dialect=connection.dialect.name)
            latest = {stored(record.asset_id): record for record in known}
            self._changes.touch(connection, latest)
            had = assets.tags(connection, list(latest))
            values = {asset_id: rows.of_record(record) for asset_id, record in latest.items()}
            owned = {asset_id: set(map(stored, record.applied.tags)) for asset_id, record in latest.items()}
            unshared.note(connection, values, owned, had)
            upsert(connection, ASSETS, list(values.values()))
            gone: list[tuple[object, ...]] = []
            new: list[tuple[object, ...]] = []
            for asset_id, after in owned.items():
                before = had.get(asset_id, frozenset())
                gone += [(asset_id, tag) for tag in before - after]
                new += [(asset_id, tag) for tag in sorted(after - before)]
            # Straight to the driver: there are some twenty tags an asset, and nothing in them to convert.
            if gone:
                raw(connection, "DELETE FROM owned_tags WHERE asset_id = ? AND tag = ?", gone)
            if new:
                raw(connection, "INSERT INTO owned_tags (asset_id, tag) VALUES (?, ?)", new)

    def leave_out(self, asset_id: str, fields: Iterable[LeftOut]) -> None:
        """Leave these fields of an asset out; insert or replace by asset and field."""
        with self.database.writing() as connection:
            self._changes.touch(connection, (asset_id,))
            upsert(connection, LEFT_OUT, [rows.of_left_out(asset_id, one) for one in fields])

    def take_in(self, asset_id: str, fields: Collection[str]) -> int:
        """Take these fields of an asset in again; tells how many were left out."""
        is_this = LEFT_OUT.c.asset_id == asset_id, LEFT_OUT.c.field.in_(sorted(fields))
        with self.database.writing() as connection:
            self._changes.touch(connection, (asset_id,))
            return connection.execute(delete(LEFT_OUT).where(*is_this)).rowcount

    def left_out_of(self, asset_ids: Collection[str]) -> dict[str, tuple[LeftOut, ...]]:
        """Return what people left out of these assets, by id; those without are not in it."""
        if self.database.single("SELECT 1 FROM left_out LIMIT 1") is None:  # asked before each write
            return {}
        with self.database.reading() as connection:
            found = assets.left_out(connection, list(asset_ids))
            return {asset_id: one for asset_id, one in found.items() if asset_id in asset_ids}

    def save_carry_overs(self, offers: Iterable[CarryOver], gone: Iterable[CarryOver] = ()) -> None:
        """Insert or replace what is offered to assets, by both assets; ``gone`` is forgotten before."""
        known, over = list(offers), list(gone)
        if known or over:
            with self.database.writing() as connection:
                self._changes.touch(connection, [one.to_asset for one in (*known, *over)])
                carry_overs.drop(connection, over)
                carry_overs.save(connection, known)

    def carry_overs(self, asset_ids: Collection[str] | None = None) -> dict[str, tuple[CarryOver, ...]]:
        """Return what is, or was, offered to these assets, by id; to all by default."""
        with self.database.reading() as connection:
            return carry_overs.to_assets(connection, None if asset_ids is None else list(asset_ids))

    def offered(self) -> int:
        """Count the assets to which something is offered, and nobody has decided."""
        return int(str(self.database.single(carry_overs.OFFERED)))

    def carry_overs_offered(self) -> dict[str, tuple[CarryOver, ...]]:
        """Return what is offered and nobody has decided of, by the asset it is offered to."""
        with self.database.reading() as connection:
            return carry_overs.to_assets(connection, state="offered")

    def unshared(self, most: int) -> list[str]:
        """Return some assets of which what is ours changed since its record was written to Immich."""
        with self.database.reading() as connection:
            return unshared.some(connection, most)

    def share_all(self) -> None:
        """Have the records of all assets written to Immich anew."""
        with self._writing_by_right() as connection:
            unshared.note_all(connection)

    def shared(self, asset_ids: Iterable[str]) -> None:
        """Take note that the records of these assets are in Immich."""
        with self._writing_by_right() as connection:
            unshared.forget(connection, asset_ids)

    def journaled(self, run_id: str) -> tuple[tuple[str, ...], frozenset[int], frozenset[str]]:
        """Return to what a run wrote: assets in order of image, images, and names of fields."""
        with self.database.reading() as connection:
            return history.journaled(connection, run_id)

    def journal_of_assets(self, run_id: str, asset_ids: Collection[str]) -> list[JournalEntry]:
        """Return all journal entries of a run about these assets, newest first."""
        with self.database.reading() as connection:
            return history.journal_of_assets(connection, run_id, asset_ids)

    def counts_by_status(self) -> dict[str, int]:
        """Count managed assets by status; a status that none has is absent."""
        # Counting takes a while with very many, and is asked for at every look.
        if (now := last_mark(self.database)) and now == self._counted[0]:
            return dict(self._counted[1])
        with self.database.reading() as connection:
            if (now := mark(connection)) != self._counted[0] or not now:
                self._counted = (now, history.counts_by_status(connection))
            return dict(self._counted[1])

    def standings(self, after: str = "", limit: int = 5000) -> list[Standing]:
        """Return how managed assets stand, those after one, in order of their ids."""
        with self.database.reading() as connection:
            return standings.page(connection, after, limit)

    def standings_of(self, asset_ids: Collection[str]) -> list[Standing]:
        """Return how these assets stand, in order of their ids; those that are not managed are left out."""
        with self.database.reading() as connection:
            return standings.of(connection, asset_ids)

    def titles(self, after: tuple[str, str] = ("", ""), limit: int = 5000) -> list[tuple[str, str]]:
        """Return folded titles and asset ids, those after one, in the order of titles."""
        with self.database.reading() as connection:
            return standings.by_title(connection, after, limit)

    def crossed_ids(self) -> frozenset[str]:
        """Return the assets with a crossing that nobody has looked at."""
        with self.database.reading() as connection:
            return standings.crossed(connection)

    def search(
        self,
        text: str = "",
        status: str | None = None,
        limit: int = 50,
        after: tuple[str, str] | None = None,
        among: Collection[str] | None = None,
        *,
        crossed: bool = False,
    ) -> list[AssetRecord]:
        """Return a page of managed assets in the order of their titles, case and accents aside.

        Args:
            text: part of the title; ``""``: all.
            status: only these.
            limit: assets a page.
            after: title and asset id of the last one of the page before.
            among: only these asset ids, however many.
            crossed: only those with a crossing that nobody has looked at.
        """
        conditions: list[ColumnElement[bool]] = []
        if text:
            conditions.append(ASSETS.c.title_key.contains(title_key(text), autoescape=True))
        if status is not None:
            conditions.append(ASSETS.c.status == status)
        if crossed:
            conditions.append(ASSETS.c.asset_id.in_(select(CROSSINGS.c.asset_id)))
        if among is not None:
            conditions.append(ASSETS.c.asset_id.in_(listed(among)))
        if after is not None:
            order = tuple_(ASSETS.c.title_key, ASSETS.c.asset_id)
            conditions.append(order > tuple_(title_key(after[0]), after[1]))
        with self.database.reading() as connection:
            return assets.records(connection, *conditions, limit=limit)
