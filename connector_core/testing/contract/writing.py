"""Clauses on writing activities: created, updated, unchanged, recognised again, and what is a person's left alone."""

from __future__ import annotations

import datetime as dt
from typing import Any

from connector_core.model import Activity, ActivityDraft, CallKey, CallKind, Receipt, Replaced, Unknown
from connector_core.testing.contract.activities import FIND, activity, day_of, links, said
from connector_core.testing.contract.clauses import clause
from connector_core.testing.contract.crm import Crm, call_key
from connector_core.testing.contract.described import expect_whole
from connector_core.testing.contract.fields import UNKNOWN_FIELD, name

WRITE = "write_activity"
NOON = dt.datetime(2026, 3, 12, 12, tzinfo=dt.UTC)


def draft(crm: Crm, key: str = "contract:new", **changes: Any) -> ActivityDraft:
    """Draft a call at noon with Dora, in the CRM's own format."""
    draft: dict[str, Any] = {
        "key": key,
        "kind": "call",
        "started_at": NOON,
        "ended_at": NOON + dt.timedelta(minutes=20),
        "duration_seconds": 1200.0,
        "subject": "Written by the connector",
        "body": body(crm, "First line", "Second line", f"ref: {key}"),
        "person_ids": crm.ids("C2"),
    }
    return ActivityDraft(**{**draft, **changes})


def change(crm: Crm, found: Activity, key: str, **changes: Any) -> ActivityDraft:
    """Draft a change to an activity as it was found, that leaves everything as it is but what is given."""
    nothing = {"subject": None, "body": None, "duration_seconds": None, "person_ids": ()}
    replaces = Replaced(found.subject, found.body, found.duration_seconds)
    return draft(crm, key, activity_id=found.id, kind=found.kind, replaces=replaces, **{**nothing, **changes})


def at(crm: Crm, place: str) -> ActivityDraft:
    """Draft a meeting whose place is told in a further field, the CRM's own for it."""
    kind: Any = crm.manifest.meetings_as[0]
    return draft(crm, kind=kind, fields={name(crm, f"{kind}.place"): place})


def body(crm: Crm, *lines: str) -> str:
    """Render lines as the manifest says that bodies are."""
    return "".join(f"<p>{line}</p>" for line in lines) if crm.manifest.body_format == "html" else "\n".join(lines)


def many(crm: Crm) -> list[ActivityDraft]:
    """Draft more calls than services take at once."""
    return [draft(crm, f"contract:many-{number}", body=None) for number in range(205)]


def written(crm: Crm, one: ActivityDraft) -> Receipt:
    """Write one draft."""
    return crm.connection.write_activity([one])[one.key]


def created(crm: Crm, one: ActivityDraft) -> Activity:
    """Create an activity, and find it again by its key."""
    receipt = written(crm, one)
    crm.expect(receipt.outcome, "created", f"the outcome ({receipt.reason})")
    kind: CallKind = "meeting" if one.kind in ("event", "meeting") else "phone"
    key = CallKey(one.key, kind, one.started_at, one.ended_at, one.duration_seconds, one.person_ids)
    return activity(crm, key, receipt.id or "")


def changed(crm: Crm, one: ActivityDraft) -> None:
    """Change an activity, and be told so."""
    receipt = written(crm, one)
    crm.expect(receipt.outcome, "updated", f"the outcome ({receipt.reason})")


def by_hand(crm: Crm) -> Activity:
    """Find the activity that a person wrote."""
    return activity(crm, call_key("contract:new", "2026-03-03T10:00:00Z", crm.id("C3"), minutes=10), "T2")


def keyed(crm: Crm, key: str, world_id: str) -> Activity:
    """Find an activity by its key."""
    return activity(crm, call_key(key, "2026-05-01T09:00:00Z"), world_id)


def meeting(crm: Crm) -> Activity:
    """Find the meeting."""
    call = call_key("contract:new", "2026-03-09T14:00:00Z", crm.id("C14"), minutes=60, kind="meeting")
    return activity(crm, call, "T7")


class Creating:
    """New activities."""

    @clause("C-WRITE-1", WRITE, FIND, changes=True)
    def test_what_was_created_is_recognised(self, crm: Crm) -> None:
        """What was created is found by its key under the id of its receipt, also if the receipt was lost."""
        crm.expect(created(crm, draft(crm)).key, "contract:new", "its key")

    @clause("C-WRITE-2", WRITE, FIND, changes=True)
    def test_what_was_created_reads_as_it_was_drafted(self, crm: Crm) -> None:
        """What was created has the kind, day, duration, subject and body of its draft."""
        one = draft(crm)
        found = created(crm, one)
        crm.expect(
            (found.kind, day_of(found.started_at), found.duration_seconds, found.subject, found.body),
            ("call", "2026-03-12", 1200.0, one.subject, one.body),
        )

    @clause("C-WRITE-3", WRITE, FIND, changes=True)
    def test_what_was_created_is_linked_as_it_was_drafted(self, crm: Crm) -> None:
        """What was created is linked to each of its draft's people, and to its opportunity."""
        found = created(crm, draft(crm, person_ids=crm.ids("C1", "C3"), opportunity_id=crm.id("O1")))
        people, opportunities, _ = links(crm, found)
        crm.expect((people, opportunities), (["C1", "C3"], ["O1"]), "people and opportunities")

    @clause("C-WRITE-4", WRITE, FIND, changes=True)
    def test_a_meeting_is_created_and_recognised(self, crm: Crm) -> None:
        """A meeting is created as the first kind that the manifest names for meetings, and found by its key."""
        kind: Any = crm.manifest.meetings_as[0]
        found = created(crm, draft(crm, kind=kind, person_ids=crm.ids("C1", "C14")))
        crm.expect((found.kind, found.key), (kind, "contract:new"), "its kind and key")

    @clause("C-WRITE-5", WRITE, FIND, changes=True)
    def test_text_arrives_as_it_is(self, crm: Crm) -> None:
        """Quotes, ampersands, accents, emoji and signs of markup in a subject arrive as they are."""
        subject = "O'Brien said “50 %” & 3 < 4 — déjà vu 🙂"
        crm.expect(created(crm, draft(crm, subject=subject)).subject, subject)

    @clause("C-WRITE-6", WRITE, FIND, changes=True)
    def test_a_subject_of_full_length_arrives_whole(self, crm: Crm) -> None:
        """A subject as long as the manifest's limit arrives whole."""
        subject = "é" * crm.manifest.subject_limit
        crm.expect(created(crm, draft(crm, subject=subject)).subject, subject)

    @clause("C-WRITE-7", WRITE, FIND, changes=True)
    def test_a_body_of_full_length_arrives_whole(self, crm: Crm) -> None:
        """A body as long as the manifest's limit arrives whole, its last line too."""
        frame = body(crm, "", "ref: contract:new")
        text = body(crm, "x" * (crm.manifest.body_limit - len(frame)), "ref: contract:new")
        crm.expect(created(crm, draft(crm, body=text)).body, text)

    @clause("C-WRITE-8", WRITE, changes=True)
    def test_one_that_is_refused_keeps_no_other_back(self, crm: Crm) -> None:
        """A draft that the CRM refuses is answered as refused, with a reason, and the others of its batch are written."""
        wrong = draft(crm, "contract:wrong", activity_id=crm.id("U1"), person_ids=())
        receipts = crm.connection.write_activity([wrong, draft(crm)])
        outcomes = {key: it.outcome for key, it in receipts.items()}
        crm.expect(outcomes, {"contract:wrong": "refused", "contract:new": "created"})
        crm.expect(bool(receipts["contract:wrong"].reason), True, "the refusal has a reason")

    @clause("C-WRITE-9", WRITE, changes=True)
    def test_a_large_batch_is_written_whole(self, crm: Crm) -> None:
        """Of 205 drafts, more than services take at once, each is created under an id of its own."""
        receipts = crm.connection.write_activity(many(crm))
        crm.expect({it.outcome for it in receipts.values()}, {"created"}, "the outcomes")
        crm.expect(len({it.id for it in receipts.values()}), 205, "ids")

    @clause("C-WRITE-10", WRITE, FIND, traits=("events",), changes=True)
    def test_a_meeting_is_an_event(self, crm: Crm) -> None:
        """A CRM that keeps a calendar has a meeting as an event, at the time that it was, and found by its key."""
        found = created(crm, draft(crm, kind="event", person_ids=crm.ids("C1", "C14")))
        crm.expect((found.kind, found.key, found.started_at), ("event", "contract:new", NOON), "kind, key and start")

    @clause("C-WRITE-11", WRITE, FIND, changes=True)
    def test_what_was_created_has_its_owner(self, crm: Crm) -> None:
        """What was created belongs to the owner that its draft names."""
        crm.expect(crm.world_id(created(crm, draft(crm, owner_id=crm.id("U2"))).owner_id), "U2", "its owner")

    @clause("C-WRITE-12", WRITE, FIND, changes=True)
    def test_of_many_at_one_time_each_is_a_candidate(self, crm: Crm) -> None:
        """Of 120 activities created for one person at one time, more than many pages hold, each is a candidate then."""
        keys = {f"contract:page-{number}" for number in range(120)}
        receipts = crm.connection.write_activity([draft(crm, key, body=None) for key in sorted(keys)])
        crm.expect({it.outcome for it in receipts.values()}, {"created"}, "what became of them")
        call = CallKey("contract:new", "phone", NOON, NOON + dt.timedelta(minutes=20), 1200.0, crm.ids("C2"))
        found = crm.connection.find_activity([call])[call.call_id]
        missing = keys - {it.key for it in found} if not isinstance(found, Unknown) else keys
        crm.expect(sorted(missing), [], "keys of activities that are there and no candidates")

    @clause("C-WRITE-13", WRITE, changes=True)
    def test_who_is_no_user_owns_nothing(self, crm: Crm) -> None:
        """A draft whose owner is no user is refused, for its owner as its receipt says, and the others are written."""
        receipts = crm.connection.write_activity([draft(crm, "contract:wrong", owner_id=crm.id("C1")), draft(crm)])
        told = {key: (it.outcome, it.owner_refused) for key, it in receipts.items()}
        crm.expect(told, {"contract:wrong": ("refused", True), "contract:new": ("created", False)})
        crm.expect(bool(receipts["contract:wrong"].reason), True, "the refusal has a reason")

    @clause("C-WRITE-14", WRITE, traits=("activity_fields",), holds=("fixed_fields",), changes=True)
    def test_a_further_field_that_is_not_there_is_named(self, crm: Crm) -> None:
        """A draft with a further field that is not there is refused, by its name, and the others are written."""
        receipts = crm.connection.write_activity(
            [draft(crm, "contract:wrong", fields={UNKNOWN_FIELD: "x"}), draft(crm)]
        )
        told = {key: (it.outcome, it.field) for key, it in receipts.items()}
        crm.expect(told, {"contract:wrong": ("refused", UNKNOWN_FIELD), "contract:new": ("created", None)})
        crm.expect(bool(receipts["contract:wrong"].reason), True, "the refusal has a reason")
        expect_whole(crm, name(crm, "call"))


class Changing:
    """Activities that are there."""

    @clause("C-CHANGE-1", WRITE, FIND, changes=True)
    def test_a_change_changes_what_it_says(self, crm: Crm) -> None:
        """A change of subject and body is answered as updated, and is what is read then."""
        text = body(crm, "Changed", "ref: contract:1")
        receipt = written(crm, change(crm, keyed(crm, "contract:1", "T1"), "contract:1", subject="Changed", body=text))
        crm.expect((receipt.outcome, crm.world_id(receipt.id)), ("updated", "T1"), f"the receipt ({receipt.reason})")
        found = keyed(crm, "contract:1", "T1")
        crm.expect((found.subject, found.body), ("Changed", text))

    @clause("C-CHANGE-2", WRITE, FIND, changes=True)
    def test_a_change_leaves_the_rest_alone(self, crm: Crm) -> None:
        """What a change does not speak of stays: a person's body, people, duration and day."""
        changed(crm, change(crm, by_hand(crm), "contract:new", subject="Changed"))
        found = by_hand(crm)
        crm.expect(
            (said(found.body), links(crm, found)[0], found.duration_seconds, day_of(found.started_at)),
            ("A person wrote this.", ["C3"], 600.0, "2026-03-03"),
            "body, people, duration and day of T2",
        )

    @clause("C-CHANGE-3", WRITE, FIND, changes=True)
    def test_a_change_of_nothing_is_unchanged(self, crm: Crm) -> None:
        """A change that changes nothing is answered as unchanged, and the activity is what it was."""
        before = keyed(crm, "contract:1", "T1")
        receipt = written(crm, change(crm, before, "contract:1"))
        crm.expect((receipt.outcome, crm.world_id(receipt.id)), ("unchanged", "T1"), f"the receipt ({receipt.reason})")
        crm.expect(keyed(crm, "contract:1", "T1") == before, True, "T1 is as it was")

    @clause("C-CHANGE-4", WRITE, FIND, changes=True)
    def test_people_are_added(self, crm: Crm) -> None:
        """People of a change are added to those who are there, and none of them is lost."""
        changed(crm, change(crm, by_hand(crm), "contract:new", person_ids=crm.ids("C4")))
        crm.expect(links(crm, by_hand(crm))[0], ["C3", "C4"], "people of T2")

    @clause("C-CHANGE-5", WRITE, FIND, changes=True)
    def test_an_opportunity_is_set_where_there_is_none(self, crm: Crm) -> None:
        """A change sets the opportunity of an activity that has none."""
        changed(crm, change(crm, by_hand(crm), "contract:new", opportunity_id=crm.id("O1")))
        crm.expect(links(crm, by_hand(crm))[1], ["O1"], "opportunities of T2")

    @clause("C-CHANGE-6", WRITE, FIND, changes=True)
    def test_an_opportunity_that_is_there_stays(self, crm: Crm) -> None:
        """A change that replaces no opportunity puts none in place of, or beside, the one that an activity has."""
        changed(
            crm,
            change(crm, keyed(crm, "contract:1", "T1"), "contract:1", subject="Changed", opportunity_id=crm.id("O2")),
        )
        crm.expect(links(crm, keyed(crm, "contract:1", "T1"))[1], ["O1"], "opportunities of T1")

    @clause("C-CHANGE-7", WRITE, FIND, changes=True)
    def test_an_account_that_is_there_stays(self, crm: Crm) -> None:
        """A change that replaces no account puts none in place of, or beside, the one that an activity has."""
        changed(crm, change(crm, meeting(crm), "contract:new", subject="Changed", account_id=crm.id("A1")))
        crm.expect(links(crm, meeting(crm))[2], ["A2"], "accounts of T7")

    @clause("C-KEY-1", WRITE, FIND, changes=True)
    def test_a_key_is_set_where_there_is_none(self, crm: Crm) -> None:
        """A change that sets the key makes an activity found by it."""
        changed(
            crm, change(crm, by_hand(crm), "contract:set", set_key=True, body=body(crm, "Text", "ref: contract:set"))
        )
        crm.expect(keyed(crm, "contract:set", "T2").key, "contract:set", "its key")

    @clause("C-KEY-2", WRITE, FIND, changes=True)
    def test_somebody_else_s_key_stays(self, crm: Crm) -> None:
        """A key that is there is never overwritten: a change that does not set the key leaves it as it is."""
        receipt = written(crm, change(crm, keyed(crm, "other:1", "T6"), "contract:new", subject="Changed"))
        crm.expect(receipt.outcome in ("updated", "refused"), True, f"{receipt.outcome} is updated, or refused")
        crm.expect(keyed(crm, "other:1", "T6").key, "other:1", "the key of T6")

    @clause("C-KEY-3", WRITE, FIND, traits=("unique_external_key",), changes=True)
    def test_a_unique_key_is_there_once(self, crm: Crm) -> None:
        """With a unique field for the key, a create that is sent twice makes one activity."""
        first = written(crm, draft(crm))
        again = written(crm, draft(crm))
        crm.expect((first.outcome, again.outcome == "created"), ("created", False), "created, and not created again")
        crm.expect(bool(again.id or again.code), True, "the second receipt says why: by an id, or by the CRM's code")
        found = crm.connection.find_activity([call_key("contract:new", "2026-05-01T09:00:00Z")])["contract:new"]
        crm.expect(crm.shown(found), (first.id,), "the activities with the key")

    @clause("C-KEY-4", WRITE, FIND, changes=True)
    def test_a_key_that_appeared_stays(self, crm: Crm) -> None:
        """A key that appeared since the look-up is not overwritten, though the change was to set another."""
        receipt = written(
            crm, change(crm, keyed(crm, "other:1", "T6"), "contract:new", set_key=True, subject="Changed")
        )
        crm.expect(receipt.outcome in ("updated", "refused"), True, f"{receipt.outcome} is updated, or refused")
        crm.expect(keyed(crm, "other:1", "T6").key, "other:1", "the key of T6")
