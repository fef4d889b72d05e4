"""What is offered from replaced assets: kept with the record, also after the decision."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.asset import Coordinates
from reconciler.core.belongings import Album
from reconciler.core.carry_over import CarryOver, Kept
from reconciler.core.reasons import reason
from state.store import StateStore


@pytest.fixture
def offer(noon):
    kept = Kept(
        "Mine\u2028\U0001f52d",
        frozenset({"a/b"}),
        Coordinates(48.1, 11.6),
        noon,
        favorite=True,
        albums=(Album("1", "One"),),
    )
    return CarryOver(
        "old", "new", 1, "M 31", noon, "asset", kept, was_trashed=True, unknown=(reason("albums_unknown"),)
    )


def test_all_of_it_comes_back_also_from_a_store_that_is_opened_again(store, target, offer, noon):
    done = replace(
        offer, from_asset="older", state="carried", by="page", decided_at=noon, run_id="r1",
        left=(reason("not_carried_over").of("prose"),),
    )  # fmt: skip
    store.save_carry_overs([offer, done])
    with StateStore.open(target) as other:
        assert other.carry_overs(["new", "another"]) == {"new": (offer, done)}
    assert store.carry_overs() == {"new": (offer, done)}
    assert store.carry_overs([]) == {}
    assert store.carry_overs([f"none-{number}" for number in range(600)] + ["new"]) == {"new": (offer, done)}


def test_only_what_is_wanted_comes_with_the_record(store, make, offer):
    store.save_records([make.record("new")])
    store.save_carry_overs([offer])
    assert store.record("new").carrying == ()
    wanted = replace(offer, state="wanted")
    store.save_carry_overs([wanted])
    assert store.record("new").carrying == (wanted,)
    assert store.records()["new"].carrying == (wanted,)


def test_what_goes_on_to_a_newer_asset_leaves_the_one_before(store, offer):
    store.save_carry_overs([offer])
    store.save_carry_overs([replace(offer, to_asset="newer")], [offer])
    assert list(store.carry_overs()) == ["newer"]
