"""What holds for every description, every set of tags and every order of events."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.asset import Coordinates
from reconciler.core.desired.block import Markers, Split, enclose, fit, split, strip_blocks
from reconciler.core.desired.coordinates import desired_coordinates, same_place
from reconciler.core.desired.tags import tag_name
from reconciler.core.policy import Switches
from reconciler.core.text import normal, one_line, size, trim
from reconciler.core.writes.batches import remove_rounds

often = settings(max_examples=300, derandomize=True, deadline=None)
seldom = settings(max_examples=150, derandomize=True, deadline=None)

MARKERS = Markers()
# Lines that a machine and a mischievous person would write, so that markers meet in every way.
LINES = st.sampled_from(
    [
        "✦ M 31",
        "✦ mine",
        "✦ ",
        " ✦ M 31",
        "— Skymmich",
        " — Skymmich",
        "— Skymmich  ",
        "Galaxy",
        "",
        "  x",
        "word",
    ]
)
TEXTS = st.one_of(
    st.lists(LINES, max_size=9).map("\n".join),
    st.lists(LINES, max_size=6).map("\r\n".join),
    st.text(max_size=60),
)
BLOCKS = st.one_of(st.lists(LINES, max_size=6).map("\n".join), st.text(max_size=40)).map(
    lambda body: trim(enclose(body, MARKERS))
).filter(lambda block: split(block, MARKERS).block == block)  # fmt: skip


@often
@given(st.text())
def test_the_normal_form_is_a_fixed_point(text):
    assert normal(normal(text)) == normal(text)
    assert one_line(one_line(text)) == one_line(text)
    assert tag_name(tag_name(text)) == tag_name(text)


@often
@given(TEXTS, st.none() | BLOCKS)
def test_a_description_taken_apart_is_the_same_put_together(text, known):
    assert split(text, MARKERS, known).text == text


@often
@given(st.lists(LINES, max_size=6).map("\n".join) | st.text(max_size=40))
def test_every_block_that_says_something_is_found_whole(body):
    block = enclose(body, MARKERS)
    assert block == "" or split(block, MARKERS).block == block


@often
@given(TEXTS, BLOCKS)
def test_a_block_below_any_prose_is_found_again(prose, block):
    joined = Split(prose, None).with_block(block)
    for known in (None, block):
        found = split(joined, MARKERS, known)
        assert (found.block, normal(found.prose)) == (block, normal(prose))


@often
@given(TEXTS, BLOCKS, TEXTS)
def test_a_block_that_we_know_is_found_within_any_prose(before, block, after):
    text = trim(f"{before}\n{block}\n{after}")
    found = split(text, MARKERS, block)
    assert found.text == text
    assert normal(found.block) == normal(block)


@often
@given(TEXTS, BLOCKS, BLOCKS, TEXTS)
def test_another_block_leaves_all_around_it_byte_for_byte(before, old, new, after):
    found = split(trim(f"{before}\n{old}\n{after}"), MARKERS, old)
    assert found.with_block(new) == trim(found.before + new + found.after)


@often
@given(TEXTS, BLOCKS, TEXTS)
def test_taking_a_block_out_leaves_every_line_that_says_something(before, block, after):
    found = split(f"{before}\n{block}\n{after}", MARKERS, block)
    kept = [line for line in (found.before + "\n" + found.after).split("\n") if trim(line)]
    left = [line for line in found.with_block(None).split("\n") if trim(line)]
    assert [trim(line) for line in left] == [trim(line) for line in kept]
    assert left[1:-1] == kept[1:-1]


@often
@given(TEXTS)
def test_a_stripped_text_has_no_block_and_stays_so(text):
    stripped = strip_blocks(text, MARKERS)
    assert split(stripped, MARKERS).block is None
    assert strip_blocks(stripped, MARKERS) == stripped


@often
@given(TEXTS, st.none() | BLOCKS, BLOCKS, st.integers(0, 120))
def test_a_fitted_text_keeps_all_prose_within_the_limit_unless_prose_alone_is_longer(prose, old, new, limit):
    parts = split(prose if old is None else Split(prose, None).with_block(old), MARKERS, old)
    text, block = fit(parts, new, limit)
    assert text == parts.with_block(block)
    assert size(text) <= limit or block is None
    if block is not None:
        lines, whole = block.split("\n"), new.split("\n")
        assert (lines[0], lines[-1]) == (whole[0], whole[-1])
        assert lines[1:-1] == whole[1 : len(lines) - 1]


@often
@given(st.floats(-90, 90), st.floats(-180, 180))
def test_every_place_on_earth_is_wanted_as_immich_keeps_it_or_refused_with_a_reason(latitude, longitude):
    place, problem = desired_coordinates(latitude, longitude)
    assert (place is None) == bool(problem)
    if place is None:
        assert abs(latitude) < 1e-6
        assert abs(longitude) < 1e-6
    else:
        assert same_place(place, Coordinates(latitude, longitude))
        assert desired_coordinates(place.latitude, place.longitude) == (place, None)


@often
@given(st.none() | st.floats(), st.none() | st.floats())
def test_any_two_numbers_are_a_place_or_nothing(latitude, longitude):
    place, _ = desired_coordinates(latitude, longitude)
    assert place is None or (-90 <= place.latitude <= 90 and -180 <= place.longitude <= 180)


TAGS = st.frozensets(st.sampled_from("abcdefg"))
REMOVALS = st.lists(TAGS, max_size=12).map(lambda sets: [(f"asset-{i}", tags) for i, tags in enumerate(sets)])


@often
@given(REMOVALS, st.integers(1, 4))
def test_rounds_take_every_tag_off_once_and_no_asset_is_twice_in_one(removals, most):
    rounds = remove_rounds(removals, most)
    for batches in rounds:
        ids = [asset_id for batch in batches for asset_id in batch.asset_ids]
        assert len(ids) == len(set(ids))
        assert all(len(batch.tags) == 1 and len(batch.asset_ids) <= most for batch in batches)
    done = [(i, tag) for batches in rounds for b in batches for i in b.asset_ids for tag in b.tags]
    assert sorted(done) == sorted((asset_id, tag) for asset_id, tags in removals for tag in tags)
    assert len(rounds) == max((len(tags) for _, tags in removals), default=0)


# What the catalogue can want, over time.
WANTED_BLOCKS = st.sampled_from(
    [
        None,
        "✦ M 31\nGalaxy in Andromeda\n\nTelescope: FRA400\nCamera: ASI2600\n— Skymmich",
        "✦ M 31\nGalaxy in Andromeda\n\nTelescope: RC8\nCamera: ASI2600\n— Skymmich",
        "✦ M 31\n— Skymmich",
    ]
)
WANTED_PROSE = st.sampled_from(
    [None, "First light", "First light\nwith the new mount", "✦ A dream\nof a night"]
)
PLACES = st.sampled_from([None, Coordinates(48.137154, 11.576124), Coordinates(-30.1, -70.8)])
WANTED_TAGS = st.frozensets(st.sampled_from(["Astro/Galaxy", "Astro/M 31", "Astro/RC8"]))
DESIRED = st.fixed_dictionaries(
    {"block": WANTED_BLOCKS, "prose": WANTED_PROSE, "coordinates": PLACES, "tags": WANTED_TAGS}
)
POLICIES = st.fixed_dictionaries(
    {
        "on_conflict": st.sampled_from(["keep", "overwrite"]),
        "on_drift_block": st.sampled_from(["keep", "correct"]),
        "on_drift_prose": st.sampled_from(["keep", "correct"]),
        "on_drift_coordinates": st.sampled_from(["keep", "correct"]),
        "on_drift_tags": st.sampled_from(["keep", "correct"]),
        "max_bytes": st.sampled_from([60, 100, 10_000]),
    }
)
LIVE_TEXTS = st.lists(
    st.one_of(LINES, WANTED_BLOCKS.filter(bool), WANTED_PROSE.filter(bool)), max_size=4
).map(lambda lines: trim("\n".join(lines)))  # fmt: skip


@often
@given(DESIRED, DESIRED, LIVE_TEXTS, PLACES, WANTED_TAGS, POLICIES)
def test_a_plan_carried_out_leaves_nothing_to_do(make, applied, wanted, text, place, tags, policy):
    rules = make.rules(**policy)
    record, desired = make.record(**applied), make.desired(**wanted)
    observed = make.asset(text, coordinates=place, tags=tags)
    for _ in range(2):
        plan = make.plan(desired, observed, record, rules)
        observed, record = make.carry_out(plan, record)
    assert not make.plan(desired, observed, record, rules).changes
    first, second = make.plan(desired, observed, record, rules), None
    observed, record = make.carry_out(first, record)
    second = make.plan(desired, observed, record, rules)
    assert first == second


@often
@given(DESIRED, DESIRED, LIVE_TEXTS, PLACES, WANTED_TAGS, POLICIES)
def test_one_pass_is_enough(make, applied, wanted, text, place, tags, policy):
    rules = make.rules(**policy)
    plan = make.plan(
        make.desired(**wanted), make.asset(text, coordinates=place, tags=tags), make.record(**applied), rules
    )
    observed, record = make.carry_out(plan, make.record(**applied))
    again = make.plan(make.desired(**wanted), observed, record, rules)
    assert not again.changes, again


@often
@given(DESIRED, DESIRED, LIVE_TEXTS, PLACES, WANTED_TAGS, POLICIES)
def test_what_only_observes_forgets_nothing_that_a_later_pass_needs(
    make, applied, wanted, text, place, tags, policy
):
    """A pass that is cut off before its first write leaves only what is still owned: the next plans the same."""
    rules, desired = make.rules(**policy), make.desired(**wanted)
    observed = make.asset(text, coordinates=place, tags=tags)
    plan = make.plan(desired, observed, make.record(**applied), rules)
    again = make.plan(desired, observed, replace(make.record(), applied=plan.base), rules)
    assert again.digest == plan.digest
    assert (again.block, again.prose) == (plan.block, plan.prose)


SPOTS = st.floats(0, 1)
PERSON = st.one_of(
    st.none(),
    st.tuples(st.just("line"), SPOTS, st.sampled_from(["", "✦ ", "— Skymmich ", "  ", "Camera: ASI2600 "])),
    st.tuples(st.just("within_a_line"), SPOTS, st.booleans()),
    st.tuples(st.just("delete_a_machine_s_line"), SPOTS),
    st.tuples(st.just("marker"), SPOTS, st.sampled_from(["✦ M 31", "✦ x", "— Skymmich", ""])),
    st.tuples(st.just("tag"), WANTED_TAGS),
    st.tuples(st.just("take_tags_off"), WANTED_TAGS),
)
SKYMMICH = st.one_of(st.none(), st.tuples(st.just("catalogue"), DESIRED), st.tuples(st.just("import_back")))
DAEMON = st.sampled_from(["pass_", "pass_", "pass_", "pass_that_is_cut_off", "pass_with_fields_switched_off"])
ROUNDS = st.lists(st.tuples(PERSON, SKYMMICH, DAEMON.map(lambda name: (name,))), min_size=2, max_size=8)


class Story:
    """A person, a catalogue and this program, all at work on one asset."""

    def __init__(self, make, limit):
        self.make, self.rules = make, make.rules(max_bytes=limit)
        self.observed, self.record, self.desired = make.asset(), None, make.desired()
        self.words, self.tags, self.count = set(), set(), 0

    def _word(self):
        self.count += 1
        self.words.add(f"word{self.count}.")
        return f"word{self.count}."

    def _write(self, lines):
        self.observed = replace(self.observed, description=trim("\n".join(lines)))

    def _lines(self):
        return self.observed.description.split("\n")

    def line(self, spot, start):
        lines = self._lines()
        lines.insert(round(spot * len(lines)), start + self._word())
        self._write(lines)

    def within_a_line(self, spot, front):
        lines = self._lines()
        index = round(spot * (len(lines) - 1))
        lines[index] = self._word() + " " + lines[index] if front else lines[index] + " " + self._word()
        self._write(lines)

    def delete_a_machine_s_line(self, spot):
        lines = self._lines()
        index = round(spot * (len(lines) - 1))
        if not any(word in lines[index] for word in self.words):
            del lines[index]
        self._write(lines)

    def marker(self, spot, text):
        lines = self._lines()
        lines.insert(round(spot * len(lines)), text)
        self._write(lines)

    def tag(self, more):
        """Enter a tag of their own, and some that the catalogue may want too: those not there are theirs."""
        entered = {self._word(), *more} - self.observed.tags
        self.words -= entered
        self.tags |= entered
        self.observed = replace(self.observed, tags=self.observed.tags | entered)

    def take_tags_off(self, tags):
        """Take tags off; a pass sees it, so what is entered again later is a person's."""
        self.tags -= tags
        self.observed = replace(self.observed, tags=self.observed.tags - tags)
        self.pass_that_is_cut_off()

    def catalogue(self, wanted):
        self.desired = self.make.desired(**wanted)

    def import_back(self):
        """Skymmich copies Immich's description into its catalogue."""
        text = strip_blocks(self.observed.description, MARKERS) or None
        self.desired = replace(self.desired, prose=text)

    def pass_(self):
        self.observed, self.record = self.make.carry_out(self._plan(), self.record)

    def pass_that_is_cut_off(self):
        self.record = replace(self.record or self.make.record(), applied=self._plan().base)

    def pass_with_fields_switched_off(self):
        rules = replace(self.rules, switches=Switches(description=False, tags=False))
        plan = self.make.plan(self.desired, self.observed, self.record, rules)
        self.observed, self.record = self.make.carry_out(plan, self.record)

    def _plan(self):
        return self.make.plan(self.desired, self.observed, self.record, self.rules)


@settings(max_examples=1200, derandomize=True, deadline=None)
@given(ROUNDS, st.sampled_from([150, 10_000]))
def test_no_order_of_events_costs_a_person_a_word_or_a_tag(make, rounds, limit):
    story = Story(make, limit)
    for events in rounds:
        for name, *rest in filter(None, events):
            getattr(story, name)(*rest)
        text = story.observed.description
        assert {word for word in story.words if word not in text} == set(), events
        assert story.tags <= story.observed.tags, events
        assert text == trim(text)
