"""The solver's sentence is nobody's prose: on neither side, and only where it is a line of its own."""

from __future__ import annotations

import pytest

from reconciler.core.desired.desired import desire_with
from reconciler.core.desired.solver_sentence import SENTENCE, without_sentence
from reconciler.core.policy import Policy


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        (SENTENCE, ""),
        (f"  {SENTENCE}\r", ""),
        (f"Mine\n\n{SENTENCE}\n\nToo", "Mine\n\nToo"),
        (f"“{SENTENCE}”, it says", f"“{SENTENCE}”, it says"),
        (f"{SENTENCE}!", f"{SENTENCE}!"),
        (" Mine\n\n\n too ", " Mine\n\n\n too "),
    ],
)
def test_it_goes_and_every_other_byte_stays(text, rest):
    assert without_sentence(text) == rest
    assert without_sentence(rest) == rest


def test_it_never_displaces_the_catalogue_s_words(make):
    plan = make.plan(make.desired(block=make.block, prose="My own words."), make.asset(SENTENCE))
    assert plan.description == f"My own words.\n\n{make.block}"
    assert not plan.conflicts
    assert not plan.takes_away


def test_it_alone_is_no_reason_to_write(make):
    record = make.record(block=make.block, prose="Mine")
    observed = make.asset(f"Mine\n\n{SENTENCE}\n\n{make.block}")
    plan = make.plan(make.desired(block=make.block, prose="Mine"), observed, record)
    assert not plan.changes
    assert plan.base == record.applied


def test_it_goes_when_the_text_is_written_and_a_person_s_words_stay(make):
    plan = make.plan(make.desired(block=make.block, prose="Catalogue"), make.asset(f"By hand\n{SENTENCE}"))
    assert plan.description == f"By hand\n\n{make.block}"
    assert make.decision(plan, "prose") == ("conflict", "keep")


def test_in_the_catalogue_it_is_no_description(make):
    assert desire_with("", make.image(description=SENTENCE), Policy(), make.form()).prose is None
