"""Clauses on notes beside activities: written, and found again by their last line alone."""

from __future__ import annotations

from connector_core.model import Activity, ActivityDraft, CallKey, Unknown
from connector_core.testing.contract.activities import FIND, activity, links
from connector_core.testing.contract.clauses import clause
from connector_core.testing.contract.crm import Crm
from connector_core.testing.contract.writing import WRITE, created, draft, written


def note(crm: Crm, key: str = "contract:new") -> ActivityDraft:
    """Draft the note of a call."""
    people = crm.ids("C1", "C3")
    return draft(
        crm, key, kind="note", subject=None, duration_seconds=None, person_ids=people, opportunity_id=crm.id("O1")
    )


def noted(crm: Crm) -> tuple[ActivityDraft, Activity]:
    """Create a note, and find it again."""
    one = note(crm)
    receipt = written(crm, one)
    crm.expect(receipt.outcome, "created", f"the outcome ({receipt.reason})")
    return one, activity(crm, key_of(one), receipt.id or "")


def key_of(one: ActivityDraft) -> CallKey:
    """Give what a note is looked for with."""
    return CallKey(one.key, "note", one.started_at, one.ended_at, None, one.person_ids)


class Noting:
    """Notes."""

    @clause("C-NOTE-1", WRITE, FIND, traits=("notes",), changes=True)
    def test_a_note_is_recognised(self, crm: Crm) -> None:
        """A note is found by its call's id under the id of its receipt, and says what its draft says, word by word."""
        one, found = noted(crm)
        crm.expect((found.kind, found.key), ("note", one.key), "its kind and key")
        crm.expect((found.body or "").split(), (one.body or "").split(), "the words of its body")

    @clause("C-NOTE-2", WRITE, FIND, traits=("notes",), changes=True)
    def test_a_note_is_linked_as_it_was_drafted(self, crm: Crm) -> None:
        """A note is linked to each of its draft's people, and to its opportunity."""
        people, opportunities, _ = links(crm, noted(crm)[1])
        crm.expect((people, opportunities), (["C1", "C3"], ["O1"]), "people and opportunities")

    @clause("C-NOTE-3", WRITE, FIND, traits=("notes",), changes=True)
    def test_a_note_stands_beside_the_activity(self, crm: Crm) -> None:
        """A note is found where notes are asked for and nowhere else, and the activity of its call is not found there."""
        one, found = noted(crm)
        there = created(crm, draft(crm, one.key, person_ids=one.person_ids))
        crm.expect(there.id == found.id, False, "the activity is the note")
        crm.expect(kinds(crm, key_of(one)), {"note"}, "kinds that are found where notes are asked for")
        as_call = CallKey(one.key, "phone", one.started_at, one.ended_at, 1200.0, one.person_ids)
        crm.expect(kinds(crm, as_call), {"call"}, "kinds that are found where activities are asked for")


def kinds(crm: Crm, call: CallKey) -> set[str]:
    """Give the kinds of what carries a call's id."""
    found = crm.connection.find_activity([call])[call.call_id]
    return set() if isinstance(found, Unknown) else {it.kind for it in found if it.key == call.call_id}
