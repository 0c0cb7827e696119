"""How all connections stand, in a constant number of queries however many there are."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from connector_core.ledger.database import Database
from connector_core.ledger.leases import surely_let_go
from connector_core.ledger.schema import STATES, activities, announcements, calls, chores, connections


@dataclass(slots=True)
class Overview:
    """How one connection stands.

    ``states``: calls in each state. ``refused``: those of the waiting ones that the CRM refuses. ``to_read``: what call
    providers announced and is still to be read; ``not_read``: what could not be for days, with the newest reason.
    ``failing``: what is wrong with the subscriptions or the lists of call providers, each with its name; it is tried again.
    ``oldest_due_at``: since when the call has been due that waits longest. ``written_today``: since midnight, UTC.
    ``requests`` and ``seconds`` were spent on all calls so far. ``worked_on_by``: the owner of the lease, while it lasts; in
    SQLite, while the owner lives.
    """

    connection: str
    states: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STATES, 0))
    refused: int = 0
    to_read: int = 0
    not_read: int = 0
    not_read_reason: str | None = None
    failing: list[str] = field(default_factory=list)
    written_today: int = 0
    oldest_due_at: dt.datetime | None = None
    paused_at: dt.datetime | None = None
    paused_reason: str | None = None
    backfill_until: dt.datetime | None = None
    backfill_reason: str | None = None
    requests: int = 0
    seconds: float = 0.0
    quota_limit: int | None = None
    quota_used: int | None = None
    quota_at: dt.datetime | None = None
    worked_on_by: str | None = None

    @property
    def requests_per_call(self) -> float | None:
        """What a call cost that came to an outcome, on average; None before any."""
        calls = sum(number for state, number in self.states.items() if state != "due")
        return self.requests / calls if calls else None

    @property
    def quota_left(self) -> int | None:
        """Requests that were left when the service said so last."""
        if self.quota_limit is None or self.quota_used is None:
            return None
        return max(0, self.quota_limit - self.quota_used)

    def to_json(self) -> dict[str, Any]:
        """Give it as plain data."""
        return {
            "connection": self.connection,
            **self.states,
            "refused": self.refused,
            "to_read": self.to_read,
            "not_read": self.not_read,
            "not_read_reason": self.not_read_reason,
            "failing": self.failing,
            "written_today": self.written_today,
            "oldest_due_at": _text(self.oldest_due_at),
            "paused": self.paused_at and {"at": _text(self.paused_at), "reason": self.paused_reason},
            "backfill_held_back": self.backfill_until
            and {"until": _text(self.backfill_until), "reason": self.backfill_reason},
            "requests": self.requests,
            "seconds": round(self.seconds, 3),
            "requests_per_call": self.requests_per_call and round(self.requests_per_call, 4),
            "quota": self.quota_at
            and {"limit": self.quota_limit, "left": self.quota_left, "told_at": _text(self.quota_at)},
            "worked_on_by": self.worked_on_by,
        }


def read_overview(database: Database) -> dict[str, Overview]:
    """Tell how every connection stands that the ledger knows, by name.

    :raises TryAgainError: The database cannot be reached.
    """
    found: dict[str, Overview] = {}
    with database.reading() as step:
        now = database.now(step)
        for row in step.execute(sa.select(connections)):
            found[row.name] = it = Overview(row.name)
            for name in ("paused_at", "paused_reason", "requests", "seconds", "quota_limit", "quota_used", "quota_at"):
                setattr(it, name, getattr(row, name))
            if row.backfill_until is not None and row.backfill_until > now:
                it.backfill_until, it.backfill_reason = row.backfill_until, row.backfill_reason
            if row.lease_until is not None and row.lease_until > now and not surely_let_go(database, row.name):
                it.worked_on_by = row.owner
        for row in step.execute(_STATES):
            found[row.connection].states[row.state] = row.number
            if row.state == "due":
                found[row.connection].oldest_due_at = row.oldest
        for row in step.execute(_REFUSED):
            found[row.connection].refused = row.number
        for row in step.execute(_ANNOUNCED):
            found[row.connection].to_read = row.number - row.given_up
            found[row.connection].not_read = row.given_up
        for row in step.execute(_GIVEN_UP):
            found[row.connection].not_read_reason = row.reason
        for row in step.execute(_FAILING):
            found[row.connection].failing.append(f"{row.provider}: {row.reason}")
        midnight = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        for row in step.execute(_WRITTEN, {"since": midnight}):
            found[row.connection].written_today = row.number
    return found


def _text(moment: dt.datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(dt.UTC).isoformat()


_NUMBER = sa.func.count().label("number")
_STATES = sa.select(calls.c.connection, calls.c.state, _NUMBER, sa.func.min(calls.c.due_at).label("oldest")).group_by(
    calls.c.connection, calls.c.state
)
_REFUSED = (
    sa.select(calls.c.connection, _NUMBER)
    .where(calls.c.state == "waiting", calls.c.outcome == "refused")
    .group_by(calls.c.connection)
)
_GIVEN_UP_ONES = sa.func.sum(sa.case((announcements.c.due_at.is_(None), 1), else_=0)).label("given_up")
_ANNOUNCED = sa.select(announcements.c.connection, _NUMBER, _GIVEN_UP_ONES).group_by(announcements.c.connection)
_GIVEN_UP = (
    sa.select(announcements.c.connection, announcements.c.reason)
    .where(announcements.c.due_at.is_(None))
    .order_by(announcements.c.heard_at)
)
_FAILING = (
    sa.select(chores.c.connection, chores.c.provider, chores.c.reason)
    .where(chores.c.reason.is_not(None))
    .order_by(chores.c.provider, chores.c.hook)
)
_WRITTEN = (
    sa.select(activities.c.connection, _NUMBER)
    .where(activities.c.written_at >= sa.bindparam("since", type_=activities.c.written_at.type))
    .group_by(activities.c.connection)
)
