"""What an undo says of descriptions: each kind has its own sentence, with how many."""

from __future__ import annotations

from itertools import product
from typing import get_args

from reconciler.core.plan.undo import Return, TextReturn
from reconciler.messages.undo import TEXTS, texts


def test_each_kind_has_a_sentence_of_its_own():
    assert TEXTS.keys() == set(product(get_args(Return), repeat=2))
    assert len({message.one for message in TEXTS.values()}) == len(TEXTS)


def test_a_sentence_stands_for_each_kind_that_there_is_with_its_count():
    found = {TextReturn("stays", "removed"): 1, TextReturn("former", "stays"): 4, TextReturn("removed"): 0}
    assert texts(found) == (
        "4 descriptions: the block becomes what it was before.",
        "1 description: only the prose is removed.",
    )
    assert texts({TextReturn("removed"): 5001}) == ("5,001 descriptions: the block is removed.",)
    assert texts({}) == ()
