from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.cli.app import COMMANDS, USAGE, main

ROOT = Path(__file__).resolve().parents[2]


def test_help_lists_every_command_without_loading_what_only_they_need():
    program = (
        "import sys; from reconciler.cli.app import main; main(['--help']);"
        "print([name for name in ('httpx', 'sqlalchemy', 'pydantic', 'deepdiff') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT, env=os.environ | {"COLUMNS": "80"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.endswith("[]\n")
    for command in COMMANDS:
        assert f"│ {command} " in done.stdout


@pytest.mark.parametrize("command", sorted(set(COMMANDS) - {"simulator"}))
def test_every_command_explains_itself_and_has_its_options(command, capsys):
    assert main([command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert f"skymmich-reconciler {command}" in shown
    assert ("--json" in shown) == (command != "run")


def test_a_mistake_in_the_command_line_is_not_taken_for_a_plan_with_changes(capsys):
    assert main(["plan", "--nonsense"]) == USAGE
    assert main(["plna"]) == USAGE
    assert "Did you mean 'plan'?" in capsys.readouterr().err


def test_whoever_stops_reading_hears_no_complaint():
    command = f"{sys.executable} -m reconciler --help | true; {sys.executable} -m reconciler doctor --help | head -1"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
