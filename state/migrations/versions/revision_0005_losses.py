"""What was lost lately, counted over time, and what else few assets have of their own."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table of losses, and the column."""
    op.create_table(
        "losses",
        sa.Column("asset_id", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("before", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("asset_id", "what"),
        sqlite_with_rowid=False,
    )
    op.add_column("assets", sa.Column("more", sa.Text(), nullable=True))
