"""The builder of queries: nothing in a value can change what is asked."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from urllib.parse import quote

import pytest
from connector_salesforce import soql
from connector_salesforce.client import _escaped
from connector_salesforce.sandbox.soql import parse
from connector_salesforce.sandbox.sosl import parse_search
from hypothesis import given
from hypothesis import strategies as st

TEXT = st.text(st.characters(blacklist_categories=("Cs",)), max_size=200)
PHRASE = r'([^\W_]+\*|"(\\.|[^"\\])*")'
NASTY = st.text("'\\\"`;%_(){}@-+*?:~^[]|!&\n\r\t\b\f nrtbfu0OR", max_size=40)


@given(TEXT | NASTY)
def test_any_text_is_read_back_as_that_one_literal(text: str) -> None:
    """A text, whatever it holds, parses back to a query with exactly that text as its only value."""
    query = parse(soql.Query("Contact", ("Id",), (soql.within("Email", [text]),)).text())
    value = query.where.values[0]  # type: ignore[union-attr]  # the condition is an IN

    assert (value.kind, value.text) == ("string", text)


@given(st.lists(TEXT | NASTY, min_size=1, max_size=5))
def test_values_add_no_condition(texts: list[str]) -> None:
    """However many texts are asked for, and whatever they hold, the query has as many values and no other condition."""
    query = parse(soql.Query("Contact", ("Id",), (soql.within("Email", texts),)).text())

    assert len(query.where.values) == len(texts)  # type: ignore[union-attr, arg-type]  # the condition is an IN


@given(st.lists(TEXT | NASTY, min_size=1, max_size=4), st.sampled_from(["AND", "OR"]))
def test_any_text_leaves_a_search_whole(texts: list[str], join: Any) -> None:
    """Terms, whatever they hold, leave what a search gives as it was, and are read back as so many phrases."""
    asked = soql.Search(texts, 7, "ALL", join)
    search = parse_search(soql.find(asked, [(soql.Query("Contact", ("Id",)), ())]))

    assert [(it.name, it.fields, it.limit) for it in search.wanted] == [("Contact", ("Id",), 7)]
    assert re.fullmatch(PHRASE + f"( {join} {PHRASE})*", search.find, re.DOTALL)


@pytest.mark.parametrize("word", ["and", "OR", "Not", "near"])
def test_a_word_that_is_an_operator_is_searched_as_a_word(word: str) -> None:
    """What people type is no operator: such a word stands in quotes."""
    assert soql.term(word) == f'"{word}"'


@pytest.mark.parametrize("name", ["Id FROM Contact --", "Email)", "", "a b", "Who.", "é", "1a", "a'b"])
def test_what_is_no_name_makes_no_query(name: str) -> None:
    """Names of fields and objects are checked as well."""
    with pytest.raises(ValueError, match="no name"):
        soql.Query("Contact", ("Id",), (soql.within(name, ["x"]),)).text()


def test_an_empty_list_is_refused() -> None:
    """SOQL has no empty list: asking for nothing is a bug, told at once."""
    with pytest.raises(ValueError, match="nothing to look for"):
        soql.within("Email", [])


def test_a_time_without_offset_is_refused() -> None:
    """A naive time would be read as something that nobody meant."""
    with pytest.raises(ValueError, match="without offset"):
        soql.literal(dt.datetime(2026, 3, 2))  # noqa: DTZ001 - that is the point


def test_a_time_is_written_in_utc() -> None:
    """A time with an offset is written as the same instant in UTC."""
    assert (
        soql.literal(dt.datetime(2026, 3, 2, 10, tzinfo=dt.timezone(dt.timedelta(hours=1)))) == "2026-03-02T09:00:00Z"
    )


@pytest.mark.parametrize("count", [1, 2, 2_500, 2_601, 6_000])
def test_long_lists_are_split_within_the_limit(count: int) -> None:
    """Every part of a long list makes a query within the limit, and the parts together are the list."""
    keys = [f"someone-{number}@customer.example" for number in range(count)]
    parts = soql.split(keys, lambda part: soql.Query("Contact", ("Id",), (soql.within("Email", part),)))

    assert [key for part, _ in parts for key in part] == keys
    assert all(len(query.text()) <= soql.LONGEST_QUERY for _, query in parts)


def test_a_semi_join_stands_at_the_top() -> None:
    """Salesforce takes a semi-join only at the top of WHERE, so it is wrapped in nothing."""
    inner = soql.related("Id", "TaskId", "TaskWhoRelation", soql.within("RelationId", ["003"]))
    text = soql.Query("Task", ("Id",), (soql.compare("IsDeleted", "=", False), inner)).text()

    assert text.endswith(
        "WHERE IsDeleted = false AND Id IN (SELECT TaskId FROM TaskWhoRelation WHERE RelationId IN ('003'))"
    )


def test_hidden_columns_leave_their_alternatives_with_them() -> None:
    """What the user may not see is neither selected nor asked for."""
    either = {column: soql.within(column, ["1"]) for column in ("Phone", "HomePhone")}
    query = soql.Query("Contact", ("Id", "Phone"), optional=("HomePhone",), either=either)

    assert query.text({"HomePhone"}) == "SELECT Id, Phone FROM Contact WHERE Phone IN ('1')"


@given(st.lists(st.integers(10_000, 10**15).map(str), min_size=1, max_size=50))
def test_numbers_are_searched_as_they_are(numbers: list[str]) -> None:
    """Digits need no escape, and find what begins with them."""
    query = soql.Query("Contact", ("Id",))

    assert soql.find(soql.Search(numbers, 10), [(query, ())]) == (
        f"FIND {{{' OR '.join(f'{it}*' for it in numbers)}}} IN PHONE FIELDS RETURNING Contact(Id LIMIT 10)"
    )


@given(TEXT)
def test_a_query_is_percent_encoded_as_everywhere(text: str) -> None:
    """What stands in an address is read back by anybody."""
    assert _escaped(text) == quote(text, safe="")
