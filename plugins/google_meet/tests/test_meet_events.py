"""Events announce what can be read, and nothing else."""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Mapping
from typing import Any

import pytest
from connector_google_meet.events import ENDED, heard
from connector_google_meet.sandbox_signing import push
from hypothesis import given
from hypothesis import strategies as st

from connector_core.errors import InputError
from connector_core.providers.hookspecs import Announced, Heard, Ignored

RECORD = "conferenceRecords/de0f04e5-04d5-4c57-8cd8-afe589a190aa"
CALL_ID = "google_meet:de0f04e5-04d5-4c57-8cd8-afe589a190aa"


def hear(event_type: str, data: Mapping[str, Any]) -> list[Heard]:
    return list(heard(push(event_type, data).body))


def changed(**changes: Any) -> bytes:
    body = json.loads(push(ENDED, {"conferenceRecord": {"name": RECORD}}).body)
    body["message"] |= changes
    return json.dumps(body).encode()


def encoded(value: object) -> str:
    return base64.b64encode(json.dumps(value).encode()).decode()


def test_the_end_announces_the_conference() -> None:
    """A minute later its record says that it ended; the subscription tells who may read it."""
    assert hear(ENDED, {"conferenceRecord": {"name": RECORD}}) == [Announced(CALL_ID, "conference@meet-spaces-1", 60.0)]


@pytest.mark.parametrize(
    ("event", "key", "below", "what"),
    [
        ("recording", "recording", "recordings", "recordings"),
        ("transcript", "transcript", "transcripts", "transcripts"),
        ("smartNote", "smartNote", "smartNotes", "notes"),
    ],
)
def test_a_file_is_announced(event: str, key: str, below: str, what: str) -> None:
    """It can be read at once."""
    told = hear(f"google.workspace.meet.{event}.v2.fileGenerated", {key: {"name": f"{RECORD}/{below}/r-1_2"}})
    assert told == [Announced(CALL_ID, f"{what}@meet-spaces-1")]


@pytest.mark.parametrize(
    "event",
    [
        "google.workspace.meet.conference.v2.started",
        "google.workspace.meet.participant.v2.joined",
        "google.workspace.meet.participant.v2.left",
        "google.workspace.meet.recording.v2.started",
        "google.workspace.meet.transcript.v2.ended",
        "google.workspace.meet.conference.v3.ended",
        "google.workspace.chat.message.v1.created",
    ],
)
def test_other_events_are_ignored(event: str) -> None:
    """Whatever they carry."""
    (answer,) = hear(event, {"anything": 1})
    assert answer == Ignored(event, "it tells nothing of a conference that has ended")


@pytest.mark.parametrize("event", ["expirationReminder", "expired", "suspended"])
def test_what_becomes_of_the_subscription_is_told(event: str) -> None:
    """A host renews it anyway."""
    (answer,) = hear(f"google.workspace.events.subscription.v1.{event}", {})
    assert isinstance(answer, Ignored)
    assert "has to be renewed" in answer.reason


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{}", "message: is required; subscription: is required"),
        (changed(attributes={}), "message.attributes.ce-type: is required"),
        (changed(attributes={"ce-type": 3}), "message.attributes.ce-type: should be text"),
        (changed(attributes=None), "message.attributes: should be"),
        (changed(data=None), "message.data: should be text"),
        (changed(data="é"), "message.data: should be Base64"),
        (changed(data="===="), "message.data: should be Base64"),
        (changed(data=""), "message.data: is no JSON"),
        (changed(data=encoded([])), "message.data: is no JSON object"),
        (changed(data=encoded({})), "message.data.conferenceRecord: is required"),
        (changed(data=encoded({"conferenceRecord": "x"})), "message.data.conferenceRecord."),
        (changed(data=encoded({"conferenceRecord": {}})), "message.data.conferenceRecord.name: is required"),
        (
            changed(data=encoded({"conferenceRecord": {"name": "spaces/1"}})),
            "message.data.conferenceRecord.name: String should",
        ),
        (
            changed(data=encoded({"conferenceRecord": {"name": "conferenceRecords/../x"}})),
            "conferenceRecord.name: String should",
        ),
        (
            changed(data=encoded({"conferenceRecord": {"name": f"{RECORD}?a=b"}})),
            "conferenceRecord.name: String should match",
        ),
        (
            changed(data=encoded({"conferenceRecord": {"name": f"{RECORD}\n"}})),
            "conferenceRecord.name: String should match",
        ),
    ],
)
def test_a_wrong_event_is_refused(body: bytes, message: str) -> None:
    """The message names the place."""
    with pytest.raises(InputError) as caught:
        list(heard(body))
    assert message in str(caught.value)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def answered_or_refused(body: bytes) -> None:
    with contextlib.suppress(InputError):
        assert list(heard(body))


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_garbage_is_refused_properly(body: bytes) -> None:
    """Whatever the body is."""
    answered_or_refused(body)


@given(st.sampled_from(["attributes", "data", "messageId"]), JSON)
def test_a_changed_message_is_read_or_refused_properly(key: str, value: object) -> None:
    """Whatever stands in one place of it."""
    answered_or_refused(changed(**{key: value}))


@given(JSON | st.binary())
def test_changed_data_is_read_or_refused_properly(value: Any) -> None:
    """Whatever was encoded."""
    data = base64.b64encode(value).decode() if isinstance(value, bytes) else encoded({"conferenceRecord": value})
    answered_or_refused(changed(data=data))


@given(st.text())
def test_any_source_is_read(source: str) -> None:
    """Where it is no subscription's, nothing is said of whose it was."""
    body = json.loads(changed())
    body["message"]["attributes"]["ce-source"] = source
    (announced,) = heard(json.dumps(body).encode())
    assert isinstance(announced, Announced)
    assert announced.what == "conference"
