"""The documentation as a site: built strictly, whole, and loading nothing from any other host."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "packages" / "site"))
from diagrams import PICTURES, diagrams
from hooks import OUTSIDE, as_python_markdown
from reference import FOLDER, PAGES

ROOT = Path(__file__).resolve().parents[1]
LOADING = {
    "link": "href",
    "script": "src",
    "img": "src",
    "source": "srcset",
    "iframe": "src",
    "video": "src",
    "audio": "src",
    "object": "data",
    "embed": "src",
}
"""What loads by itself when a page is opened, and the attribute that says from where."""
MOST_BYTES_OF_PICTURES = 1_500_000


class Page(HTMLParser):
    """What a page loads, where it leads, and the anchors that it has."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.anchors: set[str] = set()
        self.pictures_without_words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs) -> None:
        given = dict(attrs)
        if anchor := given.get("id"):
            self.anchors.add(anchor)
        if (where := given.get(LOADING.get(tag, ""))) and given.get("rel") not in {
            "next",
            "prev",
            "canonical",
        }:
            self.loaded.append(where)
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        if tag == "img" and not given.get("alt"):
            self.pictures_without_words.append(str(given.get("src")))


def build(into: Path, *more: str) -> subprocess.CompletedProcess[str]:
    """Build the site as ``make docs`` does."""
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(into), *more]
    environ = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    return subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = build(folder)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


@pytest.fixture(scope="session")
def pages(site) -> dict[Path, Page]:
    return {path: Page(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_every_document_is_a_page_of_it(site):
    names = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    for name in [*names, *OUTSIDE.values()]:
        made = name.removesuffix("README.md") + "index.md" if name.endswith("README.md") else name
        assert (site / made).with_suffix(".html").is_file(), name
    assert len(names) > 40


def test_every_page_is_in_the_navigation(pages, site):
    listed = {(site / link.partition("#")[0]).resolve() for link in pages[site / "index.html"].links}
    without = {site / "404.html"}
    assert set(pages) - listed == without


def test_nothing_is_loaded_from_another_host(pages, site):
    for path, page in pages.items():
        for where in page.loaded:
            assert not re.match(r"(https?:)?//", where), f"{path.name} loads {where}"
            if path.name != "404.html" and not where.startswith("data:"):
                file = path.parent / unquote(where.partition("?")[0].partition("#")[0])
                assert file.exists(), f"{path.name} loads {where}, which is not there"
    for style in site.rglob("*.css"):
        found = re.findall(
            r"(?:@import|url\()\s*[\"']?((?:https?:)?//[^\"')\s]+)", style.read_text(encoding="utf-8")
        )
        assert found == [], style.name


def test_every_link_leads_to_a_file_and_to_an_anchor_of_it(pages):
    """MkDocs looks at links of Markdown; these are those of the pages, pictures and all."""
    for path, page in pages.items():
        if path.name == "404.html":
            continue
        for link in page.links:
            if re.match(r"\w+:", link):
                continue
            name, _, anchor = unquote(link).partition("#")
            target = (path.parent / name).resolve() if name else path
            target = target / "index.html" if target.is_dir() else target
            assert target.is_file(), f"{path.name}: {link}"
            if anchor and target in pages:
                assert anchor in pages[target].anchors | {"__skip"}, f"{path.name}: {link}"


def test_every_picture_says_in_words_what_it_shows(pages):
    assert {
        path.name: page.pictures_without_words for path, page in pages.items() if page.pictures_without_words
    } == {}


def test_no_page_is_wider_than_a_phone_or_asks_another_host(pages, site):
    sys.path.insert(0, str(ROOT / "tests" / "web"))
    from browsing import launched

    wide, elsewhere = [], []
    with launched() as browser:
        window = browser.new_page(viewport={"width": 380, "height": 780})
        window.on("request", lambda one: elsewhere.append(one.url) if one.url.startswith("http") else None)
        for path in sorted(pages):
            window.goto(path.as_uri())
            if window.evaluate("document.documentElement.scrollWidth > innerWidth"):
                wide.append(path.relative_to(site).as_posix())
    assert wide == []
    assert elsewhere == []


def test_a_link_to_nothing_is_refused(tmp_path):
    """Strict is no formality."""
    configuration = (
        (ROOT / "mkdocs.yml").read_text().replace("decisions/0001-ownership-by-write.md", "none.md")
    )
    file = ROOT / "build" / "mkdocs-refused.yml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(
        configuration.replace("docs_dir: docs", f"docs_dir: {ROOT}/docs").replace(
            "packages/", f"{ROOT}/packages/"
        )
    )
    done = build(tmp_path / "site", "--config-file", str(file))
    assert done.returncode != 0
    assert "none.md" in done.stderr + done.stdout


def test_the_search_finds_what_the_pages_say(site):
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    texts = {one["location"]: one["text"] for one in index["docs"]}
    assert any("Cloudflare Access" in text for text in texts.values())
    assert any(place.startswith("reference/configuration.html#") for place in texts)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_page_of_the_reference_is_what_the_code_gives_now(name):
    assert (FOLDER / name).read_text(encoding="utf-8") == PAGES[name](), "make reference"


def test_every_diagram_was_drawn_and_no_other_picture_of_one_is_kept():
    assert {path.name for path in PICTURES.glob("*")} == set(diagrams()), "packages/site/diagrams.py"
    assert len(diagrams()) >= 4


def test_the_pictures_are_small_enough_to_be_kept():
    files = [path for path in (ROOT / "docs" / "pictures").rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES_OF_PICTURES
    assert {path.suffix for path in files} == {".webp", ".svg"}
    for path in files:
        if path.suffix == ".svg":
            assert not re.search(r"<script|(?:href|src)=\"https?:", path.read_text(encoding="utf-8")), (
                path.name
            )


@pytest.mark.parametrize(
    ("github", "python"),
    [
        ("Text\n* one\n* two", "Text\n\n* one\n* two"),
        ("* one\n  more\n\n  para\n* two", "* one\n    more\n\n    para\n* two"),
        ("1. a\n\n   ```sh\n   b\n     c\n   ```\n2. d", "1. a\n\n    ```sh\n    b\n      c\n    ```\n2. d"),
        ("* a\n  * b\n    c\n\nEnd", "* a\n    * b\n        c\n\nEnd"),
        ("* a\n\nEnd", "* a\n\nEnd"),
        ("```\n* no\n  list\n```", "```\n* no\n  list\n```"),
        ("| `a\\|b` | c\\|d |", "| `a|b` | c\\|d |"),
        ("10. ten\n\n    more", "10. ten\n\n    more"),
    ],
)
def test_lists_and_tables_are_told_as_this_markdown_takes_them(github, python):
    assert as_python_markdown(github) == python
