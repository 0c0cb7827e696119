"""A day of all five call providers, over real HTTP: each call ends as one activity in Salesforce's sandbox.

Every event comes twice, and all of them in any order. What is only announced is read at the providers' stand-ins.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import json
import random
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jwt
import pytest
from connector_google_meet.events import ENDED
from connector_google_meet.sandbox import Conference, GoogleSandbox
from connector_google_meet.sandbox_signing import push
from connector_microsoft_teams.sandbox import CLIENT_STATE, TENANT_ID, GraphSandbox, Tenant
from connector_zoom.sandbox import ACCOUNT_ID, SECRET_TOKEN, PastMeeting, ZoomSandbox
from test_web import Place, served

from connector_core import crm
from connector_core.association import Settings
from connector_core.config import ConnectionConfig, OpenConnection
from connector_core.crms.world import parse_world
from connector_core.fetching import Fetching
from connector_core.ledger.ledger import Ledger
from connector_core.manifest import load
from connector_core.pump import Pump
from connector_core.receiving import Receiver, Source
from connector_core.testing.sandbox import Sandbox
from connector_core.testing.server import SandboxServer
from connector_core.web.app import create_app

EACH = 6
"""Calls of each provider."""
BEGIN = dt.datetime(2026, 3, 2, 5, 0, tzinfo=dt.UTC)
GAP, LENGTH = dt.timedelta(minutes=24), dt.timedelta(minutes=10)
TOKEN, KEY = "aircall-invented", "ringover-invented-" + "0" * 64
ADA, CARL = "ada@seller.example", "carl@buyer.example"
WORLD = {
    "users": [{"id": "U1", "email": ADA, "name": "Ada Agent"}],
    "accounts": [{"id": "A1", "name": "Buyer SA"}],
    "people": [
        {
            "kind": "contact",
            "id": "C1",
            "name": "Carl Customer",
            "emails": [CARL],
            "phones": ["06 39 98 10 11"],
            "account_id": "A1",
        }
    ],
}


@dataclass
class Event:
    """An event as its provider sends it; some sign the address that they call."""

    provider: str
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    signs_address: bool = False

    def signed(self, url: str) -> Mapping[str, str]:
        """Give its headers."""
        if not self.signs_address:
            return self.headers
        claims = {"url": url, "payload": json.loads(self.body)}
        return {"X-Ringover-Webhook-Signature": jwt.encode(claims, KEY, algorithm="HS512")}


class Times:
    """The times of the calls of one provider, which come by turns with those of the others."""

    def __init__(self, turn: int) -> None:
        self.turn = turn

    def of(self, number: int) -> tuple[dt.datetime, dt.datetime]:
        """Give start and end of a call."""
        start = BEGIN + (5 * number + self.turn) * GAP
        return start, start + LENGTH


def text(moment: dt.datetime) -> str:
    """Write a time."""
    return moment.isoformat().replace("+00:00", "Z")


def aircall(number: int) -> Iterator[Event]:
    """A phone call that was tagged before its end was told, and commented after."""
    start, end = (int(moment.timestamp()) for moment in Times(0).of(number))
    data = {"id": 100 + number, "direction": "inbound", "started_at": start, "answered_at": start + 5, "ended_at": end}
    data |= {"raw_digits": "+33 6 39 98 10 11", "user": {"id": 1, "name": "Ada Agent", "email": ADA}}
    tags = [{"id": 1, "name": "Demo"}]
    comments = [{"id": 4, "content": "wants a quote"}]
    for name, at, more in (
        ("call.created", start, {"ended_at": None}),
        ("call.tagged", end + 2, {"tags": tags}),
        ("call.ended", end + 30, {"tags": tags}),
        ("call.commented", end + 90, {"tags": tags, "comments": comments}),
    ):
        body = {"event": name, "timestamp": at, "token": TOKEN, "data": data | more}
        yield Event("aircall", json.dumps(body).encode())


def ringover(number: int) -> Iterator[Event]:
    """A phone call with an id beyond 2^63, and what came after it with nothing but that."""
    start, end = (moment.timestamp() for moment in Times(1).of(number))
    call_id = 14486597828273463454 + number
    data = {"call_id": call_id, "channel_id": 1, "start_time": start, "hangup_time": end, "duration_in_seconds": 590}
    data |= {"direction": "outbound", "from_number": "33199000001", "to_number": "33639981011", "is_internal": False}
    data |= {"user": {"user_id": 7, "firstname": "Ada", "lastname": "Agent", "email": ADA}, "status": "hangup"}
    for resource, name, at, said in (
        ("call", "hangup", end, data),
        ("aftercall", "tags_updated", end + 60, {"call_id": call_id, "tags": ["Demo"]}),
    ):
        body = {"resource": resource, "event": name, "timestamp": at, "attempt": 1, "data": said}
        yield Event("ringover", json.dumps(body).encode(), signs_address=True)


def zoom(number: int) -> Iterator[Event]:
    """A meeting that somebody joined, that ended, and whose recording came later."""
    start, end = Times(2).of(number)
    room = {"uuid": f"zoomUuid{number}==", "id": f"8643{number}", "host_id": "ada", "topic": "Zoom", "duration": 60}
    room |= {"start_time": text(start)}
    who = {"user_id": "2", "user_name": "Carl Customer", "id": "", "email": "", "join_time": text(start)}
    for name, more in (
        ("meeting.participant_joined", {"participant": who}),
        ("meeting.ended", {"end_time": text(end)}),
        ("recording.completed", {"share_url": "https://zoom.us/rec/share/invented", "recording_files": []}),
    ):
        body = json.dumps(
            {
                "event": name,
                "event_ts": int(end.timestamp() * 1000),
                "payload": {"account_id": ACCOUNT_ID, "object": room | more},
            }
        ).encode()
        at = str(int(time.time()))
        mac = hmac.new(SECRET_TOKEN.encode(), f"v0:{at}:".encode() + body, hashlib.sha256).hexdigest()
        yield Event("zoom", body, {"x-zm-request-timestamp": at, "x-zm-signature": f"v0={mac}"})


def zoom_meeting(number: int) -> PastMeeting:
    """What Zoom's API tells of it."""
    start, end = Times(2).of(number)
    return PastMeeting(
        uuid=f"zoomUuid{number}==",
        id=int(f"8643{number}"),
        host_id="ada",
        topic="Zoom",
        start_time=text(start),
        end_time=text(end),
        user_name="Ada Agent",
        user_email=ADA,
        participants=(
            {"id": "ada", "user_id": "1", "name": "Ada Agent", "user_email": ADA},
            {"id": "", "user_id": "2", "name": "Carl Customer", "user_email": CARL},
        ),
    )


def code(number: int) -> str:
    """Give the code of a room of Meet's."""
    return f"abc-mnop-xy{'abcdefghij'[number]}"


def meet(number: int) -> Iterator[Event]:
    """A conference of which only its name is told, by two subscriptions."""
    for subscription in ("user-1", "space-1"):
        name = {"conferenceRecord": {"name": f"conferenceRecords/meet{number}"}}
        delivery = push(ENDED, name, subscription=subscription)
        yield Event("google_meet", delivery.body, delivery.headers)


def conference(number: int) -> Conference:
    """What Meet tells of it: no address, so that Carl is known from the calendar alone."""
    start, end = Times(3).of(number)
    ada = {"user": "users/100000000000000000001", "displayName": "Ada Agent"}
    record = f"conferenceRecords/meet{number}"
    return Conference(
        id=f"meet{number}",
        start_time=text(start),
        end_time=text(end),
        meeting_code=code(number),
        space=f"space{number}",
        participants=(
            {"name": f"{record}/participants/1", "signedinUser": ada},
            {"name": f"{record}/participants/2", "anonymousUser": {"displayName": "Carl"}},
        ),
    )


def invitation(number: int) -> dict[str, Any]:
    """The event of Ada's calendar."""
    start, end = Times(3).of(number)
    return {
        "id": f"event{number}",
        "status": "confirmed",
        "summary": "Meet",
        "start": {"dateTime": text(start)},
        "end": {"dateTime": text(end)},
        "organizer": {"email": ADA, "displayName": "Ada Agent", "self": True},
        "attendees": [
            {"email": ADA, "organizer": True, "self": True, "responseStatus": "accepted"},
            {"email": CARL, "displayName": "Carl Customer", "responseStatus": "accepted"},
        ],
        "conferenceData": {"conferenceId": code(number)},
        "hangoutLink": f"https://meet.google.com/{code(number)}",
    }


def teams_id(number: int) -> str:
    """Give the id of a call record."""
    return f"e523d2ed-2966-4b6b-925b-754a88034c{number:02}"


def teams(number: int) -> Iterator[Event]:
    """A meeting of which only an id is told, twice: with its first version, and with its second."""
    path = f"communications/callRecords/{teams_id(number)}"
    for change in ("created", "updated"):
        item = {
            "subscriptionId": "a8cea9ce-70ac-4166-b2d3-9463bd25c971",
            "clientState": CLIENT_STATE,
            "changeType": change,
            "resource": path,
            "subscriptionExpirationDateTime": "2026-08-18T00:00:00+00:00",
            "resourceData": {
                "@odata.type": "#Microsoft.Graph.callrecord",
                "@odata.id": path,
                "id": teams_id(number),
            },
            "tenantId": TENANT_ID,
        }
        yield Event("microsoft_teams", json.dumps({"value": [item]}).encode())


def call_record(number: int) -> dict[str, Any]:
    """What Graph tells of it."""

    def party(user_id: str, login: str, tenant_id: str) -> dict[str, Any]:
        who = {"id": user_id, "displayName": login.partition("@")[0], "tenantId": tenant_id, "userPrincipalName": login}
        return {"id": user_id, "identity": {"user": who}}

    start, end = Times(4).of(number)
    ada = party("42559007-03c6-42c8-971f-cb79fd381a5a", ADA, TENANT_ID)
    return {
        "id": teams_id(number),
        "version": 2,
        "type": "groupCall",
        "startDateTime": text(start),
        "endDateTime": text(end),
        "joinWebUrl": f"https://teams.microsoft.com/l/meetup-join/19%3ameeting_{number}%40thread.v2/0",
        "organizer_v2": ada,
        "participants_v2": [ada, party("c", CARL, "11111111-2222-3333-4444-555555555555")],
    }


IDS = {
    *(f"aircall:{100 + number}" for number in range(EACH)),
    *(f"ringover:{14486597828273463454 + number}" for number in range(EACH)),
    *(f"zoom:zoomUuid{number}==" for number in range(EACH)),
    *(f"google_meet:meet{number}" for number in range(EACH)),
    *(f"microsoft_teams:{teams_id(number)}" for number in range(EACH)),
}


@dataclass
class Day:
    """The app that receives, the connection, and the clock of the ledger."""

    port: int
    ledger: Ledger
    opened: OpenConnection
    salesforce: Sandbox
    now: float = (BEGIN + dt.timedelta(hours=14)).timestamp()

    def receive(self, event: Event) -> int:
        """Send an event; give the status."""
        path = f"/hooks/acme/{event.provider}"
        headers = event.signed(f"http://127.0.0.1:{self.port}{path}")
        return Place(self.port, None, None).send(event.body, path, dict(headers))[0]  # type: ignore[arg-type]  # it only sends

    def work(self, after_seconds: float) -> None:
        """Let time pass, read what is due, and write it."""
        self.now += after_seconds
        while Fetching(self.ledger, self.opened).read():
            pass
        Pump(self.ledger, self.opened).run()

    def written(self) -> Counter[str]:
        """How often each call is in the CRM, by its id."""
        records = self.salesforce.records()
        tasks = [task["CallObject"] for task in records["Task"]]
        events = [re.findall(r"^ref: (\S+)$", event["Description"], re.MULTILINE)[-1] for event in records["Event"]]
        return Counter([*tasks, *events])

    def people(self) -> set[str | None]:
        """Whom the activities are with."""
        records = self.salesforce.records()
        return {record.get("WhoId") for record in (*records["Task"], *records["Event"])}


@pytest.fixture
def day(tmp_path: Path) -> Iterator[Day]:
    numbers = range(EACH)
    with ExitStack() as stack:
        salesforce = load(crm("salesforce").sandbox or "", of="salesforce")(parse_world(WORLD))
        calendars = {ADA: [invitation(number) for number in numbers]}
        stand_ins = {
            "zoom": ZoomSandbox([zoom_meeting(number) for number in numbers]),
            "google_meet": GoogleSandbox([conference(number) for number in numbers], calendars=calendars),
            "microsoft_teams": GraphSandbox(Tenant([call_record(number) for number in numbers])),
        }
        providers = {name: stack.enter_context(SandboxServer(it)).settings for name, it in stand_ins.items()}
        providers |= {"aircall": {"token": TOKEN}, "ringover": {"webhook_key": KEY}}
        settings = stack.enter_context(SandboxServer(salesforce)).settings
        config = ConnectionConfig("acme", "salesforce", settings, Settings(regions=("FR",)), providers=providers)
        opened = stack.enter_context(config.open())
        made: list[Day] = []
        url = f"sqlite:///{tmp_path / 'ledger.db'}"
        ledger = stack.enter_context(Ledger(url, clock=lambda: made[0].now if made else time.time()))
        sources = {("acme", name): Source(opened.sources.get(name)) for name in providers}
        port = stack.enter_context(served(create_app(Receiver(ledger, lambda *names: sources.get(names)))))
        made.append(Day(port, ledger, opened, salesforce))
        yield made[0]


def test_a_day_of_all_providers_ends_with_one_activity_a_call(day: Day) -> None:
    """Shuffled, repeated and late: some events come when their call is written already."""
    events = [
        event for make in (aircall, ringover, zoom, meet, teams) for number in range(EACH) for event in make(number)
    ]
    events *= 2
    random.Random(5).shuffle(events)  # noqa: S311 - a repeatable order, not a secret
    middle = len(events) // 2

    statuses = {day.receive(event) for event in events[:middle]}
    day.work(after_seconds=700)
    statuses |= {day.receive(event) for event in events[middle:]}
    for _ in range(4):
        day.work(after_seconds=700)

    assert statuses <= {200, 202}
    assert day.written() == dict.fromkeys(IDS, 1)
    (carl,) = day.people()
    assert carl is not None
