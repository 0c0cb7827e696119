"""Keep with each call whose fields are due whether somebody waits for them."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

fills = sa.table("fills", sa.column("connection"), sa.column("call_id"), sa.column("priority"))
calls = sa.table("calls", sa.column("connection"), sa.column("call_id"), sa.column("priority"))


def upgrade() -> None:
    """Add the column, filled in as the calls have it, and put it into the index."""
    op.add_column("fills", sa.Column("priority", sa.SmallInteger()))
    of_call = (calls.c.connection == fills.c.connection, calls.c.call_id == fills.c.call_id)
    priority = sa.select(calls.c.priority).where(*of_call).scalar_subquery()
    op.execute(sa.update(fills).values(priority=sa.func.coalesce(priority, 0)))
    with op.batch_alter_table("fills") as table:
        table.alter_column("priority", nullable=False)
        table.drop_index(op.f("ix_fills_connection_due_at"))
        table.create_index(op.f("ix_fills_connection_priority_due_at"), ["connection", "priority", "due_at"])
