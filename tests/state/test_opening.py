"""Opening: where, with which rights, and what becomes of a store that is odd, newer, foreign or damaged."""

from __future__ import annotations

import hashlib
import os
import re
import sqlite3
import stat
import tempfile
import threading
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reconciler.core.reasons import told
from reconciler.errors import ConfigurationError, StateCorruptError, StateError, StateTooNewError
from state import database, looking, opening
from state.store import StateStore

OF_FILES = True


@pytest.fixture(scope="module", autouse=True)
def quick_schema():
    """None here: the migrations run each time."""


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def digest(folder):
    """Every file of a folder but the index of the log, which readers share."""
    files = [file for file in sorted(folder.iterdir()) if not file.name.endswith("-shm")]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def alter(path, statement):
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)


@pytest.fixture
def filled(path, make):
    """A closed store with so many pages that any of them can be damaged."""
    with StateStore.open(path) as store:
        store.save_records([make.record(f"{n}", title=f"M{n}", reasons=told("x" * 500)) for n in range(300)])
    return path


@pytest.mark.parametrize("form", ["sqlite:///{}", "{}"])
def test_a_url_and_a_plain_path_name_the_same_file(path, form):
    with StateStore.open(form.format(path)) as store:
        assert store.file == path
    assert path.exists()


def test_the_home_folder_and_a_relative_path_are_understood(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with StateStore.open("sqlite:///~/a.sqlite3") as one, StateStore.open("sqlite:///b.sqlite3") as other:
        assert (one.file, other.file) == (tmp_path / "a.sqlite3", tmp_path / "b.sqlite3")


@pytest.mark.parametrize("name", ["with blank.db", "100%?#&.db", "✦ é.db"])
def test_odd_file_names_work(tmp_path, name):
    with StateStore.open(tmp_path / name) as store:
        store.put("key", 1)
    with StateStore.open(tmp_path / name, read_only=True) as store:
        assert store.get("key") == 1
    assert {file.name.removesuffix("-wal").removesuffix("-shm") for file in tmp_path.iterdir()} == {name}


@pytest.mark.parametrize(
    "target",
    [
        "mysql://user:hunter2@host/db",
        "postgresql://u:hunter2@[::1/db",
        "sqlite:///:memory:",
        "sqlite://",
        "",
    ],
)
def test_what_is_no_file_is_a_configuration_error_that_leaks_no_password(target):
    with pytest.raises(ConfigurationError) as caught:
        StateStore.open(target)
    assert "hunter2" not in f"{caught.value} {caught.value.remedy}"
    assert "sqlite:////" in caught.value.remedy or "postgresql://" in caught.value.remedy


def test_a_new_store_is_its_owners_alone_whatever_the_umask(tmp_path):
    path = tmp_path / "new" / "deeper" / "state.sqlite3"
    before = os.umask(0)
    try:
        with StateStore.open(path) as store:
            store.put("key", 1)
            assert store.warnings == ()
            assert {file.name: mode(file) for file in path.parent.iterdir()} == {
                "state.sqlite3": 0o600,
                "state.sqlite3-wal": 0o600,
                "state.sqlite3-shm": 0o600,
            }
    finally:
        os.umask(before)
    assert mode(path.parent) == mode(path.parent.parent) == 0o700


def test_an_existing_folder_keeps_its_mode(tmp_path):
    tmp_path.chmod(0o755)
    StateStore.open(tmp_path / "state.sqlite3").close()
    assert mode(tmp_path) == 0o755


def test_a_store_that_others_could_read_is_tightened_and_said(path):
    StateStore.open(path).close()
    path.chmod(0o644)
    with StateStore.open(path) as store:
        (warning,) = store.warnings
        assert "0644" in warning
        assert str(path) in warning
        assert mode(path) == 0o600
    with StateStore.open(path) as store:
        assert store.warnings == ()


def test_a_folder_that_can_not_be_made_is_said_with_a_remedy(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="cannot be opened") as caught:
        StateStore.open(tmp_path / "file" / "state.sqlite3")
    assert "user" in caught.value.remedy


def test_a_folder_in_the_files_place_is_said(tmp_path):
    with pytest.raises(StateError, match="directory"):
        StateStore.open(tmp_path)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_pipe_in_the_files_place_is_refused_at_once(tmp_path, read_only):
    os.mkfifo(tmp_path / "state.sqlite3")
    said = []

    def look():
        try:
            StateStore.open(tmp_path / "state.sqlite3", read_only=read_only)
        except StateError as error:
            said.append(str(error))

    looking = threading.Thread(target=look, daemon=True)
    looking.start()
    looking.join(3.0)
    assert len(said) == 1
    assert "is not a file: it is a named pipe" in said[0]


@pytest.fixture
def forbidden(tmp_path):
    """A folder that the running user may not enter; root becomes nobody for the time of the test."""
    folder = tmp_path / "forbidden"
    folder.mkdir(mode=0o000)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield folder
    if root:
        os.seteuid(0)
    folder.chmod(0o700)


@pytest.mark.parametrize("read_only", [False, True])
def test_a_folder_that_is_not_ours_is_said_with_a_remedy(forbidden, read_only):
    with pytest.raises(StateError, match="Permission denied") as caught:
        StateStore.open(forbidden / "state.sqlite3", read_only=read_only)
    assert "user" in caught.value.remedy


@pytest.fixture
def as_nobody():
    """Run as a user that owns nothing, where root may do anything."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    yield
    if root:
        os.seteuid(0)


@pytest.fixture
def protected():
    """A store in a folder where everybody may enter: read-only to all."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        StateStore.open(folder / "state.sqlite3").close()
        (folder / "state.sqlite3").chmod(0o444)
        folder.chmod(0o555)
        yield folder / "state.sqlite3"
        folder.chmod(0o700)


def test_a_file_that_can_not_be_written_is_said_at_once_and_not_in_the_first_pass(protected, as_nobody):
    with pytest.raises(StateError, match="writing: Permission denied"):
        StateStore.open(protected)


def test_opening_twice_in_one_process_does_not_hide_it_from_others(spawn, store, path):
    """A file's locks end when a process closes any handle on it: others would then think nobody uses it."""
    store.put("key", 1)
    StateStore.open(path).close()
    StateStore.open(path, read_only=True).close()
    code = "from pathlib import Path\nfrom state.looking import in_use\nsay(in_use(Path(argv[0])))\n"
    assert spawn(code, path).stdout.readline() == "True\n"
    store.close()
    assert spawn(code, path).stdout.readline() == "False\n"


def test_an_empty_file_becomes_a_store(path):
    path.touch()
    with StateStore.open(path) as store:
        assert store.records() == {}


def test_two_processes_may_make_the_store_at_once(spawn, path):
    code = (
        "from state.store import StateStore\nsay('ready')\nsys.stdin.readline()\nStateStore.open(argv[0])\n"
    )
    children = [spawn(code, path) for _ in range(3)]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    assert [child.wait(60) for child in children] == [0, 0, 0]
    with StateStore.open(path) as store:
        assert store.records() == {}


def test_who_is_refused_at_once_while_another_process_makes_the_store_asks_again(path, monkeypatch):
    """Of two that set the journal's mode at once, SQLite lets neither wait for the other, and refuses one."""
    path.touch()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    asked = []

    def connect(*arguments):
        connection = database.connect(*arguments)
        if asked:
            other.close()
        connection.execute("PRAGMA busy_timeout = 0")
        asked.append(arguments)
        return connection

    monkeypatch.setattr(opening, "connect", connect)
    with StateStore.open(path) as store:
        assert store.records() == {}
    assert len(asked) == 2


def test_a_store_that_another_process_is_writing_is_not_taken_for_damaged(filled, tmp_path, monkeypatch):
    """It was in use by nobody when its log was looked for, and is half of the old and half of the new when read."""
    whole, looks = filled.read_bytes(), []

    def connect(*arguments):
        filled.write_bytes(whole if looks else damage_pages(whole))
        looks.append(arguments)
        return database.connect(*arguments)

    monkeypatch.setattr(looking, "connect", connect)
    with StateStore.open(filled) as store:
        assert len(store.records()) == 300
    assert len(looks) == 2
    assert [file.name for file in tmp_path.glob("*corrupt*")] == []


def test_a_newer_store_is_refused_and_not_touched(filled, tmp_path):
    alter(filled, "UPDATE alembic_version SET version_num = '9999'")
    filled.chmod(0o644)
    before = digest(tmp_path)
    for read_only in (False, True):
        with pytest.raises(StateTooNewError, match=r"newer version .*'9999'") as caught:
            StateStore.open(filled, read_only=read_only)
        assert "[state] url" in caught.value.remedy
    assert digest(tmp_path) == before
    assert mode(filled) == 0o644


def test_a_newer_store_with_an_unfinished_log_is_not_touched_either(spawn, filled, tmp_path):
    code = (
        "import sqlite3\n"
        "connection = sqlite3.connect(argv[0])\n"
        "connection.execute(\"UPDATE alembic_version SET version_num = '9999'\")\n"
        "connection.commit()\n"
        "say('done')\n"
        "sys.stdin.read()\n"
    )
    child = spawn(code, filled)
    assert child.stdout.readline() == "done\n"
    child.kill()
    child.wait()
    before = digest(tmp_path)
    assert "state.sqlite3-wal" in before
    with pytest.raises(StateTooNewError):
        StateStore.open(filled)
    assert digest(tmp_path) == before


def test_another_programs_database_is_refused_and_not_touched(path, tmp_path):
    """As when ``[state] url`` is set to Skymmich's own file by mistake."""
    alter(path, "CREATE TABLE images (id INTEGER PRIMARY KEY)")
    before = digest(tmp_path)
    with pytest.raises(StateError, match="another program's database"):
        StateStore.open(path)
    assert digest(tmp_path) == before


def damage_header(data):
    return b"not a database at all" + data[21:]


def damage_pages(data):
    return data[: len(data) // 3] + b"\xa5" * 8192 + data[len(data) // 3 + 8192 :]


def cut_short(data):
    return data[: len(data) // 2]


@pytest.mark.parametrize("damage", [damage_header, damage_pages, cut_short])
def test_a_damaged_store_is_set_aside_and_the_next_start_begins_anew(filled, tmp_path, damage):
    damaged = damage(filled.read_bytes())
    filled.write_bytes(damaged)
    with pytest.raises(StateCorruptError) as caught:
        StateStore.open(filled, now=datetime(2025, 3, 14, 12, 30, 5, tzinfo=UTC))
    kept = tmp_path / "state.sqlite3.corrupt-20250314T123005Z"
    assert kept.read_bytes() == damaged
    assert mode(kept) == 0o600
    assert str(kept) in str(caught.value)
    assert "Nothing was changed in Immich" in str(caught.value)
    assert re.search(r"empty store.*found in sync and not rewritten", caught.value.remedy)
    assert not filled.exists()
    with StateStore.open(filled) as store:
        assert store.records() == {}
    assert kept.read_bytes() == damaged


def test_a_second_damaged_store_of_the_same_second_overwrites_nothing(path, tmp_path):
    moment = datetime(2025, 3, 14, 12, 30, 5, tzinfo=UTC)
    for text in (b"first rubbish", b"second rubbish"):
        path.write_bytes(text * 100)
        with pytest.raises(StateCorruptError):
            StateStore.open(path, now=moment)
    kept = {file.name: file.read_bytes()[:6] for file in tmp_path.iterdir()}
    assert kept == {
        "state.sqlite3.corrupt-20250314T123005Z": b"first ",
        "state.sqlite3.corrupt-20250314T123005Z-2": b"second",
    }


def test_the_log_of_a_damaged_store_goes_with_it(filled, tmp_path):
    filled.write_bytes(damage_header(filled.read_bytes()))
    log = tmp_path / "state.sqlite3-wal"
    log.write_bytes(b"the log")
    with pytest.raises(StateCorruptError):
        StateStore.open(filled, now=datetime(2025, 3, 14, tzinfo=UTC))
    assert not log.exists()
    assert (tmp_path / "state.sqlite3.corrupt-20250314T000000Z-wal").read_bytes() == b"the log"


def test_a_damaged_store_that_another_process_uses_stays_in_its_place(spawn, filled, tmp_path):
    code = (
        "from state.store import StateStore\n"
        "store = StateStore.open(argv[0])\n"
        "say(len(store.records()))\n"
        "sys.stdin.readline()\n"
    )
    child = spawn(code, filled)
    assert child.stdout.readline() == "300\n"
    with filled.open("rb+") as file:
        file.write(b"not a database at all")
    with pytest.raises(StateCorruptError, match="another process uses it") as caught:
        StateStore.open(filled)
    assert "Stop the other process" in caught.value.remedy
    assert filled.exists()
    assert not list(tmp_path.glob("*corrupt*"))


def test_damage_found_while_it_runs_is_said(filled):
    with StateStore.open(filled) as store:
        data = filled.read_bytes()
        filled.write_bytes(damage_pages(data))
        with pytest.raises(StateCorruptError, match="damaged") as caught:
            store.records()
        assert "Start the program again" in caught.value.remedy


def test_reading_beside_the_daemon_creates_and_changes_nothing(filled, tmp_path):
    before = digest(tmp_path)
    with StateStore.open(filled, read_only=True) as reader:
        assert len(reader.records()) == 300
        with pytest.raises(StateError, match="readonly"):
            reader.put("key", 1)
    assert {name: kept for name, kept in digest(tmp_path).items() if not name.endswith("-wal")} == before


def test_reading_a_store_that_is_missing_is_said_and_makes_none(tmp_path):
    with pytest.raises(StateError, match="no state store") as caught:
        StateStore.open(tmp_path / "none" / "state.sqlite3", read_only=True)
    assert "apply" in caught.value.remedy
    assert not (tmp_path / "none").exists()


def test_reading_a_store_of_an_older_schema_asks_for_a_start_of_the_daemon(path):
    path.touch()
    with pytest.raises(StateError, match="older schema") as caught:
        StateStore.open(path, read_only=True)
    assert "daemon" in caught.value.remedy


def test_reading_a_damaged_store_leaves_it_where_it_is(path):
    path.write_bytes(b"rubbish" * 500)
    with pytest.raises(StateCorruptError):
        StateStore.open(path, read_only=True)
    assert path.read_bytes() == b"rubbish" * 500


def test_a_store_whose_copy_lost_the_log_has_one_again_so_that_readers_wait_for_no_writer(path, tmp_path):
    """As ``VACUUM INTO`` leaves it."""
    StateStore.open(path).close()
    copy = tmp_path / "copy.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("VACUUM INTO ?", (str(copy),))
    with (
        StateStore.open(copy) as store,
        StateStore.open(copy, read_only=True) as reader,
        store.transaction(),
    ):
        store.put("key", 1)
        assert reader.get("key") is None
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
