"""The measurement of the event loop, small: what is counted is strict, times are generous on a loaded machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from looping import CHANGE, IDLE

SCRIPT = Path(__file__).resolve().with_name("loop.py")
IMAGES = 1_000
PAGES = IMAGES // 1_000
MOST_HELD = 250.0
"""Milliseconds: five times of what `make bench` allows; all of it at once takes 1,000."""
MOST_MEMORY = 160.0
"""MiB."""


@pytest.fixture(scope="module")
def found():
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(IMAGES), "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_an_idle_look_costs_one_request_and_next_to_no_cpu(found):
    idle = [row for phase, row in found.items() if phase.startswith(IDLE)]
    assert [row["requests"] for row in idle] == [1]
    assert idle[0]["cpu_ms"] < 25.0


def test_nothing_holds_the_loop_for_long(found):
    assert {phase: row["held_ms"] for phase, row in found.items() if row["held_ms"] > MOST_HELD} == {}


def test_a_reading_of_all_costs_two_requests_a_thousand_at_most(found):
    for phase in ("first plan", "audit"):
        assert found[phase]["requests"] <= 2 * PAGES + 15, found[phase]


def test_one_change_costs_what_it_costs_with_few_images(found):
    (row,) = (row for phase, row in found.items() if phase.startswith(CHANGE))
    assert row["requests"] <= 20


def test_the_process_stays_small(found):
    assert max(row["peak"] for row in found.values()) < MOST_MEMORY
