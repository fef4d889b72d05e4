"""Where Immich's address and key come from, and whether this key may go to that address.

Part of the wiring. Skymmich has no login: whoever reaches it can change the address that it names.

============= ============= ===================================================================
the address   the key       may it go there?
============= ============= ===================================================================
configured    any           yes: a person wrote the address on this machine, to be used
Skymmich's    configured    once a person confirmed the address
Skymmich's    Skymmich's    yes at first sight; once the address changed, when it is confirmed
============= ============= ===================================================================

``[immich.headers]`` are this machine's secrets like a configured key, and go by the same line.

Whose library answers there is another question: see ``engine.identity``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from reconciler.core.store_keys import IMMICH_CONFIRMED
from reconciler.engine.identity import REMEDY, KnownImmich
from reconciler.errors import ConfigurationError, UnconfirmedError
from reconciler.immich.answers import base_url
from reconciler.redaction import register_secret

if TYPE_CHECKING:
    from reconciler.config import Config
    from reconciler.core.catalogue import SyncSettings
    from state.store import StateStore

OURS: Final = "this program's configuration"
THEIRS: Final = "Skymmich's settings"


@dataclass(frozen=True, slots=True)
class Pair:
    """An address and a key, and where each came from."""

    url: str = field(repr=False)
    """As given; there may be a password in it."""
    address: str
    """Normalised, for people and to compare."""
    key: str = field(repr=False)
    address_from: str
    key_from: str
    has_headers: bool = False
    """Whether headers of a person's own go with it: they are secrets of this machine, like the key."""


def pair_of(config: Config, settings: SyncSettings) -> Pair:
    """Return address and key: from the configuration, else from Skymmich's own settings.

    Raises:
        ConfigurationError: neither has them, or the address is none.
    """
    own = config.immich
    if settings.immich_api_key:
        register_secret(settings.immich_api_key)
    url = own.url.get_secret_value() if own.url else settings.immich_url
    key = own.api_key.get_secret_value() if own.api_key else settings.immich_api_key
    if not url:
        raise ConfigurationError(
            "Immich's address is known neither to this program nor to Skymmich.",
            remedy="Set [immich] url, or RECONCILER_IMMICH__URL, or enter it in Skymmich's admin page.",
        )
    if not key and settings.masked:
        raise ConfigurationError(
            "Skymmich has an API key for Immich, and shows but its last characters over its web address.",
            remedy="Set [immich] url and [immich] api_key_file (or RECONCILER_IMMICH__API_KEY): with "
            '[skymmich] source = "http://…" this program cannot take the key from Skymmich.',
        )
    if not key:
        raise ConfigurationError(
            "No API key for Immich is known to this program or to Skymmich.",
            remedy="Set [immich] api_key_file, or RECONCILER_IMMICH__API_KEY, or enter it in Skymmich.",
        )
    register_secret(key)
    return Pair(
        url,
        base_url(url),
        key,
        address_from=OURS if own.url else THEIRS,
        key_from=OURS if own.api_key else THEIRS,
        has_headers=own.headers is not None,
    )


def check_pair(pair: Pair, store: StateStore | None) -> None:
    """Refuse to send a key where nobody who may say so sent it.

    Args:
        pair: what would be used.
        store: for what was confirmed; ``None``: there is none yet.

    Raises:
        UnconfirmedError: nothing was sent.
    """
    if pair.address_from == OURS or (store is not None and IMMICH_CONFIRMED.read(store) == pair.address):
        return
    if pair.key_from == OURS or pair.has_headers:
        what = "The API key" if pair.key_from == OURS else "The headers"
        raise UnconfirmedError(
            f"{what} from {OURS} would go to {pair.address}, which {pair.address_from} name, "
            "and nobody confirmed that they belong together. Nothing was sent.",
            remedy=f"{REMEDY}. Or set [immich] url beside the key.",
        )
    known = KnownImmich.of(store) if store is not None else None
    if known is not None and known.address != pair.address:
        raise UnconfirmedError(
            f"Skymmich's settings now name {pair.address} as Immich's address; it was {known.address}. "
            "Nothing was sent there, for anyone who reaches Skymmich can change them.",
            remedy=REMEDY,
        )


def confirm_address(pair: Pair, store: StateStore) -> None:
    """Keep that a person wants the key to go there; it takes the place of what was confirmed before."""
    IMMICH_CONFIRMED.write(store, pair.address)
