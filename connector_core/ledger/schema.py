"""The tables of the ledger: what was accepted, decided, sent and confirmed.

A call is in one of four states, see :data:`STATES`. A row of ``writes`` is an intent before its request, an attempt while
the request is on its way, and a receipt once its outcome is known; a call has at most one that is open.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

STATES: Mapping[str, str] = {
    "due": "to be worked on, at due_at or later",
    "written": "its one activity is in the CRM",
    "waiting": "a person is asked: reason says what",
    "rejected": "not to be written: reason says why",
}
"""Where a call can stand. Every accepted call ends in one of the last three."""

SETTLED = ("written", "rejected")
"""The states of calls that need nobody any more."""

CONVENTION = {"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"}
metadata = sa.MetaData(naming_convention=CONVENTION)


class Moment(sa.types.TypeDecorator[dt.datetime]):
    """An aware time: ``timestamptz`` in PostgreSQL; in SQLite text in UTC that sorts as time does."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: sa.Dialect) -> sa.types.TypeEngine[Any]:
        """Keep text where the database has no times."""
        return dialect.type_descriptor(sa.String(32) if dialect.name == "sqlite" else sa.DateTime(timezone=True))

    def process_bind_param(self, value: dt.datetime | None, dialect: sa.Dialect) -> Any:
        """Write a time."""
        if value is None or dialect.name != "sqlite":
            return value
        return _text_of(value)

    def process_result_value(self, value: Any, _dialect: sa.Dialect) -> dt.datetime | None:
        """Read a time."""
        return dt.datetime.fromisoformat(value) if isinstance(value, str) else value


@lru_cache(maxsize=256)  # the rows of a batch share most of their times
def _text_of(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC).replace(tzinfo=None).isoformat(timespec='microseconds')}Z"


class Said(sa.types.TypeDecorator[str]):
    """Text of others, which may hold what no database keeps: half a surrogate pair, or a NUL, become a mark."""

    impl = sa.Text
    cache_ok = True

    def process_bind_param(self, value: str | None, _dialect: sa.Dialect) -> str | None:
        """Write a text."""
        return value and value.replace("\0", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()


def of_call() -> tuple[sa.Column[Any], sa.Column[Any]]:
    """Give the columns that say whose row it is, of a table with one for each call."""
    return sa.Column("connection", sa.Text, primary_key=True), sa.Column("call_id", sa.Text, primary_key=True)


connections = sa.Table(
    "connections",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    # Whose pump works on it: the fence grows with every owner, and is checked with every step that is kept.
    sa.Column("fence", sa.BigInteger, nullable=False, default=0),
    sa.Column("owner", sa.Text),
    sa.Column("lease_until", Moment),
    sa.Column("paused_at", Moment),
    sa.Column("paused_reason", Said),
    sa.Column("backfill_until", Moment),
    sa.Column("backfill_reason", Said),
    sa.Column("requests", sa.BigInteger, nullable=False, default=0),
    sa.Column("seconds", sa.Float, nullable=False, default=0.0),
    sa.Column("quota_limit", sa.BigInteger),
    sa.Column("quota_used", sa.BigInteger),
    sa.Column("quota_at", Moment),
)

INTERACTIVE, BACKFILL = 0, 1
"""Priorities of calls."""

calls = sa.Table(
    "calls",
    metadata,
    *of_call(),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("priority", sa.SmallInteger, nullable=False),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("claimed", sa.BigInteger),
    sa.Column("claims", sa.Integer, nullable=False, default=0),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("how", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("provider", Said, nullable=False),
    sa.Column("started_at", Moment, nullable=False),
    sa.Column("content", sa.Text),
    sa.Column("content_hash", sa.Text, nullable=False),
    sa.Column("accepted_at", Moment, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Column("outcome", sa.Text),
    sa.Column("reason", Said),
    sa.Column("deleted_at", Moment),
    sa.Column("settled_at", Moment),
    sa.Column("pruned_at", Moment),
    sa.Index(None, "connection", "state", "priority", "due_at"),
    sa.Index(None, "state", "due_at"),
    sa.Index(None, "pruned_at", "settled_at"),
)

decisions = sa.Table(
    "decisions",
    metadata,
    *of_call(),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("decision", sa.Text),
    sa.Column("decision_hash", sa.Text, nullable=False),
)

writes = sa.Table(
    "writes",
    metadata,
    *of_call(),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("fence", sa.BigInteger, nullable=False),
    sa.Column("draft", sa.Text),
    sa.Column("activity_kind", sa.Text, nullable=False),
    sa.Column("activity_id", sa.Text),
    sa.Column("made_at", Moment, nullable=False),
    sa.Column("open", sa.Boolean, nullable=False),
    sa.Column("doubt_until", Moment, nullable=False),
    sa.Column("finished_at", Moment),
    sa.Column("outcome", sa.Text),
    sa.Column("reason", Said),
    sa.Column("code", Said),
    sa.Column("field", Said),
    sa.Column("kept", sa.Text),
    sa.Index(None, "connection", "open", "call_id"),  # what is open of a call is found among all that is open
)

activities = sa.Table(
    "activities",
    metadata,
    *of_call(),
    sa.Column("activity_kind", sa.Text, nullable=False),
    sa.Column("activity_id", sa.Text, nullable=False),
    sa.Column("url", Said),
    sa.Column("wrote", sa.Text),
    sa.Column("written_at", Moment, nullable=False),
    sa.Index(None, "connection", "activity_kind", "activity_id"),
    sa.Index(None, "written_at"),
)

choices = sa.Table(
    "choices",
    metadata,
    *of_call(),
    sa.Column("what", sa.Text, primary_key=True),
    sa.Column("participant", sa.Integer, primary_key=True),
    sa.Column("record_id", sa.Text),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)

# What calls wait for in the CRM, by hash: a contact with an address or a number, an account, an opportunity.
awaited = sa.Table(
    "awaited",
    metadata,
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("call_id", sa.Text, primary_key=True),
    sa.Column("started_at", Moment, nullable=False),
    sa.Index(None, "connection", "call_id"),
    sa.Index(None, "connection", "started_at"),
)

# How far the CRM's changes were read, of each connection with calls that wait: those since ``since`` are listed, begun at
# ``began_at`` and as far as ``page``.
feeds = sa.Table(
    "feeds",
    metadata,
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("since", Moment, nullable=False),
    sa.Column("began_at", Moment),
    sa.Column("page", sa.Text),
)

# What the CRM's own webhooks say changed, until whoever reads changes hears of it.
changed = sa.Table(
    "changed",
    metadata,
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, primary_key=True),
    sa.Column("record_id", Said, primary_key=True),
    sa.Column("due_at", Moment, nullable=False),
)

# What webhooks said of calls, each part once: of those that say the same, the one with the greatest revision. Of what was
# forgotten, ``part`` is empty.
parts = sa.Table(
    "parts",
    metadata,
    *of_call(),
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("revision", sa.Float, nullable=False),
    sa.Column("complete", sa.Boolean, nullable=False),
    sa.Column("part", sa.Text, nullable=False),
    sa.Column("heard_at", Moment, nullable=False),
    sa.Index(None, "heard_at"),
)

# What can be read of calls at their provider: at ``due_at``, or never, where it was tried for too long.
announcements = sa.Table(
    "announcements",
    metadata,
    *of_call(),
    sa.Column("what", sa.Text, primary_key=True),
    sa.Column("provider", sa.Text, nullable=False),
    sa.Column("heard_at", Moment, nullable=False),
    sa.Column("due_at", Moment),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("reason", Said),
    sa.Index(None, "connection", "due_at"),
)

# What is done at call providers from time to time: of each hook when next, how often it failed in turn, and why. Of a list
# how far it was read: the calls since ``since``, begun at ``began_at`` and as far as ``page``.
chores = sa.Table(
    "chores",
    metadata,
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("provider", sa.Text, primary_key=True),
    sa.Column("hook", sa.Text, primary_key=True),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("reason", Said),
    sa.Column("since", Moment, nullable=False),
    sa.Column("began_at", Moment),
    sa.Column("page", Said),
)

audit = sa.Table(
    "audit",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer, "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("connection", sa.Text, nullable=False),
    sa.Column("call_id", sa.Text),
    sa.Column("at", Moment, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("before", sa.Text),
    sa.Column("after", sa.Text),
    sa.Index(None, "connection", "call_id"),
)

credentials = sa.Table(
    "credentials",
    metadata,
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("ciphertext", sa.LargeBinary, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
)
