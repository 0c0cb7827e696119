"""Every code of Salesforce's errors, as an answer over HTTP: what is raised, and what becomes of a row that gets it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from connector_core.errors import (
    ConfigurationError,
    ConnectorError,
    ContractError,
    CredentialsError,
    MissingRightError,
    RefusedError,
    TryAgainError,
)
from connector_core.model import ActivityDraft, Receipt, RecordUpdate, WriteOutcome

REFERENCE = Path(__file__).resolve().parents[4] / "shared" / "reference" / "salesforce.md"
WORLD = {
    "accounts": [{"id": "A1", "name": "Buyer SA"}],
    "people": [{"kind": "contact", "id": "C1", "name": "Carl Customer", "emails": ["carl@buyer.example"]}],
}
NINE = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
DRAFT = ActivityDraft("x:1", "call", NINE, NINE + dt.timedelta(minutes=10), subject="A talk")
KEYED = "Call_Id__c"


@dataclass(frozen=True)
class Case:
    """A code, the status with which it refuses a request, the error that this is, and what becomes of a row with it.

    ``row`` is None for what is never said of a row; ``field`` is the one that is blamed, in ``fields`` or in the sentence.
    """

    code: str
    status: int
    error: type[ConnectorError]
    row: WriteOutcome | None
    sentence: str = "as Salesforce put it"
    field: str | None = None
    fields: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Name it in the report."""
        return self.code + (f", {self.sentence.split()[0]}" if self.code == "REQUEST_LIMIT_EXCEEDED" else "")


def blaming(field: str) -> dict[str, Any]:
    """Give a field that the answer names beside its sentence."""
    return {"field": field, "fields": (field,)}


NO_COLUMN = "No such column 'Region__c' on sobject of type Task"
NO_OBJECT = "sObject type 'Task' is not supported."
CASES = [
    Case("INVALID_SESSION_ID", 401, CredentialsError, None),
    Case("INVALID_LOGIN", 400, CredentialsError, None),
    Case("INVALID_GRANT", 400, CredentialsError, None),
    Case("LOGIN_MUST_USE_SECURITY_TOKEN", 400, CredentialsError, None),
    Case("INVALID_OPERATION_WITH_EXPIRED_PASSWORD", 400, CredentialsError, None),
    Case("REQUEST_LIMIT_EXCEEDED", 403, TryAgainError, "deferred", "TotalRequests Limit exceeded."),
    Case("REQUEST_LIMIT_EXCEEDED", 403, TryAgainError, "deferred", "ConcurrentRequests Limit exceeded."),
    Case("REQUEST_LIMIT_EXCEEDED", 403, TryAgainError, "deferred", "ConcurrentPerOrgLongTxn Limit exceeded"),
    Case("SERVER_UNAVAILABLE", 503, TryAgainError, "deferred"),
    Case("UNABLE_TO_LOCK_ROW", 400, TryAgainError, "deferred"),
    Case("QUERY_TIMEOUT", 400, TryAgainError, "deferred"),
    Case("OPERATION_TOO_LARGE", 400, RefusedError, None),
    Case("QUERY_TOO_COMPLICATED", 400, RefusedError, None),
    Case("INVALID_QUERY_LOCATOR", 400, TryAgainError, None),
    Case("MALFORMED_QUERY", 400, ContractError, None),
    Case("MALFORMED_SEARCH", 400, ContractError, None),
    Case("INVALID_SEARCH", 400, ContractError, None),
    Case("INVALID_QUERY_FILTER_OPERATOR", 400, ContractError, None),
    Case("INVALID_FIELD", 400, MissingRightError, "refused", NO_COLUMN, "Region__c"),
    Case("INVALID_TYPE", 400, MissingRightError, "refused", NO_OBJECT, "Task"),
    Case("INVALID_FIELD_FOR_INSERT_UPDATE", 400, MissingRightError, "refused", **blaming("Region__c")),
    Case("REQUIRED_FIELD_MISSING", 400, RefusedError, "refused", **blaming("Region__c")),
    Case("FIELD_CUSTOM_VALIDATION_EXCEPTION", 400, RefusedError, "refused", "Say where it was", **blaming("Region__c")),
    Case("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", 400, RefusedError, "refused"),
    Case("CANNOT_EXECUTE_FLOW_TRIGGER", 400, RefusedError, "refused"),
    Case("APEX_ERROR", 400, RefusedError, "refused"),
    Case("STRING_TOO_LONG", 400, RefusedError, "refused", **blaming("Subject")),
    Case("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", 400, RefusedError, "refused", **blaming("Status")),
    Case("FIELD_INTEGRITY_EXCEPTION", 400, RefusedError, "refused", **blaming("WhoId")),
    Case("INVALID_CROSS_REFERENCE_KEY", 400, RefusedError, "refused", **blaming("WhatId")),
    Case("INVALID_CROSS_REFERENCE_KEY", 404, RefusedError, "refused"),
    Case("ENTITY_IS_DELETED", 404, RefusedError, "refused"),
    Case("ENTITY_IS_DELETED", 400, RefusedError, "refused"),
    Case("MALFORMED_ID", 400, ContractError, "refused", **blaming("WhoId")),
    Case("NOT_FOUND", 404, ConfigurationError, "refused"),
    Case("INSUFFICIENT_ACCESS", 403, MissingRightError, "refused"),
    Case("INSUFFICIENT_ACCESS_OR_READONLY", 403, MissingRightError, "refused"),
    Case("INSUFFICIENT_ACCESS_OR_READONLY", 400, MissingRightError, "refused"),
    Case("INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY", 400, MissingRightError, "refused"),
    Case("ENTITY_IS_LOCKED", 400, TryAgainError, "deferred"),
    Case("CANNOT_UPDATE_CONVERTED_LEAD", 400, RefusedError, "refused"),
    Case("INACTIVE_OWNER_OR_USER", 400, RefusedError, "refused"),
    Case("DUPLICATE_VALUE", 400, RefusedError, "refused"),
    Case("DUPLICATE_EXTERNAL_ID", 300, RefusedError, "refused"),
    Case("DUPLICATES_DETECTED", 400, RefusedError, "refused"),
    Case("ALL_OR_NONE_OPERATION_ROLLED_BACK", 400, TryAgainError, "deferred"),
    Case("PROCESSING_HALTED", 400, TryAgainError, "deferred"),
    Case("BATCH_PROCESSING_HALTED", 412, TryAgainError, "deferred"),
    Case("API_DISABLED_FOR_ORG", 403, MissingRightError, None),
    Case("API_CURRENTLY_DISABLED", 403, MissingRightError, None),
    Case("TXN_SECURITY_METERING_ERROR", 403, MissingRightError, "refused"),
    Case("STORAGE_LIMIT_EXCEEDED", 403, RefusedError, "refused"),
    Case("LIMIT_EXCEEDED", 400, RefusedError, "refused"),
    Case("INSERT_UPDATE_DELETE_NOT_ALLOWED_DURING_MAINTENANCE", 400, TryAgainError, "deferred"),
    Case("INVALID_READ_ONLY_USER_DML", 400, TryAgainError, "deferred"),
    Case("JSON_PARSER_ERROR", 400, ContractError, None),
    Case("UNKNOWN_EXCEPTION", 500, TryAgainError, "unknown"),
    Case("UNKNOWN_EXCEPTION", 400, TryAgainError, "unknown"),
]
STATUSES: dict[int, type[ConnectorError]] = {
    **dict.fromkeys((406, 420, 429, 500, 502, 503, 504), TryAgainError),
    **dict.fromkeys((409, 412), RefusedError),
    **dict.fromkeys((410, 414, 415, 431), ConfigurationError),
}
"""What an answer without a code is."""

Connect = Callable[..., Any]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_refused_request_is_the_error_that_says_what_to_do(connect: Connect, case: Case) -> None:
    """A refusal of what was asked keeps the sentence, the code and the field; no message quotes the sentence."""
    desk = connect(WORLD)
    body = [{"errorCode": case.code, "message": case.sentence, "fields": list(case.fields)}]
    desk.post("faults", [{"match": {"path": "*/composite"}, "do": {"status": case.status, "body": body}}])
    with pytest.raises(ConnectorError) as caught:
        desk.adapter.find_contacts_by_email(["carl@buyer.example"])
    error = caught.value

    assert type(error) is case.error
    assert case.sentence not in str(error)
    if isinstance(error, RefusedError):
        assert (error.code, error.sentence, error.field) == (case.code, case.sentence, case.field)


def row(connect: Connect, code: str, sentence: str, fields: tuple[str, ...] = (), **settings: Any) -> Receipt:
    """Write an activity whose row is refused."""
    desk = connect(WORLD, **settings)
    errors = [{"statusCode": code, "message": sentence, "fields": list(fields)}]
    answer = {"status": 200, "body": [{"success": False, "errors": errors}]}
    desk.post("faults", [{"match": {"path": "*/composite/sobjects"}, "do": answer}])
    receipt: Receipt = desk.adapter.write_activity([DRAFT])["x:1"]
    return receipt


ROWS = [case for case in CASES if case.row is not None]


@pytest.mark.parametrize("case", ROWS, ids=str)
def test_a_refused_row_has_the_receipt_that_says_what_becomes_of_it(connect: Connect, case: Case) -> None:
    """In Salesforce's own sentence, whatever it is; one that is refused for good has the code, and the field it blames."""
    receipt = row(connect, case.code, case.sentence, case.fields)

    assert receipt.outcome == case.row
    assert case.sentence in str(receipt.reason)
    if case.row == "refused":
        assert (receipt.code, receipt.field) == (case.code, case.field)


@pytest.mark.parametrize("case", ROWS, ids=str)
def test_a_field_that_is_filled_has_the_receipt_of_its_row(connect: Connect, case: Case) -> None:
    """The same sentence, and the same outcome."""
    desk = connect(WORLD)
    errors = [{"statusCode": case.code, "message": case.sentence, "fields": list(case.fields)}]
    answer = {"status": 200, "body": [{"success": False, "errors": errors}]}
    desk.post("faults", [{"match": {"path": "*/composite/sobjects"}, "do": answer}])
    update = RecordUpdate("Contact", desk.ids["C1"], {"Title": "CTO"})
    receipt = desk.adapter.fill_fields([update])["Contact", desk.ids["C1"]]["Title"]

    assert receipt.outcome == case.row
    assert case.sentence in str(receipt.reason)


@pytest.mark.parametrize("status", STATUSES)
def test_an_answer_without_a_code_goes_by_its_status(connect: Connect, status: int) -> None:
    """A page of HTML, as what stands before Salesforce answers."""
    desk = connect(WORLD)
    desk.post("faults", [{"match": {"path": "*/composite"}, "do": {"status": status, "body": "<html>"}}])
    with pytest.raises(ConnectorError) as caught:
        desk.adapter.find_contacts_by_email(["carl@buyer.example"])

    assert type(caught.value) is STATUSES[status]


@pytest.mark.parametrize("code", ["CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", "CANNOT_EXECUTE_FLOW_TRIGGER", "APEX_ERROR"])
@pytest.mark.parametrize("passing", ["UNABLE_TO_LOCK_ROW, unable to obtain", "Too many SOQL queries: 101"])
def test_a_trigger_that_ran_into_what_passes_is_asked_again(connect: Connect, code: str, passing: str) -> None:
    """The sentence decides then, and not the code."""
    assert row(connect, code, f"Logger: execution of AfterInsert caused by: {passing}").outcome == "deferred"


def test_a_limit_of_the_day_is_asked_for_again_in_an_hour_and_one_of_the_moment_sooner(connect: Connect) -> None:
    """One code has both."""
    waits = {}
    for sentence in ("TotalRequests Limit exceeded.", "ConcurrentRequests Limit exceeded."):
        desk = connect(WORLD)
        body = [{"errorCode": "REQUEST_LIMIT_EXCEEDED", "message": sentence}]
        desk.post("faults", [{"do": {"status": 403, "body": body}}])
        with pytest.raises(TryAgainError) as caught:
            desk.adapter.find_contacts_by_email(["carl@buyer.example"])
        waits[sentence.split()[0]] = caught.value.after_seconds

    assert waits == {"TotalRequests": 3600.0, "ConcurrentRequests": 20.0}


@pytest.mark.parametrize(("field", "refused"), [("OwnerId", True), ("Subject", False)])
def test_an_owner_who_is_refused_is_told_apart(connect: Connect, field: str, refused: bool) -> None:
    """By the field as well as by INACTIVE_OWNER_OR_USER: another owner is tried then."""
    assert row(connect, "INACTIVE_OWNER_OR_USER", "inactive user").owner_refused
    assert row(connect, "INVALID_CROSS_REFERENCE_KEY", "invalid id", (field,)).owner_refused is refused


def test_a_key_that_is_there_already_is_looked_for(connect: Connect) -> None:
    """Two processes may have sent the same call: which record it is, the next look-up says."""
    sentence = f"duplicate value found: {KEYED} duplicates value on record with id: 00T000000000001"
    desk = connect(WORLD, key_field=KEYED)
    desk.post("org", {"custom_fields": [{"object": "Activity", "name": KEYED, "external_id": True, "unique": True}]})
    receipts = desk.adapter.write_activity([DRAFT])
    again = desk.adapter.write_activity([DRAFT])

    assert (receipts["x:1"].outcome, again["x:1"].outcome, again["x:1"].field) == ("created", "unknown", KEYED)
    assert row(connect, "DUPLICATE_VALUE", sentence).outcome == "refused"


DUPLICATES = {
    "allowSave": False,
    "duplicateRule": "One_per_address",
    "duplicateRuleEntityType": "Contact",
    "matchResults": [
        {"matchRecords": [{"record": {"attributes": {"type": "Contact"}, "Id": f"00300000000000{it}AAA"}}]}
        for it in (1, 2)
    ],
}


@pytest.mark.parametrize("key", ["duplicateResult", "duplicateResut"])
def test_a_duplicate_rule_is_told_with_what_it_found(connect: Connect, key: str) -> None:
    """By both spellings of Salesforce's, of a row and of a request that was refused whole."""
    told = "A talk is a talk (duplicate rule One_per_address: 003000000000001AAA, 003000000000002AAA)"
    error = {key: DUPLICATES, "errorCode": "DUPLICATES_DETECTED", "message": "A talk is a talk", "fields": []}
    desk = connect(WORLD)
    answers = {200: [{"success": False, "errors": [error]}], 400: [error]}
    for status, body in answers.items():
        desk.post("faults", [{"match": {"path": "*/composite/sobjects"}, "do": {"status": status, "body": body}}])
        receipt = desk.adapter.write_activity([DRAFT])["x:1"]

        assert (receipt.outcome, receipt.code, receipt.reason) == ("refused", "DUPLICATES_DETECTED", told)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        ("nonsense", "No."),
        ({}, "No."),
        ({"duplicateRule": "R"}, "No. (duplicate rule R)"),
        ({"duplicateRule": "R", "matchResults": 7}, "No. (duplicate rule R)"),
        ({"duplicateRule": "R", "matchResults": [7, {"matchRecords": [{"record": 7}, {}]}]}, "No. (duplicate rule R)"),
    ],
)
def test_what_a_duplicate_rule_leaves_out_is_not_missed(connect: Connect, found: Any, told: str) -> None:
    """The sentence stays."""
    error = {"duplicateResult": found, "statusCode": "DUPLICATES_DETECTED", "message": "No.", "fields": []}
    desk = connect(WORLD)
    answer = {"status": 200, "body": [{"success": False, "errors": [error]}]}
    desk.post("faults", [{"match": {"path": "*/composite/sobjects"}, "do": answer}])

    assert desk.adapter.write_activity([DRAFT])["x:1"].reason == told


def table() -> str:
    """Read the table of errors that the project was written by, which is no part of it."""
    if not REFERENCE.is_file():
        pytest.skip("the reference is not there")
    (section,) = re.findall(
        r"^## 5\. Errors$(.*?)^-{10,}$", REFERENCE.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return str(section)


def test_no_code_of_the_reference_is_missing() -> None:
    """Each code of its table's first column is above."""
    first = [line.split("|")[1] for line in table().splitlines() if line.startswith("|")]
    codes = {code for cell in first for code in re.findall(r"\b[A-Z]+(?:_[A-Z]+)+\b", cell)}

    assert len(codes) > 50
    assert codes - {case.code for case in CASES} == set()


def test_no_status_of_the_reference_is_missing() -> None:
    """Each status that comes without a code."""
    lines = [line.split("|")[1] for line in table().splitlines() if line.startswith("| (no code)")]
    statuses = {int(status) for cell in lines for status in re.findall(r"\d{3}", cell)}

    assert len(statuses) > 10
    assert statuses - STATUSES.keys() == set()
