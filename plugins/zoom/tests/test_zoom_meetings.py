"""Webhooks about a meeting become one call."""

from __future__ import annotations

import contextlib
import copy
import datetime as dt
import itertools
import json
from collections.abc import Callable
from typing import Any

import pytest
from connector_zoom import ZOOM
from hypothesis import given
from hypothesis import strategies as st

from connector_core.errors import InputError
from connector_core.model import Call, Organizer, Participant
from connector_core.providers.binding import Provider, bind_provider
from connector_core.providers.hookspecs import Announced, Heard, Ignored, Part

Hear = Callable[[Provider, dict[str, Any]], list[Heard]]
Tell = Callable[..., Call | None]

UUID = "hwkAADUySwyG3GyUkqc0vA=="
HOST = "30R7kT7bTIKSNUFEuH_Qlg"
ROOM: dict[str, Any] = {
    "id": "86431910364",
    "uuid": UUID,
    "host_id": HOST,
    "topic": "Discovery call Buyer SA",
    "type": 2,
    "start_time": "2024-06-13T12:00:03Z",
    "timezone": "Europe/Paris",
    "duration": 60,
}


def event(name: str, at_ms: int, **changes: Any) -> dict[str, Any]:
    """Make an event about the meeting."""
    room = {**copy.deepcopy(ROOM), **changes}
    return {"event": name, "event_ts": at_ms, "payload": {"account_id": "AAAAAABBBBBB_cccccccc", "object": room}}


ENDED = event("meeting.ended", 1718280091482, end_time="2024-06-13T12:41:31Z")
ADA = {
    "user_id": "16778240",
    "user_name": "Ada Agent",
    "id": HOST,
    "email": "ada@seller.example",
    "participant_uuid": "A",
}
CARL = {
    "user_id": "16779264",
    "user_name": "Carl Customer",
    "id": "",
    "email": "carl@buyer.example",
    "registrant_id": None,
}
NOBODY = {
    "user_id": "16780288",
    "user_name": "Otter",
    "id": "",
    "email": "",
    "participant_user_id": "",
    "phone_number": "",
}
DIALLED = {"user_id": "16781312", "user_name": "+33 *** 12", "id": "", "email": "", "phone_number": "33639981012"}


def joined(who: dict[str, Any], at_ms: int = 1718280003000) -> dict[str, Any]:
    return event("meeting.participant_joined", at_ms, participant={**who, "join_time": "2024-06-13T12:00:03Z"})


def left(who: dict[str, Any], at_ms: int = 1718280093536) -> dict[str, Any]:
    changes = {"leave_time": "2024-06-13T12:41:31Z", "leave_reason": "left the meeting."}
    return event("meeting.participant_left", at_ms, participant={**who, **changes})


RECORDED = event(
    "recording.completed",
    1718280900123,
    id=86431910364,
    host_email="ada@seller.example",
    duration=41,
    share_url="https://zoom.us/rec/share/invented?pwd=secret",
    password="x",
    recording_files=[{"id": "f1", "file_type": "M4A", "download_url": "https://zoom.us/rec/webhook_download/secret"}],
)
SUMMARY: dict[str, Any] = {
    "event": "meeting.summary_completed",
    "event_ts": 1718281000000,
    "payload": {
        "account_id": "AAAAAABBBBBB_cccccccc",
        "object": {
            "meeting_uuid": UUID,
            "meeting_id": 86431910364,
            "meeting_host_email": "ada@seller.example",
            "summary_title": "Discovery",
            "summary_overview": "Carl wants a quote.",
            "summary_details": [{"label": "Pricing", "summary": "Too dear."}, {"label": "", "summary": ""}],
            "next_steps": ["Ada sends the quote", " "],
        },
    },
}
WHOLE = [ENDED, joined(ADA), joined(CARL), left(CARL), left(ADA), RECORDED, SUMMARY]


def test_a_meeting_is_told_whole(zoom: Provider, tell: Tell) -> None:
    """Everything that Zoom tells of a meeting, and we keep, is in ours; 60 scheduled minutes and passwords are not."""
    assert tell(zoom, *WHOLE) == Call(
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
        ),
        recording_url="https://zoom.us/rec/share/invented",
        summary="Carl wants a quote.\n\nNext steps:\n- Ada sends the quote",
        topics=("Pricing",),
    )


def test_order_and_repetition_do_not_matter(zoom: Provider, tell: Tell) -> None:
    """Zoom's ``ended`` comes before the host's own ``left``, and anything may come twice."""
    wanted = tell(zoom, *WHOLE)
    for order in itertools.islice(itertools.permutations(WHOLE), 0, 5040, 97):
        assert tell(zoom, *order, order[0]) == wanted


@pytest.mark.parametrize("events", [[joined(ADA)], [joined(ADA), left(ADA)], [RECORDED], [SUMMARY]])
def test_a_meeting_is_complete_once_it_ended(zoom: Provider, tell: Tell, events: list[dict[str, Any]]) -> None:
    """Nothing else finishes it, however much is told."""
    assert tell(zoom, *events) is None


def test_the_end_alone_is_a_call_without_people(zoom: Provider, tell: Tell) -> None:
    """Who was there is told by other events."""
    call = tell(zoom, ENDED)
    assert call is not None
    assert (call.participants, call.length_seconds) == ((), 2488)


def test_two_meetings_in_one_room_are_two_calls(zoom: Provider, hear: Hear) -> None:
    """The number stays, the UUID does not."""
    again = copy.deepcopy(ENDED)
    again["payload"]["object"]["uuid"] = "/nkCCDfXSdi2Ev3oEspNxQ=="
    ids = [heard.call_id for sent in (ENDED, again) for heard in hear(zoom, sent) if isinstance(heard, Part)]
    assert ids == [f"zoom:{UUID}", "zoom:/nkCCDfXSdi2Ev3oEspNxQ=="]


def test_who_joined_thrice_is_one(zoom: Provider, tell: Tell) -> None:
    """Each join has a number of its own; the person is the user, the address, or the name."""
    again = [joined({**who, "user_id": str(number)}) for who in (ADA, CARL, NOBODY) for number in (1, 2, 3)]
    call = tell(zoom, ENDED, *again)
    assert call is not None
    assert sorted(who.name or "" for who in call.participants) == ["Ada Agent", "Carl Customer", "Otter"]


def test_two_of_one_name_are_two(zoom: Provider, tell: Tell) -> None:
    """Where Zoom tells their addresses."""
    other = {**CARL, "user_id": "7", "email": "another@buyer.example"}
    call = tell(zoom, ENDED, joined(CARL), joined(other))
    assert call is not None
    assert sorted(who.emails or () for who in call.participants) == [
        ("another@buyer.example",),
        ("carl@buyer.example",),
    ]


def test_a_user_who_only_joins_holds_no_meeting(zoom: Provider, tell: Tell) -> None:
    """The host does."""
    call = tell(zoom, ENDED, joined({**ADA, "id": "another"}))
    assert call is not None
    assert (call.organizer, [who.is_user for who in call.participants]) == (None, [True])


def test_who_dialled_in_has_a_number_with_a_plus(zoom: Provider, tell: Tell) -> None:
    """Zoom leaves it out."""
    call = tell(zoom, ENDED, joined(DIALLED))
    assert call is not None
    assert call.participants == (
        Participant(is_user=False, name="+33 *** 12", phones=("+33639981012",), attended=True),
    )


def test_the_summary_in_one_text_goes_before_its_parts(zoom: Provider, hear: Hear) -> None:
    """It holds them."""
    sent = copy.deepcopy(SUMMARY)
    sent["payload"]["object"]["summary_content"] = "## Summary\nAll of it."
    (part,) = hear(zoom, sent)
    assert isinstance(part, Part)
    assert part.summary == "## Summary\nAll of it."


def test_a_changed_summary_takes_the_place_of_the_first(zoom: Provider, tell: Tell) -> None:
    """What was edited later is what counts."""
    edited = copy.deepcopy(SUMMARY) | {"event": "meeting.summary_updated", "event_ts": SUMMARY["event_ts"] + 1}
    edited["payload"]["object"] |= {"summary_overview": "Edited.", "next_steps": []}
    call = tell(zoom, edited, SUMMARY, ENDED)
    assert call is not None
    assert call.summary == "Edited."


@pytest.mark.parametrize(
    "url", ["http://zoom.us/rec/share/x", "https://user:secret@zoom.us/x", "https://[", "nonsense", "", None]
)
def test_only_a_page_is_linked_to(zoom: Provider, hear: Hear, url: str | None) -> None:
    """What is no page over https is left out."""
    (part,) = hear(zoom, event("recording.completed", 1, share_url=url))
    assert isinstance(part, Part)
    assert part.recording_url is None


def test_times_of_before_2021_are_read(zoom: Provider, tell: Tell) -> None:
    """A recording of 2020 has no ``event_ts``."""
    sent = {key: value for key, value in ENDED.items() if key != "event_ts"}
    assert tell(zoom, sent) == tell(zoom, ENDED)


# -- what is to be read ------------------------------------------------------------------------------------------------


def test_the_end_announces_who_was_there(reader: Provider, hear: Hear) -> None:
    """They are read ten minutes later, when the last have left."""
    assert hear(reader, ENDED)[1:] == [Announced(f"zoom:{UUID}", "participants", 600.0)]


def test_a_transcript_is_announced(reader: Provider, hear: Hear) -> None:
    """It can be read at once."""
    sent = {**RECORDED, "event": "recording.transcript_completed"}
    assert hear(reader, sent)[1:] == [Announced(f"zoom:{UUID}", "transcript")]


def test_without_an_app_nothing_is_announced(zoom: Provider, hear: Hear) -> None:
    """Whoever may not ask does not promise."""
    assert [type(heard) for heard in hear(zoom, ENDED)] == [Part]


# -- what is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["meeting.started", "meeting.participant_jbh_waiting", "webinar.ended", "user.updated"]
)
def test_other_events_are_ignored(zoom: Provider, hear: Hear, name: str) -> None:
    """Whatever their object is."""
    (answer,) = hear(zoom, {**ENDED, "event": name, "payload": {**ENDED["payload"], "object": 3}})
    assert isinstance(answer, Ignored)


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({}, "event: is required; payload: is required"),
        ({**ENDED, "event": 3}, "event: should be text"),
        ({**ENDED, "event_ts": "now"}, "event_ts: should be a whole number"),
        ({**ENDED, "event_ts": 10**15}, "event_ts: should be less than"),
        ({**ENDED, "payload": []}, "payload: should be an object"),
        ({**ENDED, "payload": {}}, "payload.object: is required"),
        (event("meeting.ended", 1), "payload.object.end_time: is required"),
        (event("meeting.ended", 1, end_time=None), "payload.object.end_time: should be"),
        (event("meeting.ended", 1, end_time=1718280091), "payload.object.end_time: should be a time like"),
        (event("meeting.ended", 1, end_time="2024-06-13T12:00:00"), "should be a time with an offset"),
        (event("meeting.ended", 1, end_time="2024-06-13T12:00:00Z"), "ended_at: should not be before started_at"),
        (event("meeting.ended", 1, end_time="yesterday, T"), "payload.object.end_time: should be a valid datetime"),
        (event("meeting.ended", 1, end_time="2024-06-13T13:00:00Z", uuid="../users"), "payload.object.uuid: "),
        (event("meeting.ended", 1, end_time="2024-06-13T13:00:00Z", uuid=""), "payload.object.uuid: "),
        (event("meeting.ended", 1, end_time="2024-06-13T13:00:00Z", topic=3), "payload.object.topic: should be text"),
        (event("meeting.ended", 1, end_time="2024-06-13T13:00:00Z", topic="\ud800"), "with a character that is none"),
        (event("meeting.participant_left", 1), "payload.object.participant: is required"),
        (joined({**CARL, "email": {"secret": "+33639981011"}}), "payload.object.participant.email: should be text"),
        (event("recording.completed", 1, share_url=3), "payload.object.share_url: should be text"),
    ],
)
def test_a_wrong_body_is_refused(zoom: Provider, sent: dict[str, Any], message: str) -> None:
    """The message names the place and what is wrong there, and holds no value."""
    with pytest.raises(InputError) as caught:
        zoom.parse(json.dumps(sent).encode())
    assert message in str(caught.value)
    assert "+33639981011" not in f"{caught.value}{caught.value.__cause__}{caught.value.__context__}"


# -- whatever comes ----------------------------------------------------------------------------------------------------

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def answered_or_refused(sent: bytes) -> None:
    with bind_provider(ZOOM, {"secret_token": "invented"}) as zoom, contextlib.suppress(InputError):
        assert zoom.parse(sent)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_garbage_is_refused_properly(sent: bytes) -> None:
    """Whatever the body is, it is answered or refused."""
    answered_or_refused(sent)


@given(st.sampled_from(WHOLE), st.sampled_from(sorted({*ROOM, "end_time", "participant", "share_url"})), JSON)
def test_a_changed_meeting_is_read_or_refused_properly(sent: dict[str, Any], key: str, value: object) -> None:
    """Whatever stands in one place of it."""
    payload = {**sent["payload"], "object": {**sent["payload"]["object"], key: value}}
    answered_or_refused(json.dumps({**sent, "payload": payload}).encode())


@given(st.sampled_from(sorted(ADA)), JSON)
def test_a_changed_participant_is_read_or_refused_properly(key: str, value: object) -> None:
    """Whatever stands in one place of who joined."""
    answered_or_refused(json.dumps(joined({**ADA, key: value})).encode())


@given(st.sampled_from(sorted(SUMMARY["payload"]["object"])), JSON)
def test_a_changed_summary_is_read_or_refused_properly(key: str, value: object) -> None:
    """Whatever stands in one place of it."""
    payload = {**SUMMARY["payload"], "object": {**SUMMARY["payload"]["object"], key: value}}
    answered_or_refused(json.dumps({**SUMMARY, "payload": payload}).encode())
