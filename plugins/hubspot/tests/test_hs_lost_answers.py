"""Exactly one activity, although answers get lost: the core's sync through this plugin."""

from __future__ import annotations

from typing import Any

import pytest
from connector_hubspot import HUBSPOT
from connector_hubspot.sandbox import HubSpotSandbox

from connector_core.association import Settings
from connector_core.binding import bind
from connector_core.crms.world import parse_world
from connector_core.manifest import ConnectionInfo
from connector_core.model import Call
from connector_core.policy import RequestPolicy
from connector_core.sync import sync
from connector_core.testing.server import SandboxServer

WORLD = {"people": [{"kind": "contact", "id": "C", "name": "C", "emails": ["c@x.example"]}]}
LOST = {"match": {"path": "*/batch/create"}, "times": 2, "do": {"drop_after_commit": True}}
LIMITED = {"match": {"path": "*/batch/create"}, "times": 2, "do": {"status": 429, "headers": {"Retry-After": "0"}}}
LAGGING = {"do": {"index_lag_seconds": 3600}}


def calls(email: str) -> list[Call]:
    """Make a phone call and two meetings with one guest."""
    return [
        Call.model_validate(
            {
                "id": f"test:{hour}",
                "provider": "test",
                "kind": kind,
                "started_at": f"2026-03-02T{hour}:00:00Z",
                "ended_at": f"2026-03-02T{hour}:30:00Z",
                "participants": [{"is_user": False, "emails": [email]}],
            }
        )
        for hour, kind in ((10, "phone"), (11, "meeting"), (12, "meeting"))
    ]


@pytest.mark.parametrize(
    ("faults", "email"),
    [
        ([LOST], "c@x.example"),
        ([LOST, LAGGING], "c@x.example"),
        ([LOST], "nobody@x.example"),
        ([LIMITED], "c@x.example"),
    ],
    ids=["answer lost", "answer lost, searches lag", "nobody matched", "limited"],
)
def test_each_call_becomes_one_activity(faults: list[Any], email: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever happens to the answers, each call is written once, and the same calls again write nothing."""
    monkeypatch.setattr(RequestPolicy, "_backoff", staticmethod(lambda _: 0.0))
    sandbox = HubSpotSandbox(parse_world(WORLD))
    with SandboxServer(sandbox, faults=faults) as server:
        settings = {**server.settings, "settle_seconds": 0}
        with bind(HUBSPOT, settings, ConnectionInfo("test", ("FR",))) as connection:
            first = [result.outcome for result in sync(connection, calls(email), Settings(regions=("FR",)))]
            again = [result.outcome for result in sync(connection, calls(email), Settings(regions=("FR",)))]
    held = sandbox.records()
    assert (first, again) == (["created"] * 3, ["unchanged"] * 3)
    assert (len(held["calls"]), len(held["meetings"])) == (1, 2)
