"""Short rows of very many assets: page by page, in order of ids, and titles in theirs."""

from __future__ import annotations

from datetime import UTC, datetime

from reconciler.core.records import Crossing

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)


def test_standings_come_page_by_page_in_order_of_ids(store, make):
    store.save_records(
        make.record(asset_id, title=title, status=status, changed_at=when, seen_updated_at=NOW)
        for asset_id, title, status, when in (
            ("c", "Élégie", "in_sync", None),
            ("a", "zeta", "conflict", NOW),
            ("b", "alpha", "held", None),
        )
    )
    rows = store.standings("", 2) + store.standings("b", 2)
    assert [(row.asset_id, row.status, row.written, row.seen) for row in rows] == [
        ("a", "conflict", int(NOW.timestamp()), int(NOW.timestamp())),
        ("b", "held", 0, int(NOW.timestamp())),
        ("c", "in_sync", 0, int(NOW.timestamp())),
    ]
    assert store.standings("c", 2) == []
    assert store.standings_of({"c", "a", "unknown"}) == [rows[0], rows[2]]


def test_titles_come_page_by_page_without_case_and_accents(store, make):
    store.save_records(
        make.record(key, title=title) for key, title in (("c", "Élégie"), ("a", "zeta"), ("b", "Alpha"))
    )
    first = store.titles(limit=2)
    assert [asset_id for _, asset_id in first + store.titles(first[-1], 2)] == ["b", "c", "a"]


def test_another_title_is_told_from_the_one_before(store, make):
    store.save_records([make.record("a", title="One")])
    (before,) = store.standings()
    store.save_records([make.record("a", title="Two")])
    (after,) = store.standings()
    assert before.title != after.title


def test_what_nobody_has_looked_at_is_listed(store, make):
    store.save_records([make.record("a"), make.record("b")])
    store.note_crossings({"b": Crossing(NOW, frozenset({"prose"}), "run")})
    assert store.crossed_ids() == {"b"}
