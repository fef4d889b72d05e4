"""What has to hold on every page: no barriers, high contrast, fingers, phones, and pictures that are no holes.

A new page joins ``PAGES``, with what a person comes to it for.
"""

from __future__ import annotations

import base64
import re
import sys
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from browsing import AXE, ROOT, Place, eventually, installation, post, window

playwright_api = pytest.importorskip("playwright.sync_api", reason="Playwright comes with the dev group")
pytestmark = pytest.mark.slow
expect = playwright_api.expect
expect.set_options(timeout=30_000)


@dataclass(frozen=True)
class Page:
    """A page; ``main`` is what has to be within a phone's first screen (CSS)."""

    path: str
    main: str


PAGES = (
    Page("/", "#sync button.primary:visible"),
    Page("/images", "#find, .card h2"),
    Page("/images?density=list", "#find, .card h2"),
    Page("/images?status=crossed", ".seen button, main button"),
    Page("/images?q=nothing+like+this", ".calm a"),
    Page("/images/1", ".state button"),
    Page("/images/2", ".state button"),
    Page("/images/3", ".state button"),
    Page("/images/56", "h1"),
    Page("/runs", "table a, ol a"),
    Page("/runs/{run}", "h1"),
    Page("/doctor", "h1"),
    Page("/doctor?run=1", "main a.button"),
    Page("/template", "h1"),
    Page("/preview", "h1"),
    Page("/undo?everything=true", "h1"),
    Page("/images/12345", "main a"),
    Page("/login", "button.primary"),
)
MEDIA = {
    "light": {"color_scheme": "light"},
    "dark": {"color_scheme": "dark"},
    "contrast": {"contrast": "more"},
    "forced": {"forced_colors": "active", "color_scheme": "dark"},
}
PLAIN = {"color_scheme": "light", "contrast": "no-preference", "forced_colors": "none"}
CROSSED = 2
FINGER = 44
# The bars of the last runs are a drawing: each is a link in the list of all runs, too.
SMALL = """(least) => [...document.querySelectorAll(
    "a[href], button, input:not([type=hidden]), select, textarea, summary, label.switch")].filter((one) => {
  const label = one.matches("[type=checkbox]") && one.closest("label");
  const box = (label || one).getBoundingClientRect();
  const style = getComputedStyle(one);
  if (!box.width || style.visibility === "hidden" || one.closest(".skip, .hidden, .bars") || one.tabIndex < 0) return false;
  // A link within a sentence is as high as its line.
  const sentence = one.matches("a") && style.display === "inline" && one.closest("p, li, dd, td, small, span, h3, div");
  if (sentence && sentence.textContent.trim() !== one.textContent.trim()) return false;
  return box.width < least - 0.5 || box.height < least - 0.5;
}).map((one) => one.outerHTML.slice(0, 120) + " " + JSON.stringify(one.getBoundingClientRect()))"""


@pytest.fixture(scope="module")
def place(tmp_path_factory, browser):
    with installation(tmp_path_factory.mktemp("place")) as place:
        place.simulator.person(place.asset_of(3), "set_description", "A cold night.")
        place.start()
        eventually(place.settled, "the first pass", 180)
        place.note_crossing(CROSSED)
        post(place, "/api/v1/reconcile?wait=60")
        post(place, "/api/v1/pause")
        yield place


@pytest.fixture(scope="module")
def guarded(tmp_path_factory, place):
    """The same, for whoever does not know the token."""
    other = Place(tmp_path_factory.mktemp("guarded"), place.catalogue, place.simulator)
    other.start(RECONCILER_STATUS__TOKEN="only the family knows this one")
    yield other
    other.kill()


@pytest.fixture(scope="module")
def visit(browser, place, guarded):
    """Go to every page in a window of its own kind: the page, and what it is called."""
    run = re.search(r'"run_id": ?"([^"]+)"', place.get("/api/v1/runs").decode()).group(1)

    def each(**options):
        with ExitStack() as stack:
            inside, outside = (
                stack.enter_context(window(browser, where, gone=True, **options))
                for where in (place, guarded)
            )
            for one in PAGES:
                page = outside if one.path == "/login" else inside
                page.goto(one.path.format(run=run))
                yield page, one

    return each


@dataclass
class Looked:
    """What was seen on the pages, each loaded once; by path."""

    barriers: dict[str, dict[str, list]] = field(default_factory=lambda: {media: {} for media in MEDIA})
    too_wide: dict[str, list[int]] = field(default_factory=dict)
    lost: dict[str, int] = field(default_factory=dict)
    """Pictures that are none."""


@pytest.fixture(scope="module")
def looked(visit):
    """Look at every page on a desk: in each of the media, at each width, and at its pictures."""
    found = Looked()
    # Without motion: colours would pass into those of the next medium.
    for page, one in visit(bypass_csp=True, reduced_motion="reduce"):
        page.evaluate(AXE)
        for media, emulated in MEDIA.items():
            page.emulate_media(**PLAIN | emulated)
            rules = {"resultTypes": ["violations"]}
            if media != "light":
                # All else is the same: see test_in_other_media_a_page_looks_otherwise_and_has_the_same_on_it.
                rules["runOnly"] = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}
            violations = page.evaluate("(rules) => axe.run(rules)", rules)["violations"]
            if grave := [
                (each["id"], [node["html"][:200] for node in each["nodes"]][:3])
                for each in violations
                if each["impact"] in {"serious", "critical"}
            ]:
                found.barriers[media][one.path] = grave
        page.emulate_media(**PLAIN)
        page.evaluate("document.querySelectorAll('img').forEach(one => one.loading = 'eager')")
        for width in (360, 768, 1280, 1920):
            page.set_viewport_size({"width": width, "height": 900})
            if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
                found.too_wide.setdefault(one.path, []).append(width)
        complete = "[...document.images].every(one => one.complete)"
        eventually(lambda page=page, complete=complete: page.evaluate(complete), one.path)
        if lost := page.evaluate("[...document.images].filter(one => !one.naturalWidth).length"):
            found.lost[one.path] = lost
    return found


@pytest.mark.parametrize("media", list(MEDIA))
def test_axe_finds_no_barrier_on_any_page(looked, media):
    assert looked.barriers[media] == {}


def test_every_page_fits_its_window_and_every_picture_shows(looked):
    assert looked.too_wide == {}
    assert looked.lost == {}


def test_in_other_media_a_page_looks_otherwise_and_has_the_same_on_it():
    """What is there, and what it is called, needs no other look in them."""
    style = (ROOT / "reconciler" / "web" / "static" / "app.css").read_text(encoding="utf-8")
    blocks = re.split(r"(?m)^@media .*(?:color-scheme|contrast|forced-colors)", style)[1:]
    assert len(blocks) == 3
    for block in blocks:
        rules = block.partition("\n}\n")[0]
        assert "{" in rules
        assert not re.search(r"\b(display|visibility|position)\s*:", rules)


# The shortest title that people give: which image stands first on a page is not the test's to choose.
SHORTEN = """() => document.querySelectorAll("main a[href^='/images/']").forEach((one) => {
  if (one.matches(":has(img, svg)")) return;
  (one.querySelector("b") || one).textContent = "M1";
})"""


@dataclass
class Touched:
    """What was seen on the pages of a phone, each loaded once; by path."""

    small: dict[str, dict[str, list]] = field(
        default_factory=lambda: {"as they are": {}, "as short as M1": {}}
    )
    """What no finger hits, by how long the titles are."""
    below: dict[str, dict] = field(default_factory=dict)
    """Boxes of what a page is for that are not within the first screen."""
    too_wide: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def touched(visit):
    found = Touched()
    for page, one in visit(has_touch=True, is_mobile=True, viewport={"width": 380, "height": 700}):
        assert page.evaluate("matchMedia('(pointer: coarse)').matches")
        # A page draws itself anew: what was there a moment ago may have no box.
        box = eventually(page.locator(one.main).first.bounding_box, f"what {one.path} is for")
        if box["y"] + box["height"] > 700:
            found.below[one.path] = box
        if page.evaluate("document.documentElement.scrollWidth > innerWidth"):
            found.too_wide.append(one.path)
        if small := page.evaluate(SMALL, FINGER):
            found.small["as they are"][one.path] = small
        page.evaluate(SHORTEN)
        if small := page.evaluate(SMALL, FINGER):
            found.small["as short as M1"][one.path] = small
    return found


@pytest.mark.parametrize("titles", ["as they are", "as short as M1"])
def test_whatever_a_finger_can_touch_is_44_pixels_wide_and_high(touched, titles):
    small = touched.small[titles]
    assert not small, "\n".join(f"{path}: {one}" for path, found in small.items() for one in found)


def test_what_a_page_is_for_is_within_a_phones_first_screen(touched):
    assert touched.below == {}
    assert touched.too_wide == []


def test_in_forced_colours_what_backgrounds_said_is_said_by_borders(browser, place):
    border = "one => parseFloat(getComputedStyle(one).borderTopWidth)"
    with window(browser, place, forced_colors="active") as page:
        page.goto("/images")
        assert page.locator(".card .chip").first.evaluate(border) >= 1
        chosen, other = page.locator(".facet[aria-current]"), page.locator(".facet:not([aria-current])").first
        background = "one => getComputedStyle(one).backgroundColor"
        assert chosen.evaluate(background) != other.evaluate(background)
        page.goto("/")
        box = page.get_by_label("Tags", exact=True)
        assert box.evaluate("one => getComputedStyle(one).appearance") == "auto"


def brightness(page, locator) -> float:
    """Return the mean of what is really drawn there, 0 to 255."""
    data = base64.b64encode(locator.screenshot()).decode()
    return page.evaluate(
        """async (data) => {
            const image = new Image(); image.src = 'data:image/png;base64,' + data; await image.decode();
            const canvas = document.createElement('canvas');
            canvas.width = image.width; canvas.height = image.height;
            const context = canvas.getContext('2d'); context.drawImage(image, 0, 0);
            const all = context.getImageData(0, 0, image.width, image.height).data;
            let sum = 0; for (let at = 0; at < all.length; at += 4) sum += all[at] + all[at + 1] + all[at + 2];
            return sum / (all.length / 4) / 3;
        }""",
        data,
    )


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_picture_that_is_on_its_way_or_is_lost_is_no_black_hole(browser, place, scheme):
    """It never comes, or the connection breaks: what is drawn there is measured."""
    answers = {"never": lambda _: None, "broken": lambda route: route.abort()}
    for answer, give in answers.items():
        with window(browser, place, gone=True, color_scheme=scheme, bypass_csp=True) as page:
            page.route("**/thumbnails/*", give)
            for path, part in (("/images", ".card .pic"), ("/images/1", ".picture figure")):
                page.goto(path, wait_until="domcontentloaded")
                assert brightness(page, page.locator(part).first) > 50, (answer, path)


def test_a_picture_that_immich_does_not_give_is_a_drawing(browser, place):
    with window(browser, place, bypass_csp=True) as page:
        place.simulator.configure(down=True)
        try:
            page.goto("/images/40")
            picture = page.locator("img.large")
            eventually(
                lambda: picture.evaluate("one => one.complete && one.naturalWidth > 0"), "the answer", 60
            )
            assert brightness(page, picture) > 50
        finally:
            place.simulator.configure(down=False)
