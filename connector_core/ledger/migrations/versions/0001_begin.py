"""Begin."""

import sqlalchemy as sa
from alembic import op

from connector_core.ledger.schema import Moment

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "activities",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("activity_kind", sa.Text(), nullable=False),
        sa.Column("activity_id", sa.Text(), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("wrote", sa.Text(), nullable=True),
        sa.Column("written_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "call_id", name=op.f("pk_activities")),
    )
    op.create_index(
        op.f("ix_activities_connection_activity_kind_activity_id"),
        "activities",
        ["connection", "activity_kind", "activity_id"],
        unique=False,
    )
    op.create_index(op.f("ix_activities_written_at"), "activities", ["written_at"], unique=False)
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=True),
        sa.Column("at", Moment(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("before", sa.Text(), nullable=True),
        sa.Column("after", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit")),
    )
    op.create_index(op.f("ix_audit_connection_call_id"), "audit", ["connection", "call_id"], unique=False)
    op.create_table(
        "calls",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("due_at", Moment(), nullable=False),
        sa.Column("claimed", sa.BigInteger(), nullable=True),
        sa.Column("claims", sa.Integer(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("how", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("provider", sa.Text(), nullable=False),
        sa.Column("started_at", Moment(), nullable=False),
        sa.Column("content", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("accepted_at", Moment(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("deleted_at", Moment(), nullable=True),
        sa.Column("settled_at", Moment(), nullable=True),
        sa.Column("pruned_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("connection", "call_id", name=op.f("pk_calls")),
    )
    op.create_index(
        op.f("ix_calls_connection_state_priority_due_at"),
        "calls",
        ["connection", "state", "priority", "due_at"],
        unique=False,
    )
    op.create_index(op.f("ix_calls_pruned_at_settled_at"), "calls", ["pruned_at", "settled_at"], unique=False)
    op.create_index(op.f("ix_calls_state_due_at"), "calls", ["state", "due_at"], unique=False)
    op.create_table(
        "choices",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("participant", sa.Integer(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=True),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "call_id", "what", "participant", name=op.f("pk_choices")),
    )
    op.create_table(
        "connections",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("lease_until", Moment(), nullable=True),
        sa.Column("paused_at", Moment(), nullable=True),
        sa.Column("paused_reason", sa.Text(), nullable=True),
        sa.Column("backfill_until", Moment(), nullable=True),
        sa.Column("backfill_reason", sa.Text(), nullable=True),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("quota_limit", sa.BigInteger(), nullable=True),
        sa.Column("quota_used", sa.BigInteger(), nullable=True),
        sa.Column("quota_at", Moment(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_connections")),
    )
    op.create_table(
        "credentials",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("changed_at", Moment(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "name", name=op.f("pk_credentials")),
    )
    op.create_table(
        "decisions",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("decision", sa.Text(), nullable=True),
        sa.Column("decision_hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("connection", "call_id", name=op.f("pk_decisions")),
    )
    op.create_table(
        "writes",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("call_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("draft", sa.Text(), nullable=True),
        sa.Column("activity_kind", sa.Text(), nullable=False),
        sa.Column("activity_id", sa.Text(), nullable=True),
        sa.Column("made_at", Moment(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("doubt_until", Moment(), nullable=False),
        sa.Column("finished_at", Moment(), nullable=True),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("field", sa.Text(), nullable=True),
        sa.Column("kept", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("connection", "call_id", "number", name=op.f("pk_writes")),
    )
    op.create_index(
        op.f("ix_writes_connection_open_call_id"), "writes", ["connection", "open", "call_id"], unique=False
    )
