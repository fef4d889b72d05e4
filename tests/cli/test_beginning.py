"""The first hour on the command line: apply begins, beside a daemon, too; who observes is refused."""

from __future__ import annotations

import json

import pytest

from reconciler.core.store_keys import BEGUN
from state.store import StateStore

RING, JELLYFISH = 19, 33


def begun(installation):
    with StateStore.open(installation.store, read_only=True) as store:
        return BEGUN.read(store)


@pytest.fixture
def asking(two):
    two.environ["RECONCILER_POLICY__MODE"] = "ask"
    return two


def test_plan_status_and_doctor_say_that_nothing_is_written_before_a_person_begins(asking):
    assert "Nothing is written yet" in asking.call("plan").stdout
    assert "Nothing is written yet" in asking.call("status").stdout
    told = json.loads(asking.call("status", "--json").stdout)
    assert (told["mode"], told["waits"]) == ("ask", True)
    assert "Nothing is written yet" in asking.call("doctor").stdout
    assert asking.writes == 0


def test_apply_with_consent_begins_for_ever(asking):
    assert asking.typed("apply", answer="n")[0] == 1
    assert begun(asking) is None
    assert asking.call("apply", "--yes").returncode == 0
    assert (begun(asking)["by"], begun(asking)["first"]) == ("apply", None)
    assert "Nothing is written yet" not in asking.call("plan").stdout
    assert "(apply)" in asking.call("doctor").stdout


def test_apply_of_one_image_begins_with_that_one_only(asking, serving):
    assert asking.call("apply", str(RING), "--yes").returncode == 0
    assert begun(asking)["first"] == [RING]
    with serving(asking):
        pass
    assert "✦" in asking.shown(RING)["description"]
    assert "✦" not in str(asking.shown(JELLYFISH)["description"])


def test_apply_beside_a_daemon_that_waits_has_it_begin(asking, serving):
    with serving(asking):
        assert asking.writes == 0
        told = asking.call("apply", "--yes", "--json")
        assert told.returncode == 0, told.stderr
        assert json.loads(told.stdout)["state"]["state"] == "done"
        assert "✦" in asking.shown(JELLYFISH)["description"]
        assert begun(asking)["by"] == "apply"


def test_after_an_undo_of_everything_it_has_still_begun(asking):
    assert asking.call("apply", "--yes").returncode == 0
    assert asking.call("undo", "--all", "--yes").returncode == 0
    assert begun(asking)["first"] is None
    assert asking.call("redo", "--all", "--yes").returncode == 0


def test_who_observes_is_refused_with_the_reason_and_what_to_do(asking):
    assert asking.call("apply", "--yes").returncode == 0
    asking.person(RING, "set_description", "")
    writes = asking.writes
    asking.environ["RECONCILER_POLICY__MODE"] = "observe"
    for command in (
        ("apply", "--yes"),
        ("apply", "--force", "--yes", str(RING)),
        ("undo", "--all", "--yes"),
        ("redo", "--all", "--yes"),
        ("adopt", "--yes"),
        ("resolve", str(RING), "--keep", "skymmich", "--yes"),
    ):
        refused = asking.call(*command)
        assert refused.returncode == 1, command
        assert "only observes" in refused.stderr, command
        assert 'mode = "ask"' in refused.stderr, command
    assert "only observes" in asking.call("plan").stdout
    assert "only observes" in asking.call("doctor").stdout
    assert asking.writes == writes
