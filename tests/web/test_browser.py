"""The page in a real browser, before the real daemon: each button clicked, and looked at in Immich."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from browsing import AXE, FAST, IMAGES, Place, eventually, installation, post, window

from reconciler.core.sky.plane import Orientation, project
from reconciler.openngc.catalogue import OpenNgc

playwright_api = pytest.importorskip("playwright.sync_api", reason="Playwright comes with the dev group")
pytestmark = pytest.mark.slow
expect = playwright_api.expect
expect.set_options(timeout=30_000)  # a click that writes waits for Immich, on a busy machine, too
CONFLICT = "A cold night; the mount behaved."
SLOW = 8.0


@pytest.fixture(scope="module")
def place(tmp_path_factory, browser):
    with installation(tmp_path_factory.mktemp("place")) as place:
        place.simulator.person(place.asset_of(3), "set_description", CONFLICT)
        place.start()
        eventually(place.settled, "the first pass", 180)
        yield place


@pytest.fixture
def quiet(place):
    """The daemon does nothing by itself during a test, and has nothing left to do before it."""
    eventually(place.settled, "all is done")
    post(place, "/api/v1/pause")
    yield place
    place.simulator.configure(drain=FAST)
    post(place, "/api/v1/resume")
    eventually(place.settled, "all is done again")


CROSSED = 2
"""Of it an edit may be missing, where a test asks for that."""
LEFT_OUT = 5
"""An image that a test leaves out, and takes in again."""


@pytest.mark.parametrize("javascript", [True, False])
def test_an_image_is_left_out_on_its_page_and_taken_in_again(browser, quiet, javascript):
    """While it is left out Skymmich's change of it is not written, and nothing that was written goes."""

    def description():
        quiet.simulator.wait_until_idle()
        return quiet.simulator.assets()[quiet.asset_of(LEFT_OUT)]["description"]

    before, title = description(), f"Left alone {javascript}"
    with window(browser, quiet, java_script_enabled=javascript) as page:
        page.goto(f"/images/{LEFT_OUT}")
        page.get_by_role("button", name="Leave this image out").click()
        expect(page.locator(".state .chip").first).to_have_text("Left out")
        expect(page.locator("#leave-out")).to_contain_text("what was written before stays in Immich")
        quiet.sql("UPDATE astrophotography_images SET title = ? WHERE id = ?", title, LEFT_OUT)
        page.get_by_role("button", name="Sync to Immich").click()
        expect(page.locator(".state")).to_contain_text("on the page; it is not written until it is taken in")
        assert description() == before
        page.goto("/images?status=left_out")
        expect(page.locator("main")).to_contain_text("Left out")
        page.goto(f"/images/{LEFT_OUT}")
        page.get_by_role("button", name="Take in again: Tags").click()
        expect(page.get_by_role("button", name="Leave out: Tags")).to_be_visible()
        page.get_by_role("button", name="Take this image in again").click()
        expect(page.locator(".state .chip").first).to_have_text("In sync")
        assert title in description()


ROSETTE = 29
MARKED = ("NGC 2237", "NGC 2244", "NGC 2252")


@pytest.fixture
def annotated(quiet):
    """The solver has marked what is in the picture of the Rosette, where it is."""
    where = "image_id = ? AND status = 'success'"
    (stored,) = quiet.sql(f"SELECT result FROM plate_solving_jobs WHERE {where}", ROSETTE)[0]
    answer, sky = json.loads(stored), OpenNgc()
    lies = Orientation(360 - answer["orientation"], mirrored=False)
    middle = complex(answer["width_arcsec"], answer["height_arcsec"]) / answer["pixscale"] / 2
    answer["annotations"] = []
    for name in MARKED:
        known = sky.find(name)
        offset = project(known.ra_deg, known.dec_deg, (answer["ra"], answer["dec"]))
        place = lies.place(offset) / math.radians(answer["pixscale"] / 3600) + middle
        answer["annotations"].append(
            {"type": "ngc", "names": [name], "pixelx": place.real, "pixely": place.imag, "radius": 60}
        )
    write = f"UPDATE plate_solving_jobs SET result = ? WHERE {where}"
    quiet.sql(write, json.dumps(answer), ROSETTE)
    eventually(lambda: b"show-sky" in quiet.get(f"/images/{ROSETTE}"), "the marks are read")
    yield quiet
    quiet.sql(write, stored, ROSETTE)


def test_what_is_in_a_picture_is_drawn_over_it_with_a_key_and_without_a_script(browser, annotated):
    with window(browser, annotated, java_script_enabled=False) as page:
        for width in (380, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"/images/{ROSETTE}")
            box, drawing = page.get_by_label("Show what is in the picture"), page.locator("svg.sky")
            expect(page.locator("#sky-names")).to_contain_text("NGC 2237, NGC 2244")
            expect(drawing).to_be_hidden()
            box.press("Space")
            expect(box).to_be_checked()
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme)
                for name in MARKED:
                    expect(drawing.locator("text", has_text=name)).to_be_visible()
                assert drawing.bounding_box() == pytest.approx(
                    page.locator("img.large").bounding_box(), abs=1
                )
                for circle in drawing.locator("circle").all():
                    bounds = circle.bounding_box()
                    assert bounds["width"] == pytest.approx(bounds["height"], abs=0.5)
                for text in drawing.locator("text").all():
                    assert text.bounding_box()["height"] >= 11
            box.press("Space")
            expect(drawing).to_be_hidden()


def test_a_page_with_a_drawing_is_accessible_and_fits(browser, annotated):
    # Without motion: colours would pass into those of the other scheme.
    with window(browser, annotated, bypass_csp=True, reduced_motion="reduce") as page:
        page.goto(f"/images/{ROSETTE}")
        page.get_by_label("Show what is in the picture").check()
        page.evaluate(AXE)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = page.evaluate("axe.run({resultTypes: ['violations']})")
            grave = [one["id"] for one in found["violations"] if one["impact"] in {"serious", "critical"}]
            assert grave == [], scheme
        page.set_viewport_size({"width": 360, "height": 800})
        assert not page.evaluate("document.documentElement.scrollWidth > innerWidth")


def test_a_change_in_skymmich_appears_on_an_open_page(browser, place):
    with window(browser, place) as page:
        page.goto("/")
        expect(page.locator("#recent")).to_contain_text("What changed lately")
        place.sql(f"UPDATE {IMAGES} SET title = 'Seen at once' WHERE id = 5")
        expect(page.locator("#recent")).to_contain_text("Seen at once")
    assert "Seen at once" in place.shown(5)["description"]


def test_a_button_syncs_one_image_with_its_outcome_on_the_spot(browser, quiet):
    quiet.sql(f"UPDATE {IMAGES} SET title = 'Synced by a click' WHERE id = 7")
    with window(browser, quiet) as page:
        page.goto("/images/7")
        expect(page.get_by_role("heading", level=1)).to_have_text("Synced by a click")
        page.get_by_role("button", name="Sync to Immich").click()
        expect(page.locator(".outcome")).to_contain_text("Written and seen in Immich")
        assert page.url.endswith("/images/7")
    assert "Synced by a click" in quiet.shown(7)["description"]


def test_a_button_in_the_grid_syncs_just_that_image(browser, quiet):
    first, second = quiet.image_ids()[:2]
    quiet.sql(f"UPDATE {IMAGES} SET description = 'New words here' WHERE id IN (?, ?)", first, second)
    with window(browser, quiet) as page:
        page.goto("/images?status=in_sync")
        card = page.locator(f"#image-{first}")
        card.get_by_role("button", name="Sync to Immich").click()
        expect(card.locator(".outcome")).to_contain_text("Written and seen in Immich")
    assert "New words here" in quiet.shown(first)["description"]
    assert "New words here" not in quiet.shown(second)["description"]


def test_sync_all_shows_its_progress_moving_and_can_be_stopped(browser, quiet):
    quiet.sql(f"UPDATE {IMAGES} SET description = description || ' More.'")
    quiet.simulator.configure(drain=SLOW)
    with window(browser, quiet) as page:
        page.goto("/")
        page.get_by_role("button", name="Sync all images").click()
        bar = page.locator("#sync progress[max]")
        seen = set()

        def moved():
            if bar.count():
                seen.add(bar.first.get_attribute("value", timeout=500))
            page.wait_for_timeout(100)
            return len(seen - {"0", None}) >= 2

        eventually(moved, f"the bar moves: {seen}")
        expect(page.locator("#sync")).to_contain_text(re.compile(r"\d+ of \d+ changes"))
        page.locator("#sync").get_by_role("button", name="Stop").click()
        quiet.simulator.configure(drain=FAST)
        expect(page.get_by_role("button", name="Sync all images")).to_be_visible()
        with_more = [one for one in quiet.image_ids() if "More." in quiet.shown(one)["description"]]
        assert 0 < len(with_more) < 55
        page.get_by_role("button", name="Sync all images").click()

        def all_there():
            page.wait_for_timeout(50)
            shown = quiet.simulator.assets()
            rows = quiet.sql(f"SELECT immich_id FROM {IMAGES} WHERE description LIKE '%More.' AND id <> 3")
            return all("More." in shown[asset]["description"] for (asset,) in rows if asset in shown)

        eventually(all_there, "every image was written")
        expect(page.get_by_role("button", name="Sync all images")).to_be_visible()


def test_a_conflict_is_decided_by_a_click_with_both_sides_shown(browser, quiet):
    with window(browser, quiet) as page:
        page.goto("/")
        page.locator("#attention").get_by_role("link", name=re.compile("See")).first.click()
        page.locator(".card h2 a").first.click()
        words = page.get_by_role("article", name="Description: prose")
        expect(words.locator("mark").first).to_be_visible()
        expect(words.locator("del")).to_have_count(0)
        theirs = quiet.sql(f"SELECT description FROM {IMAGES} WHERE id = 3")[0][0]
        shown = quiet.shown(3)["description"]
        assert CONFLICT in shown
        assert theirs not in shown

        words.get_by_role("button", name="Keep Immich's").click()
        expect(page.locator(".said").first).to_contain_text("Decided")
        expect(page.locator(".outcome")).to_contain_text("Nothing to write")
        expect(words).to_contain_text("You decided")
        assert quiet.shown(3)["description"] == shown
        assert quiet.status()["counts"].get("conflict", 0) == 0

        words.get_by_role("button", name="Decide again").click()
        expect(words.get_by_role("button", name="Keep both")).to_be_visible()
        assert quiet.status()["counts"]["conflict"] == 1
        words.get_by_role("button", name="Keep both").click()
        expect(page.locator(".outcome")).to_contain_text("Written and seen in Immich")
        both = quiet.shown(3)["description"]
        assert both.index(CONFLICT) < both.index(theirs) < both.index("✦")

        words.get_by_role("button", name="Decide again").click()
        page.once("dialog", lambda dialog: dialog.dismiss())
        words.get_by_role("button", name="Use Skymmich's").click()
        expect(words.get_by_role("button", name="Use Skymmich's")).to_be_visible()
        assert quiet.shown(3)["description"] == both
        page.once("dialog", lambda dialog: dialog.accept())
        words.get_by_role("button", name="Use Skymmich's").click()
        expect(page.locator(".outcome")).to_contain_text("Written and seen in Immich")
        expect(page.locator("#history-title + ol")).to_contain_text(CONFLICT)
    assert CONFLICT not in quiet.shown(3)["description"]


def test_an_edit_that_may_be_missing_is_shown_until_a_click_says_that_somebody_looked(browser, quiet):
    for image_id in (4, 5, 6):
        quiet.note_crossing(image_id)
    post(quiet, "/api/v1/reconcile?wait=60")
    assert quiet.status()["crossed"]["count"] == 3
    with window(browser, quiet) as page:
        page.goto("/")
        need = page.locator("#attention .need").filter(has_text="an edit may be missing")
        expect(need).to_contain_text("3 images")
        need.get_by_role("link", name="See all 3").click()
        expect(page.locator(".card")).to_have_count(3)
        page.locator("#image-4 h2 a").click()
        panel = page.get_by_role("region", name="Edit may be missing")
        expect(panel).to_contain_text("Read just before")
        expect(panel.locator(".text ins").first).to_contain_text("✦")
        panel.get_by_role("button", name="I have looked").click()
        expect(page.locator(".said").first).to_contain_text("told again only if it happens again")
        expect(panel).to_have_count(0)
        assert quiet.status()["crossed"]["count"] == 2

        page.goto("/images?status=crossed")
        page.get_by_role("button", name="I have looked at all of them").click()
        expect(page.locator(".said").first).to_contain_text("told again only if it happens again")
        page.goto("/images?status=crossed")
        expect(page.locator(".calm")).to_contain_text("No image matches")
    assert quiet.status()["crossed"] == {"count": 0, "newest": None}


def test_a_click_on_the_overview_says_so_of_all_with_javascript_and_without(browser, quiet):
    for script in (True, False):
        quiet.note_crossing(CROSSED)
        post(quiet, "/api/v1/reconcile?wait=60")
        with (
            window(browser, quiet, java_script_enabled=script) as page,
            window(browser, quiet) as other,
        ):
            page.goto("/")
            other.goto("/")
            page.get_by_role("button", name="I have looked at it").click()
            expect(page.locator(".said").first).to_contain_text("told again only if it happens again")
            for one in (page, other):
                expect(one.locator("#attention")).not_to_contain_text("an edit may be missing")
        assert quiet.status()["crossed"]["count"] == 0


def test_the_guards_approval_is_a_click_after_the_numbers(browser, place):
    before = place.simulator.assets()
    kept = "SELECT json_group_array(value) FROM json_each(tags) WHERE value <> 'astrophotography'"
    place.sql(f"UPDATE {IMAGES} SET tags = ({kept}) WHERE tags LIKE '%\"astrophotography\"%'")
    with window(browser, place) as page:
        page.goto("/")
        need = page.locator(".need", has_text="The guard holds something back")
        expect(need).to_contain_text("would lose something")
        assert {one: found["tags"] for one, found in place.simulator.assets().items()} == {
            one: found["tags"] for one, found in before.items()
        }
        need.get_by_role("link", name="See what it would do, and approve …").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("would lose something")
        page.get_by_role("button", name="Approve just this").click()
        expect(page.locator("#toasts")).to_contain_text("Checked 55 images, wrote", timeout=30_000)
        expect(need).to_have_count(0, timeout=30_000)
    asset = place.asset_of(1)
    assert len(place.simulator.assets()[asset]["tags"]) < len(before[asset]["tags"])


def test_without_javascript_the_preview_of_a_setting_comes_first_and_then_it_holds(browser, place):
    with window(browser, place, java_script_enabled=False) as page:
        page.goto("/")
        page.get_by_label("Tags").uncheck()
        page.get_by_role("button", name="Preview these").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Nothing would change")
        assert place.status()["settings"]["syncTags"] is True
        page.get_by_role("button", name="Save these settings").click()
        expect(page.locator(".said").first).to_contain_text("changed and read back")
        expect(page.get_by_label("Tags")).not_to_be_checked()
        assert place.status()["settings"]["syncTags"] is False
        page.get_by_label("Tags").check()
        page.get_by_role("button", name="Save settings").click()
        expect(page.get_by_label("Tags")).to_be_checked()
    assert place.status()["settings"]["syncTags"] is True


def test_a_switch_holds_at_once_and_is_taken_back_by_a_click(browser, quiet):
    with window(browser, quiet) as page:
        page.goto("/")
        page.get_by_label("Tags").uncheck()
        toast = page.locator("#switched")
        expect(toast).to_contain_text("Tags are switched off: they stay in Immich as they are.")
        assert quiet.status()["settings"]["syncTags"] is False
        toast.get_by_role("button", name="Undo").click()
        expect(toast).to_contain_text("Tags are kept in sync.")
        expect(page.get_by_label("Tags")).to_be_checked()
        assert quiet.status()["settings"]["syncTags"] is True
        assert quiet.status()["settings_source"] == "Skymmich"


def tags_of_all(place):
    return {asset_id: one["tags"] for asset_id, one in place.simulator.assets().items()}


def test_sync_all_goes_by_a_switch_whose_saving_is_still_on_its_way(browser, quiet):
    before = tags_of_all(quiet)
    quiet.sql("UPDATE equipment SET name = 'A camera of another name' WHERE type = 'camera'")
    with window(browser, quiet) as page:
        page.goto("/")
        held = []

        def hold(switched):
            held.append(switched)

        page.route("**/switches", hold)
        page.get_by_label("Tags").uncheck()
        eventually(lambda: held or page.wait_for_timeout(20), "the switch is on its way")
        page.get_by_role("button", name="Sync all images").click()
        eventually(
            lambda: page.wait_for_timeout(50) or "A camera of another name" in quiet.shown(1)["description"],
            "it is written", 60,
        )  # fmt: skip
        assert quiet.status()["settings"]["syncTags"] is False
        with page.expect_response("**/switches"):  # else it may come after what is set below
            for one in held:
                one.continue_()
        expect(page.get_by_label("Tags")).not_to_be_checked()
    try:
        assert tags_of_all(quiet) == before
    finally:
        post(quiet, "/api/v1/settings", {"syncTags": True})
        post(quiet, "/api/v1/reconcile?wait=60")


def test_without_javascript_unsaved_switches_show_and_sync_all_goes_by_them(browser, quiet):
    before = tags_of_all(quiet)
    quiet.sql("UPDATE equipment SET name = 'A mount of another name' WHERE type = 'mount'")
    with window(browser, quiet, java_script_enabled=False) as page:
        page.goto("/")
        unsaved = page.get_by_text("Changed, and not saved yet.")
        expect(unsaved).to_be_hidden()
        page.get_by_label("Tags").uncheck()
        expect(unsaved).to_be_visible()
        page.get_by_role("button", name="Sync all images").click()
        expect(page.locator(".said").first).to_contain_text("Requested")
        assert quiet.status()["settings"]["syncTags"] is False
    try:
        eventually(lambda: "A mount of another name" in quiet.shown(1)["description"], "it was written", 60)
        assert tags_of_all(quiet) == before
    finally:
        post(quiet, "/api/v1/settings", {"syncTags": True})
        post(quiet, "/api/v1/reconcile?wait=60")


def test_a_switch_that_could_not_be_saved_is_as_it_was_and_it_is_said(browser, quiet):
    with window(browser, quiet, gone=True) as page:
        page.goto("/")
        answer = {"status": 503, "content_type": "application/problem+json", "body": '{"detail": "Not now."}'}
        page.route("**/switches", lambda route: route.fulfill(**answer))
        page.get_by_label("Tags").click()
        expect(page.get_by_role("alert")).to_have_text("Not now.")
        expect(page.get_by_label("Tags")).to_be_checked()


def left(page, deed):
    """Do what leaves a page; give what the browser asked."""
    asked = []
    page.once("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    deed()
    return asked


def test_who_leaves_with_an_unsaved_template_or_part_is_asked_first(browser, quiet):
    with window(browser, quiet) as page:
        for change in (
            lambda: page.locator("#text").press_sequentially("{# mine #}"),
            lambda: page.locator("#part-site").click(),
        ):
            page.goto("/template")
            change()
            assert left(page, lambda: page.get_by_role("link", name="Images").click()) == ["beforeunload"]
            expect(page).to_have_url(re.compile("/images"))
        page.goto("/template")
        page.locator("#text").press_sequentially("{# mine #}")
        assert left(page, lambda: page.get_by_role("button", name="Save …").click()) == []
        expect(page.get_by_role("heading", level=1)).to_have_text("Save this template?")
        assert left(page, lambda: page.get_by_role("link", name="Images").click()) == ["beforeunload"]
        page.goto("/template")
        assert left(page, lambda: page.get_by_role("link", name="Images").click()) == []


def test_what_was_set_here_is_told_from_skymmichs_and_given_up_by_a_click(browser, place):
    with window(browser, place) as page:
        page.goto("/")
        page.get_by_role("switch", name="Place").uncheck()
        eventually(lambda: place.status()["settings_source"] == "override", "the switch holds")
        page.goto("/")
        expect(page.locator(".switch", has_text="Place")).to_contain_text("Skymmich says on")
        page.get_by_role("button", name="Follow Skymmich again").click()
        expect(page.locator(".said").first).to_contain_text("own settings apply again")
        eventually(lambda: place.status()["settings_source"] == "Skymmich", "Skymmich's hold again")
    assert place.status()["settings"]["syncCoordinates"] is True


def test_the_doctors_checks_come_by_themselves(browser, place):
    with window(browser, place) as page:
        page.goto("/doctor")
        expect(page.locator("#checks")).to_contain_text("the right to write is with this daemon")


def test_with_the_master_switch_off_nothing_is_written_and_on_again_it_is(browser, place):
    eventually(place.settled, "all is done")
    with window(browser, place) as page:
        page.goto("/")
        page.get_by_label("Keep Immich in sync").uncheck()
        expect(page.locator(".need", has_text="Metadata sync is switched off")).to_be_visible()
        place.sql(f"UPDATE {IMAGES} SET title = 'While it was off' WHERE id = 12")
        before = place.status()["attempted_at"]
        page.get_by_role("button", name="Look now").click()
        eventually(lambda: place.status()["attempted_at"] != before and place.settled(), "it was looked at")
        assert "While it was off" not in place.shown(12)["description"]
        page.get_by_label("Keep Immich in sync").check()
        expect(page.locator(".need", has_text="Metadata sync is switched off")).to_have_count(0)
    eventually(lambda: "While it was off" in place.shown(12)["description"], "it is written")


def test_what_happened_while_a_page_was_on_its_way_is_shown_without_a_run(browser, quiet):
    with window(browser, quiet) as page:
        held = []

        def hold(stream):
            held.append(stream)

        page.route("**/api/v1/events", hold)
        page.goto("/")
        eventually(lambda: held or page.wait_for_timeout(20), "the page listens")
        need = page.locator(".need", has_text="Metadata sync is switched off")
        expect(need).to_have_count(0)
        try:
            post(quiet, "/api/v1/settings", {"metadataSyncEnabled": False})
            for stream in held:
                stream.continue_()
            expect(need).to_be_visible()
        finally:
            post(quiet, "/api/v1/settings", {"metadataSyncEnabled": True})
        expect(need).to_have_count(0)


def test_a_look_by_a_click_comes_though_the_daemon_is_paused(browser, quiet):
    quiet.sql(f"UPDATE {IMAGES} SET title = 'Looked at by a click' WHERE id = 13")
    with window(browser, quiet) as page:
        page.goto("/")
        page.get_by_role("button", name="Look now").click()
        eventually(lambda: "Looked at by a click" in quiet.shown(13)["description"], "it is written")
        expect(page.locator("#recent")).to_contain_text("Looked at by a click")


def test_a_token_is_asked_for_once_and_a_wrong_one_shows_nothing(browser, place, tmp_path):
    guarded = Place(tmp_path, place.catalogue, place.simulator)
    guarded.start(RECONCILER_STATUS__TOKEN="only the family knows this one")
    try:
        # The browser itself notes in its console that a page was refused.
        with window(browser, guarded, gone=True) as page:
            page.goto("/images")
            page.get_by_label("Token").fill("a guess")
            page.get_by_role("button", name="Log in").click()
            expect(page.locator("main")).to_contain_text("not the token")
            expect(page.locator(".card")).to_have_count(0)
            page.get_by_label("Token").fill("only the family knows this one")
            page.get_by_role("button", name="Log in").click()
            expect(page.get_by_role("heading", level=1)).to_have_text("Images")
            page.get_by_role("button", name="Log out").click()
            page.goto("/")
            expect(page.get_by_role("button", name="Log in")).to_be_visible()
    finally:
        guarded.kill()


def test_a_template_is_seen_while_it_is_typed_and_rewrites_every_image_once_it_is_saved(browser, place):
    with window(browser, place) as page:
        page.goto("/template")
        page.get_by_label("Template", exact=True).fill("{{ heading }}\n{{ oops }}")
        expect(page.locator("#preview")).to_contain_text("Line 2:")
        page.get_by_label("Template", exact=True).fill("{{ heading }}, as typed")
        expect(page.locator("#preview")).to_contain_text("✦ M 31 · NGC 224 · Andromeda Galaxy, as typed")
        page.get_by_label("On the image").select_option("2")
        expect(page.locator("#preview")).not_to_contain_text("M 31")
        assert "as typed" not in place.shown(1)["description"]
        page.get_by_role("button", name="What would change?").click()
        expect(page.locator(".said").last).to_contain_text("would lose something")
        page.get_by_role("button", name="Save this template and approve just this").click()
        expect(page.locator(".said").first).to_contain_text("is used from the next run on")
        eventually(lambda: "as typed" in place.shown(1)["description"], "it is written")
        page.on("dialog", lambda dialog: dialog.accept())
        page.get_by_role("button", name="Reset").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Go back to the configured template?")
        page.get_by_role("button", name="Save").click()
        expect(page.locator(".said").first).to_contain_text("configured template is in use again")
        eventually(lambda: "as typed" not in place.shown(1)["description"], "it is written back")


def test_without_javascript_switches_sync_and_resolve_work(browser, quiet):
    quiet.sql(f"UPDATE {IMAGES} SET title = 'By a plain form' WHERE id = 9")
    with window(browser, quiet, java_script_enabled=False) as page:
        page.goto("/images/9")
        page.get_by_role("button", name="Sync to Immich").click()
        expect(page.locator(".outcome")).to_contain_text("Written and seen in Immich")
        assert "By a plain form" in quiet.shown(9)["description"]
        quiet.simulator.person(quiet.asset_of(3), "set_description", "A person's")
        quiet.sql(f"UPDATE {IMAGES} SET description = 'The catalogue''s' WHERE id = 3")
        page.goto("/images/3")
        page.get_by_role("button", name="Keep both").click()
        expect(page.locator(".outcome")).to_contain_text("Written and seen in Immich")
        assert quiet.shown(3)["description"].startswith("A person's\n\nThe catalogue's\n\n✦")
        page.goto("/")
        page.get_by_role("switch", name="Place").uncheck()
        page.get_by_role("button", name="Save settings").click()
        expect(page.locator(".said").first).to_be_visible()
        switched(page, "Resume")
        expect(page.get_by_role("button", name="Pause")).to_be_visible()
        eventually(lambda: quiet.status()["settings"]["syncCoordinates"] is False, "the switch holds")
        page.get_by_role("switch", name="Place").check()
        page.get_by_role("button", name="Save settings").click()
        eventually(lambda: quiet.status()["settings"]["syncCoordinates"] is True, "the switch holds")
        every = page.get_by_role("button", name="Sync all images")
        # While a pass goes on the page shows how far it is instead, and without a script it stays as it is.
        eventually(lambda: page.goto("/") and every.count(), "no pass goes on")
        every.click()
        expect(page.locator(".said").first).to_contain_text(re.compile("Requested|Checked"))


def switched(page, name):
    """Pause or resume, after a look at what that means."""
    page.get_by_role("button", name=f"{name} …", exact=True).click()
    page.get_by_role("button", name=name, exact=True).click()


def test_two_windows_show_the_same_without_a_reload(browser, place):
    with window(browser, place) as one, window(browser, place) as other:
        one.goto("/")
        other.goto("/")
        switched(one, "Pause")
        expect(other.get_by_role("button", name="Resume")).to_be_visible()
        expect(one.get_by_role("button", name="Resume")).to_be_visible()
        switched(other, "Resume")
        expect(one.get_by_role("button", name="Pause")).to_be_visible()


def test_windows_do_not_undo_each_others_switches(browser, quiet):
    """Paused, so that no pass reads the settings again for them."""
    with window(browser, quiet) as one, window(browser, quiet) as other, window(browser, quiet) as idle:
        for page in (one, other, idle):
            page.goto("/")
            expect(page.get_by_label("Tags")).to_be_checked()
        one.get_by_role("switch", name="Place").uncheck()
        other.get_by_label("Tags").uncheck()
        for page in (one, other, idle):
            expect(page.get_by_role("switch", name="Place")).not_to_be_checked()
            expect(page.get_by_label("Tags")).not_to_be_checked()
        one.get_by_role("button", name="Follow Skymmich again").click()
        for page in (one, idle):
            expect(page.get_by_role("switch", name="Place")).to_be_checked()
            expect(page.get_by_label("Tags")).to_be_checked()
    assert quiet.status()["settings_source"] == "Skymmich"


def test_a_page_left_open_over_a_restart_says_so_and_recovers_by_itself(browser, place):
    with window(browser, place, gone=True) as page:
        page.goto("/")
        expect(page.locator(".lost")).to_be_hidden()
        place.kill()
        expect(page.locator(".lost")).to_be_visible(timeout=10_000)
        place.start()
        expect(page.locator(".lost")).to_be_hidden()
        place.sql(f"UPDATE {IMAGES} SET title = 'After the restart' WHERE id = 11")
        expect(page.locator("#recent")).to_contain_text("After the restart")
        expect(page.locator("#headline")).to_contain_text("checked")


def shown(page, *, hidden):
    """Say to a page that its tab was hidden or shown: windows without a screen are never hidden."""
    page.evaluate(
        "(hidden) => { Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});"
        " document.dispatchEvent(new Event('visibilitychange')); }",
        hidden,
    )


def test_a_page_whose_daemon_stands_still_says_so_and_its_times_go_on(browser, quiet):
    eventually(lambda: quiet.status()["level"] == "attention", "the pause shows")
    with window(browser, quiet, gone=True) as page:
        page.add_init_script(
            "const Real = EventSource; window.EventSource = class extends Real {"
            " constructor(...given) { super(...given); window.heard = this; } };"
        )
        page.clock.install()
        page.goto("/")
        checked = page.locator("#headline time")
        expect(checked).to_be_visible()
        # A daemon that beats is there, however long nothing happens.
        for _ in range(4):
            page.clock.fast_forward(20_000)
            page.evaluate(
                "heard.dispatchEvent(new MessageEvent('beat', {data: JSON.stringify({now: new Date()})}))"
            )
        expect(page.locator(".lost")).to_be_hidden()
        os.kill(quiet.process.pid, signal.SIGSTOP)
        try:
            page.clock.fast_forward(26_000)
            expect(page.locator(".lost")).to_be_visible()
            page.clock.fast_forward(600_000)
            expect(page.locator(".lost")).to_be_visible()
            expect(checked).to_contain_text(re.compile(r"^1\d min ago$"))
        finally:
            os.kill(quiet.process.pid, signal.SIGCONT)
        expect(page.locator(".lost")).to_be_hidden(timeout=30_000)
        # What was asked while it stood still holds nothing up.
        post(quiet, "/api/v1/resume")
        expect(page.get_by_role("button", name="Pause")).to_be_visible(timeout=30_000)


def test_pages_that_nobody_sees_keep_no_connection_and_catch_up_when_they_are_shown(browser, quiet):
    with window(browser, quiet) as first:
        first.goto("/")
        expect(first.get_by_role("button", name="Resume")).to_be_visible()
        shown(first, hidden=True)
        for path in (
            "/",
            "/images",
            "/images?status=crossed",
            "/images/1",
            "/images/2",
            "/images/3",
            "/runs",
        ):
            other = first.context.new_page()
            other.goto(path, timeout=30_000)
            shown(other, hidden=True)
        post(quiet, "/api/v1/resume")
        expect(other.locator("h1")).to_be_visible()
        expect(first.get_by_role("button", name="Resume")).to_be_visible()
        shown(first, hidden=False)
        expect(first.get_by_role("button", name="Pause")).to_be_visible()
        expect(first.locator(".lost")).to_be_hidden()


def test_a_refused_click_says_why_where_it_is_seen(browser, quiet):
    with window(browser, quiet, gone=True, viewport={"width": 380, "height": 500}) as page:
        page.goto("/images?status=in_sync")
        button = page.get_by_role("button", name="Sync to Immich").last
        button.scroll_into_view_if_needed()
        page.route(
            "**/images/*/sync",
            lambda route: route.fulfill(
                status=503,
                content_type="application/problem+json",
                body='{"detail": "Not now.", "remedy": "Later."}',
            ),
        )
        button.click()
        told = page.get_by_role("alert")
        expect(told).to_have_text("Not now. Later.")
        expect(told).to_be_in_viewport()
        expect(told).to_be_focused()


def test_a_part_is_switched_without_javascript_and_comes_back(browser, place):
    eventually(lambda: "Accessories:" in place.shown(1)["description"], "the facts are whole", 60)
    with window(browser, place, java_script_enabled=False) as page:
        page.goto("/template")
        page.locator("#part-accessories").uncheck()
        page.locator("#save-parts").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Save these parts?")
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("The parts are used from the next run on.")).to_be_visible()
        expect(page.get_by_text("Set here; the configuration says on.")).to_have_count(1)
        eventually(lambda: "Accessories:" not in place.shown(1)["description"], "the part is gone", 60)
        page.locator("#reset-parts").click()
        page.get_by_role("button", name="Save").click()
        expect(page.get_by_text("The configured parts are in use again.")).to_be_visible()
        expect(page.locator("#reset-parts")).to_have_count(0)
        eventually(lambda: "Accessories:" in place.shown(1)["description"], "the part is back", 60)
