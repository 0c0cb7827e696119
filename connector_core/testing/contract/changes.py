"""Clauses on replacing what the connector wrote, and on leaving alone what somebody changed since.

What somebody does meanwhile is done here through the plugin itself, by a change that knows what it replaces.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from connector_core.model import Activity, ActivityDraft, CallKey, Receipt, Replaced
from connector_core.testing.contract.activities import FIND, activity, links
from connector_core.testing.contract.clauses import clause
from connector_core.testing.contract.crm import Crm
from connector_core.testing.contract.described import expect_whole
from connector_core.testing.contract.writing import NOON, WRITE, at, body, changed, created, draft, written


def rewrite(crm: Crm, before: Activity, ours: Replaced | None = None, **changes: Any) -> ActivityDraft:
    """Draft a change to an activity of the connector's own: it knows what that said ``before``, and which links are ours."""
    nothing = {"subject": None, "body": None, "duration_seconds": None, "person_ids": ()}
    replaces = replace(
        ours or Replaced(), subject=before.subject, body=before.body, duration_seconds=before.duration_seconds
    )
    said = {**nothing, "kind": before.kind, "activity_id": before.id, "replaces": replaces}
    return draft(crm, before.key or "", **{**said, **changes})


def moved(crm: Crm, before: Activity, old: str, new: str) -> ActivityDraft:
    """Draft a change of a meeting's place, of which it is known what it said."""
    return rewrite(crm, before, Replaced(fields=at(crm, old).fields), fields=at(crm, new).fields)


def now(crm: Crm, before: Activity) -> Activity:
    """Find an activity again."""
    return activity(crm, CallKey(before.key or "", "phone", NOON, NOON, 0.0), before.id)


def became(receipt: Receipt) -> tuple[str, tuple[str, ...]]:
    """Give the outcome, and what was kept."""
    return receipt.outcome, receipt.kept


class Replacing:
    """What the connector wrote, and what became of it."""

    @clause("C-REPLACE-1", WRITE, FIND, changes=True)
    def test_a_text_that_somebody_wrote_meanwhile_stays(self, crm: Crm) -> None:
        """A body that somebody wrote since it was read stays: nothing is written, and the receipt says what was kept."""
        before = created(crm, draft(crm))
        changed(crm, rewrite(crm, before, body=body(crm, "A person wrote this.", "ref: contract:new")))
        theirs = now(crm, before).body
        receipt = written(crm, rewrite(crm, before, body=body(crm, "Changed", "ref: contract:new")))
        crm.expect(became(receipt), ("unchanged", ("body",)), f"outcome and kept ({receipt.reason})")
        crm.expect((theirs != before.body, now(crm, before).body), (True, theirs), "the body")

    @clause("C-REPLACE-2", WRITE, FIND, changes=True)
    def test_the_rest_of_a_change_is_written(self, crm: Crm) -> None:
        """Where somebody wrote another subject meanwhile, that stays, and the body of the change is written."""
        before = created(crm, draft(crm))
        changed(crm, rewrite(crm, before, subject="A person's"))
        text = body(crm, "Changed", "ref: contract:new")
        receipt = written(crm, rewrite(crm, before, subject="Changed", body=text))
        found = now(crm, before)
        crm.expect(became(receipt), ("updated", ("subject",)), f"outcome and kept ({receipt.reason})")
        crm.expect((found.subject, found.body), ("A person's", text), "subject and body")

    @clause("C-REPLACE-3", WRITE, FIND, changes=True)
    def test_an_opportunity_of_the_connector_is_replaced(self, crm: Crm) -> None:
        """The connector's own opportunity is replaced; without the trait it stays, and the receipt says so."""
        before = created(crm, draft(crm, opportunity_id=crm.id("O1")))
        ours = Replaced(opportunity_id=crm.id("O1"))
        receipt = written(crm, rewrite(crm, before, ours, opportunity_id=crm.id("O2")))
        changes = "change_opportunity" in crm.manifest.traits
        wanted = ("updated", ()) if changes else ("unchanged", ("opportunity_id",))
        crm.expect(became(receipt), wanted, f"outcome and kept ({receipt.reason})")
        crm.expect(links(crm, now(crm, before))[1], ["O2" if changes else "O1"], "opportunities")

    @clause("C-REPLACE-4", WRITE, FIND, traits=("change_opportunity",), changes=True)
    def test_an_opportunity_of_the_connector_is_taken_off(self, crm: Crm) -> None:
        """The connector's own opportunity is taken off, and the activity has none then."""
        before = created(crm, draft(crm, opportunity_id=crm.id("O1")))
        receipt = written(crm, rewrite(crm, before, Replaced(opportunity_id=crm.id("O1"))))
        crm.expect(became(receipt), ("updated", ()), f"outcome and kept ({receipt.reason})")
        crm.expect(links(crm, now(crm, before))[1], [], "opportunities")

    @clause("C-REPLACE-5", WRITE, FIND, changes=True)
    def test_an_opportunity_of_somebody_stays(self, crm: Crm) -> None:
        """An opportunity that somebody put in place of the connector's stays, and the receipt says so."""
        before = created(crm, draft(crm, opportunity_id=crm.id("O2")))
        ours = Replaced(opportunity_id=crm.id("O1"))
        receipt = written(crm, rewrite(crm, before, ours, opportunity_id=crm.id("O3")))
        crm.expect(became(receipt), ("unchanged", ("opportunity_id",)), f"outcome and kept ({receipt.reason})")
        crm.expect(links(crm, now(crm, before))[1], ["O2"], "opportunities")

    @clause("C-REPLACE-6", WRITE, FIND, changes=True)
    def test_an_account_of_the_connector_is_replaced(self, crm: Crm) -> None:
        """The connector's own account is replaced by another."""
        before = created(crm, draft(crm, account_id=crm.id("A1")))
        receipt = written(crm, rewrite(crm, before, Replaced(account_id=crm.id("A1")), account_id=crm.id("A2")))
        crm.expect(became(receipt), ("updated", ()), f"outcome and kept ({receipt.reason})")
        crm.expect(links(crm, now(crm, before))[2], ["A2"], "accounts")

    @clause("C-REPLACE-7", WRITE, FIND, changes=True)
    def test_an_account_of_the_connector_is_taken_off(self, crm: Crm) -> None:
        """The connector's own account is taken off, and the activity has none then."""
        before = created(crm, draft(crm, account_id=crm.id("A1")))
        receipt = written(crm, rewrite(crm, before, Replaced(account_id=crm.id("A1"))))
        crm.expect(became(receipt), ("updated", ()), f"outcome and kept ({receipt.reason})")
        crm.expect(links(crm, now(crm, before))[2], [], "accounts")

    @clause("C-REPLACE-8", WRITE, FIND, changes=True)
    def test_an_account_of_somebody_stays(self, crm: Crm) -> None:
        """An account that somebody put in place of the connector's stays, and the receipt says so."""
        before = created(crm, draft(crm, account_id=crm.id("A2")))
        receipt = written(crm, rewrite(crm, before, Replaced(account_id=crm.id("A1")), account_id=crm.id("A3")))
        crm.expect(became(receipt), ("unchanged", ("account_id",)), f"outcome and kept ({receipt.reason})")
        crm.expect(links(crm, now(crm, before))[2], ["A2"], "accounts")

    @clause("C-REPLACE-9", WRITE, FIND, changes=True)
    def test_people_of_the_connector_are_taken_off(self, crm: Crm) -> None:
        """People whom the connector wrote are taken off a call, others are added, and whoever is there besides stays."""
        before = created(crm, draft(crm, person_ids=crm.ids("C1", "C3")))
        receipt = written(crm, rewrite(crm, before, Replaced(person_ids=crm.ids("C1")), person_ids=crm.ids("C2")))
        crm.expect(became(receipt), ("updated", ()), f"outcome and kept ({receipt.reason})")
        crm.expect(receipt.reason, None, "what could not be done")
        crm.expect(links(crm, now(crm, before))[0], ["C2", "C3"], "people")

    @clause("C-REPLACE-10", WRITE, FIND, changes=True)
    def test_people_of_the_connector_are_taken_off_a_meeting(self, crm: Crm) -> None:
        """People whom the connector wrote are taken off a meeting, and whoever is there besides stays."""
        kind: Any = crm.manifest.meetings_as[0]
        before = created(crm, draft(crm, kind=kind, person_ids=crm.ids("C1", "C3")))
        receipt = written(crm, rewrite(crm, before, Replaced(person_ids=crm.ids("C1"))))
        crm.expect(became(receipt), ("updated", ()), f"outcome and kept ({receipt.reason})")
        crm.expect(links(crm, now(crm, before))[0], ["C3"], "people")

    @clause("C-REPLACE-11", WRITE, FIND, changes=True)
    def test_a_body_that_is_told_is_the_one_that_is_read(self, crm: Crm) -> None:
        """A receipt that tells the body tells, to the character, what is read then."""
        one = draft(crm)
        receipt = written(crm, one)
        found = activity(crm, CallKey(one.key, "phone", NOON, NOON, 0.0), receipt.id or "")
        crm.expect(receipt.body in (None, found.body), True, "the body is told as it is read, or not at all")

    @clause("C-REPLACE-12", WRITE, FIND, traits=("activity_fields",), changes=True)
    def test_our_further_field_is_replaced(self, crm: Crm) -> None:
        """A further field is written, and replaced by a change that knows what it says."""
        before = created(crm, at(crm, "Room 1"))
        receipt = written(crm, moved(crm, before, "Room 1", "Room 2"))
        crm.expect(became(receipt), ("updated", ()), f"outcome and kept ({receipt.reason})")
        again = written(crm, moved(crm, before, "Room 1", "Room 2"))
        crm.expect(became(again), ("unchanged", ()), f"outcome and kept of the same again ({again.reason})")
        expect_whole(crm, crm.manifest.names.get(before.kind, before.kind))

    @clause("C-REPLACE-13", WRITE, FIND, traits=("activity_fields",), changes=True)
    def test_what_somebody_wrote_in_a_further_field_stays(self, crm: Crm) -> None:
        """What somebody wrote in a further field meanwhile stays: nothing is written, and the receipt says what was kept."""
        before = created(crm, at(crm, "Room of somebody"))
        receipt = written(crm, moved(crm, before, "Room 1", "Room 2"))
        field = next(iter(at(crm, "").fields))
        crm.expect(became(receipt), ("unchanged", (field,)), f"outcome and kept ({receipt.reason})")
        again = written(crm, moved(crm, before, "Room of somebody", "Room 2"))
        crm.expect(became(again), ("updated", ()), f"outcome and kept where it is known ({again.reason})")
        expect_whole(crm, crm.manifest.names.get(before.kind, before.kind))
