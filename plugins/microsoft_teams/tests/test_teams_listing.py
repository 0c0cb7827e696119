"""Calls that no notification told of are listed, from a stand-in of Graph."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from connector_microsoft_teams import MICROSOFT_TEAMS
from connector_microsoft_teams.sandbox import GraphSandbox, Tenant

from connector_core import policy
from connector_core.errors import CredentialsError, InputError, TryAgainError
from connector_core.providers.binding import Provider, bind_provider
from connector_core.providers.hookspecs import Announced, Part
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


@pytest.fixture
def teams(server: SandboxServer) -> Iterator[Provider]:
    """A provider that lists there."""
    with bind_provider(MICROSOFT_TEAMS, server.settings) as bound:
        yield bound


def listed(teams: Provider, days: float) -> list[Announced]:
    """Read a list to its end."""
    since = NOW - dt.timedelta(days=days)
    found = teams.list_missed(since, None)
    heard = [*found.heard]
    while found.next is not None:
        found = teams.list_missed(since, found.next)
        heard += found.heard
    return [each for each in heard if isinstance(each, Announced)]


def numbers(teams: Provider, days: float) -> list[int]:
    """Give the numbers of the calls that began since."""
    return sorted(int(it.call_id[-12:]) for it in listed(teams, days) if it.what == "record")


def test_all_records_since_are_announced_page_by_page(teams: Provider) -> None:
    """And none that is older; an hour may have several pages of Graph's."""
    assert numbers(teams, 1) == list(range(3, 260))


def test_no_more_than_graph_keeps_is_asked_for(teams: Provider) -> None:
    """Thirty days, an hour at a time."""
    assert numbers(teams, 400) == list(range(2, 260))


def test_what_is_announced_can_be_fetched(teams: Provider) -> None:
    """As what a notification announced."""
    asked = listed(teams, 4)[:3]
    parts = [part for answer in teams.fetch(asked).values() if isinstance(answer, tuple) for part in answer]
    assert ([it.what for it in asked], [type(part) for part in parts]) == (["record", "attendance", "calendar"], [Part])


def test_what_the_connection_does_not_want_is_not_announced(server: SandboxServer) -> None:
    """As with notifications."""
    settings = {**server.settings, "attendance": False, "calendar": False}
    with bind_provider(MICROSOFT_TEAMS, settings) as teams:
        assert {it.what for it in listed(teams, 1)} == {"record"}


@pytest.mark.parametrize("page", ["", "2", "2026-03-02T09:00:00"])
def test_a_page_of_another_list_is_refused(teams: Provider, page: str) -> None:
    """A time without an offset could be meant anywhere."""
    with pytest.raises(InputError, match="page"):
        teams.list_missed(NOW, page)


def test_without_the_permission_an_administrator_is_asked(server: SandboxServer, teams: Provider) -> None:
    """It is the same that reading wants."""
    assert requests.post(f"{server.url}/_sandbox/org", json={"permissions": []}, timeout=60).status_code == 200
    with pytest.raises(CredentialsError, match="permission"):
        numbers(teams, 1)


def test_a_limit_is_told_with_what_graph_asks_to_wait(server: SandboxServer, teams: Provider) -> None:
    """Nothing is half announced."""
    rule = {"match": {"path": "/v1.0/*"}, "do": {"status": 429, "headers": {"Retry-After": 90}}}
    assert requests.post(f"{server.url}/_sandbox/faults", json=[rule], timeout=60).status_code == 200
    with pytest.raises(TryAgainError) as caught:
        numbers(teams, 1)
    assert caught.value.after_seconds == 90
