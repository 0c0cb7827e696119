"""Whatever stands in a body, it is read without failing."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from connector_hubspot.dispositions import Dispositions
from connector_hubspot.failures import errors_of, of_status, problems_of
from connector_hubspot.kinds import KINDS
from connector_hubspot.reading import made
from connector_hubspot.transport import parsed
from connector_hubspot.writing import _Writer
from hypothesis import given
from hypothesis import strategies as st

from connector_core.errors import ConnectorError, MissingRightError
from connector_core.model import ActivityDraft

NAMES = [
    "message",
    "errors",
    "context",
    "category",
    "code",
    "propertyName",
    "objectWriteTraceId",
    "ids",
    "results",
    "id",
]
NAMES += ["requiredGranularScopes", "INVALID_OBJECT_IDS", "name", "status", "subCategory"]
TEXTS = st.sampled_from(["x:1", "VALIDATION_ERROR", '[{"name":"a"}]', "[{}]", "[{", "CONTACT=1 is not valid", ""])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)
BODIES = st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6)


@given(BODIES, st.sampled_from([400, 401, 403, 404, 409, 477, 499, 501]))
def test_every_body_is_mapped(body: dict[str, Any], status: int) -> None:
    """A refusal with any body is an error of the connector."""
    assert isinstance(of_status(status, body), ConnectorError)


@given(BODIES)
def test_every_problem_is_text(body: dict[str, Any]) -> None:
    """What problems name is text, whatever the body held."""
    for problem in problems_of(body):
        parts = (problem.sentence, *problem.fields, *problem.ids, *problem.traces, *problem.gone)
        assert all(isinstance(part, str) for part in parts)


@given(BODIES)
def test_every_answer_to_a_write_leaves_a_receipt(body: dict[str, Any]) -> None:
    """After a write that was answered somehow, the draft has a receipt, and one that was made has its id."""
    at = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    client: Any = None  # nothing is sent
    writer = _Writer(client, Dispositions(client))
    writer._note(
        KINDS["call"], [ActivityDraft("x:1", "call", at, at)], body, "created", lambda result: str(result["id"])
    )
    receipt = writer._receipts["x:1"]
    assert (receipt.outcome == "created") == (receipt.id is not None)


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_every_body_is_an_object_or_nothing(body: bytes | str) -> None:
    """Bytes that are no JSON object are none."""
    assert isinstance(parsed(body), dict | None)


@given(BODIES)
def test_what_an_answer_names_can_be_used(body: dict[str, Any]) -> None:
    """Results and errors of an answer are objects, and results have ids."""
    assert all("id" in record for record in made(body))
    assert all(isinstance(entry, dict) for entry in errors_of(body))


@pytest.mark.parametrize(
    ("body", "right"),
    [
        ({"context": {"requiredGranularScopes": ["crm.objects.deals.read"]}}, "crm.objects.deals.read"),
        (
            {"errors": [{"context": {"requiredGranularScopes": ["a", "crm.objects.owners.read"]}}]},
            "crm.objects.owners.read",
        ),
        ({"errors": [{"context": {"requiredGranularScopes": ["a", "b"]}}]}, "a or b"),
        ({"message": "You do not have permissions (requires one of [contacts-read])"}, "contacts-read"),
        ({}, None),
    ],
)
def test_the_scopes_that_would_help_are_named(body: dict[str, Any], right: str | None) -> None:
    """Of the many scopes that would do, those of this plugin are named; else what HubSpot says."""
    error = of_status(403, body)
    assert isinstance(error, MissingRightError)
    assert error.right == right
