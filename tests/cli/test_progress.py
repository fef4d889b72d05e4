from __future__ import annotations

import pytest

from reconciler.cli.output.progress import Meter
from reconciler.cli.output.screen import Screen
from reconciler.engine.events import Progress


class Clock:
    seconds = 1000.0

    def __call__(self):
        return self.seconds


@pytest.fixture
def told(capsys):
    """Run steps of (seconds, step) through a meter that nobody watches; give the lines."""

    def tell(*steps):
        clock = Clock()
        meter = Meter(Screen(), clock=clock)
        with meter.showing():
            for seconds, step in steps:
                clock.seconds = 1000.0 + seconds
                meter(step)
        return capsys.readouterr().err.splitlines()

    return tell


def test_progress_counts_with_thousands_and_says_how_long_the_rest_takes(told):
    lines = told(
        (0, Progress("reading", total=5_001)),
        (3, Progress("writing", 0, 5_001, 100)),
        (63, Progress("writing", 1_000, 5_001, 100)),
        (123, Progress("writing", 2_000, 5_001, 0)),
    )
    assert lines == [
        "Reading the catalogue and what Immich shows",
        "Writing: 0 of 5,001, 100 settling",
        "Writing: 1,000 of 5,001, 100 settling, 4 min left",
        "Writing: 2,000 of 5,001, 3 min left",
    ]


def test_what_settles_counts_half_so_that_one_of_many_tells_of_no_hour(told):
    """Seen with 61 images on a real Immich: "1 of 61, 57 settling, 56 min left", and done half a minute later."""
    *_, last = told((0, Progress("writing", 0, 61, 61)), (57, Progress("writing", 1, 61, 57)))
    assert last == "Writing: 1 of 61, 57 settling, 61 s left"


def test_no_time_is_told_before_there_is_a_pace_nor_at_the_end(told):
    lines = told(
        (0, Progress("writing", 0, 10)),
        (1, Progress("writing", 1, 10)),
        (7, Progress("writing", 10, 10)),
    )
    assert lines == ["Writing: 0 of 10", "Writing: 10 of 10"]


def test_a_phase_that_counts_is_told_with_its_numbers(told):
    lines = told(
        (0, Progress("reading", 0, 5_001)),
        (6, Progress("reading", 1_200, 5_001)),
        (20, Progress("planning", 0, 5_001)),
    )
    assert lines == ["Reading the catalogue and what Immich shows", "Reading: 1,200 of 5,001, 19 s left"]


def test_tags_that_are_taken_off_are_counted_and_no_time_is_guessed_from_images(told):
    *_, last = told(
        (0, Progress("writing", 0, 36, 36, 406)),
        (30, Progress("writing", 2, 36, 30, 200)),
    )
    assert last == "Writing: 2 of 36, 30 settling, 200 tags to take off"
