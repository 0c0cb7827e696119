"""Webhooks of Zoom Phone become one call, however many sides and legs told of it."""

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
from connector_core.providers.hookspecs import Heard, Ignored, Part

Hear = Callable[[Provider, dict[str, Any]], list[Heard]]
Tell = Callable[..., Call | None]

CALL_ID = "6998252250555555555"
CARL: dict[str, Any] = {
    "phone_number": "+33639981011",
    "extension_type": "pstn",
    "connection_type": "pstn_off_net",
    "timezone": "Europe/Paris",
}
ADA: dict[str, Any] = {
    "extension_id": "yKh1u8L1Q5Wl",
    "extension_type": "user",
    "extension_number": 801,
    "user_id": "30R7kT7bTIKSNUFEuH_Qlg",
    "name": "Ada Agent",
    "user_email": "ada@seller.example",
    "phone_number": "+33199000001",
    "device_id": "d1",
    "connection_type": "voip",
}
BEN: dict[str, Any] = {
    "extension_id": "benExtension",
    "extension_type": "user",
    "extension_number": 802,
    "user_id": "benUser",
    "name": "Ben Agent",
    "user_email": "ben@seller.example",
}


def live(name: str, caller: object, callee: object, at_ms: int = 0, /, **changes: Any) -> dict[str, Any]:
    """Make an event about a leg of the call; answered, unless ``answer_start_time`` says otherwise."""
    leg = {
        "call_id": CALL_ID,
        "caller": copy.deepcopy(caller),
        "callee": copy.deepcopy(callee),
        "ringing_start_time": "2024-06-13T11:56:40Z",
        "answer_start_time": "2024-06-13T11:56:52Z",
        "call_end_time": "2024-06-13T12:01:31Z",
        "handup_result": "Call connected",
        **changes,
    }
    payload = {"account_id": "AAAAAABBBBBB_cccccccc", "object": leg}
    return {"event": f"phone.{name}", "event_ts": 1718280091482 + at_ms, "payload": payload}


INBOUND = live("callee_ended", CARL, ADA)
OUTBOUND = live("caller_ended", ADA, CARL)
UNANSWERED = {"answer_start_time": "", "handup_result": "No Answer"}


def log(name: str, at_ms: int = 60_000, **changes: Any) -> dict[str, Any]:
    """Make the event of Ada's line of history about the inbound call."""
    line = {
        "id": "20240613-0f5c57cd",
        "call_id": CALL_ID,
        "connect_type": "external",
        "direction": "inbound",
        "caller_did_number": "+33639981011",
        "caller_name": "Carl Customer",
        "caller_number_type": "external_pstn",
        "callee_ext_id": "yKh1u8L1Q5Wl",
        "callee_ext_type": "user",
        "callee_ext_number": "801",
        "callee_name": "Ada Agent",
        "callee_email": "ada@seller.example",
        "callee_did_number": "+33199000001",
        "start_time": "2024-06-13T11:56:38Z",
        "answer_time": "2024-06-13T11:56:52Z",
        "end_time": "2024-06-13T12:01:31Z",
        "result": "answered",
        "talk_time": 270,
        "hold_time": 9,
        **changes,
    }
    payload = {"account_id": "AAAAAABBBBBB_cccccccc", "object": {"user_id": "30R7", "call_logs": [line]}}
    return {"event": f"phone.{name}", "event_ts": 1718280091482 + at_ms, "payload": payload}


HISTORY = log("callee_call_history_completed")


def test_an_inbound_call_is_told_whole(zoom: Provider, tell: Tell) -> None:
    """Everything that Zoom tells of a call, and we keep, is in ours."""
    assert tell(zoom, INBOUND) == Call(
        id=f"zoom:phone:{CALL_ID}",
        provider="zoom",
        kind="phone",
        direction="inbound",
        status="completed",
        started_at=dt.datetime(2024, 6, 13, 11, 56, 40, tzinfo=dt.UTC),
        ended_at=dt.datetime(2024, 6, 13, 12, 1, 31, tzinfo=dt.UTC),
        duration_seconds=291,
        talk_seconds=279,
        outcome="Connected",
        from_number="+33639981011",
        to_number="+33199000001",
        organizer=Organizer(name="Ada Agent", email="ada@seller.example"),
        participants=(
            Participant(is_user=False, phones=("+33639981011",)),
            Participant(is_user=True, name="Ada Agent", emails=("ada@seller.example",)),
        ),
    )


def test_an_outbound_call_turns_the_sides(zoom: Provider, tell: Tell) -> None:
    """The caller is ours."""
    call = tell(zoom, OUTBOUND)
    assert call is not None
    assert (call.direction, call.from_number, call.to_number) == ("outbound", "+33199000001", "+33639981011")
    assert [who.is_user for who in call.participants] == [True, False]


def test_both_sides_of_an_internal_call_are_one_call(zoom: Provider, tell: Tell) -> None:
    """The caller's event and the callee's say the same."""
    sides = [live("caller_ended", ADA, BEN), live("callee_ended", ADA, BEN, 40)]
    call = tell(zoom, *sides)
    assert call is not None
    assert (call.direction, call.organizer) == ("internal", Organizer(name="Ada Agent", email="ada@seller.example"))
    assert [who.name for who in call.participants] == ["Ada Agent", "Ben Agent"]
    assert {tell(zoom, side) for side in sides} == {call}


def test_the_side_that_is_told_is_ours(zoom: Provider, tell: Tell) -> None:
    """Also where the call was passed on to somebody's own mobile, of which Zoom tells a number alone."""
    call = tell(zoom, live("callee_ended", CARL, {"phone_number": "+33639980012", "extension_type": "pstn"}))
    assert call is not None
    assert (call.direction, [who.is_user for who in call.participants]) == ("inbound", [False, True])


def test_an_extension_is_no_number_to_look_up(zoom: Provider, tell: Tell) -> None:
    """It stands where one looks for who was called."""
    call = tell(zoom, live("callee_ended", ADA, BEN))
    assert call is not None
    assert (call.to_number, [who.phones for who in call.participants]) == ("802", [None, None])


def test_the_time_of_the_answer_has_two_names(zoom: Provider, tell: Tell) -> None:
    """One is documented, the other was seen."""
    seen = live("callee_ended", CARL, ADA, answer_start_time=None, connected_start_time="2024-06-13T11:56:52Z")
    assert tell(zoom, seen) == tell(zoom, INBOUND)


@pytest.mark.parametrize(
    ("sent", "status", "outcome"),
    [
        (live("callee_ended", CARL, ADA, **UNANSWERED), "missed", "No answer"),
        (live("caller_ended", ADA, CARL, **UNANSWERED), "missed", "No answer"),
        (
            live("caller_ended", ADA, CARL, **UNANSWERED | {"handup_result": "Call Canceled"}),
            "cancelled",
            "Call canceled",
        ),
        (live("callee_ended", CARL, ADA, **UNANSWERED | {"handup_result": "Call Canceled"}), "missed", "Call canceled"),
        (live("caller_ended", ADA, CARL, **UNANSWERED | {"handup_result": "Call failed"}), "failed", "Call failed"),
        (live("callee_ended", CARL, ADA, **UNANSWERED | {"handup_result": "Voicemail"}), "voicemail", "Voicemail"),
        (live("caller_ended", ADA, CARL, handup_result="Voicemail"), "voicemail", "Voicemail"),
        (live("callee_ended", CARL, ADA, **UNANSWERED | {"handup_result": None}), "missed", None),
        (log("callee_call_history_completed", result="ring_timeout", answer_time=""), "missed", "Ring timeout"),
        (log("callee_call_history_completed", result="voicemail", answer_time=None), "voicemail", "Voicemail"),
        (log("callee_call_history_completed", result="system_blocked", answer_time=None), "failed", "System blocked"),
        (log("callee_call_history_completed", result="connected", answer_time=None), "completed", "Connected"),
        (log("callee_call_history_completed", result="hang_up"), "completed", "Connected"),
    ],
)
def test_how_a_call_ended(zoom: Provider, tell: Tell, sent: dict[str, Any], status: str, outcome: str | None) -> None:
    """An answer is what counts, and a voicemail box is none."""
    call = tell(zoom, sent)
    assert call is not None
    assert (call.status, call.outcome, bool(call.talk_seconds)) == (status, outcome, status == "completed")


def test_history_is_the_best_that_is_told(zoom: Provider, tell: Tell) -> None:
    """It knows the seconds on hold and the name of who called, and Ada stays one person."""
    call = tell(zoom, HISTORY, INBOUND)
    assert call is not None
    assert (call.started_at.second, call.talk_seconds) == (38, 270)
    assert [who.name for who in call.participants] == ["Carl Customer", "Ada Agent"]


def test_elements_of_a_path_are_read_like_history(zoom: Provider, tell: Tell) -> None:
    """The next version of the events has the same keys under another one."""
    sent = log("callee_call_element_completed")
    sent["payload"]["object"]["call_elements"] = sent["payload"]["object"].pop("call_logs")
    assert tell(zoom, sent) == tell(zoom, HISTORY)


@pytest.mark.parametrize("name", ["callee_missed", "callee_rejected"])
def test_a_telephone_that_rang_in_vain_ends_no_call(zoom: Provider, tell: Tell, name: str) -> None:
    """Others may ring on: the end is told by other events."""
    assert tell(zoom, live(name, CARL, ADA, **UNANSWERED)) is None


def test_a_call_that_one_of_a_queue_answered_is_not_missed(zoom: Provider, tell: Tell) -> None:
    """Whenever the others say that they missed it."""
    events = [
        live("callee_missed", CARL, BEN, -9_000, **UNANSWERED),
        INBOUND,
        live("callee_ended", CARL, BEN, 100, answer_start_time=None, handup_result="Answered by Other Member"),
        log(
            "callee_call_history_completed",
            99_000,
            callee_ext_id="benExtension",
            callee_name="Ben Agent",
            callee_email="ben@seller.example",
            answer_time=None,
            end_time="2024-06-13T11:56:52Z",
            result="ring_timeout",
            talk_time=0,
        ),
    ]
    for order in itertools.permutations(events):
        call = tell(zoom, *order)
        assert call is not None
        assert (call.status, call.outcome, call.talk_seconds) == ("completed", "Connected", 279)
        attended = {who.name: who.attended for who in call.participants}
        assert attended == {"Carl Customer": None, "Ada Agent": None, "Ben Agent": False}


def test_an_answered_leg_goes_before_others_and_tells_its_own_time(zoom: Provider) -> None:
    """Its revision is when it was told, like that of any other."""
    missed = live("callee_ended", CARL, BEN, 99_000, **UNANSWERED)
    (answered,), (rang,) = (zoom.parse(json.dumps(event).encode()) for event in (INBOUND, missed))
    assert isinstance(answered, Part)
    assert isinstance(rang, Part)
    told = [(part.rank, part.revision) for part in (answered, rang)]
    assert told == [(1, INBOUND["event_ts"] / 1000), (0, missed["event_ts"] / 1000)]


def test_a_line_that_another_answered_ends_no_call(zoom: Provider, tell: Tell) -> None:
    """Who did answer tells of the end."""
    sent = log("callee_call_history_completed", result="no_answer", result_reason="answered_by_other", answer_time=None)
    assert tell(zoom, sent) is None


def test_a_message_that_was_left_makes_a_missed_call_a_voicemail(zoom: Provider, tell: Tell) -> None:
    """It is told apart, and a little later."""
    message = copy.deepcopy(INBOUND) | {"event": "phone.voicemail_received", "event_ts": 1718280099999}
    message["payload"]["object"] = {"id": "v1", "call_id": CALL_ID, "download_url": "https://zoom.us/v2/secret"}
    call = tell(zoom, message, live("callee_ended", CARL, ADA, **UNANSWERED))
    assert call is not None
    assert call.status == "voicemail"


def test_a_hidden_number_stays_as_it_is(zoom: Provider, tell: Tell) -> None:
    """That no record has it is for the core to say."""
    call = tell(zoom, live("callee_ended", {**CARL, "phone_number": "anonymous"}, ADA))
    assert call is not None
    assert call.participants[0].phones == ("anonymous",)


@pytest.mark.parametrize("name", ["callee_ringing", "callee_answered", "recording_completed", "sms_received"])
def test_other_events_are_ignored(zoom: Provider, hear: Hear, name: str) -> None:
    """Addresses of phone recordings need a token, and end within minutes."""
    (answer,) = hear(zoom, {**INBOUND, "event": f"phone.{name}"})
    assert isinstance(answer, Ignored)


@pytest.mark.parametrize("history", [{}, {"call_logs": []}, {"call_logs": None}])
def test_an_empty_history_is_ignored(zoom: Provider, hear: Hear, history: dict[str, Any]) -> None:
    """It tells of no call."""
    (answer,) = hear(zoom, {**HISTORY, "payload": {**HISTORY["payload"], "object": history}})
    assert isinstance(answer, Ignored)


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (live("callee_ended", CARL, ADA, call_id=""), "payload.object.call_id: "),
        (live("callee_ended", CARL, ADA, call_id=6998), "payload.object.call_id: should be text"),
        (live("callee_ended", CARL, ADA, call_id=" a"), "payload.object.call_id: "),
        (live("callee_ended", CARL, ADA, caller=None), "payload.object.caller: should be an object"),
        (
            live("callee_ended", CARL, ADA, call_end_time="2024-06-13T11:00:00Z"),
            "ended_at: should not be before started_at",
        ),
        (live("callee_ended", CARL, ADA, call_end_time=1), "payload.object.call_end_time: should be a time like"),
        (live("callee_ended", CARL, {**ADA, "extension_number": 1.5}), "payload.object.callee.extension_number"),
        (log("callee_call_history_completed", talk_time=-1), "payload.object.call_logs.0.talk_time: should be greater"),
        (log("callee_call_history_completed", talk_time="9"), "call_logs.0.talk_time: should be a whole number"),
        (
            log("callee_call_history_completed", start_time="2024-06-13"),
            "call_logs.0.start_time: should be a time like",
        ),
    ],
)
def test_a_wrong_body_is_refused(zoom: Provider, sent: dict[str, Any], message: str) -> None:
    """The message names the place and what is wrong there."""
    with pytest.raises(InputError) as caught:
        zoom.parse(json.dumps(sent).encode())
    assert message in str(caught.value)


# -- whatever comes ----------------------------------------------------------------------------------------------------

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def answered_or_refused(sent: dict[str, Any]) -> None:
    with bind_provider(ZOOM, {"secret_token": "invented"}) as zoom, contextlib.suppress(InputError):
        assert zoom.parse(json.dumps(sent).encode())


@given(st.sampled_from(sorted(INBOUND["payload"]["object"])), JSON)
def test_a_changed_leg_is_read_or_refused_properly(key: str, value: object) -> None:
    """Whatever stands in one place of it."""
    answered_or_refused(live("callee_ended", CARL, ADA, **{key: value}))


@given(st.sampled_from(sorted(ADA)), JSON)
def test_a_changed_side_is_read_or_refused_properly(key: str, value: object) -> None:
    """Whatever stands in one place of it."""
    answered_or_refused(live("callee_ended", CARL, {**ADA, key: value}))


@given(st.sampled_from(sorted(HISTORY["payload"]["object"]["call_logs"][0])), JSON)
def test_a_changed_line_of_history_is_read_or_refused_properly(key: str, value: object) -> None:
    """Whatever stands in one place of it."""
    answered_or_refused(log("callee_call_history_completed", **{key: value}))
