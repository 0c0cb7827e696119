"""Every refusal that HubSpot documents, as an answer over HTTP: what is raised, and what becomes of a row that gets it."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from connector_core.errors import (
    ConnectorError,
    CredentialsError,
    MissingRightError,
    RefusedError,
    TryAgainError,
)
from connector_core.model import ActivityDraft, RecordUpdate, WriteOutcome

REFERENCE = Path(__file__).resolve().parents[4] / "shared" / "reference" / "hubspot.md"
CARL = {"kind": "contact", "id": "C1", "name": "Carl Customer", "emails": ["carl@buyer.example"]}
NINE = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
DRAFT = ActivityDraft("x:1", "call", NINE, NINE + dt.timedelta(minutes=10), subject="A talk")
SENTENCE = "as HubSpot put it"


@dataclass(frozen=True)
class Case:
    """A status with a category, the error that a refused request is, and what becomes of a draft that was sent so.

    ``draft`` is None where the error is raised: nothing was sent then, and no row is to be told.
    """

    status: int
    category: str | None
    error: type[ConnectorError]
    draft: WriteOutcome | None

    def __str__(self) -> str:
        """Name it in the report."""
        return f"{self.status} {self.category or ''}".rstrip()


CASES = [
    Case(400, "VALIDATION_ERROR", RefusedError, "refused"),
    Case(401, "EXPIRED_AUTHENTICATION", CredentialsError, None),
    Case(401, "INVALID_AUTHENTICATION", CredentialsError, None),
    Case(403, "MISSING_SCOPES", MissingRightError, None),
    Case(404, "OBJECT_NOT_FOUND", RefusedError, "refused"),
    Case(409, "CONFLICT", RefusedError, "refused"),
    Case(414, None, RefusedError, "refused"),
    Case(423, None, TryAgainError, "deferred"),
    Case(429, "RATE_LIMITS", TryAgainError, "deferred"),
    Case(477, None, TryAgainError, "deferred"),
    *(Case(status, None, TryAgainError, "unknown") for status in (500, 502, 503, 504, 521, 523, 524, 530)),
]
CODES: dict[str, str] = {
    "PROPERTY_DOESNT_EXIST": "shoe_size",
    "INVALID_OPTION": "hs_call_disposition",
    "MISSING_CONDITIONAL_REQUIRED_PROPERTY": "region",
    "MISSING_REQUIRED_PROPERTY": "region",
    "READ_ONLY_VALUE": "hs_object_id",
}
"""Codes that stand below a VALIDATION_ERROR, each with the property that it blames: the rule, and the field."""
LIMITS = {"TEN_SECONDLY_ROLLING": 10.0, "SECONDLY": 1.0, "DAILY": 3600.0}
"""The names of limits, and the wait when HubSpot says none."""

Connect = Callable[..., Any]


def answer(case: Case) -> dict[str, Any]:
    """Give what a fault answers."""
    body = {"status": "error", "message": SENTENCE, "category": case.category, "correlationId": "c-1"}
    return {"status": case.status, "body": {name: value for name, value in body.items() if value is not None}}


def ask(account: Any) -> Any:
    """Read, as all look-ups do."""
    path = "/crm/objects/{version}/{object}/batch/read"
    return account.adapter._client.post(path, {"inputs": [{"id": "1"}], "properties": []}, object="deals")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_refused_request_is_the_error_that_says_what_to_do(connect: Connect, case: Case) -> None:
    """A refusal of what was asked keeps the sentence, the category and the id of the request; no message quotes it."""
    account = connect(people=[CARL])
    account.faults({"do": answer(case)})
    with pytest.raises(ConnectorError) as caught:
        ask(account)
    error = caught.value

    assert isinstance(error, case.error)
    assert SENTENCE not in str(error)
    if isinstance(error, RefusedError):
        assert (error.code, error.sentence, error.request_id) == (case.category, SENTENCE, "c-1")


def test_a_page_of_what_stands_before_the_api_is_for_later(connect: Connect) -> None:
    """No right of the app is missing, and nothing was executed."""
    account = connect(people=[CARL])
    account.faults({"do": {"status": 403, "body": "<html><title>Attention Required!</title></html>"}})
    with pytest.raises(TryAgainError, match="status 403"):
        ask(account)
    assert account.adapter.write_activity([DRAFT])["x:1"].outcome == "deferred"


def test_what_is_forbidden_for_no_scope_names_the_category(connect: Connect) -> None:
    """Nobody looks for a scope that is not missing."""
    account = connect(people=[CARL])
    account.faults({"do": {"status": 403, "body": {"status": "error", "category": "BANNED", "message": SENTENCE}}})
    with pytest.raises(MissingRightError, match=r"HubSpot forbids it \(BANNED\)"):
        ask(account)


def test_a_refusal_of_many_rows_blames_each_of_them(connect: Connect) -> None:
    """Rows that have the same fault are all named, and none is sent again."""
    account = connect(people=[CARL])
    errors = [
        {"message": SENTENCE, "code": "INVALID_OPTION", "context": {"propertyName": ["x"], "objectWriteTraceId": [key]}}
        for key in ("x:1", "x:2")
    ]
    body = {"status": "error", "category": "VALIDATION_ERROR", "message": "not valid", "errors": errors}
    account.faults({"match": {"path": "*/batch/create"}, "times": 1, "do": {"status": 400, "body": body}})
    receipts = account.adapter.write_activity([replace(DRAFT, key=f"x:{n}") for n in range(1, 4)])

    assert {key: it.outcome for key, it in receipts.items()} == {"x:1": "refused", "x:2": "refused", "x:3": "created"}
    assert len(account.requests("/batch/create")) == 2


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_refused_create_has_the_receipt_that_says_what_becomes_of_it(connect: Connect, case: Case) -> None:
    """In HubSpot's own sentence where it is refused for good; what may have been done is looked for."""
    account = connect(people=[CARL])
    account.faults({"match": {"path": "*/batch/create"}, "do": answer(case)})
    if case.draft is None:
        with pytest.raises(case.error):
            account.adapter.write_activity([DRAFT])
        return
    receipt = account.adapter.write_activity([DRAFT])["x:1"]

    assert receipt.outcome == case.draft
    if case.draft == "refused":
        assert (receipt.reason, receipt.code) == (SENTENCE, case.category)


SHAPES: dict[str, Callable[[str, str], dict[str, Any]]] = {
    "errors": lambda code, name: {
        "message": "Property values were not valid",
        "errors": [{"message": SENTENCE, "code": code, "context": {"propertyName": [name]}}],
    },
    "message": lambda code, name: {
        "message": "Property values were not valid: "
        + json.dumps([{"isValid": False, "message": SENTENCE, "error": code, "name": name}]),
    },
}
"""Where a VALIDATION_ERROR says which property: newer answers have a list, older ones JSON inside the message."""


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("code", CODES)
def test_a_value_that_is_refused_names_field_and_rule(connect: Connect, code: str, shape: str) -> None:
    """Of a draft and of a field that is filled, each in HubSpot's own sentence."""
    account = connect(people=[CARL])
    body = {"status": "error", "category": "VALIDATION_ERROR", **SHAPES[shape](code, CODES[code])}
    account.faults(
        {"match": {"path": "*/batch/*", "method": "POST"}, "do": {"status": 400, "body": body}},
        {"match": {"path": "/crm/properties/*"}, "do": {"status": 403, "body": {}}},  # what is not described is sent
    )
    draft = account.adapter.write_activity([DRAFT])["x:1"]
    update = RecordUpdate("contacts", account["C1"], {CODES[code]: "x", "jobtitle": "CTO"})
    filled = account.adapter.fill_fields([update])["contacts", account["C1"]][CODES[code]]

    assert (draft.outcome, draft.reason, draft.code, draft.field) == ("refused", SENTENCE, code, CODES[code])
    assert (filled.outcome, filled.reason, filled.code) == ("refused", SENTENCE, code)


def test_of_an_answer_with_several_statuses_both_parts_count(connect: Connect) -> None:
    """207: what was made is created, and what was refused has its own sentence."""
    account = connect(people=[CARL])
    made = {"id": "7", "objectWriteTraceId": "x:1", "properties": {}}
    context = {"objectWriteTraceId": ["x:2"], "propertyName": ["hs_call_title"]}
    refused = {"status": "error", "category": "VALIDATION_ERROR", "message": SENTENCE, "context": context}
    body = {"status": "COMPLETE", "results": [made], "numErrors": 1, "errors": [refused]}
    account.faults({"match": {"path": "*/batch/create"}, "do": {"status": 207, "body": body}})
    receipts = account.adapter.write_activity([DRAFT, replace(DRAFT, key="x:2")])

    assert (receipts["x:1"].outcome, receipts["x:1"].id) == ("created", "7")
    assert (receipts["x:2"].outcome, receipts["x:2"].reason, receipts["x:2"].field) == (
        "refused",
        SENTENCE,
        "hs_call_title",
    )


@pytest.mark.parametrize("name", LIMITS)
def test_the_wait_is_that_of_the_limit_that_was_reached(connect: Connect, name: str) -> None:
    """HubSpot mostly sends no Retry-After: the limit's name says how long its window is."""
    account = connect(people=[CARL])
    body = {"status": "error", "message": "You have reached your limit.", "policyName": name}
    account.faults({"do": {"status": 429, "body": body}})
    with pytest.raises(TryAgainError) as caught:
        ask(account)

    assert caught.value.after_seconds == LIMITS[name]


@pytest.mark.parametrize(("status", "seconds"), [(429, 7.0), (423, 7.0), (477, 7200.0)])
def test_a_wait_that_is_asked_for_is_kept(connect: Connect, status: int, seconds: float) -> None:
    """Of an account that is moved, up to a day."""
    account = connect(people=[CARL])
    account.faults({"do": {"status": status, "headers": {"Retry-After": str(int(seconds))}, "body": {}}})
    with pytest.raises(TryAgainError) as caught:
        ask(account)

    assert caught.value.after_seconds == seconds


def test_the_right_to_associate_is_named(connect: Connect) -> None:
    """A user without it gets 400 and a sentence, and no code of its own."""
    account = connect(people=[CARL])
    sentence = "Missing 'Edit Associations' permission."
    body = {"status": "error", "category": "VALIDATION_ERROR", "message": sentence}
    account.faults({"match": {"path": "*/batch/create"}, "do": {"status": 400, "body": body}})
    receipt = account.adapter.write_activity([replace(DRAFT, person_ids=(account["C1"],))])["x:1"]

    assert (receipt.outcome, receipt.reason) == ("refused", sentence)


def section(number: str) -> str:
    """Read a part of what the project was written by, which is no part of it."""
    if not REFERENCE.is_file():
        pytest.skip("the reference is not there")
    (found,) = re.findall(
        rf"^### {number} .*?\n(.*?)^##", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return str(found)


def test_no_status_of_the_reference_is_missing() -> None:
    """Each status of its table, and each category beside it."""
    rows = [line.split("|")[1:3] for line in section(r"7\.1").splitlines() if re.match(r"\| \d", line)]
    statuses = {int(status) for row in rows for status in re.findall(r"\b\d{3}\b", row[0])}
    named = {name for row in rows for name in re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", row[1])}

    assert len(statuses) > 12
    assert statuses - {207} - {case.status for case in CASES} == set()
    assert named - {case.category for case in CASES} == set()


def test_no_limit_of_the_reference_is_missing() -> None:
    """Each name of a limit."""
    (names,) = re.findall(r"`policyName` ∈ (.*?) \(", section(r"7\.2"))

    assert {name.strip() for name in names.split(",")} - LIMITS.keys() == set()


def test_no_code_of_the_reference_is_missing() -> None:
    """Each code of what newer versions check as they write."""
    codes = set(re.findall(r"`([A-Z]+(?:_[A-Z]+)+)`", section(r"7\.5")))

    assert len(codes) > 1
    assert codes - CODES.keys() == set()
