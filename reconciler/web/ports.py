"""What the web room needs of the world, besides ``service.api.Control``. ``app.wiring`` passes it in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from starlette.requests import Request
    from starlette.responses import HTMLResponse

    from reconciler.core.carry_over import CarryOver
    from reconciler.core.policy import Part, Policy
    from reconciler.core.records import AssetRecord, JournalEntry, Run, Standing

PictureSize = Literal["thumbnail", "preview"]
RequestCounts = Mapping[tuple[str, str, int], int]
"""Requests sent to Immich by (method, route template, status); status 0 is no answer."""


class History(Protocol):
    """What the state store remembers; each call is a short visit to a file, safe from any thread."""

    def record(self, asset_id: str) -> AssetRecord | None:
        """Return one managed asset."""
        ...

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
        """Return a page in the order of titles.

        ``after``: title and asset id of the last one before; ``among``: only these asset ids; ``crossed``:
        only those of which an edit may be missing.
        """
        ...

    def records_of(self, asset_ids: Collection[str]) -> dict[str, AssetRecord]:
        """Return those of these assets that are managed, by id."""
        ...

    def changes(self, since: object) -> tuple[object, frozenset[str] | None]:
        """Return what names the present moment, and the assets whose records changed since an earlier one.

        ``None``: any may have.
        """
        ...

    def standings(self, after: str = "", limit: int = 5000) -> list[Standing]:
        """Return how managed assets stand, those after one, in order of their ids."""
        ...

    def standings_of(self, asset_ids: Collection[str]) -> list[Standing]:
        """Return how these assets stand, in order of their ids."""
        ...

    def titles(self, after: tuple[str, str] = ("", ""), limit: int = 5000) -> list[tuple[str, str]]:
        """Return folded titles and asset ids, those after one, in the order of titles."""
        ...

    def carry_overs(self, asset_ids: Collection[str] | None = None) -> dict[str, tuple[CarryOver, ...]]:
        """Return what is, or was, offered to assets from those that they replaced, by asset."""
        ...

    def carry_overs_offered(self) -> dict[str, tuple[CarryOver, ...]]:
        """Return what nobody has decided of, by the asset it is offered to."""
        ...

    def crossed_ids(self) -> frozenset[str]:
        """Return the assets with a crossing that nobody has looked at."""
        ...

    def counts_by_status(self) -> dict[str, int]:
        """Count managed assets by status."""
        ...

    def journal_of(
        self,
        run_id: str | None = None,
        asset_id: str | None = None,
        limit: int = 100,
        before: int | None = None,
    ) -> list[JournalEntry]:
        """Return journal entries, newest first."""
        ...

    def latest(self, assets: int) -> list[list[JournalEntry]]:
        """Return what was last done to the assets that were last written to: a group each, newest first."""
        ...

    def run(self, run_id: str) -> Run | None:
        """Return one run."""
        ...

    def runs(self, limit: int, before: str | None = None) -> list[Run]:
        """Return runs, newest first."""
        ...


class Rendering(Protocol):
    """Makes pages from templates."""

    def page(
        self, request: Request, template: str, values: Mapping[str, object], status: int = 200
    ) -> HTMLResponse:
        """Render a page or a part of one."""
        ...


class Thumbnails(Protocol):
    """Where pictures come from."""

    async def thumbnail(self, asset_id: str, size: PictureSize) -> tuple[bytes, str, str]:
        """Fetch a picture: bytes, content type, ETag (may be empty).

        Raises:
            ImmichError: there is none, or Immich cannot be asked now.
        """
        ...


STORE_MARK = "reconciler-store"
"""The header of ``/api/v1/status`` in which a daemon tells its store's mark, to strangers, too."""


class SettingsWriter(Protocol):
    """Where the switches are changed: in Skymmich, or as an override in the state store."""

    @property
    def where(self) -> str:
        """The place, for people: ``Skymmich``, ``this program's own store``."""
        ...

    async def write(self, changes: Mapping[str, bool]) -> None:
        """Change some, named as in ``core.policy.Switches``; the others stay as they are there by now.

        Raises:
            ReconcilerError: they were not changed.
        """
        ...

    async def follow(self) -> None:
        """Give up what was set here, so that Skymmich's own hold again; Skymmich is not changed."""
        ...


@dataclass(frozen=True, slots=True)
class TemplateVersion:
    """A template that was written on the page."""

    at: datetime
    text: str


class TemplateKeeper(Protocol):
    """Where the block's template is kept."""

    def policy(self) -> Policy:
        """Return the policy in force, with its template."""
        ...

    def text(self) -> str:
        """Return the template in force."""
        ...

    def configured(self) -> str:
        """Return the template that holds without the page's."""
        ...

    def origin(self) -> str:
        """Say where the template in force comes from, for people."""
        ...

    def versions(self) -> tuple[TemplateVersion, ...]:
        """Return what was written on the page before, the newest first."""
        ...

    def save(self, text: str | None) -> None:
        """Let a text that was tried hold from the next pass on; ``None``: the configured one again."""
        ...

    def configured_parts(self) -> frozenset[Part]:
        """Return the parts that are on without the page's switches."""
        ...

    def with_parts(self, changes: Mapping[str, bool]) -> Policy:
        """Return the policy in force as it would be with some parts switched."""
        ...

    def save_parts(self, changes: Mapping[str, bool] | None) -> None:
        """Switch some parts from the next pass on; ``None``: the configured ones hold again."""
        ...


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that the doctor looked at."""

    section: str
    title: str
    """The section's, for people."""
    level: Literal["ok", "warning", "problem"]
    what: str
    remedy: str = ""


class Delivered(Protocol):
    """How it went with one address of notices."""

    @property
    def name(self) -> str:
        """Its number and its service: all that may be shown of it."""
        ...

    @property
    def error(self) -> str:
        """What went wrong, without secrets; empty: nothing did."""
        ...


class Messenger(Protocol):
    """Who tells people that something needs them."""

    @property
    def addresses(self) -> int:
        """To how many addresses."""
        ...

    async def test(self) -> tuple[Delivered, ...]:
        """Send a test to all of them, and tell how it went; empty: there is none."""
        ...


Doctor = Callable[[], Awaitable["tuple[Check, ...]"]]
