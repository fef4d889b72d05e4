from __future__ import annotations

import os
import re
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
    assert ("--json" in shown) == (command not in {"run", "worker", "pages", "completion"})


def test_a_mistake_in_the_command_line_is_not_taken_for_a_plan_with_changes(capsys):
    assert main(["plan", "--nonsense"]) == USAGE
    assert main(["plna"]) == USAGE
    assert "Did you mean 'plan'?" in capsys.readouterr().err


def test_whoever_stops_reading_hears_no_complaint():
    command = f"{sys.executable} -m reconciler --help | true; {sys.executable} -m reconciler doctor --help | head -1"
    done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""


@pytest.mark.parametrize(
    "command", ["", *sorted(set(COMMANDS) - {"simulator"}), "settings set", "settings follow"]
)
def test_help_fits_80_columns_and_shows_no_type_beside_a_flag(command, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main([*command.split(), "--help"]) == 0
    shown = capsys.readouterr().out
    assert max(map(len, shown.splitlines())) <= 80
    assert not re.search(r"<[a-z]", shown)
    assert "…" not in shown
    assert "[[" not in shown
    (explained,) = re.findall(r"--help +-h +(.*?) *│", shown)
    assert explained == "Show this message and exit."


def test_a_paragraph_of_help_is_as_wide_as_the_terminal(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "200")
    assert main(["apply", "--help"]) == 0
    assert "1 when something is left or held back, 130 or 143 when stopped." in capsys.readouterr().out


def test_without_a_command_there_is_the_help_and_no_complaint(capsys):
    assert main([]) == USAGE
    out, err = capsys.readouterr()
    assert "Begin here" in out
    assert err == ""


def test_the_version_is_asked_for_by_itself(capsys):
    assert main(["--version"]) == 0
    assert re.fullmatch(r"skymmich-reconciler \d+\.\d+\.\d+\n", capsys.readouterr().out)
