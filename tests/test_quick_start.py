"""A process that ``tests/quick_start.py`` starts is to a test what one is that its user starts."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.quick_start import ROOT, QuickProcess

PIPED = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}


def told(popen, *arguments, **environ):
    """Give what a command says, and its code."""
    command = [sys.executable, "-m", "reconciler", *arguments]
    environ = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **environ}
    with popen(command, env=environ, stdin=subprocess.DEVNULL, **PIPED) as process:
        out, err = process.communicate(timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize(
    "arguments", [["--version"], ["status"], ["plan", "--json"], ["run", "--config", "none.toml"], ["never"]]
)
def test_it_says_and_ends_as_one_that_its_user_starts(tmp_path, arguments):
    environ = {"HOME": str(tmp_path), "PYTHONWARNINGS": "error"}
    quick = told(QuickProcess, *arguments, **environ)
    assert quick == told(subprocess.Popen, *arguments, **environ)
    assert "".join(quick[1:])


def test_it_has_its_own_process_id_streams_and_signals(tmp_path):
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "reconciler", "simulator"]
    with (
        QuickProcess(command, env=environ, **PIPED) as one,
        QuickProcess(command, env=environ, **PIPED) as other,
    ):
        assert one.stdout.readline().startswith("URL: http://127.0.0.1:")
        assert other.stdout.readline() != one.stdout.readline()
        assert one.pid != other.pid
        assert (one.poll(), other.poll()) == (None, None)
        with pytest.raises(subprocess.TimeoutExpired):
            one.wait(0.01)
        one.kill()
        assert one.wait(60) == -signal.SIGKILL
        assert not Path(f"/proc/{one.pid}").exists()
        assert other.poll() is None
        other.terminate()
        assert other.wait(60) == 0


def test_what_is_for_the_interpreter_starts_an_interpreter(tmp_path):
    """Here the encoding of what it writes."""
    found = told(QuickProcess, "--help", HOME=str(tmp_path), PYTHONIOENCODING="ascii")
    assert found == told(subprocess.Popen, "--help", HOME=str(tmp_path), PYTHONIOENCODING="ascii")
    assert found[0] == 0
