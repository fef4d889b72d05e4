"""What the engine needs of the world: the catalogue, the target, the store, and time.

Adapters fulfil these; ``app.wiring`` puts them together. The engine imports no library and no other room.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from reconciler.core.store_keys import Values

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from contextlib import AbstractContextManager
    from datetime import datetime

    from reconciler.core.asset import Coordinates, ObservedAsset, Visibility
    from reconciler.core.catalogue import Catalogue, CatalogueObject
    from reconciler.core.desired.facts import Facts
    from reconciler.core.listing import Listing
    from reconciler.core.policy import DescriptionPolicy
    from reconciler.core.reasons import Reason
    from reconciler.core.records import (
        AssetRecord,
        Crossing,
        FormerValue,
        JournalEntry,
        LossKind,
        PendingWrite,
        RecentLosses,
        Resolution,
        Run,
    )
    from reconciler.errors import ReconcilerError


class Wording(Protocol):
    """How reasons are said within the text of an error: the words are a face's, whoever raises it."""

    def __call__(self, reasons: Iterable[Reason], /) -> str:
        """Return them as one text."""
        ...


class CatalogueSource(Protocol):
    """Skymmich."""

    def read(self) -> Catalogue:
        """Read everything in one short transaction.

        Raises:
            CatalogueError: the catalogue as a whole cannot be read.
        """
        ...


@dataclass(frozen=True, slots=True)
class FeatureLoss:
    """A scope that the key lacks, or a switch in Immich, and the feature it costs."""

    permission: str
    feature: str
    """``description``, ``coordinates``, ``tags``, ``reading`` …"""
    remedy: str


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """What was learnt of the server at the start."""

    version: str
    """``2.7.5``."""
    user_id: str | None
    """The key's owner; ``None`` if the key may not ask. Other owners' assets are not written to."""
    tags_enabled: bool = True
    losses: tuple[FeatureLoss, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldWrite:
    """One write of description, coordinates, or both. ``None``: not part of the write."""

    description: str | None = None
    """In settled form: the target encodes it so that this is what settles."""
    coordinates: Coordinates | None = None


@dataclass(frozen=True, slots=True)
class WriteOutcome:
    """What became of a write call, per asset."""

    sent: frozenset[str]
    """Asset ids whose write was accepted."""
    rejected: Mapping[str, ReconcilerError] = field(default_factory=dict)
    """Asset id → why, for those that were refused (a bulk call is bisected to find them)."""
    unchanged: frozenset[str] = frozenset()
    """Of ``sent``: the server says that nothing changed, so nothing will settle."""
    dates: Mapping[str, datetime] = field(default_factory=dict)
    """Of ``sent``: ``updated_at`` just before the write, where the answer shows it."""
    foreign: frozenset[str] = frozenset()
    """Of ``rejected``: those that the key may read but not write: they are another user's."""


class Target(Protocol):
    """Immich. Every method raises the errors of ``reconciler.errors``; temporary ones only after retries."""

    @property
    def address(self) -> str:
        """The normalised address without credentials."""
        ...

    async def open(self) -> ServerFacts:
        """Ask for version, permissions and user; raise if nothing can be done with this server or key."""
        ...

    def settled_description(self, text: str) -> str:
        """Return the form in which ``text`` can be kept: a fixed point of the server's round trip."""
        ...

    def settled_tag(self, path: str) -> str | None:
        """Likewise for a tag's full path; ``None`` if it cannot be kept at all."""
        ...

    async def server_time(self) -> datetime:
        """Return the Date header of an answer, perhaps of a proxy's clock: it may hold a watermark back."""
        ...

    async def changed_since(
        self, since: datetime, *, visibilities: Sequence[Visibility] = ("timeline", "archive")
    ) -> Listing:
        """List own assets with ``updated_at >= since``; tags are ``None``. Each visibility costs a request.

        A listing can repeat and skip rows; repeated ones are folded, and a row that is missing means nothing.
        """
        ...

    async def listing(self) -> Listing:
        """List all own assets (timeline and archive), a thousand a request; tags are ``None``."""
        ...

    async def untagged(self) -> Listing:
        """List own assets (timeline and archive) without any tag, a thousand a request."""
        ...

    async def carrying(
        self, tag_id: str, *, visibilities: Sequence[Visibility], trashed: bool = False
    ) -> Mapping[str, datetime]:
        """List own assets with this tag, or one below it: asset id → ``updated_at``.

        A thousand a request, and a request for each visibility. A listing can skip rows, so one that is
        missing may carry the tag all the same. ``trashed``: those in the trash, too.
        """
        ...

    async def asset_count(self) -> int | None:
        """Return how many assets the library has, to choose the cheaper way to read; ``None`` if unknown."""
        ...

    async def asset(self, asset_id: str) -> ObservedAsset:
        """Read one asset, tags included.

        Raises:
            AssetUnknownError: gone, locked, or not ours (confirmed outside maintenance).
        """
        ...

    async def write_fields(self, asset_ids: Sequence[str], write: FieldWrite) -> WriteOutcome:
        """Send one write to one asset, or the same to several in a bulk call."""
        ...

    async def ensure_tags(self, paths: Iterable[str]) -> Mapping[str, str]:
        """Return the id of each tag path, creating what is missing; what cannot be made is left out."""
        ...

    async def tag_ids(self) -> Mapping[str, str]:
        """List own tags: full path → id."""
        ...

    async def add_tags(self, asset_ids: Sequence[str], tag_ids: Sequence[str]) -> WriteOutcome:
        """Add all these tags to all these assets, in one call."""
        ...

    async def delete_tag(self, tag_id: str) -> None:
        """Delete a tag that nothing carries, with those below it; one that is gone is no error.

        Raises:
            MissingPermissionError: the key may not.
        """
        ...

    async def remove_tag(self, asset_ids: Sequence[str], tag_id: str) -> WriteOutcome:
        """Take one tag from these assets. An asset without it counts as ``unchanged``."""
        ...


class Store(Values, Protocol):
    """The state store. Synchronous: it is a local SQLite file, and each call is short."""

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

    def record_ids(self) -> frozenset[str]:
        """The ids of all managed assets."""
        ...

    def linked_ids(self) -> frozenset[str]:
        """Those that the last good pass found in the catalogue."""
        ...

    def there_ids(self) -> frozenset[str]:
        """Those that were there when they were last looked for."""
        ...

    def held_ids(self) -> dict[str, str]:
        """Those linked ones that the guard holds: asset id → the hash of the harm."""
        ...

    def ids_of_images(self, image_ids: Collection[int]) -> frozenset[str]:
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

    def owners_of_tags(self, tags: Iterable[str]) -> frozenset[str]:
        """Return which assets own at least one of these tags; called from a thread: it may look at all."""
        ...

    def save_resolution(self, asset_id: str, resolution: Resolution) -> None:
        """Keep what a person decided of a conflict; insert or replace by asset and field."""
        ...

    def drop_resolution(self, asset_id: str, resolution: Resolution) -> bool:
        """Forget a decision, if it still is this one; tells whether it was."""
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

    def keep_former(self, values: Iterable[FormerValue]) -> None:
        """Keep values that are not ours and are replaced now; insert or replace by asset and field."""
        ...

    def former_of(self, asset_ids: Collection[str]) -> dict[str, list[FormerValue]]:
        """Return what is kept of these assets, by id."""
        ...

    def forget_former(self, asset_ids: Collection[str]) -> None:
        """Forget what is kept of these assets: they are as they were."""
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


class ObjectCatalogue(Protocol):
    """Deep-sky objects that Skymmich's own table may lack. Loads at the first question."""

    def find(self, designation: str) -> CatalogueObject | None:
        """Return the object of a designation in canonical form: ``NGC 7000``, ``Sh2-155``, ``C 9``."""
        ...

    def near(
        self, ra_deg: float, dec_deg: float, radius_deg: float, least_arcmin: float = 0.0
    ) -> Sequence[CatalogueObject]:
        """Return the objects within a radius of a position, J2000, degrees, that are at least so large."""
        ...


class Renderer(Protocol):
    """Where templates are rendered: a user's own where it can be stopped."""

    async def render(self, policy: DescriptionPolicy, facts: Sequence[Facts]) -> list[str]:
        """Render the template's block for each, marker lines included; ``""`` where it renders nothing.

        Without facts, the template is only compiled. At most some hundred at once: it is all or nothing.

        Raises:
            TemplateError: it cannot be read, fails for one of them, or exceeds what a template may take.
            RendererError: it could not be tried.
        """
        ...


class Clock(Protocol):
    """Time, so that it can be injected."""

    def now(self) -> datetime:
        """Wall clock, aware, UTC."""
        ...

    def monotonic(self) -> float:
        """Seconds that never run backwards."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        ...
