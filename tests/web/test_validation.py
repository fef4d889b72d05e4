"""What a body must be: each mistake with the sentence that whoever sent it reads."""

from __future__ import annotations

import pytest

from reconciler.models.requests import Changes, Choice, LookedAt, TemplateChange, TemplateTrial, Wish
from reconciler.web.api.problems import ProblemError
from reconciler.web.api.validation import valid

MISTAKES = [
    (Wish, {"full": 1}, "“full” must be true or false."),
    (Wish, {"fulll": True}, "There is no “fulll” here."),
    (Wish, {"image_ids": 1}, "“image_ids” must be a list."),
    (Wish, {"image_ids": []}, "“image_ids” must have 1 or more of them."),
    (Wish, {"image_ids": list(range(5001))}, "“image_ids” may have 5000 of them."),
    (Wish, {"image_ids": ["1"]}, "“image_ids” must be a whole number."),
    (Wish, {"image_ids": [True]}, "“image_ids” must be a whole number."),
    (Wish, {"image_ids": [-1]}, "“image_ids” must be 0 or more."),
    (Wish, {"image_ids": [2**53]}, "“image_ids” must be less than 9007199254740992."),
    (Wish, {"approve": 5}, "“approve” must be a text."),
    (Wish, {"approve": "a" * 101}, "“approve” may have 100 characters."),
    (Changes, {"syncTags": "off"}, "“syncTags” must be true or false."),
    (Choice, {}, "The body must have a “keep”."),
    (Choice, {"keep": "mine"}, "“keep” must be one of immich, skymmich, both."),
    (TemplateTrial, {"text": "a", "image_id": -1}, "“image_id” must be 0 or more."),
    (TemplateChange, {"text": "half \ud83d"}, "“text” has half a character in it."),
    (
        LookedAt,
        {"until": "2026-11-22T20:00:00"},
        "“until” must be a moment with its time zone, as 2026-11-22T20:00:00Z.",
    ),
]


@pytest.mark.parametrize(("model", "body", "sentence"), MISTAKES)
def test_a_mistake_is_explained(model, body, sentence):
    with pytest.raises(ProblemError) as caught:
        valid(model, body)
    assert (caught.value.status_code, caught.value.detail) == (400, sentence)


def test_what_is_right_is_taken():
    assert valid(Wish, {}).image_ids is None
    assert valid(Wish, {"image_ids": [1, 2], "full": True}).image_ids == [1, 2]
    assert valid(LookedAt, {"until": "2026-11-22T21:00:00+01:00"}).until.hour == 20
    assert valid(Changes, {"syncTags": False}).model_fields_set == {"syncTags"}
