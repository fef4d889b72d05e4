"""The daemon's small parts: schedule, pulse, notification socket, Skymmich's events."""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import tempfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from websockets.asyncio.server import serve

from reconciler.config.sections import ScheduleSection
from reconciler.daemon import websocket
from reconciler.daemon.heartbeat import Pulse
from reconciler.daemon.notify import Notifier
from reconciler.daemon.scheduler import Every, Scheduler
from reconciler.daemon.websocket import events_url, image_of, is_news, listen
from reconciler.http_way import Way
from tests.free_port import free_port
from tests.immich.gates import gate, own_authority

NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


# Schedule


def test_an_interval_keeps_its_beat_when_it_was_a_little_late():
    assert Every(5).get_next_fire_time(NOW, NOW + 0.2 * SECOND) == NOW + 5 * SECOND


def test_an_interval_is_not_made_up_for_after_a_clock_jumped_years_ahead():
    later = NOW + timedelta(days=20_000)
    assert Every(5).get_next_fire_time(NOW, later) == later + 5 * SECOND


def test_an_interval_does_not_wait_for_a_clock_that_jumped_back_to_catch_up():
    assert Every(5).get_next_fire_time(NOW + timedelta(days=1), NOW) == NOW + 5 * SECOND


@pytest.mark.anyio
async def test_jobs_run_at_their_interval_never_beside_themselves_and_again_after_a_change():
    running, most, ran = 0, 0, asyncio.Event()
    times = 0

    async def slow():
        nonlocal running, most, times
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.12)
        running -= 1
        times += 1
        if times >= 3:
            ran.set()

    async def quick():
        pass

    names = ("catalogue", "immich", "audit", "housekeeping", "heartbeat")
    scheduler = Scheduler({name: slow if name == "catalogue" else quick for name in names}, None)
    scheduler.start(ScheduleSection(catalogue_seconds=0.05))
    try:
        async with asyncio.timeout(10):
            await ran.wait()
        assert most == 1
        scheduler.reschedule(ScheduleSection(catalogue_seconds=3600))
        ahead = scheduler.next_looks()["catalogue"] - datetime.now(UTC)
        assert timedelta(minutes=59) < ahead <= timedelta(hours=1)
    finally:
        scheduler.stop()


@pytest.mark.anyio
async def test_a_job_that_the_end_cuts_short_is_no_failure_in_the_log(caplog):
    begun, others = asyncio.Event(), asyncio.all_tasks()

    async def endless():
        begun.set()
        await asyncio.Event().wait()

    async def quick():
        pass

    names = ("catalogue", "immich", "audit", "housekeeping", "heartbeat")
    scheduler = Scheduler({name: endless if name == "catalogue" else quick for name in names}, None)
    scheduler.start(ScheduleSection(catalogue_seconds=0.05))
    async with asyncio.timeout(10):
        await begun.wait()
    working = asyncio.all_tasks() - others
    scheduler.stop()
    await asyncio.wait(working, timeout=10)
    assert not [line for line in caplog.records if line.levelname == "ERROR"]


@pytest.mark.anyio
async def test_all_times_are_reckoned_anew_when_the_clock_jumped_back():
    async def quick():
        pass

    names = ("catalogue", "immich", "audit", "housekeeping", "heartbeat", "watchdog")
    scheduler = Scheduler(dict.fromkeys(names, quick), 60.0)
    scheduler.start(ScheduleSection())
    try:
        # As it looks after a jump: all that was planned lies a month ahead.
        for job in scheduler._scheduler.get_jobs():
            job.modify(next_run_time=job.next_run_time + timedelta(days=30))
        scheduler.realign()
        looks = scheduler.next_looks()
        assert looks["catalogue"] <= datetime.now(UTC) + 5 * SECOND
        assert looks["immich"] <= datetime.now(UTC) + 60 * SECOND
        assert looks["audit"] <= datetime.now(UTC) + timedelta(days=1, minutes=11)
    finally:
        scheduler.stop()


@pytest.mark.anyio
async def test_the_audit_is_moved_at_random_within_its_jitter():
    async def quick():
        pass

    found = set()
    for _ in range(20):
        scheduler = Scheduler(
            dict.fromkeys(("catalogue", "immich", "audit", "housekeeping", "heartbeat"), quick), None
        )
        scheduler.start(ScheduleSection(audit_cron="0 * * * *", audit_jitter_seconds=600))
        audit = scheduler.next_looks()["audit"]
        assert audit.minute < 10 or (audit.minute, audit.second) == (10, 0)
        found.add(audit)
        scheduler.stop()
    assert len(found) > 10


# Pulse


def test_the_pulse_is_fresh_only_while_it_beats(fake_clock):
    pulse = Pulse(fake_clock, lambda: None)
    fake_clock.seconds += 9
    assert pulse.is_fresh
    fake_clock.seconds += 2
    assert not pulse.is_fresh
    pulse.tick()
    assert pulse.is_fresh


@pytest.mark.parametrize("jump", [-3600, 3600, 86_400 * 365 * 30])
def test_a_clock_that_jumps_startles_it_once(fake_clock, jump):
    startled = []
    pulse = Pulse(fake_clock, lambda: startled.append(1))
    for _ in range(5):
        fake_clock.seconds += 1
        pulse.tick()
    assert not startled
    fake_clock.start += timedelta(seconds=jump)
    for _ in range(5):
        fake_clock.seconds += 1
        pulse.tick()
    assert len(startled) == 1


def test_a_process_that_stood_still_notices(fake_clock):
    startled = []
    pulse = Pulse(fake_clock, lambda: startled.append(1))
    fake_clock.seconds += 300
    pulse.tick()
    assert startled


# Notification socket


@pytest.fixture(params=["path", "abstract"])
def manager(request):
    with (
        tempfile.TemporaryDirectory(dir="/tmp") as folder,  # short: an address may have 107 bytes
        closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as channel,
    ):
        address = f"{folder}/notify" if request.param == "path" else f"\0reconciler-test-{os.getpid()}"
        channel.bind(address)
        channel.settimeout(2)
        yield "@" + address[1:] if address.startswith("\0") else address, channel


def test_messages_reach_a_socket_in_the_file_system_and_in_the_abstract_namespace(manager):
    address, channel = manager
    notifier = Notifier({"NOTIFY_SOCKET": address})
    notifier.ready()
    assert channel.recv(999) == b"READY=1"
    notifier.watchdog()
    assert channel.recv(999) == b"WATCHDOG=1"
    notifier.stopping("Bye")
    assert channel.recv(999) == b"STOPPING=1\nSTATUS=Bye"
    notifier.reloading()
    assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=\d+", channel.recv(999))


def test_a_status_is_one_line_of_bounded_length_and_not_repeated(manager):
    address, channel = manager
    notifier = Notifier({"NOTIFY_SOCKET": address})
    notifier.status("two\nlines")
    notifier.status("two\nlines")
    notifier.status("x" * 9999)
    assert channel.recv(99) == b"STATUS=two lines"
    assert len(channel.recv(9999)) < 600


def test_without_a_manager_or_with_one_that_is_gone_nothing_happens(tmp_path):
    Notifier({}).ready()
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).ready()


@pytest.mark.parametrize(
    ("environ", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({"WATCHDOG_USEC": "60000000"}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 60.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
    ],
)
def test_signs_of_life_are_given_only_where_they_are_awaited_of_this_process(environ, seconds):
    assert Notifier(environ).watchdog_seconds == seconds


# Skymmich's events


@pytest.mark.parametrize(
    ("url", "events"),
    [
        ("http://sky:2284", "ws://sky:2284/ws"),
        ("https://sky/", "wss://sky/ws"),
        ("http://sky/base/", "ws://sky/base/ws"),
    ],
)
def test_events_are_heard_at_skymmichs_own_address(url, events):
    assert events_url(url) == events


@pytest.mark.parametrize(
    ("frame", "news"),
    [
        ('{"event": "plate-solving-update", "data": {"imageId": 3}}', True),
        ('{"event": "immich-sync-complete"}', True),
        ('{"event": "notifications-updated"}', False),
        ("[1]", False),
        ('{"event": []}', False),
        ('{"event": {"plate-solving-update": 1}}', False),
        ('{"event": 1e400}', False),
        ("9" * 5000, False),
        ("not JSON", False),
        (b"\xff\xfe", False),
        ("[" * 100_000, False),
    ],
)
def test_only_events_that_may_have_changed_the_catalogue_are_news(frame, news):
    assert is_news(frame) is news


@pytest.mark.parametrize(
    ("frame", "image_id"),
    [
        ('{"event": "plate-solving-update", "data": {"jobId": 3, "imageId": 41}}', 41),
        ('{"event": "plate-solving-update", "data": {"jobId": 3}}', None),
        ('{"event": "plate-solving-update", "data": {"imageId": true}}', None),
        ('{"event": "immich-sync-complete", "data": null}', None),
        ("[1]", None),
        ("{", None),
    ],
)
def test_an_event_s_image_is_read_where_it_names_one(frame, image_id):
    assert image_of(frame) == image_id


@pytest.mark.anyio
async def test_it_listens_again_after_every_loss_of_the_connection(monkeypatch):
    monkeypatch.setattr(websocket, "_FIRST", 0.01)
    connections, hints, enough = [], [], asyncio.Event()

    async def skymmich(connection):
        connections.append(connection.request.path)
        await connection.send("garbage")
        await connection.send(json.dumps({"event": "plate-solving-update", "data": {"imageId": 7}}))
        if len(connections) < 3:
            await connection.close()
        else:
            connection.transport.abort()

    async def hint(image_id):
        hints.append(image_id)
        if len(hints) >= 3:
            enough.set()

    async with serve(skymmich, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        task = asyncio.create_task(listen(f"http://127.0.0.1:{port}/base", hint, Random(1)))
        async with asyncio.timeout(10):
            await enough.wait()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert connections[0] == "/base/ws"
    assert hints[:3] == [7, 7, 7]
    assert task.cancelled()


@pytest.mark.anyio
async def test_it_listens_under_an_own_authority_and_through_a_proxy(tmp_path):
    file, context = own_authority(tmp_path)
    heard = asyncio.Event()

    async def skymmich(connection):
        await connection.send(json.dumps({"event": "immich-sync-complete", "data": None}))
        await connection.wait_closed()

    async def hint(_):
        heard.set()

    with gate("http://nowhere:1") as proxy:
        async with serve(skymmich, "127.0.0.1", 0, ssl=context) as server:
            port = server.sockets[0].getsockname()[1]
            way = Way(file, proxy.url)
            task = asyncio.create_task(listen(f"https://127.0.0.1:{port}", hint, Random(1), way))
            async with asyncio.timeout(10):
                await heard.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert [(method, path) for method, path, _ in proxy.seen] == [("CONNECT", f"127.0.0.1:{port}")]


@pytest.mark.anyio
async def test_a_skymmich_that_is_not_there_is_asked_ever_less_often(monkeypatch):
    waits, enough = [], asyncio.Event()
    real = asyncio.sleep

    async def noted(seconds):
        waits.append(seconds)
        if len(waits) >= 12:
            enough.set()
        await real(0)

    monkeypatch.setattr(websocket.asyncio, "sleep", noted)
    port = free_port()
    task = asyncio.create_task(listen(f"http://127.0.0.1:{port}", lambda: None, Random(1)))
    async with asyncio.timeout(10):
        await enough.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert waits[0] <= 1.0
    assert all(wait <= 300 for wait in waits)
    assert waits[-1] >= 150
