"""What people read has one name per thing: the glossary of CONTRIBUTING.md, and a noun that fits its number."""

from __future__ import annotations

import ast
import re
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import jinja2
import pytest

from reconciler.cli.app import COMMANDS, main
from reconciler.messages.nouns import NOUNS, counted
from reconciler.web.api.openapi import document
from tests.messages.extract import messages

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = sorted((ROOT / "reconciler" / "web" / "templates").glob("*.html"))
SOURCES = [
    path
    for room in ("reconciler", "state")
    for path in sorted((ROOT / room).rglob("*.py"))
    if not {"simulator", "migrations"} & set(path.parts)
]
SAID = {
    text
    for path in SOURCES
    if "Message(" in (source := path.read_text(encoding="utf-8"))
    for one, many in messages(ast.parse(source)).items()
    for text in (one, many)
}
"""The catalogue of messages: the template of all translations has just these."""

ELSEWHERE = {
    r"\bpass (it|them|requests?)\b|\bproxy pass\b": "a proxy passes requests on",
    r"\[notices\]": "the name of a section",
    r"\$pass\b|\bproxy_pass\b": "nginx's word",
    r"`[^`]*`": "a command, or code",
    r"\bphotos\.example\b": "a name of a server",
}
"""Where a word means something else, or is no word."""


LIMITS = {"most": "200 tags, 2,000 characters", "limit": "6,000 bytes"}
"""Parameters that are a constant of the program, and never one."""
PLURALS = {message.many.rpartition(" ")[2] for message in NOUNS.values()}
ADJECTIVES = "(?:(?:linked|managed|more|newer|other|journal) )?"
WRITTEN = ("number", "images")
"""Parameters that are the count as a face writes it, beside the one that decides."""
UNCOUNTED = {"answers", "is", "has", "was", "always", "this", "its", "as", "UTC"}
"""What ends as a plural does, and is no noun."""


def glossary(text):
    """Return the word for each word that is not to be used."""
    table = text.partition("\n## Words\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    return {other: word for word, _, others in rows[2:] for other in others.split(", ")}


GLOSSARY = glossary((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"))
WRONG = re.compile(rf"\b({'|'.join(map(re.escape, GLOSSARY))})(e?s)?\b", re.IGNORECASE)


def not_to_be_used(texts):
    """Return each text with a wrong word, with that word and the right one."""
    found = []
    for text in texts:
        shown = re.sub("|".join(ELSEWHERE), "", text)
        found += [(hit[1], GLOSSARY[hit[1].lower()], text) for hit in WRONG.finditer(shown)]
    return found


class _Seen(HTMLParser):
    """Gathers what a person reads of a page: its texts, and the attributes that are shown or spoken."""

    def __init__(self):
        super().__init__()
        self.texts = []

    def handle_starttag(self, _, attributes):
        self.texts += [
            value
            for name, value in attributes
            if name in {"title", "alt", "aria-label", "placeholder", "data-confirm"}
        ]

    def handle_data(self, data):
        self.texts.append(data)


def texts_of(source):
    """Return what a page's template says by itself: its texts without the tags, and the texts in its code."""
    environment = jinja2.Environment(autoescape=False)  # only read
    page = _Seen()
    page.feed(
        "".join(
            value if kind == "data" else "…" if kind == "variable_end" else ""
            for _, kind, value in environment.lex(source)
        )
    )
    in_code = [node.value for node in environment.parse(source).find_all(jinja2.nodes.Const)]
    return page.texts + [
        text for text in in_code if isinstance(text, str) and (" " in text or text.istitle())
    ]


def sentences_of(path):
    """Return the texts of a module that are sentences, and not its docstrings."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    notes = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }
    return [
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant)
        and isinstance(node.value, str)
        and id(node) not in notes
        and " " in node.value
        and not re.match("SELECT|INSERT|UPDATE|DELETE", node.value)
    ]


def described(value: Any):
    """Yield all that a description of an API says in sentences."""
    if isinstance(value, dict):
        for key, one in value.items():
            if key in {"description", "summary"} and isinstance(one, str):
                yield one
            else:
                yield from described(one)
    elif isinstance(value, list):
        for one in value:
            yield from described(one)


def test_the_glossary_is_read():
    assert GLOSSARY["pass"] == "run"
    assert GLOSSARY["rolled back"] == "taken back"
    assert len(GLOSSARY) > 30


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Two passes ended.", "passes"),
        ("Facts of the image", "facts"),
        ('<p title="No pass">…</p>', "pass"),
        ('{{ "a pass" if one else "two words" }}', "pass"),
    ],
)
def test_a_wrong_word_is_noticed_wherever_it_stands(text, word):
    assert not_to_be_used(texts_of(text))[0][0].lower() in word


@pytest.mark.parametrize(
    "text", ["{% set passes = 1 %}{{ passes }}", '<p class="facts">Image</p>', "<i>pass it on</i>"]
)
def test_what_nobody_reads_may_be_called_otherwise(text):
    assert not_to_be_used(texts_of(text)) == []


def test_every_message_keeps_to_the_glossary():
    assert len(SAID) > 300
    assert not_to_be_used(SAID) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_every_page_keeps_to_the_glossary(path):
    assert not_to_be_used(texts_of(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "command",
    ["", *sorted(set(COMMANDS) - {"simulator"}), "settings set", "settings follow", "notices test"]
    + [f"template {name}" for name in ("try", "set", "reset")],
)
def test_every_help_keeps_to_the_glossary(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main([*command.split(), "--help"]) == 0
    shown = re.sub(r"[│╭╮╰╯─]+", " ", capsys.readouterr().out)
    assert not_to_be_used([" ".join(shown.split())]) == []


def test_errors_answers_and_findings_keep_to_the_glossary():
    """What no catalogue of messages has: what errors say, what commands print, what the doctor finds."""
    assert {
        path.relative_to(ROOT).as_posix(): wrong
        for path in SOURCES
        if (wrong := not_to_be_used(sentences_of(path)))
    } == {}


def test_the_description_of_the_api_keeps_to_the_glossary():
    texts = list(described(document()))
    assert len(texts) > 50
    assert not_to_be_used(texts) == []


def one_for_all(one, many="", count="count"):
    """Return the parameters of a message that stand before a plural, and do not decide about it."""
    found = re.findall(rf"\{{(\w+)\}} {ADJECTIVES}(\w+s)\b", many or one)
    return [
        name
        for name, noun in found
        if noun not in UNCOUNTED and name not in LIMITS and not (many and name in {count, *WRITTEN})
    ]


def test_a_message_that_counts_has_a_form_for_one():
    """A number before a noun is said by ngettext: nobody reads "1 images"."""
    calls = [
        node
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Message"
    ]
    assert len(calls) > 300
    wrong = []
    for call in calls:
        names = ("one", "many", "count", "by_hand")
        given = dict(zip(names, map(ast.literal_eval, call.args), strict=False))
        given |= {word.arg: ast.literal_eval(word.value) for word in call.keywords}
        by_hand = given.pop("by_hand", "")
        wrong += [given["one"]] if one_for_all(**given) or one_for_all(by_hand) else []
    assert wrong == []


@pytest.mark.parametrize(
    ("message", "wrong"),
    [
        (("{count} images",), ["count"]),
        (("{count} image", "{count} images"), []),
        (("{count} image", "{count} images", "size"), ["count"]),
        (("{before} linked images",), ["before"]),
        (("more than {most} tags",), []),
        (("{column} is empty",), []),
    ],
)
def test_a_noun_that_does_not_fit_its_number_is_noticed(message, wrong):
    assert one_for_all(*message) == wrong


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_page_leaves_plurals_to_gettext(path):
    """``{{ 5 | counted("image") }}`` says both: no page makes a plural by itself."""
    source = path.read_text(encoding="utf-8")
    assert not re.search(r"""['"](e?s|ies)['"] if|else ['"](e?s|ies)['"]""", source)
    shown = re.findall(rf"\}}\}}(?:</\w+>)? {ADJECTIVES}(\w+s)\b", source)
    assert [noun for noun in shown if noun in PLURALS] == []


def test_a_command_leaves_plurals_to_gettext():
    """No face writes a number and a plural beside it into a text of its own."""
    rooms = ("cli", "app", "web", "models", "daemon")
    wrong = {}
    for path in (path for path in SOURCES if path.parts[-2] in rooms or path.parts[-3] in rooms):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.JoinedStr):
                continue
            for number, text in pairwise(node.values):
                limit = ast.unparse(number).strip("f'{}:,").startswith("MAX_")
                if isinstance(number, ast.FormattedValue) and isinstance(text, ast.Constant) and not limit:
                    noun = re.match(rf" {ADJECTIVES}(\w+)\b", str(text.value))
                    if noun and noun[1] in PLURALS:
                        wrong[f"{path.relative_to(ROOT)}:{node.lineno}"] = ast.unparse(node)
            if re.search(r"if .{1,30} (==|>) 1 else ('s'|'ies'|'')", ast.unparse(node)):
                wrong[f"{path.relative_to(ROOT)}:{node.lineno}"] = ast.unparse(node)
    assert wrong == {}


def test_a_number_is_said_with_its_noun():
    assert [counted(count, "address") for count in (0, 1, 2000)] == [
        "0 addresses",
        "1 address",
        "2,000 addresses",
    ]
    assert counted(2000, "image", "2 000") == "2 000 images"
