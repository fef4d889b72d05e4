"""Write the template of all translations anew: each ``Message("one", "many")`` of the program's source.

``make messages`` runs it. It reads the source as Python does, so that no way of writing a call hides a message,
and writes what every gettext tool reads: https://www.gnu.org/software/gettext/manual/html_node/PO-Files.html.
"""

from __future__ import annotations

import ast
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "reconciler" / "messages" / "locale" / "skymmich-reconciler.pot"
NAMES = ("one", "many", "count", "by_hand")
HEADER = """\
# What skymmich-reconciler says to people. `make messages` writes this file; CONTRIBUTING.md says how to translate it.
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
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "Message":
            given = dict(zip(NAMES, node.args, strict=False)) | {
                word.arg: word.value for word in node.keywords if word.arg in NAMES
            }
            texts = {name: _text(value) for name, value in given.items()}
            one, many = texts["one"], texts.get("many", "")
            found[one] = found.get(one) or many
            if by_hand := texts.get("by_hand"):
                found.setdefault(by_hand, "")
    return found


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
    return "\n".join([HEADER, *(_entry(one, many[one], places[one]) for one in sorted(many))])


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
    TEMPLATE.parent.mkdir(exist_ok=True)
    TEMPLATE.write_text(template(), encoding="utf-8")
    sys.stdout.write(f"{TEMPLATE.relative_to(ROOT)} has {template().count('msgid ') - 1} messages\n")
