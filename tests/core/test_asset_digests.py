"""Digests of very many assets, and the digest of very long lists."""

from __future__ import annotations

import tracemalloc
from random import Random
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.asset_digests import AssetDigests
from reconciler.core.fingerprint import digest, digest_of_lists

IDS = st.integers(0, 9).map(lambda n: str(UUID(int=n * 0x0E3779B97F4A7C15F39CC0605CEDC835)) if n else "odd")
TEXTS = st.sampled_from(["", "harm", "0123456789abcdef0123", "00000000000000000000", "0123456789ABCDEF0123"])


@given(st.lists(st.tuples(IDS, TEXTS | st.none()), max_size=20))
@settings(deadline=None)
def test_they_are_a_dictionary_of_texts(steps):
    found, plain = AssetDigests(), dict[str, str]()
    for asset_id, text in steps:
        if text is None:
            assert found.pop(asset_id, "none") == plain.pop(asset_id, "none")
        else:
            found[asset_id] = plain[asset_id] = text
    assert list(found.items()) == list(plain.items())
    assert found == plain
    assert AssetDigests(plain.items()) == found


@given(
    st.lists(st.text(max_size=3), max_size=2), st.lists(st.text(max_size=5)), st.lists(st.tuples(IDS, TEXTS))
)
@settings(deadline=None)
def test_the_digest_of_long_lists_is_the_digest_of_them(texts, first, second):
    assert digest_of_lists(texts, first, second) == digest(*texts, first, second)


def test_a_digest_costs_a_tenth_of_its_text():
    taken = []
    for count in (10_000, 20_000):
        random = Random(3)
        pairs = [
            (str(UUID(int=random.getrandbits(128))), f"{random.getrandbits(80):020x}") for _ in range(count)
        ]
        tracemalloc.start()
        found = AssetDigests(pairs)
        taken.append(tracemalloc.get_traced_memory()[0])
        tracemalloc.stop()
        assert len(found) == count
    assert (taken[1] - taken[0]) / 10_000 <= 45
