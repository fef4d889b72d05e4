"""The first hour in a real browser: nothing is written before a click, and then what was said."""

from __future__ import annotations

import json
import re
import sqlite3
import sys
import urllib.error
from contextlib import closing
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from browsing import AXE, IMAGES, Place, eventually, post, window

from reconciler.messages.reasons import REASONS
from reconciler.simulator.sample.build import build_sample
from reconciler.simulator.serve import serve

playwright_api = pytest.importorskip("playwright.sync_api", reason="Playwright comes with the dev group")
pytestmark = pytest.mark.slow
expect = playwright_api.expect
MANY = 20


@pytest.fixture
def new(tmp_path):
    """A new installation of twenty images, and its daemon that has looked at them."""
    catalogue = tmp_path / "skymmich.db"
    build_sample(catalogue)
    with closing(sqlite3.connect(catalogue)) as connection, connection:
        keep = f"SELECT id FROM {IMAGES} WHERE immich_id IS NOT NULL ORDER BY id LIMIT {MANY}"
        connection.execute(f"DELETE FROM {IMAGES} WHERE id NOT IN ({keep})")
    with serve(catalogue=catalogue, unkind="settling,round_trip", drain=400.0) as simulator:
        place = Place(tmp_path, catalogue, simulator, "ask")
        simulator.person(place.asset_of(3), "set_description", "A cold night; the mount behaved.")
        simulator.wait_until_idle()
        place.start()
        eventually(lambda: place.status()["would_write"], "what would be written is known", 60)
        yield place
        place.kill()


def writes(place):
    return place.simulator.requests()["writes"]


def in_immich(place):
    return [one for one in place.simulator.assets().values() if "✦" in str(one["description"])]


@pytest.mark.parametrize("scripts", [True, False])
def test_begin_with_five_then_go_on(browser, new, scripts):
    with window(browser, new, gone=True, java_script_enabled=scripts) as page:
        page.goto("/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Nothing is written yet")
        text = page.locator("main").inner_text()
        for said in (
            f"{MANY} of {MANY} images",
            "Integration:",
            "In Immich now".upper(),
            "version 2.7.5",
        ):
            assert said in text
        assert REASONS["conflict"].one in text
        assert writes(new) == 0
        page.get_by_role("button", name="Begin with five").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Begun with 5 images", timeout=60_000)
        eventually(new.settled, "the five are written", 60)
        assert len(in_immich(new)) == 5
        if not scripts:
            page.goto("/")
        expect(page.locator(".recent").get_by_text("In sync")).to_have_count(5)
        expect(page.get_by_role("link", name="In Immich")).to_have_count(5)
        new.kill()
        new.start()
        eventually(new.settled, "looked at again", 60)
        assert len(in_immich(new)) == 5
        page.goto("/")
        page.get_by_role("button", name="Go on with all").click()
        eventually(lambda: page.wait_for_timeout(50) or len(in_immich(new)) == MANY, "all are written", 90)
        eventually(new.settled, "all is done", 60)
        page.goto("/")
        expect(page.get_by_role("heading", name="Metadata sync")).to_be_visible()
    new.sql(f"UPDATE {IMAGES} SET title = 'Later, by itself' WHERE id = 2")
    eventually(lambda: "Later, by itself" in new.shown(2)["description"], "it goes on by itself", 60)


def test_begun_with_all_an_open_page_becomes_the_overview(browser, new):
    with window(browser, new) as page:
        page.goto("/")
        page.get_by_role("button", name="Begin", exact=True).click()
        expect(page.get_by_role("heading", name="Metadata sync")).to_be_visible(timeout=60_000)
    eventually(lambda: len(in_immich(new)) == MANY, "all are written", 90)
    assert new.status()["begun"]["by"] == "page"


def test_other_buttons_write_nothing_before_and_say_why(browser, new):
    with window(browser, new) as page:
        page.goto("/images/2")
        expect(page.get_by_role("button", name="Sync to Immich")).to_be_disabled()
        expect(page.locator(".state .why")).to_have_text(
            "Nothing is written yet: begin on the overview first."
        )
        # Whoever opened the page before may still click.
        page.locator(".state button").evaluate("one => { one.disabled = false; }")
        page.get_by_role("button", name="Sync to Immich").click()
        expect(page.locator(".outcome")).to_contain_text("Nothing is written yet")
        page.goto("/")
        page.get_by_role("button", name="Look again").click()
        eventually(lambda: page.wait_for_timeout(50) or new.settled(), "looked again")
    post(new, "/api/v1/reconcile?wait=30", {"full": True})
    for button in ("sync-metadata/2", "sync-metadata-all"):
        with pytest.raises(urllib.error.HTTPError) as refused:
            post(new, f"/api/immich/{button}")
        told = json.loads(refused.value.read())
        assert told["success"] is False
        assert "Nothing is written yet" in told["message"]
    assert writes(new) == 0


def test_the_first_start_over_some_thousand_images_writes_nothing(tmp_path):
    catalogue = tmp_path / "skymmich.db"
    build_sample(catalogue, copies=40)
    with serve(catalogue=catalogue, unkind="settling,round_trip", drain=400.0) as simulator:
        place = Place(tmp_path, catalogue, simulator, "ask")
        try:
            place.start()
            found = eventually(lambda: place.status()["would_write"], "what would be written is known", 120)
            assert found["images"] == found["looked"] > 2000
            assert found["changing"] > 2000
            eventually(place.settled, "it has looked")
            asked = simulator.requests()["total"]
            place.sql(f"UPDATE {IMAGES} SET title = 'Another title' WHERE id = 2")
            process, place.process = place.process, None
            process.terminate()
            assert process.wait(20) == 0
            place.start()
            eventually(lambda: place.status()["would_write"], "it has looked after a restart, too", 120)
            assert writes(place) == 0
            assert simulator.requests()["total"] < 2.5 * asked
        finally:
            place.kill()


def test_over_the_api_it_begins_with_some_or_all(new):
    status = new.status()
    assert (status["mode"], status["waits"], status["begun"]) == ("ask", True, None)
    assert post(new, "/api/v1/begin?wait=60", {"count": 3}) == 200
    assert len(in_immich(new)) == 3
    assert len(new.status()["begun"]["first"]) == 3
    assert post(new, "/api/v1/begin?wait=60", {}) == 200
    eventually(lambda: len(in_immich(new)) == MANY, "all are written", 90)
    assert (new.status()["waits"], new.status()["begun"]["by"]) == (False, "api")
    assert b"reconciler_waits_for_person 0.0" in new.get("/metrics")
    assert b'reconciler_mode{mode="ask"} 1.0' in new.get("/metrics")


def test_while_it_is_switched_off_it_cannot_begin_and_is_switched_on_by_a_click(browser, new):
    off = "UPDATE admin_settings SET value = json_set(value, '$.metadataSyncEnabled', json('false')) WHERE key = 'immich'"
    new.sql(off)
    eventually(lambda: new.status()["settings"]["metadataSyncEnabled"] is False, "the switch is read")
    with window(browser, new) as page:
        page.goto("/")
        expect(page.get_by_role("button", name="Begin with five")).to_be_disabled()
        page.get_by_role("button", name="Switch it on").click()
        expect(page.get_by_role("button", name="Begin with five")).to_be_enabled()
        assert new.status()["settings"]["syncTags"] is True
    assert writes(new) == 0


@pytest.mark.parametrize("width", [380, 1280])
def test_the_page_has_no_fault_that_axe_finds_and_its_button_is_in_the_first_screen(browser, new, width):
    with window(browser, new, viewport={"width": width, "height": 800}) as page:
        page.goto("/")
        expect(page.get_by_role("button", name="Begin with five")).to_be_in_viewport()
        page.evaluate(AXE)
        found = page.evaluate(
            "axe.run().then(found => found.violations.map(one => [one.id, one.nodes[0].html]))"
        )
        assert json.dumps(found) == "[]"
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_every_change_can_be_begun_where_it_is_shown(browser, new):
    with window(browser, new) as page:
        page.goto("/images")
        expect(page.locator("main")).to_contain_text("Nothing is written yet, so nothing is listed here.")
        page.get_by_role("link", name="See every change").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(f"{MANY} images would change")
        expect(page.get_by_role("button", name="Sync all images")).to_have_count(0)
        assert writes(new) == 0
        page.get_by_role("button", name="Begin with five").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Begun with 5 images", timeout=60_000)
        eventually(new.settled, "the five are written", 60)
        assert len(in_immich(new)) == 5
        page.goto("/preview")
        page.get_by_role("button", name="Go on with all").click()
        expect(page.get_by_role("heading", name="Metadata sync")).to_be_visible(timeout=60_000)
    eventually(lambda: len(in_immich(new)) == MANY, "all are written", 90)


def test_two_installations_the_second_takes_over_by_a_click_and_the_first_comes_to_rest(browser, tmp_path):
    catalogue = tmp_path / "skymmich.db"
    build_sample(catalogue)
    with serve(catalogue=catalogue, unkind="settling,round_trip", drain=400.0) as simulator:
        folders = [tmp_path / "one", tmp_path / "two"]
        for folder in folders:
            folder.mkdir()
        first, second = (Place(folder, catalogue, simulator) for folder in folders)
        try:
            first.start()
            eventually(lambda: first.settled() and in_immich(first), "the first one wrote all", 120)
            second.start()
            eventually(lambda: second.status()["level"] == "trouble", "the second one met it", 60)
            before = simulator.requests()["writes"]
            with window(browser, second) as page:
                page.goto("/")
                expect(page.get_by_role("heading", level=1)).to_contain_text(
                    "Another instance keeps this library in sync"
                )
                expect(page.locator("#attention")).to_contain_text(
                    re.compile(
                        r"Another instance of this program \([0-9a-f]{16}( on [^ ]+)?\) has kept this library since"
                    )
                )
                assert simulator.requests()["writes"] == before
                page.get_by_role("link", name="Take over …").click()
                expect(page.get_by_role("heading", level=1)).to_have_text(
                    "This installation would take the place of the other"
                )
                page.get_by_role("button", name="Take over").click()
                expect(page.locator("#toasts .toast")).to_contain_text(
                    "images were recognised", timeout=60_000
                )
                eventually(lambda: second.status()["level"] != "trouble", "the second one works")
            second.sql(f"UPDATE {IMAGES} SET title = 'Under new management' WHERE id = 2")
            eventually(lambda: "Under new" in second.shown(2)["description"], "it is written")
            eventually(lambda: first.status()["level"] == "trouble", "the first one rests", 90)
            with window(browser, first) as page:
                page.goto("/")
                expect(page.get_by_role("heading", level=1)).to_contain_text(
                    "Another instance keeps this library in sync"
                )
        finally:
            first.kill()
            second.kill()
