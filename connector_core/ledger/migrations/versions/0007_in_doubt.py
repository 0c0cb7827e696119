"""Find what was sent and not answered by its record, and what waits for a person by how long."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the indexes."""
    doubt = sa.text("reason = 'unknown_outcome'")
    name = op.f("ix_fillings_connection_record_id")
    op.create_index(name, "fillings", ["connection", "record_id"], sqlite_where=doubt, postgresql_where=doubt)
    waits = sa.text("outcome = 'pending'")
    name = op.f("ix_fillings_connection_since")
    op.create_index(name, "fillings", ["connection", "since"], sqlite_where=waits, postgresql_where=waits)
