"""Find what took the place of a call's values by that call."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the index."""
    known = sa.text("replaced is not null")
    name = op.f("ix_fillings_connection_replaced")
    op.create_index(name, "fillings", ["connection", "replaced"], sqlite_where=known, postgresql_where=known)
