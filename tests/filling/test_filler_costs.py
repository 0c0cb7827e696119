"""What filling costs: requests by objects and hundreds of records, and statements by batches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fill_office import MANAGER, NEXT_STEP, TITLE, FillOffice, fill_office, said

from connector_core.model import Call

CALLS = 200
PEOPLE = [
    {"kind": "contact", "id": f"C{it}", "name": f"Guest {it}", "emails": [f"g{it}@buyer.example"], "account_id": "A1"}
    for it in range(CALLS)
]
DEALS = [
    {"id": f"O{it}", "name": f"Deal {it}", "account_id": "A1", "created_at": "2026-02-01T00:00:00Z",
     "contact_ids": [f"C{it}"]}
    for it in range(CALLS)
]  # fmt: skip
STATEMENTS = 80
"""Of one batch, the lease among them: as many for a batch of any size."""
REQUESTS = {
    # All descriptions in one request, and all that is read; a write for each object, of 200 records at most
    # (developer.salesforce.com, "Composite", "sObject Collections").
    "salesforce": 4,
    # Two lists of properties, and the pipelines; batches are of 100 (developers.hubspot.com, "CRM API | Objects").
    "hubspot": 11,
}


def heard(number: int) -> Call:
    """Make a call with one of the guests, of which both fields say something."""
    guest = {"is_user": False, "emails": [f"g{number}@buyer.example"]}
    at = f"2026-03-{2 + number // 20:02}T{number % 20:02}:00:00Z"
    return said(f"next: call {number}\ntitle: Head {number}", number + 1, participants=[guest], started_at=at)


@contextmanager
def statements(at: FillOffice) -> Iterator[list[str]]:
    """Hear what the ledger executes."""
    seen: list[str] = []

    def executed(_a: Any, _b: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    engine = at.at.ledger.database.engine
    sa.event.listen(engine, "before_cursor_execute", executed)
    yield seen
    sa.event.remove(engine, "before_cursor_execute", executed)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_batch_costs_a_few_requests(name: str, tmp_path: Path) -> None:
    """Two hundred calls of four hundred fields: no request, and no statement, for each of them."""
    with fill_office(name, tmp_path, people=PEOPLE, opportunities=DEALS) as at:
        list(at.at.sync(*map(heard, range(CALLS))))
        at.publish(NEXT_STEP, TITLE)
        assert at.at.server is not None
        before = len(at.at.server._journal)
        with statements(at) as executed:
            at.filler.run()
        asked = [f"{it['method']} {it['path']}" for it in at.at.server._journal[before:]]
        asked = [it for it in asked if "token" not in it]
        sent = at.at.ledger.fillings.of("acme", [f"x:{it + 1}" for it in range(CALLS)])
        done = len(at.at.server._journal)
        at.desk.again(MANAGER, [f"x:{it + 1}" for it in range(CALLS)])
        at.filler.run()

        assert [row.outcome for row in sent] == ["sent"] * 2 * CALLS
        assert len(asked) == REQUESTS[name], asked
        assert len(executed) < STATEMENTS, executed
        assert len(at.at.server._journal) == done


@pytest.mark.parametrize(
    ("what", "index"),
    [
        (lambda it: it.in_doubt("acme", [("o", "O1")], ()), "ix_fillings_connection_record_id"),
        (
            lambda it: it.pending("acme", 10, [("t", "next_step", "opportunity.next_step")]),
            "ix_fillings_connection_since",
        ),
    ],
    ids=["in doubt", "pending"],
)
def test_few_of_many_rows_are_found_by_an_index(what: Any, index: str, tmp_path: Path) -> None:
    """What is asked with each batch, and what a person looks at, costs the same however many fields there are."""
    seen: list[tuple[str, Any]] = []
    with fill_office("file", tmp_path) as at:
        engine = at.at.ledger.database.engine
        sa.event.listen(engine, "before_cursor_execute", lambda _a, _b, said, values, *_: seen.append((said, values)))
        what(at.at.ledger.fillings)
        ((statement, values),) = [it for it in seen if "FROM fillings" in it[0]]
        with at.at.ledger.database.reading() as step:
            plan = str(step.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values).all())

        assert index in plan
