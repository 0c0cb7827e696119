"""Calls that no notification told of are listed, from a stand-in of Graph."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from connector_microsoft_teams import MICROSOFT_TEAMS
from connector_microsoft_teams.listing import announced_since
from connector_microsoft_teams.sandbox import GraphSandbox, Tenant

from connector_core import policy
from connector_core.errors import ConfigurationError, CredentialsError, InputError, TryAgainError
from connector_core.providers.binding import bind_provider
from connector_core.providers.hookspecs import Part
from connector_core.testing.server import SandboxServer

NOW = dt.datetime.now(dt.UTC)


def record(number: int, age: dt.timedelta) -> dict[str, Any]:
    """Make a record that began so long ago."""
    start = NOW - age
    return {
        "id": f"00000000-0000-0000-0000-{number:012}",
        "version": 1,
        "type": "groupCall",
        "startDateTime": start.isoformat(),
        "endDateTime": (start + dt.timedelta(minutes=5)).isoformat(),
        "joinWebUrl": "",
        "organizer_v2": None,
        "participants_v2": [],
    }


RECORDS = [
    record(1, dt.timedelta(days=40)),
    record(2, dt.timedelta(days=3)),
    *(record(number, dt.timedelta(hours=5, minutes=number)) for number in range(3, 260)),
]


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    """A stand-in of Graph; nobody waits between attempts."""
    monkeypatch.setattr(policy, "wait", lambda _seconds: None)
    with SandboxServer(GraphSandbox(Tenant(records=RECORDS))) as served:
        yield served


def numbers(server: SandboxServer, days: float, **settings: object) -> list[int]:
    """Give the numbers of the calls that began since."""
    found = announced_since({**server.settings, **settings}, NOW - dt.timedelta(days=days))
    return sorted(int(it.call_id[-12:]) for it in found if it.what == "record")


def test_all_records_since_are_announced_page_by_page(server: SandboxServer) -> None:
    """And none that is older."""
    assert numbers(server, 1) == list(range(3, 260))


def test_no_more_than_graph_keeps_is_asked_for(server: SandboxServer) -> None:
    """Thirty days, a day at a time."""
    assert numbers(server, 400) == list(range(2, 260))


def test_what_is_announced_can_be_fetched(server: SandboxServer) -> None:
    """As what a notification announced."""
    asked = announced_since(server.settings, NOW - dt.timedelta(days=4))[-3:]
    with bind_provider(MICROSOFT_TEAMS, server.settings) as teams:
        answers = teams.fetch(asked)
    parts = [part for answer in answers.values() if isinstance(answer, tuple) for part in answer]
    assert ([it.what for it in asked], [type(part) for part in parts]) == (["record", "attendance", "calendar"], [Part])


def test_what_the_connection_does_not_want_is_not_announced(server: SandboxServer) -> None:
    """As with notifications."""
    settings = {**server.settings, "attendance": False, "calendar": False}
    assert {it.what for it in announced_since(settings, NOW - dt.timedelta(days=1))} == {"record"}


def test_a_time_without_an_offset_is_refused(server: SandboxServer) -> None:
    """It could be meant anywhere."""
    with pytest.raises(InputError, match="since"):
        announced_since(server.settings, dt.datetime(2026, 3, 2))  # noqa: DTZ001 - to be refused


def test_wrong_settings_are_named(server: SandboxServer) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigurationError, match="tenant_id"):
        announced_since({**server.settings, "tenant_id": "common"}, NOW)


def test_without_the_permission_an_administrator_is_asked(server: SandboxServer) -> None:
    """It is the same that reading wants."""
    assert requests.post(f"{server.url}/_sandbox/org", json={"permissions": []}, timeout=60).status_code == 200
    with pytest.raises(CredentialsError, match="permission"):
        numbers(server, 1)


def test_a_limit_is_told_with_what_graph_asks_to_wait(server: SandboxServer) -> None:
    """Nothing is half announced."""
    rule = {"match": {"path": "/v1.0/*"}, "do": {"status": 429, "headers": {"Retry-After": 90}}}
    assert requests.post(f"{server.url}/_sandbox/faults", json=[rule], timeout=60).status_code == 200
    with pytest.raises(TryAgainError) as caught:
        numbers(server, 1)
    assert caught.value.after_seconds == 90
