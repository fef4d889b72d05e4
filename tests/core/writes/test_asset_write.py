"""One asset's write, event by event: a test for each cell of the table, and for what the table leaves out."""

from __future__ import annotations

import ast
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import reconciler
from reconciler.core.asset import Applied, Coordinates, ObservedAsset
from reconciler.core.desired.block import Markers
from reconciler.core.desired.desired import Desired
from reconciler.core.plan.plan import AssetPlan
from reconciler.core.reasons import reason
from reconciler.core.records import AssetRecord
from reconciler.core.writes.asset_write import (
    KEPT_CHANGING,
    MOST_WRITES,
    UNCONFIRMED,
    AssetWrite,
)
from reconciler.core.writes.sight import Sight, Terms
from reconciler.core.writes.verification import ANOTHER, CROSSED, FLIPPED, READ_ONLY
from reconciler.core.writes.write_state import UNSEEN_LOOKS

T0 = datetime(2026, 3, 1, 20, 0, tzinfo=UTC)
TERMS = Terms(Markers("✦ ", "— Skymmich"), "2.7.5", recheck=1.0, grace=10.0)
BLOCK = "✦ M 31\n— Skymmich"
NO = reason("error", kind="ImmichRejectedError", text="no")


def asset(description="", *, at=0.0, tags=frozenset(), **more):
    return ObservedAsset("a", "me", T0 + timedelta(seconds=at), description, tags=tags, **more)


def plan_of(seen, *, description=None, add=(), remove=(), base=None):
    return AssetPlan(
        1, "a", "M 31", seen, Desired(), description=description, block=description,
        add_tags=frozenset(add), remove_tags=frozenset(remove), base=base or Applied(),
    )  # fmt: skip


def sight(now, *, asked=None, moved_at=None, **more):
    return Sight(now if asked is None else asked, now, now if moved_at is None else moved_at, T0, **more)


def ready(**wanted):
    seen = wanted.pop("seen", asset())
    wanted = wanted or {"description": BLOCK}
    return AssetWrite.begin(plan_of(seen, **wanted), AssetRecord("a", 1))


def adopted(seen, pending, now=10.0):
    return AssetWrite.adopt(plan_of(seen), AssetRecord("a", 1), pending, now)


def sent(write=None, now=10.0, **how):
    write = write or ready()
    return write.on_sent(write.intent("run", T0), now, 1, **how)


def moved(write=None):
    write = write or sent()
    return write.on_seen(asset(BLOCK, at=11.0), sight(11.0), TERMS)[0]


def yielding():
    return ready().giving_way(5.0, 10.0)


def done():
    return ready().on_refused(NO)


STATES = {"ready": ready, "sent": sent, "moved": moved, "yielding": yielding, "done": done}


@pytest.mark.parametrize("state", STATES)
def test_each_state_is_what_it_is_called(state):
    assert STATES[state]().state == state


# -- on_sent --------------------------------------------------------------------------------------------


def test_a_ready_one_that_is_sent_waits_for_its_date():
    write = sent()
    assert (write.state, write.turn, write.sent_at) == ("sent", 1, 10.0)
    assert write.pending.description == BLOCK


def test_a_ready_one_of_which_nothing_changed_is_read_at_once():
    write = sent(unchanged=True)
    assert write.state == "moved"
    following, todo = write.on_read(asset(BLOCK), sight(10.1), TERMS)
    assert (following.pending, todo) == (None, "plan")


@pytest.mark.parametrize("state", ["sent", "moved", "yielding", "done"])
def test_nothing_is_sent_to_an_asset_that_is_not_ready(state):
    write = STATES[state]()
    with pytest.raises(ValueError, match="nothing may be sent"):
        write.on_sent(ready().intent("run", T0), 12.0, 2)


def test_an_answer_with_a_newer_date_tells_of_somebody_elses_edit():
    assert sent(before=T0 + timedelta(seconds=3)).crossed
    assert not sent(before=T0).crossed


# -- on_seen --------------------------------------------------------------------------------------------


def test_a_ready_one_that_is_seen_newer_is_to_be_read():
    write = ready()
    assert write.on_seen(asset("theirs", at=3.0), sight(3.0), TERMS) == (write, "read")
    assert write.on_seen(asset(), sight(3.0), TERMS) == (write, "nothing")
    assert write.on_seen(None, sight(3.0), TERMS) == (write, "nothing")


def test_a_sent_one_moves_once_its_date_has_passed_the_write():
    write, todo = sent().on_seen(asset(BLOCK, at=11.0), sight(11.2, moved_at=11.1), TERMS)
    assert (write.state, write.moved_at, todo) == ("moved", 11.1, "nothing")


def test_a_sent_one_stays_while_its_date_does():
    write = sent()
    assert write.on_seen(asset(BLOCK), sight(11.0), TERMS) == (write, "nothing")
    assert write.on_seen(None, sight(11.0), TERMS) == (write, "nothing")


def test_a_date_from_before_the_write_is_anothers_and_ours_is_still_to_come():
    write, _ = sent().on_seen(asset("", at=9.0), sight(11.0, moved_at=9.0, anothers=True), TERMS)
    assert (write.state, write.crossed) == ("sent", True)
    write, _ = write.on_seen(asset("", at=9.0), sight(12.0), TERMS)
    assert write.state == "sent"


@pytest.mark.parametrize("place", [{"visibility": "archive"}, {"is_trashed": True}])
@pytest.mark.parametrize("how", ["seen", "read", "found"])
def test_a_person_who_moves_one_of_an_earlier_run_away_tells_nothing_of_it(place, how):
    """To the archive or the trash, that shows in the date at once, whatever Immich still has in its queue."""
    away, write = asset(BLOCK, at=10.4, **place), adopted(asset(BLOCK), sent().pending)
    if how == "found":
        write = adopted(away, write.pending)
    elif how == "seen":
        write, todo = write.on_seen(away, sight(10.5), TERMS)
        assert todo == "nothing"
    else:
        write, todo = write.on_read(away, sight(10.5), TERMS)
        assert todo == "nothing"
    assert (write.state, write.crossed) == ("sent", False)
    assert write.pending.before_updated_at == away.updated_at
    later = adopted(away, write.pending)
    assert later.state == "sent", "the next pass knows it, too"
    back, _ = later.on_seen(asset(BLOCK, at=12.0), sight(12.0), TERMS)
    assert back.state == "sent", "so does the way back"
    there, _ = later.on_seen(asset(BLOCK, at=12.0, **place), sight(12.0), TERMS)
    assert there.state == "moved"


def test_one_of_an_earlier_run_that_a_person_moved_away_is_waited_for_an_hour():
    """Nothing may ever move its date again: its write would be under way for ever, and nothing more be written."""
    away = asset(BLOCK, at=10.4, is_trashed=True)
    pending = adopted(away, sent().pending).pending
    begun = [
        AssetWrite.adopt(plan_of(away), AssetRecord("a", 1), pending, 10.0, sent_for=seconds).state
        for seconds in (3500.0, 3700.0)
    ]
    assert begun == ["sent", "moved"]
    unmoved = AssetWrite.adopt(plan_of(asset()), AssetRecord("a", 1), sent().pending, 10.0, sent_for=1e6)
    assert unmoved.state == "sent", "one that nobody moved is waited for as long as Immich takes"


def test_one_of_this_run_that_a_person_moves_away_is_waited_for_no_longer():
    """Immich digests within a second; where its queue stands still, an earlier run has found that."""
    write, _ = sent().on_seen(asset(BLOCK, at=10.4, visibility="archive"), sight(10.5), TERMS)
    assert write.state == "moved"


def test_of_a_write_from_before_its_place_was_kept_every_move_counts():
    pending = replace(sent().pending, visibility=None)
    assert adopted(asset(BLOCK, at=10.4, is_trashed=True), pending).state == "moved"


def test_an_edit_that_an_answer_told_of_is_known_to_a_later_run():
    pending = sent(before=T0 + timedelta(seconds=3)).pending
    assert adopted(asset(at=3.0), pending).state == "sent"
    assert adopted(asset(at=11.0), pending).state == "moved"


def test_a_moved_one_is_judged_when_it_is_shown_again_a_second_later():
    write = moved()
    assert write.on_seen(asset(BLOCK, at=11.0), sight(11.9), TERMS)[1] == "nothing"
    following, todo = write.on_seen(asset(BLOCK, at=11.0, tags=None), sight(12.1), TERMS)
    assert (todo, following.pending, following.record.applied.block) == ("plan", None, BLOCK)
    assert following.observed.tags == frozenset()  # as last read: a listing shows none


def test_a_moved_one_that_no_look_shows_is_to_be_read():
    write = moved()
    for _ in range(UNSEEN_LOOKS):
        assert not write.needs_reading
        write, _ = write.on_seen(None, sight(12.1), TERMS)
    assert write.needs_reading


def test_a_moved_one_that_moves_again_waits_anew_and_was_somebody_elses_too():
    write, todo = moved().on_seen(asset(BLOCK, at=12.0), sight(12.1, moved_at=12.0), TERMS)
    assert (write.state, write.crossed, write.moved_at, todo) == ("moved", True, 12.0, "nothing")


def test_a_moved_one_that_shows_something_else_is_read_to_learn_why():
    _, todo = moved().on_seen(asset("theirs", at=11.0, tags=None), sight(12.1), TERMS)
    assert todo == "read"


def test_a_yielding_one_goes_on_once_it_was_quiet_for_long_enough():
    write, _ = yielding().on_seen(asset("theirs", at=8.0), sight(8.0), TERMS)
    assert (write.state, write.moved_at) == ("yielding", 8.0)
    assert write.on_seen(None, sight(17.9), TERMS)[0].state == "yielding"
    assert write.on_seen(None, sight(18.1), TERMS)[0].state == "ready"


def test_an_edit_that_comes_as_a_yielding_one_goes_on_is_waited_for_like_the_one_before():
    write, _ = yielding().on_seen(asset("theirs", at=8.0, tags=None), sight(8.0), TERMS)
    write, _ = write.on_seen(asset("theirs, and more", at=8.0, tags=None), sight(18.1), TERMS)
    assert (write.state, write.observed.tags) == ("ready", ready().observed.tags)
    write, todo = write.on_read(asset("theirs, and more", at=8.0), sight(18.2, moved_at=8.0), TERMS)
    assert (write.quiet, todo) == (TERMS.grace, "plan")


def test_one_that_is_done_stays_so_whatever_is_seen_or_read():
    write = done()
    assert write.on_seen(asset(at=30.0), sight(30.0), TERMS) == (write, "nothing")
    assert write.on_read(asset(at=30.0), sight(30.0), TERMS) == (write, "nothing")


# -- on_read --------------------------------------------------------------------------------------------


def test_a_ready_one_that_is_read_is_planned_anew_from_it():
    write, todo = ready().on_read(asset("theirs", at=3.0), sight(9.0, moved_at=3.0), TERMS)
    assert (write.observed.description, write.quiet, todo) == ("theirs", 0.0, "plan")


def test_a_ready_one_that_was_edited_a_moment_ago_yields_until_that_has_settled():
    write, _ = ready().on_read(asset("theirs", at=3.0), sight(3.2, moved_at=3.0), TERMS)
    assert write.on_planned(plan_of(write.observed, description=BLOCK), 3.2).state == "yielding"


def test_a_ready_one_that_shows_an_edit_before_its_date_does_yields_for_longer():
    write, _ = ready().on_read(asset("theirs"), sight(9.0), TERMS)
    write = write.on_planned(plan_of(write.observed, description=BLOCK), 9.0)
    assert (write.state, write.quiet) == ("yielding", TERMS.grace)


def test_a_sent_one_is_judged_by_a_reading_that_shows_it_moved_long_enough_ago():
    following, todo = sent().on_read(asset(BLOCK, at=11.0), sight(12.5, moved_at=11.0), TERMS)
    assert (following.pending, todo) == (None, "plan")


def test_a_sent_one_that_is_there_but_has_not_moved_is_not_settled():
    write = sent()
    assert write.on_read(asset(BLOCK), sight(500.0), TERMS) == (write, "nothing")


def test_a_sent_one_that_others_have_overtaken_is_judged_by_what_is_there():
    """Its extraction dies in Immich: the value stays, and the date never moves."""
    following, todo = sent().on_read(asset(BLOCK), sight(20.0, overtaken=True), TERMS)
    assert (following.pending, following.record.applied.block, todo) == (None, BLOCK, "plan")
    assert following.dying


def test_what_is_known_to_die_needs_not_to_be_overtaken_again():
    write = replace(sent(), dying=True)
    assert write.on_read(asset(BLOCK), sight(20.0), TERMS)[1] == "plan"


def test_one_that_was_overtaken_and_does_not_show_the_write_is_not_settled():
    write = sent()
    assert write.on_read(asset(), sight(20.0, overtaken=True), TERMS) == (write, "nothing")


def test_a_doubtful_one_that_is_not_there_never_arrived():
    write = sent(doubtful=True)
    assert write.on_read(asset(), sight(19.0), TERMS)[1] == "nothing"
    following, todo = write.on_read(asset(), sight(20.5), TERMS)
    assert (following.pending, todo) == (None, "plan")


def test_a_moved_one_is_judged_by_a_reading_after_its_second():
    assert moved().on_read(asset(BLOCK, at=11.0), sight(11.5), TERMS)[1] == "nothing"
    assert moved().on_read(asset(BLOCK, at=11.0), sight(12.1), TERMS)[1] == "plan"


EAST, WEST = Coordinates(51.48, 0.001), Coordinates(51.48, -0.001)


@pytest.mark.parametrize("how", [{"before": T0 + timedelta(seconds=5)}, {"doubtful": True}, {}])
def test_a_place_whose_sign_immich_turned_is_known_by_that_whoever_else_was_there(how):
    """A crossing, or an answer that was lost, says nothing about the rest; else it would be a conflict with a person."""
    seen = asset()
    write = AssetWrite.begin(replace(plan_of(seen, description=BLOCK), coordinates=EAST), AssetRecord("a", 1))
    write = replace(moved(sent(write, **how)), moved_to=T0 + timedelta(seconds=11))
    following, todo = write.on_read(asset(BLOCK, at=11.0, coordinates=WEST), sight(13.0), TERMS)
    (entry,) = following.record.unsticking
    assert (entry.field, entry.diagnosis, todo) == ("coordinates", FLIPPED, "plan")
    assert following.record.applied.coordinates is None


def test_a_mirrored_place_that_was_there_before_a_write_which_may_have_been_lost_tells_nothing():
    seen = asset(coordinates=WEST)
    write = AssetWrite.begin(replace(plan_of(seen, description=BLOCK), coordinates=EAST), AssetRecord("a", 1))
    write = replace(moved(sent(write, doubtful=True)), moved_to=T0 + timedelta(seconds=11))
    following, _ = write.on_read(asset(at=11.0, coordinates=WEST), sight(13.0), TERMS)
    assert following.record.unsticking == ()


def test_a_yielding_one_waits_until_immich_has_come_to_the_edit():
    queued, _ = yielding().on_seen(None, replace(sight(40.0), queued=True), TERMS)
    assert queued.state == "yielding"
    assert queued.on_seen(None, sight(49.9), TERMS)[0].state == "yielding"
    assert queued.on_seen(None, sight(50.1), TERMS)[0].state == "ready"


def test_a_yielding_one_that_is_read_waits_as_if_it_were_seen():
    assert yielding().on_read(asset(), sight(15.1), TERMS)[0].state == "ready"


# -- on_refused, on_overdue, and the rest ---------------------------------------------------------------


@pytest.mark.parametrize("state", ["ready", "sent", "moved", "yielding"])
def test_one_that_is_refused_is_done_and_says_why(state):
    write = STATES[state]().on_refused(NO)
    assert (write.state, write.status, write.failed) == ("done", "failed", NO)


def test_the_first_reason_stays():
    assert done().on_refused(UNCONFIRMED).failed == NO


def test_a_sent_one_that_is_overdue_is_unconfirmed_and_its_write_stays_recorded():
    write, todo = sent().on_overdue(50.0)
    assert (write.state, write.status, write.failed, todo) == ("done", "pending", UNCONFIRMED, "nothing")
    assert write.pending is not None


def test_a_moved_one_that_is_overdue_is_to_be_read():
    write = moved()
    assert write.on_overdue(50.0) == (write, "read")


@pytest.mark.parametrize("state", ["ready", "yielding", "done"])
def test_what_has_no_write_under_way_can_not_be_overdue(state):
    write = STATES[state]()
    assert write.on_overdue(50.0) == (write, "nothing")


def test_fields_go_first_then_the_tags():
    assert ready(description=BLOCK, add={"x"}, remove={"y"}).steps == ("fields", "add_tags", "remove_tags")


def test_tags_that_go_one_after_the_other_are_verified_together():
    write = sent(ready(remove={"x", "y"}, seen=asset(tags=frozenset({"x", "y", "z"}))))
    write, _ = write.on_seen(asset(at=11.0, tags=None), sight(11.0), TERMS)
    assert not write.needs_reading
    write, _ = write.on_seen(asset(at=11.0, tags=None), sight(12.1), TERMS)
    assert (write.state, write.unverified, write.observed.tags) == ("ready", {"x"}, {"y", "z"})
    write = sent(write, 12.5)
    write, _ = write.on_seen(asset(at=13.0, tags=None), sight(13.0), TERMS)
    assert write.needs_reading
    write, todo = write.on_read(asset(at=13.0, tags=frozenset({"z"})), sight(14.1), TERMS)
    assert (todo, write.changed, write.record.unsticking) == ("plan", {"tags"}, ())


def test_a_tag_that_came_back_while_others_went_is_found_by_the_last_reading():
    write = sent(ready(remove={"x", "y"}, seen=asset(tags=frozenset({"x", "y"}))))
    for row_at, asked in ((11.0, 11.0), (11.0, 12.1)):
        write, _ = write.on_seen(asset(at=row_at, tags=None), sight(asked), TERMS)
    write = sent(write, 12.5)
    write, _ = write.on_seen(asset(at=13.0, tags=None), sight(13.0), TERMS)
    write, todo = write.on_read(asset(at=13.0, tags=frozenset({"x"})), sight(14.1), TERMS)
    assert (todo, write.attempt, write.observed.tags) == ("plan", 2, {"x"})


def reverted(write):
    """Let a write be taken back, twice, as a library that cannot be written does."""
    for turn in (1, 2):
        write = write.on_sent(write.intent("run", T0), 10.0 * turn, turn)
        back = replace(write.observed, updated_at=T0 + timedelta(seconds=10.0 * turn + 1))
        write, _ = write.on_seen(back, sight(10.0 * turn + 1), TERMS)
        write, todo = write.on_read(back, sight(10.0 * turn + 3), TERMS)
        assert todo == "plan"
        write = write.on_planned(plan_of(write.observed, description=BLOCK, base=write.record.applied), 0.0)
    return [entry.diagnosis for entry in write.record.unsticking]


def test_a_value_that_comes_back_twice_means_a_read_only_library():
    assert reverted(ready()) == [READ_ONLY]


def test_where_ours_was_kept_before_another_program_s_value_is_no_read_only_library():
    seen = asset("✦ M 31, by another\n— Skymmich")
    record = AssetRecord("a", 1, applied=Applied(block=BLOCK))
    write = AssetWrite.begin(plan_of(seen, description=BLOCK, base=Applied(block=BLOCK)), record)
    assert reverted(write) == [ANOTHER]


def test_what_was_verified_a_moment_ago_is_no_read_only_library():
    write = replace(ready(), verified=frozenset({"add_tags"}))
    assert reverted(write) == [ANOTHER]


def test_a_place_that_came_while_a_text_was_written_tells_of_a_person_not_of_the_library():
    write = ready()
    for turn in (1, 2, 3):
        write = write.on_sent(write.intent("run", T0), 10.0 * turn, turn)
        theirs = asset(at=10.0 * turn + 1, coordinates=Coordinates(51.0 + turn, 11.0))
        write, _ = write.on_seen(theirs, sight(10.0 * turn + 1), TERMS)
        write, _ = write.on_read(theirs, sight(10.0 * turn + 3), TERMS)
        assert (write.record.unsticking, write.attempt, write.quiet) == ((), 1, TERMS.grace)
        write = replace(write.on_planned(plan_of(theirs, description=BLOCK), 0.0), state="ready", quiet=0.0)


def test_a_crossing_is_remarked():
    write, _ = moved(sent(before=T0 + timedelta(seconds=3))).on_seen(
        asset(BLOCK, at=11.0, tags=None), sight(12.1), TERMS
    )
    assert write.remark == CROSSED


def test_who_keeps_writing_against_us_is_left_to_the_next_pass():
    write = replace(ready(), sent_steps=("fields",) * MOST_WRITES)
    assert write.on_planned(write.plan, 0.0).failed == KEPT_CHANGING


def test_a_text_that_is_shown_as_it_was_sent_waits_in_immichs_queue_and_has_arrived():
    pending = replace(ready(description="R&D").intent("run", T0), block=None, prose="R&D")
    terms = replace(TERMS, as_sent=lambda text: text.replace("&", "&amp;"))
    for shown, todo, state in (("R&amp;D", "nothing", "sent"), ("else", "plan", "sent")):
        write, asked = adopted(asset(shown), pending).on_read(asset(shown), sight(30), terms)
        assert (asked, write.state, write.pending is None) == (todo, state, todo == "plan")


def test_a_tag_that_never_arrived_is_known_on_an_asset_without_a_text():
    seen = asset(tags=frozenset({"old"}))
    pending = ready(seen=seen, remove={"old"}).intent("run", T0)
    write, asked = adopted(seen, pending).on_read(seen, sight(30), TERMS)
    assert (asked, write.pending) == ("plan", None)


@pytest.mark.parametrize(
    ("left", "crossed"), [({"mine", "ours"}, False), ({"ours"}, True), ({"mine", "ours", "new"}, False)]
)
def test_of_an_earlier_runs_write_a_tag_that_stood_beside_it_and_is_gone_is_told(left, crossed):
    before = asset(tags=frozenset({"mine", "ours"}))
    pending = ready(seen=before, description=BLOCK).intent("run", T0)
    assert pending.beside == {"mine", "ours"}
    seen = asset(BLOCK, at=30, tags=frozenset(left))
    write, todo = adopted(seen, pending).on_seen(replace(seen, tags=None), sight(20), TERMS)
    assert (write.state, todo) == ("moved", "nothing")  # a look shows no tags: it is read
    write, todo = write.on_read(seen, sight(20), TERMS)
    assert (todo, write.crossing is not None) == ("plan", crossed)


def test_nothing_but_its_events_changes_a_write():
    """A lint: outside the module nobody makes one but ``begin`` and ``adopt``, or gives one a state.

    What was done with albums after it is the one other thing that is noted; that touches no state.
    """
    root, found = Path(reconciler.__file__).parent, []
    after = root / "core" / "writes" / "albums.py"
    assert "state" not in after.read_text(encoding="utf-8")
    for path in sorted(root.rglob("*.py")):
        if path.name == "asset_write.py" or path == after or path.is_relative_to(root / "simulator"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                made = name in {"AssetWrite", "WriteState"}
                of_write = name == "replace" and node.args and ast.unparse(node.args[0]).endswith("write")
                if made or of_write:
                    found.append(f"{path.name}:{node.lineno}")
            targets = node.targets if isinstance(node, ast.Assign) else []
            found += [
                f"{path.name}:{node.lineno}"
                for target in targets
                if isinstance(target, ast.Attribute) and ast.unparse(target.value).endswith("write")
            ]
    assert found == []
