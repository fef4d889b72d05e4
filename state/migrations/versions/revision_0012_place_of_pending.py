"""A write on its way remembers where its asset was: moving that says nothing about it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the columns: of writes that are on their way now it is not known."""
    op.add_column("pending_writes", sa.Column("visibility", sa.Text(), nullable=True))
    for name in ("is_trashed", "by_hand"):
        column: sa.Column[bool] = sa.Column(name, sa.Boolean(), nullable=False, server_default=sa.false())
        op.add_column("pending_writes", column)
