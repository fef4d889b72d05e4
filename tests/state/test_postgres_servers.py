"""Servers that are set up otherwise, or let nobody in: refused in words, or no different."""

from __future__ import annotations

from contextlib import suppress
from types import SimpleNamespace

import psycopg
import pytest
from psycopg import errors
from sqlalchemy import text

from reconciler.errors import StateError
from state.postgres import opening
from state.postgres.place import PostgresPlace
from state.postgres.schema import ROLE
from state.postgres.words import explained
from state.store import StateStore
from tests.postgres_server import a_replica, a_server
from tests.state.conftest import held

BACKENDS = ["postgresql"]
HEAD_OF = 'connection failed: connection to server at "::1", port 5432 failed: '


def as_superuser(server, *statements, database="postgres"):
    with psycopg.connect(f"postgresql://postgres@/{database}?host={server}", autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def name_of(address):
    return PostgresPlace(address).parts()[0]


@pytest.mark.parametrize(
    "setting",
    [
        "timezone = 'Asia/Kolkata'", "datestyle = 'German'", "default_transaction_isolation = 'serializable'",
        "standard_conforming_strings = off", "row_security = off", "search_path = ''",
        "client_encoding = 'LATIN1'", "idle_session_timeout = '100ms'",
    ],
)  # fmt: skip
def test_what_the_database_has_as_its_defaults_changes_nothing(empty, server, full, tmp_path, setting):
    as_superuser(server, f"ALTER DATABASE {name_of(empty)} SET {setting}")
    with StateStore.open(empty) as store, StateStore.open(tmp_path / "file") as file:
        full(store, title="Ωmega \\ %")
        full(file, title="Ωmega \\ %")
        assert held(store) == held(file)


def test_processes_that_make_it_at_once_make_it_once_whatever_the_isolation_is(spawn, empty, server):
    as_superuser(
        server, f"ALTER DATABASE {name_of(empty)} SET default_transaction_isolation = 'serializable'"
    )
    code = (
        "from state.store import StateStore\nsay('ready')\nsys.stdin.readline()\nStateStore.open(argv[0])\n"
    )
    children = [spawn(code, empty) for _ in range(3)]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    assert [child.wait(60) for child in children] == [0] * 3


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_a_database_that_cannot_hold_every_text_is_refused(empty, server, encoding):
    name = name_of(empty)
    as_superuser(
        server,
        f"DROP DATABASE {name}",
        f"CREATE DATABASE {name} OWNER owner ENCODING '{encoding}' TEMPLATE template0 LC_COLLATE 'C' "
        "LC_CTYPE 'C'",
    )
    for read_only in (True, False):
        with pytest.raises(StateError, match=f"encoding is {encoding}. Nothing was written there") as caught:
            StateStore.open(empty, read_only=read_only)
        assert "ENCODING 'UTF8'" in caught.value.remedy


def test_a_pooler_that_lends_a_connection_for_a_transaction_is_refused(empty, monkeypatch):
    with psycopg.connect(empty, autocommit=True) as lent:
        pooled = SimpleNamespace(
            execute=lent.execute, close=lambda: None, info=SimpleNamespace(backend_pid=-1)
        )
        with monkeypatch.context() as patch:
            patch.setattr(opening, "connect", lambda _: pooled)
            with pytest.raises(StateError, match="behind a pooler") as caught:
                StateStore.open(empty)
        assert "session mode" in caught.value.remedy
        assert lent.execute("SELECT to_regnamespace('skymmich_reconciler')").fetchone() == (None,)
    real = opening.connect

    def session(place):
        connection = real(place)
        told = SimpleNamespace(backend_pid=-1)
        return SimpleNamespace(execute=connection.execute, close=connection.close, info=told)

    monkeypatch.setattr(opening, "connect", session)
    assert not opening.exists(PostgresPlace(empty))


def test_a_server_that_writes_nothing_is_told_as_such(empty, server):
    as_superuser(server, f"ALTER DATABASE {name_of(empty)} SET default_transaction_read_only = on")
    with pytest.raises(StateError, match="is a replica, or was told to write nothing") as caught:
        StateStore.open(empty)
    assert "primary" in caught.value.remedy


def test_a_replica_may_be_read_and_not_opened_to_write(empty, server):
    with StateStore.open(empty) as store:
        store.put("kept", 1)
    with a_replica(server) as replica:
        there = empty.replace(f"host={server}", f"host={replica.home}")
        with StateStore.open(there, read_only=True) as reader:
            assert reader.get("kept") == 1
        with pytest.raises(StateError, match="is a replica"):
            StateStore.open(there)
    what, _ = explained(errors.FeatureNotSupported("cannot set transaction read-write mode during recovery"))
    assert "is a replica" in what


def test_a_new_installation_needs_no_right_that_the_first_one_needed(empty, server):
    StateStore.open(f"{empty}#one").close()
    as_superuser(server, f"ALTER DATABASE {name_of(empty)} OWNER TO postgres")
    with StateStore.open(f"{empty}#two") as store:
        store.put("kept", 1)


def test_an_upgrade_that_cannot_be_done_is_told_in_words(empty, server):
    StateStore.open(empty).close()
    # An older revision's number, at tables of today: the upgrade fails in its middle.
    with psycopg.connect(empty) as connection:
        connection.execute("UPDATE skymmich_reconciler.alembic_version SET version_num = '0011'")
    with pytest.raises(StateError, match="already exists"):
        StateStore.open(empty)


@pytest.mark.parametrize(
    ("said", "told", "remedy"),
    [
        ('FATAL:  password authentication failed for user "me"', "does not take this user", "PGPASSWORD"),
        ('FATAL:  role "me" does not exist', "does not take this user", "PGPASSWORD"),
        ('FATAL:  database "x" does not exist', "no such database", "CREATE DATABASE"),
        ("FATAL:  sorry, too many clients already", "no connection free", "max_connections"),
        ('FATAL:  too many connections for role "me"', "no connection free", "max_connections"),
        ("FATAL:  remaining connection slots are reserved for …", "no connection free", "max_connections"),
        ('FATAL:  no pg_hba.conf entry for host "::1"', "this user not into", "sslmode"),
        ("FATAL:  the database system is starting up", "just starting, stopping", "Wait"),
        ("Connection refused\n\tIs the server running on that host", "takes connections there", "port"),
        ("timeout expired", "does not answer", "firewall"),
        ("FATAL:  Datenbank unbekannt", "reached: FATAL: Datenbank unbekannt", "Check that"),
    ],
)
def test_why_nobody_is_let_in_is_said_in_one_sentence(said, told, remedy):
    what, do = explained(psycopg.OperationalError(HEAD_OF + said))
    assert what.startswith("cannot be reached: ")
    assert told in what
    assert remedy in do
    assert "connection failed" not in what
    assert "Is the server running" not in what


def test_a_database_or_a_user_that_is_not_there_is_told(server):
    for address, told in (
        ("owner@/nowhere", "no such database"),
        ("nobody-here@/postgres", "take this user"),
    ):
        with suppress(psycopg.Error):
            as_superuser(server, "CREATE ROLE owner LOGIN")
        with pytest.raises(StateError, match=told):
            StateStore.open(f"postgresql://{address}?host={server}")


def test_tables_that_are_gone_are_told(empty):
    with StateStore.open(empty) as store, psycopg.connect(empty, autocommit=True) as connection:
        connection.execute("DROP SCHEMA skymmich_reconciler CASCADE")
        with pytest.raises(StateError, match="has lost its tables"):
            store.put("kept", 1)


def test_an_error_shows_nothing_of_a_row(store):
    row = (
        "INSERT INTO pending_writes (asset_id, image_id, run_id, step, sent, before_updated_at, keeps_day, "
        "tags, attempt, gives_back, is_trashed, by_hand, description, latitude) VALUES "
        "('a', 1, 'r', 's', false, now(), false, '[]', 1, false, false, false, 'his own words', 1)"
    )
    with (
        pytest.raises(StateError, match="ck_pending_writes_pair") as caught,
        store.database.writing() as connection,
    ):
        connection.execute(text(row))
    assert "his own words" not in str(caught.value)


def test_a_user_who_sees_all_rows_and_may_make_roles_is_bound_all_the_same(full):
    with a_server() as own:  # of its own: roles are a whole server's
        own.execute("CREATE ROLE maker LOGIN BYPASSRLS CREATEROLE", "CREATE DATABASE made OWNER maker")
        theirs = own.address("made", "maker")
        with StateStore.open(f"{theirs}#one") as one, StateStore.open(f"{theirs}#two") as two:
            full(one)
            assert two.records() == {}
        with StateStore.open(f"{theirs}#two", read_only=True) as two:
            assert two.journal_of() == []


def test_a_user_who_sees_all_rows_and_may_not_take_the_role_on_is_refused(empty, server):
    with suppress(psycopg.errors.DuplicateObject):
        as_superuser(server, f"CREATE ROLE {ROLE} NOLOGIN")
    as_superuser(server, "CREATE ROLE watcher LOGIN BYPASSRLS")
    try:
        with pytest.raises(StateError, match="BYPASSRLS") as caught:
            StateStore.open(empty.replace("owner@", "watcher@"))
        assert "GRANT" in caught.value.remedy
    finally:
        as_superuser(server, "DROP ROLE watcher")
