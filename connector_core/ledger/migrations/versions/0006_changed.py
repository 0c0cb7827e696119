"""Keep what the CRM's own webhooks say changed."""

import sqlalchemy as sa
from alembic import op

from connector_core.ledger.schema import Moment, Said

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "changed",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("record_id", Said(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "kind", "record_id", name=op.f("pk_changed")),
    )
