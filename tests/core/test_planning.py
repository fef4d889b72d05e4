"""One asset's plan: the merge's table row by row, and what becomes of the one description."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reconciler.core.asset import Coordinates
from reconciler.core.desired.block import Markers
from reconciler.core.fingerprint import digest, place
from reconciler.core.plan.standing import live_digest
from reconciler.core.policy import DescriptionPolicy, Policy, Switches
from reconciler.core.reasons import reason
from reconciler.core.records import Unsticking
from reconciler.core.text import size
from reconciler.messages.reasons import words

HERE, THERE, ELSEWHERE = Coordinates(48.1, 11.6), Coordinates(-30.1, -70.8), Coordinates(52.5, 13.4)


# The table of design.md, row by row: block, prose, coordinates and tags of an asset.


def reasons(plan):
    return {one.field: one.reason for one in plan.decisions}


def test_what_immich_shows_as_wanted_is_not_written(make):
    record = make.record(block=make.block, prose="Mine", coordinates=HERE, tags=["a"])
    desired = make.desired(block=make.block, prose="Mine", coordinates=HERE, tags=["a"])
    plan = make.plan(desired, make.asset(f"Mine\n\n{make.block}", coordinates=HERE, tags=["a"]), record)
    assert not plan.changes
    assert plan.base == record.applied
    assert {(d.case, d.action) for d in plan.decisions} == {("in_sync", "nothing")}


def test_what_happens_to_be_as_wanted_is_not_owned(make):
    desired = make.desired(block=make.block, prose="Mine", coordinates=HERE, tags=["a"])
    plan = make.plan(desired, make.asset(f"Mine\n\n{make.block}", coordinates=HERE, tags=["a"]))
    assert not plan.changes
    assert plan.base == make.record().applied


def test_values_within_immich_s_rounding_and_line_ends_are_as_wanted(make):
    desired = make.desired(block=make.block, prose="Kü\nche", coordinates=Coordinates(48.100001, 11.599999))
    observed = make.asset(f"Ku\u0308\nche\n\n{make.block}".replace("\n", "\r\n"), coordinates=HERE)
    assert not make.plan(desired, observed).changes


def test_an_empty_asset_gets_everything(make):
    desired = make.desired(block=make.block, prose="Mine", coordinates=HERE, tags=["a"])
    plan = make.plan(desired, make.asset())
    assert plan.description == f"Mine\n\n{make.block}"
    assert (plan.block, plan.prose, plan.coordinates, plan.add_tags) == (make.block, "Mine", HERE, {"a"})
    assert {(d.case, d.action) for d in plan.decisions} == {("fill", "write")}
    assert not plan.takes_away


def test_a_person_s_prose_stands_against_the_catalogue_s_and_gets_a_block_below(make):
    plan = make.plan(make.desired(block=make.block, prose="Catalogue"), make.asset("By hand"))
    assert make.decision(plan, "prose") == ("conflict", "keep")
    assert plan.description == f"By hand\n\n{make.block}"
    assert plan.prose is None
    assert [d.field for d in plan.conflicts] == ["prose"]


def test_a_person_s_place_and_block_stand_against_the_catalogue_s(make):
    plan = make.plan(
        make.desired(block=make.block, coordinates=HERE), make.asset(make.newer, coordinates=THERE)
    )
    assert (make.decision(plan, "block"), make.decision(plan, "coordinates")) == (("conflict", "keep"),) * 2
    assert not plan.changes


def test_conflicts_are_overwritten_where_a_person_said_so(make):
    desired = make.desired(block=make.block, prose="Catalogue", coordinates=HERE)
    observed = make.asset(f"By hand\n\n{make.newer}\n\nToo", coordinates=THERE)
    plan = make.plan(desired, observed, rules=make.rules(on_conflict="overwrite"))
    assert plan.description == f"Catalogue\n\n{make.block}"
    assert (plan.block, plan.prose, plan.coordinates) == (make.block, "Catalogue", HERE)
    assert plan.takes_away
    assert plan.conflicts == ()


def test_what_we_wrote_follows_the_catalogue(make):
    record = make.record(block=make.block, prose="Old", coordinates=HERE, tags=["a"])
    desired = make.desired(block=make.newer, prose="New", coordinates=THERE, tags=["b"])
    plan = make.plan(desired, make.asset(f"Old\n\n{make.block}", coordinates=HERE, tags="a"), record)
    assert plan.description == f"New\n\n{make.newer}"
    assert (plan.coordinates, plan.add_tags, plan.remove_tags) == (THERE, {"b"}, {"a"})
    assert {d.case for d in plan.decisions} == {"update"}


def test_only_the_block_changes_and_the_text_around_it_stays_byte_for_byte(make):
    around = "  My  night \u00a0\n\tin the garden\n\n\n{}\n   – to be\r\ncontinued"
    plan = make.plan(
        make.desired(block=make.newer), make.asset(around.format(make.block)), make.record(block=make.block)
    )
    assert plan.description == around.format(make.newer).strip()
    assert (plan.block, plan.prose) == (make.newer, None)


def test_drift_of_block_place_and_tags_is_corrected(make):
    record = make.record(block=make.block, coordinates=HERE, tags=["a", "b"])
    desired = make.desired(block=make.block, coordinates=HERE, tags=["a", "b"])
    plan = make.plan(desired, make.asset(make.newer, coordinates=THERE, tags="ax"), record)
    assert (plan.coordinates, plan.add_tags, plan.remove_tags) == (HERE, {"b"}, set())
    assert plan.description.startswith(make.block)
    assert {(d.case, d.action) for d in plan.decisions if d.field != "prose"} == {("drift", "write")}


def test_a_block_that_was_deleted_in_immich_comes_back(make):
    plan = make.plan(make.desired(block=make.block), make.asset("Mine"), make.record(block=make.block))
    assert make.decision(plan, "block") == ("drift", "write")
    assert plan.description == f"Mine\n\n{make.block}"


def test_drift_of_prose_is_left_to_the_person(make):
    plan = make.plan(make.desired(prose="Old"), make.asset("Old, and more"), make.record(prose="Old"))
    assert make.decision(plan, "prose") == ("drift", "keep")
    assert not plan.changes
    assert plan.base.prose == "Old"


def test_prose_that_was_deleted_in_immich_stays_away(make):
    assert not make.plan(make.desired(prose="Old"), make.asset(), make.record(prose="Old")).changes


@pytest.mark.parametrize("field", ["block", "coordinates", "tags"])
def test_drift_is_kept_field_by_field_where_that_is_the_policy(make, field):
    record = make.record(block=make.block, coordinates=HERE, tags=["a"])
    desired = make.desired(block=make.block, coordinates=HERE, tags=["a"])
    rules = make.rules(**{f"on_drift_{field}": "keep"})
    plan = make.plan(desired, make.asset(make.newer, coordinates=THERE), record, rules)
    kept = {d.field for d in plan.decisions if (d.case, d.action) == ("drift", "keep")}
    assert kept == {field}
    assert plan.base == replace(record.applied, tags=frozenset("a" if field == "tags" else ""))


def test_drift_of_prose_is_corrected_where_that_is_the_policy(make):
    rules = make.rules(on_drift_prose="correct")
    plan = make.plan(make.desired(prose="Old"), make.asset("Other"), make.record(prose="Old"), rules)
    assert (plan.description, plan.prose) == ("Old", "Old")


def test_what_changed_on_both_sides_is_kept(make):
    record = make.record(block=make.block, prose="Old", coordinates=HERE)
    desired = make.desired(block=make.newer, prose="New", coordinates=THERE)
    edited = make.block.replace("FRA400", "FRA400 of Anna")
    plan = make.plan(desired, make.asset(f"By hand\n\n{edited}", coordinates=ELSEWHERE), record)
    assert not plan.changes
    assert {d.case for d in plan.conflicts} == {"both_changed"}
    assert [d.field for d in plan.conflicts] == ["block", "prose", "coordinates"]


def test_what_the_catalogue_no_longer_has_goes_where_it_is_ours(make):
    record = make.record(block=make.block, prose="Old", tags=["a"])
    plan = make.plan(make.desired(), make.asset(f"Old\n\n{make.block}", tags="ax"), record)
    assert (plan.description, plan.block, plan.prose, plan.remove_tags) == ("", "", "", {"a"})
    assert {d.case for d in plan.decisions if d.field != "coordinates"} == {"withdraw"}
    assert plan.takes_away


def test_a_place_that_the_catalogue_no_longer_has_can_not_be_cleared_and_is_reported(make):
    plan = make.plan(make.desired(), make.asset(coordinates=HERE), make.record(coordinates=HERE))
    assert make.decision(plan, "coordinates") == ("withdraw", "keep")
    assert plan.notes == (reason("cannot_clear"),)
    assert not plan.takes_away
    assert plan.base.coordinates == HERE


def test_what_is_not_ours_stays_when_the_catalogue_has_none(make):
    record = make.record(block=make.block, prose="Old", coordinates=HERE, tags=["a"])
    observed = make.asset(f"By hand\n\n{make.newer}", coordinates=THERE, tags="x")
    for base in (None, record):
        plan = make.plan(make.desired(), observed, base)
        assert not plan.changes
        assert not plan.takes_away
        assert plan.base == make.record().applied
        assert {d.case for d in plan.decisions if d.field != "tags"} == {"not_ours"}


# The block, the prose around it, and a person's hand in either.


def test_a_line_written_into_the_block_follows_the_corrected_block(make):
    edited = make.block.replace("\n\n", "\nWith Anna's telescope\n")
    record = make.record(block=make.block)
    plan = make.plan(make.desired(block=make.block), make.asset(f"Hi\n\n{edited}\n\nBye"), record)
    assert plan.description == f"Hi\n\n{make.block}\n\nWith Anna's telescope\n\nBye"


def test_a_line_written_into_the_block_survives_a_change_of_the_prose_too(make):
    edited = make.block.replace("\n\n", "\nWith Anna's telescope\n")
    record = make.record(block=make.block, prose="Old")
    plan = make.plan(make.desired(block=make.block, prose="New"), make.asset(f"Old\n\n{edited}"), record)
    assert plan.description == f"New\n\n{make.block}\n\nWith Anna's telescope"


def test_a_broken_marker_line_costs_neither_the_block_nor_the_words(make):
    observed = make.asset(f"Hi\n\n{make.block}, and thanks to Anna")
    plan = make.plan(make.desired(block=make.block), observed, make.record(block=make.block))
    assert plan.description == f"Hi\n\n{make.block}\n— Skymmich, and thanks to Anna"


def test_a_person_s_own_marker_lines_are_their_prose(make):
    fake = "✦ my list\nmilk\n— Skymmich"
    observed = make.asset(f"{make.block}\n\n{fake}")
    plan = make.plan(make.desired(block=make.newer), observed, make.record(block=make.block))
    assert plan.description == f"{make.newer}\n\n{fake}"


def test_new_markers_replace_the_block_with_the_old_ones(make):
    policy = Policy(description=DescriptionPolicy(opening="★ ", closing="(end)"))
    rules = replace(make.rules(), policy=policy)
    assert rules.markers == Markers("★ ", "(end)")
    renewed = "★ M 31\nGalaxy in Andromeda\nCamera: ASI2600MM\n(end)"
    observed, record = make.asset(f"Hi\n\n{make.block}\n\nBye"), make.record(block=make.block)
    assert (
        make.plan(make.desired(block=renewed), observed, record, rules).description
        == f"Hi\n\n{renewed}\n\nBye"
    )


def test_taking_the_block_away_leaves_the_person_s_text(make):
    observed = make.asset(f"Hi\n\n{make.block}\n\n  Bye")
    plan = make.plan(make.desired(), observed, make.record(block=make.block))
    assert plan.description == "Hi\n\n  Bye"


def test_where_the_policy_defends_the_prose_lines_from_the_block_are_not_added_to_it(make):
    """They would be taken out again by the very next pass."""
    edited = make.block.replace("\n\n", "\nWith Anna's telescope\n")
    record = make.record(block=make.block, prose="Mine")
    rules = make.rules(on_drift_prose="correct")
    plan = make.plan(
        make.desired(block=make.block, prose="Mine"), make.asset(f"Mine\n\n{edited}"), record, rules
    )
    assert plan.description == f"Mine\n\n{make.block}"
    assert plan.takes_away


# Size.


def test_a_block_gives_way_to_long_prose_line_by_line(make):
    prose = "東" * 30
    rules = make.rules(max_bytes=size(f"{prose}\n\n{make.block}") - 1)
    plan = make.plan(make.desired(block=make.block), make.asset(prose), rules=rules)
    assert plan.description.startswith(f"{prose}\n\n✦ M 31")
    assert plan.description.endswith("Telescope: FRA400\n— Skymmich")
    assert size(plan.description) <= rules.policy.description.max_bytes
    assert plan.notes == (reason("shortened"),)
    again = make.plan(make.desired(block=make.block), *make.carry_out(plan), rules)
    assert not again.changes


def test_prose_that_fills_the_limit_leaves_no_room_for_a_block(make):
    plan = make.plan(make.desired(block=make.block), make.asset("x" * 100), rules=make.rules(max_bytes=100))
    assert not plan.changes


def test_a_block_leaves_when_a_person_s_prose_needs_the_room(make):
    observed = make.asset(f"{'x' * 95}\n\n{make.block}")
    rules = make.rules(max_bytes=100)
    plan = make.plan(make.desired(block=make.block), observed, make.record(block=make.block), rules)
    assert plan.description == "x" * 95


def test_catalogue_prose_beyond_the_limit_is_not_written_and_said(make):
    plan = make.plan(make.desired(prose="x" * 101), make.asset(), rules=make.rules(max_bytes=100))
    assert not plan.changes
    assert make.decision(plan, "prose") == ("not_writable", "keep")
    assert reasons(plan)["prose"] == reason("prose_too_long", limit=100)


def test_catalogue_prose_beyond_the_limit_does_not_keep_the_block_away(make):
    desired = make.desired(prose="x" * 201, block=make.block)
    assert make.plan(desired, make.asset(), rules=make.rules(max_bytes=200)).description == make.block


def test_a_text_that_would_stay_too_long_is_not_touched(make):
    observed = make.asset(f"{'x' * 200}\n\n{make.block}")
    rules = make.rules(max_bytes=100)
    plan = make.plan(make.desired(block=make.newer), observed, make.record(block=make.block), rules)
    assert not plan.changes
    assert make.decision(plan, "block") == ("not_writable", "keep")


# What is not written at all.


@pytest.mark.parametrize(
    ("known", "why"),
    [
        ({"is_trashed": True}, "trashed"),
        ({"owner_id": "anna"}, "foreign"),
        ({"visibility": "locked"}, "locked"),
    ],
)
def test_an_asset_that_can_not_be_written_says_why_and_keeps_what_is_owned(make, known, why):
    record = make.record(block=make.block, tags=["a"])
    plan = make.plan(make.desired(block=make.newer, tags=["b"]), make.asset(make.block, **known), record)
    assert plan.blocked == reason(why)
    assert not plan.changes
    assert not plan.takes_away
    assert plan.base == record.applied


def test_an_archived_asset_is_written(make):
    assert make.plan(make.desired(block=make.block), make.asset(visibility="archive")).changes


def test_without_a_known_user_no_asset_is_foreign(make):
    rules = replace(make.rules(), user_id=None)
    assert not make.plan(make.desired(), make.asset(owner_id="anna"), rules=rules).blocked


@pytest.mark.parametrize("field", ["description", "coordinates", "tags"])
def test_a_switched_off_field_is_left_alone_and_stays_owned(make, field):
    record = make.record(block=make.block, prose="Old", coordinates=HERE, tags=["a"])
    desired = make.desired(block=make.newer, prose="New", coordinates=THERE, tags=["b"])
    observed = make.asset(f"Old\n\n{make.block}", coordinates=HERE, tags="a")
    plan = make.plan(desired, observed, record, make.rules(switches=Switches(**{field: False})))
    touched = {
        "description": plan.description is not None,
        "coordinates": plan.coordinates is not None,
        "tags": bool(plan.add_tags or plan.remove_tags),
    }
    assert [name for name, written in touched.items() if not written] == [field]
    assert plan.base == record.applied


def test_without_immich_s_tag_feature_tags_are_left_alone(make):
    record = make.record(tags=["a"])
    plan = make.plan(make.desired(tags="b"), make.asset(), record, make.rules(tags_available=False))
    assert not plan.changes
    assert plan.base.tags == {"a"}


def test_tags_that_were_not_read_are_not_planned_and_stay_owned(make):
    """A search never shows tags: an unread set is not an empty one."""
    observed = replace(make.asset(), tags=None)
    plan = make.plan(make.desired(tags="b"), observed, make.record(tags=["a"]))
    assert not plan.changes
    assert make.decision(plan, "tags") is None
    assert plan.base.tags == {"a"}


def test_what_of_the_catalogue_could_not_be_used_is_noted(make):
    found = (reason("only_longitude"),)
    assert make.plan(make.desired(problems=found), make.asset()).notes == found


def test_a_place_near_a_zero_line_is_tried_and_said(make):
    plan = make.plan(make.desired(coordinates=Coordinates(51.48, 0.001)), make.asset())
    assert plan.coordinates is not None
    assert plan.notes == (reason("near_zero_line"),)


# What did not stick.


def unstuck(field, wanted, observed, version="2.7.5"):
    return Unsticking(field, wanted, live_digest(field, observed), version, reason("read_only"))


def unsticking_of(make, field):
    """Give what is wanted, what is shown, and the note that it did not stick."""
    observed = make.asset("Hi", coordinates=THERE, tags="ax")
    desired = {
        "block": make.desired(block=make.block, coordinates=THERE, tags="a"),
        "prose": make.desired(prose="Mine", coordinates=THERE, tags="a"),
        "coordinates": make.desired(coordinates=HERE, tags="a"),
        "tags": make.desired(tags="ab"),
    }[field]
    value = {
        "block": make.block,
        "prose": "Mine",
        "coordinates": place(HERE),
        "tags": frozenset("b"),
    }[field]
    return desired, observed, unstuck(field, digest(value), observed)


FORCED = {"on_conflict": "overwrite"}


@pytest.mark.parametrize("field", ["block", "prose", "coordinates", "tags"])
def test_a_value_that_did_not_stick_is_not_written_again(make, field):
    desired, observed, note = unsticking_of(make, field)
    plan = make.plan(desired, observed, make.record(note), make.rules(**FORCED))
    assert not plan.changes
    assert not plan.takes_away
    assert make.decision(plan, field) == ("not_sticking", "keep")
    assert reasons(plan)[field] == reason("read_only")


@pytest.mark.parametrize("field", ["block", "prose", "coordinates", "tags"])
def test_it_is_tried_again_when_the_catalogue_wants_another_value(make, field):
    desired, observed, note = unsticking_of(make, field)
    other = {"block": make.newer, "prose": "Ours", "coordinates": ELSEWHERE, "tags": frozenset("bc")}[field]
    desired = replace(desired, **{field: other})
    assert make.plan(desired, observed, make.record(note), make.rules(**FORCED)).changes


@pytest.mark.parametrize("field", ["block", "prose", "coordinates", "tags"])
def test_it_is_tried_again_when_immich_shows_another_value(make, field):
    desired, observed, note = unsticking_of(make, field)
    change = {"coordinates": {"coordinates": ELSEWHERE}, "tags": {"tags": frozenset("ay")}}
    observed = replace(observed, **change.get(field, {"description": "Hi there"}))
    assert make.plan(desired, observed, make.record(note), make.rules(**FORCED)).changes


@pytest.mark.parametrize("field", ["block", "prose", "coordinates", "tags"])
def test_it_is_tried_again_when_the_server_s_version_changes(make, field):
    desired, observed, note = unsticking_of(make, field)
    assert make.plan(desired, observed, make.record(note), make.rules(version="3.0.0", **FORCED)).changes


def test_a_tag_that_could_not_be_taken_off_is_not_tried_again_while_others_go(make):
    observed = make.asset(tags="abx")
    note = unstuck("tags", digest("-", "a"), observed)
    plan = make.plan(make.desired(), observed, make.record(note, tags=["a", "b"]))
    assert (plan.remove_tags, plan.base.tags) == ({"b"}, {"a", "b"})


# The plan as a value.


def test_a_plan_s_digest_is_of_what_it_writes_and_what_it_replaces(make):
    desired = make.desired(block=make.block, tags="a")
    plan = make.plan(desired, make.asset("Hi"))
    assert plan.digest == make.plan(desired, make.asset("Hi", owner_id="", tags="x")).digest
    assert plan.digest != make.plan(desired, make.asset("Ho")).digest
    assert plan.digest != make.plan(desired, make.asset("Hi", tags="a")).digest
    assert plan.digest != make.plan(desired, make.asset("Hi"), asset_id="another").digest


def test_a_decision_shows_the_three_sides(make):
    plan = make.plan(
        make.desired(block=make.newer, tags="ab"), make.asset(make.block, tags="x"), make.record(block="✦ b")
    )
    block, _, _, tags = plan.decisions
    assert (block.base, block.desired, block.live) == ("✦ b", make.newer, make.block)
    assert (tags.base, tags.desired, tags.live) == ((), ("a", "b"), ("x",))


def test_tags_that_the_catalogue_can_not_tell_are_neither_removed_nor_added(make):
    desired = make.desired(tags=["Astro/Equipment/FRA400"], unreadable=frozenset({"tags"}))
    plan = make.plan(desired, make.asset(tags=["M 31", "Winter"]), make.record(tags=["M 31"]))
    assert not plan.changes
    assert plan.base.tags == {"M 31"}
    assert make.decision(plan, "tags") == ("not_writable", "keep")
    assert (plan.decisions[-1].reason, plan.decisions[-1].desired) == (reason("unreadable"), None)


def test_a_place_that_the_catalogue_can_not_tell_stays_ours(make):
    plan = make.plan(
        make.desired(unreadable=frozenset({"coordinates"})),
        make.asset(coordinates=HERE),
        make.record(coordinates=HERE),
    )
    assert not plan.changes
    assert plan.base.coordinates == HERE
    assert make.decision(plan, "coordinates") == ("not_writable", "keep")


# What the key does not allow.


def test_what_the_key_does_not_allow_is_not_written_and_not_called_in_sync(make):
    desired = make.desired(block=make.block, coordinates=HERE, tags=["a"])
    update = ("asset.update",)
    lacking = {"description": update, "coordinates": update, "tags": ("tag.asset",)}
    plan = make.plan(desired, make.asset(), rules=make.rules(missing=lacking))
    assert not plan.changes
    assert {d.field: (d.case, d.action) for d in plan.decisions if d.field != "prose"} == dict.fromkeys(
        ("block", "coordinates", "tags"), ("not_writable", "keep")
    )
    assert reasons(plan)["block"] == reason("permission", lacking=update)
    assert reasons(plan)["tags"] == reason("permission", lacking=("tag.asset",))
    assert not plan.takes_away


def test_what_immich_has_already_needs_no_permission(make):
    desired = make.desired(block=make.block, coordinates=HERE, tags=["a"])
    update = ("asset.update",)
    lacking = {"description": update, "coordinates": update, "tags": ("tag.asset",)}
    observed = make.asset(make.block, coordinates=HERE, tags=["a"])
    plan = make.plan(desired, observed, rules=make.rules(missing=lacking))
    assert {d.case for d in plan.decisions} == {"in_sync"}


def test_a_missing_permission_for_tags_costs_the_tags_alone(make):
    desired = make.desired(block=make.block, tags=["a"])
    plan = make.plan(desired, make.asset(), rules=make.rules(missing={"tags": ("tag.asset",)}))
    assert plan.description == make.block
    assert plan.add_tags == frozenset()


def test_what_is_left_out_as_it_should_be_is_told_and_is_no_note_of_the_image(make):
    """A note is kept with the image, and looked at again; nobody has to look at star names."""
    remark = reason("tags_omitted", count=1, tags=("62 Cyg",))
    plan = make.plan(make.desired(remarks=(remark,)), make.asset())
    assert plan.notes == ()
    assert plan.told == (remark,)
    assert not plan.changes
    assert (
        words(remark)
        == "1 tag was left out, because it is the plate solver's or [tags] drop names it: “62 Cyg”"
    )
