"""The tables of the filling: templates, what came of each field, what was written in the CRM, and what was counted."""

from __future__ import annotations

import sqlalchemy as sa

from connector_core.filling.outcomes import OUTCOMES
from connector_core.ledger.schema import Moment, Said, metadata, of_call

# Templates of the filling, each version as it was kept. ``version``: the newest. ``published``: the one that is in use;
# None for a draft. ``since``: the calls that it is for have started then or later; it stays when it is unpublished.
# ``types``: of each field of the one in use by key, as JSON.
templates = sa.Table(
    "templates",
    metadata,
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("template", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("published", sa.Integer),
    sa.Column("since", Moment),
    sa.Column("types", sa.Text),
    sa.Column("changed_at", Moment, nullable=False),
)

template_versions = sa.Table(
    "template_versions",
    metadata,
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("template", sa.Text, primary_key=True),
    sa.Column("version", sa.Integer, primary_key=True),
    sa.Column("content", sa.Text, nullable=False),
    sa.Column("by", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
)

# Calls whose fields are to be filled, or filled anew. ``mark`` grows with each reason to. ``priority``: as of calls.
fills = sa.Table(
    "fills",
    metadata,
    *of_call(),
    sa.Column("priority", sa.SmallInteger, nullable=False),
    sa.Column("mark", sa.Integer, nullable=False),
    sa.Column("due_at", Moment, nullable=False),
    sa.Column("tries", sa.Integer, nullable=False, default=0),
    sa.Column("since", Moment, nullable=False),
    sa.Index(None, "connection", "priority", "due_at"),
)

_IN_DOUBT, _PENDING = sa.text("reason = 'unknown_outcome'"), sa.text("outcome = 'pending'")
_REPLACED = sa.text("replaced is not null")

# What came of each field of a published template, for each call that it is for; see connector_core.filling.outcomes.
# ``target``: where the value goes in the CRM. ``day``: the call's, in the connection's zone. ``who``: the organizer.
# ``value``, ``passage``, ``confidence``, ``source``: what was found, in ``content`` of the call and by which extractor, or
# who gave it. ``wanted``: the value as it is sent; ``previous``: what stood there before it. ``replaced``: the
# call that this was of, if the connector wrote it. ``object``: contact, lead,
# account, opportunity or another one's name. ``approval``: it takes a person's; ``approved_by``, ``approved_at``: it has
# one. ``run``: what it was sent with. ``undo_by``: who wants it taken back. ``since``: since when it has this outcome.
fillings = sa.Table(
    "fillings",
    metadata,
    *of_call(),
    sa.Column("template", sa.Text, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("target", sa.Text, nullable=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("day", sa.Text, nullable=False),
    sa.Column("who", Said),
    sa.Column("value", sa.Text),
    sa.Column("passage", Said),
    sa.Column("confidence", sa.Float),
    sa.Column("source", sa.Text),
    sa.Column("content_hash", sa.Text),
    sa.Column("wanted", sa.Text),
    sa.Column("previous", sa.Text),
    sa.Column("replaced", sa.Text),
    sa.Column("object", sa.Text),
    sa.Column("record_id", sa.Text),
    sa.Column("outcome", sa.Text, nullable=False),
    sa.Column("reason", sa.Text),
    sa.Column("detail", Said),
    sa.Column("approval", sa.Boolean, nullable=False),
    sa.Column("approved_by", sa.Text),
    sa.Column("approved_at", Moment),
    sa.Column("run", sa.Text),
    sa.Column("undo_by", sa.Text),
    sa.Column("since", Moment, nullable=False),
    sa.Column("changed_at", Moment, nullable=False),
    sa.Index(None, "connection", "day", "template", "field", "target", "outcome"),
    sa.Index(None, "connection", "run"),
    sa.Index(None, "connection", "replaced", sqlite_where=_REPLACED, postgresql_where=_REPLACED),
    # What was sent and not answered, by record; and what waits for a person, by how long: there are few of either.
    sa.Index(None, "connection", "record_id", sqlite_where=_IN_DOUBT, postgresql_where=_IN_DOUBT),
    sa.Index(None, "connection", "since", sqlite_where=_PENDING, postgresql_where=_PENDING),
)

# What the connector wrote last into each field of a record, and what stood there before. After a time only a digest of it.
filled = sa.Table(
    "filled",
    metadata,
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("object", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("value", sa.Text),
    sa.Column("previous", sa.Text),
    sa.Column("digest", sa.Text),
    sa.Column("call_id", sa.Text, nullable=False),
    sa.Column("call_started_at", Moment, nullable=False),
    sa.Column("run", sa.Text, nullable=False),
    sa.Column("at", Moment, nullable=False),
    sa.Index(None, "connection", "call_id"),
    sa.Index(None, "connection", "run"),
)

# The outcomes of each day, counted when they were refreshed: of each field how many came to which, and of the outcome
# ``other`` for which ``reasons``, as JSON.
fill_days = sa.Table(
    "fill_days",
    metadata,
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("template", sa.Text, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("target", sa.Text, primary_key=True),
    *(sa.Column(outcome, sa.BigInteger, nullable=False) for outcome in OUTCOMES),
    sa.Column("reasons", sa.Text),
)

# Whose approval each field of a day waits for, the longest ``since``; an empty ``who``: nobody is known.
fill_pending = sa.Table(
    "fill_pending",
    metadata,
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("template", sa.Text, primary_key=True),
    sa.Column("field", sa.Text, primary_key=True),
    sa.Column("target", sa.Text, primary_key=True),
    sa.Column("who", Said, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("since", Moment, nullable=False),
)

# How many calls of a day lack an object, by which ``templates`` would have needed it (``digest``: of these).
fill_missing = sa.Table(
    "fill_missing",
    metadata,
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, primary_key=True),
    sa.Column("object", sa.Text, primary_key=True),
    sa.Column("digest", sa.Text, primary_key=True),
    sa.Column("templates", sa.Text, nullable=False),
    sa.Column("calls", sa.BigInteger, nullable=False),
)

# The days of which something changed since they were counted.
fill_dirty = sa.Table(
    "fill_dirty",
    metadata,
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("day", sa.Text, primary_key=True),
)

fill_refreshes = sa.Table(
    "fill_refreshes",
    metadata,
    sa.Column("connection", sa.Text, primary_key=True),
    sa.Column("refreshed_at", Moment, nullable=False),
)
