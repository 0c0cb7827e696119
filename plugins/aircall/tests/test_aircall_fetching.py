"""What Aircall's intelligence makes of a call, read from a stand-in for its API on this machine.

The stand-in is our reading of the documentation, and no more: no account was at hand.
"""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any, Protocol

import pytest
from connector_aircall import AIRCALL
from connector_aircall.intelligence import ANNOUNCED, read_part
from hypothesis import given
from hypothesis import strategies as st

from connector_core.errors import CredentialsError, InputError, TryAgainError
from connector_core.model import Utterance
from connector_core.providers.binding import Provider, bind_provider
from connector_core.providers.hookspecs import Announced, Answer, Later, Part
from connector_core.providers.merging import merge

NUMBER = 5237603
SUMMARY, TOPICS, TRANSCRIPTION = (
    Announced(f"aircall:{NUMBER}", what) for what in ("summary", "topics", "transcription")
)

SUMMED_UP = {
    "summary": {"id": 974, "call_id": NUMBER, "created_at": "2026-03-02T10:54:16.000Z", "content": " In short. "}
}
ABOUT = {"topic": {"id": 786, "call_id": NUMBER, "created_at": "2026-03-02T10:54:16.000Z", "content": ["payment", " "]}}
SAID: dict[str, Any] = {
    "transcription": {
        "id": 68271,
        "call_id": NUMBER,
        "call_created_at": "2026-03-02T09:30:54.000Z",
        "type": "call",
        "content": {
            "language": "en",
            "utterances": [
                {
                    "start_time": 12.54,
                    "end_time": 13.8,
                    "text": "Okay,",
                    "participant_type": "external",
                    "phone_number": "+33639981011",
                },
                {
                    "start_time": 238.08,
                    "end_time": 239.48,
                    "text": "Bye.",
                    "participant_type": "internal",
                    "user_id": 123,
                },
                {"start_time": 240, "text": " ", "participant_type": "internal"},
                {"start_time": None, "text": "Hm.", "participant_type": "internal"},
                {"text": "Who?"},
                {"text": "Me.", "participant_type": "external"},
            ],
        },
    }
}
ANSWERS: dict[str, dict[str, Any]] = {"summary": SUMMED_UP, "topics": ABOUT, "transcription": SAID}
ENDED = {
    "event": "call.ended",
    "timestamp": 1772442300,
    "token": "t",
    "data": {
        "id": NUMBER,
        "direction": "inbound",
        "started_at": 1772442000,
        "ended_at": 1772442270,
        "raw_digits": "+33 6 39 98 10 11",
    },
}


class Served(Protocol):
    """The stand-in, as tests see it."""

    url: str
    asked: list[str]

    def say(self, path: str, value: object, status: int = 200, **headers: str) -> None: ...


def fetched(reading: Provider, announced: Announced) -> Answer:
    """Read one thing."""
    return reading.fetch([announced])[announced]


def part_of(answer: Answer) -> Part:
    """Give the one part of an answer."""
    assert isinstance(answer, tuple)
    (part,) = answer
    return part


@pytest.mark.parametrize("call_id", [NUMBER, str(NUMBER)])
@pytest.mark.parametrize("what", sorted(ANSWERS))
def test_what_can_be_read_is_announced(reading: Provider, what: str, call_id: object) -> None:
    """The id of the call is text in the documentation, and a number in its samples; the event has an id of its own."""
    event = {"resource": "conversation_intelligence", "event": f"{what}.created", "timestamp": 1, "token": "t"}
    heard = reading.parse(json.dumps({**event, "data": {"id": 68271, "call_id": call_id, "type": "call"}}).encode())
    assert heard == [Announced(f"aircall:{NUMBER}", what)]


@pytest.mark.parametrize("data", [None, {}, {"id": 5}, {"call_id": True}, {"call_id": "x"}, {"call_id": 0}])
def test_an_announcement_names_a_call(reading: Provider, data: object) -> None:
    """Without one there is nothing to read."""
    event = {"event": "summary.created", "timestamp": 1, "token": "t", "data": data}
    with pytest.raises(InputError, match="data"):
        reading.parse(json.dumps(event).encode())


def test_intelligence_adds_to_the_call(api: Served, reading: Provider) -> None:
    """Summary, topics and transcript come each by itself, before the call or after it."""
    for what, answer in ANSWERS.items():
        api.say(f"calls/{NUMBER}/{what}", answer)
    (ended,) = reading.parse(json.dumps(ENDED).encode())
    assert isinstance(ended, Part)
    read = [part_of(each) for each in reading.fetch([SUMMARY, TOPICS, TRANSCRIPTION]).values()]
    call = merge([*read, ended])
    assert call == merge([ended, *reversed(read), read[0]])
    assert call is not None
    assert (call.summary, call.topics) == ("In short.", ("payment",))
    assert call.transcript == (
        Utterance(text="Okay,", speaker="+33639981011", at_seconds=12.54),
        Utterance(text="Bye.", speaker="User 123", at_seconds=238.08),
        Utterance(text="Hm.", speaker="Internal"),
        Utterance(text="Who?"),
        Utterance(text="Me.", speaker="External"),
    )


def test_what_is_made_anew_replaces_the_older(api: Served, reading: Provider) -> None:
    """It has a greater id."""
    api.say(f"calls/{NUMBER}/summary", {"summary": {"id": 975, "call_id": NUMBER, "content": "Anew."}})
    api.say(f"calls/{NUMBER}/summary", SUMMED_UP)
    parts = [part_of(fetched(reading, SUMMARY)) for _ in range(2)]
    (ended,) = reading.parse(json.dumps(ENDED).encode())
    assert isinstance(ended, Part)
    call = merge([*parts, ended])
    assert call is not None
    assert call.summary == "Anew."


@pytest.mark.parametrize("what", sorted(ANSWERS))
def test_nothing_was_said(api: Served, reading: Provider, what: str) -> None:
    """It is there, and empty: nobody asks again."""
    ((name, value),) = ANSWERS[what].items()
    api.say(f"calls/{NUMBER}/{what}", {name: value | {"content": None}})
    part = part_of(fetched(reading, Announced(f"aircall:{NUMBER}", what)))
    assert (part.summary, part.topics, part.transcript) == (None, None, None)


def test_what_is_not_there_yet_is_asked_for_again(reading: Provider) -> None:
    """A call without it is answered with 404."""
    assert fetched(reading, SUMMARY) == Later(300.0, "Aircall has no summary of the call yet")


def test_what_is_not_known_is_nothing(api: Served, reading: Provider) -> None:
    """What another version announced is not asked for."""
    assert (fetched(reading, Announced(f"aircall:{NUMBER}", "mood")), api.asked) == ((), [])


def test_a_pair_that_is_refused_is_told(api: Served) -> None:
    """Asking again changes nothing; no message shows the pair."""
    values = {"token": "t", "api_id": "other-id", "api_token": "other-token", "api_url": api.url}
    with bind_provider(AIRCALL, values) as other, pytest.raises(CredentialsError) as caught:
        other.fetch([SUMMARY])
    assert [word for word in ("other-id", "other-token") if word in str(caught.value)] == []


def test_without_a_pair_nothing_is_asked() -> None:
    """A connection that lost its pair says what it wants."""
    with bind_provider(AIRCALL, {"token": "t"}) as bound, pytest.raises(CredentialsError, match="set api_id"):
        bound.fetch([SUMMARY])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_moment_of_weakness_is_waited_out(api: Served, reading: Provider, status: int) -> None:
    """A read is sent again."""
    api.say(f"calls/{NUMBER}/summary", b"<html>", status)
    api.say(f"calls/{NUMBER}/summary", SUMMED_UP)
    assert part_of(fetched(reading, SUMMARY)).summary == "In short."


@pytest.mark.parametrize("header", ["Retry-After", "X-AircallApi-Reset"])
def test_a_limit_says_when_to_ask_again(api: Served, reading: Provider, header: str) -> None:
    """Aircall names the second since 1970 in which its limit ends; it is passed on, instead of waited for here."""
    value = "1800" if header == "Retry-After" else str(int(time.time()) + 1800)
    api.say(f"calls/{NUMBER}/summary", {}, 429, **{header: value})
    with pytest.raises(TryAgainError) as caught:
        reading.fetch([SUMMARY])
    assert caught.value.after_seconds is not None
    assert 0 < caught.value.after_seconds <= 1800


@pytest.mark.parametrize("reset", ["soon", "1", "99999999999999999999999", "-5"])
def test_an_end_of_a_limit_that_makes_no_sense_is_passed_over(api: Served, reading: Provider, reset: str) -> None:
    """Then it is tried again a little later, as always."""
    api.say(f"calls/{NUMBER}/summary", {}, 429, **{"X-AircallApi-Reset": reset})
    api.say(f"calls/{NUMBER}/summary", SUMMED_UP)
    assert part_of(fetched(reading, SUMMARY)).summary == "In short."


def test_what_was_read_before_a_limit_is_kept(api: Served, reading: Provider) -> None:
    """The rest is put off."""
    api.say(f"calls/{NUMBER}/summary", SUMMED_UP)
    api.say(f"calls/{NUMBER}/topics", {}, 429, **{"Retry-After": "120"})
    answers = reading.fetch([SUMMARY, TOPICS])
    assert part_of(answers[SUMMARY]).summary == "In short."
    assert isinstance(answers[TOPICS], Later)
    assert answers[TOPICS].after_seconds == 120


def test_nobody_listening_is_told(api: Served) -> None:
    """An API that cannot be reached is asked again later."""
    values = {"token": "t", "api_id": "a", "api_token": "b", "api_url": "http://127.0.0.1:1/v1"}
    with bind_provider(AIRCALL, values) as lonely, pytest.raises(TryAgainError, match="cannot be reached"):
        lonely.fetch([SUMMARY])


def test_a_redirect_is_not_followed(api: Served, reading: Provider) -> None:
    """The pair goes nowhere else."""
    api.say(f"calls/{NUMBER}/summary", b"", 302, Location=f"{api.url}/elsewhere")
    answer = fetched(reading, SUMMARY)
    assert isinstance(answer, Later)
    assert api.asked == [f"calls/{NUMBER}/summary"]


@pytest.mark.parametrize(
    ("answer", "status", "reason"),
    [
        ({}, 403, "Aircall lets this account read no summary (status 403)"),
        ({}, 400, "Aircall answered status 400 to reading summary"),
        (b"<html>", 200, "Aircall answered a web page to reading summary"),
        (b"[" * 100_000, 200, "Aircall answered what is no JSON to reading summary"),
        (b"[" + b" " * 2**24 + b"]", 200, "larger than 16777216 bytes"),
        ([], 200, "should be an object"),
        ({"summary": None}, 200, "summary: should be an object"),
        ({"summary": {"call_id": 1, "content": "x"}}, 200, "call_id: is another call's than the one asked for"),
        ({"summary": {"call_id": NUMBER, "content": ["x"]}}, 200, "summary.content: should be text"),
    ],
)
def test_an_answer_that_cannot_be_read_is_put_off(
    api: Served, reading: Provider, answer: object, status: int, reason: str
) -> None:
    """One such answer keeps no other from being read; what was wrong is told, without values."""
    api.say(f"calls/{NUMBER}/summary", answer, status)
    api.say(f"calls/{NUMBER}/topics", ABOUT)
    answers = reading.fetch([SUMMARY, TOPICS])
    assert isinstance(answers[SUMMARY], Later)
    assert reason in answers[SUMMARY].reason
    assert part_of(answers[TOPICS]).topics == ("payment",)


def test_requests_are_paced(reading: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """One request a second leaves half of the company's limit to others: from the second of a moment on, each waits."""
    waited: list[float] = []
    monkeypatch.setattr("connector_core.policy.wait", waited.append)
    pace = reading._adapter._client._policy.pace
    moment = pace._lanes["api"].at
    monkeypatch.setattr(pace, "_clock", lambda: moment)
    reading.fetch([SUMMARY, TOPICS, TRANSCRIPTION])
    assert waited == [1.0, 2.0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(ANNOUNCED.values())), st.sampled_from(["id", "call_id", "content"]), JSON)
def test_a_changed_answer_is_read_or_refused_properly(what: str, key: str, value: object) -> None:
    """Whatever stands in one place of an answer, it is read, or refused with an error of ours."""
    ((name, inner),) = ANSWERS[what].items()
    for answer in (
        value,
        {name: value},
        {name: inner | {key: value}},
        {name: inner | {"content": {"utterances": value}}},
    ):
        with contextlib.suppress(InputError):
            assert isinstance(read_part(NUMBER, what, answer), Part)


@given(st.sampled_from(["text", "start_time", "participant_type", "user_id", "phone_number"]), JSON)
def test_a_changed_turn_is_read_or_refused_properly(key: str, value: object) -> None:
    """Likewise."""
    answer = {"transcription": SAID["transcription"] | {"content": {"utterances": [{"text": "x", key: value}]}}}
    with contextlib.suppress(InputError):
        assert isinstance(read_part(NUMBER, "transcription", answer), Part)
