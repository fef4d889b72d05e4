"""The other assets of an image's stack, on its page and in the API; and the switch."""

from __future__ import annotations

from reconciler.core.records import AssetRecord

GONE = "00000003-0000-4000-8000-000000000000"
MEMBER = "0000000c-5555-4555-8555-555555555555"
ORIGIN = {"origin": "http://127.0.0.1:8287"}


def test_a_page_names_the_other_assets_with_their_state(client, control):
    control.members = (MEMBER,)
    page = client.get("/images/2").text
    assert "In the same stack" in page
    assert f"/images/2?asset={MEMBER}" in page
    assert "In the same stack" not in client.get("/images/99").text


def test_a_member_has_a_page_that_leads_back_to_the_main_asset(client, control):
    control.members = (MEMBER,)
    page = client.get(f"/images/2?asset={MEMBER}").text
    assert "The main asset" in page
    assert 'href="/images/2"' in page


def test_what_is_no_member_has_no_page(client, control):
    control.members = (MEMBER,)
    assert client.get("/images/2?asset=00000001-0000-4000-8000-000000000000").status_code == 404


def test_an_image_without_a_stack_tells_of_none(client):
    assert "In the same stack" not in client.get("/images/2").text
    assert client.get("/api/v1/images/2").json()["members"] == []


def test_the_api_tells_the_members(client, control):
    control.members = (MEMBER,)
    (one,) = client.get("/api/v1/images/2").json()["members"]
    assert (one["asset_id"], one["status"], one["would_change"]) == (MEMBER, "conflict", False)


def test_the_settings_offer_the_switch(client):
    page = client.get("/").text + client.get("/settings").text
    assert 'name="syncStacks"' in page


def test_crossings_are_looked_at_of_all_assets(client, control):
    control.members = (MEMBER,)
    client.post("/api/v1/images/1/seen", json={}, headers=ORIGIN)
    assert [assets for _, assets in control.looked] == [list(control.assets_of(1))]


def test_the_list_tells_members_of_a_stack_from_the_image_itself(client, store):
    store.save_records(
        [
            AssetRecord(MEMBER, 2, "Stacked twice", status="in_sync"),
            AssetRecord(GONE, 77, "Gone", status="unlinked", linked=False),
        ]
    )
    text = client.get("/images?q=").text
    member = next(card for card in text.split("<li class=") if "Stacked twice" in card)
    assert f'href="/images/2?asset={MEMBER}"' in member
    assert "In its stack" in member
    assert text.count("In its stack") == 1
