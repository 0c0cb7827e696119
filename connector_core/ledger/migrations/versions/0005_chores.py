"""Keep what is done at call providers from time to time."""

import sqlalchemy as sa
from alembic import op

from connector_core.ledger.schema import Moment, Said

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "chores",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("hook", sa.Text(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("reason", Said(), nullable=True),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("began_at", Moment(), nullable=True),
        sa.Column("page", Said(), nullable=True),
        sa.PrimaryKeyConstraint("connection", "provider", "hook", name=op.f("pk_chores")),
    )
