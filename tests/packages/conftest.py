"""What is released, built once for the tests of a process: see ``packages/build.py`` and the ``Dockerfile``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.packages.steps import step

CHECKOUT = Path(__file__).resolve().parents[2]


def build(out: Path, *only: str) -> Path:
    """Build parts of a release of this checkout into a folder."""
    command = [sys.executable, CHECKOUT / "packages/build.py", "--worktree", "--out", out]
    done = subprocess.run(
        [*command, *(f"--only={what}" for what in only)],
        env=os.environ | {"SOURCE_DATE_EPOCH": "1700000000"},
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build sdist and wheel."""
    with step("sdist and wheel built"):
        return build(tmp_path_factory.mktemp("dist"), "sdist", "wheel")
