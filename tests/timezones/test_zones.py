"""Which time it is where: by place, by name, and where nothing is known; nothing is loaded before."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest

from reconciler.core.asset import Coordinates
from reconciler.timezones.zones import OfflineTimeZones

SUMMER, WINTER = datetime(2024, 7, 1, 22), datetime(2024, 1, 1, 22)  # noqa: DTZ001 - local times


@pytest.mark.parametrize(
    ("place", "at", "hours"),
    [
        ((52.52, 13.405), SUMMER, 2),
        ((52.52, 13.405), WINTER, 1),
        ((52.52, 13.405), WINTER.replace(tzinfo=UTC), 1),
        ((35.68, 139.76), SUMMER, 9),
        ((-30.17, -70.8), WINTER, -3),
        ((27.7, 85.3), SUMMER, 5.75),
        ((0.0, -150.0), SUMMER, -10),  # at sea
        ((-17.8, 179.9999999), SUMMER, 12),
        ((90.0, 180.0), SUMMER, 12),
        ((-90.0, -180.0), SUMMER, 12),
    ],
)
def test_a_place_has_its_time(place, at, hours):
    assert OfflineTimeZones().offset(Coordinates(*place), at) == timedelta(hours=hours)


def test_without_a_place_a_zone_may_be_named():
    assert OfflineTimeZones().offset(None, SUMMER, "Europe/Berlin") == timedelta(hours=2)
    assert OfflineTimeZones().offset(None, SUMMER) is None
    assert OfflineTimeZones().offset(None, SUMMER, "Mars/Olympus") is None
    assert OfflineTimeZones().offset(None, SUMMER, "../../etc/passwd") is None


@pytest.mark.parametrize("at", [datetime(1, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)])
def test_the_ends_of_the_calendar_are_no_error(at):
    OfflineTimeZones().offset(Coordinates(35.68, 139.76), at)


def test_the_outlines_are_loaded_with_the_first_question_and_not_before():
    code = """
import sys
import reconciler.app.wiring
from reconciler.core.asset import Coordinates
from reconciler.timezones.zones import OfflineTimeZones
zones = OfflineTimeZones()
assert "tzfpy" not in sys.modules
import datetime
zones.offset(Coordinates(52.5, 13.4), datetime.datetime(2024, 1, 1))
assert "tzfpy" in sys.modules
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
