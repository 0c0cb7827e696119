"""Rows that another write holds: they alone are sent again, within the same write."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from connector_hubspot.locks import LOCK_SECONDS, LOCK_TRIES, is_lock, send_past_locks
from hypothesis import given
from hypothesis import strategies as st

from connector_core.model import ActivityDraft, RecordUpdate
from connector_core.policy import RequestPolicy

Connect = Callable[..., Any]
START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
LOCKED = {"row_error": "LOCKED"}


def drafts(count: int) -> list[ActivityDraft]:
    """Make new calls."""
    return [ActivityDraft(f"x:{n}", "call", START, START, subject="Talk", body="ref") for n in range(count)]


@pytest.mark.parametrize(
    ("code", "locked"),
    [
        ("LOCKED", True),
        ("RECORD_LOCKED", True),
        ("UNABLE_TO_LOCK_ROW", True),
        ("BLOCKED", False),
        ("OBJECT_NOT_FOUND", False),
        ("", False),
        (None, False),
    ],
)
def test_a_lock_is_told_by_its_code(code: str | None, locked: bool) -> None:
    """What speaks of a lock passes; what blocks a record for good does not."""
    assert is_lock(code) is locked


def test_created_rows_that_were_locked_are_sent_again(connect: Connect) -> None:
    """Of forty calls in one batch half meet a lock: all are written, each once, none of them unasked a second time."""
    account = connect()
    account.faults({"match": {"path": "*/batch/create"}, "times": 1, "share": 0.5, "do": LOCKED})
    receipts = account.adapter.write_activity(drafts(40))
    keys = [it["properties"]["hs_call_external_id"] for it in account.sandbox.records()["calls"]]

    assert {it.outcome for it in receipts.values()} == {"created"}
    assert sorted(keys) == sorted(receipts)
    assert len(account.requests("/batch/create")) == 2


def test_a_row_that_stays_locked_is_deferred_after_a_few_tries(connect: Connect) -> None:
    """A lock that does not end leaves the row for later: it was surely not written."""
    account = connect()
    account.faults({"match": {"path": "*/batch/create"}, "do": LOCKED})
    receipt = account.adapter.write_activity(drafts(1))["x:0"]

    assert (receipt.outcome, len(account.requests("/batch/create"))) == ("deferred", LOCK_TRIES)
    assert account.sandbox.records()["calls"] == []


def test_a_locked_row_of_two_batches_makes_no_batch_come_again(connect: Connect) -> None:
    """The first hundred calls are written at once; those of the next fifty that were locked follow in one request."""
    account = connect()
    lock = {"match": {"path": "*/batch/create", "body": "*x:149*"}, "times": 1, "share": 0.3, "do": LOCKED}
    account.faults(lock)
    receipts = account.adapter.write_activity(drafts(150))

    assert {it.outcome for it in receipts.values()} == {"created"}
    assert (len(account.requests("/batch/create")), len(account.sandbox.records()["calls"])) == (3, 150)


def test_fields_of_records_that_were_locked_are_sent_again(connect: Connect) -> None:
    """Of forty companies half meet a lock: all are filled, with one request more."""
    account = connect(accounts=[{"id": f"A{n}"} for n in range(40)])
    account.faults({"match": {"path": "*/batch/update"}, "times": 1, "share": 0.5, "do": LOCKED})
    updates = [RecordUpdate("companies", account[f"A{n}"], {"city": "Paris"}) for n in range(40)]
    receipts = account.adapter.fill_fields(updates)

    assert {it["city"].outcome for it in receipts.values()} == {"sent"}
    assert len(account.requests("/batch/update")) == 2


def test_a_lock_beside_a_refusal_keeps_both_apart(connect: Connect) -> None:
    """A record whose value is wrong is refused, and one that was locked meanwhile is filled."""
    account = connect(accounts=[{"id": "A"}, {"id": "B"}])
    account.faults({"match": {"path": "*/batch/update"}, "times": 1, "do": LOCKED})
    right, wrong = account["A"], account["B"]
    receipts = account.adapter.fill_fields(
        [RecordUpdate("companies", right, {"city": "Paris"}), RecordUpdate("companies", wrong, {"nonsense": "x"})]
    )

    outcomes = {key: [it.outcome for it in fields.values()] for (_, key), fields in receipts.items()}
    assert outcomes == {right: ["sent"], wrong: ["refused"]}


@given(st.lists(st.integers(0, 6), max_size=12))
def test_only_locked_rows_are_sent_again(locked_for: list[int]) -> None:
    """However long each row is locked, it is sent until it is free, at most four times, and never again after."""
    slept: list[float] = []
    sent = dict.fromkeys(range(len(locked_for)), 0)

    def send(rows: Any) -> None:
        for row in rows:
            sent[row] += 1

    send_past_locks(RequestPolicy(sleep=slept.append), send, list(sent), lambda row: sent[row] <= locked_for[row])

    assert list(sent.values()) == [min(LOCK_TRIES, rounds + 1) for rounds in locked_for]
    assert all(seconds >= LOCK_SECONDS for seconds in slept)
