"""Ids, domains, patterns and pages."""

from __future__ import annotations

import itertools
import json
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from connector_odoo.adapter import OdooAdapter
from connector_odoo.events import key_of, message_id_of
from connector_odoo.reading import PAGE, PAGES, CutShortError, Record, any_of, halving, like, number_of, numbers_of
from connector_odoo.settings import OdooSettings
from hypothesis import given
from hypothesis import strategies as st

from connector_core.manifest import ConnectionInfo
from connector_core.model import Unknown
from connector_core.testing.listener import Listener
from connector_core.testing.sandbox import Request, Response


@pytest.mark.parametrize(
    ("key", "number"),
    [
        ("partner:12", 12),
        *(
            (key, None)
            for key in ("lead:12", "12", "partner:", "partner:1x", "partner:-1", "partner:٣", "partner:12345678901", "")
        ),
        (None, None),
    ],
)
def test_an_id_is_of_its_model(key: str | None, number: int | None) -> None:
    """A number is read from ids of one model alone, and from nothing else that looks like one."""
    assert number_of("partner", key) == number


def test_numbers_are_sorted_and_once_each() -> None:
    """A batch asks for each record once, in one order."""
    assert numbers_of("partner", ["partner:10", "partner:9", "lead:1", "partner:10", None]) == [9, 10]


LEAF = st.tuples(st.just("id"), st.just("="), st.integers(0, 3)).map(list)
DOMAINS = st.lists(st.lists(LEAF, min_size=1, max_size=3), min_size=1, max_size=4)


def holds(domain: list[Any], value: int) -> bool:
    """Read a domain as Odoo does: prefix operators, and what is left is joined by *and*."""
    stack: list[bool] = []
    for part in reversed(domain):
        if part in ("|", "&"):
            first, second = stack.pop(), stack.pop()
            stack.append(first or second if part == "|" else first and second)
        else:
            stack.append(part[2] == value)
    return all(stack)


@given(DOMAINS, st.integers(0, 3))
def test_any_of_holds_where_one_domain_holds(domains: list[list[Any]], value: int) -> None:
    """Domains joined by *or* keep their own *and*, also when they are joined again."""
    joined = any_of(*domains)

    assert holds(joined, value) == any(holds(domain, value) for domain in domains)
    assert holds(any_of(joined, [["id", "=", 3]]), value) == (holds(joined, value) or value == 3)


@pytest.mark.parametrize(
    ("text", "pattern"),
    [("a.b@x.example", "a.b@x.example"), ("a_b", "a\\_b"), ("50%", "50%"), ("a\\b", "a%b"), ("é", "%"), ("o'p", "o%p")],
)
def test_a_pattern_stands_for_its_text(text: str, pattern: str) -> None:
    """What is a sign of patterns, or may be stored otherwise, never narrows a search."""
    assert like(text) == pattern


@given(st.text(min_size=1).filter(lambda text: text == text.strip() and text.isprintable()))
def test_a_message_id_gives_its_call_id_back(call_id: str) -> None:
    """Whatever a call's id is made of, it is read back exactly, and stays one word of ASCII."""
    message_id = message_id_of(call_id)

    assert key_of({"message_ids": [{"message_id": message_id}]}) == call_id
    assert message_id.isascii()
    assert " " not in message_id


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ("<p>Text</p><p>ref: aircall:1</p>", "aircall:1"),
        ("<p>Text<br>ref: aircall:1</p>", "aircall:1"),
        ("<p>ref: a&amp;b&lt;c&gt;'d\"é</p>", "a&b<c>'d\"é"),
        ("<p>ref: aircall:1</p><p>A person's addition</p>", None),
        ("<p>my ref: aircall:1</p>", None),
        ("<p>ref: </p>", None),
        (False, None),
    ],
)
def test_a_reference_is_a_description_s_last_line(body: Any, key: str | None) -> None:
    """Where no message carries an id, the last line of the description may, and nothing else of it."""
    assert key_of({"description": body, "message_ids": []}) == key


def test_what_is_too_much_is_cut_down_to_the_key_that_it_is() -> None:
    """Of several keys only the one whose answer is too long stays unanswered."""

    def ask(keys: Sequence[int]) -> list[Record]:
        if 3 in keys:
            raise CutShortError
        return [{"id": key} for key in keys]

    assert halving([1, 2, 3, 4], ask) == ([{"id": 1}, {"id": 2}, {"id": 4}], [3])


@pytest.fixture
def endless() -> Iterator[tuple[OdooAdapter, list[Request]]]:
    """Connect to a server that has one more page each time, of whatever it is asked."""
    asked: list[Request] = []
    numbers = itertools.count(1)

    def answer(request: Request) -> Response:
        asked.append(request)
        page = [{"id": next(numbers), "email": "a@x.example"} for _ in range(json.loads(request.body)["limit"])]
        return Response.of({"length": 10**9, "records": page})

    listener = Listener(answer, 0)
    threading.Thread(target=listener.serve_forever, args=(0.05,), daemon=True).start()
    url = f"http://127.0.0.1:{listener.server_address[1]}"
    adapter = OdooAdapter(OdooSettings(base_url=url, database="x", api_key="k"), ConnectionInfo("test", ("FR",)))
    yield adapter, asked
    adapter.close()
    listener.shutdown()
    listener.server_close()


def test_what_is_cut_short_is_unknown(endless: tuple[OdooAdapter, list[Request]]) -> None:
    """More records than the connector reads are no answer, least of all an empty one."""
    adapter, _ = endless

    found = adapter.find_contacts_by_email(["a@x.example"])

    assert isinstance(found["a@x.example"], Unknown)


def test_pages_follow_one_another(endless: tuple[OdooAdapter, list[Request]]) -> None:
    """Each page begins behind the last record of the one before, and there is an end to asking."""
    adapter, asked = endless
    adapter.find_contacts_by_email(["a@x.example"])

    begun = [json.loads(request.body)["domain"][0] for request in asked]
    assert begun[1] == ["id", ">", PAGE]
    assert len(asked) == 2 * PAGES
