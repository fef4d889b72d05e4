"""Each click has an answer, in a real browser before the real daemon: what it says is looked up in Immich."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from browsing import AXE, FAST, IMAGES, eventually, post, window
from test_browser import expect, place, quiet, switched  # noqa: F401  fixtures

pytestmark = pytest.mark.slow


def toast(page):
    return page.locator("#toasts .toast")


def writes(installation):
    return installation.simulator.requests()["writes"]


def choose(page, *image_ids):
    for image_id in image_ids:
        page.locator(f"#image-{image_id} .choose input").check()


def test_look_now_and_sync_all_end_with_what_was_looked_at_and_write_nothing(browser, quiet):
    before = writes(quiet)
    with window(browser, quiet) as page:
        page.goto("/")
        for name in ("Look now", "Sync all images"):
            page.get_by_role("button", name=name).click()
            expect(toast(page)).to_contain_text("Checked 55 images, nothing to write.")
            expect(toast(page)).to_have_count(1)
            assert page.locator("#toasts").get_attribute("role") == "status"
            page.get_by_role("button", name="Dismiss this message").click()
            expect(toast(page)).to_have_count(0)
    assert writes(quiet) == before


def test_without_javascript_the_same_is_said_on_the_page(browser, quiet):
    with window(browser, quiet, java_script_enabled=False) as page:
        page.goto("/")
        page.get_by_role("button", name="Sync all images").click()
        expect(toast(page)).to_contain_text("Checked 55 images, nothing to write.")
        expect(toast(page).get_by_role("button")).to_be_hidden()
        switched(page, "Resume")
        expect(toast(page)).to_contain_text("Resumed.")
        switched(page, "Pause")
        expect(toast(page)).to_contain_text("Paused.")


def test_before_a_pause_and_its_end_it_is_shown_what_waits_and_what_is_written_then(browser, quiet):
    changed = f"UPDATE {IMAGES} SET title = title || ' (paused)' WHERE id IN (2, 4)"
    with window(browser, quiet) as page:
        quiet.sql(changed)
        page.goto("/")
        page.get_by_role("button", name="Resume …").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "Runs would start by themselves again, and 2 images would be written"
        )
        expect(page.locator("main")).to_contain_text("(paused)")
        assert quiet.status()["paused"] is True
        page.get_by_role("button", name="Resume", exact=True).click()
        eventually(lambda: "(paused)" in quiet.shown(4)["description"], "what waited is written")
        eventually(quiet.settled, "all of it")
        page.get_by_role("button", name="Pause …").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "No run would start by itself until you resume"
        )
        expect(page.locator("main")).to_contain_text("also over a restart")
        assert quiet.status()["paused"] is False
        page.get_by_role("button", name="Pause", exact=True).click()
        expect(toast(page)).to_contain_text("Paused.")
        assert quiet.status()["paused"] is True


def test_progress_has_its_phase_and_counts_and_a_stop_tells_how_far_it_came(browser, quiet):
    quiet.sql(f"UPDATE {IMAGES} SET description = 'Written for a long time ' || id")
    quiet.simulator.configure(drain=3.0)
    with window(browser, quiet) as page:
        page.goto("/")
        page.get_by_role("button", name="Sync all images").click()
        expect(page.locator(".progress b")).to_contain_text(re.compile(r"(Writing|Verifying) \d+ of 5\d"))
        page.get_by_role("link", name="Details").click()
        expect(page.locator(".progress b")).to_contain_text(re.compile(r"(Writing|Verifying) \d+ of 5\d"))
        page.get_by_role("button", name="Stop").click()
        expect(toast(page)).to_contain_text("stopped at")
        told = toast(page).inner_text()
        quiet.simulator.configure(drain=FAST)
        done, total = map(int, re.search(r"stopped at (\d+) of (\d+)", told).groups())
        waiting = re.search(r"(\d+) of them waiting", told)
        assert 0 <= done - int(waiting[1] if waiting else 0) < total <= 55
        expect(page.locator(".chip").first).to_contain_text("Stopped")
    post(quiet, "/api/v1/reconcile?wait=60")


def test_a_selection_is_taken_back_and_written_again_after_a_look_at_it(browser, quiet):
    first, second, third = quiet.image_ids()[:3]
    before = {one: quiet.shown(one)["description"] for one in (first, second, third)}
    with window(browser, quiet) as page:
        page.goto("/images")
        choose(page, first, second)
        page.get_by_label("What to do").select_option("undo")
        page.get_by_role("button", name="Preview 2 chosen …").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "The last change would be taken back from 2 images"
        )
        assert quiet.shown(first)["description"] == before[first]
        page.get_by_role("button", name="Undo this").click()
        expect(toast(page)).to_contain_text("2 images taken back", timeout=60_000)
        assert quiet.shown(first)["description"] != before[first]
        assert quiet.shown(second)["description"] != before[second]
        assert quiet.shown(third)["description"] == before[third]
        page.goto("/images")
        choose(page, first, second)
        page.get_by_label("What to do").select_option("redo")
        page.get_by_role("button", name="Preview 2 chosen …").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("2 images would be written again")
        page.get_by_role("button", name="Write again").click()
        expect(toast(page)).to_contain_text("wrote 2")
    for one, text in before.items():
        assert quiet.shown(one)["description"] == text


def test_all_that_match_are_decided_for_one_side_after_a_look_at_both(browser, quiet):
    for image_id in (3, 4):
        quiet.simulator.person(quiet.asset_of(image_id), "set_description", f"A person's {image_id}")
        quiet.sql(f"UPDATE {IMAGES} SET description = 'The catalogue''s' WHERE id = ?", image_id)
    post(quiet, "/api/v1/reconcile?wait=60")
    with window(browser, quiet) as page:
        page.goto("/")
        page.get_by_role("button", name="Use all of Skymmich's …").click()
        expect(page.get_by_role("heading", level=1)).to_have_text(
            "Skymmich's would take the place of Immich's in 2 images"
        )
        expect(page.locator("main")).to_contain_text("A person's 3")
        assert quiet.shown(3)["description"].startswith("A person's 3")
        page.get_by_role("button", name="Use Skymmich's").click()
        expect(toast(page)).to_contain_text("wrote 2")
    for image_id in (3, 4):
        assert quiet.shown(image_id)["description"].startswith("The catalogue's")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_shown_before_it_is_done_is_accessible_and_fits(browser, quiet, scheme):
    one, two = quiet.image_ids()[:2]
    with window(browser, quiet, color_scheme=scheme, bypass_csp=True) as page:
        page.goto(f"/decide?action=undo&images={one},{two}")
        page.evaluate(AXE)
        found = page.evaluate("axe.run({resultTypes: ['violations']})")
        assert [one["id"] for one in found["violations"] if one["impact"] in {"serious", "critical"}] == []
        page.set_viewport_size({"width": 360, "height": 800})
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_what_cannot_be_done_now_says_why_where_the_button_is(browser, quiet):
    with window(browser, quiet, gone=True) as page:
        page.goto("/")
        quiet.simulator.configure(down=True)
        page.get_by_role("button", name="Look now").click()
        expect(toast(page)).to_contain_text("Immich")
        every = page.get_by_role("button", name="Sync all images")
        expect(every).to_be_disabled()
        expect(page.locator("#sync .why")).to_contain_text("Immich cannot be reached")
        expect(page.get_by_role("button", name="Try again now")).to_be_enabled()
        quiet.simulator.configure(down=False)
        eventually(
            lambda: page.get_by_role("button", name="Look now").is_enabled(), "a look may be asked for"
        )
        page.get_by_role("button", name="Look now").click()
        expect(every).to_be_enabled()
        expect(page.locator("#sync .why")).to_have_count(0)


def test_undo_of_one_image_answers_at_once_and_its_page_shows_what_became_of_it(browser, quiet):
    image_id = quiet.image_ids()[5]
    before = quiet.shown(image_id)["description"]
    with window(browser, quiet) as page:
        page.goto(f"/images/{image_id}")
        page.get_by_role("button", name="Undo the last change …").or_(
            page.get_by_role("link", name="Undo the last change …")
        ).click()
        expect(page.locator(".crumbs")).to_have_text("Image")
        page.get_by_role("button", name="Undo this").click()
        expect(page).to_have_url(re.compile(rf"/images/{image_id}\?"))
        expect(toast(page)).to_contain_text("1 image taken back", timeout=60_000)
        # Without loading it anew: the page of an image that was asked for is drawn again.
        expect(page.locator(".state")).to_contain_text("Taken back")
        expect(page.get_by_role("button", name="Sync to Immich")).to_be_disabled()
        expect(page.locator(".state .why")).to_have_text("It was taken back: write it again first.")
        page.get_by_role("button", name="Write again").last.click()
        page.get_by_role("button", name="Write again").click()
        expect(toast(page)).to_contain_text("wrote 1", timeout=60_000)
        expect(page.locator(".state")).to_contain_text("In sync")
    assert quiet.shown(image_id)["description"] == before


def test_an_open_page_of_an_image_says_that_it_changed_and_moves_nothing(browser, quiet):
    first, second = quiet.image_ids()[6:8]
    with window(browser, quiet) as page:
        page.goto(f"/images/{first}")
        title = page.locator("h1").inner_text()
        quiet.sql(f"UPDATE {IMAGES} SET title = 'Another one changed' WHERE id = ?", second)
        post(quiet, "/api/v1/reconcile?wait=60")
        assert "Another one" in quiet.shown(second)["description"]
        page.wait_for_timeout(1500)
        expect(page.locator("main")).not_to_contain_text("changed since")
        quiet.sql(f"UPDATE {IMAGES} SET title = 'Changed meanwhile' WHERE id = ?", first)
        post(quiet, "/api/v1/reconcile?wait=60")
        expect(page.locator("main")).to_contain_text("This image changed since the page was loaded.")
        expect(page.locator("h1")).to_have_text(title)
        page.get_by_role("link", name="Show it as it is now").click()
        expect(page.locator("h1")).to_have_text("Changed meanwhile")
        expect(page.locator("main")).not_to_contain_text("changed since")
