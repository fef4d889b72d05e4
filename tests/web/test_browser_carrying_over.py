"""The button that carries a person's words over, in a real browser before the real daemon."""

from __future__ import annotations

import sys
from pathlib import Path

import httpx
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from browsing import IMAGES, eventually, installation, post, window

from tests.conformance.conftest import png

playwright_api = pytest.importorskip("playwright.sync_api", reason="Playwright comes with the dev group")
pytestmark = pytest.mark.slow
expect = playwright_api.expect
expect.set_options(timeout=15_000)
WORDS = "Seen with my daughter."
IMAGE = 4


@pytest.fixture(scope="module")
def replaced(tmp_path_factory, browser):
    """An image whose picture was imported again, after somebody wrote into it."""
    with installation(tmp_path_factory.mktemp("replaced")) as place:
        place.simulator.person(place.asset_of(IMAGE), "set_description", WORDS)
        place.start()
        eventually(place.settled, "the first pass", 60)
        taken = {"fileCreatedAt": "2024-05-01T12:00:00Z", "fileModifiedAt": "2024-05-01T12:00:00Z"}
        made = httpx.post(
            f"{place.simulator.url}/api/assets", headers={"x-api-key": place.simulator.api_key}, data=taken,
            files={"assetData": ("again.png", png(7), "image/png")},
        ).json()["id"]  # fmt: skip
        place.sql(f"UPDATE {IMAGES} SET immich_id = ? WHERE id = ?", made, IMAGE)
        post(place, "/api/v1/reconcile?wait=60")
        eventually(lambda: place.status()["offered"] == 1, "it is offered")
        yield place


def test_a_click_on_the_images_page_carries_over(browser, replaced):
    assert WORDS not in replaced.shown(IMAGE)["description"]
    with window(browser, replaced) as page:
        page.goto("/")
        expect(page.locator("main")).to_contain_text("1 image has another asset now")
        page.goto(f"/images/{IMAGE}")
        expect(page.locator("#carry-over")).to_contain_text(WORDS)
        page.get_by_role("button", name="Carry over").click()
        expect(page.locator("#carry-over")).to_contain_text("carried over", timeout=60_000)
        replaced.simulator.wait_until_idle()
        assert WORDS in replaced.shown(IMAGE)["description"]
        expect(page.get_by_role("button", name="Carry over")).to_have_count(0)
    assert replaced.status()["offered"] == 0
