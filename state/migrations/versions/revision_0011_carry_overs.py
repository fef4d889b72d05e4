"""What a person had on an asset that was replaced is kept, also after the decision."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the table."""
    op.create_table(
        "carry_overs",
        sa.Column("to_asset", sa.Text(), nullable=False),
        sa.Column("from_asset", sa.Text(), nullable=False),
        sa.Column("image_id", sa.Integer(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("kept", sa.Text(), nullable=False),
        sa.Column("was_trashed", sa.Boolean(), nullable=False),
        sa.Column("unknown", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=True),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("left", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("to_asset", "from_asset"),
        sqlite_with_rowid=False,
    )
