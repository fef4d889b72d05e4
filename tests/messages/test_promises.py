"""One vocabulary, and no face takes a sentence apart: promises that are held by looking at the code itself."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

import reconciler
from reconciler.core.plan.guard import Cause
from reconciler.core.plan.merge import Action, Case
from reconciler.core.records import AssetStatus, Field, JournalField, RunOutcome, Trigger
from reconciler.messages import conditions, headlines, vocabulary
from reconciler.messages.answers import SAID
from reconciler.messages.guard import MENDS
from reconciler.service.api import ConditionReason, ConditionType, HeadlineCode, Level
from reconciler.service.conditions import _FILED, ORDER
from reconciler.web import tones

ROOT = Path(reconciler.__file__).parent
FACES = ("web", "cli", "models", "service", "daemon", "app")
TEMPLATES = sorted((ROOT / "web" / "templates").glob("*.html"))
APART = frozenset(
    [
        "startswith",
        "endswith",
        "partition",
        "rpartition",
        "split",
        "rsplit",
        "removeprefix",
        "removesuffix",
        "replace",
        "strip",
        "rstrip",
        "lstrip",
        "find",
        "index",
        "count",
        "splitlines",
    ]
)
"""What takes a text apart."""
SAID_OF_THINGS = frozenset({"message", "headline", "summary", "details"})
"""What holds a sentence, or what one is made of, wherever it is; ``reason`` and ``remedy`` of a thing, too."""


def _modules():
    return [path for room in FACES for path in sorted((ROOT / room).rglob("*.py"))]


def _is_said(node):
    if isinstance(node, ast.Attribute):
        return node.attr in SAID_OF_THINGS | {"reason", "remedy"}
    return isinstance(node, ast.Name) and node.id in SAID_OF_THINGS


def taken_apart(source):
    """Return the lines in which a sentence is taken apart, or something is looked for in one."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            over = _is_said(node.func.value) and node.func.attr in APART
            regex = isinstance(node.func.value, ast.Name) and node.func.value.id == "re"
            if over or (regex and any(map(_is_said, node.args))):
                found.append(node.lineno)
        elif isinstance(node, ast.Compare) and any(isinstance(op, ast.In | ast.NotIn) for op in node.ops):
            (inside,) = node.comparators[-1:]
            if _is_said(inside) and not (isinstance(inside, ast.Attribute) and inside.attr == "details"):
                found.append(node.lineno)
        elif isinstance(node, ast.Subscript) and _is_said(node.value) and isinstance(node.slice, ast.Slice):
            found.append(node.lineno)
    return found


@pytest.mark.parametrize(
    "source",
    [
        "condition.message.startswith('x')",
        "snapshot.headline.partition(': ')",
        "';' in run.summary",
        "re.sub('a', 'b', one.reason)",
        "message.replace('a', 'b')",
        "error.remedy[:3]",
    ],
)
def test_the_search_finds_a_sentence_that_is_taken_apart(source):
    assert taken_apart(source) == [1]


@pytest.mark.parametrize("path", _modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_face_takes_a_sentence_apart(path):
    assert taken_apart(path.read_text()) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_takes_a_sentence_apart(path):
    names = "message|headline|summary|reason|remedy"
    way = r"\.(?:partition|split|startswith|endswith|replace|rstrip|strip)\b|\s*\|\s*replace"
    assert re.findall(rf"\b(?:{names})(?:{way})", path.read_text()) == []


@pytest.mark.parametrize(
    ("messages", "codes"),
    [
        (vocabulary.STATES, AssetStatus),
        (vocabulary.MEANINGS, AssetStatus),
        (vocabulary.LEVELS, Level),
        (vocabulary.TRIGGERS, Trigger),
        (vocabulary.CASES, Case),
        (vocabulary.ACTIONS, Action),
        (conditions.HOLDS, ConditionType),
        (conditions.BROKEN, ConditionType),
        (headlines.HEADLINES, HeadlineCode),
        (MENDS, Cause),
        (tones.STATE_TONES, AssetStatus),
    ],
)
def test_every_code_of_a_kind_has_its_words(messages, codes):
    assert set(messages) == set(get_args(codes))


def test_every_field_outcome_and_notice_has_its_words():
    assert (
        set(vocabulary.FIELDS) == set(vocabulary.FIELD_TITLES) == {*get_args(Field), *get_args(JournalField)}
    )
    assert set(vocabulary.OUTCOMES) == {*get_args(RunOutcome), "quiet", "unexpected"}
    assert set(tones.OUTCOME_TONES) == set(get_args(RunOutcome))
    assert set(tones.ANSWER_TONES) == set(SAID)


def test_every_error_is_filed_under_a_known_condition_for_a_known_reason():
    assert {kind for _, kind, _ in _FILED} <= set(ORDER)
    assert {why for _, _, why in _FILED} <= set(get_args(ConditionReason))


def _labels():
    """Return how states are called, but for those whose name is their code's."""
    tables = (vocabulary.STATES, vocabulary.LEVELS, vocabulary.CASES)
    codes = {code for table in tables for code in table} | set(vocabulary.OUTCOMES)
    return {message.one.lower() for table in tables for message in table.values()} - codes


def _texts(source):
    tree = ast.parse(source)
    return {
        node.value.lower()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


@pytest.mark.parametrize("room", [*FACES, "engine", "core"])
def test_no_state_is_called_by_a_word_outside_the_catalogue_of_messages(room):
    found = {
        (str(path.relative_to(ROOT)), text)
        for path in (ROOT / room).rglob("*.py")
        for text in _texts(path.read_text()) & _labels()
    }
    # In the demo it is the name of a switch of the simulator.
    assert found - {("cli/demo_stage.py", "settling")} == set()


@pytest.mark.parametrize("path", [*TEMPLATES, ROOT / "web" / "static" / "app.js"], ids=lambda path: path.name)
def test_no_template_names_a_state_itself(path):
    text = path.read_text().lower()
    assert [label for label in _labels() if re.search(rf"[\"'>]{re.escape(label)}[\"'<]", text)] == []
