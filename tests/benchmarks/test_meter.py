"""The CPU of a server is that of all its processes."""

from __future__ import annotations

import subprocess
import sys

import meter

BURN = "import time\nwhile time.process_time() < 0.5: pass"
PARENT = f"""
import subprocess, sys
subprocess.run([sys.executable, "-c", {BURN!r}], check=True)
child = subprocess.Popen([sys.executable, "-c", {BURN + chr(10) + "print('done', flush=True); input()"!r}],
                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
print("both", flush=True)
input()
child.communicate(b"{chr(92)}n")
"""


def test_children_count_and_those_that_are_gone_too(monkeypatch) -> None:
    command = [sys.executable, "-c", PARENT]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "both\n"
        monkeypatch.setenv(meter.PIDS, str(process.pid))
        assert 0.9 <= meter.server_cpu() < 3.0
        process.communicate("\n")


def test_without_a_process_there_is_no_cpu(monkeypatch) -> None:
    monkeypatch.delenv(meter.PIDS, raising=False)
    assert meter.server_cpu() is None
    assert meter.since(None) is None
