"""Rows in PostgreSQL where something breaks: connections that end at any statement, addresses, other servers."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import event, text

from reconciler.errors import ConfigurationError, StateError
from state.postgres import copies, database
from state.postgres.place import PostgresPlace
from state.store import StateStore
from tests.state.conftest import held

BACKENDS = ["postgresql"]


def end(server, driver):
    """Have the server end a connection, and wait until it has."""
    with psycopg.connect(f"postgresql://postgres@/postgres?host={server}", autocommit=True) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", (driver.info.backend_pid,))


class Cut:
    """Ends a store's connection at its statement of a number, before or after the server has carried it out."""

    def __init__(self, store, server):
        self.seen, self.at, self.after, self._server = 0, None, False, server
        engine = store.database._engine
        event.listen(engine, "before_cursor_execute", lambda c, *_: self._one(c, before=True))
        event.listen(engine, "after_cursor_execute", lambda c, *_: self._one(c, before=False))

    def _one(self, connection, *, before):
        self.seen += before
        if self.seen == self.at and before is not self.after:
            self.at = None
            end(self._server, connection.connection.dbapi_connection)


@pytest.mark.parametrize("after", [True, False])
def test_a_connection_that_ends_at_any_statement_is_told_in_words_and_leaves_nothing(
    store, server, full, make, after
):
    full(store)
    before, cut = held(store), Cut(store, server)

    def work():
        with store.transaction():
            store.put("kept", 2)
            store.save_records([make.record("a", title="another")])
            store.save_pending([make.pending("a")])
            store.get("kept")
            store.journal([make.entry("a")])

    def undone():
        with store.transaction():
            work()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        undone()
    assert cut.seen > 15
    for at in range(1, cut.seen - 1):  # less what the outer one took
        cut.seen, cut.at, cut.after = 0, at, after
        with pytest.raises(StateError, match="cannot be reached"):
            work()
        assert held(store) == before


def test_who_goes_on_after_the_connection_was_lost_is_told_again(store, server):
    cut = Cut(store, server)

    def work():
        with store.transaction():
            with pytest.raises(StateError, match="cannot be reached"):
                store.put("kept", 1)
            with pytest.raises(StateError, match="cannot be reached"):
                store.get("kept")

    cut.seen, cut.at = 0, 3
    with pytest.raises(StateError):
        work()
    assert store.get("kept") is None


def test_a_transaction_that_the_server_gave_up_is_not_taken_for_a_commit(store):
    def work():
        with store.transaction():
            store.put("kept", 1)
            with pytest.raises(StateError, match="division by zero"):
                store.database.single("SELECT 1 / 0")

    with pytest.raises(StateError, match="undid what was to be recorded"):
        work()
    assert store.get("kept") is None


def test_the_first_entry_after_a_restore_into_a_new_database_has_a_number_of_its_own(
    empty, tmp_path, make, noon
):
    path = tmp_path / "state.sqlite3"
    with StateStore.open(path) as file:
        file.journal([make.entry("a"), make.entry("b"), make.entry("c")])
    copies.restore_into(path, PostgresPlace(empty), tmp_path / "kept", noon, lambda _: None)
    with StateStore.open(empty) as store:
        store.journal([make.entry("d")])
        assert [entry.asset_id for entry in store.journal_of()] == ["d", "c", "b", "a"]
        with store.database.reading() as connection:
            assert connection.execute(text("SELECT max(entry_id) FROM journal")).scalar() == 4


def test_a_restore_may_take_longer_than_any_other_statement(empty, full, tmp_path, noon, monkeypatch):
    place = PostgresPlace(empty)
    with StateStore.open(place) as store:
        full(store)
        before = held(store)
        copies.back_up(place, tmp_path / "copy.sqlite3", noon)
        with psycopg.connect(empty, autocommit=True) as connection:
            connection.execute("SET search_path = skymmich_reconciler")
            connection.execute(
                "CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS "
                "$$ BEGIN PERFORM pg_sleep(3); RETURN NULL; END $$"
            )
            connection.execute(
                "CREATE TRIGGER slow AFTER DELETE ON assets FOR STATEMENT EXECUTE FUNCTION slow()"
            )
        monkeypatch.setitem(database._SESSION, "statement_timeout", "2s")
        copies.restore_into(tmp_path / "copy.sqlite3", place, tmp_path / "kept", noon, lambda _: None)
        assert held(store)[0] == before[0]


@pytest.mark.parametrize(
    "password", ["hun@ter2", "hun/ter2", "12/ter2", "h@x/ter2", "h%zz/ter2", "1@2:3/ter2"]
)
def test_an_address_whose_password_is_not_encoded_is_refused_and_nothing_of_it_shown(password):
    place = PostgresPlace(f"postgresql://me:{password}@db.lan:5432/x")
    for use in (str, PostgresPlace.mark, StateStore.open):
        with pytest.raises(ConfigurationError, match="cannot be understood") as caught:
            use(place)
        assert "ter2" not in f"{caught.value} {caught.value.remedy} {caught.value.__cause__}"


@pytest.mark.parametrize("address", ["postgresql://me:hun%40ter2@a:1,b:2/na%40me", "postgres:///x?host=/run"])
def test_an_address_that_is_encoded_is_understood(address):
    assert PostgresPlace(address).parts() in {("na@me", "a,b", "1,2"), ("x", "/run", "")}


def test_what_an_address_lacks_is_told_as_libpq_fills_it_in(monkeypatch):
    whole = PostgresPlace("postgresql://me@db.lan:5432/astro")
    monkeypatch.setenv("PGHOST", "db.lan")
    monkeypatch.setenv("PGDATABASE", "astro")
    place = PostgresPlace("postgresql://me@")
    assert place.parts() == ("astro", "db.lan", "")
    assert place.mark() == whole.mark()
    assert PostgresPlace("postgresql:///x?hostaddr=10.0.0.1").parts()[1] == "10.0.0.1"
    monkeypatch.delenv("PGDATABASE")
    assert place.parts()[0] == "me"
