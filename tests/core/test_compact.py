"""Observed assets in little memory: what is looked up is what was put in."""

from __future__ import annotations

import tracemalloc
from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.asset import Coordinates, ObservedAsset
from reconciler.core.packed_assets import CompactAssets

DAY = datetime(2026, 3, 1, tzinfo=UTC)
TEXTS = st.text(max_size=60)
ASSETS = st.builds(
    ObservedAsset,
    asset_id=st.uuids().map(str),
    owner_id=TEXTS,
    updated_at=st.timedeltas(timedelta(days=-30_000), timedelta(days=30_000)).map(lambda span: DAY + span),
    description=TEXTS,
    coordinates=st.none() | st.builds(Coordinates, st.floats(-90, 90), st.floats(-180, 180)),
    tags=st.none() | st.frozensets(TEXTS, max_size=4),
    visibility=st.sampled_from(["timeline", "archive", "hidden", "locked"]),
    is_trashed=st.booleans(),
    width=st.none() | st.integers(0, 10**6),
    height=st.none() | st.integers(0, 10**6),
    filename=TEXTS,
    library_id=st.none() | TEXTS,
)


@given(st.lists(ASSETS, max_size=40, unique_by=lambda asset: asset.asset_id))
def test_what_is_looked_up_is_what_was_put_in(assets):
    packed = CompactAssets(assets)
    assert list(packed.values()) == assets
    moved = CompactAssets(assets[:3])
    for asset in assets:
        moved.take(asset.asset_id, packed)
    assert list(moved.values()) == assets
    assert not packed


def test_of_a_listing_without_tags_it_is_known_that_there_are_none():
    untagged, tagged = CompactAssets(untagged=True), ObservedAsset("b", "me", DAY, tags=frozenset({"x"}))
    untagged["b"] = tagged
    untagged.take("a", CompactAssets([ObservedAsset("a", "me", DAY)]))
    assert (untagged["a"].tags, untagged["b"].tags) == (frozenset(), frozenset({"x"}))


def test_it_takes_a_fifth_of_the_memory_and_is_nothing_to_sweep():
    text = "✦ M {} · NGC 224\nGalaxy in Andromeda\n\nTelescope: FRA400\nCamera: ASI2600MM\n— Skymmich"
    assets = [
        ObservedAsset(f"{n:036}", "me" * 18, DAY, text.format(n), filename=f"{n}.jpg") for n in range(500)
    ]
    shelf: list[bytes] = []
    packed = CompactAssets(assets, shelf=lambda: shelf)
    assert list(packed.values()) == assets
    assert sum(map(len, shelf)) / len(shelf) / 64 < 80


class Nowhere:
    """A shelf that takes no memory, as a file does."""

    def __init__(self) -> None:
        self._count = 0

    def append(self, _: bytes) -> None:
        self._count += 1

    def __len__(self) -> int:
        return self._count


def test_where_the_packs_are_elsewhere_each_costs_what_it_is_found_by():
    taken = []
    for count in (4_000, 8_000):
        random = Random(5)
        ids = [str(UUID(int=random.getrandbits(128))) for _ in range(count)]
        tracemalloc.start()
        packed = CompactAssets(shelf=Nowhere)
        for asset_id in ids:
            packed[asset_id] = ObservedAsset(asset_id, "me", DAY, f"the text of {asset_id}")
        taken.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert len(packed) == count
    assert (taken[1] - taken[0]) / 4_000 <= 40


def test_some_are_spread_over_all_and_all_come_in_stretches():
    assets = [ObservedAsset(f"{n}", "me", DAY, f"{n}") for n in range(300)]
    packed = CompactAssets(assets)
    for n in range(100):
        del packed[f"{n}"]
    assert packed.spread(3) == ["100", "200"]
    stretches = list(packed.stretches(90))
    assert list(map(len, stretches)) == [0, 80, 90, 30]
    assert [one for several in stretches for one in several] == list(packed)
    packed["150"] = ObservedAsset("150", "me", DAY, "another")
    assert (packed["150"].description, len(packed)) == ("another", 200)


def test_what_is_not_there_is_an_error():
    with pytest.raises(KeyError):
        CompactAssets()["a"]
