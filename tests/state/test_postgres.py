"""What only rows in PostgreSQL have: several installations, a server that goes away, copies in a file."""

from __future__ import annotations

import signal
import threading
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from sqlalchemy import text

from reconciler.core.asset import Applied
from reconciler.core.reasons import told
from reconciler.errors import LeaseHeldError, LeaseLostError, StateError, StateTooNewError
from state.backup import look_into
from state.lease import Lease
from state.migrations import HEAD
from state.postgres import copies, database, opening, schema
from state.postgres.place import PostgresPlace
from state.postgres.statuses import InstallationStatus, Statuses, statuses
from state.store import StateStore
from state.tables import METADATA
from tests.state.conftest import held

BACKENDS = ["postgresql"]
OTHER = "someone-else"


def test_installations_of_one_database_see_and_change_their_own_rows_only(store, club, full, make):
    full(store)
    before = held(store)
    with StateStore.open(f"{club}#{OTHER}") as other:
        assert (other.records(), other.journal_of(), other.get("kept")) == ({}, [], None)
        full(other, title="of another")
        other.save_records([make.record("a", title="of another, changed")])
        other.clear_pending(["a", "b"])
        other.put("kept", None)
        other.prune(make.entry().at + timedelta(days=9), keep_runs=1)
        with other.database.writing() as connection:
            for table in reversed(METADATA.sorted_tables):
                connection.execute(text(f"UPDATE {table.name} SET installation = installation"))
                connection.execute(text(f"DELETE FROM {table.name}"))
        assert other.records() == {}
    assert held(store) == before


def test_no_statement_writes_a_row_of_another_installation(store, club):
    with StateStore.open(f"{club}#{OTHER}") as other, other.database.reading() as reading:
        (theirs,) = reading.execute(text("SELECT current_setting('reconciler.installation')")).one()
    row = f"INSERT INTO meta (installation, key, value) VALUES ({theirs}, 'k', '1')"
    with pytest.raises(StateError, match="row-level security"), store.database.writing() as connection:
        connection.execute(text(row))


def test_every_table_is_guarded_and_begins_its_key_with_the_installation(store, club):
    with psycopg.connect(club) as connection:
        tables = connection.execute(
            "SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, pg_get_indexdef(i.indexrelid) "
            "FROM pg_class c JOIN pg_index i ON i.indrelid = c.oid AND i.indisprimary "
            "WHERE c.relnamespace = 'skymmich_reconciler'::regnamespace AND c.relkind = 'r'"
        ).fetchall()
    shared = {"alembic_version", "installations"}
    of_each = {"installation_statuses"}
    assert {name for name, _, _ in tables} == set(METADATA.tables) | shared | of_each
    for name, guarded, key in tables:
        assert name in shared or (guarded and ("(installation, " in key or name in of_each)), name


def test_how_an_installation_stands_is_shown_to_itself_and_to_who_keeps_them_all(store, club):
    at = datetime(2026, 11, 28, tzinfo=UTC)
    keeper = Statuses(PostgresPlace(club))
    StateStore.open(f"{club}#{OTHER}").close()
    with store.database.reading() as connection:
        (own,) = connection.execute(
            text(
                "SELECT name FROM installations WHERE id = current_setting('reconciler.installation')::integer"
            )
        ).one()
    for name in (own, OTHER):
        keeper.save(name, InstallationStatus("ok", f"of {name}", at))
    keeper.close()
    with store.database.reading() as connection:
        assert connection.execute(text("SELECT text FROM installation_statuses")).all() == [(f"of {own}",)]
    assert {name: one.text for name, one in statuses(club).items()} == {
        name: f"of {name}" for name in (own, OTHER)
    }


def test_a_superuser_is_bound_by_it_too(server, empty, full):
    owned = empty
    theirs = owned.replace("owner@", "postgres@")
    with StateStore.open(f"{theirs}#one") as one, StateStore.open(f"{theirs}#two") as two:
        full(one)
        assert two.records() == {}
        full(two, title="two")
        assert one.records()["a"].title == "M 31"
    # Its tables are not the database's owner's.
    with pytest.raises(StateError, match="permission denied"):
        StateStore.open(f"{owned}#one")


def test_a_user_who_sees_all_rows_and_can_make_no_role_is_refused(server, empty, monkeypatch):
    monkeypatch.setattr(schema, "ROLE", "a_role_that_is_not_there")
    with psycopg.connect(f"postgresql://postgres@/postgres?host={server}", autocommit=True) as connection:
        connection.execute("CREATE ROLE seer LOGIN BYPASSRLS")
        with pytest.raises(StateError, match="BYPASSRLS"):
            StateStore.open(empty.replace("owner@", "seer@"))
        connection.execute("DROP ROLE seer")


def test_what_text_there_cannot_hold_is_shown_as_such_and_costs_nothing_else(store, make):
    record = make.record("a\0", title="a\0b", applied=Applied(None, None, None, frozenset({"t\0"})))
    store.save_records([record, make.record("b", reasons=told("x\0y"))])
    assert store.record("a\ufffd").title == "a\ufffdb"
    assert store.record("a\ufffd").applied.tags == {"t\ufffd"}
    assert store.record("b") is not None


def test_processes_that_make_it_at_once_make_it_once(spawn, empty):
    code = (
        "from state.store import StateStore\nsay('ready')\nsys.stdin.readline()\nStateStore.open(argv[0])\n"
    )
    children = [spawn(code, f"{empty}#i{number % 2}") for number in range(4)]
    for child in children:
        assert child.stdout.readline() == "ready\n"
    for child in children:
        child.stdin.write("go\n")
        child.stdin.flush()
    assert [child.wait(60) for child in children] == [0] * 4
    with psycopg.connect(empty) as connection:
        names = connection.execute(
            "SELECT name FROM skymmich_reconciler.installations ORDER BY id"
        ).fetchall()
    assert sorted(names) == [("i0",), ("i1",)]


def test_a_newer_versions_tables_are_left_alone_and_an_older_ones_are_not_read(empty, monkeypatch):
    StateStore.open(empty).close()
    with psycopg.connect(empty) as connection:
        connection.execute("UPDATE skymmich_reconciler.alembic_version SET version_num = '9999'")
    for read_only in (True, False):
        with pytest.raises(StateTooNewError, match="'9999'"):
            StateStore.open(empty, read_only=read_only)
    with psycopg.connect(empty) as connection:
        connection.execute("UPDATE skymmich_reconciler.alembic_version SET version_num = %s", (HEAD,))
    monkeypatch.setattr(opening, "HEAD", "0013")
    monkeypatch.setattr("state.postgres.schema.is_known", lambda _: True)
    with pytest.raises(StateError, match="older schema"):
        StateStore.open(empty, read_only=True)


def test_a_schema_that_is_brought_up_to_date_keeps_all_rows_of_all_installations(empty, full, monkeypatch):
    with StateStore.open(f"{empty}#one") as one, StateStore.open(f"{empty}#two") as two:
        full(one)
        full(two, title="two")
        before = held(one), held(two)
    with psycopg.connect(empty) as connection:
        # As it was before the last revision.
        connection.execute("SET search_path = skymmich_reconciler")
        connection.execute("UPDATE alembic_version SET version_num = '0011'")
        for column in ("visibility", "is_trashed", "by_hand"):
            connection.execute(f"ALTER TABLE pending_writes DROP COLUMN {column}")
    with StateStore.open(f"{empty}#two") as two, StateStore.open(f"{empty}#one") as one:
        assert (held(one), held(two)) == before
    with psycopg.connect(empty) as connection:
        (kind,) = connection.execute(
            "SELECT collation_name FROM information_schema.columns WHERE column_name = 'visibility'"
        ).fetchone()
    assert kind == "C"


@pytest.mark.parametrize("read_only", [True, False])
def test_an_installation_that_is_not_there_is_made_by_a_writer_only(club, read_only):
    place = PostgresPlace(club, f"new-{read_only}")
    assert not opening.exists(place)
    if read_only:
        with pytest.raises(
            StateError, match=f"There is no state store: installation {place.installation} in"
        ):
            StateStore.open(place, read_only=True)
    else:
        StateStore.open(place).close()
    assert opening.exists(place) is not read_only


def test_a_reader_writes_nothing(target, store, make):
    with (
        StateStore.open(target, read_only=True) as reader,
        pytest.raises(StateError, match="may not be written"),
    ):
        reader.put("kept", 1)


def test_a_server_that_cannot_be_reached_is_told_without_the_password():
    with pytest.raises(StateError, match="cannot be reached") as caught:
        StateStore.open("postgresql://me:hunter2@127.0.0.1:1/db")
    assert "hunter2" not in f"{caught.value} {caught.value.remedy} {caught.value.__cause__}"
    assert "What was not recorded was not written to Immich" in str(caught.value)


def test_connections_that_the_server_ended_are_made_anew(store, club, server):
    store.put("kept", 1)
    with psycopg.connect(f"postgresql://postgres@/postgres?host={server}", autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'club'")
    assert store.get("kept") == 1
    store.put("kept", 2)
    assert (store.get("kept"), store.records()) == (2, {})


def test_a_connection_that_ends_in_a_transaction_is_told_and_leaves_nothing_of_it(store, server):
    def work():
        with store.transaction():
            store.put("kept", 1)
            with psycopg.connect(f"postgresql://postgres@/postgres?host={server}", autocommit=True) as other:
                other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'club'")
            store.put("kept", 2)

    with pytest.raises(StateError, match="cannot be reached"):
        work()
    assert store.get("kept") is None


def test_a_writer_that_waits_too_long_for_another_process_says_so(target, store, monkeypatch):
    monkeypatch.setitem(database._SESSION, "lock_timeout", "50ms")
    with StateStore.open(target) as other, store.database.writing():
        with pytest.raises(StateError, match="locked by another process for 5 s"):
            other.put("kept", 1)
        assert other.get("kept") is None


def test_writers_of_other_installations_do_not_wait(store, club):
    with StateStore.open(f"{club}#{OTHER}") as other, store.database.writing():
        other.put("kept", 1)
        assert other.get("kept") == 1


def test_a_process_that_stands_still_in_a_transaction_is_cut_off_and_writes_nothing(
    spawn, target, store, monkeypatch
):
    code = (
        "from state.postgres import database\nfrom state.store import StateStore\n"
        "database._SESSION['idle_in_transaction_session_timeout'] = '300ms'\n"
        "store = StateStore.open(argv[0])\n"
        "with store.transaction():\n    store.put('kept', 'too late')\n    say('in it')\n"
        "    sys.stdin.readline()\n"
    )
    child = spawn(code, target)
    assert child.stdout.readline() == "in it\n"
    child.send_signal(signal.SIGSTOP)
    store.put("kept", "in time")  # waits until the server has cut the other one off
    child.send_signal(signal.SIGCONT)
    child.stdin.write("go on\n")
    child.stdin.flush()
    assert child.wait(30) == 1
    assert store.get("kept") == "in time"


def test_who_lost_the_right_while_it_was_cut_off_records_nothing(target, store, clock, make):
    with StateStore.open(target) as other:
        lease = Lease(store, clock)
        lease.acquire("daemon", timedelta(seconds=30))
        clock.now += timedelta(seconds=31)
        Lease(other, clock).acquire("apply", timedelta(seconds=30))
        with pytest.raises(LeaseLostError):
            store.save_pending([make.pending("a")])
        assert store.pending() == {}


def test_a_reader_sees_one_moment_however_long_it_looks(target, store, make):
    store.save_records([make.record("a")])
    with StateStore.open(target, read_only=True) as reader, reader.database.reading() as seen:
        count = text("SELECT count(*) FROM assets")
        assert seen.execute(count).scalar() == 1
        store.save_records([make.record("b")])
        assert seen.execute(count).scalar() == 1
    with StateStore.open(target, read_only=True) as reader:
        assert len(reader.records()) == 2


def test_many_threads_may_use_a_store_at_once(store, make):
    def work(number):
        for turn in range(5):
            store.save_records([make.record(f"{number}-{turn}")])
            store.get("kept")
            store.record(f"{number}-{turn}")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(store.records()) == 40


def test_pages_and_lookups_walk_along_an_index(store):
    asked = (
        "SELECT * FROM assets WHERE asset_id = 'x'",
        "SELECT * FROM assets ORDER BY title_key, asset_id LIMIT 50",
        "SELECT * FROM assets WHERE (title_key, asset_id) > ('x', 'y') ORDER BY title_key, asset_id LIMIT 50",
        "SELECT * FROM journal WHERE asset_id = 'x'",
        "SELECT * FROM assets WHERE image_id IN (1, 2)",
        "SELECT * FROM owned_tags WHERE asset_id = 'x'",
    )
    with store.database.writing() as connection:
        connection.execute(text("SET LOCAL enable_seqscan = off"))
        connection.execute(text("SET LOCAL enable_sort = off"))
        for query in asked:
            plan = "\n".join(connection.execute(text(f"EXPLAIN {query}")).scalars())
            assert "Index Cond: ((installation = " in plan or "Index Cond: (installation = " in plan, plan
            assert "Sort" not in plan, plan


# Copies


def test_a_copy_of_an_installation_is_a_file_that_holds_all_of_it(target, store, full, tmp_path, noon):
    full(store)
    made = copies.back_up(PostgresPlace.of(target), tmp_path / "copy.sqlite3", noon)
    assert (made.images, made.journal, made.made_at) == (2, 2, noon)
    assert (tmp_path / "copy.sqlite3").stat().st_mode & 0o777 == 0o600
    with StateStore.open(made.path, read_only=True) as copy:
        assert held(copy) == held(store)
    with pytest.raises(StateError, match="left as it is"):
        copies.back_up(PostgresPlace.of(target), made.path, noon)
    copies.back_up(PostgresPlace.of(target), made.path, noon, replace=True)


def test_a_file_becomes_an_installation_and_the_other_way_round(path, full, club, tmp_path, noon):
    with StateStore.open(path) as file:
        full(file)
        before = held(file)
    place = PostgresPlace(club, "from-a-file")
    done = copies.restore_into(path, place, tmp_path / "kept", noon, lambda _: None)
    assert (done.former, done.carried) == (None, None)
    with StateStore.open(place) as store:
        assert held(store) == before
        store.journal([store.journal_of()[-1]])
        assert len({entry.entry_id for entry in store.journal_of()}) == 3
    copies.back_up(place, tmp_path / "back.sqlite3", noon)
    with StateStore.open(tmp_path / "back.sqlite3") as file:
        assert held(file)[0] == before[0]


def test_an_earlier_copy_takes_over_what_was_written_since_and_the_former_rows_are_kept(
    target, store, full, make, tmp_path, noon
):
    place = PostgresPlace.of(target)
    full(store)
    copies.back_up(place, tmp_path / "copy.sqlite3", noon)
    store.journal([make.entry("c", before="since")])
    store.put("kept", "since")
    known, _ = store.changes(None)
    done = copies.restore_into(
        tmp_path / "copy.sqlite3", place, tmp_path / "here" / "state.sqlite3", noon, lambda _: None
    )
    assert done.carried.journal == 1
    assert done.former.parent == tmp_path / "here"
    assert look_into(done.former).journal == 3
    with StateStore.open(place, read_only=True) as again:
        assert again.get("kept") == {"a": [1, None, "ü"]}
        assert again.journal_of()[0].before == "since"
        assert again.changes(known)[1] is None


def test_nothing_is_put_back_while_another_process_has_the_right(target, store, clock, full, tmp_path, noon):
    full(store)
    place = PostgresPlace.of(target)
    copies.back_up(place, tmp_path / "copy.sqlite3", noon)
    before = held(store)
    with Lease(store, lambda: clock.now + timedelta(days=9999)).held("daemon", timedelta(seconds=30)):
        with pytest.raises(LeaseHeldError):
            copies.restore_into(tmp_path / "copy.sqlite3", place, tmp_path / "x", noon, lambda _: None)
        assert held(store) == before


def test_a_copy_that_cannot_be_kept_or_used_changes_nothing(target, store, full, tmp_path, noon):
    full(store)
    place, before = PostgresPlace.of(target), held(store)
    (tmp_path / "none.sqlite3").write_bytes(b"nothing of ours" * 99)
    with pytest.raises(StateError):
        copies.restore_into(tmp_path / "none.sqlite3", place, tmp_path / "x", noon, lambda _: None)
    copies.back_up(place, tmp_path / "copy.sqlite3", noon)
    (tmp_path / "file").touch()
    with pytest.raises(StateError, match="nothing was restored"):
        copies.restore_into(tmp_path / "copy.sqlite3", place, tmp_path / "file" / "x", noon, lambda _: None)
    assert held(store) == before


def test_who_slept_through_a_restore_does_not_find_the_right_that_it_had(
    target, store, clock, full, make, tmp_path, noon
):
    place = PostgresPlace.of(target)
    full(store)
    copies.back_up(place, tmp_path / "copy.sqlite3", noon)
    long_ago = noon - timedelta(days=9000)
    Lease(store, lambda: long_ago).acquire("daemon", timedelta(seconds=30))
    copies.restore_into(tmp_path / "copy.sqlite3", place, tmp_path / "x", noon, lambda _: None)
    with pytest.raises(LeaseLostError):
        store.save_pending([make.pending("a")])


def test_it_is_told_where_it_is_and_whose_without_a_password():
    place = PostgresPlace("postgresql://me:hunter2@db.lan:5433/astro", "anna")
    assert str(place) == "installation anna in the PostgreSQL database astro at db.lan:5433"
    assert "hunter2" not in repr(place)
    assert place.mark() == PostgresPlace("postgresql://you@db.lan:5433/astro", "anna").mark()
    assert place.mark() != PostgresPlace("postgresql://me:hunter2@db.lan:5433/astro", "ben").mark()
    assert PostgresPlace.of("postgresql://me:a#b@h/x") == PostgresPlace("postgresql://me:a#b@h/x")


def test_its_home_is_the_same_however_it_is_reached_and_another_ones_is_not(store, target, club):
    with StateStore.open(target) as again, StateStore.open(f"{club}#{OTHER}") as other:
        assert store.home() == again.home() != other.home()


def test_one_machine_loads_nothing_of_it(spawn, path):
    StateStore.open(path).close()
    code = (
        "from state.store import StateStore\nStateStore.open(argv[0]).close()\n"
        "say(sorted(m for m in sys.modules if 'psycopg' in m or 'postgres' in m))"
    )
    child = spawn(code, path)
    assert child.communicate(timeout=60)[0].strip() == "['state.postgres', 'state.postgres.place']"


def test_many_open_stores_of_a_process_share_few_connections(club, server, make):
    def count():
        with psycopg.connect(f"postgresql://postgres@/postgres?host={server}", autocommit=True) as connection:
            query = "SELECT count(*) FROM pg_stat_activity WHERE datname = 'club'"
            return connection.execute(query).fetchone()[0]

    before = count()
    stores = [StateStore.open(f"{club}#many-{number}") for number in range(20)]
    for turn in range(2):
        for number, store in enumerate(stores):
            store.put("number", [number, turn])
            store.save_records([make.record(f"{number}")])
    assert [store.get("number") for store in stores] == [[number, 1] for number in range(20)]
    assert [set(store.records()) for store in stores] == [{f"{number}"} for number in range(20)]
    assert count() - before <= 5
    for store in stores:
        store.close()
    assert count() == before
    with pytest.raises(StateError, match="is closed"):
        stores[0].get("number")
