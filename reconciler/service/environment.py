"""What the service needs beyond a pass's ports: what a configuration leads to, and a store that counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from reconciler.core.store_port import Store

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from reconciler.core.catalogue import Catalogue, SyncSettings
    from reconciler.core.policy import Mode
    from reconciler.core.ports import Target
    from reconciler.core.records import Crossed
    from reconciler.engine.catalogue_cache import Watchable
    from reconciler.engine.planner.wishes import Wishes


class Installation(Protocol):
    """What a configuration leads to. Another one may take its place between two passes."""

    @property
    def source(self) -> Watchable:
        """Skymmich."""
        ...

    @property
    def mode(self) -> Mode:
        """Whether anything may be written, as configured."""
        ...

    @property
    def immich_url(self) -> str:
        """Immich's address for people; empty while it is not known."""
        ...

    @property
    def circuit_open_since(self) -> datetime | None:
        """Since when Immich is being left alone; ``None``: it is not."""
        ...

    def wishes(self, catalogue: Catalogue) -> Wishes:
        """Return policy and switches as they hold now."""
        ...

    async def target(self, settings: SyncSettings) -> Target:
        """Return Immich: the same object for as long as its address and key stay.

        Raises:
            ConfigurationError: address or key are not known.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class ServiceStore(Store, Protocol):
    """What the service asks of the store besides what passes do."""

    def counts_by_status(self) -> dict[str, int]:
        """Count managed assets by status."""
        ...

    def offered(self) -> int:
        """Count the assets to which something is offered from a replaced one, and nobody has decided."""
        ...

    def crossed(self) -> Crossed:
        """Count the assets with a crossing that nobody has looked at."""
        ...

    def forget_crossings(self, until: datetime, asset_ids: Collection[str] | None = None) -> int:
        """Forget what a person has looked at, as far as it was noticed by then; tells of how many assets."""
        ...
