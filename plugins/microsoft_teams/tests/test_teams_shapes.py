"""Whatever Graph answers is a call, or an error of ours: each value of each answer is changed in turn."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from connector_microsoft_teams.meetings import (
    Meeting,
    Report,
    Row,
    attended,
    event_of,
    invited,
    overlapping,
    window,
)
from connector_microsoft_teams.records import Record, Session, told
from connector_microsoft_teams.transcripts import Transcript, of_record
from connector_microsoft_teams.transcripts import told as spoken

from connector_core.errors import InputError
from connector_core.providers.bodies import checked
from connector_core.providers.merging import merge
from connector_core.providers.parts import Part

TENANT = "9d66187e-13f0-4666-9bac-be67ddd4b676"
WRONG: tuple[Any, ...] = (
    None, True, -1, 10**30, 0.5, "", " ", "x" * 5000, "\ud800", [], {}, [None],
    "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
)  # fmt: skip
ADA = {"id": "ada", "displayName": "Ada", "tenantId": TENANT, "userPrincipalName": "ada@seller.example"}
PHONE = {"phone": {"id": "+33612345678", "displayName": None, "tenantId": None}}
GUEST = {"guest": {"id": "teamsvisitor:1", "displayName": "Gus", "tenantId": None}}
JOIN = "https://teams.microsoft.com/l/meetup-join/19%3ameeting_MGU5%40thread.v2/0"
ANSWERS: dict[str, Any] = {
    "record": {
        "id": "e523d2ed-2966-4b6b-925b-754a88034cc5",
        "version": 1,
        "type": "peerToPeer",
        "startDateTime": "2025-08-15T12:23:32.922748Z",
        "endDateTime": "2025-08-15T12:58:26.0904416Z",
        "joinWebUrl": JOIN,
        "organizer_v2": {"identity": {"user": ADA}},
        "participants_v2": [{"identity": {"user": ADA}}, {"identity": PHONE}, {"identity": GUEST}],
    },
    "sessions": [
        {
            "startDateTime": "2025-08-15T12:23:32Z",
            "caller": {"identity": {"user": ADA}, "associatedIdentity": ADA},
            "callee": {"identity": PHONE},
        }
    ],
    "meeting": {"id": "m", "subject": "Discovery"},
    "report": {"id": "r", "meetingStartDateTime": "2025-08-15T12:23:32Z", "meetingEndDateTime": "2025-08-15T12:58:28Z"},
    "rows": [{"emailAddress": "ada@seller.example", "identity": ADA}, {"emailAddress": "", "identity": None}],
    "event": {
        "subject": "Discovery",
        "start": {"dateTime": "2025-08-15T12:30:00.0000000", "timeZone": "UTC"},
        "end": {"dateTime": "2025-08-15T13:00:00.0000000", "timeZone": "UTC"},
        "lastModifiedDateTime": "2025-08-14T09:00:00Z",
        "organizer": {"emailAddress": {"name": "Ada", "address": "ada@seller.example"}},
        "attendees": [{"type": "required", "emailAddress": {"name": "Carl", "address": "carl@buyer.example"}}],
        "onlineMeeting": {"joinUrl": JOIN},
    },
    "transcript": {"id": "t", "callId": None, "createdDateTime": "2025-08-15T12:24:30Z"},
}


def parts_of(answers: dict[str, Any]) -> Iterator[Part]:
    """Read all answers, as they are read in turn."""
    record = checked(Record, answers["record"])
    window(record)
    yield told(record, [checked(Session, it) for it in answers["sessions"]], TENANT)
    meeting, report = checked(Meeting, answers["meeting"]), checked(Report, answers["report"])
    if overlapping([report], record) is not None:
        yield attended(record, meeting, report, [checked(Row, it) for it in answers["rows"]], TENANT)
    event = event_of([answers["event"]], record)
    if event is not None:
        yield invited(record, event, TENANT)
    transcripts = of_record([checked(Transcript, answers["transcript"])], record)
    if transcripts:
        yield spoken(record, transcripts, [])


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Give the path of everything in an answer."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def changed(path: tuple[Any, ...], change: Callable[[Any, Any], None]) -> dict[str, Any]:
    """Change the answers at one place."""
    answers = copy.deepcopy(ANSWERS)
    inner: Any = answers
    for key in path[:-1]:
        inner = inner[key]
    change(inner, path[-1])
    return answers


def put(value: Any) -> Callable[[Any, Any], None]:
    """Make a change that puts a value there."""

    def at(inner: Any, key: Any) -> None:
        inner[key] = value

    return at


def drop(inner: Any, key: Any) -> None:
    """Take a value away."""
    del inner[key]


PLACES = [path for path in places(ANSWERS) if len(path) > 1]


def test_the_answers_are_a_call() -> None:
    """Each of them tells a part of it."""
    parts = list(parts_of(ANSWERS))
    assert (len(parts), merge(parts) is not None) == (4, True)


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_whatever_stands_in_one_place_is_read_or_refused(path: tuple[Any, ...]) -> None:
    """With an error that the adapter knows, and without a value."""
    changes = [drop, *(put(value) for value in WRONG)]
    for change in changes:
        try:
            merge(list(parts_of(changed(path, change))))
        except InputError as error:
            assert "ada@seller.example" not in str(error)  # noqa: PT017 - most changes are read
