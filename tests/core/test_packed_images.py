"""Packed images: they are found by their assets, wait where they are put, and cost few bytes each."""

from __future__ import annotations

import gc
import tracemalloc
from dataclasses import replace
from functools import cache
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.asset_ids import AssetIds
from reconciler.core.catalogue import CatalogueImage
from reconciler.core.packed_catalogue import PackedImages
from reconciler.spill import Spill


@cache
def _asset(number: int) -> str:
    return str(UUID(int=Random(number).getrandbits(128)))


def _images(count: int) -> list[CatalogueImage]:
    return [CatalogueImage(n, None if n % 10 == 0 else _asset(n), f"M {n}") for n in range(1, count + 1)]


def _title(images) -> bytes:
    return "\n".join(image.title for image in images).encode()


CHANGES = st.lists(st.dictionaries(st.integers(1, 300), st.sampled_from("+-"), max_size=4), max_size=5)


@given(CHANGES, st.sampled_from([list, lambda: Spill(500)]))
@settings(deadline=None)
def test_after_any_changes_they_are_the_images_that_there_are(steps, shelf):
    images = {image.image_id: image for image in _images(130)}
    packed = PackedImages(images.values(), shelf)
    for number, step in enumerate(steps):
        news = {
            key: None if what == "-" else CatalogueImage(key, _asset(key + number % 3), f"{number}")
            for key, what in step.items()
        }
        packed = packed.replaced(news)
        images = {key: one for key, one in {**images, **news}.items() if one is not None}
        known = [images[key] for key in sorted(images)]
        assert list(packed) == known
        linked = [image.asset_id for image in known]
        assert list(packed.asset_ids()) == linked
        assert packed.linked_count == len(linked) - linked.count(None)
        assert packed.linked_assets() == AssetIds(filter(None, linked))
        of_asset = {image.asset_id: image.image_id for image in known if image.asset_id}
        assert {one: packed.id_of(one) for one in of_asset} == of_asset
        assert packed.id_of(_asset(9999)) is None
        assert b"\n".join(packed.each(_title)) == _title(known)


def test_the_shelf_does_not_grow_for_ever():
    shelves: list[list[bytes]] = []

    def shelf() -> list[bytes]:
        shelves.append([])
        return shelves[-1]

    packed = PackedImages(_images(640), shelf)
    for number in range(1_000):
        packed = packed.replaced({5: CatalogueImage(5, _asset(5), f"M {number}")})
        list(packed.each(_title))
    assert packed.find(5).title == "M 999"
    assert max(map(len, shelves)) < 100
    assert len(packed) == 640


def test_what_changed_beside_the_links_costs_no_other_set_of_them():
    before = PackedImages(_images(300))
    known = before.linked_assets()
    after = before.replaced({7: replace(before.find(7), title="another")})
    assert after.linked_assets() is known


def test_a_place_in_another_set_is_told_for_each_image():
    packed = PackedImages(_images(50))
    some = AssetIds([*(_asset(n) for n in range(1, 30)), "odd", _asset(777)])
    for ids in (some, packed.linked_assets()):
        wanted = [-1 if one is None or one not in ids else ids.place_of(one) for one in packed.asset_ids()]
        assert list(packed.places_in(ids)) == wanted


@pytest.mark.parametrize(("found_by_asset", "most"), [(False, 60), (True, 66)])
def test_an_image_whose_slices_are_in_a_file_costs_some_fifty_bytes(found_by_asset, most):
    """A million of them rest in as many megabytes, whatever the catalogue tells of each."""
    taken = []
    for count in (6_000, 12_000):
        _images(count)  # of which the ids are kept
        tracemalloc.start()
        before = tracemalloc.get_traced_memory()[0]
        packed = PackedImages(iter(_images(count)), lambda: Spill(0))
        assert len(packed.linked_assets()) == packed.linked_count
        if found_by_asset:
            assert packed.id_of(_asset(count - 1)) == count - 1
        gc.collect()
        taken.append(tracemalloc.get_traced_memory()[0] - before)
        tracemalloc.stop()
    assert (taken[1] - taken[0]) / 6_000 <= most
