"""Keep with each field that was sent the call whose value it took the place of."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the column; of what was sent before, it is not known."""
    op.add_column("fillings", sa.Column("replaced", sa.Text()))
