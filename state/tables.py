"""The store's tables: rows only. What they mean is said by ``reconciler.core.records``, never here.

A ``table=True`` class validates nothing and is mutable, so no row leaves this package: ``state.rows``
turns them into the core's frozen values and back. A change here needs a migration beside it; a test
compares the two.
"""

from __future__ import annotations

import json
import unicodedata
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Index, Integer, Text
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

if TYPE_CHECKING:
    from sqlalchemy.engine import Dialect

APPLICATION_ID = 0x534B5952
"""``SKYR``: in the file's header, so that another program's database is never taken for ours."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: stored as UTC text that sorts, given back aware. A naive one is refused, not guessed."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - given by SQLAlchemy
        """Store as UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a moment without a time zone: {value.isoformat()}")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - given by SQLAlchemy
        """Give back aware."""
        return None if value is None else value.replace(tzinfo=UTC)


class AnyText(TypeDecorator[str]):
    """Text of any origin.

    JavaScript cuts strings between the halves of an emoji, and JSON carries such halves; UTF-8 cannot, so
    SQLite refuses them. They become U+FFFD here: one odd title must not spoil the commit of ten thousand.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Store what the database can carry."""
        return None if value is None else storable(value, dialect.name)


class JsonText(TypeDecorator[Any]):
    """A JSON value as text; ``None`` is JSON's null.

    SQLAlchemy's own type declares a column of numeric affinity, in which SQLite turns ``2.0`` into 2 and
    rounds large numbers.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: object, dialect: Dialect) -> str:  # noqa: ARG002 - given by SQLAlchemy
        """Store as ASCII, so that any text survives, halves of an emoji included."""
        return json.dumps(value, separators=(",", ":"))

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ANN401, ARG002 - JSON is of any type; given by SQLAlchemy
        """Give back the value."""
        return None if value is None else json.loads(value)


def storable(text: str, dialect: str = "sqlite") -> str:
    """Return ``text`` with each lone surrogate as U+FFFD; all other text comes back unchanged.

    PostgreSQL's text has no character 0: there it becomes U+FFFD, too.
    """
    if dialect != "sqlite":
        text = text.replace("\0", "\ufffd")
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


def title_key(title: str) -> str:
    """Return the form of a title by which it is sorted and searched: no case, no accents."""
    if title.isascii():
        return title.lower()
    decomposed = unicodedata.normalize("NFKD", storable(title)).casefold()
    return "".join(char for char in decomposed if not unicodedata.combining(char))


class Row(SQLModel, registry=registry()):
    """The base of all tables, with metadata of its own: nothing else's tables end up in the store."""


_PAIR = "(latitude IS NULL) = (longitude IS NULL)"


class AssetRow(Row, table=True):
    """One managed asset, but for its owned tags."""

    __tablename__ = "assets"
    __table_args__ = (
        CheckConstraint(_PAIR, name="ck_assets_pair"),
        # Pages of a hundred thousand images: both orders end with the whole key, so that a page is a range.
        Index("ix_assets_title", "title_key", "asset_id"),
        Index("ix_assets_status_title", "status", "title_key", "asset_id"),
        Index("ix_assets_image", "image_id"),
    )

    asset_id: str = Field(primary_key=True, sa_type=AnyText)
    image_id: int
    title: str = Field(sa_type=AnyText)
    title_key: str = Field(sa_type=AnyText)
    block: str | None = Field(sa_type=AnyText)
    prose: str | None = Field(sa_type=AnyText)
    latitude: float | None
    longitude: float | None
    taken_at: str | None = Field(sa_type=Text)
    """When it was taken, ISO 8601 with its offset."""
    fingerprint: str = Field(sa_type=Text)
    status: str = Field(sa_type=Text)
    reason: str = Field(sa_type=AnyText)
    """Reasons as JSON; empty: none."""
    seen_updated_at: datetime | None = Field(sa_type=UtcDateTime)
    width: int | None
    height: int | None
    unsticking: list[dict[str, Any]] = Field(sa_type=JsonText)
    linked: bool
    checked_at: datetime | None = Field(sa_type=UtcDateTime)
    changed_at: datetime | None = Field(sa_type=UtcDateTime)
    held: str = Field(sa_type=Text)
    more: str | None = Field(sa_type=Text)
    """What few have, as JSON: corrections, superseded tags, kinds of tags, marks that leave fields out,
    and the albums it was put into."""
    taken_back: dict[str, Any] | None = Field(sa_type=JsonText)
    """When a person took it back, and whether it stays so; null: nobody did."""


class OwnedTagRow(Row, table=True):
    """A tag that this program gave to an asset."""

    __tablename__ = "owned_tags"
    __table_args__ = ({"sqlite_with_rowid": False},)

    asset_id: str = Field(
        primary_key=True, sa_type=AnyText, sa_column_args=(ForeignKey("assets.asset_id", ondelete="CASCADE"),)
    )
    tag: str = Field(primary_key=True, sa_type=AnyText)


class ResolutionRow(Row, table=True):
    """What a person decided of a conflict. It may come before the first pass over the asset."""

    __tablename__ = "resolutions"
    __table_args__ = ({"sqlite_with_rowid": False},)

    asset_id: str = Field(primary_key=True, sa_type=AnyText)
    field: str = Field(primary_key=True, sa_type=Text)
    keep: str = Field(sa_type=Text)
    desired: str = Field(sa_type=Text)
    live: str = Field(sa_type=Text)
    result: str = Field(sa_type=Text)
    at: datetime = Field(sa_type=UtcDateTime)


class LeftOutRow(Row, table=True):
    """A field of an image that a person left out. It may come before the first pass over the asset."""

    __tablename__ = "left_out"
    __table_args__ = ({"sqlite_with_rowid": False},)

    asset_id: str = Field(primary_key=True, sa_type=AnyText)
    field: str = Field(primary_key=True, sa_type=Text)
    at: datetime = Field(sa_type=UtcDateTime)
    by: str = Field(sa_type=AnyText)


class CarryOverRow(Row, table=True):
    """What a person had on an asset that another one replaced. Kept after the decision, too."""

    __tablename__ = "carry_overs"
    __table_args__ = ({"sqlite_with_rowid": False},)

    to_asset: str = Field(primary_key=True, sa_type=AnyText)
    from_asset: str = Field(primary_key=True, sa_type=AnyText)
    image_id: int
    title: str = Field(sa_type=AnyText)
    at: datetime = Field(sa_type=UtcDateTime)
    source: str = Field(sa_type=Text)
    kept: dict[str, Any] = Field(sa_type=JsonText)
    was_trashed: bool
    unknown: str = Field(sa_type=AnyText)
    state: str = Field(sa_type=Text)
    by: str = Field(sa_type=AnyText)
    decided_at: datetime | None = Field(sa_type=UtcDateTime)
    run_id: str = Field(sa_type=Text)
    left: str = Field(sa_type=AnyText)


class CrossingRow(Row, table=True):
    """An asset whose edit by a person may have crossed with a write, until a person has looked."""

    __tablename__ = "crossings"
    __table_args__ = ({"sqlite_with_rowid": False},)

    asset_id: str = Field(primary_key=True, sa_type=AnyText)
    at: datetime = Field(sa_type=UtcDateTime)
    fields: list[str] = Field(sa_type=JsonText)
    run_id: str = Field(sa_type=Text)
    times: int
    since: datetime | None = Field(sa_type=UtcDateTime)


class LossRow(Row, table=True):
    """What an asset lost lately, for the guard to count."""

    __tablename__ = "losses"
    __table_args__ = ({"sqlite_with_rowid": False},)

    asset_id: str = Field(primary_key=True, sa_type=AnyText)
    what: str = Field(primary_key=True, sa_type=Text)
    at: datetime = Field(sa_type=UtcDateTime)
    before: str = Field(sa_type=Text)
    """The record's fingerprint before it: at that, nothing is lost any more; empty: there was none."""


class PendingRow(Row, table=True):
    """A write on its way."""

    __tablename__ = "pending_writes"
    __table_args__ = (
        CheckConstraint(_PAIR, name="ck_pending_writes_pair"),
        Index("ix_pending_writes_run", "run_id"),
    )

    asset_id: str = Field(primary_key=True, sa_type=AnyText)
    image_id: int
    run_id: str = Field(sa_type=Text)
    step: str = Field(sa_type=Text)
    sent: bool
    before_updated_at: datetime = Field(sa_type=UtcDateTime)
    description: str | None = Field(sa_type=AnyText)
    block: str | None = Field(sa_type=AnyText)
    prose: str | None = Field(sa_type=AnyText)
    latitude: float | None
    longitude: float | None
    taken_at: str | None = Field(sa_type=Text)
    keeps_day: bool
    tags: list[str] = Field(sa_type=JsonText)
    attempt: int
    intended_at: datetime | None = Field(sa_type=UtcDateTime)
    gives_back: bool
    beside: list[str] | None = Field(sa_type=JsonText)
    visibility: str | None = Field(sa_type=Text)
    is_trashed: bool
    by_hand: bool


class JournalRow(Row, table=True):
    """One value replaced in Immich."""

    __tablename__ = "journal"
    __table_args__ = (
        Index("ix_journal_run", "run_id"),
        Index("ix_journal_asset", "asset_id"),
        Index("ix_journal_at", "at"),
        # Ids are never given twice, even after housekeeping: they are the order of time.
        {"sqlite_autoincrement": True},
    )

    entry_id: int | None = Field(default=None, primary_key=True)
    run_id: str = Field(sa_type=Text)
    asset_id: str = Field(sa_type=AnyText)
    image_id: int
    field: str = Field(sa_type=Text)
    before: Any = Field(sa_type=JsonText)
    after: Any = Field(sa_type=JsonText)
    at: datetime = Field(sa_type=UtcDateTime)
    ours: list[str] = Field(sa_type=JsonText)


class FormerRow(Row, table=True):
    """The last value of a field that was not ours."""

    __tablename__ = "former_values"
    __table_args__ = ({"sqlite_with_rowid": False},)

    asset_id: str = Field(primary_key=True, sa_type=AnyText)
    field: str = Field(primary_key=True, sa_type=Text)
    value: Any = Field(sa_type=JsonText)
    at: datetime = Field(sa_type=UtcDateTime)


class RunRow(Row, table=True):
    """One pass."""

    __tablename__ = "runs"
    __table_args__ = (
        Index("ix_runs_started", "started_at", "run_id"),
        Index("ix_runs_outcome", "outcome"),
    )

    run_id: str = Field(primary_key=True, sa_type=Text)
    trigger: str = Field(sa_type=Text)
    started_at: datetime = Field(sa_type=UtcDateTime)
    finished_at: datetime | None = Field(sa_type=UtcDateTime)
    outcome: str = Field(sa_type=Text)
    summary: str = Field(sa_type=AnyText)
    counts: dict[str, int] = Field(sa_type=JsonText)
    process: dict[str, Any] | None = Field(sa_type=JsonText)
    """Who runs it (``state.process``): tells a run that died from one that goes on."""


class UnsharedRow(Row, table=True):
    """An asset of which what is ours changed since its record was last written to Immich."""

    __tablename__ = "unshared"
    __table_args__ = ({"sqlite_with_rowid": False},)

    asset_id: str = Field(primary_key=True, sa_type=AnyText)


class MetaRow(Row, table=True):
    """A small JSON value by its name."""

    __tablename__ = "meta"

    key: str = Field(primary_key=True, sa_type=Text)
    value: Any = Field(sa_type=JsonText)


class LeaseRow(Row, table=True):
    """The right to write: at most one row."""

    __tablename__ = "lease"
    __table_args__ = (CheckConstraint("lease_id = 1", name="ck_lease_single"),)

    lease_id: int | None = Field(default=None, primary_key=True)
    holder: str = Field(sa_type=Text)
    """Names one holding; another one of the same process is another holder."""
    pid: int
    host: str = Field(sa_type=AnyText)
    what: str = Field(sa_type=AnyText)
    """For people: ``daemon``, ``apply``."""
    acquired_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime = Field(sa_type=UtcDateTime)
    process: dict[str, Any] = Field(sa_type=JsonText)


METADATA = Row.metadata
for _column in (column for table in METADATA.tables.values() for column in table.c):
    if type(_column.type) is Integer:
        # SQLite's has 64 bits anyway.
        _column.type = Integer().with_variant(BigInteger(), "postgresql")
ASSETS = METADATA.tables["assets"]
OWNED_TAGS = METADATA.tables["owned_tags"]
RESOLUTIONS = METADATA.tables["resolutions"]
LEFT_OUT = METADATA.tables["left_out"]
CARRY_OVERS = METADATA.tables["carry_overs"]
CROSSINGS = METADATA.tables["crossings"]
LOSSES = METADATA.tables["losses"]
PENDING = METADATA.tables["pending_writes"]
JOURNAL = METADATA.tables["journal"]
FORMER = METADATA.tables["former_values"]
RUNS = METADATA.tables["runs"]
META = METADATA.tables["meta"]
UNSHARED = METADATA.tables["unshared"]
LEASE = METADATA.tables["lease"]
