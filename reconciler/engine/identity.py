"""Whether this Immich is the one that is remembered: the same person's library, before anything is written.

The address alone does not say: behind it may be another server by now, or the key may be another user's. What
is remembered is the user's id and the address, never the key. A server's upgrade, and another key of the same
user, are no change. A key that may not ask whose it is is judged by the managed assets alone.

=================================== ==================== ================================================
the key's user                      managed assets       what follows
=================================== ==================== ================================================
another than remembered             not looked at        stop, until a person confirms
the same                            3 known ones lost    stop, if no other managed asset is there either
unknown, or none remembered         any is there         remembered from now on
unknown, or none remembered         none of them is      stop, until a person confirms
anything                            there are none yet   remembered from now on
=================================== ==================== ================================================
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from reconciler.core.asset_ids import smallest
from reconciler.core.store_keys import IMMICH_KNOWN, KnownForm
from reconciler.errors import AssetUnknownError, UnconfirmedError

if TYPE_CHECKING:
    from collections.abc import Collection
    from collections.abc import Set as AbstractSet

    from reconciler.core.ports import ServerFacts, Target
    from reconciler.core.records import AssetRecord
    from reconciler.core.store_port import Store

REMEDY: Final = "If that is how it should be, say so once: skymmich-reconciler confirm"
_SAMPLE: Final = 8
"""Managed assets that are asked for, at most, where what was read anyway does not tell."""
_ENOUGH: Final = 3
"""So many lost assets of the very same user are no accident: one or two are deleted every day."""


@dataclass(frozen=True, slots=True)
class KnownImmich:
    """The Immich that was written to last."""

    address: str
    user_id: str | None
    """The key's owner; ``None``: no key could ever ask."""
    without_assets: bool = False
    """Whether a person confirmed it although none of the managed assets is there."""
    others: tuple[str, ...] = ()
    """Users whose assets were refused to a key that may not ask whose it is."""

    @classmethod
    def of(cls, store: Store) -> KnownImmich | None:
        """Return whom the store knows; ``None``: nobody yet."""
        if (kept := IMMICH_KNOWN.read(store)) is None:
            return None
        return cls(kept["address"], kept["user_id"], kept["without_assets"], tuple(kept["others"]))

    def keep(self, store: Store) -> None:
        """Remember it, if that is news."""
        if KnownImmich.of(store) != self:
            form = KnownForm(
                address=self.address,
                user_id=self.user_id,
                without_assets=self.without_assets,
                others=list(self.others),
            )
            IMMICH_KNOWN.write(store, form)

    @classmethod
    def at(cls, store: Store, server: ServerFacts, address: str) -> KnownImmich:
        """Return what is known of the key's owner at an address: what the server says, or what was learnt."""
        if server.user_id is not None:
            return cls(address, server.user_id)
        known = cls.of(store)
        return known if known is not None and known.address == address else cls(address, None)

    def learn(self, written: Collection[str], refused: Collection[str]) -> KnownImmich:
        """Return what writes tell of the key's owner, of one that may not ask.

        Args:
            written: the owners of the assets whose fields were written and kept: only the owner's can be.
            refused: the owners of those that it may read but not write.
        """
        if len(written) == 1:
            return replace(self, user_id=next(iter(written)), others=())
        if self.user_id in refused:  # another key by now: all that was learnt was learnt of the former
            return replace(self, user_id=None, others=tuple(sorted(refused)))
        return replace(self, others=tuple(sorted({*self.others, *refused})))


def check_user(known: KnownImmich | None, server: ServerFacts, address: str) -> None:
    """Refuse another user than the remembered one.

    Raises:
        UnconfirmedError: nothing was written.
    """
    if known is None or None in {known.user_id, server.user_id} or known.user_id == server.user_id:
        return
    raise UnconfirmedError(
        f"The API key opens another user's library at {address} than before (user {server.user_id}, "
        f"before: {known.user_id}). Nothing was written.",
        remedy=REMEDY,
    )


def is_there(record: AssetRecord | None) -> bool:
    """Return whether a managed asset was there when it was last looked for."""
    return record is not None and record.seen_updated_at is not None and record.status != "unknown_asset"


async def recognise(
    target: Target,
    store: Store,
    server: ServerFacts,
    managed: AbstractSet[str],
    *,
    seen: Collection[str] = (),
    lost: Collection[str] = (),
    anyway: bool = False,
) -> KnownImmich:
    """Look whether the managed assets are there; in no request where what is known already tells.

    Args:
        target: open.
        store: for whom it knows; nothing is written to it.
        server: what was just learnt.
        managed: the assets that were there when they were last looked for.
        seen: assets that were read just now.
        lost: managed assets that this Immich did not show just now.
        anyway: look for them though nothing speaks against it: a person asked.

    Returns:
        whom to remember once this pass is carried out.

    Raises:
        UnconfirmedError: it is another user's library, or none of the managed assets is there.
        ImmichError: it could not be asked.
    """
    known, address = KnownImmich.of(store), target.address
    check_user(known, server, address)
    met = KnownImmich(address, server.user_id or (known.user_id if known else None))
    if server.user_id is None and known is not None and known.address == address:
        met = replace(met, others=known.others)
    if not managed or managed & frozenset(seen):
        return met
    same_user = known is not None and server.user_id is not None and known.user_id == server.user_id
    if known is not None and known.without_assets:
        return known
    if same_user and known == met and not lost and not anyway:
        return met
    gone = len(managed & frozenset(lost))
    for asset_id in smallest(managed, _SAMPLE, without=frozenset(lost)):
        try:
            await target.asset(asset_id)
        except AssetUnknownError:
            gone += 1
        else:
            return met
    if same_user and gone < _ENOUGH:
        return met
    raise UnconfirmedError(
        f"None of the {len(managed)} managed images is in the library that the API key opens at {address}: "
        "it is another server's, or another user's. Nothing was written.",
        remedy=REMEDY,
    )
