"""Keep what webhooks say of calls, and what can be read of them."""

import sqlalchemy as sa
from alembic import op

from connector_core.ledger.schema import Moment, Said

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "parts",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("revision", sa.Float(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("part", sa.Text(), nullable=False),
        sa.Column("heard_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "call_id", "digest", name=op.f("pk_parts")),
    )
    op.create_index(op.f("ix_parts_heard_at"), "parts", ["heard_at"], unique=False)
    op.create_table(
        "announcements",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("heard_at", Moment(), nullable=False),
        sa.Column("due_at", Moment(), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("reason", Said(), nullable=True),
        sa.PrimaryKeyConstraint("connection", "call_id", "what", name=op.f("pk_announcements")),
    )
    op.create_index(op.f("ix_announcements_connection_due_at"), "announcements", ["connection", "due_at"], unique=False)
