"""A person works in Immich while a pass runs: every word and every tag of theirs is there at the end.

But for those that the server itself throws away, because two writes came close together: no client can prevent
that where it could not know of the person's. The simulator keeps a book of them, asset by asset.
"""

from __future__ import annotations

from random import Random

import pytest

from reconciler.core.reasons import reason

pytestmark = pytest.mark.anyio

PEACEFUL = {"conflict", "not_writable"}
ANXIOUS = "settling,lost_updates"


WRITES = {"write_fields", "add_tags", "remove_tag"}
LISTINGS = {"listing", "untagged", "changed_since"}


class Meddler:
    """A target between whose answers a person acts. ``moment`` names the method after which they do."""

    def __init__(self, target, person, act, moments):
        self._target, self._person, self._act, self._moments = target, person, act, moments

    def __getattr__(self, name):
        known = getattr(self._target, name)
        if name not in {*WRITES, *LISTINGS, "asset"}:
            return known

        async def meddled(*args, **named):
            if name in WRITES:
                self._person.expect_heed(args[0], fields=name == "write_fields")
            answer = await known(*args, **named)
            rows = [] if name in WRITES else [answer] if name == "asset" else answer
            for row in rows:
                self._person.is_shown(row, whole=name == "asset")
            if name in self._moments:
                for asset_id in args[0] if name in WRITES else [row.asset_id for row in rows]:
                    self._act(self._person, name, asset_id)
            return answer

        return meddled


class Person:
    """Does each deed once an asset, at the moment it is for, and remembers what has to be there at the end."""

    def __init__(self, sim, seed=1):
        self.sim, self.random = sim, Random(seed)
        self.done, self.words, self.tags = set(), [], []
        self.known, self.shown, self.heedless = {}, set(), []

    def begin(self):
        """Note that a pass begins, which knows nothing yet."""
        self.known, self.shown = {}, set()

    def do(self, asset_id, action, value=None):
        if not self.sim.is_edited(asset_id):
            self.shown.discard(asset_id)
        self.sim.person(asset_id, action, value)

    def is_shown(self, row, *, whole):
        """Note whether a reading tells that somebody is at work on an asset: it is not as it was."""
        seen = (row.description, row.coordinates, row.visibility)
        if whole and self.sim.is_edited(row.asset_id) and self.known.get(row.asset_id, seen) != seen:
            self.shown.add(row.asset_id)
        self.known[row.asset_id] = seen

    def expect_heed(self, asset_ids, *, fields):
        """Note writes to assets that a reading had shown to be at work on."""
        self.heedless += [
            asset_id for asset_id in self.shown & set(asset_ids) if self.sim.is_edited(asset_id)
        ]
        if fields:  # what differs from here on is ours
            for asset_id in asset_ids:
                self.known.pop(asset_id, None)

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
        self.do(asset_id, "set_description", text)
        self.words.append((asset_id, word))

    def tag(self, asset_id):
        tag = f"mine/{len(self.tags)}"
        self.do(asset_id, "add_tag", tag)
        self.tags.append((asset_id, tag))

    def once(self, key):
        fresh = key not in self.done
        self.done.add(key)
        return fresh

    async def assert_nothing_lost(self, here, passes=2, survive=0.25):
        """Do two more passes, and look for all that the person did.

        Whether their own write is still under way cannot always be told, so that one of ours may meet it.
        What is lost by that of ours is found and mended; what the server lost of theirs is in its book, and
        of whatever it did not lose every word is there.
        """
        assert not self.heedless
        here.wrap = lambda target: target
        for _ in range(passes):
            here.sim.wait_until_idle()
            await here.run(by_person=False)
        here.sim.wait_until_idle()
        shown = here.sim.assets()
        words = [pair for pair in self.words if "person's description" not in shown[pair[0]]["lost"]]
        tags = [pair for pair in self.tags if "person's tags" not in shown[pair[0]]["lost"]]
        assert len(words) + len(tags) >= survive * len(self.words + self.tags) > 0
        for asset_id, word in words:
            assert word in shown[asset_id]["description"], (word, shown[asset_id])
        for asset_id, tag in tags:
            assert tag in shown[asset_id]["tags"], (tag, shown[asset_id])
        records = here.store.records()
        # Lost twice in a row to a person's own writes, a value looks just as if Immich would not keep it.
        unlucky = {asset_id for asset_id, asset in shown.items() if losses(asset) > 1}
        odd = [
            (record.status, record.reasons)
            for record in records.values()
            if record.status not in {"in_sync", *PEACEFUL}
            and (record.asset_id not in unlucky or record.status != "not_sticking")
        ]
        assert not odd
        await here.run(by_person=False)
        assert here.writes == 0


def losses(asset):
    """Count the values that the server lost, a person's too: their text is ours with a word of theirs."""
    return sum(asset["lost"].values())


@pytest.fixture
def meddle():
    """Let a person act after the named methods of the target; gives the person."""

    def begin(here, act, *moments, seed=1):
        person = Person(here.sim, seed)

        def wrap(target):
            person.begin()
            return Meddler(target, person, act, moments)

        here.wrap = wrap
        return person

    return begin


@pytest.mark.parametrize("drain", [300.0, 60.0], ids=["idle", "busy"])
async def test_words_typed_right_after_the_observation_are_in_what_is_written(install, meddle, drain):
    here = install(count=16, unkind=ANXIOUS, drain=drain)

    def act(person, name, asset_id):
        if person.once(asset_id):
            (person.write if len(person.done) % 3 else person.tag)(asset_id)

    person = meddle(here, act, "untagged")
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
        if len(person.done) >= 20 or deed > 0.25 or here.sim.is_edited(asset_id):
            return
        person.done.add(len(person.done))
        if deed < 0.1 and name != "asset":  # between that reading and the write lies the one request
            person.write(asset_id, person.random.choice(["start", "inside", "end"]))
        elif deed < 0.15:
            person.tag(asset_id)
        elif deed < 0.18:
            tags = [tag for tag in here.sim.assets()[asset_id]["tags"] if not tag.startswith("mine")]
            if tags:
                person.do(asset_id, "remove_tag", person.random.choice(tags))
        elif deed < 0.21:
            person.do(asset_id, "set_coordinates", [51.5 + deed, 11.25])
        elif deed < 0.22:
            person.do(asset_id, "trash")
        else:
            person.do(asset_id, "archive")

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
    assert (record.status, record.reasons) == ("not_writable", (reason("trashed"),))
    here.sim.person(asset_id, "trash", value=False)
    await here.run(by_person=False)
    assert "Changed" in here.shown(asset_id)["description"]
    await here.assert_true()
