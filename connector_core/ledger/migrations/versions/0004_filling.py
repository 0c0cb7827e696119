"""Keep templates of the filling, and what came of them."""

import sqlalchemy as sa
from alembic import op

from connector_core.ledger.schema import Moment, Said

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "fill_days",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("empty", sa.BigInteger(), nullable=False),
        sa.Column("no_crm_link", sa.BigInteger(), nullable=False),
        sa.Column("pending", sa.BigInteger(), nullable=False),
        sa.Column("other", sa.BigInteger(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("connection", "day", "template", "field", "target", name=op.f("pk_fill_days")),
    )
    op.create_table(
        "fill_dirty",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "day", name=op.f("pk_fill_dirty")),
    )
    op.create_table(
        "fill_missing",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("templates", sa.Text(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "day", "object", "digest", name=op.f("pk_fill_missing")),
    )
    op.create_table(
        "fill_pending",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("who", Said(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.PrimaryKeyConstraint(
            "connection", "day", "template", "field", "target", "who", name=op.f("pk_fill_pending")
        ),
    )
    op.create_table(
        "fill_refreshes",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("refreshed_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("connection", name=op.f("pk_fill_refreshes")),
    )
    op.create_table(
        "filled",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("previous", sa.Text(), nullable=True),
        sa.Column("digest", sa.Text(), nullable=True),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("call_started_at", Moment(), nullable=False),
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "object", "record_id", "name", name=op.f("pk_filled")),
    )
    op.create_index(op.f("ix_filled_connection_call_id"), "filled", ["connection", "call_id"], unique=False)
    op.create_index(op.f("ix_filled_connection_run"), "filled", ["connection", "run"], unique=False)
    op.create_table(
        "fillings",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("field", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("who", Said(), nullable=True),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("passage", Said(), nullable=True),
        sa.Column("confidence", sa.Float(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=True),
        sa.Column("wanted", sa.Text(), nullable=True),
        sa.Column("previous", sa.Text(), nullable=True),
        sa.Column("object", sa.Text(), nullable=True),
        sa.Column("record_id", sa.Text(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("detail", Said(), nullable=True),
        sa.Column("approval", sa.Boolean(), nullable=False),
        sa.Column("approved_by", sa.Text(), nullable=True),
        sa.Column("approved_at", Moment(), nullable=True),
        sa.Column("run", sa.Text(), nullable=True),
        sa.Column("undo_by", sa.Text(), nullable=True),
        sa.Column("since", Moment(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "call_id", "template", "field", name=op.f("pk_fillings")),
    )
    op.create_index(
        op.f("ix_fillings_connection_day_template_field_target_outcome"),
        "fillings",
        ["connection", "day", "template", "field", "target", "outcome"],
        unique=False,
    )
    op.create_index(op.f("ix_fillings_connection_run"), "fillings", ["connection", "run"], unique=False)
    op.create_table(
        "fills",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("mark", sa.Integer(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("since", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "call_id", name=op.f("pk_fills")),
    )
    op.create_index(op.f("ix_fills_connection_due_at"), "fills", ["connection", "due_at"], unique=False)
    op.create_table(
        "template_versions",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "template", "version", name=op.f("pk_template_versions")),
    )
    op.create_table(
        "templates",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("template", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("published", sa.Integer(), nullable=True),
        sa.Column("since", Moment(), nullable=True),
        sa.Column("types", sa.Text(), nullable=True),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "template", name=op.f("pk_templates")),
    )
