"""Further properties of activities, checked against their description before anything is sent."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from connector_hubspot.adapter import HubSpotAdapter
from connector_hubspot.checking import Checks
from connector_hubspot.client import HubSpotClient
from connector_hubspot.settings import HubSpotSettings

from connector_core.manifest import ConnectionInfo
from connector_core.model import ActivityDraft, Replaced

Connect = Callable[..., Any]
START = dt.datetime(2026, 3, 2, 10, tzinfo=dt.UTC)
END = START + dt.timedelta(minutes=30)
CREATE = "/crm/objects/2026-09/calls/batch/create"
DESCRIBE = "/crm/properties/2026-09/calls"
OWN = {"properties": {"calls": [{"name": "source"}, {"name": "score"}], "meetings": [{"name": "source"}]}}


def draft(key: str, kind: Any = "call", **fields: Any) -> ActivityDraft:
    """Make one of a new activity."""
    return ActivityDraft(key, kind, START, END, subject="Talk", body=f"ref: {key}", fields=fields)


@pytest.fixture
def account(connect: Connect) -> Any:
    """Serve an account with properties of its own."""
    found = connect()
    found.sandbox.org(OWN)
    return found


@pytest.mark.parametrize(
    ("change", "name", "code"),
    [
        ({}, "nowhere", "PROPERTY_DOESNT_EXIST"),
        ({"hidden": {"calls": ["score"]}}, "score", "PROPERTY_DOESNT_EXIST"),
        ({"read_only": {"calls": ["score"]}}, "score", "READ_ONLY_VALUE"),
        ({}, "hs_createdate", "READ_ONLY_VALUE"),
    ],
)
def test_what_hubspot_would_refuse_is_named_and_not_sent(
    account: Any, change: dict[str, Any], name: str, code: str
) -> None:
    """A property that is not there, is not shown, or may not be set; the other drafts are written."""
    account.sandbox.org(change)
    receipts = account.adapter.write_activity([draft("x:1", source="a", **{name: "b"}), draft("x:2", source="a")])

    refused = receipts["x:1"]
    assert (refused.outcome, refused.field, refused.code) == ("refused", name, code)
    assert f'"{name}"' in str(refused.reason)
    assert receipts["x:2"].outcome == "created"
    assert [it["properties"]["source"] for it in account.sandbox.records()["calls"]] == ["a"]


def test_all_that_are_wrong_cost_no_create(account: Any) -> None:
    """However many drafts there are, and each is told."""
    receipts = account.adapter.write_activity([draft(f"x:{number}", nowhere="a") for number in range(30)])

    assert {it.field for it in receipts.values()} == {"nowhere"}
    assert account.requests() == [DESCRIBE]


def test_what_may_be_written_is_remembered(account: Any) -> None:
    """A description serves many writes, also of other properties, until one comes that it does not have."""
    for key, fields in (("x:1", {"source": "a"}), ("x:2", {"score": "1"}), ("x:3", {"nowhere": "b"})):
        account.adapter.write_activity([draft(key, **fields)])

    assert account.requests() == [DESCRIBE, CREATE, CREATE, DESCRIBE]


def test_a_description_is_asked_for_again_after_a_while(account: Any) -> None:
    """After ten minutes it may be another."""
    now = [0.0]
    with contextlib.closing(HubSpotClient(HubSpotSettings.model_validate(account.server.settings))) as client:
        checks = Checks(client, clock=lambda: now[0])
        for now[0] in (0.0, 599.0, 601.0):
            assert checks.problems("calls", {"source"}) == {}

    assert account.requests() == [DESCRIBE] * 2


def test_a_property_that_was_made_meanwhile_is_written(account: Any) -> None:
    """What was missing is asked for anew, and not remembered as missing."""
    assert account.adapter.write_activity([draft("x:1", late="a")])["x:1"].outcome == "refused"
    account.sandbox.org({"properties": {"calls": [{"name": "late"}]}})

    assert account.adapter.write_activity([draft("x:1", late="a")])["x:1"].outcome == "created"


def test_drafts_without_further_properties_cost_no_more(account: Any) -> None:
    """Nothing is described for what the connector writes itself."""
    account.adapter.write_activity([draft("x:1")])

    assert account.requests() == [CREATE]


def test_each_object_has_its_own(account: Any) -> None:
    """A property of calls is none of meetings."""
    receipts = account.adapter.write_activity([draft("x:1", score="1"), draft("x:2", "meeting", score="1")])

    assert [(it.outcome, it.field) for it in receipts.values()] == [("created", None), ("refused", "score")]


def test_a_change_is_checked_too(account: Any) -> None:
    """What became read-only is named, and of what is not to be changed nothing is said."""
    made = account.adapter.write_activity([draft("x:1", source="a"), draft("x:2", source="a")])
    account.sandbox.org({"read_only": {"calls": ["source"]}})
    changed, same = (
        ActivityDraft(key, "call", START, END, activity_id=made[key].id, fields={"source": value}, body="new",
                      replaces=Replaced(body=made[key].body, fields={"source": "a"}))
        for key, value in (("x:1", "b"), ("x:2", "a"))
    )  # fmt: skip
    settings = HubSpotSettings.model_validate(account.server.settings)
    with contextlib.closing(HubSpotAdapter(settings, ConnectionInfo("later"))) as later:
        receipts = later.write_activity([changed, same])

    refused = receipts["x:1"]
    assert (refused.outcome, refused.field, refused.id) == ("refused", "source", made["x:1"].id)
    assert refused.reason == 'HubSpot lets nobody set "source" of calls'
    assert receipts["x:2"].outcome == "updated"


@pytest.mark.parametrize("answer", [{"status": 403, "body": {"category": "MISSING_SCOPES"}}, {"status": 503}])
def test_without_a_description_hubspot_answers_itself(account: Any, answer: dict[str, Any]) -> None:
    """What cannot be checked is sent, and refused in HubSpot's own words."""
    account.faults({"match": {"path": "/crm/properties/*"}, "do": answer})
    receipts = account.adapter.write_activity([draft("x:1", source="a"), draft("x:2", nowhere="b")])

    assert [(it.outcome, it.reason) for it in receipts.values()] == [
        ("created", None),
        ("refused", 'Property "nowhere" does not exist'),
    ]


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 200, "body": {"hubId": 1, "scopes": ["crm.objects.contacts.highly_sensitive.write"]}},
        {"status": 404, "body": {"message": "no"}},
    ],
)
def test_what_may_be_sensitive_data_is_sent(account: Any, answer: dict[str, Any]) -> None:
    """Its properties are listed apart, so that what is not listed may be there."""
    account.faults({"match": {"path": "/oauth/v2/*"}, "do": answer})
    account.adapter.write_activity([draft("x:1", diagnosis="a")])

    assert account.requests() == [DESCRIBE, CREATE]
