"""The block's template, edited on the page and kept in a real store."""

from __future__ import annotations

import html
import re
from dataclasses import fields

import pytest

from reconciler.app.overrides import OwnTemplate, with_own_block, with_own_template
from reconciler.core.desired.facts import Facts
from reconciler.core.desired.integration_facts import FilterIntegration
from reconciler.core.desired.template import DEFAULT_TEMPLATE
from reconciler.core.fingerprint import policy_digest
from reconciler.core.policy import ALL_PARTS, DEFAULT_PARTS, DescriptionPolicy, Policy, Switches
from reconciler.core.store_keys import PARTS_OVERRIDE, TEMPLATE_OVERRIDE
from reconciler.errors import ImmichUnreachableError
from reconciler.messages.answers import SAID
from reconciler.messages.template_names import NAMES, PARTS, ROW_NAMES
from reconciler.web import template_preview

SAME = {"origin": "http://127.0.0.1:8287", "accept": "text/html"}
PART = {**SAME, "hx-request": "true"}


@pytest.fixture
def keeper(store):
    return OwnTemplate(store, Policy)


@pytest.fixture
def client(build, keeper):
    return build(template=keeper)


def test_without_a_place_to_keep_it_there_is_no_such_page(build):
    client = build()
    assert client.get("/template", headers=SAME).status_code == 404
    assert 'href="/template"' not in client.get("/", headers=SAME).text


def test_the_template_in_force_is_shown_with_what_it_renders(client):
    text = client.get("/template", headers=SAME).text
    assert "the built-in one" in text
    assert "total_integration" in text
    assert "✦ " in text


def test_a_preview_renders_the_chosen_image_and_changes_nothing(client, keeper):
    form = {"text": "{{ heading }} by me\r\nsecond", "image": "3"}
    part = client.post("/template/preview", data=form, headers=PART).text
    assert "NGC 7000 by me\nsecond" in part
    assert "<html" not in part
    whole = client.post("/template/preview", data=form, headers=SAME).text
    assert "<html" in whole
    assert "{{ heading }} by me" in whole
    assert keeper.text() == DEFAULT_TEMPLATE


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a\n{% if %}", "Line 2:"),
        ("a\nb\n{{ nothing_like_it }}", "Line 3:"),
        ("{{ ''.__class__.__mro__ }}", "Line 1:"),
        (
            "{% for a in range(999) %}{% for b in range(999) %}{{ heading }}{% endfor %}{% endfor %}",
            "renders more than",
        ),
    ],
)
def test_an_error_names_its_line_and_is_not_saved(client, keeper, control, text, said):
    assert said in client.post("/template/preview", data={"text": text}, headers=PART).text
    answer = client.post("/template", data={"text": text}, headers=SAME)
    assert answer.status_code == 400
    assert said in answer.text
    assert keeper.text() == DEFAULT_TEMPLATE
    assert not control.requested


def test_a_template_that_takes_too_long_does_not_stop_the_daemon(client, keeper):
    loops = "{% for a in range(99999) %}" * 3 + "{% endfor %}" * 3
    answer = client.post("/template", data={"text": loops}, headers=SAME)
    assert "it takes more than" in answer.text
    assert keeper.text() == DEFAULT_TEMPLATE


def test_a_saved_template_holds_and_earlier_ones_are_kept(client, keeper, control, store):
    for number in (1, 2):
        answer = client.post(
            "/template",
            data={"text": f"{{{{ title }}}} {number}", "confirm": "yes"},
            headers=SAME,
            follow_redirects=False,
        )
        assert answer.headers["location"] == "/template?said=template"
    assert with_own_template(Policy(), store).description.template == "{{ title }} 2"
    assert [one.text for one in keeper.versions()] == ["{{ title }} 2", "{{ title }} 1"]
    assert "{{ title }} 1</textarea>" in client.get("/template?version=1", headers=SAME).text
    assert client.get("/template?version=9", headers=SAME).status_code == 404
    assert [one.trigger for one in control.requested] == ["template", "template"]


def test_a_reset_brings_the_configured_template_back_and_forgets_nothing(client, keeper, store):
    client.post("/template", data={"text": "{{ title }}", "confirm": "yes"}, headers=SAME)
    client.post("/template/reset", data={"confirm": "yes"}, headers=SAME)
    assert keeper.text() == DEFAULT_TEMPLATE
    assert with_own_template(Policy(), store) == Policy()
    assert [one.text for one in keeper.versions()] == ["{{ title }}"]


def test_a_configured_template_is_named_and_gives_way_to_the_pages(store):
    configured = Policy(DescriptionPolicy(template="{{ heading }}", template_name="/etc/block.j2"))
    keeper = OwnTemplate(store, lambda: configured)
    assert (keeper.text(), keeper.origin()) == ("{{ heading }}", "/etc/block.j2")
    keeper.save("{{ title }}")
    assert (keeper.text(), keeper.origin()) == ("{{ title }}", "written on this page")
    assert keeper.configured() == "{{ heading }}"


def test_only_so_many_versions_are_kept(keeper):
    for number in range(30):
        keeper.save(f"{number}")
    assert len(keeper.versions()) == 20
    assert keeper.versions()[0].text == "29"


def test_what_a_template_would_change_is_shown_before_it_is_saved(client, keeper):
    answer = client.post("/template/plan", data={"text": "{{ title }}"}, headers=SAME)
    assert "6 images would change" in answer.text
    assert "Save this template" in answer.text
    assert keeper.text() == DEFAULT_TEMPLATE


def test_a_huge_template_is_refused(client):
    assert client.post("/template", data={"text": "x" * 17_000}, headers=SAME).status_code == 413


def shown_parts(*, off=(), was_off=()):
    """Give the form of the parts as a browser sends it: what was shown, and what is on now."""
    shown = {f"shown_{part}": "off" if part in was_off else "on" for part in ALL_PARTS}
    return shown | {part: "on" for part in ALL_PARTS if part not in off}


def seen(**parts):
    """Give the same as the page sends it that has shown what it changes."""
    return shown_parts(**parts) | {"confirm": "yes"}


@pytest.mark.parametrize(
    ("path", "form", "question"),
    [
        ("/template", {"text": "{{ title }} of mine"}, "Save this template?"),
        ("/template/reset", {}, "Go back to the configured template?"),
        ("/template/parts", shown_parts(off=("site",)), "Save these parts?"),
        ("/template/parts/reset", {}, "Go back to the configured parts?"),
    ],
)
def test_whatever_is_saved_shows_first_what_it_changes_and_asks(client, control, store, path, form, question):
    asked = client.post(path, data=form, headers=SAME)
    assert asked.status_code == 200
    assert f"<h1>{question}</h1>" in asked.text
    assert "<b>6</b> of 6" in asked.text
    assert asked.text.count('class="panel stack example"') == 3
    assert control.requested == []
    assert [key.name for key in (TEMPLATE_OVERRIDE, PARTS_OVERRIDE) if key.is_kept(store)] == []
    # What the page asks is what its form sends.
    sent = dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w*)">', asked.text))
    text = re.search(r'<textarea name="text" hidden>(.*?)</textarea>', asked.text, re.DOTALL)
    sent |= {"text": html.unescape(text[1])} if text else {}
    assert sent.items() >= ({"confirm": "yes"} | form).items()
    assert client.post(path, data=sent, headers=SAME, follow_redirects=False).status_code == 303
    assert len(control.requested) == 1


def test_what_cannot_be_told_now_may_be_saved_all_the_same(client, control, monkeypatch, keeper):
    async def nobody(wishes=None, some=None):
        raise ImmichUnreachableError("Immich does not answer.")

    monkeypatch.setattr(control, "preview", nobody)
    asked = client.post("/template", data={"text": "{{ title }}"}, headers=SAME)
    assert "What it would change cannot be told now. Immich does not answer." in asked.text
    assert keeper.text() == DEFAULT_TEMPLATE


def test_of_very_many_images_some_are_compared_and_it_is_said_how_many(client, control, monkeypatch):
    monkeypatch.setattr(template_preview, "_WHOLE", 3)
    monkeypatch.setattr(template_preview, "_SAMPLE", 2)
    asked = client.post("/template", data={"text": "{{ title }}"}, headers=SAME).text
    assert "2 of 6 images were compared, spread over all." in asked


def test_every_name_and_every_part_has_its_words():
    assert set(NAMES) == {one.name for one in fields(Facts)}
    assert set(ROW_NAMES) == {one.name for one in fields(FilterIntegration)}
    assert set(PARTS) == ALL_PARTS


def test_every_name_stands_on_the_page_with_its_meaning_and_an_example(client):
    text = client.get("/template", headers=SAME).text
    rows = dict(re.findall(r"<tr><td><code>([\w.]+)</code></td><td>[^<]+</td><td>([^<]+)</td>", text))
    assert set(rows) == set(NAMES) | {f"row.{name}" for name in ROW_NAMES}
    assert rows["heading"] != "—"


def test_parts_switched_on_the_page_hold_and_only_the_difference_is_kept(client, keeper, control, store):
    answer = client.post(
        "/template/parts", data=seen(off=("site", "nights")), headers=SAME, follow_redirects=False
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/template?said=parts")
    assert PARTS_OVERRIDE.read(store) == {"site": False, "nights": False}
    policy = with_own_block(Policy(), store)
    assert policy.description.enabled_parts == DEFAULT_PARTS - {"site", "nights"}
    rules = [policy_digest(one, Switches(), "same") for one in (policy, Policy())]
    assert rules[0] != rules[1]
    assert [one.trigger for one in control.requested] == ["template"]
    assert client.get("/template", headers=SAME).text.count("Set here; the configuration says on.") == 2


def test_a_part_another_window_switched_stays_as_it_is(client, keeper, store):
    keeper.save_parts({"site": False})
    client.post("/template/parts", data=seen(off=("title",)), headers=SAME)
    assert PARTS_OVERRIDE.read(store) == {"title": False, "site": False}
    client.post("/template/parts", data=seen(was_off=("site", "title")), headers=SAME)
    assert not PARTS_OVERRIDE.is_kept(store)


def test_a_form_that_shows_no_parts_switches_none(client, control, store):
    answer = client.post("/template/parts", data={}, headers=SAME, follow_redirects=False)
    assert answer.headers["location"] == "/template?said=parts_same"
    assert not PARTS_OVERRIDE.is_kept(store)
    assert not control.requested


@pytest.mark.parametrize("said", ["parts", "parts_reset", "parts_same"])
def test_the_page_says_what_became_of_the_parts(client, said):
    assert html.escape(SAID[said].one) in client.get(f"/template?said={said}", headers=SAME).text


def test_the_configured_parts_hold_again(client, keeper, control, store):
    keeper.save_parts({"site": False})
    answer = client.post(
        "/template/parts/reset", data={"confirm": "yes"}, headers=SAME, follow_redirects=False
    )
    assert answer.headers["location"] == "/template?said=parts_reset"
    assert with_own_block(Policy(), store) == Policy()
    assert [one.trigger for one in control.requested] == ["template"]


def test_parts_without_which_the_template_fails_are_not_switched(client, keeper, control, store):
    keeper.save(
        "{% if heading.startswith(('NGC 224', 'M 31')) %}{{ 9 // (object_name | length) }}{% endif %}x"
    )
    assert client.post("/template/parts", data=seen(off=("site",)), headers=SAME).status_code == 200
    keeper.save_parts(None)
    control.requested.clear()
    answer = client.post("/template/parts", data=seen(off=("object",)), headers=SAME)
    assert answer.status_code == 400
    assert "ZeroDivisionError" in answer.text
    assert not PARTS_OVERRIDE.is_kept(store)
    assert not control.requested


def test_parts_are_not_switched_from_another_site(client, store):
    headers = {**SAME, "origin": "http://elsewhere.example"}
    for path in ("/template/parts", "/template/parts/reset"):
        assert client.post(path, data=shown_parts(off=("site",)), headers=headers).status_code == 403
    assert not PARTS_OVERRIDE.is_kept(store)


def test_the_page_renders_without_the_parts_that_are_off(client, keeper):
    form = {"text": "[{{ object_name }}]", "image": "1"}
    assert "[M 31]" in client.post("/template/preview", data=form, headers=PART).text
    keeper.save_parts({"object": False})
    assert "[]" in client.post("/template/preview", data=form, headers=PART).text
