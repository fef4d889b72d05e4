"""Completion in the shells themselves: somebody types, presses Tab, and looks at the line."""

from __future__ import annotations

import os
import pty
import select
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SHELLS = {
    "bash": (
        ["bash", "--norc", "--noprofile", "-i"],
        "bind 'set enable-bracketed-paste off'; source <(skymmich-reconciler completion bash)",
    ),
    "zsh": (
        ["zsh", "-f", "-i"],
        "autoload -Uz compinit; compinit -u -D; source <(skymmich-reconciler completion zsh)",
    ),
    "fish": (
        ["fish", "--no-config", "-i"],
        "skymmich-reconciler completion fish | source",
    ),
}


class Shell:
    """A shell on a terminal."""

    def __init__(self, command, environ):
        self._leader, follower = pty.openpty()
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *command], env=environ, stdin=follower, stdout=follower, stderr=follower
        )
        os.close(follower)
        self.shown = ""

    def types(self, text):
        os.write(self._leader, text.encode())

    def wait_for(self, text, *, seconds=30):
        """Read until a text was shown since the last time."""
        end, since = time.monotonic() + seconds, len(self.shown)
        while text not in self.shown[since:]:
            assert time.monotonic() < end, f"no {text!r} in {self.shown!r}"
            if select.select([self._leader], [], [], 0.1)[0]:
                self.shown += os.read(self._leader, 65536).decode(errors="replace")

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self._leader)


@pytest.fixture
def environ(tmp_path):
    """Put the program on the PATH: completing it is the real one, anything else says what it was called with."""
    program = tmp_path / "skymmich-reconciler"
    program.write_text(
        '#!/bin/sh\nif [ -n "$_SKYMMICH_RECONCILER_COMPLETE" ] || [ "$1" = completion ]; then\n'
        f'\tcd "{ROOT}" && exec "{sys.executable}" -m reconciler "$@"\nfi\necho "called with: $*."\n'
    )
    program.chmod(0o755)
    path = f"{tmp_path}:{os.environ['PATH']}"
    return {"PATH": path, "HOME": str(tmp_path), "TERM": "dumb", "LANG": "C.UTF-8", "PS1": "ready> "}


@pytest.mark.parametrize("name", SHELLS)
def test_a_shell_completes_commands_options_and_what_they_take(name, environ):
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    command, setup = SHELLS[name]
    shell = Shell(command, environ)
    try:
        shell.types(f"{setup}; echo is' 'set\n")
        shell.wait_for("is set")
        for typed, completed in (
            ("skymmich-reconciler reso\t", "resolve"),
            ("--ke\t", "--keep"),
            ("sk\t", "skymmich"),
        ):
            shell.types(typed)
            shell.wait_for(completed)
        shell.types("\n")
        shell.wait_for("called with: resolve --keep skymmich.")
    finally:
        shell.close()


def test_zsh_completes_a_line_at_the_first_tab_where_the_package_put_its_file(environ, tmp_path):
    """It is loaded only then, and has to answer at once."""
    if shutil.which("zsh") is None:
        pytest.skip("zsh is not installed")
    functions = tmp_path / "vendor-completions"
    functions.mkdir()
    code = "import sys; sys.path.insert(0, 'packages'); import debian; from pathlib import Path;"
    code += f"print(debian.completion('zsh', Path({str(ROOT)!r}), sys.executable))"
    text = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    (functions / "_skymmich-reconciler").write_text(text.stdout)
    shell = Shell(["zsh", "-f", "-i"], environ)
    try:
        shell.types(f"fpath=({functions} $fpath); autoload -Uz compinit; compinit -u -D; echo is' 'set\n")
        shell.wait_for("is set")
        shell.types("skymmich-reconciler reso\t")
        shell.wait_for("resolve")
        shell.types("\n")
        shell.wait_for("called with: resolve.")
    finally:
        shell.close()


def completed(shell, line):
    """Give what the program offers a shell for a line."""
    words = line.split(" ")
    asked = {
        "_SKYMMICH_RECONCILER_COMPLETE": f"complete_{shell}", "_TYPER_COMPLETE_FISH_ACTION": "get-args",
        "COMP_WORDS": line, "COMP_CWORD": str(len(words) - 1), "_TYPER_COMPLETE_ARGS": line,
    }  # fmt: skip
    return subprocess.run(
        [sys.executable, "-m", "reconciler"], cwd=ROOT, env=os.environ | asked | {"COLUMNS": "40"},
        capture_output=True, text=True, check=False, timeout=30,
    ).stdout.splitlines()  # fmt: skip


def test_every_option_is_one_line_with_what_it_does_however_narrow_the_terminal():
    offered = completed("fish", "skymmich-reconciler apply --")
    assert [line.partition("\t")[0] for line in offered][:4] == ["--yes", "--force", "--approve", "--full"]
    assert all(line.startswith("--") and "\t" in line for line in offered)


def test_a_command_in_a_command_is_completed():
    assert completed("bash", "skymmich-reconciler settings f") == ["follow"]
