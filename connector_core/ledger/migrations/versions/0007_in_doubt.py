"""Find what was sent and not answered by its record."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    doubt = sa.text("reason = 'unknown_outcome'")
    name = op.f("ix_fillings_connection_record_id")
    op.create_index(name, "fillings", ["connection", "record_id"], sqlite_where=doubt, postgresql_where=doubt)
