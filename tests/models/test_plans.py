"""The JSON of plans: what it has beside the sentences."""

from __future__ import annotations

from reconciler.core.catalogue import RowProblem
from reconciler.core.reasons import reason
from reconciler.models.plans import RowProblem as Json


def test_a_plan_s_json_has_the_code_beside_the_sentence_and_no_secret():
    why = reason("row_no_text", column="title", value="api_key=abcdefghijklmnop")
    shown = Json.of(RowProblem("images", 3, why)).model_dump()
    assert shown["reason"].startswith("title is not text")
    assert "abcdefghijklmnop" not in repr(shown)
    (code,) = shown["reasons"]
    assert (code["code"], code["params"]["column"]) == ("row_no_text", "title")
