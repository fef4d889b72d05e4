"""What the tutorial has a person click, clicked: it comes out as it says."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from browsing import ROOT, eventually, installation, window

TEXT = (ROOT / "docs" / "tutorial.md").read_text(encoding="utf-8")
ANDROMEDA = 1


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    with installation(tmp_path_factory.mktemp("tutorial")) as place:
        place.start()
        eventually(lambda: place.settled() and "Software:" in shown(place), "the first pass", 120)
        yield place


def shown(place) -> str:
    return str(place.shown(ANDROMEDA)["description"])


def test_a_part_that_is_switched_off_goes_from_all_images_and_comes_back_by_an_undo(browser, place):
    before = shown(place)
    with window(browser, place) as page:
        page.goto("/")
        page.get_by_role("link", name="Template", exact=True).click()
        assert "open **Template**, and switch *Software* off" in TEXT.replace("Open", "open")
        page.get_by_label("Software", exact=True).uncheck()
        page.get_by_role("button", name="Save parts …").click()
        assert re.search(r"\d+ of 55", page.locator("main").inner_text())
        page.locator("main form button").first.click()
        eventually(lambda: "Software:" not in shown(place), "the part is gone", 60)
        eventually(place.settled, "the run is over", 60)
        assert shown(place) == re.sub(r"Software: .*\n", "", before)

        page.goto("/")
        page.get_by_role("link", name="Runs", exact=True).click()
        page.locator("main table a").first.click()
        page.get_by_role("link", name="Undo this run …").click()
        assert "would be taken back" in page.locator("h1").inner_text()
        page.get_by_role("button", name="Undo this").click()
        eventually(lambda: shown(place) == before, "the part is back", 60)
        eventually(place.settled, "the undo is over", 60)
        page.goto("/images?q=m31")
        assert "M 31" in page.locator("main").inner_text()


def test_the_buttons_that_the_tutorial_names_are_those_of_the_page():
    templates = "".join(
        path.read_text() for path in (ROOT / "reconciler" / "web" / "templates").glob("*.html")
    )
    for name in ("Save parts …", "Undo this run …", "Parts of the block"):
        assert f"*{name}*" in TEXT
        assert name in templates
