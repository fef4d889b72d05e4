"""The block's template, edited on the page and kept in a real store."""

from __future__ import annotations

import pytest

from reconciler.app.overrides import OwnTemplate, with_own_template
from reconciler.core.desired.template import DEFAULT_TEMPLATE
from reconciler.core.policy import DescriptionPolicy, Policy

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
            "{% for a in range(999) %}{% for b in range(999) %}{{ title }}{% endfor %}{% endfor %}",
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
            "/template", data={"text": f"{{{{ title }}}} {number}"}, headers=SAME, follow_redirects=False
        )
        assert answer.headers["location"] == "/template?said=template"
    assert with_own_template(Policy(), store).description.template == "{{ title }} 2"
    assert [one.text for one in keeper.versions()] == ["{{ title }} 2", "{{ title }} 1"]
    assert "{{ title }} 1</textarea>" in client.get("/template?version=1", headers=SAME).text
    assert client.get("/template?version=9", headers=SAME).status_code == 404
    assert [one.trigger for one in control.requested] == ["settings", "settings"]


def test_a_reset_brings_the_configured_template_back_and_forgets_nothing(client, keeper, store):
    client.post("/template", data={"text": "{{ title }}"}, headers=SAME)
    client.post("/template/reset", headers=SAME)
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
