"""The whole target over real HTTP, against an Immich that behaves as the measured one does."""

from __future__ import annotations

import asyncio
import logging
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from reconciler.core.asset import Coordinates
from reconciler.core.ports import FieldWrite
from reconciler.errors import (
    AssetUnknownError,
    ImmichRejectedError,
    ImmichUnauthorizedError,
    ImmichUnreachableError,
    MaintenanceError,
    MissingPermissionError,
    WriteInDoubtError,
)
from reconciler.immich.call import Call, Patience
from reconciler.immich.capabilities import MINIMUM_SCOPES
from reconciler.immich.target import Immich

serving = pytest.importorskip("reconciler.simulator.serve")

pytestmark = pytest.mark.anyio

QUICK = Patience(backoff=0.01, backoff_cap=0.05, retry_after_cap=0.05, circuit_threshold=50)
MINIMUM = sorted({scope for scope, _ in MINIMUM_SCOPES})
TEXTS = [
    "plain words",
    "  M 31 &amp; M 32\n\n<b>&lt;b&gt;</b>  ",
    "a\r\nb\rc\td",
    "0",
    "null",
    "1.50",
    "1e5",
    "007",
    "a\x01b\x0bc\0d",
    "\ufeff\xa0words\x85\u2028",
    "lone \ud83d, \ufffe, 🔭 e\u0301",
    "(Binary data 5 bytes, use -b option to extract)",
    "东" * 3000,
    "&&amp;amp;;&#10;&#x26;&foo;",
]
TAGS = [
    "Astro/Galaxy",
    "R&amp;D",
    "&amp;amp;lt;",
    "1.50",
    "1e5",
    "0",
    "007",
    " lead",
    "a//b/",
    "p|q, r",
    "Astro/1.50",
    "é/e\u0301",
    "null",
    "a\0b",
    "(Binary data 5 bytes, use -b option to extract)",
]


@pytest.fixture
def ids(uuid):
    return [uuid(number) for number in range(1, 16)]


@asynccontextmanager
async def opened(simulator, **options):
    async with Immich(simulator.url, simulator.api_key, **{"patience": QUICK, **options}) as target:
        await target.open()
        yield target


@pytest.mark.parametrize("version", ["1.132.3", "1.137.0", "1.144.1", "2.7.5", "3.0.0", "3.1.0", "3.2.0"])
async def test_every_version_can_be_read_written_tagged_and_untagged(ids, version):
    one, two, three = ids[:3]
    with serving.serve(
        assets=ids[:3], unkind="settling,round_trip", version=version, drain=2000
    ) as simulator:
        async with opened(simulator) as target:
            before = await target.server_time() - timedelta(seconds=2)
            assert {asset.asset_id for asset in await target.listing()} == {one, two, three}

            await target.write_fields([one], FieldWrite("words", Coordinates(48.137154, 11.576124)))
            shared = await target.write_fields([two, three], FieldWrite("shared"))
            assert shared.sent == {two, three}
            simulator.wait_until_idle()
            made = await target.ensure_tags(["Astro/Galaxy", "M 31"])
            assert await target.tag_ids() == {**made, "Astro": (await target.tag_ids())["Astro"]}
            added = await target.add_tags([one, two], list(made.values()))
            assert added.unchanged == frozenset()
            simulator.wait_until_idle()
            assert (await target.add_tags([one], list(made.values()))).unchanged == {one}
            removed = await target.remove_tag([one, three], made["M 31"])
            assert removed.unchanged == {three}
            simulator.wait_until_idle()

            seen = await target.asset(one)
            assert (seen.description, seen.tags) == ("words", {"Astro/Galaxy"})
            assert seen.coordinates == Coordinates(48.137154, 11.576124)
            assert (await target.asset(two)).description == "shared"
            changed = {asset.asset_id: asset for asset in await target.changed_since(before)}
            assert changed[one].updated_at == seen.updated_at
            assert {asset.asset_id for asset in await target.untagged()} in ({three}, set())
            assert await target.asset_count() == 3
        assert simulator.faults()["overlaps"] == 0


async def test_what_is_written_settles_as_the_settled_form(ids):
    with serving.serve(assets=ids, unkind="round_trip", drain=2000) as simulator:
        async with opened(simulator) as target:
            for asset_id, text in zip(ids, TEXTS, strict=False):
                await target.write_fields([asset_id], FieldWrite(target.settled_description(text)))
            simulator.wait_until_idle()
            for asset_id, text in zip(ids, TEXTS, strict=False):
                kept = (await target.asset(asset_id)).description
                assert kept == target.settled_description(text)


async def test_tags_settle_under_the_ids_they_were_made_with(ids):
    with serving.serve(assets=ids[:1], unkind="round_trip", drain=2000) as simulator:
        async with opened(simulator) as target:
            made = await target.ensure_tags(TAGS)
            wanted = {tag for path in TAGS if (tag := target.settled_tag(path)) is not None}
            assert set(made) == set(TAGS) - {"null"}
            await target.add_tags(ids[:1], sorted(set(made.values())))
            simulator.wait_until_idle()
            assert (await target.asset(ids[0])).tags == wanted
            assert {path: tag_id for path, tag_id in (await target.tag_ids()).items() if path in wanted} == {
                target.settled_tag(path): tag_id for path, tag_id in made.items()
            }


@pytest.mark.parametrize("place", [(4e-06, 20.0), (-1e-05, 20.0), (90.0, -180.0), (34.123456789, 1e-06)])
async def test_every_writable_place_is_accepted_and_comes_back(ids, place):
    with serving.serve(assets=ids[:1], unkind="round_trip", drain=2000) as simulator:
        async with opened(simulator) as target:
            await target.write_fields(ids[:1], FieldWrite(coordinates=Coordinates(*place)))
            simulator.wait_until_idle()
            kept = (await target.asset(ids[0])).coordinates
            assert kept.latitude == pytest.approx(place[0], abs=2e-6)
            assert kept.longitude == pytest.approx(place[1], abs=2e-6)


async def test_unknown_assets_in_a_bulk_call_cost_only_themselves(uuid):
    known, gone = [uuid(n) for n in range(100)], [uuid(n) for n in (500, 501)]
    with serving.serve(assets=known, unkind="none", drain=5000) as simulator:
        async with opened(simulator) as target:
            everything = [*known[:40], gone[0], *known[40:70], gone[1], *known[70:]]
            outcome = await target.write_fields(everything, FieldWrite("shared"))
            assert outcome.sent == set(known)
            assert set(outcome.rejected) == set(gone)
            with pytest.raises(AssetUnknownError):
                await target.asset(gone[0])
        simulator.wait_until_idle()
        assert simulator.faults()["overlaps"] == 0
        assert {asset["description"] for asset in simulator.assets().values()} == {"shared"}


async def test_unstable_pages_give_each_asset_once(uuid):
    with serving.serve(unkind="unstable_paging,archived", extra=2300) as simulator:
        async with opened(simulator) as target:
            found = [asset.asset_id for asset in await target.listing()]
            assert len(found) == len(set(found))
            assert len(found) > 2000
            assert set(found) <= simulator.assets().keys()


async def test_reads_survive_a_busy_server_and_broken_connections(ids):
    with serving.serve(assets=ids, unkind="busy,dropped", seed=3) as simulator:
        simulator.configure(failures=0.2)
        async with opened(
            simulator, patience=Patience(attempts=12, backoff=0.005, retry_after_cap=0.01)
        ) as target:
            for _ in range(20):
                seen = await asyncio.gather(*(target.asset(asset_id) for asset_id in ids))
                assert [asset.asset_id for asset in seen] == ids
        assert simulator.faults()["busy_after"] > 0


async def test_a_write_on_a_connection_that_breaks_is_sent_once_and_told_as_in_doubt(uuid):
    ids = [uuid(number) for number in range(400)]
    with serving.serve(assets=ids, unkind="dropped", seed=1, drain=5000) as simulator:
        async with opened(
            simulator, patience=Patience(attempts=8, backoff=0.01, circuit_threshold=50)
        ) as target:
            doubtful, sent = set(), set()
            for asset_id in ids:
                try:
                    sent |= (await target.write_fields([asset_id], FieldWrite("words"))).sent
                except WriteInDoubtError:
                    doubtful.add(asset_id)
            assert doubtful
            assert len(sent) + len(doubtful) == 400
            assert simulator.requests()["PUT /assets/{id}"] == 400
        simulator.wait_until_idle()
        assert simulator.faults()["overlaps"] == 0
        assert all(simulator.assets()[asset_id]["description"] == "words" for asset_id in sent)


async def test_maintenance_makes_nothing_unknown_and_ends_by_itself(ids):
    with serving.serve(assets=ids, unkind="none") as simulator:
        async with opened(simulator, patience=Patience(probe_interval=0.0)) as target:
            simulator.configure(maintenance=True)
            with pytest.raises(MaintenanceError):
                await target.asset(ids[0])
            with pytest.raises(MaintenanceError):
                await target.write_fields(ids[:1], FieldWrite("words"))
            with pytest.raises(MaintenanceError):
                await target.open()
            simulator.configure(maintenance=False)
            assert (await target.asset(ids[0])).description == ""


async def test_a_server_that_is_down_is_left_alone_and_found_again(ids):
    patience = Patience(attempts=3, backoff=0.001, circuit_threshold=3, probe_interval=0.0)
    with serving.serve(assets=ids, unkind="none") as simulator:
        async with opened(simulator, patience=patience) as target:
            simulator.configure(down=True)
            for asset_id in ids[:5]:
                with pytest.raises(ImmichUnreachableError):
                    await target.asset(asset_id)
            assert target.circuit.is_open
            simulator.configure(down=False)
            assert (await target.asset(ids[0])).asset_id == ids[0]
            assert not target.circuit.is_open


async def test_no_listener_at_all_is_unreachable(ids):
    with serving.serve(assets=ids, unkind="none") as simulator:
        url, key = simulator.url, simulator.api_key
    async with Immich(url, key, patience=QUICK) as target:
        with pytest.raises(ImmichUnreachableError, match="no connection"):
            await target.open()


@pytest.mark.parametrize("missing", ["asset.update", "tag.create", "tag.asset", "tag.read"])
async def test_a_missing_scope_is_found_at_the_start_and_named_when_it_is_needed(ids, missing):
    scopes = [scope for scope in MINIMUM if scope != missing]
    with serving.serve(assets=ids, unkind="none", scopes=scopes) as simulator:
        async with Immich(simulator.url, simulator.api_key, patience=QUICK) as target:
            facts = await target.open()
            assert missing in {loss.permission for loss in facts.losses}
            needed = {
                "asset.update": target.write_fields(ids[:1], FieldWrite("words")),
                "tag.create": target.ensure_tags(["a"]),
                "tag.asset": target.add_tags(ids[:1], ids[:1]),
                "tag.read": target.tag_ids(),
            }
            answers = dict(
                zip(needed, await asyncio.gather(*needed.values(), return_exceptions=True), strict=True)
            )
            refusals = {scope for scope, said in answers.items() if isinstance(said, MissingPermissionError)}
            assert refusals == {missing}
            assert answers[missing].permission == missing


async def test_the_minimum_key_can_do_everything(ids):
    with serving.serve(assets=ids, unkind="none", scopes=MINIMUM, drain=5000) as simulator:
        async with opened(simulator) as target:
            await target.listing()
            await target.untagged()
            await target.write_fields(ids, FieldWrite("words"))
            made = await target.ensure_tags(["a"])
            await target.add_tags(ids, list(made.values()))
            await target.remove_tag(ids, made["a"])
            assert await target.asset_count() is None


async def test_a_wrong_key_and_a_wrong_path_are_told_apart(ids):
    with serving.serve(assets=ids, unkind="none") as simulator:
        async with Immich(simulator.url + "/api/", "wrong", patience=QUICK) as target:
            with pytest.raises(ImmichUnauthorizedError):
                await target.open()
        async with Immich(simulator.url + "/photos", simulator.api_key, patience=QUICK) as target:
            with pytest.raises(Exception, match="web page"):
                await target.open()


async def test_the_key_is_in_no_log_line_of_any_library(ids, caplog):
    for name in ("", "httpx", "httpcore"):  # a test before may have set up this process's logging
        caplog.set_level(logging.DEBUG, logger=name)
    with serving.serve(assets=ids, unkind="none") as simulator:
        async with opened(simulator) as target:
            await target.asset(ids[0])
        assert caplog.text
        assert simulator.api_key not in caplog.text


ODD = "9f1e2d3c-4b5a-1978-8877-665544332211"
"""A UUID of version 1, as nobody has since 3.0."""


@pytest.mark.parametrize("version", ["2.7.5", "3.0.0", "3.1.0", "3.2.0"])
async def test_an_id_that_no_server_of_its_version_can_have_costs_itself_and_no_halving(uuid, version):
    ids = [uuid(number) for number in range(1, 41)]
    with serving.serve(assets=ids, unkind="none", version=version, drain=5000) as simulator:
        async with opened(simulator) as target:
            (tag_id,) = (await target.ensure_tags(["RGB"])).values()
            before = sum(target.requests.values())
            written = await target.write_fields([*ids, ODD], FieldWrite("words"))
            tagged = await target.add_tags([*ids, ODD], [tag_id])
            noted = await target.write_notes({asset_id: {"n": 1} for asset_id in [*ids, ODD]})
            asked = sum(target.requests.values()) - before
            with pytest.raises(AssetUnknownError):
                await target.asset(ODD)
            with pytest.raises(AssetUnknownError):
                await target.note_of(ODD)
        assert written.sent == tagged.sent - {ODD} == set(ids)
        assert written.rejected.keys() == noted == {ODD}
        assert isinstance(written.rejected[ODD], AssetUnknownError)
        if version != "2.7.5":
            assert asked == 3


@pytest.mark.parametrize("version", ["2.7.5", "3.1.0", "3.2.0"])
async def test_what_is_refused_is_told_in_the_servers_words_in_every_versions_form(ids, version):
    with serving.serve(assets=ids[:1], unkind="none", version=version) as simulator:
        async with opened(simulator) as target:
            with pytest.raises(ImmichRejectedError, match="Not found or no asset"):
                await target._client.send(Call("GET", "/assets/{id}", ids={"id": ids[1]}))
            with pytest.raises(ImmichRejectedError, match="each value in ids must be a UUID"):
                await target._client.send(Call("PUT", "/assets", body=b'{"ids": ["x"]}'))
            simulator.configure(scopes=["asset.read"])
            with pytest.raises(MissingPermissionError) as caught:
                await target.tag_ids()
            assert caught.value.permission == "tag.read"


@pytest.mark.parametrize("version", ["3.1.0", "3.2.0"])
async def test_where_pages_hold_still_a_listing_of_equal_dates_is_whole(uuid, version):
    ids = [uuid(number) for number in range(1, 2301)]
    with serving.serve(assets=ids, unkind="unstable_paging", version=version) as simulator:
        for asset in simulator.state.assets.values():
            asset.created = 0
        async with opened(simulator) as target:
            found = [asset.asset_id for asset in await target.listing()]
            searches = target.requests["POST", "/search/metadata", 200]
    assert sorted(found) == sorted(ids)
    assert searches == 4


@pytest.mark.parametrize("version", ["2.7.5", "3.1.0", "3.2.0"])
async def test_a_partners_archived_asset_is_no_row_of_ours_and_unknown_when_asked_for(ids, version):
    with serving.serve(assets=ids, unkind="none", version=version) as simulator:
        partners = simulator.state.assets[ids[0]]
        partners.owner_id, partners.visibility = "b1f9c0de-77aa-4c52-8d0e-2f9a6e5d4c3b", "archive"
        async with opened(simulator) as target:
            assert {asset.asset_id for asset in await target.listing()} == set(ids[1:])
            with pytest.raises(AssetUnknownError):
                await target.asset(ids[0])
