"""What a model is asked: a strict schema of the fields, and of the call what it takes, as data."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_model import asking
from wanted import call, choices, field, said

from connector_core.errors import ConfigurationError
from connector_core.extractors.answer_schema import schema
from connector_core.extractors.settings import OpenAISettings
from connector_core.filling.values import WantedField
from connector_core.model import Call, Choice
from connector_core.testing.completions import Asked, CompletionsServer, schema_problems

TYPES = ("text", "number", "boolean", "date", "time", "choice", "choices", "reference", "other")
STAGES = choices("Won", "Lost")


def asked(of: Call, *fields: WantedField, **settings: Any) -> list[Asked]:
    """Ask the stand-in, and give the requests that it took."""
    with CompletionsServer() as server, asking(server, **settings) as bound:
        bound.extract(of, fields)
        return server.asked


def record(of: Call, **settings: Any) -> dict[str, Any]:
    """Give what a model is told of a call."""
    (request,) = asked(of, field("t.f"), **settings)
    told: dict[str, Any] = json.loads(request.told)
    return told


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        (field("t.f"), {"type": ["string", "null"]}),
        (field("t.f", type="number"), {"type": ["number", "null"]}),
        (field("t.f", type="boolean"), {"type": ["boolean", "null"]}),
        (field("t.f", type="date"), {"type": ["string", "null"]}),
        (
            field("t.f", type="choice", values=STAGES),
            {"anyOf": [{"type": "string", "enum": ["Won", "Lost"]}, {"type": "null"}]},
        ),
        (
            field("t.f", type="choices", values=STAGES),
            {"anyOf": [{"type": "array", "items": {"type": "string", "enum": ["Won", "Lost"]}}, {"type": "null"}]},
        ),
    ],
)
def test_a_value_has_the_type_of_its_field(wanted: WantedField, value: dict[str, Any]) -> None:
    """Each may be null; passage and confidence stand beside it, and of a number its currency."""
    (request,) = asked(said("Hello."), wanted)
    currency = {"currency": {"type": ["string", "null"]}} if wanted.described.type == "number" else {}

    assert request.schema["properties"]["field_1"] == {
        "type": "object",
        "properties": {
            "value": value,
            **currency,
            "passage": {"type": ["string", "null"]},
            "confidence": {"type": ["number", "null"]},
        },
        "required": ["value", *currency, "passage", "confidence"],
        "additionalProperties": False,
    }


def test_what_is_not_active_may_not_be_chosen() -> None:
    """Neither the schema nor the instructions name it."""
    values = (*STAGES, Choice("OLD", "Stalled", active=False))
    (request,) = asked(said("Hello."), field("t.f", type="choice", values=values))

    assert "Stalled" not in json.dumps(request.body)


FIELDS = st.builds(
    lambda kind, labels: field("t.f", type=kind, values=choices(*labels)),
    st.sampled_from(TYPES),
    st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), max_size=30),
)


@given(st.lists(FIELDS, min_size=1, max_size=24))
def test_every_schema_is_strict(fields: list[WantedField]) -> None:
    """Whatever the fields are, and also by the smallest limits, with as many as are asked for at once."""
    assert schema_problems(schema({f"field_{number}": each for number, each in enumerate(fields)})) == []


def test_values_beyond_the_limits_are_not_listed() -> None:
    """A schema takes a thousand values; a field whose values would be too many is asked for as text."""
    many = field("t.many", type="choice", values=choices(*(f"value {number}" for number in range(900))))

    made = schema({"field_1": many, "field_2": many})

    assert schema_problems(made) == []
    assert made["properties"]["field_2"]["properties"]["value"] == {"type": ["string", "null"]}


def test_values_that_are_long_together_are_not_listed() -> None:
    """An enum of more than 250 values has a bound on their characters, too."""
    long = field("t.long", type="choice", values=choices(*(f"{number:060d}" for number in range(300))))

    assert schema_problems(schema({"field_1": long})) == []


def test_many_fields_take_several_requests() -> None:
    """As many at once as the settings say; each request has its own names."""
    requests = asked(said("Hello."), *(field(f"t.f{number}") for number in range(5)), fields_at_once=2)

    assert [list(request.schema["properties"]) for request in requests] == [
        ["field_1", "field_2"],
        ["field_1", "field_2"],
        ["field_1"],
    ]


def test_the_instructions_say_what_is_wanted() -> None:
    """Label, type, prompt and choices of each field stand in them; its key, and what is for rules, do not."""
    wanted = field("template.stage", "secret pattern", type="choice", prompt="How far are we?", values=STAGES)
    (request,) = asked(said("Hello."), wanted)

    last = json.loads(request.instructions.splitlines()[-1])
    assert last == {
        "name": "field_1",
        "label": "Template.Stage",
        "type": "choice",
        "wanted": "How far are we?",
        "choices": ["Won", "Lost"],
    }
    assert "secret pattern" not in request.instructions
    assert "template.stage" not in request.instructions


def test_of_a_call_goes_what_was_written_and_said() -> None:
    """And its start, kind and direction, to count days from."""
    full = call(
        direction="inbound",
        title="Renewal",
        notes=[{"text": "a note", "author": "Ada"}],
        comments=[{"text": "a comment"}],
        summary="a summary",
        highlights=["a highlight"],
        topics=["a topic"],
        transcript=[{"speaker": "Carl", "text": "Hello."}, {"text": "Bye."}],
    )

    assert record(full) == {
        "started_at": "2026-03-02T09:00:00+00:00",
        "kind": "phone",
        "direction": "inbound",
        "title": ["Renewal"],
        "notes": ["a note"],
        "comments": ["a comment"],
        "summary": ["a summary"],
        "highlights": ["a highlight"],
        "topics": ["a topic"],
        "transcript": [{"speaker": "Carl", "text": "Hello."}, {"text": "Bye."}],
    }


def test_of_a_call_nothing_else_goes() -> None:
    """No id, address, number, name of a participant, link, tag or team."""
    hidden = "hidden7f3a"
    secretive = call(
        id=f"echo:{hidden}",
        participants=[{"is_user": False, "name": hidden, "emails": [f"{hidden}@example.com"], "phones": [hidden]}],
        organizer={"name": hidden},
        from_number=hidden,
        to_number=hidden,
        link=hidden,
        recording_url=hidden,
        outcome=hidden,
        tags=[hidden],
        teams=[hidden],
        notes=[{"text": "a note", "author": hidden}],
        summary="a summary",
    )
    (request,) = asked(secretive, field("t.f"))

    assert hidden not in json.dumps(request.body)


def test_a_call_without_a_word_is_not_sent() -> None:
    """Nothing was said, and nothing is paid for."""
    assert asked(call(), field("t.f")) == []


def test_a_long_transcript_is_cut_at_whole_utterances() -> None:
    """The beginning and the end go, and a word about what lies between."""
    told = record(said(*(f"{number:04d}" * 50 for number in range(20))), most_characters=1_000)["transcript"]

    assert [each.get("text", "")[:4] or each["left_out"] for each in told] == [
        "0000",
        "0001",
        "16 utterances",
        "0018",
        "0019",
    ]


def test_of_one_utterance_that_is_too_long_its_beginning_goes() -> None:
    """A transcript may be a single text."""
    told = record(said("x" * 5_000), most_characters=1_000)["transcript"]

    assert told == [{"text": "x" * 1_000}, {"left_out": "the rest"}]


def test_long_notes_are_cut_too() -> None:
    """What people wrote has a bound of its own, and says where it was reached."""
    told = record(call(notes=[{"text": "n" * 900}], summary="s" * 900), most_characters=1_000)

    assert told["notes"] == ["n" * 900]
    assert told["summary"] == [{"text": "s" * 100, "left_out": "the rest"}]


LENGTHS = st.lists(st.integers(0, 700), max_size=12)


@given(LENGTHS, st.integers(1_000, 3_000))
def test_never_more_goes_than_is_allowed(lengths: list[int], most: int) -> None:
    """Of any transcript: whole utterances, or the beginning of one."""
    from connector_core.extractors.instructions import messages

    told = json.loads(
        messages(said(*("x" * length for length in lengths)), {"field_1": field("t.f")}, most)[1]["content"]
    )

    sent = [each["text"] for each in told.get("transcript", []) if "text" in each]
    assert sum(map(len, sent)) <= most
    if sum(lengths) <= most:
        assert [len(text) for text in sent] == lengths


@pytest.mark.parametrize("name", ["max_completion_tokens", "max_tokens"])
def test_the_answer_has_a_limit(name: str) -> None:
    """Under the name that the server knows."""
    (request,) = asked(said("Hello."), field("t.f"), most_tokens=500, answer_limit=name)

    assert request.body[name] == 500


def test_a_server_that_wants_no_key_gets_none() -> None:
    """Many on one's own machine want none."""
    (request,) = asked(said("Hello."), field("t.f"), api_key=None)

    assert "authorization" not in request.headers


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"url": "http://models.example/v1"}, "url should begin with https://"),
        ({"url": "http://127.0.0.1.example/v1"}, "url should begin with https://"),
        ({"url": "ftp://127.0.0.1/v1"}, "url should begin with https://"),
        ({"url": "https://user@models.example/v1"}, "url should be an address like"),
        ({"url": "https://models.example/v1?to=elsewhere"}, "url should be an address like"),
        ({"url": "https:///v1"}, "url should be an address like"),
        ({"url": "https://[::1/v1"}, "url should be an address like"),
        ({"api_key": "two words"}, "api_key should be a key"),
        ({"api_key": "line\r\nX-Header: injected"}, "api_key should be a key"),
        ({"tokens_per_day": 10}, "tokens_per_day should not be less than most_tokens"),
        ({"retries": 99}, "retries should be less than or equal to 10"),
        ({"modl": "x"}, "modl is an unknown key"),
    ],
)
def test_wrong_settings_are_named(settings: dict[str, Any], message: str) -> None:
    """Before anything is sent; no key stands in the message."""
    with CompletionsServer() as server, pytest.raises(ConfigurationError) as caught, asking(server, **settings):
        pass  # pragma: no cover - it is not reached
    assert message in str(caught.value)
    assert "two words" not in str(caught.value)
    assert "injected" not in str(caught.value)


@pytest.mark.parametrize("url", ["https://api.openai.com/v1/", "http://localhost:11434/v1", "http://[::1]:8000/v1"])
def test_https_and_this_machine_are_taken(url: str) -> None:
    """A slash at the end is none of the address."""
    assert OpenAISettings(url=url, model="invented").url == url.rstrip("/")
