"""What leaves an image out, or a field of it, and that nothing of it is written or lost then."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.core.asset import Coordinates
from reconciler.core.catalogue import SWITCHED_PARTS, CatalogueObject
from reconciler.core.desired.desired import desire_with
from reconciler.core.desired.leaving_out import left_out
from reconciler.core.fingerprint import fingerprint, policy_digest
from reconciler.core.plan.guard import Losses
from reconciler.core.policy import LeaveOutPolicy, LeaveOutRule, Policy, Switches
from reconciler.core.reasons import reason
from reconciler.core.records import LeftOut

M31 = CatalogueObject("NGC 224", messier="M 31", common_names=("Andromeda Galaxy",))
PATH = "/usr/src/app/upload/library/admin/2021/Friends of mine/M31.jpg"
TAGGED = reason("left_out_tag", value="no-sync")
AT = datetime(2026, 11, 27, 20, tzinfo=UTC)
ALL = tuple(LeftOut(part, AT, "page") for part in SWITCHED_PARTS)
HERE = Coordinates(48.1, 11.5)


def rules(*several):
    return LeaveOutPolicy(tuple(LeaveOutRule(*one) for one in several))


@pytest.mark.parametrize(
    ("by", "value", "applies"),
    [
        ("tag", "no-sync", True),
        ("tag", "No-Sync", True),
        ("tag", "sync", False),
        ("target", "M 31", True),
        ("target", "m31", True),
        ("target", "andromeda galaxy", True),
        ("target", "Andromeda*", True),
        ("target", "M 3", False),
        ("target", "M 33", False),
        ("folder", "/usr/src/app/upload/library/admin", True),
        ("folder", "/usr/src/app/upload/library/admin/", True),
        ("folder", "/usr/src/app/upload/library/*/2021", True),
        ("folder", "/usr/src/app/upload/library/ad", False),
        ("folder", "Friends of mine", True),
        ("folder", "2021/Friends of mine", True),
        ("folder", "Friends", False),
        ("folder", "M31.jpg", False),
    ],
)
def test_a_rule_applies_by_tag_target_or_folder(make, by, value, applies):
    image = make.image(tags=("galaxy", "no-sync"), target=M31, target_name="NGC 224", path=PATH)
    assert bool(left_out(image, rules((by, value)))) is applies


def test_the_first_rule_of_a_field_is_its_reason(make):
    image = make.image(tags=("no-sync", "no-place"), target=M31, path=PATH)
    policy = rules(("tag", "no-place", ("coordinates",)), ("tag", "no-sync"))
    assert left_out(image, policy) == (
        reason("left_out_tag", value="no-place").of("coordinates"),
        TAGGED.of("albums", "dates", "description", "tags"),
    )


def test_the_tag_that_leaves_out_is_no_tag_of_immich(make):
    policy = Policy(leave_out=rules(("tag", "no-place", ("coordinates",))))
    image = make.image(tags=("mine", "No-Place"), path=PATH)
    found = desire_with("", image, policy, make.form())
    assert found.tags == {"Astro/mine"}
    assert found.left_out == (reason("left_out_tag", value="no-place").of("coordinates"),)


def desired_of(make, **more):
    return make.desired(
        block=make.newer, prose="Catalogue's.", coordinates=Coordinates(1.0, 2.0), tags=["Astro/new"], **more
    )


def shown(make):
    return make.asset(f"A person's.\n\n{make.block}", coordinates=HERE, tags=["Astro/old", "theirs"])


def owned(make, **more):
    known = make.record(block=make.block, coordinates=HERE, tags=["Astro/old"])
    return replace(known, **more)


@pytest.mark.parametrize("how", ["switch", "tag"])
def test_an_image_left_out_is_merged_and_not_written(make, how):
    wanted = desired_of(make, left_out=(TAGGED.of(*SWITCHED_PARTS),) if how == "tag" else ())
    record = owned(make, left_out=ALL if how == "switch" else ())
    plan = make.plan(wanted, shown(make), record, make.rules(on_conflict="overwrite"))
    assert not plan.changes
    assert {(one.field, one.case, one.action) for one in plan.decisions} == {
        (field, "left_out", "keep") for field in ("block", "prose", "coordinates", "tags")
    }
    assert plan.base == record.applied
    assert not plan.takes_away
    assert not plan.conflicts
    assert not Losses.of([plan]).harm
    expected = "left_out_tag" if how == "tag" else "left_out_switch"
    assert {one.reason.code for one in plan.decisions} == {expected}


@pytest.mark.parametrize("part", SWITCHED_PARTS)
def test_a_field_left_out_leaves_the_others_as_they_were(make, part):
    whole = make.plan(desired_of(make), shown(make), owned(make))
    left = (LeftOut(part, AT, "cli"),)
    plan = make.plan(desired_of(make), shown(make), owned(make, left_out=left))
    assert (plan.description is None) == (part == "description")
    assert (plan.coordinates is None) == (part == "coordinates")
    assert (not plan.add_tags and not plan.remove_tags) == (part == "tags")
    out = {"description": {"block", "prose"}}.get(part, {part})
    for one, before in zip(plan.decisions, whole.decisions, strict=True):
        assert (one.case == "left_out") == (one.field in out)
        assert one == before or one.field in out


def test_what_a_person_takes_off_while_it_is_left_out_is_theirs_when_it_comes_back(make):
    wanted, record = desired_of(make), owned(make, left_out=ALL)
    without = make.asset(make.block, coordinates=HERE, tags=["theirs"])
    plan = make.plan(wanted, without, record)
    assert plan.base.tags == frozenset()
    back = make.asset(make.block, coordinates=HERE, tags=["theirs", "Astro/old"])
    taken_in = replace(record, applied=plan.base, left_out=())
    assert make.plan(wanted, back, taken_in).remove_tags == frozenset()


def test_an_image_in_the_trash_that_is_left_out_is_left_out(make):
    trashed = replace(shown(make), is_trashed=True)
    assert make.plan(desired_of(make), trashed, owned(make)).blocked
    assert make.plan(desired_of(make), trashed, owned(make, left_out=ALL)).blocked is None
    assert make.plan(desired_of(make), trashed, owned(make, left_out=ALL[:1])).blocked


def test_what_a_tag_left_out_stays_so_while_tags_cannot_be_read(make):
    marked = owned(make, marks=(TAGGED.of(*SWITCHED_PARTS),))
    unread = make.image(unreadable=frozenset({"tags"}))
    wanted = desire_with(make.newer, unread, Policy(), make.form())
    plan = make.plan(wanted, shown(make), marked)
    assert not plan.changes
    assert plan.marks == marked.marks
    # A rule that is gone holds nothing any more; nor does one of which it is known that it does not apply.
    without = replace(make.rules(), policy=Policy(leave_out=LeaveOutPolicy(())))
    assert make.plan(wanted, shown(make), marked, without).changes
    read = desire_with(make.newer, make.image(), Policy(), make.form())
    assert make.plan(read, shown(make), marked).changes


def test_who_leaves_nothing_out_has_the_fingerprints_of_before(make):
    wanted = make.desired(block="a")
    bare = fingerprint(wanted, "rules")
    assert fingerprint(replace(wanted, unsure=frozenset({"left_out_folder"})), "rules") == bare
    assert fingerprint(replace(wanted, left_out=(TAGGED.of("tags"),)), "rules") != bare
    assert fingerprint(wanted, "rules", (), ALL[:1]) != bare
    none = Policy(leave_out=LeaveOutPolicy(()))
    assert policy_digest(none, Switches(), "") == policy_digest(Policy(), Switches(), "")
