"""Alembic's entry: run the revisions on the connection that ``state.migrations`` hands over."""

from __future__ import annotations

from alembic import context

from state.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    # SQLite changes tables within a transaction like anything else, and alters columns only by copying.
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
