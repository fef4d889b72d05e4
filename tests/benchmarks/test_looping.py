"""The limits of the event loop's table."""

from __future__ import annotations

import pytest
from looping import show
from report import Table

GOOD = {
    "first plan": {"gap_ms": 80.0, "held_ms": 49.0, "cpu_ms": 60_000.0, "requests": 103, "peak": 240.0},
    "idle look, each of 20": {"gap_ms": 3.0, "held_ms": 3.0, "cpu_ms": 4.9, "requests": 1, "peak": 240.0},
    "one image changed": {"gap_ms": 30.0, "held_ms": 30.0, "cpu_ms": 2_900.0, "requests": 9, "peak": 245.0},
}


def failures(found: dict, images: int = 100_000) -> list[str]:
    table = Table()
    show(table, found, images)
    return table.failures


def test_what_keeps_every_limit_passes() -> None:
    assert failures(GOOD) == []


@pytest.mark.parametrize(
    ("phase", "what", "value"),
    [
        ("first plan", "held_ms", 51.0),
        ("idle look, each of 20", "cpu_ms", 5.1),
        ("idle look, each of 20", "requests", 2),
        ("one image changed", "cpu_ms", 3001.0),
        ("one image changed", "peak", 251.0),
    ],
)
def test_every_limit_is_asserted(phase: str, what: str, value: float) -> None:
    assert len(failures({**GOOD, phase: {**GOOD[phase], what: value}})) == 1


@pytest.mark.parametrize("phase", ["idle look, each of 20", "one image changed"])
def test_a_phase_that_was_not_measured_is_no_pass(phase: str) -> None:
    assert len(failures({name: row for name, row in GOOD.items() if name != phase})) == 1


def test_only_with_more_images_a_change_may_cost_more() -> None:
    row = {**GOOD["one image changed"], "cpu_ms": 29_000.0}
    assert failures({**GOOD, "one image changed": row}, 1_000_000) == []
    assert len(failures({**GOOD, "one image changed": row}, 10_000)) == 1


def test_a_million_images_may_take_more_memory() -> None:
    row = {**GOOD["first plan"], "peak": 590.0}
    assert failures({**GOOD, "first plan": row}, 1_000_000) == []
    assert len(failures({**GOOD, "first plan": row})) == 1
