"""What was ever seen of Skymmich's schema, and its switches as last read, kept in the store.

A column that was there and is gone has been renamed or dropped by a newer release: its facts are unknown from
then on, and not empty. Which facts those are, ``core.unknown`` knows. A switch that cannot be read stays as
it was; where that is not known, it is off.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from reconciler.core.catalogue import SETTINGS_TABLE, SWITCHED_PARTS, WHOLE_TABLE, RowProblem
from reconciler.core.reasons import reason
from reconciler.core.store_keys import CATALOGUE_COLUMNS, CATALOGUE_SWITCHES
from reconciler.core.unknown import without

if TYPE_CHECKING:
    from reconciler.core.catalogue import Catalogue, Switch
    from reconciler.core.store_port import Store


def recalled(catalogue: Catalogue, store: Store) -> Catalogue:
    """Return the catalogue with the facts unknown whose columns it once had, and the switches as they were.

    It is as it is, where it lost none, and all switches were read.
    """
    if catalogue.columns:
        catalogue = without(catalogue, _seen(store) - _filled(catalogue))
    return _switched(catalogue, store)


def remember(catalogue: Catalogue, store: Store) -> None:
    """Keep what a good pass saw, beside all that was seen before."""
    seen = _seen(store)
    if not (filled := _filled(catalogue)) <= seen:
        CATALOGUE_COLUMNS.write(store, sorted(filled | seen))
    settings = catalogue.settings
    if settings.stored:
        known = _known(store)
        read = {part: getattr(settings, part) for part in SWITCHED_PARTS if part not in settings.unreadable}
        if not read.items() <= known.items():
            CATALOGUE_SWITCHES.write(store, {**known, **read})


def _filled(catalogue: Catalogue) -> frozenset[str]:
    """Return the columns that are there, without those of tables that wait for their first row."""
    if not catalogue.empty:
        return catalogue.columns
    return frozenset(name for name in catalogue.columns if name.partition(".")[0] not in catalogue.empty)


def _seen(store: Store) -> frozenset[str]:
    return frozenset(CATALOGUE_COLUMNS.read(store) or ())


def _switched(catalogue: Catalogue, store: Store) -> Catalogue:
    """Return the catalogue with the switches as they were that cannot be read, or that are there no more."""
    settings, problems = catalogue.settings, catalogue.problems
    if settings.stored and not settings.unreadable:
        return catalogue
    known = _known(store)
    if not settings.stored and not settings.unreadable:
        if not known:
            return catalogue
        settings = settings.without()
        gone = RowProblem(SETTINGS_TABLE, WHOLE_TABLE, reason("row_settings_gone"), "warning")
        problems = (*problems, gone)
    on = {part for part in settings.unreadable if known.get(part)}
    settings = replace(
        settings,
        description=settings.description or "description" in on,
        coordinates=settings.coordinates or "coordinates" in on,
        tags=settings.tags or "tags" in on,
    )
    return replace(catalogue, settings=settings, problems=problems)


def _known(store: Store) -> dict[Switch, bool]:
    return CATALOGUE_SWITCHES.read(store) or {}
