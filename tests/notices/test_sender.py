"""Sending by apprise to a real server: it arrives whole, nothing waits for ever, and no secret is ever said."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.notices import sender
from reconciler.notices.sender import check, send
from tests.notices.receiving import PASSWORD, TOKEN

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTED = ROOT / "docs" / "notices.md"
pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend():
    return "asyncio"


async def test_a_message_arrives_as_it_is(receiver):
    body = "“Orion’s Sword” <b>& more</b>\n\nhttp://page/images?status=conflict"
    (one,) = await send([receiver.address], "Two images", body)
    assert (one.name, one.error) == ("1 (json)", "")
    assert receiver.titles == ["Two images"]
    assert receiver.got[0]["message"] == body


async def test_each_address_is_told_apart_and_one_that_fails_costs_no_other(receiver):
    addresses = [f"json://127.0.0.1:1/{TOKEN}", receiver.address, f"nonsense://{TOKEN}", "tgram://"]
    delivered = await send(addresses, "t", "b")
    assert [one.name for one in delivered] == ["1 (json)", "2 (json)", "3 (nonsense)", "4 (tgram)"]
    assert [bool(one.error) for one in delivered] == [True, False, True, True]
    assert "no such service" in delivered[2].error
    assert len(receiver.got) == 1


@pytest.mark.parametrize("status", [401, 403, 404, 500])
async def test_a_refusal_says_why_without_any_piece_of_the_address(receiver, status):
    receiver.status = status
    (one,) = await send([receiver.address], "t", "b")
    assert str(status) in one.error
    for secret in (PASSWORD, TOKEN, "somebody", str(receiver.port), "127.0.0.1"):
        assert secret not in one.error


async def test_a_server_that_does_not_answer_is_given_up_and_leaves_no_process(receiver):
    receiver.hanging.set()
    before = children()
    delivered = await send([receiver.address, receiver.address], "t", "b", patience=1.0)
    assert all(one.error for one in delivered)
    assert children() == before


async def test_a_process_that_hangs_is_ended(monkeypatch, receiver):
    receiver.hanging.set()
    monkeypatch.setattr(sender, "_BEYOND", -17.0)
    before = children()
    (one,) = await send([receiver.address], "t", "b", patience=20.0)
    assert one.error == "no answer within 3 s"
    assert children() == before


async def test_who_stops_amid_a_message_leaves_no_process(receiver):
    receiver.hanging.set()
    before = children()
    task = asyncio.create_task(send([receiver.address], "t", "b"))
    while not receiver.asked.is_set():  # noqa: ASYNC110 - a thread sets it
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert children() == before


async def test_no_address_is_seen_in_the_list_of_processes(receiver):
    receiver.hanging.set()
    task = asyncio.create_task(send([receiver.address], "t", "b", patience=2.0))
    while not receiver.asked.is_set():  # noqa: ASYNC110 - a thread sets it
        await asyncio.sleep(0.01)
    shown = what_others_see()
    assert any(b"reconciler.notices.worker" in one for one in shown)
    assert not any(TOKEN.encode() in one or PASSWORD.encode() in one for one in shown)
    await task


async def test_the_process_gets_no_secret_of_ours(monkeypatch):
    monkeypatch.setenv("RECONCILER_IMMICH__API_KEY", TOKEN)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:3128")
    environment = sender._environment()
    assert TOKEN not in environment.values()
    assert environment["HTTPS_PROXY"] == "http://proxy:3128"


async def test_a_check_sends_nothing(receiver):
    delivered = await check([receiver.address, "nonsense://x"])
    assert [bool(one.error) for one in delivered] == [False, True]
    assert not receiver.asked.is_set()


async def test_where_no_process_can_be_started_that_is_said(monkeypatch):
    monkeypatch.setattr(sender.sys, "executable", "/nonexistent/python")
    (one,) = await send([f"json://host/{TOKEN}"], "t", "b")
    assert "cannot be started" in one.error


def test_the_daemon_and_the_commands_never_load_apprise():
    program = (
        "import sys; import reconciler.daemon.main, reconciler.cli.commands.notices, reconciler.cli.commands.doctor;"
        "print([name for name in ('apprise', 'requests', 'yaml', 'markdown') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=os.environ, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\n"


def what_others_see() -> list[bytes]:
    names = [(child, what) for child in children() for what in ("cmdline", "environ")]
    return [Path(f"/proc/{child}/{what}").read_bytes() for child, what in names]


def children() -> set[str]:
    return set(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split())


async def test_the_addresses_that_the_documentation_names_can_be_used():
    text = DOCUMENTED.read_text()
    named = re.findall(r"`([a-z]+://[^`]+)`", text)
    filled = {
        "BOT_TOKEN": "123456789:abcdefghijklmnopqrstuvwxyzABCDEFGHI",
        "CHAT_ID": "12345",
        "TOKEN": "AbCdEf12345",
    }
    addresses = [re.sub("|".join(filled), lambda found: filled[found[0]], one) for one in named]
    assert len(addresses) >= 6
    assert {one.service: one.error for one in await check(addresses) if one.error} == {}
