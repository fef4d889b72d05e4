"""A write on its way remembers the tags beside it: Immich can drop one of them after the pass has ended."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of writes that are on their way already nothing is known."""
    op.add_column("pending_writes", sa.Column("beside", sa.Text(), nullable=True))
