"""How each connection stands: at work, paused, held back, and what it cost."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa

from connector_core.errors import TryAgainError
from connector_core.ledger.database import Database
from connector_core.ledger.leases import Lease, Leases
from connector_core.ledger.schema import calls, connections, metadata, writes
from connector_core.meter import Cost, Meter

HELD_BACK_SECONDS = 3600.0
"""How long a backfill waits before it looks again whether quota is left."""


class Connections:
    """Keeps how connections stand."""

    def __init__(self, database: Database, leases: Leases) -> None:
        """Keep nothing yet."""
        self._database = database
        self._leases = leases

    def start(self, lease: Lease, meter: Meter, *, settle_seconds: float) -> str | None:
        """Begin a run: what an earlier owner was about to send when it ended is looked for at once.

        It sends nothing any more: it died, or its lease is over. So what it sent has settled so long from now. What it was
        told of the quota a ``meter`` learns that was told nothing itself.

        :returns: Why the connection is paused, if it is.
        """
        with self._leases.step(lease) as step:
            it = step.execute(sa.select(connections).where(connections.c.name == lease.connection)).one()
            now = self._database.now(step)
            if meter.quota is None and it.quota_at is not None:
                meter.told(limit=it.quota_limit, used=it.quota_used, seconds_ago=(now - it.quota_at).total_seconds())
            left = (
                writes.c.connection == lease.connection,
                writes.c.open,
                writes.c.outcome.is_(None),
                writes.c.fence < lease.fence,
            )
            these = calls.c.call_id.in_(sa.select(writes.c.call_id).where(*left))
            mine = (calls.c.connection == lease.connection, these, calls.c.state == "due")
            step.execute(sa.update(calls).where(*mine).values(due_at=now))
            settled_at = now + dt.timedelta(seconds=settle_seconds)
            step.execute(sa.update(writes).where(*left).values(doubt_until=settled_at, outcome="unknown"))
            reason: str | None = it.paused_reason
            return reason

    def pause(self, lease: Lease, reason: str) -> None:
        """Stand still until a person resumes: the credentials are refused, or the configuration is wrong."""
        with self._leases.step(lease) as step:
            values = {"paused_at": self._database.now(step), "paused_reason": reason}
            step.execute(sa.update(connections).where(connections.c.name == lease.connection).values(values))

    def hold_back(self, lease: Lease, reason: str, *, seconds: float = HELD_BACK_SECONDS) -> None:
        """Let backfill wait: the rest of the quota is kept for others."""
        with self._leases.step(lease) as step:
            until = self._database.now(step) + dt.timedelta(seconds=seconds)
            values = {"backfill_until": until, "backfill_reason": reason}
            step.execute(sa.update(connections).where(connections.c.name == lease.connection).values(values))

    def spent(self, lease: Lease, cost: Cost, meter: Meter) -> None:
        """Add what a run cost, and keep the newest word on the quota."""
        table = connections.c
        values: dict[str, Any] = {
            "requests": table.requests + cost.requests,
            "seconds": table.seconds + cost.seconds,
        }
        with self._leases.step(lease) as step:
            if (quota := meter.quota) is not None:
                told_at = self._database.now(step) - dt.timedelta(seconds=max(0.0, meter.clock() - quota.at))
                values |= {"quota_limit": quota.limit, "quota_used": quota.used, "quota_at": told_at}
            step.execute(sa.update(connections).where(table.name == lease.connection).values(values))

    def remove(self, connection: str) -> int:
        """Remove all that is held of a connection, its credentials too, for good; of it the name alone stays.

        Let nothing more be accepted for it before. What is in the CRM stays there.

        :returns: How many calls there were.
        :raises TryAgainError: A pump works on it, or the database cannot be reached. What was removed stays so.
        """
        removed = 0
        with self._leases.take(connection, "removal") as lease:
            if lease is None:
                raise TryAgainError(f"connection {connection}: a pump works on it: stop that, and remove it then")
            # The fence stays, lest a pump that was stopped long ago take itself for the newest.
            kept = ("name", "fence", "owner", "lease_until")
            bare = {it.name: it.default.arg if it.default else None for it in connections.c if it.name not in kept}  # type: ignore[attr-defined]  # scalars
            for table in (calls, *(it for it in metadata.sorted_tables if it is not calls and "connection" in it.c)):
                with self._leases.step(lease) as step:
                    gone = step.execute(sa.delete(table).where(table.c.connection == connection)).rowcount
                    removed += gone if table is calls else 0
            with self._leases.step(lease) as step:
                step.execute(sa.update(connections).where(connections.c.name == connection).values(bare))
        return removed
