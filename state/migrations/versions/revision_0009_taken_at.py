"""When an image was taken is a value that can be written, too."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns: nothing of it was written before."""
    op.add_column("assets", sa.Column("taken_at", sa.Text(), nullable=True))
    op.add_column("pending_writes", sa.Column("taken_at", sa.Text(), nullable=True))
    keeps_day: sa.Column[bool] = sa.Column(
        "keeps_day", sa.Boolean(), nullable=False, server_default=sa.false()
    )
    op.add_column("pending_writes", keeps_day)
