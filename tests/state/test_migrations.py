"""The schema in the migrations is the schema in the tables, and it needs nothing but the package."""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
from contextlib import closing

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.dialects import sqlite
from sqlalchemy.schema import CreateTable

from reconciler.core.reasons import reason, told
from reconciler.errors import StateError
from state import migrations, opening
from state.store import StateStore
from state.tables import METADATA
from tests import quick_schema as quick

OF_FILES = True


@pytest.fixture(scope="module", autouse=True)
def quick_schema():
    """None here: the migrations run each time."""


def schema(path):
    with closing(sqlite3.connect(path)) as connection:
        return {
            name: " ".join(sql.replace('"', "").split())
            for name, sql in connection.execute(
                "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT GLOB 'sqlite_*'"
            )
        }


def test_autogenerate_finds_no_difference(store):
    with store.database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_the_schema_that_other_tests_copy_is_that_of_the_migrations(store, tmp_path, monkeypatch):
    monkeypatch.setattr(opening, "upgrade", quick.upgrade)
    asked = (
        "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY name",
        "SELECT * FROM alembic_version",
        "PRAGMA application_id",
        "PRAGMA user_version",
    )
    with StateStore.open(tmp_path / "copied.sqlite3") as copied:
        copy, original = ([_read(path, one) for one in asked] for path in (copied.file, store.file))
    assert copy == original
    assert len(copy[0]) > 20


def _read(path, statement):
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(statement).fetchall()


def test_checks_and_options_are_the_same_too(store):
    """Autogenerate does not compare these: CHECK, WITHOUT ROWID, AUTOINCREMENT."""
    made = schema(store.file)
    del made["alembic_version"]
    for name, table in METADATA.tables.items():
        wanted = str(CreateTable(table).compile(dialect=sqlite.dialect()))
        have = made.pop(name)
        for mark in ("CHECK", "WITHOUT ROWID", "AUTOINCREMENT", "ON DELETE CASCADE"):
            assert have.count(mark) == wanted.count(mark), (name, mark)
        for check in table.constraints:
            if check.name and str(check.name).startswith("ck_"):
                assert f"CHECK ({check.sqltext})" in have
    assert made == {}


def test_the_named_head_is_the_newest_revision():
    scripts = ScriptDirectory.from_config(migrations._config())
    assert scripts.get_heads() == [migrations.HEAD]
    assert migrations.is_known(migrations.HEAD)
    assert not migrations.is_known("9999")


def test_opening_again_changes_no_table(path):
    StateStore.open(path).close()
    before = schema(path)
    StateStore.open(path).close()
    assert schema(path) == before


def test_an_upgrade_that_fails_leaves_the_store_as_it_was(path):
    """A store killed or full in mid-upgrade is at the revision before, whole."""
    with StateStore.open(path) as store, store.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM alembic_version")
    before = schema(path)
    with pytest.raises(StateError, match="already exists"):
        StateStore.open(path)
    assert schema(path) == before


def store_of_version(path, number):
    """Make an empty store by the revisions up to one of them, as a version of this program of then did."""
    engine = create_engine(f"sqlite:///{path}")
    with engine.begin() as connection:
        config = migrations._config()
        config.attributes["connection"] = connection
        command.upgrade(config, number)
    engine.dispose()


def copies(path):
    return sorted(file.name for file in path.parent.glob("backups/*"))


def test_a_store_is_copied_before_it_is_brought_up_to_date_and_the_last_such_copy_is_kept(path):
    store_of_version(path, "0003")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("INSERT INTO meta (key, value) VALUES ('mine', '1')")
    with StateStore.open(path) as store:
        assert copies(path) == [f"{path.stem}-before-migration-of-0003.sqlite3"]
        kept = path.parent / "backups" / copies(path)[0]
        assert str(kept) in store.warnings[-1]
        assert store.get("mine") == 1
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    with closing(sqlite3.connect(kept)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0003",)]
        assert connection.execute("SELECT value FROM meta WHERE key = 'mine'").fetchall() == [("1",)]
    with StateStore.open(path) as store:
        assert store.warnings == ()
    path.unlink()
    store_of_version(path, "0005")
    StateStore.open(path).close()
    assert copies(path) == [f"{path.stem}-before-migration-of-0005.sqlite3"]


def test_a_new_store_needs_no_copy(path):
    StateStore.open(path).close()
    assert copies(path) == []


def test_a_store_of_which_no_copy_can_be_made_stays_as_it_is(path):
    store_of_version(path, "0005")
    before = path.read_bytes()
    (path.parent / "backups").write_text("no folder", encoding="utf-8")
    with pytest.raises(StateError, match="was not brought up to date"):
        StateStore.open(path)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT version_num FROM alembic_version").fetchall() == [("0005",)]
    assert len(path.read_bytes()) == len(before)


UNCONFIRMED = (
    "waiting for Immich: it took the write and shows it, but its queue has not come to it, so that it may "
    "still be put back; it is looked at again once Immich goes on"
)
OLD = [
    ("held", "held:0123456789abcdef0123:fedcba9876543210fedc", "held", "the guard holds back “it”", []),
    ("fine", "fedcba9876543210fedc", "in_sync", "", []),
    ("waits", "", "pending", UNCONFIRMED, []),
    (
        "lost",
        "fedcba9876543210fedc",
        "not_sticking",
        "block: Immich put the old value back\x00.",
        [
            {
                "field": "block",
                "desired": "d",
                "live": "l",
                "server": "2.7.5",
                "diagnosis": "Immich put it back",
                "undone": False,
            }
        ],
    ),
]


def test_a_store_whose_reasons_were_texts_goes_on_where_it_stood(path):
    """Made the old way: texts stay as they are, what the guard holds is split off, what decides decides on."""
    store_of_version(path, "0003")
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.executemany(
            "INSERT INTO assets (asset_id, image_id, title, title_key, fingerprint, status, reason, "
            "unsticking, linked) VALUES (?, 1, '', '', ?, ?, ?, ?, 1)",
            [(*row[:4], json.dumps(row[4])) for row in OLD],
        )
    with StateStore.open(path) as store:
        found = store.records()
        assert store.held_ids() == {"held": "0123456789abcdef0123"}
    assert {key: (one.held, one.fingerprint) for key, one in found.items()} == {
        "held": ("0123456789abcdef0123", "fedcba9876543210fedc"),
        "fine": ("", "fedcba9876543210fedc"),
        "waits": ("", ""),
        "lost": ("", "fedcba9876543210fedc"),
    }
    assert {key: one.reasons for key, one in found.items()} == {
        "held": told("the guard holds back “it”"),
        "fine": (),
        "waits": (reason("unconfirmed"),),
        "lost": told("block: Immich put the old value back\x00."),
    }
    (entry,) = found["lost"].unsticking
    assert (entry.diagnosis, entry.live) == (reason("told", text="Immich put it back"), "l")


def test_what_is_in_a_store_as_reasons_and_is_none_is_told(store, make):
    store.save_records([make.record("a"), make.record("b")])
    with closing(sqlite3.connect(store.file)) as connection, connection:
        connection.execute("UPDATE assets SET reason = 'a text' WHERE asset_id = 'a'")
        connection.execute("UPDATE assets SET reason = '7' WHERE asset_id = 'b'")
    assert [one.reasons for one in store.records().values()] == [told("a text"), told("7")]


def test_the_store_opens_from_an_installed_copy_without_any_ini_file(spawn, tmp_path):
    """As from a wheel: a copy of the two packages elsewhere, and a working folder that is not the project."""
    root = tmp_path / "site 100%"
    for package in ("state", "reconciler"):
        source = __import__(package).__path__[0]
        shutil.copytree(source, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    code = (
        "import os\n"
        "sys.path.insert(0, argv[0])\n"
        "os.chdir(argv[1])\n"
        "import state\n"
        "from state.store import StateStore\n"
        "store = StateStore.open('s.sqlite3')\n"
        "store.put('key', 1)\n"
        "say(state.__file__)\n"
        "say(store.get('key'))\n"
    )
    child = spawn(code, root, tmp_path)
    assert child.stdout.readline() == f"{root / 'state' / '__init__.py'}\n"
    assert child.stdout.readline() == "1\n"


def test_a_developer_gets_a_new_revision_from_a_change(spawn, tmp_path):
    """The way that ``state.migrations`` describes works, and finds nothing to do today."""
    root = tmp_path / "checkout"
    for package in ("state", "reconciler"):
        source = __import__(package).__path__[0]
        shutil.copytree(source, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    code = (
        "sys.path.insert(0, argv[0])\n"
        "from state.store import StateStore\n"
        "StateStore.open(argv[1]).close()\n"
        "from state.migrations import revision\n"
        "revision('Say what changes', argv[1])\n"
    )
    child = spawn(code, root, tmp_path / "scratch.sqlite3")
    assert child.wait(60) == 0
    (made,) = (root / "state" / "migrations" / "versions").glob("*_say_what_changes.py")
    text = made.read_text()
    assert made.name == f"revision_{int(migrations.HEAD) + 1:04}_say_what_changes.py"
    assert '"""Say what changes."""' in text
    assert "op.create" not in text
    assert "op.drop" not in text


def test_the_oldest_values_of_a_journal_are_kept_apart_from_it(path):
    """Each field's oldest one, but of an undo; whose a replaced value was is not known of an older version."""
    store_of_version(path, "0004")
    day = "2026-01-{:02} 00:00:00.000000".format
    rows = [
        ("undo", "a", "description", '"of an undo"', day(1)),
        ("r1", "a", "description", '"first"', day(2)),
        ("r2", "a", "description", '"second"', day(3)),
        ("r1", "a", "coordinates", "null", day(2)),
        ("r1", "a", "tags", "[]", day(2)),
    ]
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(
            'INSERT INTO runs (run_id, "trigger", started_at, outcome, summary, counts) '
            "VALUES ('undo', 'undo', ?, 'ok', '', '{}')",
            (day(1),),
        )
        connection.executemany(
            "INSERT INTO journal (run_id, asset_id, image_id, field, before, after, at) "
            "VALUES (?, ?, 1, ?, ?, 'null', ?)",
            rows,
        )
    with StateStore.open(path) as store:
        found = {one.field: one.value for one in store.former_of(["a"])["a"]}
        assert {one.ours for one in store.journal_of(asset_id="a")} == {()}
    assert found == {"description": "first", "coordinates": None}
