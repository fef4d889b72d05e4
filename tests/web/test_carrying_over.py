"""Carrying over from a replaced asset, over HTTP: what is told, what reaches the daemon, what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.belongings import Album
from reconciler.core.carry_over import CarryOver, Kept
from reconciler.core.reasons import reason
from tests.web.conftest import NOW, SAME, asset

KEPT = Kept(
    prose="Seen with <my> daughter",
    tags=frozenset({"Family/Best"}),
    favorite=True,
    albums=(Album("a", "Best of"),),
)


@pytest.fixture
def offered(store):
    """Something is offered to image 2."""
    found = CarryOver("old", asset(2), 2, "M 42", NOW, "asset", KEPT, unknown=(reason("albums_unknown"),))
    store.save_carry_overs([found])
    return found


def test_what_is_offered_is_told_in_json_and_on_the_page(client, offered):
    items = client.get("/api/v1/images/2/carry-over").json()["items"]
    assert [(one["from_asset"], one["state"], one["source"]) for one in items] == [
        ("old", "offered", "asset")
    ]
    assert items[0]["kept"]["prose"] == KEPT.prose
    page = client.get("/images/2", headers={"accept": "text/html"}).text
    for said in (
        "Seen with &lt;my&gt; daughter",
        "Family/Best",
        "Best of",
        "Carry over",
        "No, leave it",
        "old",
    ):
        assert said in page
    assert "From the asset before" not in client.get("/images/1", headers={"accept": "text/html"}).text
    assert client.get("/api/v1/images/1/carry-over").json() == {"items": []}


def test_a_click_and_the_api_decide(client, control, offered):
    for data, said in (({"what": "carry"}, "carried_over"), ({"what": "leave"}, "carry_left")):
        answer = client.post("/images/2/carry-over", data=data, headers=SAME, follow_redirects=False)
        assert answer.status_code == 303
        assert f"said={said}" in answer.headers["location"]
    answer = client.post("/api/v1/images/2/carry-over?wait=1", json={}, headers=SAME)
    assert (answer.status_code, answer.json()["state"]) == (200, "done")
    client.post("/api/v1/images/2/carry-over", json={"dismiss": True}, headers=SAME)
    assert control.carried_over == [
        (2, "page", False),
        (2, "page", True),
        (2, "api", False),
        (2, "api", True),
    ]


@pytest.mark.parametrize(("path", "code"), [("99", 409), ("12345", 404)])
def test_what_is_no_linked_image_is_refused(client, control, path, code):
    assert client.post(f"/api/v1/images/{path}/carry-over", json={}, headers=SAME).status_code == code
    assert control.carried_over == []


def test_a_stranger_decides_nothing(client, control, offered):
    answer = client.post(
        "/images/2/carry-over", data={"what": "carry"}, headers={"origin": "http://elsewhere"}
    )
    assert answer.status_code == 403
    assert control.carried_over == []


def test_the_overview_names_it_as_something_to_look_at(client, control, offered):
    control.shown = replace(control.shown, offered=1)
    page = client.get("/", headers={"accept": "text/html"}).text
    assert "1 image has another asset now" in page
    assert 'href="/images/2"' in page


def test_a_decided_offer_can_be_wanted_again_but_a_carried_one_not(client, store, offered):
    store.save_carry_overs([replace(offered, state="dismissed")])
    page = client.get("/images/2", headers={"accept": "text/html"}).text
    assert "Carry over</button>" in page
    assert "No, leave it" not in page
    left = (reason("not_carried_over").of("tags"),)
    store.save_carry_overs([replace(offered, state="carried", run_id="r", left=left)])
    page = client.get("/images/2", headers={"accept": "text/html"}).text
    assert "Carry over</button>" not in page
    assert "Not carried over" in page
