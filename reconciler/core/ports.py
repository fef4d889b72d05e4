"""What the engine needs of the world: the catalogue, the target, the store, and time.

Adapters fulfil these; ``app.wiring`` puts them together. The engine imports no library and no other room.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime, timedelta

    from reconciler.core.albums import SeenAlbum
    from reconciler.core.asset import Coordinates, ObservedAsset, Visibility
    from reconciler.core.belongings import Belongings
    from reconciler.core.catalogue import Catalogue, CatalogueObject
    from reconciler.core.desired.facts import Facts
    from reconciler.core.listing import Listing
    from reconciler.core.policy import DescriptionPolicy, Switches
    from reconciler.core.reasons import Reason
    from reconciler.core.stacks import SeenStack
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


def untold(*_: int) -> None:
    """Tell nobody how far a reading is."""


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
    album_losses: tuple[FeatureLoss, ...] = ()
    """Likewise of what only those need who have albums kept."""
    stack_losses: tuple[FeatureLoss, ...] = ()
    """Likewise of what only those need who have stacks written to."""
    notes: bool = False
    """Whether it keeps notes of a program on assets: from 2.5 on."""

    def losses_under(self, switches: Switches) -> tuple[FeatureLoss, ...]:
        """Return the losses that count while these switches stand so."""
        albums = self.album_losses if switches.albums else ()
        return (*self.losses, *albums, *(self.stack_losses if switches.stacks else ()))


@dataclass(frozen=True, slots=True)
class Note:
    """What is kept on an asset for this program alone: a JSON value."""

    value: object
    updated_at: datetime | None = None
    """By the server's clock; ``None``: the answer does not tell."""


@dataclass(frozen=True, slots=True)
class FieldWrite:
    """One write of description and values, all in one. ``None``: not part of the write."""

    description: str | None = None
    """In settled form: the target encodes it so that this is what settles."""
    coordinates: Coordinates | None = None
    taken_at: datetime | None = None


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


@dataclass(frozen=True, slots=True)
class AlbumOutcome:
    """What became of a call that put assets into an album, or took them out, asset by asset."""

    done: frozenset[str] = frozenset()
    unchanged: frozenset[str] = frozenset()
    """It was so before: somebody else had put them in, or taken them out."""
    refused: Mapping[str, str] = field(default_factory=dict)
    """Asset id → Immich's word for why."""


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

    def sent_description(self, text: str) -> str:
        """Return the form in which a settled text is sent, so that it settles as it is."""
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

    async def listing(self, told: Callable[[int], None] = untold) -> Listing:
        """List all own assets (timeline and archive), a thousand a request; tags are ``None``.

        ``told`` is told now and then how many rows have come.
        """
        ...

    async def untagged(self, told: Callable[[int], None] = untold) -> Listing:
        """List own assets (timeline and archive) without any tag, a thousand a request; as ``listing``."""
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

    async def albums(self) -> Sequence[SeenAlbum]:
        """List all albums, in one request.

        Raises:
            MissingPermissionError: the key may not.
        """
        ...

    async def album(self, album_id: str) -> SeenAlbum | None:
        """Read one album; ``None``: it is gone, or not shown."""
        ...

    async def album_assets(self, album: SeenAlbum, *, trashed: bool = False) -> tuple[frozenset[str], bool]:
        """List the assets in an album, a thousand a request; beside it whether these are all."""
        ...

    async def create_album(self, name: str, description: str) -> SeenAlbum:
        """Make an album."""
        ...

    async def set_cover(self, album_id: str, asset_id: str) -> None:
        """Make an asset an album's cover."""
        ...

    async def delete_album(self, album_id: str) -> None:
        """Delete an album; one that is gone is no error.

        Raises:
            MissingPermissionError: the key may not.
        """
        ...

    async def put_into_album(self, album_id: str, asset_ids: Sequence[str]) -> AlbumOutcome:
        """Put assets into an album, hundreds a request. It moves no date of theirs, and no file of theirs.

        Raises:
            WriteInDoubtError: it may have been carried out.
            ImmichRejectedError: there is no such album of ours.
        """
        ...

    async def take_out_of_album(self, album_id: str, asset_ids: Sequence[str]) -> AlbumOutcome:
        """Take assets out of an album, likewise."""
        ...

    async def stacks(self) -> Sequence[SeenStack]:
        """List all stacks of the key's owner, in one request.

        Raises:
            MissingPermissionError: the key may not.
        """
        ...

    async def note_of(self, asset_id: str) -> Note | None:
        """Read what is kept on an asset for this program; ``None`` if nothing is. A request an asset.

        Raises:
            AssetUnknownError: gone, locked, or not ours.
        """
        ...

    async def belongings(self, asset_id: str) -> Belongings:
        """Ask whether an asset is a favourite, and in which albums it is: two requests.

        Raises:
            AssetUnknownError: gone, locked, or not ours.
        """
        ...

    async def set_favorite(self, asset_id: str) -> None:
        """Make an asset a favourite: a write that nothing of it has to settle for."""
        ...

    async def write_notes(self, values: Mapping[str, Mapping[str, object]]) -> frozenset[str]:
        """Keep these by asset id, hundreds a request; gives the assets that were refused.

        It moves no date, and nobody is shown it.
        """
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


class TimeZones(Protocol):
    """Which time it is where. Nothing is loaded before the first question."""

    def offset(self, place: Coordinates | None, at: datetime, otherwise: str = "") -> timedelta | None:
        """Return how far local time is from UTC.

        Args:
            place: where.
            at: naive: a local time there; aware: a moment.
            otherwise: the zone's name where there is no place: ``Europe/Berlin``.

        Returns:
            in whole minutes; ``None``: not known.
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
