"""Clauses on recognising activities that are there already."""

from __future__ import annotations

import datetime as dt
import re

from connector_core.model import Activity, CallKey, Unknown
from connector_core.testing.contract.clauses import clause
from connector_core.testing.contract.crm import Crm, call_key

FIND = "find_activity"


def activity(crm: Crm, call: CallKey, world_id: str) -> Activity:
    """Find one candidate of a call."""
    found = crm.connection.find_activity([call])[call.call_id]
    named = {crm.world_id(it.id): it for it in found} if not isinstance(found, Unknown) else {}
    crm.expect(world_id in named, True, f"{world_id} among the candidates of {call.call_id}: {crm.shown(found)}")
    return named[world_id]


def day_of(start: dt.datetime | dt.date | None) -> str:
    """Give the day of a start, or of a closing, in UTC."""
    if isinstance(start, dt.datetime):
        start = start.astimezone(dt.UTC).date()
    return start.isoformat() if start else "none"


def links(crm: Crm, found: Activity) -> tuple[list[str | None], list[str | None], list[str | None]]:
    """Give the people, opportunities and accounts of an activity, by their ids in the world."""

    def ids(records: object) -> list[str | None]:
        return sorted((crm.world_id(it.id) for it in records), key=str)  # type: ignore[attr-defined]  # all have one

    return ids(found.people), ids(found.opportunities), ids(found.accounts)


def said(body: str | None) -> str:
    """Give the words of a body, without the markup that a CRM may keep around them."""
    return re.sub(r"<[^>]*>", "", body or "").strip()


class Recognising:
    """By key, and by look-alike."""

    @clause("C-FIND-1", FIND)
    def test_a_key_finds_its_activity(self, crm: Crm) -> None:
        """An activity is found by the key that it carries, whoever its people are and whenever it was."""
        found = activity(crm, call_key("contract:1", "2026-05-01T09:00:00Z"), "T1")
        crm.expect(found.key, "contract:1", "its key")

    @clause("C-FIND-2", FIND)
    def test_keys_compare_exactly(self, crm: Crm) -> None:
        """A key that differs in case alone is another key, and finds no activity."""
        call = call_key("contract:case", "2026-05-01T09:00:00Z")
        found = crm.connection.find_activity([call])[call.call_id]
        crm.expect(crm.shown(found), (), "candidates of contract:case, where contract:Case is there")

    @clause("C-FIND-3", FIND)
    def test_a_key_is_answered_as_it_is_stored(self, crm: Crm) -> None:
        """A key is answered with its capitals, exactly as it is stored."""
        found = activity(crm, call_key("contract:Case", "2026-05-01T09:00:00Z"), "T5")
        crm.expect(found.key, "contract:Case", "its key")

    @clause("C-FIND-4", FIND)
    def test_an_activity_that_looks_alike_is_a_candidate(self, crm: Crm) -> None:
        """An activity without a key that shares a person with the call and starts near it is a candidate."""
        found = activity(crm, call_key("contract:new", "2026-03-03T10:05:00Z", crm.id("C3"), minutes=10), "T2")
        crm.expect(found.key, None, "its key")

    @clause("C-FIND-5", FIND)
    def test_of_two_that_look_alike_both_are_candidates(self, crm: Crm) -> None:
        """Of two activities that look alike both are candidates, so that nobody guesses."""
        call = call_key("contract:new", "2026-03-04T11:05:00Z", crm.id("C5"), minutes=20)
        found = crm.connection.find_activity([call])[call.call_id]
        crm.expect(crm.shown(found), ("T3", "T4"))

    @clause("C-FIND-6", FIND)
    def test_a_call_without_activity_has_none(self, crm: Crm) -> None:
        """A call of which the CRM knows nothing is answered with an empty tuple."""
        call = call_key("contract:none", "2026-03-20T09:00:00Z", crm.id("C2"))
        crm.expect(crm.shown(crm.connection.find_activity([call])[call.call_id]), ())

    @clause("C-FIND-7", FIND)
    def test_an_activity_names_what_it_is_linked_to(self, crm: Crm) -> None:
        """An activity names its people and the opportunity that somebody linked it to."""
        people, opportunities, _ = links(crm, activity(crm, call_key("contract:1"), "T1"))
        crm.expect((people, opportunities), (["C1"], ["O1"]), "people and opportunities of T1")

    @clause("C-FIND-8", FIND)
    def test_an_activity_tells_when_it_was(self, crm: Crm) -> None:
        """An activity tells its day, or its time if the CRM knows it, and its duration in seconds."""
        found = activity(crm, call_key("contract:1"), "T1")
        crm.expect((day_of(found.started_at), found.duration_seconds), ("2026-03-02", 1800), "start and duration of T1")
        if isinstance(found.started_at, dt.datetime):
            crm.expect(found.started_at, dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC), "the time that T1 started")

    @clause("C-FIND-9", FIND)
    def test_an_activity_tells_what_is_written(self, crm: Crm) -> None:
        """An activity is answered with the subject and the body that the CRM has."""
        found = activity(crm, call_key("contract:1"), "T1")
        crm.expect((found.subject, said(found.body)), ("Discovery call", "Talked about prices."))

    @clause("C-FIND-10", FIND)
    def test_a_meeting_names_all_its_people(self, crm: Crm) -> None:
        """A meeting is found through any of its people, and names them all, and the account that it is linked to."""
        call = call_key("contract:new", "2026-03-09T14:00:00Z", crm.id("C14"), minutes=60, kind="meeting")
        people, _, accounts = links(crm, activity(crm, call, "T7"))
        crm.expect((people, accounts), (["C1", "C14"], ["A2"]), "people and accounts of T7")

    @clause("C-FIND-11", FIND)
    def test_a_large_batch_of_calls_is_answered_whole(self, crm: Crm) -> None:
        """Of 120 calls each is answered, and the activities that are there are found."""
        calls = [call_key(f"contract:none-{number}") for number in range(118)]
        calls += [call_key("contract:1"), call_key("contract:Case")]
        found = {key: crm.shown(it) for key, it in crm.connection.find_activity(calls).items()}
        wanted = {**{call.call_id: () for call in calls}, "contract:1": ("T1",), "contract:Case": ("T5",)}
        crm.expect(found, wanted)
