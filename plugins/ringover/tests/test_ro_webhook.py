"""Webhooks of Ringover's become calls."""

from __future__ import annotations

import copy
import datetime as dt
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from connector_ringover import RINGOVER
from hypothesis import given
from hypothesis import strategies as st

from connector_core.calls import read_events
from connector_core.errors import InputError
from connector_core.model import Call, Note, Organizer, Participant
from connector_core.providers.binding import Provider, bind_provider
from connector_core.providers.hookspecs import Announced, Heard, Ignored, Part
from connector_core.providers.merging import merge

SAMPLES = Path(__file__).parents[4] / "shared" / "recorded" / "providers" / "ringover"
RECORD = "https://cdn.ringover.com/records/0-0/abc.mp3"

HANGUP: dict[str, Any] = {
    "resource": "call",
    "event": "hangup",
    "timestamp": 1718280091.482913,
    "attempt": 1,
    "data": {
        "id": "57622f20-a020-4f9e-814c-62a6123412fa",
        "call_id": 14486597828273463454,
        "channel_id": 123456789,
        "start_time": 1718279800.120345,
        "start_date_time_atom": "2024-06-13T11:56:40+00:00",
        "hangup_time": 1718280091.482913,
        "hangup_date_time_atom": "2024-06-13T12:01:31+00:00",
        "duration_in_seconds": 279,
        "record": RECORD,
        "private_record": None,
        "answering_machine_detection": None,
        "direction": "outbound",
        "from_number": "33199000001",
        "to_number": "33639981011",
        "user_id": "USER11330955",
        "is_internal": False,
        "is_anonymous": False,
        "is_ivr": False,
        "ivr_data": {"number": "33199000001", "scenario_name": "Opened", "ivr_name": "Main"},
        "ivr": {"name": "Main", "number": "33199000001", "scenario": {"scenario_id": 1, "name": "Opened"}},
        "user": {"user_id": 11330955, "firstname": "Ada", "lastname": "Agent", "email": "ada@seller.example"},
        "status": "hangup",
    },
}
ADA = Participant(is_user=True, name="Ada Agent", emails=("ada@seller.example",))


def event(change: Callable[[dict[str, Any]], object] = lambda data: None, **head: object) -> bytes:
    """Write the event down, its call changed."""
    value = copy.deepcopy(HANGUP)
    change(value["data"])
    return json.dumps({**value, **head}).encode()


def aftercall(name: str, at: float = 1718280400.0, **data: Any) -> bytes:
    """Write an event that comes after the call, and names it."""
    said = {"call_id": "14486597828273463454", **data}
    return json.dumps({"resource": "aftercall", "event": name, "timestamp": at, "data": said}).encode()


def part_of(ringover: Provider, sent: bytes) -> Part:
    """Give the one part that an event says."""
    (heard,) = ringover.parse(sent)
    assert isinstance(heard, Part)
    return heard


def call_of(ringover: Provider, *sent: bytes) -> Call:
    """Give the call that events tell of."""
    call = merge(part_of(ringover, each) for each in sent)
    assert call is not None
    return call


def sample(name: str) -> bytes:
    """Give one of the vendor's own samples."""
    path = SAMPLES / f"{name}.json"
    if not path.exists():
        pytest.skip(f"{path} is absent")
    return path.read_bytes()


# -- the end of a call -------------------------------------------------------------------------------------------------


def test_a_finished_call_is_told_whole(ringover: Provider) -> None:
    """Everything that Ringover tells of a call, and we keep, is in ours."""
    assert call_of(ringover, event()) == Call(
        id="ringover:14486597828273463454",
        provider="ringover",
        kind="phone",
        direction="outbound",
        status="completed",
        started_at=dt.datetime(2024, 6, 13, 11, 56, 40, 120345, tzinfo=dt.UTC),
        ended_at=dt.datetime(2024, 6, 13, 12, 1, 31, 482913, tzinfo=dt.UTC),
        duration_seconds=291.362568,
        talk_seconds=279,
        from_number="+33199000001",
        to_number="+33639981011",
        organizer=Organizer(name="Ada Agent", email="ada@seller.example"),
        participants=(ADA, Participant(is_user=False, phones=("+33639981011",))),
        recording_url=RECORD,
    )


@pytest.mark.parametrize("call_id", [14486597828273463454, "14486597828273463454"])
def test_an_id_is_one_however_it_is_written(ringover: Provider, call_id: object) -> None:
    """Ringover's ids have 64 bits; some of its SDKs write them as text."""
    assert (
        part_of(ringover, event(lambda data: data.update(call_id=call_id))).call_id == "ringover:14486597828273463454"
    )


def test_the_outside_party_calls_in_an_inbound_call(ringover: Provider) -> None:
    """There the line is who was called."""
    call = call_of(ringover, event(lambda data: data.update(direction="inbound")))
    assert (call.from_number, call.participants[1].phones) == ("+33199000001", ("+33199000001",))


def test_an_internal_call_is_between_users(ringover: Provider) -> None:
    """Both sides are colleagues: nobody of them is looked up."""
    call = call_of(ringover, event(lambda data: data.update(is_internal=True)))
    assert (call.direction, [each.is_user for each in call.participants]) == ("internal", [True, True])


def test_who_hides_the_number_has_none(ringover: Provider) -> None:
    """Whatever stands in its place is no number to look up."""
    hidden = {"direction": "inbound", "is_anonymous": 1, "from_number": "33199000002"}
    call = call_of(ringover, event(lambda data: data.update(hidden)))
    assert (call.from_number, call.participants[1]) == (None, Participant(is_user=False))


def test_hiding_our_number_does_not_hide_theirs(ringover: Provider) -> None:
    """In an outbound call it is the seller who calls anonymously."""
    call = call_of(ringover, event(lambda data: data.update(is_anonymous=True)))
    assert call.participants[1].phones == ("+33639981011",)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("33639981011", "+33639981011"),
        (33639981011, "+33639981011"),
        ("+33 6 39 98 10 11", "+33 6 39 98 10 11"),
        ("12125550123", "+12125550123"),
        ("3949", "3949"),
        ("101", "101"),
        ("anonymous", "anonymous"),
        ("٣٣", "٣٣"),
        ("", None),
        (None, None),
    ],
)
def test_a_number_gets_the_plus_that_it_lacks(ringover: Provider, written: object, number: str | None) -> None:
    """Ringover writes the country's code without a plus; what is no international number stays as it is."""
    assert part_of(ringover, event(lambda data: data.update(to_number=written))).to_number == number


@pytest.mark.parametrize(
    ("name", "change", "status", "outcome", "talk_seconds"),
    [
        ("hangup", {}, "completed", None, 279.0),
        ("hangup", {"answering_machine_detection": "MACHINE"}, "completed", "Answering machine", 279.0),
        ("hangup", {"answering_machine_detection": "HUMAN"}, "completed", None, 279.0),
        ("hangup", {"duration_in_seconds": 0}, "missed", None, 0.0),
        ("missed", {"reason": "OUT_PLANNING", "duration_in_seconds": None}, "missed", "Out planning", 0.0),
        ("voicemail", {}, "voicemail", None, 0.0),
    ],
)
def test_how_a_call_ended(
    ringover: Provider, name: str, change: Any, status: str, outcome: str | None, talk_seconds: float
) -> None:
    """The name of the event tells it; and whether a machine picked up, and why nobody did, the call."""
    call = call_of(ringover, event(lambda data: data.update(change), event=name))
    assert (call.status, call.outcome, call.talk_seconds) == (status, outcome, talk_seconds)


def test_times_may_be_text(ringover: Provider) -> None:
    """Where the numbers are missing, the times beside them are read."""
    call = call_of(ringover, event(lambda data: data.update(start_time=None, hangup_time=None)))
    assert (call.started_at.isoformat(), call.duration_seconds) == ("2024-06-13T11:56:40+00:00", 291)


def test_a_call_does_not_end_before_it_began(ringover: Provider) -> None:
    """One of the vendor's samples does: then its length is what Ringover says it is."""
    call = call_of(ringover, event(lambda data: data.update(hangup_time=1718279000.0)))
    assert (call.ended_at, call.duration_seconds) == (None, 279)


@pytest.mark.parametrize(
    ("addresses", "kept"),
    [
        ({"private_record": "https://dashboard.ringover.com/r/1"}, "https://dashboard.ringover.com/r/1"),
        ({"record": f"{RECORD}?signature=abc"}, None),
        ({"record": "http://cdn.ringover.com/a.mp3"}, None),
        ({"record": "https://user:secret@cdn.ringover.com/a.mp3"}, None),
        ({"record": "https://["}, None),
        ({"record": "string"}, None),
        ({"record": None, "message": RECORD}, RECORD),
    ],
)
def test_a_recording_is_kept_where_its_address_lasts(ringover: Provider, addresses: Any, kept: str | None) -> None:
    """The page that asks who wants it goes before the file; an address with a signature is a secret, and dies."""
    assert part_of(ringover, event(lambda data: data.update(addresses))).recording_url == kept


def test_the_least_is_still_a_call(ringover: Provider) -> None:
    """A call of which Ringover tells nothing but its id and start has a guest."""
    call = call_of(ringover, event(lambda data: [data.pop(key) for key in data.keys() - {"call_id", "start_time"}]))
    assert (call.status, call.organizer, call.participants) == ("completed", None, (Participant(is_user=False),))


def test_every_optional_key_may_be_null(ringover: Provider) -> None:
    """Null says as little as an absent key."""
    call = call_of(ringover, event(lambda data: data.update(dict.fromkeys(data.keys() - {"call_id", "start_time"}))))
    assert call.participants == (Participant(is_user=False),)


def test_users_of_several_legs_are_all_there(ringover: Provider) -> None:
    """A call that was passed on ends once for each of them, under one id."""
    bob = {"user_id": "USER7", "firstname": "Bob", "lastname": None, "email": "bob@seller.example"}
    second = event(lambda data: data.update(user=bob, channel_id=2), timestamp=1718280095.0)
    assert [each.name for each in call_of(ringover, second, event()).participants if each.is_user] == [
        "Ada Agent",
        "Bob",
    ]


def test_a_user_is_one_however_the_id_is_written(ringover: Provider) -> None:
    """``USER11330955`` and 11330955 are one user."""
    again = event(lambda data: data["user"].update(user_id="USER11330955", email=None), timestamp=1718280092.0)
    assert [each for each in call_of(ringover, again, event()).participants if each.is_user] == [ADA]


# -- after the call ----------------------------------------------------------------------------------------------------


def test_what_comes_after_adds_to_the_call(ringover: Provider) -> None:
    """Comment, tags, summary and recording come each with nothing but the id."""
    call = call_of(
        ringover,
        aftercall("comments_updated", comments="wants a quote", tags=["Demo", " "]),
        aftercall("summary_available", summary="They talked."),
        event(lambda data: data.update(record=None)),
        aftercall("record_available", record_link=RECORD, record_duration="30s"),
    )
    assert (call.comments, call.tags) == ((Note(text="wants a quote"),), ("Demo",))
    assert (call.summary, call.recording_url) == ("They talked.", RECORD)


@pytest.mark.parametrize("comments", ["called back", "", None])
def test_a_comment_replaces_the_one_before(ringover: Provider, comments: str | None) -> None:
    """There is one text of a call: a new one takes its place, and nothing takes it away."""
    first = aftercall("comments_updated", comments="wants a quote")
    second = aftercall("aftercall", at=1718280500.0, comments=comments)
    told = call_of(ringover, event(), second, first).comments
    assert told == ((Note(text=comments),) if comments else None)


def test_tags_are_those_that_stand(ringover: Provider) -> None:
    """A list of tags says which are left; a comment without one says nothing of them."""
    both = aftercall("tags_updated", tags=["a", "b"])
    one = aftercall("tags_updated", at=1718280500.0, tags=["b"])
    silent = aftercall("comments_updated", at=1718280600.0, comments="x")
    assert call_of(ringover, event(), both, one, silent).tags == ("b",)


def test_what_comes_before_the_call_ends_waits_for_it(ringover: Provider) -> None:
    """Alone it is no call."""
    assert merge([part_of(ringover, aftercall("tags_updated", tags=["a"]))]) is None


def test_a_transcript_without_a_key_is_ignored(ringover: Provider) -> None:
    """Its text is in the API alone; what to do about it is said."""
    (heard,) = ringover.parse(aftercall("transcription_available", transcription_link="https://evil.example/"))
    assert heard == Ignored("transcription_available", "a transcript is read from Ringover's API; set api_key for that")


def test_a_transcript_is_announced(reading: Provider) -> None:
    """With a key it is read, by the call's id; and the call, should its own event have been lost."""
    call_id = "ringover:14486597828273463454"
    heard = reading.parse(aftercall("transcription_available", transcription_link="https://evil.example/"))
    assert heard == [Announced(call_id, "transcript"), Announced(call_id, "call", 300.0)]


def test_a_call_is_announced_by_what_comes_after(reading: Provider) -> None:
    """By then the end of the call should have been told; where it was not, the API tells it."""
    _, announced = reading.parse(aftercall("record_available"))
    assert announced == Announced("ringover:14486597828273463454", "call", 300.0)


def test_an_end_without_a_start_is_announced_too(reading: Provider) -> None:
    """When the call began is asked for."""
    no_start = event(lambda data: data.update(start_time=None, start_date_time_atom=None))
    _, announced = reading.parse(no_start)
    assert announced == Announced("ringover:14486597828273463454", "call", 300.0)


# -- whatever comes ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("resource", "name"),
    [
        ("call", "ringing"),
        ("call", "answered"),
        ("call", "contact"),
        ("call", "routing"),
        ("call", "ivr_response_code"),
        ("call", "transcription_available"),
        ("aftercall", "hangup"),
        ("sms", "sent"),
        ("search", "contact"),
        (None, "hangup"),
        ("fax", "new"),
    ],
)
def test_other_events_are_ignored(ringover: Provider, resource: str | None, name: str) -> None:
    """What is no end of a call, and adds nothing to one, is told as such, whatever its data."""
    (heard,) = ringover.parse(event(resource=resource, event=name, data=3, timestamp=None))
    assert isinstance(heard, Ignored)
    assert heard.event == name


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (b"", "is no JSON"),
        (b"[]", "is no JSON object"),
        (b"{}", "event: is required"),
        (event(event=3), "event: should be text"),
        (event(timestamp=None), "timestamp: should be seconds since 1970, or ISO 8601 with an offset"),
        (event(timestamp="2025-04-11T10:00:00"), "timestamp: should be seconds since 1970"),
        (event(timestamp="2025-04-11"), "timestamp: should be seconds since 1970"),
        (event(timestamp=True), "timestamp: should be seconds since 1970"),
        (event(timestamp=10**30), "timestamp: should be seconds since 1970"),
        (event(data=None), "data: should be an object"),
        (event(lambda data: data.pop("call_id")), "data.call_id: is required"),
        *(
            (event(lambda data, it=it: data.update(call_id=it)), "data.call_id: should be a whole number of at most 64")
            for it in (1.4486597828273463e19, -1, 0, 2**64, True, "", "x", "٣", "1" * 30, None, [])
        ),
        (event(lambda data: data.update(start_time=-1)), "data.start_time: should be seconds since 1970"),
        (event(lambda data: data.update(duration_in_seconds=-1)), "data.duration_in_seconds: should be greater than"),
        (event(lambda data: data.update(duration_in_seconds="30s")), "data.duration_in_seconds: should be a number"),
        (event(lambda data: data.update(is_internal=2)), "data.is_internal: should be true or false"),
        (event(lambda data: data.update(user="Ada")), "data.user: should be an object"),
        (event(lambda data: data.update(from_number="\ud800")), "data.from_number: is text with a character"),
        (aftercall("tags_updated", tags=[3]), "data.tags.0: should be text"),
        (aftercall("summary_available", summary={}), "data.summary: should be text"),
    ],
)
def test_a_wrong_event_is_refused(ringover: Provider, sent: bytes, message: str) -> None:
    """The message names the place and what is wrong there."""
    with pytest.raises(InputError) as caught:
        ringover.parse(sent)
    assert message in str(caught.value)


def test_messages_hold_no_value(ringover: Provider) -> None:
    """What was refused may be personal: neither the message nor the errors behind it show it."""
    with pytest.raises(InputError) as caught:
        ringover.parse(event(lambda data: data.update(from_number={"secret": "+33639981011"})))
    assert "+33639981011" not in f"{caught.value}{caught.value.__cause__}{caught.value.__context__}"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def read_or_refused(sent: bytes) -> None:
    with bind_provider(RINGOVER, {"webhook_key": "k"}) as ringover:
        try:
            heard: Any = ringover.parse(sent)
        except InputError:
            return
        assert all(isinstance(each, Part | Ignored) for each in heard)


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_garbage_is_refused_properly(sent: bytes) -> None:
    """Whatever comes, it is answered, or refused with an error of ours."""
    read_or_refused(sent)


@given(st.sampled_from(sorted(HANGUP["data"])), JSON, st.sampled_from(["hangup", "missed", "voicemail"]))
def test_a_changed_call_is_read_or_refused_properly(key: str, value: object, name: str) -> None:
    """Whatever stands in one place of a call, it is answered, or refused with an error of ours."""
    read_or_refused(event(lambda data: data.update({key: value}), event=name))


@given(st.sampled_from(["comments", "tags", "summary", "record_link", "call_id"]), JSON)
def test_a_changed_aftercall_is_read_or_refused_properly(key: str, value: object) -> None:
    """Whatever stands in one place after a call, it is answered, or refused with an error of ours."""
    read_or_refused(aftercall("aftercall", **{key: value}))


# -- the vendor's own samples ------------------------------------------------------------------------------------------

JEAN = Participant(is_user=True, name="Jean Dupont", emails=("jean.dupont@ringover.com",))
RING = dt.datetime(2019, 4, 9, 15, 23, 20, 762305, tzinfo=dt.UTC)
SAMPLE = Call(
    id="ringover:1234567890987654400",
    provider="ringover",
    kind="phone",
    direction="internal",
    started_at=RING,
    ended_at=RING + dt.timedelta(seconds=42),
    duration_seconds=42,
    talk_seconds=0,
    from_number="+33601020304",
    to_number="+33101020304",
    participants=(Participant(is_user=True, phones=("+33601020304",)),),
)
POSTMAN = SAMPLE.model_copy(
    update={
        "started_at": RING + dt.timedelta(seconds=93),
        "ended_at": None,
        "duration_seconds": None,
        "from_number": "+33123456789",
        "to_number": "+33123456789",
        "organizer": Organizer(name="Jean Dupont", email="jean.dupont@ringover.com"),
        "participants": (JEAN, Participant(is_user=True, phones=("+33123456789",))),
    }
)


@pytest.mark.parametrize(
    ("name", "call", "differing"),
    [
        (
            "node_call_hangup_event",
            SAMPLE,
            {
                "talk_seconds": 32.0,
                "organizer": Organizer(name="Jean Dupont", email="jean.dupont@ringover.com"),
                "participants": (JEAN, *SAMPLE.participants),
                "recording_url": "https://cdr.ringover.com/record/myrecord.mp3",
            },
        ),
        ("node_call_missed_event", SAMPLE, {"status": "missed", "outcome": "Out planning"}),
        ("node_call_voicemail_event", SAMPLE, {"status": "voicemail"}),
        ("postman_call_hangup", POSTMAN, {"talk_seconds": 32.0, "duration_seconds": 32.0}),
        ("postman_call_missed", POSTMAN, {"status": "missed"}),
        ("postman_call_voicemail", POSTMAN, {"status": "voicemail"}),
    ],
)
def test_a_sample_of_a_finished_call(ringover: Provider, name: str, call: Call, differing: dict[str, Any]) -> None:
    """Both sets are read, though they disagree on types, and one ends before it begins."""
    assert call_of(ringover, sample(name)) == call.model_copy(update=differing)


@pytest.mark.parametrize("kit", ["node_comment_updated_event", "postman_aftercall_comments_updated"])
def test_a_sample_of_a_comment(ringover: Provider, kit: str) -> None:
    """It adds to the call with the id, in whatever order they come."""
    sent = [sample("node_call_hangup_event"), sample(kit)]
    (one, other) = (call_of(ringover, *sent), call_of(ringover, *reversed(sent)))
    assert (one, one.tags, len(one.comments or ())) == (other, ("tag1", "tag2"), 1)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("node_record_available_event", None),
        ("node_voicemail_available_event", None),
        ("postman_aftercall_record_available", "https://example.com/record.mp3"),
        ("postman_aftercall_voicemail_available", "https://example.com/voicemail.mp3"),
    ],
)
def test_a_sample_of_a_recording(ringover: Provider, name: str, kept: str | None) -> None:
    """In one set the address is one; in the other it says ``string``."""
    assert part_of(ringover, sample(name)).recording_url == kept


@pytest.mark.parametrize("name", ["node_tag_updated_event", "postman_aftercall_tags_updated"])
def test_a_sample_of_tags(ringover: Provider, name: str) -> None:
    """The tags are names."""
    assert part_of(ringover, sample(name)).tags == {"tag1": "tag1"}


@pytest.mark.parametrize(
    "name",
    [
        "node_call_answered_event",
        "node_call_ringing_event",
        "node_contact_call_event",
        "node_contact_search_event",
        "node_ivr_response_code_event",
        "node_message_sent_event",
        "node_smart_routing_event",
    ],
)
def test_other_samples_are_ignored(ringover: Provider, name: str) -> None:
    """Ringing, routing, look-ups and messages are no news of a finished call."""
    assert [type(heard) for heard in ringover.parse(sample(name))] == [Ignored]


# -- from a file -------------------------------------------------------------------------------------------------------


def test_bodies_in_a_file_are_read(ringover: Provider) -> None:
    """They have lost the header that proves them: they are read on the word of whoever hands them in."""
    read = read_events([event(), aftercall("tags_updated", tags=["a"]), event(event="ringing")], ringover)
    assert ([call.tags for call in read.calls], len(read.skipped), read.problems) == ([("a",)], 1, [])


# -- order and repeats -------------------------------------------------------------------------------------------------


def test_the_order_and_number_of_deliveries_do_not_matter(ringover: Provider) -> None:
    """Every order of the events of a call, some of them twice, makes the same call."""
    sent = [
        event(),
        aftercall("comments_updated", comments="a", tags=["x"]),
        aftercall("tags_updated", at=1718280500.0, tags=["y"]),
        aftercall("summary_available", summary="s"),
    ]
    parts: list[Heard] = [heard for each in sent for heard in ringover.parse(each)]
    calls = {
        str(merge([part for part in order if isinstance(part, Part)]))
        for order in itertools.permutations([*parts, parts[0], parts[1]])
    }
    assert len(calls) == 1
