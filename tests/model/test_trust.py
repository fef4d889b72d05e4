"""docs/trust.md has a row for each fault there is, and nothing in it was lost."""

from __future__ import annotations

from pathlib import Path

from tests.model import trust

PAGE = Path(__file__).resolve().parents[2] / "docs" / "trust.md"


def cells(text):
    inner = text.partition(trust.BEGIN)[2].partition(trust.END)[0]
    rows = [line for line in inner.splitlines() if line.startswith("|")]
    return [tuple(cell.strip() for cell in row.strip("|").split("|")) for row in rows]


def test_the_page_has_a_row_for_each_fault_and_nothing_was_lost():
    head, _, *rows, total = cells(PAGE.read_text(encoding="utf-8"))
    assert head == trust.COLUMNS
    assert [row[0] for row in rows] == list(trust.KINDS)
    assert all(int(row[1]) > 0 for row in rows), "each was injected"
    assert {row[3] for row in rows} == {"0"}
    assert total[0] == "**all**"
    assert int(total[1]) == sum(int(row[1]) for row in rows)


def test_a_row_is_what_a_run_measured():
    kinds = ("queue paused", "killed before an answer", "state store lost")
    rows = trust.measured(kinds, 2, 7)
    page = trust.written(f"Before.\n{trust.BEGIN}\nof another run\n{trust.END}\nAfter.", rows, 2, 7)
    assert page.startswith("Before.\n")
    assert page.endswith("\nAfter.")
    assert "of another run" not in page
    assert [row[0] for row in cells(page)[2:-1]] == list(kinds)
    assert all(row.injected and row.edits and not row.lost and len(row.seconds) == 2 for row in rows)


def test_a_row_counts_what_is_lost(monkeypatch):
    def gone(play):
        raise trust.ViolationError("gone")

    monkeypatch.setattr(trust.Play, "check", gone)
    (row,) = trust.measured(("slow",), 1, 1)
    assert row.lost == 1
