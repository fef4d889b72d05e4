"""Which image or run a person means: by number, asset or a part of the title; a run by its id's beginning."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from reconciler.engine.stack_watch import family_of, known_stacking
from reconciler.errors import ReconcilerError
from reconciler.messages.nouns import counted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from reconciler.core.catalogue import Catalogue, CatalogueImage
    from reconciler.core.records import AssetRecord, Run
    from state.store import StateStore

MOST_SHOWN = 8
_ALL_RUNS = 1_000_000
_RUN = re.compile(r"[0-9a-f]{3,}")


class NoSuchImageError(ReconcilerError):
    """A name fits no image."""


@dataclass(frozen=True, slots=True)
class Named:
    """What an image can be called."""

    image_id: int
    asset_id: str | None
    title: str


def find_images(wanted: Sequence[str], catalogue: Catalogue) -> frozenset[int] | None:
    """Return the ids of the images that are named; ``None`` if none is: all.

    Raises:
        ReconcilerError: a name fits none or several, or an image is not linked to an asset.
    """
    found = [find_image(text, catalogue) for text in wanted]
    for image in found:
        if image.asset_id is None:
            raise ReconcilerError(
                f"“{image.title}” (image {image.image_id}) is not linked to an Immich asset.",
                remedy="Import it from Immich in Skymmich; then it has one.",
            )
    return frozenset(image.image_id for image in found) if wanted else None


def find_image(text: str, catalogue: Catalogue) -> CatalogueImage:
    """Return the one image of the catalogue that is meant.

    Raises:
        ReconcilerError: the name fits none or several.
    """
    by_id = {image.image_id: image for image in catalogue.images}
    named = [Named(image.image_id, image.asset_id, image.title) for image in catalogue.images]
    return by_id[_only(text, named, "the catalogue").image_id]


def find_record(
    text: str, records: Iterable[AssetRecord], beside: Collection[str] = frozenset()
) -> AssetRecord:
    """Return the one asset on record that is meant, of images that left the catalogue, too.

    An image's other members of a stack, ``beside``, are meant by their own UUIDs alone.

    Raises:
        ReconcilerError: the name fits none or several.
    """
    by_asset = {record.asset_id: record for record in records}
    named = [
        Named(record.image_id, record.asset_id, record.title)
        for record in by_asset.values()
        if record.asset_id not in beside or record.asset_id == _plain(text)
    ]
    # Skymmich gives an id to another image after a deletion: what is linked counts first.
    linked = [one for one in named if one.asset_id and by_asset[one.asset_id].linked]
    if text.isdecimal() and any(one.image_id == int(text) for one in linked):
        named = linked
    return by_asset[_only(text, named, "the store").asset_id or ""]


def find_with_stacks(wanted: Iterable[str], store: StateStore) -> list[AssetRecord]:
    """Return the assets on record that are meant, each with all others of its image's stack.

    Raises:
        ReconcilerError: a name fits none or several.
    """
    known, records = known_stacking(store), store.records()
    found = [find_record(text, records.values(), known.beside) for text in wanted]
    return [records[each] for one in found for each in family_of(known, one.asset_id) if each in records]


def find_run(text: str, store: StateStore) -> Run | None:
    """Return the run of which this is the id, or the beginning of its id; ``None`` if there is none.

    Raises:
        ReconcilerError: several runs begin so.
    """
    if (whole := store.run(text)) is not None:
        return whole
    if not _RUN.fullmatch(text.lower()):
        return None
    found = [run for run in store.runs(_ALL_RUNS) if run.run_id.startswith(text.lower())]
    if len(found) > 1:
        listed = ", ".join(run.run_id for run in found[:MOST_SHOWN])
        raise ReconcilerError(f"{len(found)} runs begin with “{text}”: {listed}.", remedy="Give more of it.")
    return found[0] if found else None


def find_run_or_record(
    text: str, store: StateStore, records: Iterable[AssetRecord]
) -> tuple[Run | None, AssetRecord | None]:
    """Return the run or the asset on record that is meant. A run's whole id counts first, then an image.

    Raises:
        ReconcilerError: the name fits none or several.
    """
    if (whole := store.run(text)) is not None:
        return whole, None
    try:
        return None, find_record(text, records, known_stacking(store).beside)
    except NoSuchImageError as error:
        if (run := find_run(text, store)) is not None:
            return run, None
        raise ReconcilerError(
            f"No run and no image in the store is “{text}”.",
            remedy="Runs: skymmich-reconciler history. An image is named by its number, its asset's UUID, "
            "or a part of its title.",
        ) from error


def _only(text: str, named: Sequence[Named], where: str) -> Named:
    wanted = _plain(text)
    for test in (
        lambda one: text.isdecimal() and one.image_id == int(text),
        lambda one: one.asset_id == wanted,
        lambda one: _plain(one.title) == wanted,
        lambda one: bool(wanted) and wanted in _plain(one.title),
    ):
        hits = [one for one in named if test(one)]
        if len(hits) == 1:
            return hits[0]
        if hits:
            listed = ", ".join(f"{one.image_id} “{one.title}”" for one in hits[:MOST_SHOWN])
            more = f" and {len(hits) - MOST_SHOWN} more" if len(hits) > MOST_SHOWN else ""
            raise ReconcilerError(
                f"“{text}” fits {counted(len(hits), 'image')}: {listed}{more}.",
                remedy="Name one by its number.",
            )
    raise NoSuchImageError(
        f"No image in {where} is “{text}”.",
        remedy="Name it by its number in Skymmich, by its Immich asset's UUID, or by a part of its title.",
    )


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).casefold().split())
