"""What the documents name exists: every path, module, function and test, and the end of every link."""

from __future__ import annotations

import ast
import re
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import get_args

import pytest

from reconciler.core.writes.write_state import State

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
RECORDS = sorted((DOCS / "decisions").glob("*.md"))
PAGES = sorted(DOCS.rglob("*.md"))
NAMING = [*PAGES, *(ROOT / name for name in ("CONTRIBUTING.md", "SECURITY.md", "README.md"))]
"""Documents that name parts of the program as they are now; a changelog names what was."""
LINKING = [*NAMING, ROOT / "CHANGELOG.md", *sorted((ROOT / "systemd").glob("*.md"))]

_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_PATH = re.compile(
    r"(?<![\w./~-])(?P<path>(?:reconciler|state|systemd|tests|docs|\.ci)/[\w./-]*)(?:::(?P<name>[\w.]+))?"
)
_MODULE = re.compile(r"(?<![\w./-])(?P<module>(?:reconciler|state|tests)(?:\.[A-Za-z_]\w*)+)(?![\w/])")
_TEST = re.compile(r"test_\w+")
_LONE = re.compile(r"[\w-]+\.py(?:::[\w.]+)?")
_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:src|srcset)=\"([^\"]+)\"")
_HEADING = re.compile(r"^#+ +(.+?) *$", re.MULTILINE)


@cache
def defined(path: Path) -> frozenset[str]:
    """Give the names that a module defines, those of a class as ``Class.name``."""

    def names(body, before=""):
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                yield before + node.name
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                yield before + node.target.id
            elif isinstance(node, ast.Assign):
                yield from (before + one.id for one in node.targets if isinstance(one, ast.Name))
            if isinstance(node, ast.ClassDef):
                yield from names(node.body, f"{before}{node.name}.")

    return frozenset(names(ast.parse(path.read_text(encoding="utf-8")).body))


@cache
def all_tests() -> frozenset[str]:
    files = (ROOT / "tests").rglob("test_*.py")
    return frozenset(name for file in files for name in defined(file) if name.startswith("test_"))


def module_exists(dotted: str) -> bool:
    path = ROOT.joinpath(*dotted.split("."))
    if path.is_dir() or path.with_suffix(".py").is_file():
        return True
    file = path.parent.with_suffix(".py")
    return file.is_file() and path.name in defined(file)


def wrong_names(text: str) -> list[str]:
    """List what a text names in backticks, or by its path anywhere, that does not exist."""
    wrong = []
    for found in _PATH.finditer(text):
        path, name = ROOT / found["path"].rstrip("."), found["name"]
        if not path.exists() or (name and name.rstrip(".") not in defined(path)):
            wrong.append(found[0])
    for code in _CODE.findall(_FENCED.sub("", text)):
        wrong += [found[0] for found in _MODULE.finditer(code) if not module_exists(found["module"])]
        if _TEST.fullmatch(code) and code not in all_tests():
            wrong.append(code)
        if _LONE.fullmatch(code):  # by its whole path, so that it can be found, and renamed
            wrong.append(code)
    return wrong


@cache
def anchors(path: Path) -> frozenset[str]:
    """Give the anchors that GitHub makes of a document's headings."""
    headings = _HEADING.findall(_FENCED.sub("", path.read_text(encoding="utf-8")))
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


def wrong_links(path: Path, text: str) -> list[str]:
    """List the links of a document that lead to no file, or to no heading of it."""
    wrong = []
    for found in _LINK.finditer(_FENCED.sub("", text)):
        link = found[1] or found[2]
        if link.startswith(("http://", "https://", "mailto:")):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            wrong.append(link)
    return wrong


def linked_from(path: Path) -> set[Path]:
    links = (found[1] for found in _LINK.finditer(path.read_text(encoding="utf-8")) if found[1])
    return {(path.parent / link.partition("#")[0]).resolve() for link in links}


def table(text: str, first: str) -> list[list[str]]:
    """Give the cells of the table whose first column has this heading, without backticks."""
    lines = iter(text.replace("`", "").splitlines())
    cells = []
    for line in lines:
        if not cells and not line.startswith(f"| {first} |"):
            continue
        if not line.startswith("|"):
            break
        cells.append([cell.strip() for cell in line.strip("|").split("|")])
    return [cells[0], *cells[2:]]


def shown(paths):
    return pytest.mark.parametrize("path", paths, ids=lambda path: str(path.relative_to(ROOT)))


@pytest.mark.parametrize(
    "text",
    [
        "see `reconciler/core/merging.py`",
        "see `reconciler/core/plan/merge.py::merge_values`",
        "see `reconciler/core/plan/guard.py::Verdict.hush`",
        "see `state/nothing/`",
        "see `reconciler.core.merging`",
        "see `reconciler.core.plan.merge.merge_values`",
        "see `merge.py`",
        "`test_a_fact_that_nobody_ever_showed`",
        "```mermaid\na[reconciler/core/merging.py]\n```",
    ],
)
def test_a_name_of_nothing_is_noticed(text):
    assert len(wrong_names(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        "`reconciler/core/plan/merge.py`, `reconciler/core/` and `tests/core/writes`.",
        "`reconciler/core/plan/merge.py::merge_value`, `reconciler/core/plan/guard.py::Verdict.told`",
        "`reconciler.core.plan.merge` and `reconciler.core.plan.merge.merge_value`",
        "`test_equal_values_are_in_sync`, `PUT /tags/assets`, `make test ARGS=tests/core`",
    ],
)
def test_a_name_of_something_is_none(text):
    assert wrong_names(text) == []


def test_a_link_to_nothing_is_noticed():
    readme = ROOT / "README.md"
    assert wrong_links(
        readme, "[a](docs/none.md) [b](#no-such-heading) [c](README.md#more) [d](https://x.org)"
    ) == [
        "docs/none.md",
        "#no-such-heading",
    ]


@shown(NAMING)
def test_what_a_document_names_exists(path):
    assert wrong_names(path.read_text(encoding="utf-8")) == []


@shown(LINKING)
def test_links_lead_somewhere(path):
    assert wrong_links(path, path.read_text(encoding="utf-8")) == []


def test_every_page_is_found_from_the_first():
    assert linked_from(DOCS / "README.md") >= set(PAGES) - {DOCS / "README.md"}
    assert DOCS / "README.md" in linked_from(ROOT / "README.md") & linked_from(ROOT / "CONTRIBUTING.md")


def test_decisions_are_numbered_without_a_gap():
    assert [path.name[:5] for path in RECORDS] == [f"{number:04}-" for number in range(1, len(RECORDS) + 1)]
    assert len(RECORDS) >= 10


@shown(RECORDS)
def test_a_decision_says_why_and_what_was_not_chosen(path):
    headings = _HEADING.findall(path.read_text(encoding="utf-8"))
    assert headings[0].startswith(f"{path.name[:4]}: ")
    assert headings[1:] == ["Context", "Decision", "Consequences", "Rejected"]


def test_the_table_of_a_write_has_the_states_and_events_of_the_code():
    header, *rows = table((DOCS / "architecture.md").read_text(encoding="utf-8"), "state")
    lines = import_module("reconciler.core.writes.asset_write").__doc__.splitlines()
    (line,) = (line for line in lines if line.startswith("state "))
    assert header == re.sub(r" \(.*?\)", "", line).split()
    assert [row[0] for row in rows] == list(get_args(State))


def test_the_table_of_the_merge_has_the_cases_of_the_code():
    written = import_module("reconciler.core.plan.merge").__doc__
    _, *rows = table((DOCS / "architecture.md").read_text(encoding="utf-8"), "case")
    assert [row[0] for row in rows] == re.findall(r"^``(\w+)``", written, re.MULTILINE)


LETTERS = {"C": "conformance", "S": "simulator"}
"""What stands before the tests of a fact in the page about Immich, and the room where they are."""


def test_the_facts_of_immich_are_held_where_their_letter_says():
    text = (DOCS / "immich.md").read_text(encoding="utf-8")
    cells = re.findall(r"\b([CSP]) (`test_\w+`(?:, `test_\w+`)*)", text)
    assert len(cells) > 50
    for letter, tests in cells:
        for name in re.findall(r"test_\w+", tests):
            rooms = {
                file.parent.name for file in (ROOT / "tests").rglob("test_*.py") if name in defined(file)
            }
            assert (LETTERS[letter] in rooms) if letter in LETTERS else rooms - set(LETTERS.values()), name


def test_every_test_of_the_conformance_suite_is_the_test_of_a_fact():
    text = (DOCS / "immich.md").read_text(encoding="utf-8")
    files = (ROOT / "tests" / "conformance").glob("test_*.py")
    tests = {name for file in files for name in defined(file) if name.startswith("test_")}
    assert tests - set(_TEST.findall(text)) == set()


def test_skymmichs_port_is_the_same_wherever_it_is_named():
    """The one on which Skymmich listens by itself."""
    files = [ROOT / "README.md", DOCS / "skymmich-buttons.md", *(ROOT / "systemd").rglob("*")]
    texts = {path: path.read_text(encoding="utf-8") for path in files if path.is_file()}
    named = {
        path.name: set(re.findall(r"127\.0\.0\.1:(\d+)", text)) - {"8287", "2283", "5432"}
        for path, text in texts.items()
    }
    assert {port for ports in named.values() for port in ports} == {"5000"}, named


def test_the_readme_says_where_the_program_is_got_before_anything_is_typed():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert 0 < text.index("git clone") < text.index("make demo")
