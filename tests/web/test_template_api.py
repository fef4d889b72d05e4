"""The block's template over the API: shown, tried, changed, and kept in a real store."""

from __future__ import annotations

import asyncio

import jsonschema
import pytest

from reconciler.app.overrides import OwnTemplate
from reconciler.core.desired.template import DEFAULT_TEMPLATE
from reconciler.core.policy import Policy
from reconciler.errors import TemplateError
from reconciler.web import template_preview
from reconciler.web.api.openapi import document
from reconciler.web.context import Panel
from reconciler.web.image_index import Lookups

SAME = {"origin": "http://127.0.0.1:8287"}
ADDRESS = "/api/v1/template"


def fits(answer, schema: str) -> dict:
    whole = {"$ref": f"#/components/schemas/{schema}", "components": document()["components"]}
    jsonschema.Draft202012Validator(whole).validate(answer.json())
    return answer.json()


@pytest.fixture
def keeper(store):
    return OwnTemplate(store, Policy)


@pytest.fixture
def client(build, keeper):
    client = build(template=keeper)
    client.headers.update(SAME)
    return client


def test_the_template_is_shown_with_its_origin_and_not_sent_again_unchanged(client):
    answer = client.get(ADDRESS)
    found = fits(answer, "Template")
    assert (found["text"], found["configured"]) == (DEFAULT_TEMPLATE, DEFAULT_TEMPLATE)
    assert (found["origin"], found["versions"]) == ("the built-in one", [])
    again = client.get(ADDRESS, headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_a_text_holds_and_null_brings_the_configured_one_back(client, keeper, control):
    found = fits(client.put(ADDRESS, json={"text": "{{ title }}\r\n!", "confirm": True}), "Template")
    assert (found["text"], found["origin"]) == ("{{ title }}\n!", "written on this page")
    assert [one["text"] for one in found["versions"]] == ["{{ title }}\n!"]
    found = fits(client.put(ADDRESS, json={"text": None, "confirm": True}), "Template")
    assert (found["text"], len(found["versions"])) == (DEFAULT_TEMPLATE, 1)
    assert [one.trigger for one in control.requested] == ["template", "template"]


def test_what_the_guard_would_hold_back_is_approved_by_its_hash(client, control):
    client.put(ADDRESS, json={"text": "{{ title }}", "approve": "abc"})
    assert (control.requested[0].approved, control.requested[0].by_person) == ("abc", True)


def test_without_a_word_that_it_was_seen_it_is_told_what_it_changes_and_nothing_is(client, keeper, control):
    for text in ("{{ title }}", None):
        answer = client.put(ADDRESS, json={"text": text})
        assert answer.status_code == 409
        found = fits(answer, "Problem")["would_write"]
        assert (found["changing"], found["looked"], found["images"]) == (6, 6, 6)
        assert found["kinds"]["description"] == {"added": 6}
        assert len(found["examples"]) == 3
    assert keeper.text() == DEFAULT_TEMPLATE
    assert not control.requested


def test_an_error_has_its_line_and_changes_nothing(client, keeper, control):
    for method, address in (("PUT", ""), ("POST", "/preview"), ("POST", "/plan")):
        answer = client.request(method, ADDRESS + address, json={"text": "a\nb\n{{ nothing_like_it }}"})
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        found = fits(answer, "Problem")
        assert found["line"] == 3
        assert "nothing_like_it" in found["detail"]
    assert keeper.text() == DEFAULT_TEMPLATE
    assert not control.requested


def test_one_that_takes_too_long_has_its_line(client):
    loops = "\n" + "{% for a in range(99999) %}" * 3 + "{% endfor %}" * 3
    found = fits(client.post(f"{ADDRESS}/preview", json={"text": loops}), "Problem")
    assert found["line"] == 2
    assert "it takes more than" in found["detail"]


def test_who_saw_an_older_template_does_not_overwrite_a_newer_one(client, keeper):
    seen = {"if-match": client.get(ADDRESS).headers["etag"]}
    saved = client.put(ADDRESS, json={"text": "{{ title }} 1", "confirm": True}, headers=seen)
    assert saved.status_code == 200
    late = client.put(ADDRESS, json={"text": "{{ title }} 2", "confirm": True}, headers=seen)
    assert (late.status_code, keeper.text()) == (412, "{{ title }} 1")
    seen = {"if-match": saved.headers["etag"]}
    assert (
        client.put(ADDRESS, json={"text": "{{ title }} 2", "confirm": True}, headers=seen).status_code == 200
    )


def test_a_preview_renders_the_named_image_or_the_first_and_changes_nothing(client, keeper):
    address, text = f"{ADDRESS}/preview", {"text": "{{ heading }} by me"}
    found = fits(client.post(address, json={**text, "image_id": 3}), "Rendered")
    assert (found["image_id"], found["title"]) == (3, "NGC 7000")
    assert "NGC 7000 by me" in found["rendered"]
    assert fits(client.post(address, json=text), "Rendered")["image_id"] == 1
    assert client.post(address, json={**text, "image_id": 12345}).status_code == 404
    assert keeper.text() == DEFAULT_TEMPLATE


def test_before_the_first_reading_there_is_no_image_to_preview(client, control):
    control.known = False
    found = fits(client.post(f"{ADDRESS}/preview", json={"text": "a", "image_id": None}), "Rendered")
    assert (found["image_id"], found["rendered"]) == (None, None)


def test_what_a_text_would_change_is_planned_and_not_saved(client, keeper):
    found = fits(client.post(f"{ADDRESS}/plan?limit=2", json={"text": "{{ title }}"}), "Plan")
    assert (found["changes"], len(found["items"]), found["left_out"]) == (6, 2, 4)
    assert keeper.text() == DEFAULT_TEMPLATE


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{}", 400),
        (b'{"text": 1}', 400),
        (b'{"text": "a", "texts": "b"}', 400),
        (b'{"text": "a", "approve": 5}', 400),
        (b'{"text": "\\ud83d"}', 400),
        (b'{"text": "' + b"x" * 17_000 + b'"}', 413),
    ],
)
def test_a_wrong_body_is_explained(client, keeper, body, code):
    answer = client.put(ADDRESS, content=body, headers={"content-type": "application/json"})
    assert answer.status_code == code
    assert fits(answer, "Problem")["detail"]
    assert keeper.text() == DEFAULT_TEMPLATE


def test_without_a_place_to_keep_it_there_is_none(build):
    assert build().get(ADDRESS).status_code == 404


@pytest.mark.anyio
async def test_one_template_is_tried_at_a_time_and_nobody_queues_for_long(
    control, store, keeper, monkeypatch
):
    began, go_on = asyncio.Event(), asyncio.Event()

    class Hanging:
        async def render(self, _, facts):
            began.set()
            await go_on.wait()
            return ["block" for _ in facts]

    monkeypatch.setattr(template_preview, "_PATIENCE", 0.05)
    panel = Panel(control, store, template=keeper, renderer=Hanging())
    tried, image = template_preview.Trial(panel, Lookups(control)), control.images[0]
    first = asyncio.create_task(tried.render("{{ title }}", image))
    await began.wait()
    with pytest.raises(TemplateError, match="another template is still being tried"):
        await tried.save("{{ heading }}")
    assert keeper.text() == DEFAULT_TEMPLATE
    go_on.set()
    assert await first == "block"
    await tried.save("{{ heading }}")
    assert keeper.text() == "{{ heading }}"
