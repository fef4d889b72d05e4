"""Unknown is not empty, on a whole installation: no answer that says too little costs a person a word.

The simulated Immich answers over HTTP; between it and the engine the answers lose fields, or are another
asset's, as with a renamed field of a new server or a cache in front of it.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field

import httpx
import pytest

from reconciler.engine.undo import Undo
from reconciler.errors import ImmichAnswerError
from reconciler.messages.reasons import sentence

pytestmark = pytest.mark.anyio

GONE = object()


@dataclass
class Spoiler(httpx.AsyncBaseTransport):
    """Hands requests on, and changes what comes back: ``change(asset)`` for each asset of an answer."""

    change: object
    inner: httpx.AsyncHTTPTransport = field(default_factory=lambda: httpx.AsyncHTTPTransport(verify=False))
    spoilt: int = 0

    async def handle_async_request(self, request):
        response = await self.inner.handle_async_request(request)
        content = await response.aread()
        await response.aclose()
        path = request.url.path
        single = request.method == "GET" and path.startswith("/api/assets/") and path.count("/") == 3
        if response.status_code == 200 and (single or path == "/api/search/metadata"):
            answer = json.loads(content)
            rows = [answer] if single else answer["assets"]["items"]
            for row in rows:
                if row.get("id"):
                    self.spoilt += bool(self.change(row))
            content = json.dumps(answer).encode()
        headers = {key: value for key, value in response.headers.items() if key != "content-length"}
        return httpx.Response(response.status_code, headers=headers, content=content)

    async def aclose(self):
        await self.inner.aclose()
        self.inner = httpx.AsyncHTTPTransport(verify=False)  # the next pass connects anew


def losing(place, value=GONE, only=None):
    """Make a change that takes a member out of assets, or gives it another value."""

    def change(row):
        if only is not None and row["id"] not in only:
            return False
        *way, name = place.split(".")
        part = row.get(way[0]) if way else row
        if not isinstance(part, dict):
            return False
        if value is GONE:
            part.pop(name, None)
        else:
            part[name] = value
        return True

    return change


def words_of(here):
    return {
        asset_id: (one["description"], sorted(one["tags"])) for asset_id, one in here.sim.assets().items()
    }


def written_by_hand(here):
    for number, (_, asset_id) in enumerate(here.images()):
        here.sim.person(asset_id, "set_description", f"Granny's words {number}")
        here.sim.person(asset_id, "add_tag", f"mine/{number}")
    here.sim.wait_until_idle()
    return words_of(here)


@pytest.mark.parametrize("settled", [False, True], ids=["first sync", "daily audit"])
@pytest.mark.parametrize(
    ("place", "value"),
    [
        ("exifInfo.description", GONE),
        ("exifInfo.description", None),
        ("exifInfo.description", ["a list"]),
        ("exifInfo.latitude", GONE),
        ("exifInfo", GONE),
        ("updatedAt", "yesterday"),
        ("ownerId", GONE),
        ("visibility", "elsewhere"),
        ("isTrashed", None),
        ("tags", GONE),
        ("id", 5),
    ],
)
async def test_a_field_that_the_server_no_longer_tells_costs_nobody_a_word(install, place, value, settled):
    here = install(count=12)
    before = written_by_hand(here)
    if settled:
        await here.run()
        before = {**words_of(here)}
    here.transport = Spoiler(losing(place, value))
    here.sim.reset()
    if place == "exifInfo":  # read one by one: so is an asset whose file was not read yet
        report = await here.run(full=True)
        assert {one.status for one in report.outcomes} == {"not_writable"}
    else:
        with pytest.raises(ImmichAnswerError, match=rf"Immich 2\.7\.5 does not tell .*{place}"):
            await here.run(full=True)
    assert here.transport.spoilt
    assert here.sim.requests()["writes"] == 0
    assert words_of(here) == before


async def test_one_asset_with_an_unknown_field_is_left_alone_and_named(install):
    here = install(count=12)
    before = written_by_hand(here)
    odd = here.asset(4)
    here.transport = Spoiler(losing("exifInfo.description", only={odd}))
    report = await here.run()
    (told,) = [one for one in report.outcomes if one.asset_id == odd]
    assert told.status == "failed"
    for word in ("exifInfo.description", odd, "left as it is"):
        assert word in sentence(told.reasons)
    shown = words_of(here)
    assert shown[odd] == before[odd]
    others = [asset_id for _, asset_id in here.images() if asset_id != odd]
    assert all(here.statuses()[asset_id] in {"in_sync", "conflict"} for asset_id in others)
    here.transport = None
    await here.run()
    assert before[odd][0] in here.shown(odd)["description"]
    assert "Skymmich" in here.shown(odd)["description"]


async def test_what_is_unknown_after_the_write_is_not_verified(install):
    """The write is settled and its reading tells nothing: it stays pending, and is judged when it can be."""
    here = install(count=3)
    written = set()

    def change(row):
        return row["id"] in written and losing("exifInfo.description", None)(row)

    here.transport = Spoiler(change)

    class Noting:
        def __init__(self, target):
            self._target = target

        def __getattr__(self, name):
            return getattr(self._target, name)

        async def write_fields(self, asset_ids, write):
            written.update(asset_ids)
            return await self._target.write_fields(asset_ids, write)

    here.wrap = Noting
    await here.run()
    assert written
    records = here.store.records()
    assert all(records[asset_id].status != "in_sync" for asset_id in written)
    assert all(records[asset_id].applied.block is None for asset_id in written)
    here.wrap, here.transport = (lambda target: target), None
    await here.run()
    await here.assert_true()


async def test_an_answer_about_another_asset_is_never_written(install):
    here = install(count=8)
    await here.run()
    before = words_of(here)
    one, other = here.asset(1), here.asset(2)
    last = {}

    def swap(row):
        """As a cache that ignores the id: whoever asks for one of the two gets the first that was asked for."""
        if row["id"] not in {one, other}:
            return False
        kept = last.setdefault("row", json.loads(json.dumps(row)))
        row.clear()
        row.update(kept)
        return True

    here.sql(
        "UPDATE astrophotography_images SET title = title || ' again' WHERE immich_id IN (?, ?)", one, other
    )
    here.transport = Spoiler(swap)
    report = await here.run(image_ids=frozenset(image_id for image_id, _ in here.images()))
    told = {outcome.asset_id: outcome for outcome in report.outcomes}
    assert {told[one].status, told[other].status} >= {"failed"}
    shown = words_of(here)
    wrong = [asset_id for asset_id in (one, other) if told[asset_id].status == "failed"]
    assert all(shown[asset_id] == before[asset_id] for asset_id in wrong)
    assert any("is about asset" in sentence(told[asset_id].reasons) for asset_id in wrong)
    here.transport = None
    await here.run(full=True)
    await here.assert_true()


async def test_a_listing_of_untagged_assets_that_is_another_search_s_is_not_believed(install):
    """A cache gives the listing of everything: the tags that are there stay their owner's."""
    here = install(count=12)
    prepared = await here.prepare()
    theirs = {item.asset_id: min(item.plan.desired.tags) for item in prepared.items if item.plan.desired.tags}
    for asset_id, tag in theirs.items():
        here.sim.person(asset_id, "add_tag", tag)
    here.sim.wait_until_idle()

    class Cached(Spoiler):
        async def handle_async_request(self, request):
            body = json.loads(request.content or b"{}")
            if "tagIds" in body:
                del body["tagIds"]
                content = json.dumps(body).encode()
                headers = {**request.headers, "content-length": str(len(content))}
                request = httpx.Request(request.method, request.url, headers=headers, content=content)
            return await super().handle_async_request(request)

    here.transport = Cached(lambda _row: False)
    await here.run()
    assert theirs
    records, shown = here.store.records(), here.sim.assets()
    for asset_id, tag in theirs.items():
        assert tag in shown[asset_id]["tags"]
        assert tag not in records[asset_id].applied.tags


async def test_a_canary_whose_text_was_lost_is_not_carried_by_its_coordinates(install, policy):
    here = install(count=20)
    here.policy = policy(canary=3)
    for _, asset_id in here.images():
        here.sql(
            "UPDATE astrophotography_images SET latitude = 48.5, longitude = 11.5 WHERE immich_id = ?",
            asset_id,
        )

    class Forgetful:
        """Sends the coordinates only, as a server does that drops a text on its way through the file."""

        def __init__(self, target):
            self._target = target

        def __getattr__(self, name):
            return getattr(self._target, name)

        async def write_fields(self, asset_ids, write):
            kept = type(write)(None, write.coordinates)
            return await self._target.write_fields(asset_ids, kept)

    here.wrap = Forgetful
    report = await here.run()
    written = [asset for asset in here.sim.assets().values() if asset["latitude"] == pytest.approx(48.5)]
    assert report.error is not None
    assert "none of the first 3" in str(report.error)
    assert len(written) == 3


async def test_what_a_run_did_to_the_tags_is_undone_with_tags_switched_off(install):
    here = install(count=12)
    report = await here.run()
    tagged = {asset_id for asset_id, one in here.sim.assets().items() if one["tags"]}
    assert tagged
    here.switches = type(here.switches)(tags=False)
    entries = here.store.journal_of(run_id=report.run.run_id, limit=1000)

    async def act(cycle):
        undo = Undo(cycle, cycle._target, here.store, cycle._clock, here.events.append, here.timing)
        prepared = await undo.prepare(entries, here.wishes)
        return await undo.apply(prepared, run_id="undo-1", stop=lambda: False)

    await here._with_cycle(act)
    here.sim.wait_until_idle()
    assert not any(one["tags"] for one in here.sim.assets().values())


async def test_a_size_that_is_not_told_any_more_changes_no_fact(install):
    here = install(count=6)
    await here.run()
    before = words_of(here)

    def change(row):
        row["width"] = row["height"] = None
        (row.get("exifInfo") or {}).update(exifImageWidth=None, exifImageHeight=None)
        return True

    here.transport = Spoiler(change)
    await here.run(full=True)
    assert here.writes == 0
    assert words_of(here) == before


class Cache(Spoiler):
    """Keeps the first answer about each asset from when it is switched on, and gives it ever after."""

    def __init__(self):
        super().__init__(lambda _row: False)
        self.kept = {}

    async def handle_async_request(self, request):
        path = request.url.path
        single = request.method == "GET" and path.startswith("/api/assets/") and path.count("/") == 3
        if not single:
            return await super().handle_async_request(request)
        if path not in self.kept:
            response = await super().handle_async_request(request)
            self.kept[path] = await response.aread()
        return httpx.Response(200, headers={"content-type": "application/json"}, content=self.kept[path])


async def test_an_answer_that_is_older_than_what_was_shown_costs_nobody_a_line(install):
    here = install(count=12)
    await here.run()
    here.transport = Cache()
    await here.run(full=True)
    for number, (_, asset_id) in enumerate(here.images()):
        text = here.sim.assets()[asset_id]["description"]
        here.sim.person(asset_id, "set_description", f"{text}\n\nGranny's line {number}")
    here.sim.wait_until_idle()
    here.sql("UPDATE astrophotography_images SET title = title || ' again'")
    report = await here.run()
    assert here.writes == 0
    assert {one.status for one in report.outcomes} == {"failed"}
    assert all([why.get("kind") for why in one.reasons] == ["StaleAnswerError"] for one in report.outcomes)
    here.transport = None
    await here.run()
    for number, (_, asset_id) in enumerate(here.images()):
        assert f"Granny's line {number}" in here.shown(asset_id)["description"]
    await here.assert_true()


async def test_an_undo_through_a_cache_comes_to_an_end(install):
    here = install(count=4)
    report = await here.run()
    entries = here.store.journal_of(run_id=report.run.run_id, limit=1000)
    here.transport = Cache()
    await here.run(full=True)
    for _, asset_id in here.images():
        here.sim.person(asset_id, "set_description", "only this")
    here.sim.wait_until_idle()
    here.sim.reset()

    async def act(cycle):
        undo = Undo(cycle, cycle._target, here.store, cycle._clock, here.events.append, here.timing)
        prepared = await undo.prepare(entries, here.wishes)
        return await undo.apply(prepared, run_id="undo-1", stop=lambda: False)

    undone = await asyncio.wait_for(here._with_cycle(act), 30)
    assert undone.left
    assert here.sim.requests()["total"] < 150
    assert all(one["description"] == "only this" for one in here.sim.assets().values())


@pytest.mark.parametrize("damage", ["unreadable", "gone", "one degree off"])
async def test_a_canary_that_was_seen_whole_on_no_asset_opens_to_none(install, policy, damage):
    here = install(count=20)
    here.policy = policy(canary=3)
    here.sql("UPDATE astrophotography_images SET latitude = 48.5, longitude = 11.5")
    tagged, placed = set(), set()

    class Noting:
        def __init__(self, target):
            self._target = target

        def __getattr__(self, name):
            return getattr(self._target, name)

        async def add_tags(self, asset_ids, tag_ids):
            tagged.update(asset_ids)
            return await self._target.add_tags(asset_ids, tag_ids)

        async def write_fields(self, asset_ids, write):
            placed.update(asset_ids)
            return await self._target.write_fields(asset_ids, write)

    def change(row):
        if damage == "one degree off":
            if row["id"] in placed and row.get("exifInfo") and row["exifInfo"]["latitude"] is not None:
                row["exifInfo"]["latitude"] += 1
        elif row["id"] in tagged:
            row["tags"] = None if damage == "unreadable" else []
        return True

    here.wrap, here.transport = Noting, Spoiler(change)
    report = await here.run()
    assert report.error is not None
    assert len(placed if damage == "one degree off" else tagged) == 3


async def test_ids_of_tags_that_two_answers_tell_otherwise_are_not_used(install):
    here = install(count=6)

    class Swapping(Spoiler):
        async def handle_async_request(self, request):
            response = await super().handle_async_request(request)
            if (request.method, request.url.path) != ("PUT", "/api/tags"):
                return response
            tags = json.loads(await response.aread())
            ids = [tag["id"] for tag in tags]
            for tag, other in zip(tags, [*ids[1:], ids[0]], strict=True):
                tag["id"] = other
            return httpx.Response(200, json=tags)

    here.transport = Swapping(lambda _row: False)
    await here.run()
    assert any("PUT /api/tags" in str(event) for event in here.events)
    here.transport = None
    await here.run()
    prepared = await here.prepare(full=True)
    shown = here.sim.assets()
    for item in prepared.items:
        assert set(shown[item.asset_id]["tags"]) == item.plan.desired.tags
