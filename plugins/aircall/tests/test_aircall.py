"""A webhook of Aircall's becomes a call."""

from __future__ import annotations

import copy
import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from connector_aircall import AIRCALL
from hypothesis import given
from hypothesis import strategies as st

from connector_core.discovery import provider
from connector_core.errors import ConfigurationError, ConnectorError, CredentialsError, InputError
from connector_core.model import Call, Note, Organizer, Participant
from connector_core.providers.binding import Provider, bind_provider
from connector_core.providers.hookspecs import Delivery, Heard, Ignored, Part
from connector_core.providers.merging import merge

RECORDED = Path(__file__).parents[4] / "shared" / "recorded" / "providers" / "aircall"
TOKEN = "3d5e1f0c-invented"

ENDED: dict[str, Any] = {
    "resource": "call",
    "event": "call.ended",
    "timestamp": 1772442030,
    "token": TOKEN,
    "data": {
        "id": 1804467231,
        "direct_link": "https://api.aircall.io/v1/calls/1804467231",
        "direction": "inbound",
        "status": "done",
        "missed_call_reason": None,
        "started_at": 1772442000,
        "answered_at": 1772442012,
        "ended_at": 1772442291,
        "duration": 291,
        "cost": "0.0",
        "hangup_cause": "normal_clearing",
        "voicemail": None,
        "recording": "https://bucket.s3.us-west-2.amazonaws.com/call.mp3?X-Amz-Expires=600&X-Amz-Signature=abc",
        "asset": "https://assets.aircall.io/calls/1804467231/recording",
        "raw_digits": "+33 6 39 98 10 11",
        "user": {"id": 731416, "name": "Ada Agent", "email": "ada@seller.example"},
        "contact": {
            "id": 76041687,
            "first_name": "Camille",
            "last_name": "Durand",
            "emails": [{"id": 1, "label": "Work", "value": "camille@buyer.example"}],
            "phone_numbers": [
                {"id": 2, "label": "Mobile", "value": "+33639981011"},
                {"id": 3, "label": "Work", "value": "+33 1 99 00 41 20"},
            ],
        },
        "number": {"id": 397375, "name": "Sales FR", "digits": "+33 1 99 00 00 01", "country": "FR"},
        "participants": [
            {"type": "external", "phone_number": "+33639981011"},
            {"type": "external", "phone_number": "+33639982030"},
            {"type": "user", "id": 731416, "name": "Ada Agent"},
        ],
        "archived": False,
        "teams": [{"id": 1, "name": "Mid-market"}],
        "comments": [
            {"id": 4, "content": "wants a quote", "posted_at": 1772442310, "posted_by": {"id": 1, "name": "Sam Seller"}}
        ],
        "tags": [{"id": 5, "name": "Demo", "tagged_at": 1772442305}],
    },
}


@pytest.fixture
def aircall() -> Iterator[Provider]:
    with bind_provider(provider("aircall"), {"token": TOKEN}) as bound:
        yield bound


def body(change: Callable[[dict[str, Any]], object] = lambda data: None, **event: object) -> bytes:
    """Write the event down, its call changed."""
    value = copy.deepcopy(ENDED)
    change(value["data"])
    return json.dumps({**value, **event}).encode()


def heard(aircall: Provider, sent: bytes) -> Heard:
    """Give what a body says, once it is proven."""
    event = aircall.verify(Delivery(sent))
    assert isinstance(event, bytes)
    (answer,) = aircall.parse(event)
    return answer


def call_of(aircall: Provider, *sent: bytes) -> Call:
    """Give the call that bodies tell of."""
    parts = [heard(aircall, each) for each in sent]
    assert all(isinstance(part, Part) for part in parts)
    call = merge(part for part in parts if isinstance(part, Part))
    assert call is not None
    return call


def test_a_finished_call_is_told_whole(aircall: Provider) -> None:
    """Everything that Aircall tells of a call, and we keep, is in ours; the signed address of the recording is not."""
    page = "https://assets.aircall.io/calls/1804467231/recording"
    assert call_of(aircall, body()) == Call(
        id="aircall:1804467231",
        provider="aircall",
        kind="phone",
        direction="inbound",
        status="completed",
        started_at=dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC),
        ended_at=dt.datetime(2026, 3, 2, 9, 4, 51, tzinfo=dt.UTC),
        duration_seconds=291,
        talk_seconds=279,
        from_number="+33 6 39 98 10 11",
        to_number="+33 1 99 00 00 01",
        organizer=Organizer(name="Ada Agent", email="ada@seller.example"),
        participants=(
            Participant(is_user=True, name="Ada Agent", emails=("ada@seller.example",)),
            Participant(
                is_user=False,
                name="Camille Durand",
                emails=("camille@buyer.example",),
                phones=("+33 6 39 98 10 11", "+33 1 99 00 41 20"),
            ),
            Participant(is_user=False, phones=("+33639982030",)),
        ),
        link=page,
        recording_url=page,
        comments=(
            Note(text="wants a quote", author="Sam Seller", at=dt.datetime(2026, 3, 2, 9, 5, 10, tzinfo=dt.UTC)),
        ),
        tags=("Demo",),
        teams=("Mid-market",),
    )


def test_the_revision_is_the_time_of_the_event(aircall: Provider) -> None:
    """Of two events about a call the one that was built later is the newer."""
    answer = heard(aircall, body())
    assert isinstance(answer, Part)
    assert answer.revision == 1772442030.0


def test_the_numbers_follow_the_direction(aircall: Provider) -> None:
    """In an outbound call the outside party is who was called."""
    call = call_of(aircall, body(lambda data: data.update(direction="outbound")))
    assert (call.from_number, call.to_number) == ("+33 1 99 00 00 01", "+33 6 39 98 10 11")


@pytest.mark.parametrize(
    ("change", "status", "outcome"),
    [
        ({"missed_call_reason": "agents_did_not_answer"}, "missed", "Agents did not answer"),
        ({"voicemail": "https://bucket.s3.amazonaws.com/v.mp3?X-Amz-Expires=600"}, "voicemail", None),
        ({"direction": "outbound"}, "missed", None),
        ({"direction": "outbound", "hangup_cause": "user_busy"}, "missed", "User busy"),
    ],
)
def test_a_call_that_nobody_answered(aircall: Provider, change: Any, status: str, outcome: str | None) -> None:
    """Nobody talked: the call was missed, or left a voicemail, and its reason is told in words."""
    call = call_of(aircall, body(lambda data: data.update(answered_at=None, **change)))
    assert (call.status, call.outcome, call.talk_seconds) == (status, outcome, 0.0)


def test_absent_keys_are_absent(aircall: Provider) -> None:
    """A call of which Aircall tells the least is still a call, with a guest."""
    least = {"id", "direction", "started_at", "ended_at"}
    call = call_of(aircall, json.dumps({**ENDED, "data": {k: ENDED["data"][k] for k in least}}).encode())
    assert (call.organizer, call.participants) == (None, (Participant(is_user=False),))


def test_every_optional_key_may_be_null(aircall: Provider) -> None:
    """Null says as little as an absent key."""
    least = {"id", "direction", "started_at", "ended_at"}
    call = call_of(aircall, body(lambda data: data.update(dict.fromkeys(data.keys() - least))))
    assert call.participants == (Participant(is_user=False),)


def test_every_user_of_a_call_is_in_it(aircall: Provider) -> None:
    """Who passed it on, and who joined a conference; nobody twice, and no user looked up."""

    def change(data: dict[str, Any]) -> None:
        data["transferred_by"] = {"id": 8, "name": "Bob", "email": "bob@seller.example"}
        data["participants"] += [{"type": "user", "id": 8, "name": "Bob"}, {"type": "user", "id": "9", "name": "Eve"}]
        data["conference_participants"] = [{"type": "user"}, {"type": "team", "id": 10, "name": "Sales"}]

    users = [each for each in call_of(aircall, body(change)).participants if each.is_user]
    assert [(user.name, user.emails) for user in users] == [
        ("Ada Agent", ("ada@seller.example",)),
        ("Bob", ("bob@seller.example",)),
        ("Eve", None),
    ]


def test_a_user_of_whom_nothing_is_told_is_nobody(aircall: Provider) -> None:
    """An empty object says no more than null."""
    call = call_of(aircall, body(lambda data: data.update(user={}, participants=None)))
    assert [each.is_user for each in call.participants] == [False]


def test_two_lines_that_call_each_other_are_two_calls(aircall: Provider) -> None:
    """Aircall gives each side an id of its own, and nothing that ties them together."""
    other = {"id": 1804467232, "direction": "outbound", "raw_digits": "+33 1 99 00 00 01"}
    calls = {call_of(aircall, sent).id for sent in (body(), body(lambda data: data.update(other)))}
    assert calls == {"aircall:1804467231", "aircall:1804467232"}


def test_a_hidden_number_stays_as_it_is(aircall: Provider) -> None:
    """Whoever hides the number is a guest with ``anonymous``: that no record has it is for the core to say."""
    call = call_of(aircall, body(lambda data: data.update(raw_digits="anonymous", contact=None, participants=None)))
    assert call.participants[-1].phones == ("anonymous",)


@pytest.mark.parametrize(
    "asset",
    [
        "https://bucket.s3.amazonaws.com/a.mp3?X-Amz-Signature=abc",
        "https://user:secret@assets.aircall.io/a",
        "http://assets.aircall.io/a",
        "https://[",
        "nonsense",
        "",
    ],
)
def test_no_address_with_a_secret_is_kept(aircall: Provider, asset: str) -> None:
    """Only a plain https page is linked to."""
    call = call_of(aircall, body(lambda data: data.update(asset=asset)))
    assert (call.link, call.recording_url) == (None, None)


@pytest.mark.parametrize("event", ["call.created", "call.hungup", "call.answered", "contact.updated"])
def test_other_events_are_ignored(aircall: Provider, event: str) -> None:
    """An event that is no finished call is told as such, whatever its data."""
    answer = heard(aircall, body(event=event, data={"id": "x"}))
    assert isinstance(answer, Ignored)
    assert answer.event == event


def test_an_event_of_a_message_counts_milliseconds(aircall: Provider) -> None:
    """What is ignored is not looked at further: refused, it would have Aircall switch the webhook off."""
    answer = heard(aircall, body(event="message.received", timestamp=1772442030123))
    assert isinstance(answer, Ignored)


@pytest.mark.parametrize("event", ["summary.created", "topics.created", "transcription.created"])
def test_intelligence_without_a_pair_is_ignored(aircall: Provider, event: str) -> None:
    """Its text is in the API alone; what to do about it is said."""
    reason = "its text is read from Aircall's API; set api_id and api_token for that"
    assert heard(aircall, body(event=event, data={"call_id": 1804467231})) == Ignored(event, reason)


@pytest.mark.parametrize("token", ["", "3d5e1f0c-inventee", "3D5E1F0C-INVENTED", TOKEN + " ", "é", "\ud800"])
def test_another_token_is_refused(aircall: Provider, token: str) -> None:
    """A body that does not carry the token exactly is not from our webhook, and the message shows neither."""
    with pytest.raises(CredentialsError) as caught:
        heard(aircall, body(token=token))
    assert TOKEN not in str(caught.value)


def test_the_token_comes_first(aircall: Provider) -> None:
    """Nothing is said about the rest of a body whose token is wrong."""
    with pytest.raises(CredentialsError):
        heard(aircall, b'{"token": "wrong", "event": 3}')


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        (b"", "is no JSON"),
        (b"[]", "is no JSON object"),
        (b"\xff\xfe", "is no UTF-8"),
        (b"{}", "token: is required"),
        (b'{"token": 3}', "token: is required"),
        (json.dumps({"token": TOKEN}).encode(), "event: is required"),
        (body(event=3), "event: should be text"),
        (body(timestamp="now"), "timestamp: should be a whole number"),
        (body(data=None), "data: should be an object"),
        (body(lambda data: data.pop("id")), "data.id: is required"),
        (body(lambda data: data.update(id="1804467231")), "data.id: should be a whole number"),
        (body(lambda data: data.update(id=True)), "data.id: should be a whole number"),
        (body(lambda data: data.update(direction="sideways")), "data.direction: should be 'inbound' or 'outbound'"),
        (
            body(lambda data: data.update(started_at="2026-03-02T09:00:00Z")),
            "data.started_at: should be a whole number",
        ),
        (body(lambda data: data.update(started_at=10**15)), "data.started_at: should be less than"),
        (body(lambda data: data.update(ended_at=None)), "data.ended_at: should be a whole number"),
        (body(lambda data: data.update(duration=-1)), "data.duration: should be greater than or equal to 0"),
        (body(lambda data: data.update(user="Ada")), "data.user: should be an object"),
        (body(lambda data: data.update(tags=[3])), "data.tags.0: should be an object"),
        (body(lambda data: data.update(raw_digits=336)), "data.raw_digits: should be text"),
        (body(lambda data: data.update(raw_digits="\ud800")), "data.raw_digits: is text with a character that is none"),
        (body(lambda data: data.update(ended_at=data["started_at"] - 1)), "ended_at: should not be before started_at"),
    ],
)
def test_a_wrong_body_is_refused(aircall: Provider, sent: bytes, message: str) -> None:
    """The message names the place and what is wrong there."""
    with pytest.raises(InputError) as caught:
        heard(aircall, sent)
    assert message in str(caught.value)


def test_messages_hold_no_value() -> None:
    """What was refused may be personal: neither the message nor the errors behind it show it."""
    with bind_provider(AIRCALL, {"token": TOKEN}) as aircall, pytest.raises(InputError) as caught:
        heard(aircall, body(lambda data: data.update(raw_digits={"secret": "+33639981011"})))
    assert "+33639981011" not in f"{caught.value}{caught.value.__cause__}{caught.value.__context__}"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "providers.aircall: token is required. Settings of aircall: token, api_id, api_token"),
        ({"token": ""}, "token should not be empty"),
        ({"token": TOKEN, "tokn": TOKEN}, "tokn is an unknown key"),
        ({"token": TOKEN, "api_id": "1"}, "settings api_id and api_token belong together: give both, or neither"),
        ({"token": TOKEN, "api_token": "1"}, "settings api_id and api_token belong together: give both, or neither"),
        ({"token": TOKEN, "api_id": "a:b", "api_token": "1"}, "api_id should be an API id as Aircall shows it"),
        ({"token": TOKEN, "api_id": "1", "api_token": "é"}, "api_token should be an API token as Aircall shows it"),
        *(
            ({"token": TOKEN, "api_url": url}, "api_url should be https://api.aircall.io/v1")
            for url in (
                "http://api.aircall.io/v1",
                "https://api.aircall.io.evil.example/v1",
                "https://user:secret@api.aircall.io/v1",
                "https://api.aircall.io:444/v1",
                "https://[",
                "",
            )
        ),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object], message: str) -> None:
    """The message names the provider, the key and what is possible, and shows no value."""
    with pytest.raises(ConfigurationError) as caught:
        bind_provider(AIRCALL, settings)
    assert message in str(caught.value)
    assert TOKEN not in str(caught.value)


# -- whatever comes ----------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def answered_or_refused(sent: bytes) -> None:
    with bind_provider(AIRCALL, {"token": TOKEN}) as aircall:
        try:
            assert isinstance(heard(aircall, sent), Part | Ignored)
        except ConnectorError as error:
            assert isinstance(error, InputError | CredentialsError)  # noqa: PT017 - which of them depends on the body


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_garbage_is_refused_properly(sent: bytes) -> None:
    """Whatever the body is, it is answered, or refused with one of our own errors."""
    answered_or_refused(sent)


@given(st.sampled_from(sorted(ENDED["data"])), JSON)
def test_a_changed_call_is_read_or_refused_properly(key: str, value: object) -> None:
    """Whatever stands in one place of a call, it is answered, or refused with one of our own errors."""
    answered_or_refused(body(lambda data: data.update({key: value})))


# -- what was recorded -------------------------------------------------------------------------------------------------


def recorded(name: str) -> tuple[Provider, bytes]:
    """Give a provider with the token of a recorded body, and the body."""
    path = RECORDED / name
    if not path.exists():
        pytest.skip(f"{path} is absent")
    sent = path.read_bytes()
    return bind_provider(AIRCALL, {"token": json.loads(sent)["token"]}), sent


def test_a_recorded_inbound_call() -> None:
    """A real call that rang for 17 seconds and ended in a voicemail; it has no user."""
    aircall, sent = recorded("call_ended_inbound.json")
    call = call_of(aircall, sent)
    assert (call.id, call.status, call.outcome) == ("aircall:780836754", "voicemail", "Agents did not answer")
    assert (call.duration_seconds, call.talk_seconds, call.organizer) == (17, 0, None)
    assert (call.from_number, call.to_number) == ("+44 330 818 6690", "+43 720 880079")
    assert call.participants == (Participant(is_user=False, phones=("+44 330 818 6690",)),)


def test_a_recorded_outbound_call() -> None:
    """A real call that was answered after 5 of its 20 seconds."""
    aircall, sent = recorded("call_ended_outbound.json")
    call = call_of(aircall, sent)
    assert (call.id, call.status, call.direction) == ("aircall:780836699", "completed", "outbound")
    assert (call.duration_seconds, call.talk_seconds) == (20, 15)
    assert call.organizer == Organizer(name="Agent Two", email="agent2@example.com")
    assert [participant.is_user for participant in call.participants] == [True, False]


def test_recorded_bodies_are_verified() -> None:
    """A real body is refused by a connection with another token."""
    _, sent = recorded("call_ended_inbound.json")
    with bind_provider(AIRCALL, {"token": TOKEN}) as aircall, pytest.raises(CredentialsError):
        heard(aircall, sent)


def test_a_recorded_comment_tells_the_whole_call() -> None:
    """It came 87 seconds after the hang-up, and holds the call with what was tagged before."""
    aircall, sent = recorded("call_commented_inbound.json")
    call = call_of(aircall, sent)
    assert (call.status, call.talk_seconds, len(call.comments or ()), len(call.tags or ())) == ("completed", 193, 1, 1)


def test_a_recorded_tag_does_not_finish_a_call() -> None:
    """It came two seconds after the hang-up, when the call may not be whole yet."""
    aircall, sent = recorded("call_tagged_inbound.json")
    part = heard(aircall, sent)
    assert isinstance(part, Part)
    assert (part.complete, merge([part])) == (False, None)


def test_recorded_events_before_the_end_are_ignored() -> None:
    """Ringing, answering and holding are no news of a finished call."""
    if not RECORDED.exists():
        pytest.skip(f"{RECORDED} is absent")
    others = [
        path.name for path in RECORDED.glob("*.json") if not {"ended", "commented", "tagged"} & {*path.stem.split("_")}
    ]
    answers = [heard(aircall, sent) for aircall, sent in map(recorded, others)]
    assert answers
    assert all(isinstance(answer, Ignored) for answer in answers)


# -- events of one call ------------------------------------------------------------------------------------------------


def later(event: str, seconds: int, **changes: Any) -> bytes:
    """Write an event about the call, so long after its end."""
    return body(lambda data: data.update(changes), event=event, timestamp=1772442291 + seconds)


def test_a_comment_adds_to_the_call(aircall: Provider) -> None:
    """Comments are gathered by their ids, in the order of these."""
    more = {"id": 9, "content": "called back", "posted_at": 1772442999, "posted_by": None}
    call = call_of(aircall, later("call.commented", 700, comments=[*ENDED["data"]["comments"], more]), body())
    assert [comment.text for comment in call.comments or ()] == ["wants a quote", "called back"]


def test_a_tag_that_was_taken_away_is_gone(aircall: Provider) -> None:
    """``call.untagged`` says which tags are left."""
    assert call_of(aircall, later("call.untagged", 60, tags=[]), body()).tags is None


def test_a_tag_of_an_older_event_stays(aircall: Provider) -> None:
    """An event without a tag does not take it away, unless it is about that."""
    assert call_of(aircall, later("call.archived", 60, tags=[]), body()).tags == ("Demo",)


def test_an_event_while_the_call_goes_on_does_not_finish_it(aircall: Provider) -> None:
    """A call that was tagged has not ended."""
    part = heard(aircall, later("call.tagged", -100, ended_at=None))
    assert isinstance(part, Part)
    assert merge([part]) is None


def test_a_late_event_finishes_a_call_whose_end_was_not_told(aircall: Provider) -> None:
    """From half a minute after the hang-up on, an event holds the whole call: one lost event loses none."""
    assert call_of(aircall, later("call.archived", 31)) == call_of(aircall, body())
