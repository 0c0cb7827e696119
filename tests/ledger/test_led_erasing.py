"""Erasure beside a pump: what is sent at that moment, or was not answered, or is due once more."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import sqlalchemy as sa
from ledger_bench import ACME, Bench, call

from connector_core.ledger.people import Actor
from connector_core.ledger.persons import ERASED, HELD, Persons
from connector_core.model import Receipt

CARL = "carl@buyer.example"
ADA = Actor("ada", "admin")


def erase(at: Bench) -> None:
    """Erase what the calls with Carl said."""
    Persons(at.ledger.database).erase(CARL, {ACME: ("FR",)}, ADA)


@pytest.mark.parametrize("outcome", ["refused", "deferred", "unknown"])
def test_what_the_crm_says_of_a_call_that_was_erased_while_it_was_sent_is_not_kept(at: Bench, outcome: str) -> None:
    """Its sentence may name the person; and the call stays rejected, with why."""

    def answer(receipts: Mapping[str, Receipt]) -> Mapping[str, Receipt]:
        erase(at)
        return {key: Receipt(outcome, reason=f"{CARL} is not allowed") for key in receipts}  # type: ignore[arg-type]  # given

    at.faults.answer = answer
    at.run(call())
    held = [str(row) for table in HELD for row in at.rows(sa.select(table))]

    assert [row for row in held if CARL in row] == []
    assert (at.states()["x:1"], at.row().reason) == (("rejected", "skipped"), ERASED)


def test_a_call_that_was_erased_in_doubt_and_comes_anew_is_found_and_not_written_twice(at: Bench) -> None:
    """Of what was sent only what it is looked for with is left."""
    at.faults.answer = at.faults.lose_the_answer
    at.run(call())
    erase(at)
    at.faults.answer = lambda receipts: receipts
    at.accept(call(title="A richer version"))
    at.later(100)
    at.again().run()

    assert (at.states(), at.written) == ({"x:1": ("written", "created")}, {"x:1": 1})


def test_a_written_call_that_is_due_once_more_counts_as_written_when_it_is_erased(at: Bench) -> None:
    """Its activity is there, as it was."""
    at.run(call())
    at.ledger.people.refresh(ACME, ADA, ["x:1"])
    erase(at)
    at.pump().run()

    assert (at.states(), at.row().reason) == ({"x:1": ("written", "unchanged")}, None)
