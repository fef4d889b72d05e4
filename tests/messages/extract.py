"""Write the templates of all translations anew.

Each ``Message("one", "many")`` of the program's source; and the words of the block: those of the built-in
template, and each ``say("…")`` of the facts.

``make messages`` runs it. It reads the source as Python does, so that no way of writing a call hides a message,
and writes what every gettext tool reads: https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import jinja2
from jinja2.ext import extract_from_ast

from reconciler.core.desired.template import DEFAULT_TEMPLATE

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "reconciler" / "messages" / "locale" / "skymmich-reconciler.pot"
BLOCK = ROOT / "reconciler" / "core" / "desired" / "locale" / "block.pot"
SAYING = {"say": 1, "say_many": 2}
"""The methods of ``Language``, and how many of their arguments are texts."""
NAMES = ("one", "many", "count", "by_hand")
HEADER = """\
# What skymmich-reconciler {does}. `make messages` writes this file; CONTRIBUTING.md says how to translate it.
msgid ""
msgstr ""
"Project-Id-Version: skymmich-reconciler\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=UTF-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=INTEGER; plural=EXPRESSION;\\n"
"""


def messages(tree: ast.Module) -> dict[str, str]:
    """Return the messages of a module: the text of one, and of many (empty where there is none).

    What a command says instead of it is a message of its own.

    Raises:
        SystemExit: one is not written out, so nobody could translate it.
    """
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _name(node.func) == "Message":
            given = dict(zip(NAMES, node.args, strict=False)) | {
                word.arg: word.value for word in node.keywords if word.arg in NAMES
            }
            texts = {name: _text(value) for name, value in given.items()}
            one, many = texts["one"], texts.get("many", "")
            found[one] = found.get(one) or many
            if by_hand := texts.get("by_hand"):
                found.setdefault(by_hand, "")
    return found


def _name(called: ast.expr) -> str:
    """Return the last part of what is called: ``c`` of ``a.b.c``."""
    return (
        called.attr
        if isinstance(called, ast.Attribute)
        else called.id
        if isinstance(called, ast.Name)
        else ""
    )


def _text(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise SystemExit(f"line {node.lineno}: a message is a text in quotation marks, not {ast.unparse(node)}")


def template(root: Path = ROOT) -> str:
    """Return the whole file; entries in order of their texts, each with the modules that say it."""
    many: dict[str, str] = {}
    places: dict[str, list[str]] = {}
    for room in ("reconciler", "state"):
        for path in sorted((root / room).rglob("*.py")):
            for one, others in messages(ast.parse(path.read_text(encoding="utf-8"))).items():
                many[one] = many.get(one) or others
                places.setdefault(one, []).append(path.relative_to(root).as_posix())
    return _file("says to people", many, places)


def block_template(root: Path = ROOT) -> str:
    """Return the file of the block's words."""
    found = [("template.py", *texts) for texts in _said_by_jinja(DEFAULT_TEMPLATE)]
    for path in sorted((root / "reconciler" / "core" / "desired").glob("*_facts.py")):
        found += [(path.name, *texts) for texts in _said(ast.parse(path.read_text(encoding="utf-8")))]
    tree = ast.parse((root / "reconciler" / "core" / "desired" / "facts.py").read_text(encoding="utf-8"))
    found += [("facts.py", *texts) for texts in _said(tree)]
    many: dict[str, str] = {}
    places: dict[str, list[str]] = {}
    for name, one, others in found:
        many[one] = many.get(one) or others
        if (place := f"reconciler/core/desired/{name}") not in places.setdefault(one, []):
            places[one].append(place)
    return _file("writes into descriptions", many, places)


def _said_by_jinja(source: str) -> list[tuple[str, str]]:
    parsed = jinja2.Environment(autoescape=False).parse(source)  # only read
    texts = [found[2] for found in extract_from_ast(parsed, ("_", "ngettext"), babel_style=False)]
    several = [text if isinstance(text, tuple) else (text,) for text in texts]
    return [(str(one[0]), str(one[1]) if len(one) > 1 and one[1] else "") for one in several]


def _said(tree: ast.Module) -> list[tuple[str, str]]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    found = []
    for call in calls:
        if isinstance(call.func, ast.Attribute) and (count := SAYING.get(call.func.attr)):
            one, many = (*(_text(each) for each in call.args[:count]), "")[:2]
            found.append((one, many))
    return found


def _file(does: str, many: dict[str, str], places: dict[str, list[str]]) -> str:
    header = HEADER.replace("{does}", does)
    return "\n".join([header, *(_entry(one, many[one], places[one]) for one in sorted(many))])


def _entry(one: str, many: str, places: list[str]) -> str:
    lines = [f"#: {place}" for place in places]
    lines += ["#, python-brace-format"] if "{" in one else []
    lines.append(f"msgid {_quoted(one)}")
    lines += [f"msgid_plural {_quoted(many)}", 'msgstr[0] ""', 'msgstr[1] ""'] if many else ['msgstr ""']
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    for plain, escaped in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t")):
        text = text.replace(plain, escaped)
    return f'"{text}"'


if __name__ == "__main__":
    for path, text in ((TEMPLATE, template()), (BLOCK, block_template())):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        sys.stdout.write(f"{path.relative_to(ROOT)} has {text.count('msgid ') - 1} messages\n")
