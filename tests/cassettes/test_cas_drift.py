"""What changed between two recordings is told; what differs each time, and what was added, is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from connector_core.testing.cassettes import Provenance, drift
from connector_core.testing.cassettes.exchange import Answer, Asked, Body, Cassette, Exchange
from connector_core.testing.cassettes.form import write

RECORD = {"id": "{C1}", "email": "ann@example.com", "amount": 12, "tags": ["a"], "owner": {"id": "7", "name": "Ada"}}


def taped(path: Path, crm_id: str, *answers: Answer, paths: tuple[str, ...] = ()) -> Path:
    """Write a cassette with these answers, in which the contact C1 has this id."""
    provenance = Provenance("sandbox", "nobody", "2026-11-21T12:00:00Z", {}, {}, {"C1": crm_id, "C2": f"{crm_id}2"})
    asked = [Asked("GET", f"http://127.0.0.1:1{place}") for place in paths or ["/a"] * len(answers)]
    write(path, Cassette(provenance, [Exchange(*pair) for pair in zip(asked, answers, strict=True)]))
    return path


def changes(tmp_path: Path, old: Any, new: Any) -> list[tuple[str, str]]:
    """Compare two JSON answers; ``{C1}`` stands for the id of a contact, which is another one each time."""

    def named(value: Any, crm_id: str) -> Any:
        match value:
            case dict():
                return {name: named(item, crm_id) for name, item in value.items()}
            case list():
                return [named(item, crm_id) for item in value]
            case str():
                return value.replace("{C1}", crm_id).replace("{C2}", f"{crm_id}2")
        return value

    one, other = (Answer(200, {}, Body("json", named(value, crm_id))) for value, crm_id in ((old, "111"), (new, "999")))
    found = drift(taped(tmp_path / "old.yaml", "111", one), taped(tmp_path / "new.yaml", "999", other))
    return [(it.change, it.place) for it in found]


def without(record: Any, *names: str, **others: Any) -> Any:
    """Give a record without fields, and with others."""
    return {**{name: value for name, value in record.items() if name not in names}, **others}


@pytest.mark.parametrize(
    ("new", "change"),
    [
        (without(RECORD, "email"), ("field gone", "email")),
        (without(RECORD, owner={"id": "7"}), ("field gone", "owner.name")),
        (without(RECORD, amount="12"), ("type changed", "amount")),
        (without(RECORD, tags="a"), ("type changed", "tags")),
        (without(RECORD, tags=[1]), ("type changed", "tags[0]")),
        (without(RECORD, email=None), ("value lost", "email")),
        (without(RECORD, email=""), ("value lost", "email")),
        (without(RECORD, email=False), ("value lost", "email")),
        (without(RECORD, tags=[]), ("value lost", "tags")),
        (without(RECORD, owner=None), ("value lost", "owner")),
    ],
    ids=str,
)
def test_what_is_missing_is_told(tmp_path: Path, new: Any, change: tuple[str, str]) -> None:
    """A field that is gone, of another type or empty is told with its place."""
    assert changes(tmp_path, RECORD, new) == [change]


@pytest.mark.parametrize(
    "new",
    [
        RECORD,
        without(RECORD, email="bob@example.com"),
        without(RECORD, more="x"),
        without(RECORD, tags=["a", "b"]),
        without(RECORD, amount=99),
    ],
    ids=str,
)
def test_other_values_are_no_drift(tmp_path: Path, new: Any) -> None:
    """Other ids, other values and further fields are no drift."""
    assert changes(tmp_path, RECORD, new) == []


@pytest.mark.parametrize(("old", "new"), [(None, "x"), (False, "x"), ("", "x"), ([], [1]), (False, True), (0, 1)])
def test_what_was_empty_may_be_filled(tmp_path: Path, old: Any, new: Any) -> None:
    """A value where there was none is no drift, whatever the service calls none."""
    assert changes(tmp_path, {"a": old}, {"a": new}) == []


def test_records_are_paired_by_the_world(tmp_path: Path) -> None:
    """Records in another order are compared each with itself."""
    old = [{"id": "{C1}", "title": "CEO"}, {"id": "{C2}", "title": None}]
    new = [{"id": "{C2}", "title": None}, {"id": "{C1}", "title": None}]

    assert changes(tmp_path, {"results": old}, {"results": new}) == [("value lost", "results[C1].title")]


def test_lists_of_other_lengths_are_compared_together(tmp_path: Path) -> None:
    """Of lists with unknown items, what no item has any more is told, once."""
    old = [{"a": 1, "b": "x", "c": {"d": 1}}, {"a": 2, "b": None}]

    assert changes(tmp_path, old, [{"a": "1", "b": None}]) == [
        ("type changed", "[].a"),
        ("value lost", "[].b"),
        ("field gone", "[].c"),
    ]


@pytest.mark.parametrize(
    ("new", "change"),
    [
        (Answer(404, {"retry-after": "1"}), ("status", "status")),
        (Answer(200), ("header changed", "retry-after")),
        (Answer(200, {"retry-after": "2"}), None),
        (Answer(200, {"retry-after": "1", "link": "x"}), None),
        (Answer(200, {"retry-after": "1"}, Body("text", "x")), None),
        (Answer(200, {"retry-after": "1"}, Body("json", {})), ("type changed", "body")),
    ],
    ids=str,
)
def test_an_answer_that_is_another_is_told(tmp_path: Path, new: Answer, change: tuple[str, str] | None) -> None:
    """Status, headers of the contract, and whether there is JSON at all are compared."""
    old = taped(tmp_path / "old.yaml", "111", Answer(200, {"retry-after": "1"}))

    found = drift(old, taped(tmp_path / "new.yaml", "999", new))

    assert [(it.change, it.place) for it in found] == ([change] if change else [])


def test_requests_are_paired_by_the_world(tmp_path: Path) -> None:
    """A request that names a record is the same with the record's other id; one that is not made any more is told."""
    answer = Answer(200)
    old = taped(tmp_path / "old.yaml", "111", answer, answer, paths=("/c/111", "/more"))

    (found,) = drift(old, taped(tmp_path / "new.yaml", "999", answer, paths=("/c/999",)))

    assert str(found) == "GET /more: request: requests: GET /more became nothing"


def test_one_request_more_leaves_the_others_compared(tmp_path: Path) -> None:
    """A request that came in between is told, and those after it are still compared with their own."""
    one, other, changed = (Answer(200, {}, Body("json", {"a": it})) for it in ("x", "y", None))
    old = taped(tmp_path / "old.yaml", "1", one, other, paths=("/a", "/b"))

    found = drift(old, taped(tmp_path / "new.yaml", "1", one, one, changed, paths=("/a", "/new", "/b")))

    assert [(it.change, it.request) for it in found] == [("request", "GET /new"), ("value lost", "GET /b")]
