"""How calls stand: what was decided, what was written, and what is asked of a person."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from connector_core.ledger.database import Database
from connector_core.ledger.schema import BACKFILL, SETTLED, Moment, activities, calls, decisions
from connector_core.ledger.texts import read_written
from connector_core.model import Call
from connector_core.writing import Owner, result_json

AT_ONCE = 500
ACTIVITY = ("activity_id", "activity_kind", "url", "wrote")


@dataclass(frozen=True, slots=True)
class Standing:
    """How one call stands. ``state``: one of :data:`~connector_core.ledger.schema.STATES`; ``outcome``: of its last step.

    ``content`` and ``decision`` are None once they were pruned, or before there is any. ``owner``: whom the activity was
    created with, and why; None where it was not created by the connector.
    """

    call_id: str
    state: str
    due_at: dt.datetime
    outcome: str | None
    reason: str | None
    activity_id: str | None
    url: str | None
    decision: dict[str, Any] | None
    content: str | None
    version: int
    owner: Owner | None = None

    @property
    def settled(self) -> bool:
        """Tell whether this call needs nobody any more."""
        return self.state in SETTLED

    @property
    def call(self) -> Call | None:
        """The call itself, if it was not pruned."""
        return Call.model_validate_json(self.content) if self.content else None

    def to_json(self) -> dict[str, Any]:
        """Give it as the public JSON of a sync's result."""
        return result_json(
            self.call_id,
            self.decision,
            outcome=self.outcome,
            activity_id=self.activity_id,
            url=self.url,
            reason=self.reason,
        )


@dataclass(frozen=True, slots=True)
class Behind:
    """Calls of a backfill that are still due, and the seconds until the first of them may be worked on."""

    number: int
    first_in_seconds: float | None


class CallList:
    """Reads how calls stand."""

    def __init__(self, database: Database) -> None:
        """Read nothing yet."""
        self._database = database

    def of(self, connection: str, call_ids: Sequence[str]) -> dict[str, Standing]:
        """Give how these calls stand, by id; those that were never accepted are left out."""
        found: dict[str, Standing] = {}
        for start in range(0, len(call_ids), AT_ONCE):
            chosen = call_ids[start : start + AT_ONCE]
            found |= {it.call_id: it for it in self._read(connection, calls.c.call_id.in_(chosen))}
        return found

    def waiting(self, connection: str) -> Iterator[Standing]:
        """Give all that waits for a person, the oldest first."""
        return self._read(connection, calls.c.state == "waiting")

    def doubtful(self, connection: str, call_ids: Sequence[str], *, unworked: bool = False) -> list[dt.datetime]:
        """Tell when those of these calls are due whose write was not answered.

        :param unworked: Those too that nobody has worked on yet.
        """
        due: list[dt.datetime] = []
        outcome = calls.c.outcome == "unknown"
        with self._database.reading() as step:
            for start in range(0, len(call_ids), AT_ONCE):
                wanted = sa.select(calls.c.due_at).where(
                    calls.c.connection == connection,
                    calls.c.state == "due",
                    calls.c.call_id.in_(call_ids[start : start + AT_ONCE]),
                    sa.or_(outcome, calls.c.outcome.is_(None)) if unworked else outcome,
                )
                due += step.execute(wanted).scalars()
        return due

    def interactive(self, connection: str, call_ids: Sequence[str]) -> set[str]:
        """Give those of these calls that are not settled, and are no backfill's."""
        of = (calls.c.connection == connection, calls.c.call_id.in_(call_ids), calls.c.priority < BACKFILL)
        with self._database.reading() as step:
            return set(step.execute(sa.select(calls.c.call_id).where(*of, calls.c.state.not_in(SETTLED))).scalars())

    def behind(self, connection: str, beside: Collection[str] = ()) -> Behind:
        """Tell how far a backfill is behind what was accepted.

        :param beside: Calls of it that are worked on as interactive ones.
        """
        due = (calls.c.connection == connection, calls.c.state == "due")
        wanted = sa.select(sa.func.count(), sa.func.min(calls.c.due_at, type_=Moment)).where(*due)
        ids = sorted(beside)
        others = (
            (calls.c.priority < BACKFILL) & calls.c.call_id.in_(ids[start : start + AT_ONCE])
            for start in range(0, len(ids), AT_ONCE)
        )
        with self._database.reading() as step:
            rows = [step.execute(wanted.where(it)).one() for it in (calls.c.priority == BACKFILL, *others)]
            first = min((row[1] for row in rows if row[1]), default=None)
            in_seconds = None if first is None else (first - self._database.now(step)).total_seconds()
        return Behind(sum(row[0] for row in rows), in_seconds)

    def unsettled(self, connection: str, beside: Collection[str] = ()) -> Iterator[Standing]:
        """Give the calls of backfills that wait for a person, or are due once more, by id; however many there are.

        :param beside: As in :meth:`behind`; these come last.
        """
        tried = sa.or_(calls.c.state == "waiting", (calls.c.state == "due") & calls.c.outcome.is_not(None))
        after = ""
        while True:
            of_backfill = (calls.c.priority == BACKFILL, tried, calls.c.call_id > after)
            page = list(self._read(connection, *of_backfill, most=AT_ONCE, by_id=True))
            yield from page
            if len(page) < AT_ONCE:
                break
            after = page[-1].call_id
        ids = sorted(beside)
        for start in range(0, len(ids), AT_ONCE):
            these = (calls.c.priority < BACKFILL, tried, calls.c.call_id.in_(ids[start : start + AT_ONCE]))
            yield from self._read(connection, *these, by_id=True)

    def _read(
        self, connection: str, *which: sa.ColumnElement[bool], most: int | None = None, by_id: bool = False
    ) -> Iterator[Standing]:
        there = calls.outerjoin(
            decisions, (decisions.c.connection == calls.c.connection) & (decisions.c.call_id == calls.c.call_id)
        ).outerjoin(
            activities, (activities.c.connection == calls.c.connection) & (activities.c.call_id == calls.c.call_id)
        )
        order = (calls.c.call_id,) if by_id else (calls.c.started_at, calls.c.call_id)
        columns = (*calls.c, decisions.c.decision, *(activities.c[name] for name in ACTIVITY))
        wanted = sa.select(*columns).select_from(there).where(calls.c.connection == connection, *which)
        with self._database.reading() as step:
            for row in step.execute(wanted.order_by(*order).limit(most)):
                yield Standing(
                    row.call_id,
                    row.state,
                    row.due_at,
                    row.outcome,
                    row.reason,
                    row.activity_id,
                    row.url,
                    json.loads(row.decision) if row.decision else None,
                    row.content,
                    row.version,
                    _owner(row),
                )


def _owner(row: sa.Row[Any]) -> Owner | None:
    written = read_written(row)
    return Owner(written.owner_id, written.owner_from) if written.owner_from else None
