"""Immich as the engine's target: puts client, capabilities, observer and writer together.

Knows no merging, no waves and no store; see ``reconciler.engine``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Self

from reconciler.core.ports import untold
from reconciler.errors import AssetUnknownError
from reconciler.immich import belongings, notes, roundtrip, stacks
from reconciler.immich.albums import AlbumRoutes
from reconciler.immich.call import Call
from reconciler.immich.capabilities import discover
from reconciler.immich.client import Client
from reconciler.immich.observer import EVERYWHERE, Observer
from reconciler.immich.wire import is_uuid
from reconciler.immich.writer import Writer

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from random import Random

    import httpx

    from reconciler.core.albums import SeenAlbum
    from reconciler.core.asset import ObservedAsset, Visibility
    from reconciler.core.belongings import Belongings
    from reconciler.core.listing import Listing
    from reconciler.core.ports import AlbumOutcome, Clock, FieldWrite, Note, ServerFacts, Target, WriteOutcome
    from reconciler.core.stacks import SeenStack
    from reconciler.immich.call import Patience
    from reconciler.immich.capabilities import Capabilities
    from reconciler.immich.circuit import Circuit
    from reconciler.immich.connection import Connection

# How old an answer's Date may be to stand for the server's clock: it only makes a watermark earlier.
_DATE_AGE = 5.0


class Immich:
    """One Immich with one API key; fulfils ``reconciler.core.ports.Target``. ``open`` comes first.

    Args:
        url: Immich's address, with or without ``/api``.
        api_key: never shown anywhere.
        in_flight: most calls at the same time.
        patience: timeouts, retries, circuit.
        clock: time, injected; by default the real one.
        random: for jitter, injected.
        transport: httpx's seam for tests.
        connection: headers, authorities and a proxy, as configured.
        permit: asked before each request that changes something leaves; raises if it must not.

    Raises:
        ConfigurationError: address, key or authorities cannot be used.
    """

    def __init__(  # noqa: PLR0913 - httpx's seams and time, by name
        self,
        url: str,
        api_key: str,
        *,
        in_flight: int = 4,
        patience: Patience | None = None,
        clock: Clock | None = None,
        random: Random | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        connection: Connection | None = None,
        permit: Callable[[], None] | None = None,
    ) -> None:
        self._client = Client(
            url,
            api_key,
            in_flight=in_flight,
            patience=patience,
            clock=clock,
            random=random,
            transport=transport,
            connection=connection,
            permit=permit,
        )
        self._parts: tuple[Capabilities, Observer, Writer] | None = None

    def __repr__(self) -> str:
        return f"<Immich at {self.address}>"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    @property
    def address(self) -> str:
        """The normalised address without credentials, for people."""
        return self._client.address

    @property
    def requests(self) -> Counter[tuple[str, str, int]]:
        """Requests sent so far, by (method, route template, status); status 0 is no answer."""
        return self._client.requests

    @property
    def circuit(self) -> Circuit:
        """Whether the server is being left alone, since when and why."""
        return self._client.circuit

    async def open(self) -> ServerFacts:
        """Ask for version, permissions and user, in a handful of requests; may be asked again at any time.

        Raises:
            ImmichError: nothing can be done with this server or key.
        """
        facts, capabilities = await discover(self._client)
        if self._parts is not None and self._parts[0] == capabilities:
            self._observer.user_id = facts.user_id or self._observer.user_id
        else:
            observer = Observer(self._client, capabilities, facts.user_id)
            self._parts = (capabilities, observer, Writer(self._client, capabilities, observer))
        return facts

    def settled_description(self, text: str) -> str:
        """Return the form in which ``text`` can be kept."""
        return roundtrip.settled_description(text)

    def sent_description(self, text: str) -> str:
        """Return the form in which a settled text is sent, so that it settles as it is."""
        return roundtrip.encode_description(text)

    def settled_tag(self, path: str) -> str | None:
        """Return the form in which a tag's path can be kept; ``None`` if there is none."""
        return roundtrip.settled_tag(path)

    async def server_time(self) -> datetime:
        """Return what the Date header says, up to a few seconds early; perhaps a proxy's clock."""
        client = self._client
        if not client.date_is_younger_than(_DATE_AGE):
            await client.send(Call("GET", "/server/ping"))
        return client.server_date()

    async def changed_since(
        self, since: datetime, *, visibilities: Sequence[Visibility] = EVERYWHERE
    ) -> Listing:
        """List own assets with ``updated_at >= since``; one request per visibility and thousand."""
        return await self._observer.changed_since(since, visibilities)

    async def listing(self, told: Callable[[int], None] = untold) -> Listing:
        """List all own assets, a thousand a request; tags are ``None``."""
        return await self._observer.search({}, told=told)

    async def untagged(self, told: Callable[[int], None] = untold) -> Listing:
        """List own assets without any tag, a thousand a request; empty on servers before 1.136."""
        return await self._observer.untagged(told)

    async def carrying(
        self, tag_id: str, *, visibilities: Sequence[Visibility], trashed: bool = False
    ) -> Mapping[str, datetime]:
        """List own assets with this tag, or one below it, a thousand a request: id → ``updated_at``."""
        return await self._observer.carrying(tag_id, visibilities, trashed=trashed)

    async def asset_count(self) -> int | None:
        """Count own assets; ``None`` if the key may not."""
        return await self._observer.count()

    async def asset(self, asset_id: str) -> ObservedAsset:
        """Read one asset, tags included.

        Raises:
            AssetUnknownError: gone, locked, or not ours.
        """
        return await self._observer.asset(asset_id)

    async def write_fields(self, asset_ids: Sequence[str], write: FieldWrite) -> WriteOutcome:
        """Send one write to one asset, or the same to several.

        Raises:
            WriteInDoubtError: it may have been carried out, wholly or in part; see its ``accepted``.
        """
        return await self._writer.write_fields(asset_ids, write)

    async def ensure_tags(self, paths: Iterable[str]) -> Mapping[str, str]:
        """Return the id of each tag path, creating what is missing."""
        return await self._writer.ensure_tags(paths)

    async def tag_ids(self) -> Mapping[str, str]:
        """List own tags: full path → id."""
        return await self._writer.tag_ids()

    async def add_tags(self, asset_ids: Sequence[str], tag_ids: Sequence[str]) -> WriteOutcome:
        """Add all these tags to all these assets.

        Raises:
            WriteInDoubtError: it may have been carried out, wholly or in part; see its ``accepted``.
        """
        return await self._writer.add_tags(asset_ids, tag_ids)

    async def delete_tag(self, tag_id: str) -> None:
        """Delete a tag, with those below it; one that is gone is no error.

        Raises:
            MissingPermissionError: the key lacks ``tag.delete``.
        """
        await self._writer.delete_tag(tag_id)

    async def remove_tag(self, asset_ids: Sequence[str], tag_id: str) -> WriteOutcome:
        """Take one tag from these assets.

        Raises:
            WriteInDoubtError: it may have been carried out, wholly or in part; see its ``accepted``.
        """
        return await self._writer.remove_tag(asset_ids, tag_id)

    async def albums(self) -> Sequence[SeenAlbum]:
        """List all albums, in one request."""
        return await self._albums.listing()

    async def album(self, album_id: str) -> SeenAlbum | None:
        """Read one album; ``None``: it is gone, or not shown."""
        return await self._albums.one(album_id)

    async def album_assets(self, album: SeenAlbum, *, trashed: bool = False) -> tuple[frozenset[str], bool]:
        """List the assets in an album, a thousand a request; beside it whether these are all."""
        return await self._albums.assets(album, trashed=trashed)

    async def create_album(self, name: str, description: str) -> SeenAlbum:
        """Make an album."""
        return await self._albums.create(name, description)

    async def set_cover(self, album_id: str, asset_id: str) -> None:
        """Make an asset an album's cover."""
        await self._albums.set_cover(album_id, asset_id)

    async def delete_album(self, album_id: str) -> None:
        """Delete an album; one that is gone is no error."""
        await self._albums.delete(album_id)

    async def put_into_album(self, album_id: str, asset_ids: Sequence[str]) -> AlbumOutcome:
        """Put assets into an album, hundreds a request."""
        return await self._albums.change("PUT", album_id, asset_ids)

    async def take_out_of_album(self, album_id: str, asset_ids: Sequence[str]) -> AlbumOutcome:
        """Take assets out of an album, likewise."""
        return await self._albums.change("DELETE", album_id, asset_ids)

    async def stacks(self) -> Sequence[SeenStack]:
        """List all stacks, in one request."""
        return await stacks.listing(self._client)

    async def note_of(self, asset_id: str) -> Note | None:
        """Read what is kept on an asset for this program; ``None`` if nothing is.

        Raises:
            AssetUnknownError: gone, locked, or not ours.
        """
        return await notes.read(self._client, asset_id, is_id=self._opened()[0].is_id)

    async def write_notes(self, values: Mapping[str, Mapping[str, object]]) -> frozenset[str]:
        """Keep these by asset id; gives the assets that were refused."""
        return await notes.write(self._client, values, is_id=self._opened()[0].is_id)

    async def belongings(self, asset_id: str) -> Belongings:
        """Ask whether an asset is a favourite, and in which albums it is.

        Raises:
            AssetUnknownError: gone, locked, or not ours.
        """
        return await belongings.read(self._client, asset_id)

    async def set_favorite(self, asset_id: str) -> None:
        """Make an asset a favourite."""
        method = "PATCH" if self._opened()[0].patch else "PUT"
        await belongings.set_favorite(self._client, asset_id, method=method)

    async def thumbnail(self, asset_id: str, size: Literal["thumbnail", "preview"]) -> tuple[bytes, str, str]:
        """Fetch an asset's picture, some 250 or 1440 pixels large: bytes, content type, ETag.

        Raises:
            ImmichError: one of its kinds; ``MissingPermissionError`` where the key lacks ``asset.view``.
        """
        if not is_uuid(asset_id):
            raise AssetUnknownError(asset_id)
        ids = {"id": asset_id.lower()}
        call = Call("GET", "/assets/{id}/thumbnail", ids=ids, query=f"size={size}", permission="asset.view")
        return await self._client.picture(call)

    @property
    def _albums(self) -> AlbumRoutes:
        capabilities, observer, _ = self._opened()
        return AlbumRoutes(self._client, capabilities, observer)

    @property
    def _observer(self) -> Observer:
        return self._opened()[1]

    @property
    def _writer(self) -> Writer:
        return self._opened()[2]

    def _opened(self) -> tuple[Capabilities, Observer, Writer]:
        if self._parts is None:
            raise RuntimeError("Immich.open() comes first: it learns which requests this server understands.")
        return self._parts


if TYPE_CHECKING:
    _fulfils: type[Target] = Immich
