"""What was ever seen of Skymmich's schema, kept in the store.

A column that was there and is gone has been renamed or dropped by a newer release: its facts are unknown from
then on, and not empty. Which facts those are, ``core.unknown`` knows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reconciler.core.unknown import without

if TYPE_CHECKING:
    from reconciler.core.catalogue import Catalogue
    from reconciler.engine.ports import Store

COLUMNS = "catalogue_columns"
"""Where the store keeps the ``table.column``s of all good passes."""


def recalled(catalogue: Catalogue, store: Store) -> Catalogue:
    """Give the catalogue with the facts unknown whose columns it once had; as it is, where it lost none."""
    return without(catalogue, _seen(store) - catalogue.columns) if catalogue.columns else catalogue


def remember(catalogue: Catalogue, store: Store) -> None:
    """Keep what a good pass saw, beside all that was seen before."""
    seen = _seen(store)
    if not catalogue.columns <= seen:
        store.put(COLUMNS, sorted(catalogue.columns | seen))


def _seen(store: Store) -> frozenset[str]:
    known = store.get(COLUMNS)
    return (
        frozenset(name for name in known if isinstance(name, str)) if isinstance(known, list) else frozenset()
    )
