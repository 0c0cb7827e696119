"""What Ringover's API tells of a call, read from a stand-in for it on this machine.

The stand-in is our reading of the service: the documentation, a call that was recorded, and what users of the API report of
its answers. No account was at hand.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from collections.abc import Mapping
from typing import Any, Protocol

import pytest
from connector_ringover import RINGOVER
from connector_ringover.rest import call_part, transcript_part
from hypothesis import given
from hypothesis import strategies as st

from connector_core.errors import CredentialsError, InputError, TryAgainError
from connector_core.model import Call, Organizer, Participant, Utterance
from connector_core.providers.binding import Provider, bind_provider
from connector_core.providers.hookspecs import Announced, Answer, Later, Part
from connector_core.providers.merging import merge

NUMBER = "1920669524399167255"
CALL = Announced(f"ringover:{NUMBER}", "call", 300.0)
TRANSCRIPT = Announced(f"ringover:{NUMBER}", "transcript")
RECORD = "https://cdn.ringover.com/records/abc.mp3"

LEG: dict[str, Any] = {
    "cdr_id": 536999112,
    "call_id": NUMBER,
    "channel_id": None,
    "type": "PHONE",
    "direction": "in",
    "last_state": "ANSWERED",
    "start_time": "2026-03-02T12:57:57.59Z",
    "answered_time": "2026-03-02T12:58:04Z",
    "end_time": "2026-03-02T12:58:15Z",
    "incall_duration": 11,
    "total_duration": 17,
    "contact_number": "33639981011",
    "from_number": "33639981011",
    "to_number": "33199000001",
    "note": None,
    "star": None,
    "tags": None,
    "voicemail": None,
    "record": RECORD,
    "fax": None,
    "user": {"user_id": 11330955, "team_id": 1, "firstname": "Ada", "lastname": "Agent", "email": "ada@seller.example"},
    "conference": None,
    "ivr": None,
    "contact": None,
    "amd": False,
    "is_archived": False,
}
SPOKEN: dict[str, Any] = {
    "id": 1,
    "cdr_id": 536999112,
    "call_id": NUMBER,
    "transcription_status": "DONE",
    "creation_date": "2026-03-02T13:10:00Z",
    "transcription_data": {
        "duration": 11.0,
        "num_channels": 2,
        "text": "Hello. Hi.",
        "speeches": [{"speaker_id": 0, "content": "Hello."}, {"speaker_id": 1, "content": "Hi."}],
    },
}
HANGUP = {
    "resource": "call",
    "event": "hangup",
    "timestamp": 1772456295.4,
    "data": {
        "call_id": int(NUMBER),
        "start_time": 1772456277.6,
        "hangup_time": 1772456295.4,
        "duration_in_seconds": 11,
        "direction": "inbound",
        "from_number": "33639981011",
        "to_number": "33199000001",
        "user": {"user_id": "USER11330955", "firstname": "Ada", "lastname": "Agent", "email": "ada@seller.example"},
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


def listed(*legs: Mapping[str, Any]) -> dict[str, Any]:
    """Answer as ``GET /calls/{id}`` does."""
    return {"list_count": len(legs), "list": list(legs)}


# -- the call ----------------------------------------------------------------------------------------------------------


def test_a_call_whose_webhook_was_lost_is_told_whole(api: Served, reading: Provider) -> None:
    """The API tells of it what the webhook would have, in its own words."""
    api.say(f"calls/{NUMBER}", listed(LEG))

    start = dt.datetime(2026, 3, 2, 12, 57, 57, 590000, tzinfo=dt.UTC)
    assert merge([part_of(fetched(reading, CALL))]) == Call(
        id=f"ringover:{NUMBER}",
        provider="ringover",
        kind="phone",
        direction="inbound",
        status="completed",
        started_at=start,
        ended_at=dt.datetime(2026, 3, 2, 12, 58, 15, tzinfo=dt.UTC),
        duration_seconds=17.41,
        talk_seconds=11,
        from_number="+33639981011",
        to_number="+33199000001",
        organizer=Organizer(name="Ada Agent", email="ada@seller.example"),
        participants=(
            Participant(is_user=True, name="Ada Agent", emails=("ada@seller.example",)),
            Participant(is_user=False, phones=("+33639981011",)),
        ),
        recording_url=RECORD,
    )


@pytest.mark.parametrize("answer", [listed(LEG), [LEG], LEG])
def test_every_form_of_the_answer_is_read(api: Served, reading: Provider, answer: object) -> None:
    """Users of the API report a list in an object, and the call by itself."""
    api.say(f"calls/{NUMBER}", answer)
    assert part_of(fetched(reading, CALL)).talk_seconds == 11


def test_a_call_has_all_its_legs(api: Served, reading: Provider) -> None:
    """It lasts from the first to the last, with the users of all; the longest talk says what it was."""
    queue = LEG | {"cdr_id": 1, "last_state": "QUEUE_TIMEOUT", "incall_duration": 0, "user": None, "record": None}
    bob = LEG | {
        "cdr_id": 2,
        "start_time": "2026-03-02T12:58:15Z",
        "end_time": "2026-03-02T13:00:00Z",
        "incall_duration": 100,
        "user": {"user_id": 7, "firstname": "Bob", "lastname": "", "email": "bob@seller.example"},
    }
    api.say(f"calls/{NUMBER}", listed(bob, queue, LEG))
    call = merge([part_of(fetched(reading, CALL))])
    assert call is not None
    assert (call.duration_seconds, call.talk_seconds, call.status) == (122.41, 111, "completed")
    assert call.organizer == Organizer(name="Bob", email="bob@seller.example")
    assert [each.name for each in call.participants if each.is_user] == ["Ada Agent", "Bob"]


def test_the_longest_talk_is_the_call(api: Served, reading: Provider) -> None:
    """A leg that was shorter, and later, changes nothing of what the call was."""
    passed_on = LEG | {"start_time": "2026-03-02T12:58:16Z", "incall_duration": 2, "last_state": "MISSED", "user": None}
    api.say(f"calls/{NUMBER}", listed(LEG, passed_on))
    part = part_of(fetched(reading, CALL))
    assert (part.status, part.organizer and part.organizer.name) == ("completed", "Ada Agent")


@pytest.mark.parametrize(
    ("change", "status", "talk_seconds"),
    [
        ({"last_state": "MISSED", "incall_duration": 0}, "missed", 0),
        ({"last_state": "NOANSWER_TRANSFERED", "incall_duration": None}, "missed", 0),
        ({"last_state": "VOICEMAIL", "incall_duration": 20}, "voicemail", 0),
        ({"last_state": "CANCELLED", "incall_duration": 0}, "cancelled", 0),
        ({"last_state": "FAILED", "incall_duration": 0}, "failed", 0),
        ({"last_state": "BLIND_TRANSFERED", "incall_duration": None}, "completed", 0),
        ({"last_state": "NEW_STATE", "incall_duration": 5}, "completed", 5),
        ({"last_state": "NEW_STATE", "incall_duration": 0}, "missed", 0),
        ({"last_state": None}, "completed", 11),
    ],
)
def test_how_a_call_ended(api: Served, reading: Provider, change: Any, status: str, talk_seconds: float) -> None:
    """Ringover's list of states is open: of those that are not known, the talk tells whether somebody answered."""
    api.say(f"calls/{NUMBER}", listed(LEG | change))
    part = part_of(fetched(reading, CALL))
    assert (part.status, part.talk_seconds) == (status, talk_seconds)


def test_a_call_of_the_sellers(api: Served, reading: Provider) -> None:
    """There the line calls, and the contact of Ringover's address book is who was called."""
    outbound = {
        "direction": "out",
        "from_number": "33199000001",
        "to_number": "33639981011",
        "contact": {"firstname": "Camille", "lastname": "Durand"},
        "amd": True,
        "note": " wants a quote ",
        "tags": [{"id": 1, "name": "Demo"}, "Lead"],
    }
    api.say(f"calls/{NUMBER}", listed(LEG | outbound))
    part = part_of(fetched(reading, CALL))
    assert (part.direction, part.from_number, part.to_number) == ("outbound", "+33199000001", "+33639981011")
    assert (part.participants[-1].name, part.outcome) == ("Camille Durand", "Answering machine")
    assert ([note.text for note in part.comments.values()], [*part.tags]) == (["wants a quote"], ["Demo", "Lead"])


def test_a_fax_is_no_call(api: Served, reading: Provider) -> None:
    """Nothing is told of it."""
    api.say(f"calls/{NUMBER}", listed(LEG | {"last_state": "FAX_RECEIVED"}))
    assert fetched(reading, CALL) == ()


@pytest.mark.parametrize("status", [204, 404])
def test_a_call_that_is_not_there_is_none(api: Served, reading: Provider, status: int) -> None:
    """The API knows every call that it has ended: one that it does not know never will be there."""
    api.say(f"calls/{NUMBER}", b"", status)
    assert fetched(reading, CALL) == ()


def test_the_webhook_goes_before_the_api(api: Served, reading: Provider) -> None:
    """Where both tell of a call, only what the webhook left out is taken from the API, whichever came first."""
    api.say(f"calls/{NUMBER}", listed(LEG | {"contact": {"concat_name": "Camille Durand"}}))
    (webhook,) = reading.parse(json.dumps(HANGUP).encode())
    repaired = part_of(fetched(reading, CALL))
    assert isinstance(webhook, Part)
    both = merge([repaired, webhook])
    assert both == merge([webhook, repaired, webhook])
    assert both is not None
    assert (both.started_at, both.recording_url) == (webhook.started_at, RECORD)
    assert [each.name for each in both.participants] == ["Ada Agent", "Camille Durand"]


# -- the transcript ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "speeches",
    [
        SPOKEN["transcription_data"]["speeches"],
        [{"channelId": 0, "text": "Hello."}, {"channelId": 1, "text": "Hi."}, {"channelId": 1, "text": " "}],
    ],
)
def test_a_transcript_is_read_turn_by_turn(api: Served, reading: Provider, speeches: object) -> None:
    """Two forms of it were seen; who speaks is told apart, and not named."""
    api.say(f"transcriptions/{NUMBER}", [SPOKEN | {"transcription_data": {"speeches": speeches}}])
    assert part_of(fetched(reading, TRANSCRIPT)).transcript == (
        Utterance(text="Hello.", speaker="Speaker 0"),
        Utterance(text="Hi.", speaker="Speaker 1"),
    )


def test_turns_have_the_times_of_their_leg(api: Served, reading: Provider) -> None:
    """Of a single leg they count from its start; of several nothing says when each began."""
    timed = SPOKEN | {"transcription_data": {"speeches": [{"channelId": 1, "text": "Hi.", "start": 1.5, "end": 2.0}]}}
    api.say(f"transcriptions/{NUMBER}", [timed])
    api.say(f"transcriptions/{NUMBER}", [timed, timed])
    single, several = (part_of(fetched(reading, TRANSCRIPT)).transcript for _ in range(2))
    assert [turn.at_seconds for turn in single or ()] == [1.5]
    assert [turn.at_seconds for turn in several or ()] == [None, None]


def test_a_transcript_in_one_piece_is_read(api: Served, reading: Provider) -> None:
    """Without turns there is the text."""
    api.say(f"transcriptions/{NUMBER}", [SPOKEN | {"transcription_data": {"text": "Hello. Hi."}}])
    assert part_of(fetched(reading, TRANSCRIPT)).transcript == (Utterance(text="Hello. Hi."),)


def test_a_transcript_of_nothing_says_nothing(api: Served, reading: Provider) -> None:
    """It is there, and empty: nobody asks again."""
    api.say(f"transcriptions/{NUMBER}", [SPOKEN | {"transcription_data": None}])
    assert part_of(fetched(reading, TRANSCRIPT)).transcript is None


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        ([SPOKEN, SPOKEN | {"transcription_status": "PENDING"}], 200),
        ([], 200),
        (b"", 204),
        ({"error": "not found"}, 404),
    ],
)
def test_a_transcript_that_is_not_done_is_asked_for_again(
    api: Served, reading: Provider, answer: object, status: int
) -> None:
    """Half of it would be taken for the whole."""
    api.say(f"transcriptions/{NUMBER}", answer, status)
    assert fetched(reading, TRANSCRIPT) == Later(300.0, "Ringover has not finished the transcript")


def test_a_newer_transcript_replaces_the_older(api: Served, reading: Provider) -> None:
    """The date of a transcript tells."""
    newer = SPOKEN | {"creation_date": "2026-03-03T00:00:00Z", "transcription_data": {"text": "Anew."}}
    api.say(f"transcriptions/{NUMBER}", [SPOKEN])
    api.say(f"transcriptions/{NUMBER}", [newer])
    parts = [part_of(fetched(reading, TRANSCRIPT)) for _ in range(2)]
    (base,) = reading.parse(json.dumps(HANGUP).encode())
    assert isinstance(base, Part)
    call = merge([parts[1], base, parts[0]])
    assert call is not None
    assert call.transcript == (Utterance(text="Anew."),)


# -- when it does not answer -------------------------------------------------------------------------------------------


def test_a_key_that_is_refused_is_told(api: Served, reading: Provider) -> None:
    """Asking again changes nothing: a person looks at the key."""
    api.say(f"transcriptions/{NUMBER}", {}, 401)
    with pytest.raises(CredentialsError, match="refused api_key for reading transcriptions"):
        reading.fetch([TRANSCRIPT])


@pytest.mark.parametrize(("status", "reason"), [(401, "refused api_key"), (403, "lets api_key read no transcriptions")])
def test_transcripts_that_may_not_be_read_keep_no_call_back(
    api: Served, reading: Provider, status: int, reason: str
) -> None:
    """Not every account has them, nor every key the right to: calls are read first."""
    api.say(f"transcriptions/{NUMBER}", {}, status)
    api.say(f"calls/{NUMBER}", listed(LEG))
    answers = reading.fetch([TRANSCRIPT, CALL])
    assert part_of(answers[CALL]).talk_seconds == 11
    assert isinstance(answers[TRANSCRIPT], Later)
    assert reason in answers[TRANSCRIPT].reason


def test_another_key_is_refused(api: Served) -> None:
    """The stand-in looks at it, as Ringover does; no message shows it."""
    values = {"webhook_key": "k", "api_key": "another-key", "api_url": api.url}
    with bind_provider(RINGOVER, values) as other, pytest.raises(CredentialsError) as caught:
        other.fetch([CALL])
    assert "another-key" not in str(caught.value)


def test_without_a_key_nothing_is_asked(ringover: Provider) -> None:
    """A connection that lost its key says what it wants."""
    with pytest.raises(CredentialsError, match="set api_key"):
        ringover.fetch([CALL])


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_moment_of_weakness_is_waited_out(api: Served, reading: Provider, status: int) -> None:
    """A read is sent again."""
    api.say(f"calls/{NUMBER}", b"<html>", status)
    api.say(f"calls/{NUMBER}", listed(LEG))
    assert part_of(fetched(reading, CALL)).talk_seconds == 11


def test_a_limit_says_when_to_ask_again(api: Served, reading: Provider) -> None:
    """What Ringover asks for is passed on, instead of waited for here."""
    api.say(f"calls/{NUMBER}", {}, 429, **{"Retry-After": "3600"})
    with pytest.raises(TryAgainError) as caught:
        reading.fetch([CALL])
    assert caught.value.after_seconds == 3600


def test_what_was_read_before_a_limit_is_kept(api: Served, reading: Provider) -> None:
    """The rest is put off."""
    api.say(f"calls/{NUMBER}", listed(LEG))
    api.say(f"transcriptions/{NUMBER}", {}, 429, **{"Retry-After": "120"})
    answers = reading.fetch([CALL, TRANSCRIPT])
    assert part_of(answers[CALL]).talk_seconds == 11
    assert isinstance(answers[TRANSCRIPT], Later)
    assert answers[TRANSCRIPT].after_seconds == 120


def test_nobody_listening_is_told(api: Served) -> None:
    """An API that cannot be reached is asked again later."""
    settings = {"webhook_key": "k", "api_key": "k", "api_url": "http://127.0.0.1:1/v2"}
    with bind_provider(RINGOVER, settings) as lonely, pytest.raises(TryAgainError, match="cannot be reached"):
        lonely.fetch([CALL])


def test_a_redirect_is_not_followed(api: Served, reading: Provider) -> None:
    """The key goes nowhere else."""
    api.say(f"calls/{NUMBER}", b"", 302, Location=f"{api.url}/elsewhere")
    answer = fetched(reading, CALL)
    assert isinstance(answer, Later)
    assert (answer.reason, api.asked) == ("Ringover answered status 302 to reading calls", [f"calls/{NUMBER}"])


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"<html>", "Ringover answered a web page to reading calls"),
        (b"", "Ringover answered nothing to reading calls"),
        (b"[" * 100_000, "Ringover answered what is no JSON to reading calls"),
        (b"[" + b" " * 2**24 + b"]", "Ringover's answer to reading calls is larger than 16777216 bytes"),
        (3, "list.0: should be an object"),
        (listed({"call_id": NUMBER}), "list.0.start_time: is required"),
        (listed(LEG | {"call_id": "1"}), "call_id: is another call's than the one asked for"),
        (listed(LEG | {"incall_duration": -1}), "list.0.incall_duration: should be greater than or equal to 0"),
        (listed(LEG | {"from_number": "\ud800"}), "list.0.from_number: is text with a character"),
    ],
)
def test_an_answer_that_cannot_be_read_is_put_off(api: Served, reading: Provider, answer: object, reason: str) -> None:
    """One such answer keeps no other from being read; what was wrong is told, without values."""
    api.say(f"calls/{NUMBER}", answer)
    api.say(f"transcriptions/{NUMBER}", [SPOKEN])
    answers = reading.fetch([CALL, TRANSCRIPT])
    assert isinstance(answers[CALL], Later)
    assert reason in answers[CALL].reason
    assert part_of(answers[TRANSCRIPT]).transcript


def test_requests_are_paced(api: Served, reading: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key has two requests a second: from the third of a moment on, each waits for its turn."""
    waited: list[float] = []
    monkeypatch.setattr("connector_core.policy.wait", waited.append)
    pace = reading._adapter._client._policy.pace
    moment = pace._lanes["api"].at
    monkeypatch.setattr(pace, "_clock", lambda: moment)
    reading.fetch([Announced(f"ringover:{number}", "call") for number in range(1, 5)])
    assert waited == [0.5, 1.0]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(LEG)), JSON)
def test_a_changed_call_is_read_or_refused_properly(key: str, value: object) -> None:
    """Whatever stands in one place of an answer, it is read, or refused with an error of ours."""
    with contextlib.suppress(InputError):
        assert isinstance(call_part(NUMBER, listed(LEG | {key: value})), Part | None)


@given(st.sampled_from(["call_id", "creation_date", "transcription_data", "speeches", "text", "start"]), JSON)
def test_a_changed_transcript_is_read_or_refused_properly(key: str, value: object) -> None:
    """Likewise."""
    speech = {"channelId": 1, "text": "Hi.", "start": 1.0, key: value}
    answer = [SPOKEN | {"transcription_data": {"speeches": [speech]} | {key: value}} | {key: value}]
    with contextlib.suppress(InputError):
        assert isinstance(transcript_part(NUMBER, answer), Part | None)


@given(JSON)
def test_garbage_is_refused_properly(answer: object) -> None:
    """An answer of any shape is none about the call."""
    for read in (call_part, transcript_part):
        with contextlib.suppress(InputError):
            assert read(NUMBER, answer) is None
