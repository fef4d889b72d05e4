"""Who is told by workers: a real HTTP server that takes the notices of one installation."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.daemon.test_process import until

from .conftest import later

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "notices"))
from receiving import PASSWORD, TOKEN, Receiver


def test_a_notice_is_sent_once_whichever_worker_is_there_and_only_where_it_is_wanted(fleet):
    with Receiver() as receiver:
        fleet.make("told")
        secret = fleet.folder / "installations" / "told" / "notices_urls"
        secret.write_text(receiver.address)
        secret.chmod(0o600)
        fleet.add("untold")
        assert fleet.call("installations", "add", "told")[0] == 0
        first = fleet.worker()
        until(fleet.in_sync)
        until(lambda: receiver.got)
        assert len(receiver.got) == 1
        first.terminate()
        assert first.wait(30) == 0
        second = fleet.worker()
        until(lambda: 'result="done",task="look"' in fleet.health(second, "metrics")[1])
        until(later(8))
        assert len(receiver.got) == 1
        assert fleet.events(first).count("notice.sent") == 1
        assert "notice.sent" not in fleet.events(second)
    for process in (first, second):
        log = process.log.read_text()
        assert PASSWORD not in log
        assert TOKEN not in log
