"""Prometheus as Debian has it, and the names in its expressions."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import urllib.parse
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from browsing import ROOT, eventually

if TYPE_CHECKING:
    from pathlib import Path

RULES = ROOT / "systemd" / "alerts.yml"
GRAFANA = ROOT / "packages" / "grafana"
BOARD = GRAFANA / "skymmich-reconciler.json"
UNPACKED = ROOT / "build" / "prometheus" / "usr" / "bin"
"""Where ``.ci/run`` unpacks Debian's package: installed, it would be a service on this machine."""
ADDED = frozenset({"job", "instance"})
"""The labels that Prometheus itself adds to what it scrapes."""
_STRING = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'")
_GROUPED = re.compile(r"\b(by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)")
_SELECTED = re.compile(r"\{([^}]*)\}")
_LABEL = re.compile(r"(\w+)\s*(?:=~|!~|!=|=)")
_WORD = re.compile(r"\b[a-zA-Z_:][\w:]*\b(?!\s*\()")
_OPERATORS = frozenset({"and", "or", "unless", "bool", "offset", "by", "without", "on", "ignoring"})


def names_in(expression: str) -> tuple[set[str], set[str]]:
    """Return the metrics and the labels that an expression names."""
    bare = _STRING.sub('""', re.sub(r"\[[^\]]*\]", "", expression))
    groups = [part for _, inner in _GROUPED.findall(bare) for part in inner.split(",")]
    labels = {part.strip() for part in groups if part.strip()}
    labels |= {name for inner in _SELECTED.findall(bare) for name in _LABEL.findall(inner)}
    rest = _SELECTED.sub("", _GROUPED.sub("", bare))
    return {word for word in _WORD.findall(rest) if word not in _OPERATORS}, labels


def filled_in(expression: str) -> str:
    """Put in what Grafana puts in for its variables, where all jobs and instances are chosen."""
    for name, value in {"$__rate_interval": "1m", "$job": ".*", "$instance": ".*"}.items():
        expression = expression.replace(name, value)
    assert "$" not in expression, f"a variable that is not known here: {expression}"
    return expression


def program(name: str) -> str:
    """Find a program of Debian's package prometheus; skip without it."""
    path = f"{UNPACKED}:{os.environ.get('PATH', '')}"
    if found := shutil.which(name, path=path):
        return found
    pytest.skip(
        f"no {name} on this machine: apt download prometheus, then dpkg-deb -x it into build/prometheus"
    )
    return ""


def promtool(*arguments: object) -> str:
    """Run it; give what it says, and fail if it finds fault."""
    done = subprocess.run(
        [program("promtool"), *map(str, arguments)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


class Prometheus:
    """One that runs."""

    def __init__(self, url: str) -> None:
        self.url = url

    def ask(self, expression: str) -> list[dict]:
        """Return what an expression gives now, series by series."""
        query = urllib.parse.urlencode({"query": expression})
        with urllib.request.urlopen(f"{self.url}/api/v1/query?{query}", timeout=10) as answer:
            return json.load(answer)["data"]["result"]

    def answers(self) -> bool:
        """Tell whether it is ready to be asked."""
        try:
            with urllib.request.urlopen(f"{self.url}/-/ready", timeout=5) as answer:
                return answer.status == 200
        except OSError:
            return False


@contextmanager
def scraping(folder: Path, port: int, configuration: str):
    """Run it with a configuration that it reads from ``folder``."""
    command = program("prometheus")
    file = folder / "prometheus.yml"
    file.write_text(configuration)
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(
            [
                command, f"--config.file={file}", f"--storage.tsdb.path={folder}/tsdb",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            cwd=folder, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        found = Prometheus(f"http://127.0.0.1:{port}")
        eventually(lambda: found.answers() or process.poll() is not None, "Prometheus answers", 30)
        assert process.poll() is None, (folder / "prometheus.log").read_text()
        yield found
    finally:
        process.terminate()
        process.wait(20)
