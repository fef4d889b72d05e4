"""What is stored comes back equal: every type, every odd text, every number to the last bit."""

from __future__ import annotations

import inspect
import math
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reconciler.core.asset import Applied, Coordinates
from reconciler.core.reasons import from_text, reason, told
from reconciler.core.records import RunCounts, TakenBack, Unsticking
from reconciler.core.store_port import Store
from state import rows
from state.rows import of_run
from state.store import StateStore

ODD_TEXTS = {
    "emoji": "🔭 M31 👩‍🚀 ✦",
    "line_separators": "a\u2028b\u2029c\r\nd\ne",
    "empty": "",
    "blanks": "  \t ",
    "five_kilobytes": "Ω" * 2560,
    "quotes": "Robert'); DROP TABLE assets;-- \"%_\\",
    "nul": "a\x00b",
    "not_normalised": "e\u0301 é",
    "right_to_left": "\u202eمجرة",
}


@pytest.fixture(params=ODD_TEXTS.values(), ids=ODD_TEXTS.keys())
def odd(request, backend):
    return held_by(backend, request.param)


def held_by(backend, text):
    """PostgreSQL's text has no character 0 (``test_postgres`` shows what becomes of it)."""
    return text if backend == "file" else text.replace("\0", "")


def reopened(store):
    store.close()
    return StateStore.open(store.target)


def test_a_full_record_comes_back_equal_after_a_restart(store, make, noon, odd):
    record = make.record(
        "asset-1",
        image_id=2**40,
        title=odd,
        applied=Applied(
            odd, odd, Coordinates(-0.1 - 0.2, 179.99999999999997), frozenset({odd, "Astro/Galaxy"})
        ),
        fingerprint="f" * 64,
        status="not_sticking",
        reasons=(reason("unusable", table=odd, row="1", text=odd).of("block"), *told(odd)),
        held="0123456789",
        seen_updated_at=noon,
        width=6248,
        height=4176,
        unsticking=(
            Unsticking("coordinates", "d1", "l1", "2.7.5", reason("told", text=odd)),
            Unsticking("block", "d2", "l2", "2.7.5", reason("read_only"), undone=True, at=noon),
        ),
        taken_back=TakenBack(noon, whole=False),
        linked=False,
        checked_at=noon + timedelta(microseconds=1),
        changed_at=noon - timedelta(days=9000),
    )
    store.save_records([record])
    with reopened(store) as again:
        assert again.records() == {"asset-1": record}
        assert again.record("asset-1") == record


def test_a_date_comes_back_with_its_offset(store, make, noon):
    there = noon.astimezone(timezone(timedelta(hours=5, minutes=45)))
    store.save_records([make.record("a", applied=Applied(taken_at=there))])
    store.save_pending([replace(make.pending("a"), taken_at=there, keeps_day=True)])
    with reopened(store) as again:
        assert again.record("a").applied.taken_at.isoformat() == there.isoformat()
        assert again.pending()["a"].taken_at.isoformat() == there.isoformat()
        assert again.pending()["a"].keeps_day


def test_a_bare_record_comes_back_equal(store, make):
    store.save_records([make.record()])
    assert store.records() == {"a": make.record()}


def test_never_owned_and_owned_but_empty_are_told_apart(store, make):
    never, empty = make.record("a", applied=Applied()), make.record("b", applied=Applied(block="", prose=""))
    store.save_records([never, empty])
    assert store.records() == {"a": never, "b": empty}


def test_a_full_pending_write_comes_back_equal_after_a_restart(store, make, noon, odd):
    write = make.pending(
        step="add_tags",
        sent=True,
        before_updated_at=noon,
        description=odd,
        block=odd,
        prose=odd,
        coordinates=Coordinates(math.nextafter(45.0, 46.0), -1e-12),
        tags=frozenset({odd, "b"}),
        attempt=2,
        intended_at=noon,
        gives_back=True,
    )
    store.save_pending([write])
    with reopened(store) as again:
        assert again.pending() == {"a": write}


def test_a_bare_pending_write_comes_back_equal(store, make):
    store.save_pending([make.pending()])
    assert store.pending() == {"a": make.pending()}


@pytest.mark.parametrize(
    "value", [None, [], ["a", "b"], {"latitude": 0.1, "longitude": -2.0}, 2**70, 2.0, True, "12", "null"]
)
def test_a_journal_entry_keeps_its_values_and_their_types(store, make, value):
    store.journal([make.entry(before=value, after=value)])
    (entry,) = store.journal_of()
    assert (entry.before, type(entry.before)) == (value, type(value))
    assert (entry.after, type(entry.after)) == (value, type(value))


def test_a_journal_entry_keeps_odd_text(store, make, odd):
    store.journal([make.entry(before=odd, after=[odd])])
    (entry,) = store.journal_of()
    assert (entry.before, entry.after) == (odd, [odd])


def test_a_run_comes_back_equal_after_a_restart(store, make, noon, odd):
    run = make.run(
        finished_at=noon + timedelta(seconds=9),
        outcome="succeeded",
        summary=(reason("run_images", count=3), reason("run_ended_early", kind="StateError", text=odd)),
        counts=RunCounts(
            images=3,
            changed=2,
            statuses={"in_sync": 62},
            wrote={"block": 2},
            found={("not_sticking", "tags"): 1},
            others={"of_a_later_version": 4},
        ),
    )
    store.start_run(make.run())
    store.finish_run(run)
    with reopened(store) as again:
        assert again.run("r1") == run
        assert again.runs(10) == [run]


@pytest.mark.parametrize("value", ["", 0, False, [], {"since": "2025"}, 1.5, 2.0, 2**70, "🔭\u2028"])
def test_a_small_value_comes_back_with_its_type(store, value):
    store.put("key", value)
    assert (store.get("key"), type(store.get("key"))) == (value, type(value))


def test_a_small_value_is_replaced_and_deleted(store):
    store.put("key", 1)
    store.put("key", 2)
    assert store.get("key") == 2
    store.put("key", None)
    assert store.get("key") is None
    assert store.get("never") is None


def test_moments_of_any_zone_come_back_in_utc(store, make):
    there = datetime(2025, 3, 14, 23, 30, tzinfo=timezone(timedelta(hours=-9, minutes=-30)))
    store.save_records([make.record(checked_at=there)])
    back = store.records()["a"].checked_at
    assert back == there
    assert back.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused_and_nothing_stored(store, make):
    with pytest.raises(ValueError, match="without a time zone"):
        store.save_records([make.record("b"), make.record(checked_at=datetime(2025, 3, 14))])  # noqa: DTZ001 - that is the test
    assert store.records() == {}


def test_half_an_emoji_in_one_title_does_not_spoil_the_others(store, make):
    """JavaScript cuts text between the halves of an emoji, and JSON delivers such a half."""
    cut = make.record("cut", title="M31 \ud83d", applied=Applied(prose="\ud83d", tags=frozenset({"x\udd2d"})))
    store.save_records([cut, make.record("whole", title="M33")])
    store.save_records([cut])
    assert store.record("cut").title == "M31 \ufffd"
    assert store.record("cut").applied == Applied(prose="\ufffd", tags=frozenset({"x\ufffd"}))
    assert store.record("whole").title == "M33"
    store.journal([make.entry(before="\ud83d")])
    assert store.journal_of()[0].before == "\ud83d"


def test_saving_again_replaces_the_record_and_its_tags(store, make):
    store.save_records([make.record(applied=Applied(tags=frozenset({"a", "b"})), status="in_sync")])
    later = make.record(applied=Applied(tags=frozenset({"b", "c"})), status="conflict", reasons=told("yours"))
    store.save_records([later])
    assert store.records() == {"a": later}


def test_of_two_records_with_one_id_the_later_counts(store, make):
    earlier = make.record(title="old", applied=Applied(tags=frozenset({"a"})))
    later = make.record(title="new", applied=Applied(tags=frozenset({"b"})))
    store.save_records(iter([earlier, later]))
    assert store.records() == {"a": later}


def test_tags_of_more_assets_than_one_condition_holds_come_back(store, make):
    many = [make.record(f"{n:05}", applied=Applied(tags=frozenset({f"t{n}"}))) for n in range(1100)]
    store.save_records(many)
    store.save_records(many)
    assert store.records() == {record.asset_id: record for record in many}


def test_a_pending_write_is_marked_replaced_and_cleared_by_asset(store, make):
    store.save_pending([make.pending("a"), make.pending("b"), make.pending("c")])
    store.mark_sent(["a", "c", "stranger"])
    store.save_pending([make.pending("c", attempt=2)])
    store.clear_pending(["b", "stranger"])
    assert store.pending() == {"a": make.pending("a", sent=True), "c": make.pending("c", attempt=2)}


def test_nothing_to_save_is_no_error(store):
    store.save_records([])
    store.save_pending([])
    store.mark_sent([])
    store.clear_pending([])
    store.journal([])
    assert (store.records(), store.pending(), store.journal_of()) == ({}, {}, [])


@given(
    title=st.text(),
    texts=st.tuples(st.none() | st.text(), st.none() | st.text()),
    place=st.none() | st.builds(Coordinates, st.floats(-90, 90), st.floats(-180, 180)),
    tags=st.frozensets(st.text(), max_size=5),
)
@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_record_comes_back_equal(store, backend, make, title, texts, place, tags):
    title, *texts = (text and held_by(backend, text) for text in (title, *texts))
    tags = frozenset(held_by(backend, tag) for tag in tags)
    record = make.record(title=title, applied=Applied(*texts, place, tags))
    store.save_records([record])
    assert store.records() == {"a": record}
    assert store.record("a") == record


def test_the_store_offers_what_the_engine_asks_for():
    """The port is structural: the same names, and parameters that a caller may give by name."""
    asked = {name: member for name, member in vars(Store).items() if not name.startswith("_")}
    assert asked
    for name, member in asked.items():
        wanted = list(inspect.signature(member).parameters)
        assert list(inspect.signature(getattr(StateStore, name)).parameters) == wanted, name


def test_a_run_of_an_older_version_is_read_as_it_was_told(store, make, odd, monkeypatch):
    """Its summary is a sentence, and its counts are flat."""
    words = f"3 images: 1 changed; ended early: {odd}"
    flat = {
        "images": 3,
        "changed": 1,
        "status_in_sync": 2,
        "wrote_tags": 1,
        "found_both_changed_prose": 1,
        "x": 7,
    }
    with monkeypatch.context() as older:
        older.setattr(rows, "of_run", lambda run: {**of_run(run), "summary": words, "counts": flat})
        store.start_run(make.run())
    with reopened(store) as again:
        run = again.run("r1")
    assert run.summary == told(words)
    assert run.counts == RunCounts(
        3, 1, {"in_sync": 2}, {"tags": 1}, {("both_changed", "prose"): 1}, {"x": 7}
    )
    assert run.counts.to_json() == flat


@pytest.mark.parametrize(
    "text", ["[]", "[1]", "{}", "null", '[{"code": 1}]', '[{"code": "fill", "params": []}]']
)
def test_a_text_that_only_looks_like_reasons_is_kept_as_told(text):
    assert from_text(text) == told(text)
