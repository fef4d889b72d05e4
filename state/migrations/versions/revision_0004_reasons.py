"""Why an image stands where it does is kept as codes, and what the guard holds in a column of its own."""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_UNCONFIRMED = (
    "waiting for Immich: it took the write and shows it, but its queue has not come to it, so that it may "
    "still be put back; it is looked at again once Immich goes on"
)
"""The one text that decided anything: such an image is waited for, and not read at every look."""


def upgrade() -> None:
    """Split what the guard holds off the fingerprints, and keep each text as a reason that was told."""
    op.add_column("assets", sa.Column("held", sa.Text(), nullable=False, server_default=""))
    if op.get_bind().dialect.name != "sqlite":
        return  # the first store in PostgreSQL was younger: there are no rows
    op.execute(
        "UPDATE assets SET held = substr(fingerprint, 6, instr(substr(fingerprint, 6), ':') - 1), "
        "fingerprint = substr(fingerprint, 6 + instr(substr(fingerprint, 6), ':')) "
        "WHERE fingerprint LIKE 'held:%:%'"
    )
    connection = op.get_bind()
    told = connection.exec_driver_sql("SELECT asset_id, reason FROM assets WHERE reason != ''").all()
    if told:
        connection.exec_driver_sql(
            "UPDATE assets SET reason = ? WHERE asset_id = ?",
            [(_reasons(text), asset_id) for asset_id, text in told],
        )


def _reasons(text: str) -> str:
    """Return a text as reasons in JSON; it is written out here, for a released revision never changes."""
    known = {"code": "unconfirmed"} if text == _UNCONFIRMED else None
    return json.dumps([known or {"code": "told", "params": {"text": text}}], separators=(",", ":"))
