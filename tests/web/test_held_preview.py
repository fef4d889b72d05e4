"""What the guard holds back is shown where a person is asked to approve it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.app.overrides import OwnTemplate
from reconciler.core.plan.guard import Verdict, withhold
from reconciler.core.policy import Policy
from reconciler.core.reasons import reason
from reconciler.engine.items import Items

PEOPLE = {"accept": "text/html"}
SAME = {"origin": "http://127.0.0.1:8287"}
VERDICT = Verdict(
    tripped=True, hash="abc123", reasons=(reason("would_lose", count=5, managed=6, percent=83),)
)


@pytest.fixture
def client(build, control, store):
    """All images but the first lose something; their tags that are new are written all the same."""
    plain = control.preview

    async def held(wishes=None):
        found = await plain(wishes)
        first, *others = found.items
        others = [replace(item, plan=withhold(item.plan), withheld=item.plan, held="harm") for item in others]
        return replace(found, items=Items.of((item, None) for item in (first, *others)), verdict=VERDICT)

    control.preview = held
    return build(template=OwnTemplate(store, Policy))


def test_the_preview_names_each_image_and_what_it_would_lose(client):
    text = client.get("/preview", headers=PEOPLE).text
    assert "6 images would change; the guard asks first about 5" in text
    assert "Nothing would change" not in text
    held, free = text.split("Written without asking")
    assert held.count("<del>Astro/Old</del>") == held.count("Integration 3h") == 5
    assert free.count("<del>Astro/Old</del>") == 1


def test_a_template_is_not_approved_blindly(client):
    text = client.post("/template/plan", data={"text": "{{ title }}"}, headers=SAME).text
    approval = text.index("Save this template and approve just this")
    assert "the guard asks first" in text[:approval]
    assert "<del>Astro/Old</del>" in text[approval:]


def test_the_api_gives_what_remains_of_a_plan_and_what_is_withheld_of_it(client):
    free, held, *_ = client.get("/api/v1/plan").json()["items"]
    assert free["withheld"] is None
    assert held["held"]
    assert held["plan"]["remove_tags"] == []
    assert held["withheld"]["remove_tags"] == ["Astro/Old"]
