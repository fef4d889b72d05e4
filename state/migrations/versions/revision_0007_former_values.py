"""What was there before this program wrote is kept apart from the journal, and whose a replaced value was."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table and the columns, and take the oldest values that the journal still has."""
    op.create_table(
        "former_values",
        sa.Column("asset_id", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("asset_id", "field"),
        sqlite_with_rowid=False,
    )
    op.add_column("assets", sa.Column("taken_back", sa.Text(), nullable=True))
    op.add_column("journal", sa.Column("ours", sa.Text(), nullable=False, server_default="[]"))
    gives_back: sa.Column[bool] = sa.Column(
        "gives_back", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("pending_writes", gives_back)
    # Whose the oldest value was is not known; what looks like a block is left out where it is given back.
    op.execute(
        "INSERT INTO former_values (asset_id, field, value, at) "
        "SELECT asset_id, field, before, at FROM journal WHERE entry_id IN ("
        "SELECT min(entry_id) FROM journal WHERE field IN ('description', 'coordinates') "
        "AND run_id NOT IN (SELECT run_id FROM runs WHERE \"trigger\" = 'undo') "
        "GROUP BY asset_id, field)"
    )
