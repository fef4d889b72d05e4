"""The assets of which what is ours is still to be written to Immich: at first all of which anything is."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make their table, and list them."""
    op.create_table(
        "unshared",
        sa.Column("asset_id", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("asset_id"),
        sqlite_with_rowid=False,
    )
    if op.get_bind().dialect.name != "sqlite":
        return  # the first store in PostgreSQL was younger: there are no rows
    op.get_bind().exec_driver_sql(  # as it is: a colon is none of a parameter's
        "INSERT INTO unshared SELECT asset_id FROM assets WHERE block IS NOT NULL OR prose IS NOT NULL "
        """OR latitude IS NOT NULL OR unsticking LIKE '%"undone":true%' """
        "OR asset_id IN (SELECT asset_id FROM owned_tags)"
    )
