"""The daemon's daily copies, and copies made and put back beside it: a turned clock, and a real process."""

from __future__ import annotations

import asyncio
import json
import signal
from datetime import timedelta

import pytest

from reconciler.daemon.triggers import Triggers
from state.daily import copies
from state.store import StateStore
from tests.daemon.test_process import QUICK, a_home, ended, until

DAY = 86_400.0
SELDOM = {"catalogue_seconds": 3_600.0, "immich_seconds": 3_600.0}
"""Looks that a copy does not need: a day of them takes seconds."""


def with_copies(world, seconds):
    """Let a daemon that keeps two copies run for so long."""

    async def go():
        world.start()
        world.triggers = Triggers(
            world.service, world.store, world.lease, world.clock, world.schedule, world.events.append,
            backups=2,
        )  # fmt: skip
        await world.run(seconds)
        assert world.store.counts_by_status() == {"in_sync": 3}
        await world.stop()

    asyncio.run(go())


def test_each_night_a_copy_is_made_and_so_many_are_kept(make_world):
    world = make_world(images=3, unkind=(), **SELDOM)
    with_copies(world, 3 * DAY)
    made = [event for event in world.events if getattr(event, "name", "") == "store.copied"]
    kept = copies(world.state)
    assert len(made) == 3
    assert [one.at for one in kept] == [
        world.clock.start + timedelta(days=day, hours=3, minutes=41) for day in (2, 1)
    ]
    with StateStore.open(kept[0].path, read_only=True) as store:
        assert store.counts_by_status() == {"in_sync": 3}


def test_a_copy_that_fails_is_told_and_passes_go_on(make_world):
    world = make_world(images=3, unkind=(), **SELDOM)
    (world.state.parent / "backups").write_text("in the way")
    with_copies(world, DAY)
    (told,) = [event for event in world.events if getattr(event, "name", "") == "store.not_copied"]
    assert "backups" in told.details["error"]


@pytest.fixture
def home(tmp_path):
    with a_home(tmp_path, images=12, drain=500.0) as made:
        yield made


def stopped(process):
    assert "Traceback" not in process.log.read_text()
    process.send_signal(signal.SIGTERM)
    assert ended(process)[0] == 0


def seen(home):
    """What people see of the images; the records beside it may be written anew."""
    fields = ("description", "latitude", "longitude", "tags")
    return {key: [one[name] for name in fields] for key, one in home.simulator.assets().items()}


def test_a_copy_is_made_while_the_daemon_writes_and_put_back_only_when_it_has_stopped(home):
    process = home.started()
    until(lambda: home.simulator.requests().get("writes", 0) > 3)
    config = ("--config", str(home.config))
    for number in range(3):
        code, out, err = home.command("backup", str(home.folder / f"copy-{number}"), "--json", *config)
        assert code == 0, (out, err)
    until(lambda: home.in_sync(process), 60)
    home.sql("UPDATE astrophotography_images SET title = title || ', again'")
    until(lambda: home.in_sync(process) and len(home.runs()) > 1, 60)
    code, out, err = home.command("restore", str(home.folder / "copy-0"), "--yes", *config)
    assert code == 1
    assert "systemctl stop" in " ".join(err.split())
    until(lambda: home.in_sync(process))
    stopped(process)
    before = seen(home)
    code, out, err = home.command("restore", str(home.folder / "copy-0"), "--yes", "--json", *config)
    assert code == 0, (out, err)
    assert json.loads(out)["carried"]["images"] == 12
    process = home.started()
    until(lambda: home.in_sync(process), 60)
    # Everything was looked at, and nothing that people see had to be written.
    assert seen(home) == before
    stopped(process)


def test_a_daemon_that_is_off_at_night_makes_its_copy_when_it_starts(home):
    process = home.started()
    until(lambda: home.in_sync(process), 60)
    assert copies(home.state) == []
    stopped(process)
    with StateStore.open(home.state) as store:
        (first,) = store.runs(1)
        store.database.pragma("UPDATE runs SET started_at = '2025-01-01 00:00:00.000000'")
        assert store.run(first.run_id).started_at.year == 2025
    home.configure(QUICK + "[log]\nlevel = 'info'\n")
    process = home.started()
    (made,) = until(lambda: copies(home.state), 20)
    assert made.path.stat().st_mode & 0o077 == 0
    stopped(process)
