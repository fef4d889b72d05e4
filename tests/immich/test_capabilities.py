"""What is learnt at the start, in a handful of requests, from every version and for every key."""

from __future__ import annotations

import pytest

from reconciler.errors import (
    ImmichRejectedError,
    ImmichUnauthorizedError,
    MaintenanceError,
    MissingPermissionError,
)
from reconciler.immich.capabilities import MINIMUM_SCOPES, Capabilities, discover, server_advice

pytestmark = pytest.mark.anyio

MINIMUM = sorted({scope for scope, _ in MINIMUM_SCOPES})


def version(answer, server, major, minor, patch=0, **more):
    body = {"major": major, "minor": minor, "patch": patch, **more}
    server.on("GET", "/api/server/version", answer.ok(body))


async def test_a_key_for_everything_on_a_healthy_server_loses_nothing(client, server, alice):
    facts, capabilities = await discover(client())
    assert (facts.version, facts.user_id, facts.tags_enabled, facts.losses) == ("2.7.5", alice, True, ())
    assert capabilities.visibility
    assert not capabilities.patch
    assert len(server.asked) == 5


async def test_the_minimum_key_costs_only_what_is_optional(client, server, answer):
    server.on("GET", "/api/api-keys/me", answer.ok({"permissions": MINIMUM}))
    facts, _ = await discover(client())
    assert facts.user_id is None
    assert {loss.permission for loss in facts.losses} == {"user.read", "asset.statistics", "asset.view"}
    # What the key may not ask is not asked.
    assert [asked.path for asked in server.asked] == [
        "/api/server/version",
        "/api/server/config",
        "/api/api-keys/me",
    ]


@pytest.mark.parametrize(
    ("missing", "features"),
    [
        ("asset.update", {"description", "coordinates"}),
        ("tag.read", {"tags"}),
        ("tag.create", {"tags"}),
        ("tag.asset", {"tags"}),
    ],
)
async def test_each_missing_scope_names_the_feature_it_costs(client, server, answer, missing, features):
    scopes = [*(set(MINIMUM) - {missing}), "user.read", "asset.statistics", "asset.view"]
    server.on("GET", "/api/api-keys/me", answer.ok({"permissions": scopes}))
    facts, _ = await discover(client())
    assert {loss.permission for loss in facts.losses} == {missing}
    assert {loss.feature for loss in facts.losses} == features
    assert all(missing in loss.remedy for loss in facts.losses)


async def test_without_reading_nothing_can_be_done(client, server, answer):
    server.on("GET", "/api/api-keys/me", answer.ok({"permissions": ["asset.update"]}))
    with pytest.raises(MissingPermissionError) as caught:
        await discover(client())
    assert caught.value.permission == "asset.read"
    assert all(scope in caught.value.remedy for scope in MINIMUM)


async def test_a_wrong_key_is_said_to_be_wrong(client, server, answer):
    server.on("GET", "/api/api-keys/me", answer.refused(401, "Invalid API key"))
    with pytest.raises(ImmichUnauthorizedError):
        await discover(client())


async def test_maintenance_is_noticed_although_the_version_is_answered(client, server, answer):
    server.on("GET", "/api/server/config", answer.ok({"maintenanceMode": True}))
    with pytest.raises(MaintenanceError):
        await discover(client())
    assert len(server.asked) == 2


async def test_another_program_at_that_address_is_not_immich(client, server, answer):
    server.on("GET", "/api/server/version", answer.ok({"hello": "world"}))
    with pytest.raises(ImmichRejectedError, match="not Immich"):
        await discover(client())


async def test_the_tags_switch_of_the_user_is_read(client, server, answer):
    server.on("GET", "/api/users/me/preferences", answer.ok({"tags": {"enabled": False}}))
    facts, _ = await discover(client())
    assert not facts.tags_enabled


async def test_an_older_server_is_probed_by_reading_only(client, server, answer, alice):
    version(answer, server, 1, 132)
    server.on("POST", "/api/search/metadata", answer.ok({})).on("GET", "/api/tags", answer.ok([]))
    facts, capabilities = await discover(client())
    assert facts.user_id == alice
    assert facts.losses == ()
    assert not capabilities.visibility
    assert not capabilities.bulk_description
    assert len(server.asked) == 5
    assert not [asked for asked in server.asked if asked.method in {"PUT", "PATCH", "DELETE"}]


async def test_an_older_servers_key_without_tags_loses_tags(client, server, answer):
    version(answer, server, 1, 138)
    server.on("POST", "/api/search/metadata", answer.ok({})).on("GET", "/api/tags", answer.refused(403, "no"))
    facts, _ = await discover(client())
    assert [(loss.permission, loss.feature) for loss in facts.losses] == [("tag.read", "tags")]


async def test_1_136_says_that_it_needs_the_all_permission(client, server, answer):
    version(answer, server, 1, 136)
    refusal = answer.refused(403, "Missing required permission: all")
    server.on("POST", "/api/search/metadata", refusal)
    with pytest.raises(MissingPermissionError) as caught:
        await discover(client())
    assert caught.value.permission == "all"
    assert "1.136" in caught.value.remedy


async def test_a_pre_release_of_a_later_version_is_understood(client, server, answer):
    version(answer, server, 3, 3, 5, prerelease=None)
    facts, capabilities = await discover(client())
    assert facts.version == "3.3.5"
    assert capabilities.patch


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ((1, 132, 3), ["one by one", "2.5 or newer"]),
        ((1, 136, 0), ["'all'"]),
        ((2, 4, 1), ["2.5 or newer"]),
    ],
)
async def test_advice_for_old_servers_names_the_trouble_and_the_way_out(number, words):
    advice = " ".join(server_advice(number))
    assert all(word in advice for word in words)


@pytest.mark.parametrize("number", [(2, 5, 0), (2, 7, 5), (3, 3, 5)])
async def test_new_servers_need_no_advice(number):
    assert server_advice(number) == ()


@pytest.mark.parametrize(
    ("number", "visibility", "untagged", "patch"),
    [
        ((1, 132, 3), False, False, False),
        ((1, 133, 0), True, False, False),
        ((1, 136, 0), True, True, False),
        ((2, 7, 5), True, True, False),
        ((3, 0, 0), True, True, True),
        ((3, 1, 0), True, True, True),
        ((4, 0, 0), True, True, True),
    ],
)
async def test_versions_decide_which_requests_are_understood(number, visibility, untagged, patch):
    can = Capabilities(number)
    assert (can.visibility, can.untagged_search, can.patch) == (visibility, untagged, patch)


@pytest.mark.parametrize(
    ("value", "old", "new"),
    [
        ("9f1e2d3c-4b5a-4978-8877-665544332211", True, True),
        ("9F1E2D3C-4B5A-4978-8877-665544332211", True, True),
        ("9f1e2d3c-4b5a-1978-8877-665544332211", True, False),
        ("9f1e2d3c-4b5a-7978-8877-665544332211", True, False),
        ("9f1e2d3c-4b5a-4978-c877-665544332211", True, False),
        ("9f1e2d3c", False, False),
        ("", False, False),
    ],
)
async def test_from_3_0_on_only_a_uuid_of_version_4_can_be_an_id(value, old, new):
    assert Capabilities((2, 7, 5)).is_id(value) == old
    assert Capabilities((3, 0, 0)).is_id(value) == new
