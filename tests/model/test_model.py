"""People, Skymmich, faults, kills and lost stores in any order cost nobody a word; and the model would see it."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from reconciler.core.asset import Applied
from reconciler.core.records import AssetRecord
from tests.model.machine import Model
from tests.model.oracle import ViolationError
from tests.model.play import Play
from tests.thorough import several


@pytest.fixture
def play(tmp_path):
    made = Play(tmp_path)
    made.sync()
    yield made
    made.close()


def test_in_any_order_nothing_of_a_persons_is_lost_and_it_comes_to_rest():
    run_state_machine_as_test(
        Model,
        settings=settings(
            max_examples=several(20, 40),  # `make soak` goes on where this ends
            stateful_step_count=10,
            derandomize=True,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
            report_multiple_bugs=False,
        ),
    )


def test_the_model_sees_words_that_are_gone(play):
    play.act("people", "words below", 0, 0)
    play.here.settle()
    play.check()
    play.here.person(play.assets[0], "set_description", "Nobody noted this.")
    play.here.settle()
    with pytest.raises(ViolationError, match="is nowhere"):
        play.check()


def test_the_model_sees_a_pin_that_is_gone(play):
    play.act("people", "a pin", 0, 7)
    play.here.settle()
    play.here.person(play.assets[0], "set_coordinates", [1.5, 2.5])
    play.here.settle()
    with pytest.raises(ViolationError, match="is nowhere"):
        play.check()


@pytest.mark.parametrize("kind", ["a tag", "a tag under our root"])
def test_the_model_sees_a_tag_that_is_taken_off(play, kind):
    play.act("people", kind, 0)
    play.here.settle()
    record = play.here.store.record(play.assets[0])
    (theirs,) = play.oracle.of(play.assets[0]).tags
    owned = Applied(tags=record.applied.tags | {theirs})
    play.here.store.save_records([AssetRecord(record.asset_id, record.image_id, applied=owned)])
    with pytest.raises(ViolationError, match="a person's tag"):
        play.sync()


def test_the_model_sees_words_replaced_that_nobody_wished_to_be(play, monkeypatch):
    play.act("people", "all replaced", 0, 0)
    play.here.settle()
    monkeypatch.setattr(play, "_wished", lambda: False)
    play.act("setting", "correct prose")
    play.sync()
    play.here.settle()
    with pytest.raises(ViolationError, match="without anybody's wish"):
        play.check()


def test_the_model_sees_two_writes_that_meet(play):
    asset = play.here.state.assets[play.assets[0]]
    for text in ("one", "two"):
        exif = type(asset.exif)(description=text)
        play.here.state.write(asset, exif, ("description",), "client")
    with pytest.raises(ViolationError, match="two writes met"):
        play.check()


def test_the_model_sees_a_program_that_does_not_come_to_rest(play):
    run, here = play.here.run, play.here

    def restless(**how):
        play.act("skymmich", "title", 0)
        return run(**how)

    here.run = restless
    with pytest.raises(ViolationError, match="does not come to rest"):
        play.rest()


def test_a_process_that_is_killed_writes_nothing_any_more(play):
    play.act("skymmich", "title", 0)
    sent = len(play.here.line.sent)
    play.sync(deadly=("request", 6))
    assert play.tally["fault: killed"] == 1
    assert len(play.here.line.sent) == sent + 7
    play.rest()
