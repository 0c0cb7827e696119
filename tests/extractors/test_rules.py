"""The extractor by rules finds what patterns say, in the most trusted text first."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wanted import call, choices, field, said

from connector_core.extraction import Extraction
from connector_core.extractors.hookspecs import Answer, Extracted, WantedField
from connector_core.extractors.passages import LONGEST_PASSAGE
from connector_core.extractors.rules import Rules, RulesSettings
from connector_core.filling.patterns import LONGEST_PATTERN, check_patterns
from connector_core.model import Call, Unknown

WHERE: dict[str, Any] = {
    "notes": [{"text": "in notes"}],
    "comments": [{"text": "in comments"}],
    "summary": "in summary",
    "highlights": ["in highlights"],
    "topics": ["in topics"],
    "title": "in title",
    "transcript": [{"text": "in transcript"}],
}


def found(call: Call, wanted: WantedField) -> Answer:
    """Ask for one field."""
    return Extraction().get().extract(call, [wanted])[wanted.key]


def value(call: Call, *patterns: str) -> object:
    """Give the value of a field with these patterns."""
    answer = found(call, field("t.f", *patterns))
    return answer.value if isinstance(answer, Extracted) else answer


@pytest.mark.parametrize("place", range(len(WHERE)))
def test_the_most_trusted_text_goes_first(place: int) -> None:
    """What a person wrote, then what a machine made of it, then what was said."""
    names = list(WHERE)[place:]

    assert value(call(**{name: WHERE[name] for name in names}), r"in (\w+)") == names[0]


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        (r"budget of (?P<value>\d+) (k|m)", "A budget of 20 k.", "20"),
        (r"(?:a|the) (\w+) of (\d+)", "A budget of 20 k.", "budget"),
        (r"\d+ k", "A budget of 20 k.", "20 k"),
        (r"ÉQUIPE (\w+)", "l'équipe été", "été"),
        (r"^next: (.*)$", "First\nNext: call back\nLast", "call back"),
        (r"budget\?\s+(.*)", "Your budget?\nAround 20 k", "Around 20 k"),
        (r"blank:( *)", "blank:   ", None),
        (r"(never)?", "nothing", None),
        (r"(?P<value>x)|found", "found", None),
    ],
)
def test_the_value_is_the_group_or_the_match(pattern: str, text: str, expected: str | None) -> None:
    """The group ``value``, else the first group, else all that matched; a blank one is none."""
    assert value(call(summary=text), pattern) == expected


def test_patterns_are_tried_in_order() -> None:
    """In one text the first pattern that matches wins, wherever it matches."""
    assert value(call(summary="maybe 10, surely 20"), r"surely (\d+)", r"maybe (\d+)") == "20"


def test_a_match_without_a_value_is_passed_over() -> None:
    """The next match of the pattern may have one."""
    assert value(call(summary="budget: ; budget: 20"), r"budget: (\d*)") == "20"


def test_a_field_of_several_choices_takes_all_matches() -> None:
    """All of the most trusted text that has any, each once, in the order in which they stand there."""
    wanted = field("t.tools", r"sap|oracle", "odoo", type="choices", values=choices("SAP", "Oracle", "Odoo"))
    texts = said("We left Oracle. Now SAP.", "And sap is old.", "Odoo came.", title="sales")

    assert found(texts, wanted) == Extracted(
        ("Oracle", "SAP", "Odoo"), "We left Oracle.\nNow SAP.\nAnd sap is old.\nOdoo came."
    )


@pytest.mark.parametrize(
    ("text", "passage"),
    [
        ("We met. The budget is 20 k. Bye.", "The budget is 20 k."),
        ("Hello!  The budget is 20 k", "The budget is 20 k"),
        ("line one\nthe budget is 20 k, yes\nline three", "the budget is 20 k, yes"),
        ("The budget is 20 k", "The budget is 20 k"),
    ],
)
def test_the_passage_is_the_sentence_around(text: str, passage: str) -> None:
    """Neighbouring sentences and lines are none of it; rules have no confidence."""
    assert found(said(text), field("t.f", r"budget is (\d+)")) == Extracted("20", passage, None)


@pytest.mark.parametrize(("pattern", "passage"), [(r"20 k", "20 k it is."), (r"20 k it is\.", "20 k it is.")])
def test_a_match_may_begin_or_end_its_sentence(pattern: str, passage: str) -> None:
    """The sentences beside it are none of its passage then either."""
    answer = found(said("We met. 20 k it is. Bye."), field("t.f", pattern))

    assert isinstance(answer, Extracted)
    assert answer.passage == passage


def test_a_passage_is_never_long() -> None:
    """Of a text without sentences, what is around the value is given."""
    answer = found(said("x" * 5000 + " 20 k " + "y" * 5000), field("t.f", r"\d+ k"))

    assert isinstance(answer, Extracted)
    assert "20 k" in str(answer.passage)
    assert len(str(answer.passage)) <= LONGEST_PASSAGE


def test_nothing_is_guessed_without_a_pattern() -> None:
    """A label that is spoken is no value yet."""
    wanted = field("t.stage", type="choice", values=choices("Won", "Lost"))

    assert found(said("Stage: Won"), wanted) is None


def test_a_pattern_that_needs_ages_is_stopped() -> None:
    """It is not known what would have been found; the reason says what to do."""
    answer = found(said("a" * 5000 + "!"), field("t.f", r"(a+)+$"))

    assert answer == Unknown("the patterns took longer than 1 s: make them simpler")


def test_the_time_is_that_of_the_field_not_of_each_pattern() -> None:
    """Patterns that are slow together are stopped too, and the other fields are answered."""
    clock = itertools.count(step=0.4)
    rules = Rules(RulesSettings(), clock=lambda: float(next(clock)))

    answers = rules.extract_fields(said("one"), [field("t.slow", *["x"] * 9), field("t.f", "one")])

    assert isinstance(answers["t.slow"], Unknown)
    assert answers["t.f"] == Extracted("one", "one")


WRONG = {
    "(": "patterns.1 is no regular expression: missing ) at position 1",
    " ": "patterns.1 should not be blank",
    "x" * (LONGEST_PATTERN + 1): "patterns.1 should have 1000 characters at most",
    "(?R)": "patterns.1 should not call itself or a group of it: write out what is repeated",
    "(?P<a>a(?&a)?)": "patterns.1 should not call itself",
    "(a(?1)?)": "patterns.1 should not call itself",
    "(" * 400 + ")" * 400: "patterns.1 is no regular expression: it is nested too deeply",
    r"\p{Nope}": "patterns.1 is no regular expression: unknown property",
}


@pytest.mark.parametrize("pattern", WRONG)
def test_a_wrong_pattern_is_named(pattern: str) -> None:
    """Those who write templates hear which pattern is wrong, and why."""
    (problem,) = check_patterns(["fine", pattern])

    assert problem.startswith(WRONG[pattern])


@pytest.mark.parametrize("pattern", WRONG)
def test_a_wrong_pattern_that_was_kept_makes_its_field_unknown(pattern: str) -> None:
    """At run time it stops nothing else."""
    answers = Extraction().get().extract(said("fine"), [field("t.wrong", pattern), field("t.f", "fine")])

    assert isinstance(answers["t.wrong"], Unknown)
    assert answers["t.f"] == Extracted("fine", "fine")


@pytest.mark.parametrize("pattern", [r"\(?1\)", r"(a)?(?(1)b|c)", r"(?:x)", r"(?<value>\d+)", r"[(?)1]"])
def test_what_only_looks_like_a_call_of_itself_is_fine(pattern: str) -> None:
    """Escapes, conditions and groups are none."""
    assert check_patterns([pattern]) == []


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)
PATTERNS = st.one_of(TEXTS, st.text("ab()[]{}*+?|\\^$.<>=!P&R01,:~-L", max_size=12))


@given(texts=st.lists(TEXTS, max_size=4), patterns=st.lists(PATTERNS, max_size=3), several=st.booleans())
def test_any_text_and_any_pattern_have_an_answer(texts: list[str], patterns: list[str], *, several: bool) -> None:
    """Nothing is raised; what was found stands in the call, in its passage, and is not blank."""
    wanted = field("t.f", *patterns, type="choices" if several else "text")
    answer = found(said(*texts, summary="".join(texts)), wanted)

    if isinstance(answer, Unknown):
        assert check_patterns(patterns)
    elif answer is not None:
        values = answer.value if several else [answer.value]
        assert isinstance(values, list | tuple)
        assert values
        for each in values:
            assert isinstance(each, str)
            assert each.strip()
            assert each in str(answer.passage)


@given(pattern=PATTERNS)
def test_what_passes_the_check_can_be_searched(pattern: str) -> None:
    """The check and the search agree on what a pattern is."""
    answer = found(said("a1 b(2)"), field("t.f", pattern))

    assert bool(check_patterns([pattern])) == isinstance(answer, Unknown)
