"""A planted key must appear nowhere that this program can write to, whatever goes wrong."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

RING, JELLYFISH = 19, 33
WRONG = "PLANTEDwrongKEY0123456789abcdefghijklmnop"
STATUS = "PLANTEDtokenSTATUS0123456789"


def _watched(installation, *commands, **environ):
    """Run them side by side; give all that each wrote to its streams, what others see of it, and its code."""
    installation.popen = subprocess.Popen  # what others see of it is as its user starts it
    processes = [installation.started(*command, **environ) for command in commands]
    command_lines = [Path(f"/proc/{process.pid}/cmdline").read_text() for process in processes]
    said = [process.communicate(timeout=50) for process in processes]
    return [
        (out + err + line, process.returncode)
        for process, (out, err), line in zip(processes, said, command_lines, strict=True)
    ]


@pytest.mark.parametrize("place", ["settings", "file", "environment"])
def test_a_key_is_shown_nowhere_where_all_goes_well(install, place):
    with install(RING, JELLYFISH) as it:
        key = it.simulator.api_key
        it.environ = {"RECONCILER_IMMICH__API_KEY": key} if place == "environment" else {}
        waves = [[["plan", "--verbose"]]]
        _without_key(it)
        if place == "settings":
            it.sql(
                "UPDATE admin_settings SET value = json_set(value, '$.apiKey', ?) WHERE key = 'immich'", key
            )
            waves = [
                [["doctor", "--verbose"]],
                [["plan", "--verbose", "--out", str(it.folder / "plan.json")]],
                [["apply", "--yes", "--verbose"]],
                [["explain", "33", "--json"], ["history", "--json"], ["status", "--json"]],
            ]
        if place == "file":
            (it.folder / "key").write_text(key)
            (it.folder / "key").chmod(0o600)
            it.environ = {"RECONCILER_IMMICH__API_KEY_FILE": str(it.folder / "key")}
        for shown, code in [one for wave in waves for one in _watched(it, *wave)]:
            assert code in {0, 2, 3}, shown
            assert key not in shown
        for file in it.folder.glob("*.json"):
            assert key not in file.read_text()
        for file in it.folder.glob("state.sqlite3*"):
            assert key.encode() not in file.read_bytes()


def _without_key(installation):
    original = installation._environment

    def environment(more):
        base = original(more)
        if "RECONCILER_IMMICH__API_KEY" not in installation.environ:
            del base["RECONCILER_IMMICH__API_KEY"]
        return base

    installation._environment = environment


def test_a_key_is_shown_nowhere_where_all_goes_wrong(install):
    with install(RING, JELLYFISH) as it:
        it.sql("UPDATE astrophotography_images SET tags = '{\"apiKey\":', latitude = 'x'")
        it.environ = {"RECONCILER_IMMICH__API_KEY": WRONG, "RECONCILER_STATUS__TOKEN": STATUS}
        shown = _watched(it, ["plan", "--verbose"], ["doctor", "--json"])
        it.configure(url="http://user:PLANTEDpassword@127.0.0.1:1")
        shown += _watched(it, ["apply", "--yes", "--verbose"], ["explain", "33"])
        it.config.write_text(f'[immich]\napi_key = "{WRONG}"\n')
        shown += _watched(it, ["plan"])
        for text, code in shown:
            assert code in {1, 3, 78}
            assert "PLANTED" not in text
            assert "Traceback" not in text
        for file in it.folder.glob("state.sqlite3*"):
            assert b"PLANTED" not in file.read_bytes()


def test_what_nobody_expected_is_logged_without_secrets_and_said_in_one_line(capsys, monkeypatch):
    from reconciler.cli import app
    from reconciler.redaction import register_secret

    register_secret(WRONG)

    def fail(_):
        raise RuntimeError(f"with {WRONG}")

    monkeypatch.setattr(app, "_call", fail)
    assert app.main(["status", "--json"]) == 1
    out, err = capsys.readouterr()
    assert json.loads(out)["error"] == "This is a fault of the program: RuntimeError."
    assert "RuntimeError" in err
    assert WRONG not in out + err
