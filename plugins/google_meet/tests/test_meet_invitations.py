"""The event of a conference is found by its meeting code and its time; who was invited did not therefore come."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from connector_google_meet.sandbox import Conference

from connector_core.model import Call, Organizer
from connector_core.providers.merging import merge

Make = Callable[..., Any]
Event = Callable[..., dict[str, Any]]


def call_of(world: Any) -> Call:
    call = merge(world.read())
    assert call is not None
    return call


def timed(start: str, end: str, **more: Any) -> dict[str, Any]:
    return {"start": {"dateTime": f"2026-03-02T{start}:00Z"}, "end": {"dateTime": f"2026-03-02T{end}:00Z"}, **more}


def test_an_invited_guest_is_not_said_to_have_come(world: Any) -> None:
    """Nor not to have: whoever came has a name, and no address."""
    (carl,) = [who for who in call_of(world).participants if who.emails == ("carl@buyer.example",)]
    assert carl.attended is None


def test_who_reads_it_is_known_by_their_id(world: Any) -> None:
    """So that Ada, who was invited and came, is one person."""
    assert [who.attended for who in call_of(world).participants if who.is_user] == [True]


@pytest.mark.parametrize(
    ("guest", "attended"),
    [
        ({"responseStatus": "declined"}, False),
        ({"responseStatus": "declined", "displayName": "Somebody Else"}, False),
        ({"responseStatus": "declined", "displayName": " CARL"}, None),
        ({"responseStatus": "tentative"}, None),
        ({"responseStatus": "needsAction"}, None),
        ({}, None),
    ],
)
def test_who_declined_was_not_there(make: Make, event: Event, guest: dict[str, str], attended: bool | None) -> None:
    """Unless somebody of that name was: a name is enough for a doubt, and for nothing more."""
    call = call_of(make(events=(event(attendees=[{"email": "carl@buyer.example", **guest}]),)))
    assert [who.attended for who in call.participants if who.emails == ("carl@buyer.example",)] == [attended]


def test_who_declined_and_came_was_there(make: Make, event: Event) -> None:
    """Where that is known for sure, by their id."""
    call = call_of(make(events=(event(attendees=[{"email": "ada@seller.example", "responseStatus": "declined"}]),)))
    assert [who.attended for who in call.participants if who.is_user] == [True]


def test_colleagues_are_users(make: Make, event: Event) -> None:
    """By the domains of those whose meetings are read."""
    attendees = [{"email": "bo@SELLER.example"}, {"email": "carl@buyer.example"}, {"email": "x@notseller.example"}]
    people = call_of(make(events=(event(attendees=attendees),))).participants
    assert {who.emails: who.is_user for who in people if who.emails and who.attended is None} == {
        ("bo@SELLER.example",): True,
        ("carl@buyer.example",): False,
        ("x@notseller.example",): False,
    }


@pytest.mark.parametrize("organizer", [{"email": "carl@buyer.example"}, {"displayName": "Ada"}, {}, None])
def test_only_one_of_us_is_the_organizer(make: Make, event: Event, organizer: dict[str, str] | None) -> None:
    """Whoever else invited holds no seat here."""
    assert call_of(make(events=(event(organizer=organizer),))).organizer is None


def test_an_organizer_may_have_no_name(make: Make, event: Event) -> None:
    """Their address is enough."""
    call = call_of(make(events=(event(organizer={"email": "sam@seller.example"}),)))
    assert call.organizer == Organizer(email="sam@seller.example")


@pytest.mark.parametrize(
    "changes",
    [
        {"conferenceData": {"conferenceId": "zzz-zzzz-zzz"}, "hangoutLink": "https://meet.google.com/zzz-zzzz-zzz"},
        {"conferenceData": None, "hangoutLink": None},
        {"conferenceData": {"conferenceId": 3}, "hangoutLink": "https://["},
        {"status": "cancelled"},
        timed("11:00", "12:00"),
        timed("07:00", "08:29"),
        {"start": {"date": "2026-03-02"}, "end": {"date": "2026-03-03"}},
    ],
)
def test_another_event_is_not_taken(make: Make, event: Event, changes: dict[str, Any]) -> None:
    """Of another room, of another time, cancelled, or of a whole day: what is not known is left out."""
    call = call_of(make(events=(event(**changes),)))
    assert (call.title, call.organizer, [who.name for who in call.participants]) == (
        None,
        None,
        ["Ada Agent", "Carl", "+33 6 •• •• •• 78"],
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"conferenceData": None},
        {"hangoutLink": None},
        timed("09:45", "10:30"),
        timed("08:00", "08:45"),
        {"start": {"dateTime": "2026-03-02T10:00:00+01:00"}, "end": {"dateTime": "2026-03-02T11:00:00+01:00"}},
    ],
)
def test_the_event_is_taken(make: Make, event: Event, changes: dict[str, Any]) -> None:
    """By code or link, in any time zone, and if the conference was a little early or late."""
    assert call_of(make(events=(event(**changes),))).title == "Discovery call Buyer SA"


def test_of_a_series_the_occurrence_is_taken_that_was_held(make: Make, event: Event) -> None:
    """All share the code; the one that shares most of the time goes before one that merely is near."""
    events = (
        event(summary="Before", **timed("08:00", "09:10")),
        event(summary="This one", **timed("09:10", "10:00")),
        event(summary="After", **timed("10:00", "11:00")),
    )
    for order in (events, events[::-1]):
        assert call_of(make(events=order)).title == "This one"


def test_other_events_may_be_anything(make: Make, event: Event) -> None:
    """Only what has the code is looked into."""
    odd = {"start": {"dateTime": "2026-03-02T09:00:00Z"}, "end": {"dateTime": "2026-03-02T10:00:00Z"}, "summary": 3}
    assert call_of(make(events=(odd, event()))).title == "Discovery call Buyer SA"


@pytest.mark.parametrize("path", ["/calendar/*", "/v2/spaces/*"])
@pytest.mark.parametrize("status", [403, 404])
def test_a_calendar_that_may_not_be_read_keeps_nothing_back(world: Any, path: str, status: int) -> None:
    """The conference is told without it."""
    world.faults({"match": {"path": path}, "do": {"status": status}})
    assert (call_of(world).title, len(call_of(world).participants)) == (None, 3)


def test_a_conference_without_a_room_has_no_event(make: Make, conference: Callable[..., Conference]) -> None:
    """Its code is the room's."""
    world = make(conference(space="gone"))
    world.faults({"match": {"path": "/v2/spaces/gone"}, "do": {"status": 404}})
    assert call_of(world).title is None
