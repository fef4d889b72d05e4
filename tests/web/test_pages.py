"""The pages without a browser: what they show, that they escape, and that every button works by a plain form."""

from __future__ import annotations

import hashlib
import re
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from importlib import resources
from types import SimpleNamespace

import pytest

from reconciler.core.plan.guard import Verdict
from reconciler.core.policy import ALL_SWITCHES, Switches
from reconciler.core.reasons import reason
from reconciler.core.records import JournalEntry
from reconciler.engine.events import Progress
from reconciler.errors import CatalogueError, ImmichAnswerError, ImmichRejectedError, ImmichTemporaryError
from reconciler.service.api import Condition, Headline
from reconciler.web.access.policy import Access
from reconciler.web.pages.diff import difference
from reconciler.web.pages.environment import lasting, marked, place

SAME = {"origin": "http://127.0.0.1:8287", "accept": "text/html"}
PEOPLE = {"accept": "text/html"}
PATHS = ("/", "/images", "/images/1", "/images/2", "/images/99", "/runs", "/runs/old1", "/doctor", "/preview")
VOID = {
    "meta",
    "link",
    "img",
    "input",
    "br",
    "hr",
    "option",
    "use",
    "rect",
    "p",
    "li",
    "dt",
    "dd",
    "td",
    "tr",
    "th",
}


class Reader(HTMLParser):
    """Notes what a browser would do, and tags that do not close."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""
        self.tags: list[tuple[str, dict]] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def read(answer) -> Reader:
    reader = Reader()
    reader.feed(answer.text)
    reader.close()
    assert reader.open == []
    return reader


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_sound_asks_no_other_host_and_has_no_inline_code(client, path):
    answer = client.get(path, headers=PEOPLE)
    assert answer.status_code == 200
    page = read(answer)
    for tag, attributes in page.tags:
        assert not [name for name in attributes if name.startswith(("on", "hx-on")) or name == "style"]
        assert tag != "style"
        for name in ("src", "href", "action"):
            address = attributes.get(name, "")
            if tag != "a":
                assert not address.startswith(("http", "//")), address
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert len([tag for tag, _ in page.tags if tag == "h1"]) == 1


@pytest.mark.parametrize("path", PATHS)
def test_a_title_with_html_in_it_is_text(client, path):
    text = client.get(path, headers=PEOPLE).text
    assert "<img src=x" not in text
    assert "<b>words</b>" not in text


def test_a_page_weighs_less_than_150_kb_with_all_it_loads(client):
    page = client.get("/", headers=PEOPLE)
    loaded = set(re.findall(r'(?:src|href)="(/static/[^"#]+)', page.text))
    weights = [len(client.get(path).content) for path in loaded]
    assert len(weights) >= 4
    assert len(page.content) + sum(weights) < 150_000


def test_vendored_files_are_as_listed():
    folder = resources.files("reconciler.web") / "static"
    listed = re.findall(r"\| `([\w.]+)` .*`([0-9a-f]{64})` \|", (folder / "VENDORED.md").read_text())
    assert listed
    for name, digest in listed:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_static_files_are_kept_for_ever_by_their_content(client):
    page = client.get("/", headers=PEOPLE).text
    address = re.search(r'"(/static/app.css\?v=\w+)"', page).group(1)
    assert "immutable" in client.get(address).headers["cache-control"]
    assert client.get("/static/app.css").headers["cache-control"] == "no-cache"
    assert client.get("/static/nothing.css").status_code == 404
    assert client.get("/static/..%2Fapp.py").status_code == 404


def test_the_overview_says_how_things_stand_and_what_needs_attention_first(client):
    text = read(client.get("/", headers=PEOPLE)).text
    order = [
        "Needs attention",
        "4 of 6 images are not in sync",
        "image: not kept",
        "image: in conflict",
        "What changed lately",
    ]
    places = [text.index(each) for each in order]
    assert places == sorted(places)
    assert "Why it is so." in text


def test_only_a_state_that_is_well_and_fresh_is_green(client, control):
    levels = {"ok": True, "attention": False, "trouble": False, "unknown": False, "off": False}
    for level, green in levels.items():
        headline = Headline("in_sync", level, images=6)
        control.shown = replace(control.shown, headline=headline, counts={"in_sync": 6})
        found = client.get("/parts/headline", headers=PEOPLE).text
        assert ("tone-ok" in found) is green, level


def test_when_all_is_well_nothing_needs_attention(client, control):
    headline = Headline("in_sync", "ok", images=6)
    control.shown = replace(control.shown, headline=headline, counts={"in_sync": 6})
    assert "Nothing. Every image is in sync" in client.get("/", headers=PEOPLE).text


def test_the_guard_shows_numbers_and_a_button_that_approves_just_that(client, control):
    verdict = Verdict(
        tripped=True, hash="abc123", reasons=(reason("would_lose", count=40, managed=55, percent=73),)
    )
    held = Condition("GuardClear", "False", "HeldBack", verdict.told, control.shown.started_at)
    control.shown = replace(control.shown, verdict=verdict, conditions=(held,))
    text = client.get("/", headers=PEOPLE).text
    assert text.count("40 of 55 managed assets would lose something (73%)") == 1
    answer = client.post("/actions/approve", data={"hash": "abc123"}, headers=SAME, follow_redirects=False)
    assert answer.status_code == 303
    assert control.requested[0].approved == "abc123"


def test_a_guard_that_saw_the_catalogue_shrink_offers_no_quick_approval(client, control):
    verdict = Verdict(
        tripped=True, hash="abc123", reasons=(reason("catalogue_emptied", before=55),), shrunk=True
    )
    held = Condition("GuardClear", "False", "HeldBack", verdict.told, control.shown.started_at)
    control.shown = replace(control.shown, verdict=verdict, conditions=(held,))
    text = client.get("/parts/attention", headers=PEOPLE).text
    assert "the catalogue is empty" in text
    assert "Approve" not in text


def test_a_pass_that_runs_shows_how_far_it_is_and_can_be_stopped(client, control):
    control.hanging = True
    control.request(control_request())
    state = replace(control.states["run1"], progress=Progress("writing", 30, 120, 4))
    control.shown = replace(control.shown, current=state)
    text = read(client.get("/parts/progress", headers=PEOPLE)).text
    assert "30 of 120" in text
    assert "4 waiting for Immich" in text
    assert "Stop" in text
    client.post("/actions/stop", headers=SAME)
    assert control.stopped == 1


def control_request():
    from reconciler.service.api import Request

    return Request()


@pytest.mark.parametrize(
    ("action", "seen"),
    [
        ("sync-all", lambda control: control.requested[0].full),
        ("look", lambda control: not control.requested[0].full),
        ("pause", lambda control: control.paused),
    ],
)
def test_each_button_reaches_the_daemon_and_comes_back(client, control, action, seen):
    answer = client.post(f"/actions/{action}", headers=SAME, follow_redirects=False)
    assert answer.status_code == 303
    assert seen(control)
    back = client.get(answer.headers["location"], headers=PEOPLE)
    assert back.status_code == 200
    assert 'role="status"' in back.text


def test_no_button_works_from_another_site(client, control):
    for action in ("sync-all", "look", "stop", "pause", "resume", "settings", "follow", "approve"):
        headers = {"origin": "http://evil.example", "accept": "text/html"}
        answer = client.post(f"/actions/{action}", headers=headers, follow_redirects=False)
        assert answer.status_code == 403
        assert "Not from here" in answer.text
        assert client.get(f"/actions/{action}", headers=PEOPLE).status_code == 405
    assert not control.requested


class Writer:
    where = "Skymmich"

    def __init__(self, error=None):
        self.written, self.error = [], error

    async def write(self, changes):
        if self.error:
            raise self.error
        self.written.append(dict(changes))

    async def follow(self):
        self.written.append("follow")


BOXES = ("metadataSyncEnabled", "syncDescription", "syncCoordinates", "syncTags")


def boxes(ticked, *, shown=BOXES):
    """The form of the switches as a browser sends it."""
    return {
        **{f"shown_{name}": "on" if name in shown else "off" for name in ALL_SWITCHES},
        **dict.fromkeys(ticked, "on"),
    }


def test_settings_are_changed_where_they_live_and_read_again(build, control):
    writer = Writer()
    client = build(settings=writer)
    form = boxes(["metadataSyncEnabled", "syncTags"])
    answer = client.post("/actions/settings", data=form, headers=SAME, follow_redirects=False)
    assert answer.headers["location"] == "/?said=saved#settings"
    assert writer.written == [{"description": False, "coordinates": False}]
    assert control.requested[0].trigger == "settings"
    assert not control.requested[0].by_person


def test_settings_that_are_the_same_are_not_sent(build, control):
    writer = Writer()
    client = build(settings=writer)
    control.holding = Switches(tags=False)
    for ticked in (BOXES, BOXES[:3]):  # nothing was changed; it is like that by now
        answer = client.post("/actions/settings", data=boxes(ticked), headers=SAME, follow_redirects=False)
        assert "said=same" in answer.headers["location"]
    assert not writer.written


def test_a_window_that_shows_old_settings_changes_only_what_its_person_changed(build, control):
    """Another window turned Tags off meanwhile, and the page did not see it."""
    writer = Writer()
    client = build(settings=writer)
    text = client.get("/", headers=PEOPLE).text
    assert all(f'name="shown_{name}" value="on"' in text for name in BOXES)
    control.holding = Switches(tags=False)
    form = boxes(["metadataSyncEnabled", "syncDescription", "syncTags"])
    client.post("/actions/settings", data=form, headers=SAME, follow_redirects=False)
    assert writer.written == [{"coordinates": False}]


def test_a_form_that_does_not_say_what_it_showed_changes_nothing(build):
    writer = Writer()
    answer = build(settings=writer).post("/actions/settings", data={"syncTags": "on"}, headers=SAME)
    assert answer.status_code == 400
    assert "Load the page again" in answer.text
    assert not writer.written


def test_an_open_page_is_shown_the_settings_anew(build, control):
    client = build(settings=Writer())
    assert (
        'hx-get="/parts/settings" hx-trigger="live-state from:body"' in client.get("/", headers=PEOPLE).text
    )
    control.shown = replace(control.shown, switches=Switches(tags=False))
    assert 'name="shown_syncTags" value="off"' in client.get("/parts/settings", headers=PEOPLE).text


def test_what_was_set_here_shows_what_skymmich_says_and_is_given_up_by_a_click(build, control):
    writer = Writer()
    client = build(settings=writer)
    assert "Follow Skymmich again" not in client.get("/", headers=PEOPLE).text
    mine = Switches(enabled=True, description=True, coordinates=True, tags=True)
    control.shown = replace(control.shown, switches=mine, switches_source="override")
    control.holding, control.source = mine, "override"
    text = client.get("/", headers=PEOPLE).text
    # In the catalogue of these tests they were never saved, and Skymmich's default is off.
    assert text.count("Set here; Skymmich says off.") == 1
    assert "Some are set here" in text
    assert 'formaction="/actions/follow"' in text
    answer = client.post("/actions/follow", headers=SAME, follow_redirects=False)
    assert answer.headers["location"] == "/?said=followed#settings"
    assert (writer.written, control.requested[0].trigger) == (["follow"], "settings")


def test_settings_that_skymmich_refuses_are_said_with_the_remedy(build):
    writer = Writer(CatalogueError("Skymmich answered 500.", remedy="Look into its log."))
    answer = build(settings=writer).post("/actions/settings", data=boxes([]), headers=SAME)
    assert answer.status_code == 503
    assert "Skymmich answered 500." in answer.text
    assert "Look into its log." in answer.text


def test_without_a_place_to_change_them_the_settings_only_show(client):
    text = client.get("/", headers=PEOPLE).text
    assert "<fieldset disabled>" in text
    assert "Save settings" not in text


def test_the_preview_of_other_settings_plans_under_them(build):
    form = boxes(["metadataSyncEnabled", "syncTags"])
    answer = build(settings=Writer()).get("/preview", params={"other": "1", **form}, headers=PEOPLE)
    text = read(answer).text
    # Saved from there, it is still the difference from what the page showed.
    assert all(
        f'<input type="hidden" name="{name}" value="{value}">' in answer.text for name, value in form.items()
    )
    assert "6 images would change" in text
    assert "under the settings you chose" in text
    assert "with tags switched on" in text


def test_the_grid_is_searched_filtered_and_paged(build, store, control):
    client = build()
    cards = re.compile(r'id="image-(\d+)"')
    assert cards.findall(client.get("/images?q=elegie", headers=PEOPLE).text) == ["5"]
    assert cards.findall(client.get("/images?status=held", headers=PEOPLE).text) == ["6"]
    assert cards.findall(client.get("/images?target=ngc+224", headers=PEOPLE).text) == ["1"]
    assert set(cards.findall(client.get("/images?equipment=ASI2600", headers=PEOPLE).text)) == {"1", "3", "5"}
    both = client.get("/images?equipment=ASI2600&q=NGC+7000", headers=PEOPLE).text
    assert cards.findall(both) == ["3"]
    assert "No image matches" in client.get("/images?target=nothing", headers=PEOPLE).text


def test_many_images_come_page_by_page(build, store, control):
    from reconciler.core.records import AssetRecord

    store.save_records(AssetRecord(f"{n:036d}", 1000 + n, f"Many {n:03d}") for n in range(60))
    client, seen, path = build(), [], "/images?q=Many"
    while path:
        text = client.get(path, headers=PEOPLE).text
        seen += re.findall(r'id="image-(\d+)"', text)
        found = re.search(r'href="(/images\?[^"]+)" rel="next"', text)
        path = found.group(1).replace("&amp;", "&") if found else None
    assert seen == [str(1000 + n) for n in range(60)]


def test_an_image_shows_its_three_sides_with_the_differences_marked(client):
    text = client.get("/images/1", headers=PEOPLE).text
    assert re.search(r"<ins>Integration 3h</ins>", text)
    assert "<mark>A person&#39;s &lt;b&gt;words&lt;/b&gt;</mark>" in text
    assert "Immich has a value that was not written from here" in text
    assert "Use Skymmich&#39;s" in text or "Use Skymmich's" in text
    assert 'href="http://immich.lan:2283/photos/' in text


def test_a_button_syncs_one_image_and_shows_the_outcome_without_javascript(client, control):
    answer = client.post("/images/2/sync", data={"back": "/images?q=x"}, headers=SAME, follow_redirects=False)
    assert answer.headers["location"] == "/images?q=x&run=run1&image=2#image-2"
    assert control.requested[0].image_ids == {2}
    assert not control.requested[0].force
    back = client.get("/images?run=run1&image=2", headers=PEOPLE).text
    assert '<p class="outcome" role="status">Why</p>' in back
    assert back.count('class="outcome"') == 1


def test_a_button_syncs_one_image_and_shows_the_outcome_on_the_spot(client, control):
    answer = client.post("/images/1/sync", headers={**SAME, "hx-request": "true"})
    assert answer.status_code == 200
    assert answer.text.lstrip().startswith('<div class="state" id="state-1"')
    assert "Written and seen in Immich: description: block." in answer.text
    control.hanging = True
    going = client.post("/images/1/sync", headers={**SAME, "hx-request": "true"})
    assert 'hx-get="/images/1/state?run=run2"' in going.text


def test_a_button_of_one_image_never_forces(client, control):
    """Force would decide all that image's conflicts; a decision names its field, and what was shown."""
    client.post("/images/2/sync", data={"force": "yes"}, headers=SAME)
    assert control.requested[0].image_ids == {2}
    assert not control.requested[0].force


@pytest.mark.parametrize(
    "back", ["//evil.example", "https://evil.example", "/\\evil.example", "javascript:1", "/a\nb"]
)
def test_a_form_sends_nobody_to_another_site(client, back):
    answer = client.post("/images/1/sync", data={"back": back}, headers=SAME, follow_redirects=False)
    assert answer.headers["location"].startswith("/images/1?")


def test_pictures_are_fetched_once_and_the_browser_keeps_them(client, pictures):
    path = "/thumbnails/00000000-0000-4000-8000-000000000001"
    first = client.get(path)
    assert (first.content, first.headers["content-type"]) == (b"\x89PNG picture", "image/png")
    assert client.get(path, headers={"if-none-match": first.headers["etag"]}).status_code == 304
    client.get(path + "?size=preview")
    assert [size for _, size in pictures.asked] == ["thumbnail", "preview"]


def test_pictures_of_other_assets_are_not_fetched(client, pictures):
    assert client.get("/thumbnails/11111111-0000-4000-8000-000000000001").status_code == 404
    assert client.get("/thumbnails/00000000-0000-4000-8000-000000000001?size=original").status_code == 400
    assert not pictures.asked


def test_before_the_catalogue_is_read_the_store_tells_whose_pictures_are_shown(client, control, pictures):
    control.known = False
    assert client.get("/thumbnails/00000000-0000-4000-8000-000000000001").status_code == 200
    assert client.get("/thumbnails/11111111-0000-4000-8000-000000000001").status_code == 404
    assert len(pictures.asked) == 1


def test_a_picture_that_immich_does_not_give_is_a_drawing_and_asked_for_again(build, pictures):
    async def fails(asset_id, size):
        raise ImmichRejectedError("no thumbnail", status=404)

    pictures.thumbnail = fails
    answer = build().get("/thumbnails/00000000-0000-4000-8000-000000000001")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("image/svg+xml")


@pytest.mark.parametrize(("error", "seconds"), [(ImmichTemporaryError, 15), (ImmichAnswerError, 600)])
def test_a_picture_that_is_too_large_is_not_asked_for_again_soon(build, pictures, error, seconds):
    async def fails(asset_id, size):
        raise error("no picture")

    pictures.thumbnail = fails
    answer = build().get("/thumbnails/00000000-0000-4000-8000-000000000001")
    assert answer.headers["cache-control"] == f"private, max-age={seconds}"


def test_pictures_take_no_more_memory_than_is_set_aside(build, control, pictures, monkeypatch):
    from reconciler.web.pages import pictures as room

    monkeypatch.setattr(room, "MAX_BYTES", 800)

    async def large(asset_id, size):
        pictures.asked.append((asset_id, size))
        return b"x" * 90, "image/png", ""

    pictures.thumbnail = large
    client = build()
    for _ in range(2):
        for number in range(1, 7):
            for size in ("thumbnail", "preview"):
                client.get(f"/thumbnails/00000000-0000-4000-8000-{number:012d}?size={size}")
    kept = next(
        route.endpoint.__self__ for route in client.app.routes if route.path == "/thumbnails/{asset_id}"
    )
    assert kept._size == sum(len(content) for content, _ in kept._kept.values()) <= 800


def test_strangers_are_led_to_the_login_and_back(guarded):
    answer = guarded.get("/images?q=a", headers=PEOPLE, follow_redirects=False)
    assert answer.headers["location"] == "/login?next=%2Fimages%3Fq%3Da"
    form = guarded.get(answer.headers["location"], headers=PEOPLE)
    assert "Token" in form.text
    assert "data-live" not in form.text
    wrong = guarded.post("/login", data={"token": "wrong"}, headers=SAME)
    assert wrong.status_code == 403
    assert "That is not the token." in wrong.text
    right = guarded.post(
        "/login?next=/images", data={"token": " right-token "}, headers=SAME, follow_redirects=False
    )
    assert right.headers["location"] == "/images"
    cookie = right.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert guarded.get("/images", headers=PEOPLE).status_code == 200
    assert guarded.post("/actions/pause", headers={"accept": "text/html"}).status_code == 403
    guarded.post("/logout", headers=SAME)
    assert guarded.get("/images", headers=PEOPLE, follow_redirects=False).status_code == 303


def test_guessing_at_the_login_is_slowed_down(guarded):
    codes = [
        guarded.post("/login", data={"token": str(number)}, headers=SAME).status_code for number in range(6)
    ]
    assert codes[-1] == 429


def test_behind_a_proxy_with_https_the_cookie_is_only_sent_there(build):
    client = build(access=Access(token="right-token", proxies=frozenset({"testclient"})))
    headers = {**SAME, "x-forwarded-proto": "https"}
    answer = client.post("/login", data={"token": "right-token"}, headers=headers, follow_redirects=False)
    assert "secure" in answer.headers["set-cookie"].lower()


def test_an_error_is_a_page_for_people_and_a_document_for_programs(client):
    page = client.get("/images/12345", headers=PEOPLE)
    assert page.status_code == 404
    assert read(page).text
    assert client.get("/images/12345").headers["content-type"] == "application/problem+json"
    assert client.get("/nowhere", headers=PEOPLE).status_code == 404


def test_before_the_first_reading_the_pages_say_so(client, control, store):
    control.known = False
    control.shown = replace(
        control.shown,
        switches=None,
        counts={},
        conditions=(),
        checked_at=None,
        last=None,
        headline=Headline("not_looked", "unknown"),
    )
    assert "have not been read yet" in client.get("/", headers=PEOPLE).text
    assert client.get("/images", headers=PEOPLE).status_code == 200
    assert "Nothing is known yet" in client.get("/doctor", headers=PEOPLE).text


@pytest.mark.parametrize(
    ("old", "new", "html"),
    [
        ("", "", ""),
        ("same", "same", "same"),
        ("a b", "a c", "a <del>b</del><ins>c</ins>"),
        ("a b c", "x y c", "<del>a b</del><ins>x y</ins> c"),
        ("", "one\n\ntwo", "<ins>one</ins>\n\n<ins>two</ins>"),
        ("<i>", "<b>", "&lt;<del>i</del><ins>b</ins>&gt;"),
    ],
)
def test_differences_are_marked_in_the_text(old, new, html):
    assert str(marked(difference(old, new))) == html


def test_a_huge_text_is_compared_quickly():
    assert {piece.kind for piece in difference("a " * 9000, "b " * 9000)} == {"added", "removed"}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.004, "< 0.1 s"),
        (4.25, "4.2 s"),
        (45, "45 s"),
        (600, "10 min"),
        (12_000, "3 h 20 min"),
        (300_000, "3 d"),
    ],
)
def test_durations_read_as_people_say_them(seconds, text):
    assert lasting(seconds) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        ({"latitude": 48.1, "longitude": 0}, "48.1°, 0°"),
        (["48.100000", "-11.500000"], "48.1°, -11.5°"),
        ([48.1234567, 10.0], "48.123457°, 10°"),
    ],
)
def test_places_read_the_same_however_they_are_remembered(value, text):
    assert place(value) == text


def test_the_headline_counts_on_from_the_moment_of_the_last_look(client, control):
    checked = control.shown.checked_at.isoformat()
    headline = Headline("in_sync", "ok", images=6, looked=38, next_look=22)
    control.shown = replace(control.shown, headline=headline)
    text = client.get("/").text
    assert "6 images, checked <time" in text
    assert (
        f'<time datetime="{checked}" data-show="ago" aria-live="off">38 s ago</time>, next look in 22 s'
        in text
    )


def test_each_button_in_the_grid_names_its_image(client):
    text = client.get("/images").text
    names = re.findall(r'aria-label="(Sync to Immich: [^"]+)"', text)
    assert len(names) == len(set(names)) == 6
    assert "Sync to Immich: M 42" in names
    assert 'aria-label="Sync to Immich: M 42"' in client.get("/images/6/state").text


def test_never_is_said_only_of_what_the_journal_does_not_have(client):
    """After an undo nothing is there from here; that it was never written would not be true."""
    written, fresh = (client.get(f"/images/{number}", headers=PEOPLE).text for number in (1, 5))
    assert ("never written from here" in written, "nothing now" in written) == (False, True)
    assert ("never written from here" in fresh, "nothing now" in fresh) == (True, False)


def test_an_image_shows_the_albums_that_it_is_in(client):
    text = client.get("/images/1", headers=PEOPLE).text
    albums = text.split('aria-label="Albums"')[1].split("</article>")[0]
    assert "<li>Astro · Messier 31</li>" in albums
    assert "Same on all sides" in albums


def test_what_was_written_to_another_asset_of_an_image_has_the_images_title(client, store):
    another = "0a1b2c3d-0000-4000-8000-000000000001"
    store.journal([JournalEntry("old1", another, 2, "tags", [], ["Astro/Galaxy"], datetime.now(UTC))])
    for path in ("/", "/runs/old1"):
        text = client.get(path, headers=PEOPLE).text
        assert another in text
        assert "left Skymmich" not in text
    store.journal(
        [JournalEntry("old1", another[:-1] + "2", 999, "tags", [], ["Astro/Galaxy"], datetime.now(UTC))]
    )
    assert "An image that left Skymmich" in client.get("/", headers=PEOPLE).text


@pytest.mark.parametrize(
    ("where", "source", "said"),
    [
        ("Skymmich", "Skymmich", "These are Skymmich's own settings, and a switch changes them there."),
        ("Skymmich", "override", "in place of Skymmich's own settings; the next change goes to Skymmich"),
        (
            "this program's own store",
            "Skymmich",
            "what you switch here is kept here, and holds in their place.",
        ),
        (
            "this program's own store",
            "override",
            "Some are set here, and hold in place of Skymmich's own settings.",
        ),
        ("", "Skymmich", "These are Skymmich's own settings: change them there, under Admin → Immich."),
    ],
)
def test_one_sentence_says_whose_the_switches_are(build, control, where, source, said):
    client = build(settings=SimpleNamespace(where=where) if where else None)
    control.shown = replace(control.shown, switches_source=source)
    shown = client.get("/parts/settings").text
    assert said in shown
    assert "A switch changes them in this" not in shown


def test_the_list_of_runs_says_that_looks_which_read_images_are_in_it(client):
    assert "Runs that read images again or wrote something" in client.get("/runs").text
