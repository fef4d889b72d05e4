"""Leaving images and fields out, in virtual time: observed, never written, nothing lost, taken in again."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from reconciler.core.catalogue import SWITCHED_PARTS, WRITTEN_PARTS
from reconciler.core.policy import GuardPolicy, LeaveOutPolicy, LeaveOutRule, Policy
from reconciler.engine.leaving_out import leave_out, take_in
from reconciler.skymmich.sources import open_catalogue

REAL = "settling,lost_updates,round_trip,early_updated_at,unstable_paging,clock_skew"
AT = datetime(2026, 11, 27, tzinfo=UTC)


def image_of(here, number):
    image_id, _ = here.images()[number]
    return open_catalogue(str(here.path)).read().image(image_id)


def out(here, number, *fields):
    return leave_out(here.store, image_of(here, number), fields or WRITTEN_PARTS, "page", AT)


def into(here, number, *fields):
    return take_in(here.store, image_of(here, number), fields or WRITTEN_PARTS)


def asset(here, number):
    return here.images()[number][1]


def one(here, number):
    shown = here.shown()[asset(here, number)]
    return {key: shown[key] for key in ("description", "latitude", "longitude")} | {
        "tags": set(shown["tags"])
    }


def status(here, number):
    record = here.store.record(asset(here, number))
    return record.status, [(why.code, why.fields) for why in record.reasons]


def retitled(here, number, title="Another title"):
    here.sql("UPDATE astrophotography_images SET title = ? WHERE id = ?", title, here.images()[number][0])


@pytest.mark.parametrize("field", WRITTEN_PARTS)
def test_each_field_that_is_written_can_be_left_out_and_taken_in_again(world, field):
    here = world(count=1)
    here.run()
    assert out(here, 0, field) == (field,)
    assert out(here, 0, field) == ()
    assert [one.field for one in here.store.record(asset(here, 0)).left_out] == [field]
    assert into(here, 0, field) == (field,)
    assert here.store.record(asset(here, 0)).left_out == ()


@pytest.mark.parametrize("unkind", ["none", REAL])
def test_an_image_left_out_before_the_first_run_is_never_written(world, unkind):
    here = world(count=4, unkind=unkind)
    before = one(here, 0)
    out(here, 0)
    report = here.run(full=True)
    assert report.error is None
    assert one(here, 0) == before
    assert status(here, 0) == ("left_out", [("left_out_switch", ())])
    assert report.run.counts.statuses == {"left_out": 1, "in_sync": 3}
    # Whatever changes, also with force: it says why it does nothing.
    retitled(here, 0)
    forced = here.run(image_ids=frozenset({here.images()[0][0]}), force=True)
    assert [(each.status, each.reasons[0].code) for each in forced.outcomes] == [
        ("left_out", "left_out_switch")
    ]
    assert here.writes == 0
    # A look that finds nothing costs what it costs without.
    here.run(brief=True, by_person=False)
    assert here.writes == 0
    assert here.requests["POST /search/metadata"] == 1
    assert here.requests["GET /assets/{id}"] == 0
    # Taken in again it is brought in sync.
    assert set(into(here, 0)) == set(WRITTEN_PARTS)
    here.run()
    assert status(here, 0)[0] == "in_sync"
    assert "Another title" in one(here, 0)["description"]


def test_what_was_written_stays_and_a_person_in_between_keeps_their_word(world):
    here = world(count=3)
    here.run(full=True)
    written = one(here, 0)
    out(here, 0)
    retitled(here, 0)
    here.run(full=True)
    assert one(here, 0) == written, "nothing is taken away by leaving out"
    here.person(asset(here, 0), "set_description", written["description"] + "\n\nA person's words.")
    taken_off = min(tag for tag in written["tags"] if "/" in tag)
    here.person(asset(here, 0), "remove_tag", taken_off)
    here.settle()
    here.run()
    assert "A person's words." in one(here, 0)["description"]
    assert taken_off not in one(here, 0)["tags"]
    assert status(here, 0)[0] == "left_out"
    into(here, 0)
    here.run()
    shown = one(here, 0)
    assert "A person's words." in shown["description"]
    assert "Another title" in shown["description"]
    assert status(here, 0)[0] == "in_sync"


@pytest.mark.parametrize("part", SWITCHED_PARTS)
def test_a_field_alone_is_left_out(world, part):
    here = world(count=1)
    before = one(here, 0)
    out(here, 0, part)
    here.run(full=True)
    after = one(here, 0)
    assert (after["description"] == before["description"]) == (part == "description")
    assert (after["latitude"] == before["latitude"]) == (part == "coordinates")
    assert (after["tags"] == before["tags"]) == (part == "tags")
    fields = {"description": ("block", "prose")}.get(part, (part,))
    assert status(here, 0) == ("left_out", [("left_out_switch", fields)])


def test_the_tag_in_skymmich_leaves_out_and_is_no_tag_in_immich(world):
    here = world(count=2)
    image_id, _ = here.images()[0]
    here.run(full=True)
    tags = json.loads(
        here.sql("SELECT tags FROM astrophotography_images WHERE id = ?", image_id)[0][0] or "[]"
    )
    before = one(here, 0)
    here.tags_of(image_id, [*tags, "No-Sync"])
    retitled(here, 0)
    here.run()
    assert status(here, 0) == ("left_out", [("left_out_tag", ())])
    assert one(here, 0) == before
    # With another tag for the place alone, that tag does not come to Immich either.
    policy = LeaveOutPolicy((LeaveOutRule("tag", "no-place", ("coordinates",)),))
    here.policy = replace(here.policy, leave_out=policy)
    here.tags_of(image_id, [*tags, "no-place", "mine alone"])
    here.run()
    assert status(here, 0) == ("left_out", [("left_out_tag", ("coordinates",))])
    shown = one(here, 0)
    assert "Astro/mine alone" in shown["tags"]
    assert not any("no-place" in tag.lower() or "no-sync" in tag.lower() for tag in shown["tags"])
    assert "Another title" in shown["description"]
    here.tags_of(image_id, tags)
    here.run()
    assert status(here, 0)[0] == "in_sync"


@pytest.mark.parametrize("by", ["folder", "target"])
def test_a_rule_of_the_configuration_leaves_many_out_without_a_loss(world, by):
    here = world(count=6, policy=Policy(guard=GuardPolicy(canary=0, min_count=1, max_fraction=0.0)))
    here.run(full=True)
    before = here.shown()
    value = "/usr/src/app/upload" if by == "folder" else "*"
    here.policy = replace(here.policy, leave_out=LeaveOutPolicy((LeaveOutRule(by, value),)))
    for number in range(6):
        retitled(here, number)
        here.sql("DELETE FROM image_equipment")
    report = here.run()
    assert not report.verdict.tripped, "who is left out loses nothing"
    assert here.writes == 0
    assert here.shown() == before
    assert here.statuses()["left_out"] >= (6 if by == "folder" else 1)
    here.policy = replace(here.policy, leave_out=LeaveOutPolicy(()))
    assert here.look().verdict.tripped, "without the rule it would be a loss"


def test_a_person_leaves_it_out_while_a_run_is_at_it(world):
    """Nothing more of it is sent; what was sent is verified, and on record as ours."""
    here = world(count=6, unkind="settling")
    numbers, left = {asset(here, number): number for number in range(6)}, []

    def meanwhile(when, method, path):
        written = next((key for key in numbers if method == "PUT" and path.endswith(key)), None)
        if when == "after" and written and not left:
            left.append(written)
            out(here, numbers[written])

    here.line.meanwhile = meanwhile
    sent = len(here.line.sent)
    assert here.run(full=True).error is None
    (written,) = left
    number = numbers[written]
    record = here.store.record(written)
    assert status(here, number)[0] == "left_out"
    assert record.applied.block, "what was sent was seen to stick"
    assert record.applied.block in one(here, number)["description"]
    assert not one(here, number)["tags"] & {tag for tag in here.tags if tag.startswith("Astro/")}
    tagged = [body for _, method, path, body in here.line.sent[sent:] if path == "/api/tags/assets"]
    assert tagged
    assert not any(written.encode() in body for body in tagged)
    assert written not in here.store.pending()


def test_a_write_that_a_kill_left_unsettled_is_verified_though_it_is_left_out(world):
    here = world(count=1, unkind="settling")
    for tenths in range(1, 60):
        here.run(full=True, within=tenths / 10)
        if pending := here.store.pending().get(asset(here, 0)):
            break
    assert pending.sent
    out(here, 0)
    assert here.run().error is None
    assert here.writes == 0
    record = here.store.record(asset(here, 0))
    assert record.status == "left_out"
    assert not here.store.pending()
    owned = record.applied.block or record.applied.tags
    assert owned, "what stuck is ours, and can be taken back"


def test_what_was_written_is_taken_back_from_an_image_that_is_left_out(world):
    here = world(count=2, unkind="settling")
    before = one(here, 0)
    here.run(full=True)
    out(here, 0)
    here.run()
    undone = here.take_back(asset_id=asset(here, 0))
    assert undone.error is None
    after = one(here, 0)
    assert after["description"] == before["description"]
    assert after["tags"] == before["tags"]
    here.run(full=True)
    assert one(here, 0) == after
    # Taken in again, what a person took back is still left alone.
    into(here, 0)
    here.run(full=True)
    assert one(here, 0) == after
    assert status(here, 0)[0] == "undone"


def test_an_image_left_out_that_leaves_the_catalogue_gives_nothing_up(world):
    here = world(
        count=2, policy=Policy(guard=GuardPolicy(canary=0), merge=replace(Policy().merge, orphans="release"))
    )
    here.run(full=True)
    written, left = one(here, 0), asset(here, 0)
    out(here, 0)
    here.run()
    here.sql("DELETE FROM astrophotography_images WHERE immich_id = ?", left)
    here.run()
    shown = here.shown()[left]
    assert shown["description"] == written["description"]
    assert set(shown["tags"]) == written["tags"]


def test_images_left_out_keep_an_old_branch_of_tags_and_hold_no_rename_up(world):
    here = world(count=3)
    here.run(full=True)
    out(here, 0)
    here.policy = replace(here.policy, tags=replace(here.policy.tags, root="Astronomy"))
    here.run()
    assert all(tag.startswith("Astro/") for tag in one(here, 0)["tags"])
    assert all(tag.startswith("Astronomy/") for tag in one(here, 1)["tags"])
    kept = {tag for tag in here.tags if tag.startswith("Astro/") and tag.count("/") > 1}
    assert kept <= one(here, 0)["tags"], "what nothing carries is gone, what it carries stays"
