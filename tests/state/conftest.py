"""What the tests of the state store share: a store in a file, moments, and other processes."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import psycopg
import pytest

from reconciler.core.asset import Applied
from reconciler.core.records import AssetRecord, JournalEntry, PendingWrite, Run
from state.store import StateStore
from tests.postgres_server import server  # noqa: F401 - a fixture

ROOT = Path(__file__).resolve().parents[2]
NOON = datetime(2025, 3, 14, 12, 0, 0, 123456, tzinfo=UTC)


SINCE_0002 = {
    "assets": ("held", "more", "taken_back", "taken_at"),
    "journal": ("ours",),
    "pending_writes": (
        "gives_back", "beside", "taken_at", "keeps_day", "visibility", "is_trashed", "by_hand",
    ),
}  # fmt: skip
"""Columns that came after revision 0002, by table."""


def set_back(path, revision, *more):
    """Make a store of today one of revision 0002; of an earlier one without ``more`` tables, too."""
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in (*more, "crossings", "losses", "unshared", "former_values", "left_out", "carry_overs"):
            connection.execute(f"DROP TABLE {table}")
        for table, columns in SINCE_0002.items():
            for column in columns:
                connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))


@pytest.fixture
def noon():
    return NOON


class Clock:
    """A wall clock that a test sets."""

    def __init__(self, now):
        self.now = now

    def __call__(self):
        return self.now


@pytest.fixture
def clock(noon):
    return Clock(noon)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.sqlite3"


def pytest_generate_tests(metafunc):
    """Run what is not about files with rows in PostgreSQL, too: a test that asks for ``path`` is."""
    if "backend" in metafunc.fixturenames:
        of_files = "path" in metafunc.fixturenames or getattr(metafunc.module, "OF_FILES", False)
        both = getattr(metafunc.module, "BACKENDS", ["file", "postgresql"])
        metafunc.parametrize("backend", ["file"] if of_files else both)


_INSTALLATIONS = count()


@pytest.fixture(scope="session")
def club(server):
    """The address of a database that several installations share, as a user who owns it and nothing else."""
    with psycopg.connect(f"postgresql://postgres@/postgres?host={server}", autocommit=True) as connection:
        connection.execute("CREATE ROLE keeper LOGIN")
        connection.execute("CREATE DATABASE club OWNER keeper")
    return f"postgresql://keeper@/club?host={server}"


@pytest.fixture
def target(backend, request):
    """Where a store is to be: a path, or an installation of a database that other tests use as well."""
    if backend == "file":
        return request.getfixturevalue("path")
    return f"{request.getfixturevalue('club')}#t{next(_INSTALLATIONS)}"


@pytest.fixture
def store(target):
    with StateStore.open(target) as opened:
        opened.target = target
        yield opened


@pytest.fixture
def make():
    """Builders of each record type, of which a test names only what it is about."""

    class Make:
        @staticmethod
        def record(asset_id="a", **changes):
            return AssetRecord(asset_id=asset_id, **{"image_id": 1, **changes})

        @staticmethod
        def pending(asset_id="a", **changes):
            given = {
                "image_id": 1,
                "run_id": "r1",
                "step": "fields",
                "sent": False,
                "before_updated_at": NOON,
            }
            return PendingWrite(asset_id=asset_id, **{**given, **changes})

        @staticmethod
        def entry(asset_id="a", **changes):
            given = {
                "run_id": "r1",
                "image_id": 1,
                "field": "description",
                "before": "",
                "after": "x",
                "at": NOON,
            }
            return JournalEntry(asset_id=asset_id, **{**given, **changes})

        @staticmethod
        def run(run_id="r1", **changes):
            return Run(run_id=run_id, **{"trigger": "cli", "started_at": NOON, **changes})

    return Make


@pytest.fixture
def empty(server, request):
    """The address of a database of its own in which nothing is; its owner may make no role."""
    name = f"e{abs(hash(request.node.nodeid)):x}"
    with psycopg.connect(f"postgresql://postgres@/postgres?host={server}", autocommit=True) as connection:
        connection.execute(
            "DO $$ BEGIN CREATE ROLE owner LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
        )
        connection.execute(f"CREATE DATABASE {name} OWNER owner")
    return f"postgresql://owner@/{name}?host={server}"


@pytest.fixture
def full(make, noon):
    """Fill a store with a bit of everything that a file has to hold, too."""

    def fill(store, title="M 31"):
        applied = Applied("block", "prose", None, frozenset({"sky/M 31", "sky/M 32"}))
        store.save_records([make.record("a", title=title, applied=applied, image_id=2**40), make.record("b")])
        store.start_run(make.run())
        store.journal([make.entry("a", before="his words", after="ours"), make.entry("b")])
        store.save_pending([make.pending("b", tags=frozenset({"x"}))])
        store.put("kept", {"a": [1, None, "ü"]})

    return fill


def held(store):
    return (
        store.records(), store.pending(), store.journal_of(), store.runs(9), store.get("kept"),
        store.unshared(9), store.left_out_of(["a"]),
    )  # fmt: skip


@pytest.fixture
def spawn():
    """Start Python code in a process of its own; all are ended and reaped at the end.

    The code sees ``argv``, and ``say``, which prints a line at once.
    """
    children = []

    def start(code, *arguments):
        head = "import sys\nargv = sys.argv[1:]\nsay = lambda line: print(line, flush=True)\n"
        child = subprocess.Popen(
            [sys.executable, "-c", head + code, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.kill()
        child.wait()
        child.stdin.close()
        child.stdout.close()
