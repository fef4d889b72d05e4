r"""What MkDocs has to be told of these pages: they are written for GitHub, and some stand outside of ``docs``.

* README, SECURITY, CONTRIBUTING, CHANGELOG and systemd/INSTALL become pages; any other file that a page links to
  is put beside them, as it is.
* GitHub takes lists that are indented by two or three columns, a list right below a paragraph, and ``\|`` in code
  in a table; Python-Markdown does not.
* GitHub draws ``mermaid``; here a picture that was drawn before stands in its place: see ``diagrams``.
"""

from __future__ import annotations

import posixpath
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File

sys.path.insert(0, str(Path(__file__).parent))
from diagrams import FENCE, PICTURES, name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).resolve().parents[2]
DOCS: Final = ROOT / "docs"
OUTSIDE: Final = {
    "README.md": "overview.md",
    "SECURITY.md": "SECURITY.md",
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "systemd/INSTALL.md": "systemd/INSTALL.md",
}
"""Pages that stand outside of ``docs`` → what they are called in the site."""
_FOLDER: Final = "files"
_LINK: Final = re.compile(r"(?P<before>\]\(|\b(?:src|srcset|href)=\")(?P<to>[^)\s\"]+)")
_FENCED: Final = re.compile(r"^( *)(`{3,})[^\n]*\n.*?^\1\2 *$", re.MULTILINE | re.DOTALL)
_ITEM: Final = re.compile(r"( *)([*+-]|\d+\.) +(?=\S)")
_ELSEWHERE: Final = ("http://", "https://", "mailto:", "#")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages from outside, and every file that a page links to."""
    for source, name in OUTSIDE.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=text))
    pages = [ROOT / source for source in OUTSIDE] + sorted(DOCS.rglob("*.md"))
    for name, path in sorted({_site_name(path): path for page in pages for path in _linked(page)}.items()):
        if name.startswith(f"{_FOLDER}/"):
            files.append(File.generated(config, name, abs_src_path=str(path)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Return a page as this Markdown takes it."""
    name = page.file.src_uri
    source = next((ROOT / one for one, as_ in OUTSIDE.items() if as_ == name), DOCS / name)
    text = _linked_anew(markdown, source, name)
    return as_python_markdown(_drawn(text, name))


def _linked(page: Path) -> Iterator[Path]:
    for link in _LINK.finditer(_FENCED.sub("", page.read_text(encoding="utf-8"))):
        target = _target(page, link["to"])
        if target is not None and target.is_file():
            yield target


def _target(page: Path, link: str) -> Path | None:
    path = link.partition("#")[0]
    return None if not path or link.startswith(_ELSEWHERE) else (page.parent / path).resolve()


def _site_name(target: Path) -> str:
    """Return what a file is called in the site."""
    if target.is_relative_to(DOCS):
        return target.relative_to(DOCS).as_posix()
    name = target.relative_to(ROOT).as_posix()
    return OUTSIDE.get(name, f"{_FOLDER}/{name}")


def _linked_anew(text: str, source: Path, name: str) -> str:
    """Let links lead to where things are in the site."""

    def led(link: re.Match[str]) -> str:
        target = _target(source, link["to"])
        if target is None:
            return link[0]
        # A folder has no page: what tells of it is the folder of pages itself, or nothing.
        if target.is_dir():
            target /= "README.md"
        there = posixpath.relpath(_site_name(target), posixpath.dirname(name) or ".")
        _, hash_, anchor = link["to"].partition("#")
        return f"{link['before']}{there}{hash_}{anchor}"

    return _outside_fences(text, lambda part: _LINK.sub(led, part))


def _drawn(text: str, name: str) -> str:
    """Put a picture in the place of each diagram."""

    def picture(fence: re.Match[str]) -> str:
        file = PICTURES / name_of(fence["source"])
        if not file.is_file():
            raise PluginError(
                f"{name} has a diagram that was not drawn yet: packages/site/diagrams.py draws it."
            )
        there = posixpath.relpath(file.relative_to(DOCS).as_posix(), posixpath.dirname(name) or ".")
        return f"![Diagram]({there})\n"

    return FENCE.sub(picture, text)


def as_python_markdown(text: str) -> str:
    r"""Indent lists by four columns, and open them with an empty line; take ``\|`` in code for ``|``."""
    lines: list[str] = []
    inside: list[int] = []
    """Columns at which the text of each open list item begins."""
    fence = ""
    for line in text.split("\n"):
        bare = line.lstrip(" ")
        column = len(line) - len(bare)
        if fence:
            depth = len(inside)
            lines.append(" " * (4 * depth + max(0, column - (inside[-1] if inside else 0))) + bare)
            fence = "" if bare.rstrip() == fence else fence
            continue
        if not bare:
            lines.append("")
            continue
        listed = bool(inside)
        while inside and column < inside[-1] and (not lines or lines[-1] == "" or _ITEM.match(line)):
            inside.pop()
        item = _ITEM.match(line)
        if item and not listed and lines and lines[-1]:
            lines.append("")
        lines.append(" " * (4 * len(inside) + max(0, column - (inside[-1] if inside else 0))) + _cells(bare))
        if item:
            inside.append(item.end())
        if opened := re.match(r"`{3,}", bare):
            fence = opened[0]
    return "\n".join(lines)


def _cells(line: str) -> str:
    return re.sub(r"`[^`]*`", lambda code: code[0].replace("\\|", "|"), line) if line[:1] == "|" else line


def _outside_fences(text: str, change: Callable[[str], str]) -> str:
    parts, end = [], 0
    for fence in _FENCED.finditer(text):
        parts += [change(text[end : fence.start()]), fence[0]]
        end = fence.end()
    return "".join([*parts, change(text[end:])])
