"""Finding and looking through images in a real browser, before the real daemon."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from browsing import IMAGES, eventually, installation, post, window

playwright_api = pytest.importorskip("playwright.sync_api", reason="Playwright comes with the dev group")
pytestmark = pytest.mark.slow
expect = playwright_api.expect
expect.set_options(timeout=30_000)
MINE = "A cold night; the mount behaved."


@pytest.fixture(scope="module")
def place(tmp_path_factory, browser):
    with installation(tmp_path_factory.mktemp("place")) as place:
        place.simulator.person(place.asset_of(3), "set_description", MINE)
        place.simulator.person(place.asset_of(12), "set_coordinates", [53.1214, 8.2139])
        place.start()
        eventually(place.settled, "the first pass", 180)
        yield place


def search(page):
    return page.get_by_label("Search", exact=True)


def titles(page) -> list[str]:
    return page.locator(".card h2").all_inner_texts()


def test_one_box_finds_an_object_in_every_spelling(browser, place):
    with window(browser, place) as page:
        found = []
        for typed in ("m31", "M 31", "NGC 224", "Andromeda"):
            page.goto("/images")
            search(page).fill(typed)
            page.keyboard.press("Enter")
            page.wait_for_url(re.compile(r"q="))
            found.append(titles(page))
            expect(page.locator(".total")).to_contain_text(re.compile(r"^\s*[1-9]\d* image"))
        assert found[0]
        assert all(set(found[0]) <= set(one) for one in found)
        assert found[0] == found[1] == found[2]
        assert set(found[3]) == set(found[0])


def test_filters_have_counts_that_a_search_narrows_and_that_are_what_is_listed(browser, place):
    with window(browser, place) as page:
        page.goto("/images")
        states = page.get_by_role("navigation", name="States")
        in_sync = int(states.get_by_role("link", name="In sync").locator("b").inner_text())
        states.get_by_role("link", name="In sync").click()
        expect(page.locator(".total")).to_contain_text(f"{in_sync} images")
        search(page).fill("nebula")
        page.get_by_role("button", name="Find").click()
        page.wait_for_url(re.compile("q=nebula"))
        narrowed = int(states.get_by_role("link", name="In sync").locator("b").inner_text())
        assert 0 < narrowed < in_sync
        assert page.locator(".card .chip", has_text="In sync").count() == min(narrowed, 24)
        page.get_by_role("link", name="nebula : take away").click()
        expect(page.locator(".total")).to_contain_text(f"{in_sync} images")


def test_a_list_is_sorted_at_a_choice_and_paged_by_numbers(browser, place):
    with window(browser, place) as page:
        page.goto("/images")
        first = titles(page)
        pages = page.get_by_role("navigation", name="Pages of images")
        pages.get_by_role("link", name="Page 3").click()
        expect(pages.locator("[aria-current]")).to_have_text("3")
        expect(page.locator(".total")).to_contain_text(re.compile(r"55 images, 49 to 55 shown"))
        pages.get_by_role("link", name="Previous").click()
        expect(pages.locator("[aria-current]")).to_have_text("2")
        assert not set(titles(page)) & set(first)
        page.get_by_label("Sort by").select_option("state")
        page.wait_for_url(re.compile("sort=state"))
        expect(page.locator(".card .chip").first).not_to_have_text("In sync")


def test_the_density_is_remembered_with_javascript_and_without(browser, place):
    for script in (True, False):
        with window(browser, place, java_script_enabled=script) as page:
            page.goto("/images")
            expect(page.locator("ul.grid.cards .card")).to_have_count(24)
            page.get_by_role("link", name="List").click()
            expect(page.locator("ul.grid.list .card")).to_have_count(55)
            page.goto("/")
            page.goto("/images?status=in_sync")
            expect(page.locator("ul.grid.list")).to_be_visible()
            page.get_by_role("link", name="Pictures").click()
            expect(page.locator("ul.grid.cards")).to_be_visible()


def test_images_are_gone_through_in_the_order_of_the_list_one_came_from(browser, place):
    with window(browser, place) as page:
        page.goto("/images?q=nebula&sort=written")
        listed = titles(page)
        page.locator(".card h2 a").nth(1).click()
        heading = page.get_by_role("heading", level=1)
        expect(heading).to_have_text(listed[1])
        expect(page.locator(".beside-nav")).to_contain_text(re.compile(r"2 of \d+"))
        for key, title in (
            ("j", listed[2]),
            ("k", listed[1]),
            ("ArrowLeft", listed[0]),
            ("ArrowRight", listed[1]),
        ):
            page.keyboard.press(key)
            expect(heading).to_have_text(title)
        page.get_by_role("link", name="Next image").click()
        expect(heading).to_have_text(listed[2])
        page.keyboard.press("u")
        page.wait_for_url(re.compile(r"/images\?q=nebula&sort=written"))
        assert titles(page) == listed


def test_the_list_is_kept_when_a_conflict_is_decided(browser, place):
    with window(browser, place) as page:
        page.goto("/images?status=conflict")
        page.locator("#image-3 h2 a").click()
        expect(page.locator(".beside-nav")).to_contain_text("2")
        page.get_by_role("button", name="Keep Immich's: Description: prose").click()
        expect(page.locator(".said").first).to_contain_text("Decided")
        expect(page.locator(".beside-nav a[rel]").first).to_have_attribute(
            "href", re.compile("status=conflict")
        )
        expect(page.locator(".beside-nav .crumbs a")).to_have_attribute("href", "/images?status=conflict")
        page.get_by_role("button", name="Decide again: Description: prose").click()
        expect(page.get_by_role("button", name="Keep both")).to_be_visible()


def test_keys_are_told_and_do_nothing_while_somebody_types(browser, place):
    with window(browser, place) as page:
        page.goto("/images/2")
        page.keyboard.press("?")
        keys = page.get_by_role("dialog", name="Keys")
        expect(keys).to_be_visible()
        page.keyboard.press("j")
        expect(page).to_have_url(re.compile(r"/images/2$"))
        page.keyboard.press("Escape")
        expect(keys).to_be_hidden()
        page.keyboard.press("Control+j")
        expect(page).to_have_url(re.compile(r"/images/2$"))
        page.evaluate("document.querySelector('main').insertAdjacentHTML('beforeend', '<input id=words>')")
        page.locator("#words").fill("")
        page.locator("#words").press_sequentially("jk?u/")
        expect(page.locator("#words")).to_have_value("jk?u/")
        expect(page).to_have_url(re.compile(r"/images/2$"))
        page.goto("/images")
        page.keyboard.press("/")
        expect(search(page)).to_be_focused()
        page.keyboard.press("j")
        expect(search(page)).to_have_value("j")


def test_places_tell_their_distance_and_a_map_is_only_a_link(browser, place):
    with window(browser, place) as page:
        page.goto("/images/12")
        places = page.get_by_role("article", name="Place")
        expect(places).to_contain_text(re.compile(r"\d km away"))
        link = places.get_by_role("link", name="Show on OpenStreetMap").first
        expect(link).to_have_attribute("href", re.compile("mlat=53.121400&mlon=8.213900"))
        expect(link).to_have_attribute("rel", "noreferrer")


def test_what_changed_is_marked_from_what_was_written_to_each_side(browser, place):
    # Paused first: a daemon that hears of the edit at once puts the block right before it is looked at.
    post(place, "/api/v1/pause")
    try:
        before = place.shown(22)["description"]
        edited = before.replace("Camera:", "My camera:")
        place.simulator.person(place.asset_of(22), "set_description", edited)
        place.simulator.wait_until_idle()
        with window(browser, place) as page:
            page.goto("/images/22")
            facts = page.get_by_role("article", name="Description: block")
            live = facts.locator(".three > div", has_text="In Immich now")
            expect(live.locator("ins")).to_contain_text("My camera")
            expect(live.locator("del")).to_contain_text("Camera")
            for mark, line in (("ins", "underline"), ("del", "line-through")):
                drawn = live.locator(mark).first.evaluate("one => getComputedStyle(one).textDecorationLine")
                assert drawn == line
            expect(facts.locator(".three > div", has_text="Skymmich wants")).to_contain_text(
                "As written last"
            )
    finally:
        post(place, "/api/v1/resume")


def test_what_is_off_is_switched_on_where_the_page_says_so(browser, place):
    for script in (True, False):
        post(place, "/api/v1/settings", {"syncCoordinates": False})
        with window(browser, place, java_script_enabled=script) as page:
            page.goto("/images/2?sort=written")
            off = page.locator(".sides.off", has_text="Place")
            off.get_by_role("button", name="Switch it on").click()
            expect(page.locator(".said").first).to_contain_text("changed and read back")
            expect(page.get_by_role("article", name="Place")).to_be_visible()
            assert "sort=written" in page.url
        assert place.status()["settings"]["syncCoordinates"] is True
    post(place, "/api/v1/settings", {"metadataSyncEnabled": False})
    with window(browser, place) as page:
        page.goto("/")
        page.locator("#attention").get_by_role("button", name="Switch it on").click()
        expect(page.locator(".said").first).to_contain_text("changed and read back")
        expect(page.get_by_label("Keep Immich in sync")).to_be_checked()
    assert place.status()["settings"]["metadataSyncEnabled"] is True


def test_a_long_title_takes_two_lines_in_lists_and_is_whole_on_its_own_page(browser, place):
    long = "An image with a title " + "that goes on and on " * 12
    place.sql(f"UPDATE {IMAGES} SET title = ? WHERE id = 8", long)
    eventually(lambda: f'title="{long}' in place.get("/images?q=goes+on").decode(), "it is read", 60)
    for width in (380, 1280):
        for density in ("cards", "list"):
            with window(browser, place, viewport={"width": width, "height": 800}) as page:
                page.goto(f"/images?q=goes+on&density={density}")
                heading = page.locator(".card h2")
                lines = heading.evaluate(
                    "one => one.clientHeight / parseFloat(getComputedStyle(one).lineHeight)"
                )
                assert lines < 2.2
                assert heading.get_attribute("title").strip() == long.strip()
                heading.locator("a").click()
                whole = page.get_by_role("heading", level=1)
                expect(whole).to_have_text(long.strip())
                assert whole.evaluate("one => one.scrollHeight <= one.clientHeight + 2")
