"""What events announce is read, from a stand-in of Google: see connector_google_meet/sandbox.py for what that proves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from connector_google_meet import GOOGLE_MEET
from connector_google_meet.sandbox import Conference
from connector_google_meet.settings import SCOPES

from connector_core.errors import CredentialsError, TryAgainError
from connector_core.model import Call, Organizer, Participant, Utterance
from connector_core.providers.binding import bind_provider
from connector_core.providers.hookspecs import Announced, Later, Part
from connector_core.providers.merging import merge

Make = Callable[..., Any]
Change = Callable[..., Conference]

ID = "de0f04e5-04d5-4c57-8cd8-afe589a190aa"
RECORD = f"conferenceRecords/{ID}"
CALL_ID = f"google_meet:{ID}"
CALL = Call(
    id=CALL_ID,
    provider="google_meet",
    kind="meeting",
    status="completed",
    title="Discovery call Buyer SA",
    started_at=dt.datetime(2026, 3, 2, 9, 0, 3, 120_000, tzinfo=dt.UTC),
    ended_at=dt.datetime(2026, 3, 2, 9, 41, 31, 482_913, tzinfo=dt.UTC),
    organizer=Organizer(name="Ada Agent", email="ada@seller.example"),
    participants=(
        Participant(is_user=True, name="Ada Agent", emails=("ada@seller.example",), attended=True),
        Participant(is_user=False, name="Carl", attended=True),
        Participant(is_user=False, name="+33 6 •• •• •• 78", attended=True),
        Participant(is_user=False, name="Carl Customer", emails=("carl@buyer.example",)),
    ),
)


OTHERS: tuple[object, ...] = (None, True, 10**30, "", "canary", ["canary"], {"canary": 1})


def parts(answer: tuple[Part, ...] | Later) -> tuple[Part, ...]:
    assert isinstance(answer, tuple), str(answer)
    return answer


def call_of(answer: tuple[Part, ...] | Later) -> Call:
    call = merge(parts(answer))
    assert call is not None
    return call


# -- conferences -------------------------------------------------------------------------------------------------------


def test_a_conference_is_read_whole(world: Any) -> None:
    """When it was, who was there, and who was invited; rooms are nobody, and a masked number is none."""
    assert call_of(world.read()) == CALL


def test_all_that_was_read_is_one_call(world: Any) -> None:
    """In whatever order; what came out of a conference alone is no call."""
    read = {what: parts(world.read(what)) for what in ("conference@s1", "recordings@s1", "transcripts@s1", "notes@s1")}
    files = [part for what, each in read.items() if what != "conference@s1" for part in each]
    wanted = CALL.model_copy(
        update={
            "recording_url": "https://drive.google.com/file/d/1AbCdEf/view",
            "transcript": (Utterance(speaker="Carl", text="Hello", at_seconds=60.5),),
            "summary": "Notes\nCarl wants a quote.",
        }
    )
    whole = [*files, *read["conference@s1"]]
    assert (merge(files), merge(whole), merge(whole[::-1])) == (None, wanted, wanted)


def test_reading_again_says_the_same(world: Any) -> None:
    """Nothing in it is of the moment, but how new it is."""
    first, again = (parts(world.read())[0] for _ in range(2))
    assert first.digest() == again.digest()


def test_a_conference_that_goes_on_is_asked_for_later(make: Make, conference: Change) -> None:
    """The event may be of the one before."""
    world = make(conference(end_time=None))
    assert world.read() == Later(900.0, "the conference goes on, as Google has it")


def test_all_pages_of_people_are_read(make: Make, conference: Change) -> None:
    """Google gives 250 at a time."""
    rows = tuple(
        {"name": f"{RECORD}/participants/{number}", "anonymousUser": {"displayName": f"Guest {number}"}}
        for number in range(501)
    )
    world = make(conference(participants=rows), events=())
    assert len(call_of(world.read()).participants) == 501
    assert [path for path, _ in world.asked()].count(f"/v2/{RECORD}/participants") == 3


def test_who_came_back_is_one(make: Make, conference: Change) -> None:
    """Somebody who does not sign in has an id for each time that they join, and one name."""
    rows = tuple({"name": f"{RECORD}/participants/{it}", "anonymousUser": {"displayName": "Carl"}} for it in "abc")
    assert len(call_of(make(conference(participants=rows), events=()).read()).participants) == 1


def test_who_has_no_name_is_still_somebody(make: Make, conference: Change) -> None:
    """Each of them."""
    rows = ({"name": f"{RECORD}/participants/a", "anonymousUser": {}}, {"name": f"{RECORD}/participants/b"})
    people = call_of(make(conference(participants=rows), events=()).read()).participants
    assert people == (Participant(is_user=False, attended=True),) * 2


@pytest.mark.parametrize("trouble", [{"status": 403}, {"status": 200, "body": {"sub": None}}])
def test_whose_id_is_not_told_keeps_nothing_back(world: Any, trouble: dict[str, Any]) -> None:
    """Ada was there, by her name, and was invited, by her address: that both are one cannot be told."""
    world.faults({"match": {"path": "/v1/userinfo"}, "do": trouble})
    people = call_of(world.read()).participants
    assert [(who.name, who.emails, who.attended) for who in people if who.name == "Ada Agent" or who.is_user] == [
        ("Ada Agent", None, True),
        (None, ("ada@seller.example",), None),
    ]


def test_an_empty_conference_is_a_call(make: Make, conference: Change) -> None:
    """Google leaves empty lists out; nobody's id is asked for."""
    world = make(conference(participants=()), events=())
    assert call_of(world.read()).participants == ()
    assert "/v1/userinfo" not in [path for path, _ in world.asked()]


# -- as whom -----------------------------------------------------------------------------------------------------------


def test_it_is_read_as_whoever_may(make: Make, conference: Change) -> None:
    """One after another, and the next one of the same subscription as that one at once."""
    world = make(conference(readers=("sam@seller.example",)), events=())
    assert call_of(world.read())
    before = len(world.asked())
    assert call_of(world.read())
    record = f"/v2/{RECORD}"
    statuses = [status for path, status in world.asked()[:before] if path == record]
    assert (statuses, [status for path, status in world.asked()[before:] if path == record]) == ([403, 200], [200])


def test_what_nobody_may_read_is_asked_for_later(make: Make, conference: Change) -> None:
    """Rights may come late; for how long it is tried is the core's business."""
    answer = make(conference(readers=())).read()
    assert answer == Later(21_600.0, "none of users may read it at Google (status 403, PERMISSION_DENIED)")


def test_a_user_who_is_gone_keeps_nobody_back(make: Make, conference: Change) -> None:
    """Somebody left the company."""
    world = make(conference(readers=("sam@seller.example",)), events=())
    world.control("org", {"users": ["sam@seller.example"]})
    assert call_of(world.read())


def test_a_key_that_google_refuses_is_told(world: Any) -> None:
    """For no user there is a token; the message names Google's code, and no address."""
    with (
        bind_provider(GOOGLE_MEET, world.settings | {"users": "nobody@seller.example"}) as meet,
        pytest.raises(CredentialsError, match=r"refuses to sign in \(invalid_grant\)") as caught,
    ):
        meet.fetch([Announced(CALL_ID, "conference")])
    assert "nobody" not in f"{caught.value}{caught.value.__cause__}{caught.value.__context__}"


@pytest.mark.parametrize("scope", SCOPES)
def test_a_scope_that_is_not_delegated_is_told(world: Any, scope: str) -> None:
    """Google gives a token for all of them or none."""
    world.control("org", {"scopes": [it for it in SCOPES if it != scope]})
    with pytest.raises(CredentialsError, match=r"\(unauthorized_client\)"):
        world.read()


def test_an_api_that_is_not_enabled_is_told(world: Any) -> None:
    """An administrator can enable it."""
    body = {"error": {"code": 403, "status": "PERMISSION_DENIED", "details": [{"reason": "SERVICE_DISABLED"}]}}
    world.faults({"match": {"path": "/v2/*"}, "do": {"status": 403, "body": body}})
    with pytest.raises(CredentialsError, match="an API is not enabled"):
        world.read()


def test_one_token_serves_for_all_that_is_read(world: Any) -> None:
    """It is kept while it is valid."""
    world.meet.fetch([Announced(CALL_ID, what) for what in ("conference@s", "recordings@s", "notes@s")])
    assert [path for path, _ in world.asked()].count("/token") == 1


def test_a_token_is_renewed_before_it_ends(world: Any) -> None:
    """Google says that it lives for an hour."""
    grant = world.adapter._client._sign_in("ada@seller.example").current()
    left = grant.renew_at - dt.datetime.now(dt.UTC)
    assert dt.timedelta(minutes=45) < left < dt.timedelta(minutes=56)


def test_a_token_that_ended_is_replaced(world: Any) -> None:
    """Once, and what was asked for is read."""
    world.faults({"match": {"path": "*/participants"}, "times": 1, "do": {"expire_session": True}})
    assert call_of(world.read()) == CALL
    assert [path for path, _ in world.asked()].count("/token") == 2


def test_a_token_that_is_never_taken_is_told(world: Any) -> None:
    """It is asked for anew once, not forever."""
    world.faults({"match": {"path": "/v2/*"}, "do": {"status": 401}})
    with (
        bind_provider(GOOGLE_MEET, world.settings | {"users": "ada@seller.example"}) as meet,
        pytest.raises(CredentialsError, match="does not accept the token"),
    ):
        meet.fetch([Announced(CALL_ID, "conference")])
    assert [path for path, _ in world.asked()].count("/token") == 2


# -- what came out of it -----------------------------------------------------------------------------------------------


def test_a_transcript_is_read(world: Any) -> None:
    """Its seconds count from the start of the conference; it is no call by itself."""
    (part,) = parts(world.read("transcripts@s1"))
    assert part.transcript == (Utterance(speaker="Carl", text="Hello", at_seconds=60.5),)


def test_several_transcripts_are_one(make: Make, conference: Change) -> None:
    """In the order in which they began, each with all its pages."""
    files = tuple(
        {"name": f"{RECORD}/transcripts/{it}", "state": "FILE_GENERATED", "startTime": f"2026-03-02T09:{it}0:00Z"}
        for it in "21"
    )
    entries = {it: tuple({"text": f"{it} {number}"} for number in range(150)) for it in "21"}
    (part,) = parts(make(conference(transcripts=files, entries=entries)).read("transcripts@s1"))
    said = [it.text for it in part.transcript or ()]
    assert said == [f"{it} {number}" for it in "12" for number in range(150)]


@pytest.mark.parametrize(
    ("what", "name", "files"),
    [
        ("recordings", "recordings", "recordings"),
        ("transcripts", "transcripts", "transcripts"),
        ("notes", "smart_notes", "smartNotes"),
    ],
)
@pytest.mark.parametrize("state", ["STARTED", "ENDED"])
def test_a_file_in_the_works_is_asked_for_later(
    make: Make, conference: Change, what: str, name: str, files: str, state: str
) -> None:
    """Google still writes it."""
    world = make(conference(**{name: ({"name": f"{RECORD}/{files}/x", "state": state},)}))
    assert world.read(f"{what}@s1") == Later(900.0, f"the {files} are not ready at Google")


@pytest.mark.parametrize("what", ["recordings", "transcripts", "notes"])
def test_a_file_that_was_deleted_is_none(make: Make, conference: Change, what: str) -> None:
    """It will not come back."""
    assert make(conference(recordings=(), transcripts=(), smart_notes=())).read(f"{what}@s1") == ()


def test_of_several_recordings_the_first_is_shown(make: Make, conference: Change) -> None:
    """There is place for one."""
    files = tuple(
        {
            "name": f"{RECORD}/recordings/{it}",
            "state": "FILE_GENERATED",
            "startTime": f"2026-03-02T09:{it}0:00Z",
            "driveDestination": {"file": it, "exportUri": f"https://drive.google.com/file/d/{it}/view?a=b"},
        }
        for it in "21"
    )
    (part,) = parts(make(conference(recordings=files)).read("recordings@s1"))
    assert part.recording_url == "https://drive.google.com/file/d/1/view"


@pytest.mark.parametrize(
    "url",
    [
        "http://drive.google.com/x",
        "https://evil.example/x",
        "https://drive.google.com@evil.example/x",
        "https://[",
        "",
        None,
    ],
)
def test_only_a_page_of_googles_is_linked_to(make: Make, conference: Change, url: str | None) -> None:
    """What is none is left out."""
    destination = {"driveDestination": {"file": "1", "exportUri": url}}
    file = {"name": f"{RECORD}/recordings/1", "state": "FILE_GENERATED", **destination}
    assert make(conference(recordings=(file,))).read("recordings@s1") == ()


def test_what_is_no_document_is_not_asked_for(make: Make, conference: Change) -> None:
    """An id becomes a path."""
    destination = {"docsDestination": {"document": "../../../v2/conferenceRecords"}}
    file = {"name": f"{RECORD}/smartNotes/1", "state": "FILE_GENERATED", **destination}
    world = make(conference(smart_notes=(file,)))
    assert world.read("notes@s1") == ()
    assert {status for _, status in world.asked()} == {200}


def test_a_name_that_leads_elsewhere_is_refused(make: Make, conference: Change) -> None:
    """Likewise."""
    file = {"name": "conferenceRecords/other/transcripts/1", "state": "FILE_GENERATED"}
    answer = make(conference(transcripts=(file,))).read("transcripts@s1")
    assert isinstance(answer, Later)
    assert answer.reason.endswith("name: is none of a file of the conference that was asked for")


def test_something_else_that_is_announced_is_nothing(world: Any) -> None:
    """An older version may have announced it."""
    assert world.read("weather@s1") == ()


# -- what goes wrong ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble",
    [
        {"status": 500},
        {"status": 503, "body": "<html>"},
        {"status": 429, "headers": {"Retry-After": "1"}},
        {"status": 403, "body": {"error": {"code": 403, "errors": [{"reason": "rateLimitExceeded"}]}}},
        {"status": 200, "body": "<html>"},
        {"status": 200, "body": []},
        {"drop_after_commit": True},
    ],
)
@pytest.mark.parametrize("path", ["/token", "/v2/*", "/calendar/*"])
def test_trouble_that_passes_is_not_seen(world: Any, trouble: dict[str, Any], path: str) -> None:
    """Everything is a read: it is asked again."""
    world.faults({"match": {"path": path}, "times": 2, "do": trouble})
    assert call_of(world.read()) == CALL


def test_trouble_that_stays_is_told(world: Any) -> None:
    """Nothing could be asked."""
    world.faults({"match": {"path": "/v2/*"}, "do": {"status": 503}})
    with pytest.raises(TryAgainError, match="Google answered status 503"):
        world.read()


def test_what_cannot_be_answered_keeps_nothing_else_back(world: Any) -> None:
    """What was read before is told; the rest is asked for again."""
    asked = [Announced(CALL_ID, what) for what in ("recordings", "conference", "notes")]
    world.faults({"match": {"path": "*/smartNotes"}, "do": {"status": 429, "headers": {"Retry-After": "90"}}})
    found = world.meet.fetch(asked)
    assert [isinstance(found[it], tuple) for it in asked] == [True, True, False]
    assert found[asked[2]].after_seconds == 90.0


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (f"/v2/{RECORD}", {}, "name: is required; startTime: is required"),
        (f"/v2/{RECORD}", {"name": RECORD, "startTime": 3}, "startTime: should be a time like"),
        (
            f"/v2/{RECORD}",
            {"name": RECORD, "startTime": "2026-03-02T09:00:00"},
            "startTime: should be a time with an offset",
        ),
        (
            f"/v2/{RECORD}",
            {"name": "conferenceRecords/x", "startTime": "2026-03-02T09:00:00Z"},
            "of another conference",
        ),
        (
            f"/v2/{RECORD}",
            {"name": RECORD, "startTime": "2026-03-02T09:00:00Z", "space": "../x"},
            "space: String should",
        ),
        ("*/participants", {"participants": {}}, "participants: should be a list of objects"),
        ("*/participants", {"participants": [3]}, "participants: should be a list of objects"),
        ("*/participants", {"participants": [{}]}, "name: is required"),
        ("*/participants", {"nextPageToken": "again"}, "nextPageToken: leads to more than 200 pages"),
        ("/v2/spaces/*", {"meetingCode": 3}, "meetingCode: should be text"),
        ("/calendar/*", {"items": [{"hangoutLink": "https://meet.google.com/abc-mnop-xyz"}]}, "start: is required"),
    ],
)
def test_an_answer_that_is_none_is_told(world: Any, path: str, body: object, message: str) -> None:
    """And asked for again later."""
    world.faults({"match": {"path": path}, "do": {"status": 200, "body": body}})
    answer = world.read()
    assert isinstance(answer, Later)
    assert message in answer.reason


def test_what_is_refused_keeps_nothing_else_back(world: Any) -> None:
    """An API that is not enabled, for what came out of a conference: the conference itself is read."""
    asked = [Announced(CALL_ID, what) for what in ("notes", "conference")]
    body = {"error": {"code": 403, "errors": [{"reason": "accessNotConfigured"}]}}
    world.faults({"match": {"path": "/drive/*"}, "do": {"status": 403, "body": body}})
    found = world.meet.fetch(asked)
    assert [isinstance(found[it], tuple) for it in asked] == [False, True]
    assert "an API is not enabled" in found[asked[0]].reason


def changed(value: Any) -> Iterator[Any]:
    """Put something else in each place of an answer."""
    if isinstance(value, dict):
        for key in value:
            yield {name: it for name, it in value.items() if name != key}
            yield from ({**value, key: other} for other in (*OTHERS, *changed(value[key])))
    elif isinstance(value, list):
        for place in range(len(value)):
            yield from ([*value[:place], other, *value[place + 1 :]] for other in (*OTHERS, *changed(value[place])))


@pytest.mark.parametrize(
    "path", [f"/v2/{RECORD}", "*/participants", "/v2/spaces/*", "/calendar/*", "*/entries", "*/smartNotes"]
)
def test_any_answer_is_read_or_asked_for_again(world: Any, event: Callable[..., dict[str, Any]], path: str) -> None:
    """Whatever stands in one place of it; no message shows it."""
    whole = {
        f"/v2/{RECORD}": {"name": RECORD, "startTime": "2026-03-02T09:00:03.120Z", "endTime": "2026-03-02T09:41:31Z"},
        "*/participants": {"participants": [{"name": "x", "signedinUser": {"user": "users/1", "displayName": "Ada"}}]},
        "/v2/spaces/*": {"meetingCode": "abc-mnop-xyz"},
        "/calendar/*": {"items": [event()]},
        "*/entries": {"transcriptEntries": [{"participant": "x", "text": "y", "startTime": "2026-03-02T09:41:31Z"}]},
        "*/smartNotes": {
            "smartNotes": [{"name": "x", "state": "FILE_GENERATED", "docsDestination": {"document": "1"}}]
        },
    }
    what = {"*/entries": "transcripts", "*/smartNotes": "notes"}.get(path, "conference")
    for body in changed(whole[path]):
        world.faults({"match": {"path": path}, "do": {"status": 200, "body": body}})
        answer = world.read(what)
        assert isinstance(answer, tuple) or "canary" not in answer.reason


def test_redirects_lead_nowhere(world: Any) -> None:
    """The token goes to Google alone."""
    there = {"status": 302, "headers": {"Location": "https://evil.example/"}}
    world.faults({"match": {"path": f"/v2/{RECORD}"}, "do": there})
    assert isinstance(world.read(), Later)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/v2/conferenceRecords/x"),
        ("GET", f"/v2/{RECORD}/participants"),
        ("GET", f"/v2/{RECORD}/participants?pageSize=10&orderBy=name"),
        ("GET", "/v2/conferenceRecords?pageSize=10"),
        ("GET", "/calendar/v3/calendars/primary/events"),
        ("GET", "/drive/v3/files/1XyZ_0123456789/export?mimeType=text/html"),
        ("GET", "/v1/subscriptions"),
        ("GET", "/v1beta/anything"),
    ],
)
def test_the_sandbox_refuses_what_it_does_not_know(world: Any, method: str, path: str) -> None:
    """It never guesses."""
    import requests

    world.read()
    token = next(iter(world.server._sandbox._tokens))
    headers = {"Authorization": f"Bearer {token}"}
    assert requests.request(method, f"{world.server.url}{path}", headers=headers, timeout=60).status_code == 501
