"""Commands beside a real daemon: whether it is the one of this store, and what it does at once for them."""

from __future__ import annotations

import json
import re
import shutil
import time

from reconciler.core.store_keys import PAUSED
from state.store import StateStore

RING, JELLYFISH = 19, 33
TOKEN = "a-token-that-nobody-guesses"


def until(true, seconds=60):
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)


def status(installation, **environ):
    return json.loads(installation.call("status", "--json", **environ).stdout)


def test_status_knows_whether_the_daemon_that_answers_has_this_store(two, serving):
    with serving(two):
        own = status(two)
        assert (own["daemon"], own["same_store"]) == (True, True)
        # Another installation on this machine, which forgot to take another port.
        other = two.folder / "other.sqlite3"
        shutil.copy(two.store, other)
        strange = two.call("status", RECONCILER_STATE__URL=str(other))
        listed = status(two, RECONCILER_STATE__URL=str(other))
        not_there = two.call("status", RECONCILER_STATE__URL=str(two.folder / "none.sqlite3"))
    assert strange.returncode == not_there.returncode == 3
    for shown in (strange.stdout, not_there.stdout):
        assert "it is another installation's" in shown
    assert str(other) in strange.stdout
    assert (listed["daemon"], listed["same_store"], "headline" in listed) == (False, False, False)


def test_status_knows_it_also_where_the_daemon_wants_another_token(two, serving):
    with serving(two, RECONCILER_STATUS__TOKEN=TOKEN):
        refused = two.call("status")
        other = two.folder / "other.sqlite3"
        shutil.copy(two.store, other)
        strange = two.call("status", RECONCILER_STATE__URL=str(other))
        let_in = status(two, RECONCILER_STATUS__TOKEN=TOKEN)
    assert refused.returncode == 1
    assert ", and has this state store, but it does not tell how things stand" in refused.stdout
    assert strange.returncode == 3
    assert "it is another installation's" in strange.stdout
    assert let_in["same_store"] is True


def test_the_daemon_is_paused_and_resumed_at_once(two, serving):
    with serving(two):
        paused = two.call("pause")
        assert (paused.returncode, paused.stderr) == (0, "")
        assert "It holds at once." in paused.stdout
        assert status(two)["paused"] is True
        done = json.loads(two.call("resume", "--json").stdout)
        assert done == {"paused": False, "daemon": True, "at_once": True}
        assert status(two)["paused"] is False


def test_a_daemon_that_could_not_be_told_goes_by_the_store(two, serving):
    """It wants a token that the command does not have; the next thing that happens finds it paused."""
    two.configure("[schedule]\ncatalogue_seconds = 1\nimmich_seconds = 1\ndebounce_seconds = 0.1\n")
    token = {"RECONCILER_STATUS__TOKEN": TOKEN}
    with serving(two, **token):
        assert "goes by it from its next look on" in two.call("pause").stdout
        until(lambda: status(two, **token)["paused"])
        assert "goes by it from its next look on" in two.call("resume").stdout
        until(lambda: not status(two, **token)["paused"])


def test_without_a_daemon_a_pause_waits_for_the_next_one_and_status_says_so(two):
    assert "No daemon runs; the next one that is started goes by it." in two.call("pause").stdout
    with StateStore.open(two.store) as store:
        assert PAUSED.is_kept(store)
    assert re.search(r"Paused \d.*; to go on: skymmich-reconciler resume", two.call("status").stdout)
    two.call("resume")
    assert "Paused" not in two.call("status").stdout


def test_a_template_is_shown_tried_and_set_only_once_it_was_agreed_to(two, tmp_path):
    assert "{{ heading }}" in two.call("template").stdout
    file = tmp_path / "short.j2"
    file.write_text("✦ {{ title }}\nSeen.\n")
    tried = two.call("template", "try", str(file), "jelly")
    assert tried.stdout == "✦ Jellyfish\nSeen.\n— Skymmich\n"
    unasked = two.call("template", "set", str(file))
    assert unasked.returncode == 1
    assert "With this template: 2 images: 2 to write." in unasked.stdout
    assert "description  2 to add" in unasked.stdout
    assert "+ Seen." in unasked.stdout
    assert "nothing was changed" in unasked.stderr
    assert "{{ heading }}" in two.call("template").stdout
    done = two.call("template", "set", str(file), "--yes")
    assert (done.returncode, "Saved. No daemon runs" in done.stdout) == (0, True)
    shown = two.call("template")
    assert shown.stdout == file.read_text()
    assert "this program's own store" in shown.stderr
    assert "+ Seen." in two.call("plan").stdout
    again = two.call("template", "reset", "--yes")
    assert "The configured one is in use again" in again.stdout
    assert "{{ heading }}" in two.call("template").stdout
    assert two.writes == 0


def test_a_template_that_fails_is_told_with_its_line_and_changes_nothing(two, tmp_path):
    file = tmp_path / "failing.j2"
    file.write_text("fine\n{{ nonsense.more }}\n")
    for words in (["set", str(file), "--yes"], ["try", str(file)]):
        done = two.call("template", *words)
        assert done.returncode == 1
        assert f"{file}:2:" in done.stderr
    assert "{{ heading }}" in two.call("template").stdout


def test_the_daemon_takes_a_template_at_once(two, serving, tmp_path):
    assert two.call("apply", "--yes").returncode == 0
    file = tmp_path / "short.j2"
    file.write_text("✦ {{ title }}\nSeen.\n")
    with serving(two):
        until(lambda: status(two)["level"] == "ok")
        done = two.call("template", "set", str(file), "--yes")
        assert "The daemon takes it now." in done.stdout
        until(lambda: "Seen." in two.shown(JELLYFISH)["description"])


def test_the_first_run_after_an_apply_complains_of_no_unclean_end(two, serving):
    assert two.run("apply", "--yes").returncode == 0
    with serving(two) as daemon:
        assert any('"ready"' in line for line in daemon.said)
        assert not [line for line in daemon.said if '"level": "warning"' in line]


def test_the_first_run_of_the_daemon_after_an_apply_warns_of_no_unclean_end(two, serving):
    assert two.call("apply", "--yes").returncode == 0
    with serving(two) as process:
        said = "".join(process.said)
    assert '"ready"' in said
    assert "the last end was not a clean one" not in said
    assert '"level": "warning"' not in said
