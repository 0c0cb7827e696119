"""Keep what calls wait for in the CRM, and how far its changes were read."""

import sqlalchemy as sa
from alembic import op

from connector_core.ledger.schema import Moment

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "awaited",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "digest", "call_id", name=op.f("pk_awaited")),
    )
    op.create_index(op.f("ix_awaited_connection_call_id"), "awaited", ["connection", "call_id"], unique=False)
    op.create_index(op.f("ix_awaited_connection_started_at"), "awaited", ["connection", "started_at"], unique=False)
    op.create_table(
        "feeds",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("began_at", Moment(), nullable=True),
        sa.Column("page", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("connection", name=op.f("pk_feeds")),
    )
