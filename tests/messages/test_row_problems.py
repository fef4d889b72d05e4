"""What is wrong with a row of the catalogue, as people read it."""

from __future__ import annotations

import pytest

from reconciler.core.reasons import CODES, reason
from reconciler.messages.reasons import words
from reconciler.messages.row_problems import ROW_PROBLEMS

NEWER = "a newer Skymmich may have renamed it: look for a newer version of this program"
STAYS = "so what Immich shows of it stays as it is"
SENTENCES = [
    (reason("row_binary", column="title", size=3), "title is not text but 3 bytes of binary data"),
    (
        reason("row_binary_ignored", column="object_type", size=1),
        "object_type is not text but 1 byte of binary data; it is ignored",
    ),
    (
        reason("row_too_long_ignored", column="title", most=2000, size=1000000),
        "title is longer than 2,000 characters (1,000,000); it is ignored",
    ),
    (
        reason("row_too_small", column="iso", minimum="0", value="-1"),
        "iso is less than 0 (-1); it is ignored",
    ),
    (
        reason("row_odd_answer", column="result", keys=("ra", "dec"), value="'x'"),
        "result has no usable ra and dec ('x'); it is ignored",
    ),
    (
        reason("row_linked_twice", asset="a1", image="1200"),
        "it is linked to asset a1, as is image 1200 already; the image counts as not linked",
    ),
    (
        reason("row_no_switch", key="syncTags"),
        "the setting syncTags is neither true nor false; it counts as off, unless an earlier reading is known",
    ),
    (
        reason("row_columns_missed", columns=("ra", "dec")),
        f"the table has no column ra and dec any more, {STAYS}; {NEWER}",
    ),
    (
        reason("row_table_emptied_missed"),
        f"the table, which once had rows, has none, {STAYS}; {NEWER}",
    ),
    (reason("error", kind="TemplateError", text="no such name {x}"), "no such name {x}"),
]


@pytest.mark.parametrize(("found", "sentence"), SENTENCES)
def test_a_row_s_problem_is_told_as_a_sentence(found, sentence):
    assert words(found) == sentence


def test_all_codes_of_rows_have_their_message_here():
    assert set(ROW_PROBLEMS) == {code for code in CODES if code.startswith("row_")}
