"""What a model answers is held to the fields: a value that fits, with words that were said, or nothing."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scripted_model import answer, asking, found
from wanted import choices, field, said

from connector_core.errors import ConnectorError, ContractError
from connector_core.extractors.answer_schema import read_answer
from connector_core.extractors.hookspecs import Answer, Extracted
from connector_core.extractors.passages import LONGEST_PASSAGE, Said
from connector_core.filling.coercion import Context, coerce
from connector_core.filling.values import WantedField
from connector_core.model import FieldDescription, Unknown
from connector_core.testing.completions import Asked, CompletionsServer, completed
from connector_core.testing.sandbox import Response

STAGES = choices("Won", "Lost")
CALL = said("Our budget is  20 k.", "We won.", "Call me on the third.")


def one(wanted: WantedField, given: object) -> Answer:
    """Answer one field."""
    return found(CALL, [wanted], given)[wanted.key]


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        (field("t.f"), "20 k"),
        (field("t.f", type="number"), 20_000),
        (field("t.f", type="number"), 2.5),
        (field("t.f", type="boolean"), False),
        (field("t.f", type="date"), "2026-03-03"),
        (field("t.f", type="time"), "2026-03-03T09:00:00"),
        (field("t.f", type="time"), "2026-03-03T09:00:00+01:00"),
        (field("t.f", type="choice", values=STAGES), "Won"),
        (field("t.f", type="choice"), "anything"),
        (field("t.f", type="reference"), "Acme"),
        (field("t.f", type="other"), "whatever"),
    ],
)
def test_a_value_that_fits_is_found(wanted: WantedField, value: object) -> None:
    """With the passage that it came from, and the confidence in it."""
    assert one(wanted, answer(value, "our BUDGET is 20 k", 0.8)) == Extracted(value, "our BUDGET is 20 k", 0.8)  # type: ignore[arg-type]  # any value


@pytest.mark.parametrize(
    ("value", "currency", "amount"),
    [
        (20_000, "USD", "20000 USD"),
        (2.5, " eur ", "2.5 EUR"),
        (1.234, "EUR", "1.2340 EUR"),
        (-5, "EUR", "-5 EUR"),
        (20_000, None, 20_000),
        (20_000, "", 20_000),
    ],
)
def test_an_amount_keeps_the_currency_that_was_said(value: float, currency: str | None, amount: object) -> None:
    """It is read as a person writes it, and as the number that it is, whatever the region; without one it is a number."""
    found = one(field("t.f", type="number"), {**answer(value), "currency": currency})

    assert found == Extracted(amount)  # type: ignore[arg-type]  # any value
    assert isinstance(found, Extracted)
    for region in ("US", "DE"):
        context = Context(dt.datetime(2026, 3, 2, tzinfo=dt.UTC), regions=(region,))
        assert coerce(found.value, FieldDescription("f", "F", "number", "double"), context) == value


@pytest.mark.parametrize("currency", ["dollars", "$", 5, ["EUR"]])
def test_a_currency_that_is_no_code_is_not_known(currency: object) -> None:
    """The number is not taken without it."""
    found = one(field("t.f", type="number"), {**answer(5), "currency": currency})

    assert isinstance(found, Unknown)
    assert "should name a currency by its code" in found.reason


def test_several_choices_are_found_each_once() -> None:
    """As they are written in the CRM."""
    wanted = field("t.f", type="choices", values=STAGES)

    assert one(wanted, answer(["won", "Lost", "Won"])) == Extracted(("Won", "Lost"))


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        (field("t.f"), None),
        (field("t.f"), "  "),
        (field("t.f", type="date"), ""),
        (field("t.f", type="choice", values=STAGES), ""),
        (field("t.f", type="choices", values=STAGES), []),
    ],
)
def test_null_and_blank_are_nothing_said(wanted: WantedField, value: object) -> None:
    """None is the answer that the call does not say it."""
    assert one(wanted, answer(value)) is None


@pytest.mark.parametrize(
    ("wanted", "value", "reason"),
    [
        (field("t.f"), 20, "should be text"),
        (field("t.f"), ["20 k"], "should be text"),
        (field("t.f"), "a\0b", "holds characters that are none"),
        (field("t.f"), "\ud800", "holds characters that are none"),
        (field("t.f", type="number"), "20 k", "should be a number"),
        (field("t.f", type="number"), True, "should be a number"),
        (field("t.f", type="boolean"), "yes", "should be true or false"),
        (field("t.f", type="date"), "le 3 mars", "should be a day like 2026-03-02"),
        (field("t.f", type="date"), "2026-02-30", "should be a day like 2026-03-02"),
        (field("t.f", type="date"), "20260303", "should be a day like 2026-03-02"),
        (field("t.f", type="time"), "2026-03-03", "should be a time like 2026-03-02T09:00:00"),
        (field("t.f", type="choice", values=STAGES), "Stalled", "is none of the field's values"),
        (field("t.f", type="choices", values=STAGES), ["Won", "Stalled"], "is none of the field's values"),
        (field("t.f", type="choices", values=STAGES), "Won", "should be a list"),
    ],
)
def test_a_value_that_does_not_fit_is_not_known(wanted: WantedField, value: object, reason: str) -> None:
    """The reason holds nothing of what was answered; other fields keep theirs."""
    answers = found(CALL, [wanted, field("t.other")], answer(value), answer("20 k"))

    assert answers == {"t.f": Unknown(f"the model's answer {reason}"), "t.other": Extracted("20 k")}


@pytest.mark.parametrize(
    "given", [None, [], "20 k", {}, {"value": "20 k"}, {**answer("20 k"), "url": "https://x.example"}]
)
def test_an_answer_of_another_shape_is_not_known(given: object) -> None:
    """Value, passage and confidence, and no more."""
    assert one(field("t.f"), given) == Unknown("the model's answer does not fit the schema")


def test_a_passage_that_nobody_said_is_dropped_with_its_confidence() -> None:
    """A model that makes up words is not to be believed in how sure it is."""
    assert one(field("t.f"), answer("20 k", "the budget was twenty", 0.9)) == Extracted("20 k")


def test_a_passage_may_go_over_utterances() -> None:
    """Blanks and case aside, the words have to stand there in this order."""
    assert one(field("t.f"), answer("won", "20 K.\nwe WON.", 1)) == Extracted("won", "20 K.\nwe WON.", 1)


def test_a_passage_may_have_other_signs() -> None:
    """Models write plain quotes and dashes where a transcript has curved and long ones."""
    written = "D'accord - jusqu'à 20 000 €"
    answers = found(said("D’accord – jusqu’à 20\u202f000 €."), [field("t.f")], answer("20 k", written, 1))

    assert answers["t.f"] == Extracted("20 k", written, 1)


def test_a_passage_is_never_long() -> None:
    """A model may repeat the whole call."""
    text = "word " * 400
    answers = found(said(text), [field("t.f")], answer("word", text))

    assert answers["t.f"] == Extracted("word", text[:LONGEST_PASSAGE])


@pytest.mark.parametrize("confidence", [None, -0.1, 1.1, True, "high", 10**400])
def test_a_confidence_that_is_none_is_dropped(confidence: object) -> None:
    """The value stays: the schema cannot bound a number everywhere."""
    assert one(field("t.f"), answer("20 k", "budget", confidence)) == Extracted("20 k", "budget")


def test_other_fields_than_were_asked_for_are_passed_over() -> None:
    """An answer has the keys that were asked for, whatever a model adds."""
    answers = found(CALL, [field("t.f")], answer("20 k"), answer("added"), answer("more"))

    assert answers == {"t.f": Extracted("20 k")}


@pytest.mark.parametrize(
    ("answered", "reason"),
    [
        (completed("no JSON"), "the model answered what is no JSON object"),
        (completed("[1]"), "the model answered what is no JSON object"),
        (completed('{"field_1": NaN}'), "the model answered what is no JSON object"),
        (completed("[" * 100_000), "the model answered what is no JSON object"),
        (completed(None), "the model answered nothing"),
        (completed(None, refusal="I cannot help with that."), "the model refuses to answer"),
        (completed('{"field_1": {"val', reason="length"), "the answer is longer than most_tokens allows"),
        (completed("", reason="content_filter"), "the endpoint's content filter cut the answer"),
        (Response.of({"choices": []}), "the model's endpoint answered what is no chat completion"),
        (Response.of({"choices": [7]}), "the model's endpoint answered what is no chat completion"),
        (Response.of([]), "the model's endpoint answered what is no chat completion"),
        (Response(200, b"<html>maintenance"), "the model's endpoint answered what is no chat completion"),
        (Response(204), "the model's endpoint answered what is no chat completion"),
    ],
)
def test_what_is_no_answer_is_not_known(answered: Response, reason: str) -> None:
    """All that were asked for together, and why."""
    with CompletionsServer() as server, asking(server) as bound:
        server.script(answered)
        answers = bound.extract(CALL, [field("t.f"), field("t.g")])

    assert answers == dict.fromkeys(["t.f", "t.g"], Unknown(reason))


def test_an_answer_is_counted_by_code_points() -> None:
    """What is sent and answered in other scripts comes through."""
    text = "Le budget est de 20 000 €, d'après Noël 🎄."

    assert found(said(text), [field("t.f")], answer("20 000 €", text, 1)) == {"t.f": Extracted("20 000 €", text, 1)}


def test_threads_get_their_own_answers() -> None:
    """One extractor serves many calls at once, and mixes none of them."""

    def repeat(asked: Asked) -> Response:
        text = json.loads(asked.told)["transcript"][0]["text"]
        return completed({"field_1": answer(text, text, 1)})

    def extract(number: int) -> Answer:
        return bound.extract(said(f"call {number}"), [field("t.f")])["t.f"]

    with CompletionsServer() as server, asking(server) as bound, ThreadPoolExecutor(8) as threads:
        server.script(*[repeat] * 40)
        assert list(threads.map(extract, range(40))) == [
            Extracted(f"call {number}", f"call {number}", 1) for number in range(40)
        ]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)
KINDS = st.sampled_from(("text", "number", "boolean", "date", "time", "choice", "choices", "reference", "other"))
PARTS = st.fixed_dictionaries({"value": JSON, "passage": JSON, "confidence": JSON})
CONTENT = st.dictionaries(st.sampled_from(["field_1", "field_2", "field_3", "t.f0"]), PARTS | JSON, max_size=4) | JSON


def is_whole(answers: Mapping[str, Answer], keys: list[str]) -> bool:
    """Tell whether there is an answer of the contract for each key, and no other."""
    return list(answers) == keys and all(isinstance(it, Extracted | Unknown | None) for it in answers.values())


@given(content=CONTENT.map(json.dumps) | st.text(), kinds=st.lists(KINDS, min_size=1, max_size=3))
def test_any_content_has_an_answer_for_each_field(content: str, kinds: list[Any]) -> None:
    """Nothing is raised, whatever JSON or text it is; passages were said, and texts can be kept."""
    fields = [field(f"t.f{number}", type=kind, values=STAGES) for number, kind in enumerate(kinds)]
    named = {f"field_{number}": each for number, each in enumerate(fields, start=1)}
    heard = Said(CALL)

    answers = read_answer(content, named, heard)

    assert is_whole(answers, [each.key for each in fields])
    for each in answers.values():
        if isinstance(each, Extracted):
            json.dumps([each.value, each.passage]).encode()
            assert each.passage is None or heard.has(each.passage)
            assert each.confidence is None or 0 <= each.confidence <= 1


STATUSES = st.sampled_from([200, 201, 204, 301, 400, 401, 403, 404, 409, 413, 418, 422, 451, 501])
BODIES = st.binary(max_size=40) | JSON.map(lambda value: json.dumps(value).encode())
COMPLETIONS = st.builds(
    lambda message, reason, usage: json.dumps(
        {"choices": [{"message": message, "finish_reason": reason}], "usage": usage}
    ).encode(),
    JSON | st.fixed_dictionaries({"content": JSON | CONTENT.map(json.dumps)}, optional={"refusal": JSON}),
    JSON,
    JSON | st.fixed_dictionaries({"total_tokens": JSON}),
)


def test_any_reply_is_an_answer_or_a_named_error() -> None:
    """Over HTTP: whatever is answered, with whatever status, no other error comes, and no other key."""
    fields = [field("t.f0"), field("t.f1", type="choice", values=STAGES)]
    with CompletionsServer() as server, asking(server, retries=0) as bound:

        @given(status=STATUSES, body=BODIES | COMPLETIONS)
        def ask(status: int, body: bytes) -> None:
            server.script(Response(status, b"" if status == 204 else body))
            try:
                answers = bound.extract(CALL, fields)
            except ContractError:
                raise
            except ConnectorError:
                return
            assert is_whole(answers, ["t.f0", "t.f1"])

        ask()
