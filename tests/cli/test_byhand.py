from __future__ import annotations

from datetime import UTC, datetime

from reconciler.cli.output.outcome import show_report
from reconciler.cli.output.screen import Screen
from reconciler.core.reasons import reason, told
from reconciler.core.records import Run
from reconciler.engine.passes import Outcome, Report
from reconciler.models.runs import Requests


def test_a_command_that_ends_promises_nothing_that_only_a_daemon_does(two):
    done = two.call("plan", RECONCILER_IMMICH__URL="http://127.0.0.1:1")
    assert done.returncode == 1
    assert "tried again" not in done.stderr
    assert "un the command again" in done.stderr


def test_what_a_stopped_apply_did_not_come_to_is_counted_and_not_listed(capsys):
    now = datetime.now(UTC)
    run = Run("abc", "cli", now, finished_at=now, outcome="stopped", summary=told("1 written"))
    outcomes = tuple(Outcome(n, str(n), f"Image {n}", "new", (reason("not_reached"),)) for n in range(36))
    show_report(Screen(), Report(run, outcomes), Requests(total=1, writes=1, reads=0))
    said = capsys.readouterr().out
    assert "36 images were not reached: run apply again." in said
    assert "Image 3" not in said
