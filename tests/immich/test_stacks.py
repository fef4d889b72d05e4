"""Stacks on the wire: a listing that is read whole or not at all."""

from __future__ import annotations

import pytest

from reconciler.core.stacks import SeenStack
from reconciler.errors import ImmichAnswerError, ImmichTemporaryError, MissingPermissionError
from reconciler.immich.stacks import listing

pytestmark = pytest.mark.anyio


@pytest.fixture
def row(uuid):
    def made(*numbers, **changes):
        assets = [{"id": uuid(number).upper(), "exifInfo": {"description": "x"}} for number in numbers]
        return {"id": uuid(99), "primaryAssetId": uuid(numbers[0]), "assets": assets, **changes}

    return made


async def test_a_listing_tells_of_each_stack_its_primary_asset_and_its_members(
    server, client, answer, uuid, row
):
    server.on("GET", "/api/stacks", answer.ok([row(1, 2), row(3, 4, 5, more=None)]))
    assert await listing(client()) == [
        SeenStack(uuid(1), (uuid(1), uuid(2))),
        SeenStack(uuid(3), (uuid(3), uuid(4), uuid(5))),
    ]


async def test_a_stack_whose_primary_asset_is_in_the_trash_is_read(server, client, answer, uuid, row):
    server.on("GET", "/api/stacks", answer.ok([row(1, 2, assets=[{"id": uuid(2)}]), row(3, assets=[])]))
    assert await listing(client()) == [SeenStack(uuid(1), (uuid(2),)), SeenStack(uuid(3), ())]


@pytest.mark.parametrize(
    "changes",
    [
        {"primaryAssetId": None},
        {"primaryAssetId": "x"},
        {"assets": None},
        {"assets": {}},
        {"assets": [{"id": 7}]},
        {"assets": ["x"]},
    ],
)
async def test_a_stack_that_cannot_be_read_is_not_taken_for_gone(server, client, answer, row, changes):
    server.on("GET", "/api/stacks", answer.ok([row(1, 2), row(3, 4, **changes)]))
    with pytest.raises(ImmichAnswerError, match="no list of stacks"):
        await listing(client())


async def test_what_is_no_list_is_none(server, client, answer):
    server.on("GET", "/api/stacks", answer.ok({"stacks": []}))
    with pytest.raises(ImmichTemporaryError, match="no list"):
        await listing(client())


async def test_the_permission_that_is_missing_is_named(server, client, answer):
    server.on("GET", "/api/stacks", answer.refused(403, "Missing required permission: stack.read"))
    with pytest.raises(MissingPermissionError) as caught:
        await listing(client())
    assert caught.value.permission == "stack.read"


async def test_a_long_listing_is_read_row_by_row(server, client, answer, row):
    several = [row(*range(1, 160)) for _ in range(1500)]
    server.on("GET", "/api/stacks", answer.ok(several))
    assert len(await listing(client())) == 1500
