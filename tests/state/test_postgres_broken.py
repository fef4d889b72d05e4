"""Rows in PostgreSQL where something breaks: connections that end at any statement, addresses, other servers."""

from __future__ import annotations

import psycopg
import pytest
from sqlalchemy import event

from reconciler.errors import StateError
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
