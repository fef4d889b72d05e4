"""What a daemon does again by itself, a command asks for: the same hint, in two voices."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

import pytest

from reconciler.errors import Again, AnotherInstanceError, CatalogueError, ImmichTemporaryError
from reconciler.messages.voice import AGAIN, Voice, advice, told

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def test_each_voice_has_words_for_each_hint():
    assert set(AGAIN) == set(get_args(Voice))
    assert all(set(words) == set(get_args(Again)) for words in AGAIN.values())


@pytest.mark.parametrize(
    ("voice", "words"),
    [
        ("daemon", "It is locked. It is tried again by itself. If it lasts, restart Skymmich."),
        ("command", "It is locked. Run the command again. If it lasts, restart Skymmich."),
    ],
)
def test_an_error_says_when_it_is_tried_again_as_the_face_does(voice, words):
    error = CatalogueError("It is locked.", remedy="If it lasts, restart Skymmich.", again="by_itself")
    assert told(error, voice) == words


@pytest.mark.parametrize("voice", get_args(Voice))
def test_who_stands_back_is_told_what_helps_and_no_other_look(voice):
    said = told(AnotherInstanceError("attic", NOW, NOW), voice)
    assert said.endswith(
        "nothing was written. Keep only one of the two: stop the other one, and this one goes on within half a "
        "day, or take over at once: skymmich-reconciler adopt --take-over"
    )
    assert "apply" not in said


def test_without_a_hint_nothing_is_promised():
    assert told(ImmichTemporaryError("It is down.", remedy="Start it."), "daemon") == "It is down. Start it."
    assert told(ImmichTemporaryError("It is down."), "command") == "It is down."
    assert advice("", None, "daemon") == ""
