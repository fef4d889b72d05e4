"""A person works in Immich while a pass runs: every word and every tag of theirs is there at the end."""

from __future__ import annotations

from random import Random

import pytest

pytestmark = pytest.mark.anyio

PEACEFUL = {"conflict", "not_writable"}
ANXIOUS = "settling,lost_updates"


class Meddler:
    """A target between whose answers a person acts. ``moment`` names the method after which they do."""

    def __init__(self, target, act, moments):
        self._target, self._act, self._moments = target, act, moments

    def __getattr__(self, name):
        known = getattr(self._target, name)
        if name not in self._moments:
            return known

        async def meddled(*args, **named):
            answer = await known(*args, **named)
            ids = args[0] if name in {"write_fields", "add_tags", "remove_tag"} else None
            for asset_id in [args[0]] if name == "asset" else ids or []:
                self._act(name, asset_id)
            if name in {"untagged", "changed_since"}:
                for row in answer:
                    self._act(name, row.asset_id)
            return answer

        return meddled


class Person:
    """Does each deed once an asset, at the moment it is for, and remembers what has to be there at the end."""

    def __init__(self, sim, seed=1):
        self.sim, self.random = sim, Random(seed)
        self.done, self.words, self.tags, self.places = set(), [], [], {}

    def write(self, asset_id, where="end"):
        word = f"word-{len(self.words)}-{where}"
        text = self.sim.assets()[asset_id]["description"]
        lines = text.split("\n")
        if where == "start":
            text = f"{word}\n\n{text}"
        elif where == "inside" and len(lines) > 3:
            text = "\n".join([*lines[:-2], word, *lines[-2:]])
        else:
            text = f"{text}\n\n{word}"
        self.sim.person(asset_id, "set_description", text)
        self.words.append((asset_id, word))

    def tag(self, asset_id):
        tag = f"mine/{len(self.tags)}"
        self.sim.person(asset_id, "add_tag", tag)
        self.tags.append((asset_id, tag))

    def once(self, key):
        fresh = key not in self.done
        self.done.add(key)
        return fresh

    async def assert_nothing_lost(self, here, passes=2):
        """Do two more passes, and look for all that the person did.

        Whether their own write is still under way can not always be told, so that one of ours may meet
        another of ours after it; what is lost by that is found and mended.
        """
        here.wrap = lambda target: target
        for _ in range(passes):
            here.sim.wait_until_idle()
            await here.run(by_person=False)
        here.sim.wait_until_idle()
        shown = here.sim.assets()
        assert self.words or self.tags
        for asset_id, word in self.words:
            assert word in shown[asset_id]["description"], (word, shown[asset_id])
        for asset_id, tag in self.tags:
            assert tag in shown[asset_id]["tags"]
        records = here.store.records()
        odd = [record for record in records.values() if record.status not in {"in_sync", *PEACEFUL}]
        assert not odd
        await here.run(by_person=False)
        assert here.writes == 0


@pytest.fixture
def meddle():
    """Let a person act after the named methods of the target; gives the person."""

    def begin(here, act, *moments, seed=1):
        person = Person(here.sim, seed)
        here.wrap = lambda target: Meddler(target, lambda name, asset: act(person, name, asset), moments)
        return person

    return begin


@pytest.mark.parametrize("drain", [300.0, 60.0], ids=["idle", "busy"])
async def test_words_typed_right_after_the_observation_are_in_what_is_written(install, meddle, drain):
    here = install(count=16, unkind=ANXIOUS, drain=drain)

    def act(person, name, asset_id):
        if person.once(asset_id):
            person.write(asset_id)
            person.tag(asset_id)

    person = meddle(here, act, "untagged", "asset")
    await here.run()
    await person.assert_nothing_lost(here)


@pytest.mark.parametrize("drain", [300.0, 60.0], ids=["idle", "busy"])
async def test_words_typed_between_our_steps_are_kept(install, meddle, drain):
    here = install(count=16, unkind=ANXIOUS, drain=drain)

    def act(person, name, asset_id):
        if person.once((name, asset_id)):
            person.write(asset_id, person.random.choice(["start", "inside", "end"]))

    person = meddle(here, act, "add_tags", "write_fields")
    await here.run()
    assert len(person.words) > 16
    await person.assert_nothing_lost(here)


async def test_words_typed_at_our_verifying_reading_are_kept(install, meddle):
    """The reading shows them or not; what is written next is made from it."""
    here = install(count=16, unkind=ANXIOUS)

    def act(person, name, asset_id):
        if person.random.random() < 0.2:
            person.tag(asset_id)

    person = meddle(here, act, "asset", "add_tags", "write_fields")
    await here.run()
    await person.assert_nothing_lost(here)


async def test_edits_of_what_we_wrote_are_kept_or_put_right_without_a_loss(install, meddle):
    here = install(count=20, unkind=ANXIOUS)
    await here.run()
    person = meddle(here, lambda *_: None)
    here.sim.wait_until_idle()
    for number, (_, asset_id) in enumerate(here.images()):
        person.write(asset_id, ["start", "inside", "end"][number % 3])
    here.sim.wait_until_idle()
    report = await here.run(by_person=False)
    assert not report.verdict.tripped
    await person.assert_nothing_lost(here)
    await here.assert_true(allowed=PEACEFUL)


@pytest.mark.parametrize(("seed", "drain"), [(1, 300.0), (2, 300.0), (3, 60.0)])
async def test_a_person_at_random_moments_loses_nothing(install, meddle, seed, drain):
    here = install(count=16, unkind=ANXIOUS, drain=drain, seed=seed)

    def act(person, name, asset_id):
        deed = person.random.random()
        if len(person.done) >= 20 or deed > 0.25:
            return
        person.done.add(len(person.done))
        if deed < 0.1 and name != "asset":  # between that reading and the write lies the one request
            person.write(asset_id, person.random.choice(["start", "inside", "end"]))
        elif deed < 0.15:
            person.tag(asset_id)
        elif deed < 0.18:
            tags = [tag for tag in here.sim.assets()[asset_id]["tags"] if not tag.startswith("mine")]
            if tags:
                here.sim.person(asset_id, "remove_tag", person.random.choice(tags))
        elif deed < 0.21:
            here.sim.person(asset_id, "set_coordinates", [51.5 + deed, 11.25])
        elif deed < 0.22:
            here.sim.person(asset_id, "trash")
        else:
            here.sim.person(asset_id, "archive")

    person = meddle(here, act, "untagged", "asset", "add_tags", "write_fields", "changed_since", seed=seed)
    await here.run()
    await person.assert_nothing_lost(here)


async def test_a_person_s_own_tag_is_never_removed_though_the_catalogue_drops_it(install):
    here = install(count=3, unkind=ANXIOUS)
    image_id, asset_id = here.images()[0]
    here.tags_of(image_id, ["Winter"])
    here.sim.person(asset_id, "add_tag", "Astro/Winter")
    here.sim.wait_until_idle()
    await here.run()
    here.tags_of(image_id, [])
    await here.run()
    assert "Astro/Winter" in here.shown(asset_id)["tags"]


async def test_an_image_that_is_trashed_meanwhile_is_left_alone_and_comes_back(install):
    here = install(count=6, unkind=ANXIOUS)
    image_id, asset_id = here.images()[2]
    await here.run()
    here.sim.person(asset_id, "trash")
    here.sql("UPDATE astrophotography_images SET title = 'Changed' WHERE id = ?", image_id)
    await here.run(by_person=False)
    assert here.writes == 0
    record = here.store.records()[asset_id]
    assert (record.status, record.reason) == ("not_writable", "the asset is in Immich's trash")
    here.sim.person(asset_id, "trash", value=False)
    await here.run(by_person=False)
    assert "Changed" in here.shown(asset_id)["description"]
    await here.assert_true()
