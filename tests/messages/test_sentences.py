"""What holds of all words: nothing takes a sentence apart, and only the catalogue of messages makes one of a code."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SENTENCES = {"reason", "message", "headline", "summary", "sentence", "remark", "diagnosis", "remedy"}
"""What is for people wherever it goes by such a name."""
OTHERS = {
    "reconciler/config/sources.py": "tomllib gives the place of an error in its text alone",
    "reconciler/immich/writer.py": "Immich gives the permission that is missing in its text alone",
    "state/postgres/words.py": "libpq gives why it lets nobody in in its text alone",
}
"""Modules that read a sentence of somebody else's, who gives nothing better."""
TAKING_APART = {
    "startswith", "endswith", "split", "rsplit", "splitlines", "partition", "rpartition", "removeprefix",
    "removesuffix", "find", "index", "search", "match", "fullmatch", "findall", "finditer", "sub",
}  # fmt: skip


def _is_sentence(node):
    """Return whether an expression is a sentence by its name, or was made just there."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in {"words", "sentence", "say"}
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name.lstrip("_") in SENTENCES


def taken_apart(tree):
    """Yield the lines in which a method, or a regular expression, looks into a sentence."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in TAKING_APART and any(map(_is_sentence, (node.func.value, *node.args))):
                yield node.lineno
        elif isinstance(node, ast.Compare):
            pairs = zip(node.ops, node.comparators, strict=True)
            if any(isinstance(op, ast.In | ast.NotIn) and _is_sentence(right) for op, right in pairs):
                yield node.lineno


@pytest.mark.parametrize(
    "code",
    [
        'condition.message.startswith("Partly")',
        "re.match(PATTERN, record.reason)",
        '"held" in snapshot.headline',
        '_BY_HAND.sub("", words(reason))',
        "summary.split(';')",
    ],
)
def test_a_sentence_that_is_taken_apart_is_noticed(code):
    assert list(taken_apart(ast.parse(code))) == [1]


@pytest.mark.parametrize(
    "code", ["reason in known", "reason.code in {'fill'}", "summary.filters.split(',')", "reasons[0]"]
)
def test_a_value_that_is_looked_up_is_none(code):
    assert list(taken_apart(ast.parse(code))) == []


def test_no_sentence_is_taken_apart():
    found = {
        path.relative_to(ROOT).as_posix()
        for room in ("reconciler", "state")
        for path in (ROOT / room).rglob("*.py")
        if any(taken_apart(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert found == OTHERS.keys()
