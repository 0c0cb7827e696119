"""What webhooks announce is read, from a stand-in of Zoom: see connector_zoom/sandbox.py for what that proves."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import quote

import pytest
import requests
from connector_zoom import ZOOM
from connector_zoom.client import path_of
from connector_zoom.sandbox import SCOPES, PastMeeting, ZoomSandbox
from connector_zoom.settings import ZoomSettings
from connector_zoom.vtt import read_vtt
from hypothesis import given
from hypothesis import strategies as st

from connector_core import policy
from connector_core.errors import CredentialsError, TryAgainError
from connector_core.model import Call, Organizer, Participant, Utterance
from connector_core.providers.binding import Provider, bind_provider
from connector_core.providers.hookspecs import Announced, Heard, Later, Part
from connector_core.providers.merging import merge
from connector_core.testing.server import SandboxServer

Hear = Callable[[Provider, dict[str, Any]], list[Heard]]

UUID = "hwkAADUySwyG3GyUkqc0vA=="
SLASHED = "/nkCCDfXSdi2Ev3oEspNxQ=="
INNER_SLASHES = "nk//DfXSdi2Ev3o/spNxQA=="
ONE_SLASH = "nk/CDfXSdi2Ev3oEspNxQA=="
HOST = "30R7kT7bTIKSNUFEuH_Qlg"


def row(name: str, user_id: str, **more: Any) -> dict[str, Any]:
    """Make a join as Zoom lists it."""
    return {
        "id": "",
        "user_id": user_id,
        "name": name,
        "user_email": "",
        "registrant_id": "",
        "join_time": "2024-06-13T12:01:10Z",
        "leave_time": "2024-06-13T12:20:00Z",
        "duration": 1130,
        "failover": False,
        "status": "in_meeting",
        "internal_user": False,
        **more,
    }


ADA = row("Ada Agent", "1", id=HOST, user_email="ada@seller.example", internal_user=True)
CARL = row("Carl Customer", "2", user_email="carl@buyer.example")
BOT = row("Otter", "3")
ROWS = (ADA, CARL, row("Carl", "4", user_email="Carl@Buyer.example"), BOT, row("Otter", "5"), {**ADA, "user_id": "6"})
VTT = (
    "WEBVTT\r\n\r\n1\r\n00:00:03.500 --> 00:00:05.000\r\nAda Agent: Hello Carl,\r\nhow are you?\r\n\r\n"
    "2\r\n01:00:00.000 --> 01:00:01.000\r\nFine\r\n"
)
MEETING = PastMeeting(
    uuid=UUID,
    id=86431910364,
    host_id=HOST,
    topic="Discovery call Buyer SA",
    user_name="Ada Agent",
    user_email="ada@seller.example",
    start_time="2024-06-13T12:00:03Z",
    end_time="2024-06-13T12:41:31Z",
    participants=ROWS,
    transcripts={"2024-06-13T12:00:13Z": VTT},
)
PARTICIPANTS = Announced(f"zoom:{UUID}", "participants", 600.0)
TRANSCRIPT = Announced(f"zoom:{UUID}", "transcript")


class World:
    """A served sandbox, and a provider that reads there."""

    def __init__(self, meetings: Iterable[PastMeeting]) -> None:
        self.server = SandboxServer(ZoomSandbox(meetings)).start()
        self.zoom = bind_provider(ZOOM, self.server.settings)

    def read(self, announced: Announced) -> tuple[Part, ...] | Later:
        """Read one thing."""
        return self.zoom.fetch([announced])[announced]

    def control(self, name: str, value: object) -> None:
        """Change the sandbox."""
        assert requests.post(f"{self.server.url}/_sandbox/{name}", json=value, timeout=60).status_code == 200

    def faults(self, *rules: Mapping[str, Any]) -> None:
        """Let things go wrong."""
        self.control("faults", list(rules))

    def asked(self) -> list[tuple[str, int]]:
        """Give what was asked for, and the status of the answers."""
        journal = requests.get(f"{self.server.url}/_sandbox/journal", timeout=60).json()
        return [(entry["path"], entry["status"]) for entry in journal]

    def close(self) -> None:
        """Let go of both."""
        self.zoom.close()
        self.server.close()


Make = Callable[..., World]


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """Make worlds of meetings; nobody waits between attempts."""
    monkeypatch.setattr(policy, "wait", lambda _seconds: None)
    made: list[World] = []

    def of(*meetings: PastMeeting) -> World:
        made.append(World(meetings or [MEETING]))
        return made[-1]

    yield of
    for world in made:
        world.close()


@pytest.fixture
def world(make: Make) -> World:
    """The world of the one meeting."""
    return make()


def call_of(answer: tuple[Part, ...] | Later, *more: Heard) -> Call:
    """Make the call of what was read, and what was heard before."""
    assert isinstance(answer, tuple)
    call = merge([*answer, *(heard for heard in more if isinstance(heard, Part))])
    assert call is not None
    return call


def test_a_meeting_is_read_whole(world: World) -> None:
    """When it was, whose it was, and who was there: one row a join, and each person once."""
    assert call_of(world.read(PARTICIPANTS)) == Call(
        id=f"zoom:{UUID}",
        provider="zoom",
        kind="meeting",
        status="completed",
        title="Discovery call Buyer SA",
        started_at=dt.datetime(2024, 6, 13, 12, 0, 3, tzinfo=dt.UTC),
        ended_at=dt.datetime(2024, 6, 13, 12, 41, 31, tzinfo=dt.UTC),
        organizer=Organizer(name="Ada Agent", email="ada@seller.example"),
        participants=(
            Participant(is_user=True, name="Ada Agent", emails=("ada@seller.example",), attended=True),
            Participant(is_user=False, name="Carl Customer", emails=("carl@buyer.example",), attended=True),
            Participant(is_user=False, name="Otter", attended=True),
        ),
    )


def test_what_is_read_adds_to_what_was_heard(world: World, reader: Provider, hear: Hear) -> None:
    """Who joined by telephone is told by the webhook alone, and Ada is one person."""
    room = {"uuid": UUID, "host_id": HOST}
    dialled = {"id": "", "user_id": "9", "user_name": "33639981011", "email": "", "phone_number": "33639981011"}
    ada = {"id": HOST, "user_id": "1", "user_name": "Ada Agent", "email": ""}
    heard = [
        said
        for who in (ada, dialled)
        for said in hear(
            reader,
            {
                "event": "meeting.participant_joined",
                "event_ts": 1718280003000,
                "payload": {"account_id": "AAAAAABBBBBB_cccccccc", "object": {**room, "participant": who}},
            },
        )
    ]
    people = call_of(world.read(PARTICIPANTS), *heard).participants
    assert sorted((who.name or "", who.phones) for who in people) == [
        ("33639981011", ("+33639981011",)),
        ("Ada Agent", None),
        ("Carl Customer", None),
        ("Otter", None),
    ]


def test_who_only_waited_was_not_there(make: Make) -> None:
    """Who was let in has a row for each, and was."""
    waited = {"status": "in_waiting_room"}
    rows = (ADA, {**CARL, **waited}, {**BOT, **waited}, BOT)
    world = make(PastMeeting(**{**fields(MEETING), "participants": rows}))
    attended = {who.name: who.attended for who in call_of(world.read(PARTICIPANTS)).participants}
    assert attended == {"Ada Agent": True, "Carl Customer": False, "Otter": True}


def test_rows_of_before_2023_tell_users_by_their_id(make: Make) -> None:
    """``internal_user`` is missing there."""
    rows = [{key: value for key, value in it.items() if key != "internal_user"} for it in (ADA, CARL)]
    world = make(PastMeeting(**{**fields(MEETING), "participants": tuple(rows)}))
    assert [who.is_user for who in call_of(world.read(PARTICIPANTS)).participants] == [True, False]


def test_all_pages_are_read(make: Make) -> None:
    """Zoom gives 300 rows at a time."""
    rows = tuple(row(f"Guest {number}", str(number)) for number in range(601))
    world = make(PastMeeting(**{**fields(MEETING), "participants": rows}))
    assert len(call_of(world.read(PARTICIPANTS)).participants) == 601
    assert [path for path, _ in world.asked()].count(f"/v2/past_meetings/{UUID}/participants") == 3


@pytest.mark.parametrize("uuid", [SLASHED, INNER_SLASHES, ONE_SLASH, "abc+def/=="])
def test_every_uuid_is_a_path(make: Make, uuid: str) -> None:
    """One that begins with a slash, or holds two, is encoded twice."""
    world = make(MEETING, PastMeeting(**{**fields(MEETING), "uuid": uuid, "topic": "Another"}))
    assert call_of(world.read(Announced(f"zoom:{uuid}", "participants"))).title == "Another"
    transcript = world.read(Announced(f"zoom:{uuid}", "transcript"))
    assert isinstance(transcript, tuple)
    assert [part.call_id for part in transcript] == [f"zoom:{uuid}"]


@pytest.mark.parametrize(
    ("uuid", "path"),
    [
        (UUID, "hwkAADUySwyG3GyUkqc0vA%3D%3D"),
        (SLASHED, "%252FnkCCDfXSdi2Ev3oEspNxQ%253D%253D"),
        (INNER_SLASHES, "nk%252F%252FDfXSdi2Ev3o%252FspNxQA%253D%253D"),
        (ONE_SLASH, "nk%2FCDfXSdi2Ev3oEspNxQA%3D%3D"),
    ],
)
def test_encoding_is_zooms(uuid: str, path: str) -> None:
    """Twice where Zoom says so, once elsewhere."""
    assert path_of(uuid) == path


def test_one_token_serves_for_all_that_is_read(world: World) -> None:
    """It is kept while it is valid."""
    world.zoom.fetch([PARTICIPANTS, TRANSCRIPT])
    world.read(PARTICIPANTS)
    assert [path for path, _ in world.asked()].count("/oauth/token") == 1


def test_a_token_that_ended_is_replaced(world: World) -> None:
    """Once, and what was asked for is read."""
    world.faults({"match": {"path": "*/participants"}, "times": 1, "do": {"expire_session": True}})
    assert len(call_of(world.read(PARTICIPANTS)).participants) == 3
    assert [path for path, _ in world.asked()].count("/oauth/token") == 2


# -- transcripts -------------------------------------------------------------------------------------------------------


def test_a_transcript_is_read(world: World) -> None:
    """Its seconds count from the start of the meeting, not of the recording."""
    (part,) = parts(world.read(TRANSCRIPT))
    assert part.transcript == (
        Utterance(speaker="Ada Agent", text="Hello Carl, how are you?", at_seconds=13.5),
        Utterance(text="Fine", at_seconds=3610.0),
    )
    assert merge([part]) is None


def test_several_recordings_are_one_transcript(make: Make) -> None:
    """In the order in which they began."""
    second = "WEBVTT\n\n00:01.000 --> 00:02.000\nCarl: Back again: at last\n"
    transcripts = {"2024-06-13T13:30:03Z": second, "2024-06-13T12:00:03Z": VTT}
    world = make(PastMeeting(**{**fields(MEETING), "transcripts": transcripts}))
    (part,) = parts(world.read(TRANSCRIPT))
    assert [said.at_seconds for said in part.transcript or ()] == [3.5, 3600.0, 5401.0]
    assert (part.transcript or ())[-1].text == "Back again: at last"


def test_a_transcript_in_the_works_is_asked_for_later(make: Make) -> None:
    """Zoom still writes it."""
    world = make(PastMeeting(**{**fields(MEETING), "transcript_status": "processing"}))
    assert world.read(TRANSCRIPT) == Later(900.0, "the transcript is not ready at Zoom")


@pytest.mark.parametrize(
    "text", ["", "WEBVTT\n", "WEBVTT\n\n00:00:01.000 --> 00:00:02.000\n\n", "no transcript\n\nat all"]
)
def test_an_empty_transcript_is_none(make: Make, text: str) -> None:
    """Nothing was said, or nothing that can be read."""
    world = make(PastMeeting(**{**fields(MEETING), "transcripts": {"2024-06-13T12:00:13Z": text}}))
    assert world.read(TRANSCRIPT) == ()


def test_a_recording_that_was_deleted_is_none(make: Make) -> None:
    """It will not come back."""
    world = make(PastMeeting(**{**fields(MEETING), "transcripts": {}}))
    assert world.read(TRANSCRIPT) == ()


@given(st.text() | st.text(alphabet="0123456789:.-> \n\rA"), st.floats(-1e6, 1e6))
def test_any_text_is_read_as_a_transcript(text: str, offset: float) -> None:
    """Whatever it is, what is made of it can stand in a call."""
    for said in read_vtt(text, offset):
        assert said.text.strip()
        assert (said.at_seconds or 0.0) >= 0.0


REDIRECTED = {"status": 302, "headers": {"Location": "/rec/download/86431910364-0?again=1"}}


def test_a_file_may_be_shown_elsewhere_at_zoom(world: World) -> None:
    """The token goes to the first address alone; the sandbox, which wants one, refuses the second request."""
    world.faults({"match": {"path": "/rec/download/*"}, "times": 1, "do": REDIRECTED})
    assert world.read(TRANSCRIPT) == ()
    assert [status for path, status in world.asked() if path.startswith("/rec/")] == [302, 401]


@pytest.mark.parametrize(
    "where",
    ["https://evil.example/x", "http://127.0.0.1:1/x", "//evil.example/x", "file:///etc/passwd", "https://[", ""],
)
def test_no_other_host_is_asked(world: World, where: str) -> None:
    """Wherever an address leads, a request goes to Zoom alone."""
    world.faults({"match": {"path": "/rec/download/*"}, "do": {"status": 302, "headers": {"Location": where}}})
    assert world.read(TRANSCRIPT) == ()


@pytest.mark.parametrize(
    ("url", "own"),
    [
        ("https://zoom.us/rec/download/x", True),
        ("https://us02web.zoom.us/rec/download/x?a=b", True),
        ("https://ssrweb.zoom.us:443/x", True),
        ("http://zoom.us/x", False),
        ("https://zoom.us:8443/x", False),
        ("https://evilzoom.us/x", False),
        ("https://zoom.us.evil.example/x", False),
        ("https://zoom.us@evil.example/x", False),
        ("https://user:secret@zoom.us/x", False),
        ("https://127.0.0.1/x", False),
        ("https://[", False),
        ("", False),
    ],
)
def test_files_are_read_at_zoom_alone(url: str, *, own: bool) -> None:
    """Over https, whatever the host below its domain."""
    settings = ZoomSettings.model_validate({"secret_token": "invented"})
    assert settings.is_own(url) is own


# -- what goes wrong ---------------------------------------------------------------------------------------------------


def test_a_meeting_that_is_not_listed_yet_is_asked_for_later(world: World) -> None:
    """Zoom's lists lag."""
    answer = world.read(Announced("zoom:unknown==", "participants"))
    assert answer == Later(900.0, "the past meeting cannot be read at Zoom yet")


def test_a_meeting_that_only_one_was_in_has_nobody_listed(make: Make) -> None:
    """Zoom does not list them, and is not asked."""
    world = make(PastMeeting(**{**fields(MEETING), "participants": (ADA,)}))
    call = call_of(world.read(PARTICIPANTS))
    assert (call.title, call.participants) == ("Discovery call Buyer SA", ())
    assert not any(path.endswith("/participants") for path, _ in world.asked())


def test_participants_that_are_not_listed_yet_are_asked_for_later(world: World) -> None:
    """By the code, whatever the status."""
    body = {"code": 3001, "message": "Meeting ID is invalid or not end."}
    world.faults({"match": {"path": "*/participants"}, "do": {"status": 400, "body": body}})
    assert world.read(PARTICIPANTS) == Later(900.0, "the participants of a meeting cannot be read at Zoom yet")


def test_what_zoom_will_not_tell_is_left_out(world: World) -> None:
    """A meeting of more than a year ago, a plan without lists: asking again would change nothing."""
    body = {"code": 12702, "message": "Can not access a meeting a year ago."}
    world.faults({"match": {"path": "*/participants"}, "do": {"status": 400, "body": body}})
    assert world.read(PARTICIPANTS) == ()


@pytest.mark.parametrize(
    "change",
    [{"client_id": "another"}, {"client_secret": "another"}, {"account_id": "another"}],
)
def test_an_app_that_zoom_refuses_is_told(world: World, change: dict[str, str]) -> None:
    """With what to check, and without the secret; for a while it is not tried again."""
    with bind_provider(ZOOM, {**world.server.settings, **change}) as zoom:
        for _ in range(2):
            with pytest.raises(CredentialsError, match=r"refuses to sign in \(invalid_(client|request)\)") as caught:
                zoom.fetch([PARTICIPANTS])
            assert "another" not in str(caught.value)
    assert len(world.asked()) == 1


@pytest.mark.parametrize(("scope", "announced"), [*zip(SCOPES, (PARTICIPANTS, PARTICIPANTS, TRANSCRIPT), strict=True)])
def test_a_scope_that_is_missing_is_told(world: World, scope: str, announced: Announced) -> None:
    """An administrator can add it."""
    world.control("org", {"scopes": [it for it in SCOPES if it != scope]})
    with pytest.raises(CredentialsError, match="lacks a scope at Zoom"):
        world.read(announced)


def test_a_scope_that_is_missing_keeps_nothing_else_back(world: World) -> None:
    """What can be read without it is; the rest is asked for again, with the reason."""
    world.control("org", {"scopes": list(SCOPES[:-1])})
    found = world.zoom.fetch([PARTICIPANTS, TRANSCRIPT])
    transcript = found[TRANSCRIPT]
    assert call_of(found[PARTICIPANTS]).title == "Discovery call Buyer SA"
    assert isinstance(transcript, Later)
    assert "lacks a scope at Zoom" in transcript.reason


def test_a_token_that_is_never_taken_is_told(world: World) -> None:
    """It is asked for anew once, not forever."""
    world.faults({"match": {"path": "/v2/*"}, "do": {"status": 401, "body": {"code": 124}}})
    with pytest.raises(CredentialsError, match="does not accept the token"):
        world.read(PARTICIPANTS)
    assert [path for path, _ in world.asked()].count("/oauth/token") == 2


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 500},
        {"status": 503, "body": "<html>"},
        {"status": 429, "body": {"code": 429}},
        {"status": 429, "headers": {"Retry-After": "1"}},
        {"status": 200, "body": "<html>"},
        {"drop_after_commit": True},
    ],
)
@pytest.mark.parametrize("path", ["/oauth/token", "/v2/past_meetings/*"])
def test_trouble_that_passes_is_not_seen(world: World, trouble: dict[str, Any], path: str) -> None:
    """Everything is a read: it is asked again."""
    world.faults({"match": {"path": path}, "times": 2, "do": trouble})
    assert len(call_of(world.read(PARTICIPANTS)).participants) == 3


def test_trouble_that_stays_is_told(world: World) -> None:
    """Nothing could be asked."""
    world.faults({"match": {"path": "/v2/*"}, "do": {"status": 500}})
    with pytest.raises(TryAgainError, match="Zoom answered status 500"):
        world.read(PARTICIPANTS)


def test_a_daily_limit_says_until_when(world: World) -> None:
    """As a time, which is no form of HTTP."""
    until = dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(hours=3)
    headers = {"Retry-After": until.isoformat().replace("+00:00", "Z")}
    world.faults({"match": {"path": "/v2/*"}, "do": {"status": 429, "headers": headers, "body": {"code": 429}}})
    with pytest.raises(TryAgainError) as caught:
        world.read(PARTICIPANTS)
    assert caught.value.after_seconds is not None
    assert 9_000 < caught.value.after_seconds <= 10_800


def test_no_limit_is_waited_for_longer_than_a_day(world: World) -> None:
    """Whatever year Zoom names."""
    headers = {"Retry-After": "2999-12-31T00:00:00Z"}
    world.faults({"match": {"path": "/v2/*"}, "do": {"status": 429, "headers": headers}})
    with pytest.raises(TryAgainError) as caught:
        world.read(PARTICIPANTS)
    assert caught.value.after_seconds == 86_400.0


def test_what_was_read_before_trouble_is_kept(world: World) -> None:
    """The rest is left for later; once three in turn have failed, no more is tried in vain."""
    others = [Announced(f"zoom:{number}", "participants") for number in "abcd"]
    world.faults({"match": {"path": "/v2/past_meetings/[abcd]"}, "do": {"status": 503}})
    answers = world.zoom.fetch([PARTICIPANTS, *others])
    assert isinstance(answers[PARTICIPANTS], tuple)
    assert [answers[it] for it in others] == [Later(60.0, "Zoom answered status 503")] * 4
    assert {path[-1] for path, status in world.asked() if status == 503} == {"a", "b", "c"}


def test_what_always_fails_keeps_nothing_back(world: World) -> None:
    """Not even where it stands first."""
    bad = Announced("zoom:bad", "participants")
    world.faults({"match": {"path": "/v2/past_meetings/bad"}, "do": {"status": 500}})
    answers = world.zoom.fetch([bad, PARTICIPANTS])
    assert answers[bad] == Later(60.0, "Zoom answered status 500")
    assert isinstance(answers[PARTICIPANTS], tuple)


def test_a_limit_ends_the_asking(world: World) -> None:
    """Whatever else is to be read, Zoom has said until when it is in vain."""
    limit = {"status": 429, "headers": {"Retry-After": "3600"}, "body": {"code": 429}}
    world.faults({"match": {"path": "/v2/past_meetings/a"}, "do": limit})
    later = [Announced("zoom:a", "participants"), Announced("zoom:b", "participants")]
    answers = world.zoom.fetch([PARTICIPANTS, *later])
    assert [(it.after_seconds if isinstance(it, Later) else None) for it in (answers[it] for it in later)] == [
        3600.0
    ] * 2
    assert not any(path.endswith("/b") for path, _ in world.asked())


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (f"/v2/past_meetings/{UUID}", {"uuid": UUID}),
        (
            f"/v2/past_meetings/{UUID}",
            {"uuid": SLASHED, "start_time": MEETING.start_time, "end_time": MEETING.end_time},
        ),
        (f"/v2/past_meetings/{UUID}/participants", {"participants": [3]}),
        (f"/v2/past_meetings/{UUID}/participants", {"participants": [ADA], "next_page_token": "again"}),
    ],
)
def test_answers_that_zoom_does_not_document_are_not_believed(world: World, path: str, body: object) -> None:
    """Another meeting, wrong types, pages without end: nothing of it becomes a call."""
    world.faults({"match": {"path": path}, "do": {"status": 200, "body": body}})
    answer = world.read(PARTICIPANTS)
    assert isinstance(answer, Later)
    assert answer.reason.startswith("Zoom answered what it does not document: ")


def test_an_answer_without_end_is_not_taken(world: World) -> None:
    """Memory is bounded, whatever comes."""
    world.faults({"match": {"path": "/rec/download/*"}, "do": {"status": 200, "body": VTT + "x" * (16 * 2**20)}})
    assert world.read(TRANSCRIPT) == ()


def test_what_is_not_read_here_is_none(world: World) -> None:
    """Announced by another version, or before the app was taken away."""
    assert world.read(Announced(f"zoom:{UUID}", "weather")) == ()
    with bind_provider(ZOOM, {"secret_token": "invented"}) as zoom:
        assert zoom.fetch([PARTICIPANTS]) == {PARTICIPANTS: ()}


# -- the stand-in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/v2/users/me"),
        ("GET", f"/v2/meetings/{UUID}"),
        ("GET", "/v2/past_meetings/86431910364"),
        ("GET", f"/v2/past_meetings/{UUID}?include=all"),
        ("GET", f"/v2/past_meetings/{UUID}/participants?page_size=301"),
        ("GET", f"/v2/past_meetings/{UUID}/participants?sort=name"),
        ("DELETE", f"/v2/meetings/{UUID}/recordings"),
        ("GET", "/oauth/token"),
        ("POST", "/oauth/revoke"),
    ],
)
def test_the_sandbox_refuses_what_it_does_not_know(world: World, method: str, path: str) -> None:
    """It never guesses."""
    headers = {"Authorization": f"Bearer {token_of(world)}"}
    answer = requests.request(method, f"{world.server.url}{path}", headers=headers, timeout=60)
    assert answer.status_code == 501


def test_the_sandbox_wants_a_token(world: World) -> None:
    """As Zoom says it."""
    answer = requests.get(f"{world.server.url}/v2/past_meetings/{UUID}", timeout=60)
    assert (answer.status_code, answer.json()) == (401, {"code": 124, "message": "Invalid access token."})


def test_the_sandbox_wants_slashes_encoded_twice(make: Make) -> None:
    """Once is not enough where a UUID begins with one."""
    world = make(PastMeeting(**{**fields(MEETING), "uuid": SLASHED}))
    headers = {"Authorization": f"Bearer {token_of(world)}"}
    steps = [quote(SLASHED, safe=""), quote(quote(SLASHED, safe=""), safe="")]
    answers = [requests.get(f"{world.server.url}/v2/past_meetings/{it}", headers=headers, timeout=60) for it in steps]
    assert [answer.status_code for answer in answers] == [404, 200]


def test_a_meeting_may_change_behind_ones_back(world: World) -> None:
    """By a fault, as in the sandboxes of CRMs."""
    change = {"object": "meetings", "id": UUID, "fields": {"topic": "Renamed"}}
    world.faults({"match": {"path": f"/v2/past_meetings/{UUID}"}, "times": 1, "do": {"patch": change}})
    assert call_of(world.read(PARTICIPANTS)).title == "Renamed"


def token_of(world: World) -> str:
    app = (str(world.server.settings["client_id"]), str(world.server.settings["client_secret"]))
    form = {"grant_type": "account_credentials", "account_id": world.server.settings["account_id"]}
    answer = requests.post(f"{world.server.url}/oauth/token", data=form, auth=app, timeout=60)
    return str(answer.json()["access_token"])


def fields(meeting: PastMeeting) -> dict[str, Any]:
    return {name: getattr(meeting, name) for name in PastMeeting.__dataclass_fields__}


def parts(answer: tuple[Part, ...] | Later) -> tuple[Part, ...]:
    assert isinstance(answer, tuple), json.dumps(str(answer))
    return answer
