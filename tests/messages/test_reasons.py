"""Each reason that is made anywhere has its message, with just the parameters that it is made with."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import get_args

import pytest
from structlog.testing import capture_logs

import reconciler
from reconciler.app.wiring import listener
from reconciler.cli.commands.resolve import _FIELDS, Named
from reconciler.core.reasons import CODES, of_error, reason, told
from reconciler.core.records import Field
from reconciler.engine.events import Event
from reconciler.errors import AssetIncompleteError, AssetUnknownError, ImmichRejectedError
from reconciler.messages.details import DETAILS
from reconciler.messages.formats import field as called
from reconciler.messages.reasons import REASONS, sentence, words
from reconciler.models.reasons import Reason
from reconciler.models.reasons import told as told_as_json

UNSAID = {
    "error": {"kind"},
    "run_ended_early": {"kind"},
    "guard_holds": {"cause", "hash"},
    "loses": {"removed", "replaced", "tags"},
}
"""Parameters that no message says: they are for programs, or said in ``messages.guard`` by other messages."""
NOT_MADE = {"told", "undone", "run_status"}
"""Made by ``told`` and by reading a store."""
ROOT = Path(reconciler.__file__).parent


def calls():
    """Find each call of ``reason`` in the program: code, names of its parameters, and the values."""
    for path in sorted(ROOT.rglob("*.py")):
        source = path.read_text()
        for node in ast.walk(ast.parse(source)) if "reason(" in source else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "reason":
                yield f"{path.relative_to(ROOT)}:{node.lineno}:{node.col_offset}", node


CALLS = dict(calls())


def codes_of(call):
    """Give the codes that a call may make; none where it passes on what its caller names."""
    (code,) = call.args
    choices = [code.body, code.orelse] if isinstance(code, ast.IfExp) else [code]
    return [one.value for one in choices if isinstance(one, ast.Constant)]


def passed_on():
    """Find the codes that are named to something that makes a reason of them, and those that are cases."""
    return {
        node.value
        for room in ("core", "engine", "service", "skymmich", "app")
        for path in sorted((ROOT / room).rglob("*.py"))
        if path.name != "reasons.py"
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in CODES
    }


def placeholders(text):
    return set(re.findall(r"{(\w+)}", text))


@pytest.mark.parametrize("place", CALLS)
def test_a_reason_is_made_with_the_parameters_that_its_message_has(place):
    call = CALLS[place]
    given = {one.arg for one in call.keywords}
    for code in codes_of(call):
        message = REASONS[code]
        for text in (message.one, message.many or message.one, message.by_hand or message.one):
            due = placeholders(text) | UNSAID.get(code, set())
            # What comes in a mapping has no name here.
            assert given - {None} <= due if None in given else given == due


@pytest.mark.parametrize("place", CALLS)
def test_no_sentence_is_given_as_a_parameter(place):
    """Words in a parameter would be said in no other language: they belong into the message."""
    for keyword in CALLS[place].keywords:
        texts = [one for one in ast.walk(keyword.value) if isinstance(one, ast.Constant)]
        assert not [one.value for one in texts if isinstance(one.value, str) and " " in one.value.strip()]


def test_every_code_is_used():
    made = {code for call in CALLS.values() for code in codes_of(call)} | passed_on()
    assert made | NOT_MADE == set(CODES)


def test_reasons_are_compared_by_code_and_no_message_is_taken_apart():
    """No sentence stands where a reason is due, and nothing below the faces knows a message."""
    below = [path for room in ("core", "engine", "service") for path in (ROOT / room).rglob("*.py")]
    assert not [path for path in below if "from reconciler.messages" in path.read_text()]
    for path in below:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.keyword) and node.arg in {"reasons", "diagnosis", "blocked", "remark"}:
                assert not isinstance(node.value, ast.Constant | ast.JoinedStr), f"{path}:{node.value.lineno}"


def test_an_error_is_a_reason_that_names_its_class_and_says_its_text():
    error = ImmichRejectedError("Immich refused it.", remedy="Ask it why.")
    bare = of_error(error, remedy=False)
    assert bare == reason("error", kind="ImmichRejectedError", text="Immich refused it.")
    assert words(bare) == "Immich refused it."
    assert words(of_error(error)) == "Immich refused it. Ask it why."
    unknown = AssetUnknownError("a")
    assert of_error(unknown, remedy=False) == reason("not_shown", asset="a")
    assert words(of_error(unknown, remedy=False)) == unknown.message
    assert words(of_error(unknown)) == f"{unknown.message} {unknown.remedy}"
    lacking = AssetIncompleteError("a", ("exifInfo",), route="GET /assets/{id}", version="3.1.0")
    assert of_error(lacking) == reason("not_extracted")


def test_a_command_that_ends_promises_nothing_that_only_a_daemon_does():
    """What is said to be tried again by itself is tried again by nobody once a command has ended."""
    daemons = re.compile(r"next run|next one goes on|is tried again|is looked at again|by itself")
    said = {code: message.said_by("command").one for code, message in REASONS.items() if code not in DETAILS}
    assert [code for code, text in said.items() if daemons.search(text)] == []
    assert words(reason("digesting"), "command").endswith("run apply again to look")
    assert words(reason("digesting")).endswith("the next run looks again")
    assert words(reason("fill"), "command") == words(reason("fill"))


def test_no_secret_is_in_a_reason_as_json():
    """An error's text may quote an address or a header: the parameters are hidden as the words are."""
    leak = reason("error", kind="ImmichRejectedError", text="GET https://me:hunter22@immich.lan/ failed")
    many = reason("permission", lacking=("x-api-key: abcdefghijklmnopqrstuvwxyz", "tag.read"))
    shown = json.dumps([one.model_dump() for one in Reason.all((leak, many, None))])
    assert "hunter22" not in shown
    assert "abcdefghij" not in shown
    assert "hunter22" not in told_as_json((leak,))
    assert Reason.of(reason("tags_cut", most=200, count=3)).model_dump() == {
        "code": "tags_cut",
        "fields": [],
        "params": {"count": 3, "most": 200},
    }


def test_a_field_may_be_named_to_a_command_as_people_are_told_of_it():
    assert all(_FIELDS[called(field)] == _FIELDS[field] == field for field in get_args(Field))
    assert set(_FIELDS) == set(get_args(Named))


def test_the_log_has_a_reasons_code_and_its_words():
    why = reason("crossed")
    with capture_logs() as lines:
        listener()(Event("asset.crossed", "warning", "run-1", 7, "a", {"title": "M 31", "why": why}))
    (line,) = lines
    assert (line["why"], line["why_code"], line["title"]) == (words(why), "crossed", "M 31")


def test_a_text_of_an_older_version_is_said_as_it_was():
    assert sentence(told("prose: it {was} so")) == "prose: it {was} so"


def test_of_several_reasons_only_the_last_ends_with_a_full_stop():
    text = sentence((reason("kept_otherwise").of("block"), reason("sign_turned").of("coordinates")))
    assert ".;" not in text
    assert text.endswith("or leave it.")
    assert sentence(()) == ""


def test_a_stored_reason_with_other_parameters_costs_no_page():
    """A store of another version, or a translation that was made by hand."""
    assert words(reason("unusable", text="it")) == REASONS["unusable"].one


def test_every_word_of_a_command_is_said_in_its_own_voice():
    """Else one promises what only a daemon does, for nothing goes on once a command has ended."""
    silent = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "cli").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        if node.func.id in {"words", "sentence"} and len(node.args) + len(node.keywords) < 2
    ]
    assert silent == []
