"""What notifications announce is read, from a stand-in of Graph: see sandbox.py of the plugin for what that proves."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from connector_microsoft_teams import MICROSOFT_TEAMS
from connector_microsoft_teams.sandbox import PERMISSIONS, TENANT_ID, GraphSandbox, Tenant

from connector_core import policy
from connector_core.errors import CredentialsError, TryAgainError
from connector_core.model import Call, Organizer, Participant
from connector_core.providers.binding import bind_provider
from connector_core.providers.hookspecs import Announced, Later, Part
from connector_core.providers.merging import merge
from connector_core.testing.server import SandboxServer

RECORDED = Path(__file__).resolve().parents[4] / "shared" / "recorded" / "providers" / "microsoft_teams"

ADA_ID, CARL_ID = "42559007-03c6-42c8-971f-cb79fd381a5a", "8f1c64a2-0000-0000-0000-3b5136c0e777"
BUYER = "11111111-2222-3333-4444-555555555555"
RECORD_ID = "e523d2ed-2966-4b6b-925b-754a88034cc5"
CALL = f"microsoft_teams:{RECORD_ID}"
RECORD, ATTENDANCE, CALENDAR = (Announced(CALL, what) for what in ("record", "attendance", "calendar"))
JOIN = (
    "https://teams.microsoft.com/l/meetup-join/19%3ameeting_MGU5%40thread.v2/0"
    "?context=%7b%22Tid%22%3a%229d66187e%22%2c%22Oid%22%3a%2242559007%22%7d"
)
JOIN_ESCAPED_OTHERWISE = JOIN.replace("19%3ameeting_MGU5%40", "19%3Ameeting_MGU5@")


def user(user_id: str, name: str | None, login: str, tenant_id: str = TENANT_ID) -> dict[str, Any]:
    """Make the identity of a user, with the keys that Graph sets to null."""
    who = {"id": user_id, "displayName": name, "tenantId": tenant_id, "userPrincipalName": login}
    return {"endpointType": None, "phone": None, "guest": None, "applicationInstance": None, "user": who}


def party(identity: dict[str, Any]) -> dict[str, Any]:
    """Make a participant, or an organizer."""
    return {"id": "p", "identity": identity, "administrativeUnitInfos": []}


ADA = user(ADA_ID, "Ada Agent", "ada@seller.example")
CARL = user(CARL_ID, "Carl Customer", "carl@buyer.example", BUYER)
GUEST = {"user": None, "guest": {"id": "teamsvisitor:0a1b2c", "displayName": None, "tenantId": None}}
PHONE = {"user": None, "phone": {"id": "+33612345678", "displayName": None, "tenantId": None}}
BOT = {"user": None, "applicationInstance": {"id": "b", "displayName": "Recorder", "tenantId": TENANT_ID}}


def record(**more: Any) -> dict[str, Any]:
    """Make the record of a meeting."""
    return {
        "id": RECORD_ID,
        "version": 2,
        "type": "groupCall",
        "modalities": ["audio", "video"],
        "startDateTime": "2025-08-15T12:23:32.922748Z",
        "endDateTime": "2025-08-15T12:58:26.0904416Z",
        "lastModifiedDateTime": "2025-08-15T13:24:59.8917461Z",
        "joinWebUrl": JOIN,
        "organizer_v2": party(ADA),
        "participants_v2": [party(ADA), party(CARL), party(GUEST), party(PHONE), party(BOT)],
        **more,
    }


def attendee(name: str, email: str, who: str | None, tenant_id: str | None) -> dict[str, Any]:
    """Make a row of an attendance report."""
    return {
        "id": who or "b9c8",
        "emailAddress": email,
        "totalAttendanceInSeconds": 600,
        "role": "Attendee",
        "identity": {"id": who, "displayName": name, "tenantId": tenant_id},
        "attendanceIntervals": [],
    }


def report(number: int, start: str, end: str, *rows: dict[str, Any]) -> dict[str, Any]:
    """Make an attendance report."""
    times = {"meetingStartDateTime": f"2025-08-15T{start}.668Z", "meetingEndDateTime": f"2025-08-15T{end}.482Z"}
    return {"id": f"report-{number}", "totalParticipantCount": len(rows), **times, "attendanceRecords": list(rows)}


ROWS = (
    attendee("Ada Agent", "ada.agent@seller.example", ADA_ID, TENANT_ID),
    attendee("Carl Customer", "carl.customer@buyer.example", CARL_ID, BUYER),
    attendee("Gus (Guest)", "", None, None),
)
MEETING = {
    "id": "MSo0MjU1OTAwNy0=",
    "subject": "Discovery call Buyer SA",
    "joinWebUrl": JOIN,
    "attendanceReports": [
        report(1, "12:10:00", "12:20:00", attendee("Early", "early@buyer.example", None, None)),
        report(2, "12:23:32", "12:58:28", *ROWS),
        report(3, "13:05:00", "13:06:00", attendee("Late", "late@buyer.example", None, None)),
    ],
}


def event(number: int, start: str, end: str, *invited: str, **more: Any) -> dict[str, Any]:
    """Make an event of a calendar."""
    return {
        "id": f"event-{number}",
        "subject": "Discovery call Buyer SA",
        "start": {"dateTime": f"2025-08-15T{start}.0000000", "timeZone": "UTC"},
        "end": {"dateTime": f"2025-08-15T{end}.0000000", "timeZone": "UTC"},
        "lastModifiedDateTime": "2025-08-14T09:00:00.1234567Z",
        "organizer": {"emailAddress": {"name": "Ada Agent", "address": "ada.agent@seller.example"}},
        "attendees": [
            {"type": "required", "emailAddress": {"name": address, "address": address}, "status": {"response": "none"}}
            for address in invited
        ],
        "onlineMeeting": {"joinUrl": JOIN_ESCAPED_OTHERWISE},
        **more,
    }


INVITED = event(1, "12:30:00", "13:00:00", "carl.customer@buyer.example", "paula@buyer.example", "sam@seller.example")


class World:
    """A served tenant, and a provider that reads there."""

    def __init__(self, tenant: Tenant, **settings: object) -> None:
        self.tenant = tenant
        self.server = SandboxServer(GraphSandbox(tenant)).start()
        self.teams = bind_provider(MICROSOFT_TEAMS, {**self.server.settings, **settings})

    def read(self, *asked: Announced) -> dict[Announced, tuple[Part, ...] | Later]:
        """Read what was announced."""
        return dict(self.teams.fetch(asked))

    def call(self, *asked: Announced) -> Call:
        """Give the call that is read."""
        call = merge(part for answer in self.read(*asked).values() if isinstance(answer, tuple) for part in answer)
        assert call is not None
        return call

    def control(self, name: str, value: object) -> None:
        """Change the sandbox."""
        assert requests.post(f"{self.server.url}/_sandbox/{name}", json=value, timeout=60).status_code == 200

    def faults(self, *rules: Mapping[str, Any]) -> None:
        """Let things go wrong."""
        self.control("faults", list(rules))

    def asked(self) -> list[tuple[str, int]]:
        """Give what was asked for at Graph, and the status of the answers."""
        journal = requests.get(f"{self.server.url}/_sandbox/journal", timeout=60).json()
        return [(it["path"], it["status"]) for it in journal if it["path"].startswith("/v1.0/")]

    def signed_in(self) -> int:
        """Say how often a token was asked for."""
        journal = requests.get(f"{self.server.url}/_sandbox/journal", timeout=60).json()
        return sum(it["path"].endswith("/oauth2/v2.0/token") for it in journal)

    def close(self) -> None:
        """Let go of both."""
        self.teams.close()
        self.server.close()


Make = Callable[..., World]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Make worlds; nobody waits between attempts."""
    monkeypatch.setattr(policy, "wait", lambda _seconds: None)
    made: list[World] = []

    def of(*records: dict[str, Any], settings: Mapping[str, object] | None = None, **more: Any) -> World:
        made.append(World(Tenant(records=list(records or [record()]), **more), **(settings or {})))
        return made[-1]

    yield of
    for world in made:
        world.close()


@pytest.fixture
def world(make: Make) -> World:
    """The world of the one meeting, with its report and its event."""
    return make(meetings={ADA_ID: [copy.deepcopy(MEETING)]}, events={ADA_ID: [INVITED]})


def time_of(text: str) -> dt.datetime:
    """Read a time."""
    return dt.datetime.fromisoformat(text)


# -- call records ------------------------------------------------------------------------------------------------------


def test_a_record_is_read_as_a_call(world: World) -> None:
    """Whoever is of another tenant is an outsider, and a bot is nobody."""
    assert world.call(RECORD) == Call(
        id=CALL,
        provider="microsoft_teams",
        kind="meeting",
        status="completed",
        started_at=time_of("2025-08-15T12:23:32.922748+00:00"),
        ended_at=time_of("2025-08-15T12:58:26.090441+00:00"),
        duration_seconds=2093.167693,
        organizer=Organizer(name="Ada Agent", email="ada@seller.example"),
        participants=(
            Participant(is_user=True, name="Ada Agent", emails=("ada@seller.example",), attended=True),
            Participant(is_user=False, name="Carl Customer", emails=("carl@buyer.example",), attended=True),
            Participant(is_user=False, attended=True),
            Participant(is_user=False, phones=("+33612345678",), attended=True),
        ),
    )


@pytest.mark.parametrize("minute", range(30, 38))
def test_the_greatest_version_wins_whichever_is_read_last(world: World, minute: int) -> None:
    """Version 1 may lack who came late, and how it ended."""
    newer = world.read(RECORD)[RECORD]
    end = f"2025-08-15T12:{minute}:00Z"
    world.tenant.records[0] |= {"version": 1, "endDateTime": end, "participants_v2": [party(ADA)]}
    older = world.read(RECORD)[RECORD]
    assert isinstance(newer, tuple)
    assert isinstance(older, tuple)
    call = merge([*newer, *older])
    assert call is not None
    assert (call.ended_at, len(call.participants)) == (time_of("2025-08-15T12:58:26.090441+00:00"), 4)


def test_the_recorded_answers_are_a_call(make: Make) -> None:
    """As a public repository has them from a real tenant, made anonymous."""
    if not RECORDED.is_dir():
        pytest.skip("the recorded answers of Graph are not here")
    answer = json.loads((RECORDED / "cli_callrecord_get_response.json").read_text())
    people = json.loads((RECORDED / "cli_callrecord_get_responseWithParticipants.json").read_text())
    call = make(answer | people).call(Announced(f"microsoft_teams:{answer['id']}", "record"))
    assert call == Call(
        id=CALL,
        provider="microsoft_teams",
        kind="meeting",
        status="completed",
        started_at=time_of("2025-08-15T12:23:32.922748+00:00"),
        ended_at=time_of("2025-08-15T12:28:26.090441+00:00"),
        duration_seconds=293.167693,
        organizer=Organizer(name="John Doe", email="john.doe@contoso.com"),
        participants=(Participant(is_user=True, name="John Doe", emails=("john.doe@contoso.com",), attended=True),),
    )


def test_every_recorded_line_of_the_list_is_read(make: Make) -> None:
    """Calls between two, unanswered ones, and calls of groups that nobody planned."""
    if not RECORDED.is_dir():
        pytest.skip("the recorded answers of Graph are not here")
    lines = json.loads((RECORDED / "cli_callrecord_list.json").read_text())
    records = [it | {"participants_v2": [it["organizer_v2"]], "sessions": []} for it in lines]
    world = make(*records)
    calls = [world.call(Announced(f"microsoft_teams:{it['id']}", "record")) for it in records]
    wanted = ["missed" if it["startDateTime"] == it["endDateTime"] else "completed" for it in lines]
    assert [call.status for call in calls] == wanted


def test_all_pages_of_participants_are_read(make: Make) -> None:
    """Graph gives 130 at a time."""
    people = [party(user(f"u{number}", f"Guest {number}", f"g{number}@buyer.example", BUYER)) for number in range(300)]
    assert len(make(record(participants_v2=people)).call(RECORD).participants) == 300


def test_a_guest_of_the_tenant_is_an_outsider_with_the_address_of_the_login(make: Make) -> None:
    """They were invited into the directory, and are of the same tenant id."""
    login = "carl_customer_buyer.example#EXT#@seller.onmicrosoft.com"
    guest = make(record(participants_v2=[party(user(CARL_ID, "Carl", login))])).call(RECORD).participants[0]
    assert (guest.is_user, guest.emails) == (False, ("carl_customer@buyer.example",))


@pytest.mark.parametrize(
    ("caller", "callee", "direction", "kind", "numbers"),
    [
        (ADA, PHONE, "outbound", "phone", (None, "+33612345678")),
        (PHONE, ADA, "inbound", "phone", ("+33612345678", None)),
        (ADA, CARL, "outbound", "meeting", (None, None)),
        (ADA, user("u3", "Sam", "sam@seller.example"), "internal", "meeting", (None, None)),
        (ADA, None, None, "meeting", (None, None)),
    ],
)
def test_a_call_between_two_has_a_direction(
    make: Make,
    caller: dict[str, Any],
    callee: dict[str, Any] | None,
    direction: str | None,
    kind: str,
    numbers: tuple[str | None, str | None],
) -> None:
    """Its sessions say who called; the record does not."""
    sessions = [
        {
            "id": "s",
            "startDateTime": "2025-08-15T12:23:32Z",
            "caller": {"identity": caller},
            "callee": {"identity": callee},
        }
    ]
    between = record(type="peerToPeer", joinWebUrl="", participants_v2=[], sessions=sessions)
    call = make(between).call(RECORD)
    assert (call.direction, call.kind, (call.from_number, call.to_number)) == (direction, kind, numbers)


def test_a_side_is_known_by_the_user_who_is_signed_in_there(make: Make) -> None:
    """The identity of a session has no login; the associated one has."""
    bare = {"user": {"id": ADA_ID, "displayName": "Ada Agent", "tenantId": TENANT_ID}}
    side = {"identity": bare, "associatedIdentity": ADA["user"]}
    sessions = [{"id": "s", "startDateTime": "2025-08-15T12:23:32Z", "caller": side, "callee": {"identity": PHONE}}]
    call = make(record(type="peerToPeer", joinWebUrl="", participants_v2=[], sessions=sessions)).call(RECORD)
    assert [who.emails for who in call.participants] == [("ada@seller.example",), None]


def test_a_record_that_is_not_there_is_asked_for_again(make: Make) -> None:
    """The notification may be ahead of it."""
    other = Announced("microsoft_teams:00000000-0000-0000-0000-000000000000", "record")
    answer = make().read(other)[other]
    assert isinstance(answer, Later)


@pytest.mark.parametrize(
    "change", [{"version": "2"}, {"startDateTime": "yesterday"}, {"participants_v2": [7]}, {"id": "x"}]
)
def test_a_record_of_another_form_is_asked_for_again(world: World, change: dict[str, Any]) -> None:
    """What Graph does not document is no call, and keeps nothing else back."""
    body = record() | change
    world.faults({"match": {"path": "*callRecords*"}, "do": {"status": 200, "body": body}})
    answer = world.read(RECORD)[RECORD]
    assert isinstance(answer, Later)


def test_a_page_elsewhere_is_not_followed(world: World) -> None:
    """The token would go along."""
    body = record() | {"participants_v2@odata.nextLink": "https://evil.example/v1.0/x"}
    world.faults({"match": {"path": "*callRecords*"}, "do": {"status": 200, "body": body}})
    answer = world.read(RECORD)[RECORD]
    assert isinstance(answer, Later)
    assert "elsewhere" in answer.reason


# -- who attended ------------------------------------------------------------------------------------------------------


def test_the_report_of_the_same_time_tells_who_attended(world: World) -> None:
    """A meeting has a report for each time that its room filled; addresses of attendance go before logins."""
    call = world.call(RECORD, ATTENDANCE)
    assert (call.title, call.participants) == (
        "Discovery call Buyer SA",
        (
            Participant(
                is_user=True, name="Ada Agent", emails=("ada.agent@seller.example", "ada@seller.example"), attended=True
            ),
            Participant(
                is_user=False,
                name="Carl Customer",
                emails=("carl.customer@buyer.example", "carl@buyer.example"),
                attended=True,
            ),
            Participant(is_user=False, attended=True),
            Participant(is_user=False, phones=("+33612345678",), attended=True),
            Participant(is_user=False, name="Gus (Guest)", attended=True),
        ),
    )


def test_no_report_of_another_session_is_taken(world: World) -> None:
    """The meeting was long ago, so none is waited for."""
    del world.tenant.meetings[ADA_ID][0]["attendanceReports"][1]
    assert world.read(ATTENDANCE)[ATTENDANCE] == ()


def test_a_report_is_waited_for_after_a_meeting(make: Make) -> None:
    """It is made minutes later."""
    now = dt.datetime.now(dt.UTC)
    times = {"startDateTime": (now - dt.timedelta(hours=1)).isoformat(), "endDateTime": now.isoformat()}
    answer = make(record(**times), meetings={ADA_ID: [MEETING]}).read(ATTENDANCE)[ATTENDANCE]
    assert isinstance(answer, Later)


@pytest.mark.parametrize(
    "change",
    [
        {"joinWebUrl": ""},
        {"joinWebUrl": None},
        {"organizer_v2": party(CARL)},
        {"organizer_v2": None},
        {"joinWebUrl": "https://teams.microsoft.com/l/meetup-join/o'neill"},
    ],
)
def test_where_there_is_no_meeting_there_is_no_report(make: Make, change: dict[str, Any]) -> None:
    """Calls, and meetings that another tenant holds."""
    assert make(record(**change), meetings={ADA_ID: [MEETING]}).read(ATTENDANCE)[ATTENDANCE] == ()


# -- who was invited ---------------------------------------------------------------------------------------------------


def test_who_was_invited_is_not_said_to_have_attended(world: World) -> None:
    """Whoever attended too is one person; colleagues are users by the domain of their address."""
    people = world.call(RECORD, ATTENDANCE, CALENDAR).participants
    by_address = {who.emails[0]: (who.is_user, who.attended) for who in people if who.emails}
    assert by_address == {
        "ada.agent@seller.example": (True, True),
        "carl.customer@buyer.example": (False, True),
        "paula@buyer.example": (False, None),
        "sam@seller.example": (True, None),
    }


def test_the_occurrence_nearest_to_the_call_is_taken(make: Make) -> None:
    """A series meets in one room, and another meeting is at the same time."""
    events = [
        event(1, "11:00:00", "11:30:00", "first@buyer.example"),
        event(2, "12:30:00", "13:00:00", "second@buyer.example"),
        event(3, "12:23:00", "12:58:00", "other@buyer.example", onlineMeeting={"joinUrl": JOIN.replace("MGU5", "XYZ")}),
        event(4, "12:23:00", "12:58:00", "offline@buyer.example", onlineMeeting=None),
    ]
    people = make(events={ADA_ID: events}).call(RECORD, CALENDAR).participants
    assert [who.emails for who in people if who.attended is None] == [("second@buyer.example",)]


def test_an_event_elsewhere_may_have_any_form(make: Make) -> None:
    """A calendar holds more than meetings of Teams."""
    odd = event(2, "12:30:00", "13:00:00", onlineMeeting=None, subject=7, attendees="none", organizer=[])
    call = make(events={ADA_ID: [odd, INVITED]}).call(RECORD, CALENDAR)
    assert call.title == "Discovery call Buyer SA"


def test_a_room_is_not_invited(make: Make) -> None:
    """It is a resource of the calendar."""
    room = {"type": "resource", "emailAddress": {"name": "Room 7", "address": "room7@seller.example"}}
    call = make(events={ADA_ID: [event(1, "12:30:00", "13:00:00", attendees=[room])]}).call(RECORD, CALENDAR)
    assert all(who.attended for who in call.participants)


def test_of_a_meeting_of_others_the_calendar_of_a_colleague_is_read(make: Make) -> None:
    """The organizer's is in another tenant."""
    call = make(record(organizer_v2=party(CARL)), events={ADA_ID: [INVITED]}).call(RECORD, CALENDAR)
    assert ("paula@buyer.example",) in [who.emails for who in call.participants]


# -- trouble -----------------------------------------------------------------------------------------------------------


def test_a_record_that_three_announcements_are_of_is_read_once(world: World) -> None:
    """Graph counts requests."""
    world.read(RECORD, ATTENDANCE, CALENDAR)
    assert [path for path, _ in world.asked()].count(f"/v1.0/communications/callRecords/{RECORD_ID}") == 1


def test_one_token_serves_until_it_ends(world: World) -> None:
    """And where Graph does not accept it any more, another one is asked for, once."""
    world.read(RECORD)
    world.read(RECORD)
    world.faults({"match": {"path": "/v1.0/*"}, "times": 1, "do": {"expire_session": True}})
    assert isinstance(world.read(RECORD)[RECORD], tuple)
    assert world.signed_in() == 2


def test_a_limit_is_waited_for_as_graph_asks(world: World) -> None:
    """Within patience the request is sent again."""
    world.faults({"match": {"path": "/v1.0/*"}, "times": 1, "do": {"status": 429, "headers": {"Retry-After": 7}}})
    assert isinstance(world.read(RECORD)[RECORD], tuple)


def test_beyond_patience_everything_waits_as_long_as_graph_asks(world: World) -> None:
    """And nothing more is sent meanwhile."""
    world.faults({"match": {"path": "/v1.0/*"}, "do": {"status": 429, "headers": {"Retry-After": 120}}})
    with pytest.raises(TryAgainError) as caught:
        world.read(RECORD, ATTENDANCE, CALENDAR)
    assert (caught.value.after_seconds, len(world.asked())) == (120, 1)


def test_what_was_read_before_a_limit_is_kept(world: World) -> None:
    """The rest is asked for again when Graph says."""
    world.faults(
        {"match": {"path": "*/onlineMeetings"}, "do": {"status": 429, "headers": {"Retry-After": 120}}},
    )
    answers = world.read(RECORD, ATTENDANCE, CALENDAR)
    later = [answer.after_seconds for answer in answers.values() if isinstance(answer, Later)]
    assert (isinstance(answers[RECORD], tuple), set(later)) == (True, {120.0})


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_graph_that_is_down_is_asked_again_later(world: World, status: int) -> None:
    """Nothing is lost."""
    world.faults({"match": {"path": "/v1.0/*"}, "do": {"status": status}})
    with pytest.raises(TryAgainError):
        world.read(RECORD)


@pytest.mark.parametrize("path", ["*openid-configuration", "*/oauth2/v2.0/token"])
@pytest.mark.parametrize("status", [429, 503])
def test_a_login_that_is_down_is_asked_again_later(world: World, path: str, status: int) -> None:
    """Neither the app nor the tenant is refused."""
    world.faults({"match": {"path": path}, "do": {"status": status}})
    with pytest.raises(TryAgainError):
        world.read(RECORD)


def test_somebody_of_whom_nothing_is_known_is_left_out(make: Make) -> None:
    """Several of them would seem to be one."""
    nobody = {"id": None, "displayName": None, "tenantId": None, "userPrincipalName": None}
    people = [
        party({"user": nobody}),
        party({"phone": nobody}),
        party({"guest": nobody}),
        party({}),
        {"identity": None},
    ]
    assert make(record(participants_v2=people)).call(RECORD).participants == ()


def test_without_the_permission_for_call_records_an_administrator_is_asked(world: World) -> None:
    """Nothing can be read at all."""
    world.control("org", {"permissions": []})
    with pytest.raises(CredentialsError, match=r"CallRecords\.Read\.All"):
        world.read(RECORD)


def test_without_the_other_permissions_the_record_is_enough(world: World) -> None:
    """Attendance and calendars are besides."""
    world.control("org", {"permissions": [PERMISSIONS[0]]})
    answers = world.read(RECORD, ATTENDANCE, CALENDAR)
    assert (isinstance(answers[RECORD], tuple), answers[ATTENDANCE], answers[CALENDAR]) == (True, (), ())


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"client_secret": "another"}, "invalid_client, AADSTS7000215"),
        ({"client_id": "00000000-0000-0000-0000-000000000002"}, "unauthorized_client, AADSTS700016"),
        ({"tenant_id": "00000000-0000-0000-0000-000000000003"}, "no tenant"),
    ],
)
def test_credentials_that_are_refused_are_told_by_microsofts_own_word(
    make: Make, settings: dict[str, object], wanted: str
) -> None:
    """And by no value."""
    with pytest.raises(CredentialsError, match=wanted) as caught:
        make(settings=settings).read(RECORD)
    assert not any(str(value) in str(caught.value) for value in settings.values())


def test_a_login_elsewhere_is_not_followed(world: World) -> None:
    """The secret would go along."""
    elsewhere = "https://evil.example/9d66187e/oauth2/v2.0"
    body = {"authorization_endpoint": f"{elsewhere}/authorize", "token_endpoint": f"{elsewhere}/token", "issuer": "x"}
    world.faults({"match": {"path": "*openid-configuration"}, "do": {"status": 200, "body": body}})
    with pytest.raises(CredentialsError, match="another cloud"):
        world.read(RECORD)


def test_what_nobody_knows_to_read_is_nothing(world: World) -> None:
    """An older version of the plugin may have announced it."""
    unknown = Announced(CALL, "recording")
    assert world.read(unknown)[unknown] == ()
