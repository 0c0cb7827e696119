"""A cassette on disk: it means what was recorded, and a person can read it."""

from __future__ import annotations

import string
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_core.testing.cassettes import CassetteError, Provenance, read
from connector_core.testing.cassettes.exchange import Answer, Asked, Body, Cassette, Exchange
from connector_core.testing.cassettes.form import dumped, loaded

SOURCE = Provenance("sandbox", "nobody", "2026-11-21T12:00:00Z", {}, {}, {})

texts = st.text() | st.text(st.sampled_from(" \n\r\x85\t'\"#:%?&=+<>|é-0123456789abcT"), max_size=200)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)
pairs = st.lists(st.tuples(texts, texts), max_size=4).map(tuple)
names = st.text(string.ascii_lowercase + "-", min_size=1)
bodies = (
    json_values.map(lambda value: Body("json", value))
    | pairs.map(lambda value: Body("form", value))
    | texts.map(lambda value: Body("text", value))
)
headers = st.dictionaries(names, texts, max_size=3)


def one(asked: Asked, answer: Answer | None = None) -> Cassette:
    """Give a cassette with one exchange."""
    return Cassette(SOURCE, (Exchange(asked, answer or Answer(200)),))


@given(
    st.builds(Asked, st.sampled_from(["GET", "POST"]), st.just("http://x.example/a"), pairs, headers, bodies),
    st.builds(Answer, st.integers(200, 599), headers, bodies),
    st.booleans(),
)
def test_what_is_written_is_read(asked: Asked, answer: Answer, together: bool) -> None:
    """Whatever was recorded is read back the same, and is written the same again."""
    written = dumped(Cassette(SOURCE, (Exchange(asked, answer, together),)))

    read_back = loaded(written)

    assert read_back.exchanges[0].asked.parts() == asked.parts()
    assert read_back.exchanges[0].answer.body.shown() == answer.body.shown()
    assert dumped(read_back) == written


@given(st.dictionaries(texts, texts, min_size=1, max_size=3))
def test_an_address_in_a_body_is_kept_to_the_letter(query: dict[str, str]) -> None:
    """An address with a query is the same string after it was shown decoded."""
    address = "/query/?" + "&".join(f"{quote(name, safe='')}={quote(text, safe='')}" for name, text in query.items())

    read_back = loaded(dumped(one(Asked("POST", "http://x.example/", body=Body("json", {"url": address})))))

    assert read_back.exchanges[0].asked.body.value == {"url": address}


def test_a_query_in_a_body_can_be_read() -> None:
    """SOQL in a subrequest's address stands there as it was thought, not percent-encoded."""
    soql = "SELECT Id FROM Contact WHERE Email IN ('ann@buyer.example')"

    written = dumped(one(Asked("POST", "http://x.example/", body=Body("json", {"url": f"/query/?q={quote(soql)}"}))))

    assert soql in written


def test_a_query_of_a_request_can_be_read() -> None:
    """The query of an address stands there decoded, by name."""
    written = dumped(one(Asked.of("GET", "http://x.example/search?q=FIND+%7BAnn%7D", {}, b"")))

    assert "q: FIND {Ann}" in written


def test_a_form_can_be_read() -> None:
    """The pairs of a form stand there by name."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}

    written = dumped(one(Asked.of("POST", "http://x.example/", form, b"grant_type=refresh_token&x=a%20b")))

    assert "    form:\n      grant_type: refresh_token\n      x: a b\n" in written


def test_digits_are_quoted() -> None:
    """A number that is text is quoted, so that no reader of YAML takes it for a number."""
    written = dumped(one(Asked("POST", "http://x.example/", body=Body("json", ["0639981011", "2026-01-01T10:00:00Z"]))))

    assert "- '0639981011'\n    - '2026-01-01T10:00:00Z'" in written


def test_the_same_value_twice_is_written_twice() -> None:
    """No anchor of YAML stands in a cassette."""
    shared = {"a": "x"}

    written = dumped(one(Asked("POST", "http://x.example/", body=Body("json", [shared, shared]))))

    assert "&id" not in written


@pytest.mark.parametrize(
    "text",
    ["", "[]", "provenance: {}", "a: [", "provenance: {origin: made-up}\ninteractions: []", "!!python/name:os.system"],
)
def test_what_is_no_cassette_is_named(tmp_path: Path, text: str) -> None:
    """A file that is no cassette is an error that names it."""
    path = tmp_path / "broken.yaml"
    path.write_text(text, encoding="utf-8")

    with pytest.raises(CassetteError, match=r"broken\.yaml: is no cassette"):
        read(path)


@pytest.mark.parametrize(
    ("one_value", "other"), [(1, True), (1, 1.0), (0, False), ([1], [2]), ({"a": 1}, {"a": 1, "b": 2})]
)
def test_values_that_differ_are_told_apart(one_value: object, other: object) -> None:
    """JSON is compared by value and type: what Python calls equal need not be."""
    assert Body("json", one_value).shown() != Body("json", other).shown()


def test_the_order_of_names_means_nothing() -> None:
    """Two objects with the same names are the same request."""
    assert Body("json", {"a": 1, "b": 2}).shown() == Body("json", {"b": 2, "a": 1}).shown()


@pytest.mark.parametrize("content", [b'{"a": 1, "a": 2}', b'{"a": NaN}', b"{broken", b"<html>"])
def test_what_json_cannot_give_back_stays_text(content: bytes) -> None:
    """A body that says it is JSON and is not, or is not plainly, is kept to the letter."""
    body = Body.of(content, "application/json")

    assert (body.kind, body.content()) == ("text", content)


def test_what_is_no_text_is_kept() -> None:
    """Bytes that are no UTF-8 are kept as they are."""
    assert Body.of(b"\xff\x00", "image/png").content() == b"\xff\x00"
