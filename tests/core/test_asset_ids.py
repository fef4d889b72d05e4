"""Asset ids in sixteen bytes: they behave as the sets and lists of texts whose place they take."""

from __future__ import annotations

import tracemalloc
from random import Random
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.asset_ids import AssetIds, AssetIndex, id_of, key_of, smallest

UUIDS = st.integers(0, 40).map(lambda n: str(UUID(int=(n * 0x9E3779B97F4A7C15F39CC0605CEDC835) % 2**128)))
ODD = st.sampled_from(["", "a1", "zz", "A" * 36, "0" * 36, "g" * 36, "00000000-0000-0000-0000-000000000000"])
IDS = st.lists(UUIDS | ODD, max_size=30)


def _some(count: int, seed: int = 1) -> list[str]:
    random = Random(seed)
    return [str(UUID(int=random.getrandbits(128))) for _ in range(count)]


@given(IDS, IDS)
@settings(deadline=None)
def test_they_are_sets_of_texts(mine, theirs):
    ids, others, plain, second = AssetIds(mine), AssetIds(theirs), set(mine), set(theirs)
    assert list(ids) == sorted(plain) == [ids[place] for place in range(len(ids))]
    assert [ids.place_of(one) for one in ids] == list(range(len(plain)))
    assert all((one in ids) == (one in plain) for one in [*mine, *theirs])
    for other in (others, second, frozenset(second)):
        assert set(ids & other) == plain & second
        assert set(ids | other) == plain | second
        assert set(ids - other) == plain - second
        assert set(other - ids) == second - plain
        assert set(ids ^ other) == plain ^ second
        assert list(ids | other) == sorted(plain | second)
        assert ids.isdisjoint(other) == plain.isdisjoint(second)
        assert (ids == other) == (plain == second)
        assert (ids <= other) == (plain <= second)


@given(IDS, IDS)
@settings(deadline=None)
def test_places_of_keys_are_those_of_the_texts(mine, asked):
    ids = AssetIds(mine)
    keys = b"".join(map(key_of, asked))
    odd = {place: one for place, one in enumerate(asked) if not any(key_of(one))}
    wanted = [-1 if (place := ids.place_of(one)) is None else place for one in asked]
    assert list(ids.places_of_keys(keys, odd)) == wanted
    assert AssetIds.of_keys(keys, odd.values()) == AssetIds(asked)


@given(IDS, IDS, st.integers(1, 9))
@settings(deadline=None)
def test_an_index_is_a_dictionary_from_texts_to_places(mine, gone, size):
    index, plain = AssetIndex(), dict[str, int]()
    for one in mine:
        assert index.add(one) == plain.setdefault(one, len(plain))
    for one in gone:
        if one in plain:
            index.drop(one)
            del plain[one]
        else:
            with pytest.raises(KeyError):
                index.drop(one)
    assert list(index) == list(plain)
    assert [one for several in index.stretches(size) for one in several] == list(plain)
    assert {one: index.place_of(one) for one in {*mine, *gone}} == {
        one: plain.get(one) for one in {*mine, *gone}
    }
    assert len(index) == len(plain)
    some = index.spread(3)
    assert len(some) == len(set(some)) <= 3
    assert set(some) <= plain.keys()
    assert bool(some) == bool(plain)


def test_only_what_immich_writes_as_a_uuid_is_kept_as_one():
    known = "0b4a6f9e-1c2d-4e3f-8a9b-0c1d2e3f4a5b"
    assert id_of(key_of(known)) == known
    for odd in ("", known.upper(), known.replace("-", ""), known[:-1] + "g", f" {known[1:]}"):
        assert not any(key_of(odd))


def test_the_first_of_many_are_found_without_a_look_at_all():
    ids = _some(50)
    assert smallest(AssetIds(ids), 3) == smallest(ids, 3) == sorted(ids)[:3]
    assert smallest(AssetIds(ids), 2, without=[min(ids)]) == sorted(ids)[1:3]


@pytest.mark.parametrize(("kind", "most"), [(AssetIds, 17), (AssetIndex, 40)])
def test_each_costs_a_few_bytes(kind, most):
    taken = []
    for count in (20_000, 40_000):
        ids = _some(count)
        tracemalloc.start()
        made = kind(ids)
        taken.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert len(made) == count
    assert (taken[1] - taken[0]) / 20_000 <= most
