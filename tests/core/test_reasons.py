"""Reasons as values: what is stored comes back as it was."""

from __future__ import annotations

import json

import pytest

from reconciler.core.reasons import CODES, Reason, from_json, reason, to_json, told


def test_reasons_come_back_from_the_store_as_they_were():
    reasons = (
        reason("fill").of("block", "prose"),
        reason("told", text="as it was", names=("a", "b"), count=3),
    )
    assert from_json(json.loads(json.dumps(to_json(reasons)))) == reasons
    assert to_json([reason("fill")]) == [{"code": "fill"}]


def test_a_reason_is_the_same_whatever_the_order_of_its_parameters():
    assert reason("told", b=1, a=2) == reason("told", a=2, b=1)
    assert reason("told", text="this").get("text") == "this"
    assert reason("told").get("text") is None


def test_a_text_without_a_code_is_kept():
    assert told("said before there were codes") == (reason("told", text="said before there were codes"),)
    assert told("") == ()


def test_a_code_of_a_later_version_is_named_as_it_is():
    assert from_json([{"code": "of_tomorrow", "params": {"x": 1}}]) == (reason("told", text="of_tomorrow"),)


@pytest.mark.parametrize(
    "found", [{}, {"code": 1}, {"code": "fill", "fields": "block"}, {"code": "fill", "params": []}]
)
def test_what_is_no_reason_is_an_error(found):
    with pytest.raises(ValueError, match="not a reason"):
        from_json([found])


def test_codes_are_plain_words():
    assert all(code.isidentifier() and code.islower() for code in CODES)
    assert isinstance(reason("fill"), Reason)
