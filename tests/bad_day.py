"""A CRM's sandbox that has a bad day, and the calls of that day.

Waits between attempts are noted and not slept, all else is real: the sandbox over HTTP, the SDK, the connection.
"""

from __future__ import annotations

import functools
import json
import re
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from connector_hubspot.sandbox import sign_in
from connector_salesforce.sandbox import sessions

from connector_core.association import Settings
from connector_core.binding import bind
from connector_core.connection import Connection
from connector_core.crms.world import parse_world
from connector_core.discovery import crm as installed
from connector_core.hookspecs import hookimpl
from connector_core.manifest import ConnectionInfo, load
from connector_core.model import Call
from connector_core.policy import RequestPolicy
from connector_core.sync import SyncResult, sync
from connector_core.testing.sandbox import Sandbox
from connector_core.testing.server import SandboxServer

CRMS = ("salesforce", "hubspot")
Rule = Mapping[str, Any]

LOOK_UP: Mapping[str, Rule] = {
    "salesforce": {"path": "*/composite", "body": "*query*"},
    "hubspot": {"path": "*/contacts/*"},
}
"""The requests that look people up."""
CREATE: Mapping[str, Rule] = {
    "salesforce": {"path": "*/composite*", "body": '*"Subject"*'},
    "hubspot": {"path": "*/batch/create"},
}
"""The requests that create activities."""
CHANGE: Mapping[str, Rule] = {"salesforce": {"method": "PATCH"}, "hubspot": {"path": "*/batch/update"}}
"""The requests that change activities."""
TOKEN: Mapping[str, Rule] = {"salesforce": {"path": "*/oauth2/token"}, "hubspot": {"path": "*/token"}}
"""The requests for an access token."""

APP: Mapping[str, dict[str, Any]] = {
    "salesforce": {
        "access_token": None,
        "client_id": sessions.CLIENT_ID,
        "client_secret": sessions.CLIENT_SECRET,
    },
    "hubspot": {
        "access_token": None,
        "client_id": sign_in.CLIENT_ID,
        "client_secret": sign_in.CLIENT_SECRET,
        "refresh_token": sign_in.REFRESH_TOKEN,
    },
}
"""Settings that sign in as an app, whose tokens are renewed."""
STATIC: Mapping[str, dict[str, Any]] = {
    "salesforce": {"client_id": None, "client_secret": None},
    "hubspot": {**dict.fromkeys(APP["hubspot"]), "access_token": sign_in.ACCESS_TOKEN},
}
"""Settings with a token that was handed in."""

BODIES = {
    "Task": "Description",
    "Event": "Description",
    "calls": "hs_call_body",
    "meetings": "hs_internal_meeting_notes",
}


def world(people: int) -> dict[str, Any]:
    """Make a world in which each person has an address and a number, and some have an opportunity."""
    return {
        "accounts": [{"id": "A1", "name": "Buyer SA"}],
        "users": [{"id": "U1", "email": "ada@seller.example", "name": "Ada Agent"}],
        "people": [
            {
                "kind": "contact",
                "id": f"C{number}",
                "name": f"Carl Customer {number}",
                "emails": [f"c{number}@buyer.example"],
                "phones": [f"+3363998{number:04}"],
                "title": "CTO",
                "account_id": "A1",
            }
            for number in range(people)
        ],
        "opportunities": [
            {
                "id": f"O{number}",
                "name": f"Renewal {number}",
                "account_id": "A1",
                "owner_id": "U1",
                "created_at": "2026-02-01T00:00:00Z",
                "contact_ids": [f"C{number}"],
                "next_step": "Send the quote",
            }
            for number in range(0, people, 3)
        ],
    }


def call(number: int, **more: Any) -> dict[str, Any]:
    """Make a call with one person of the world, each third with the next one too; odd ones are meetings."""
    guests = [number, number + 1] if number % 3 == 0 else [number]
    day = f"2026-03-{1 + number % 28:02}T{9 + number // 28:02}"
    return {
        "id": f"bad:{number}",
        "provider": "test",
        "kind": "meeting" if number % 2 else "phone",
        "title": f"Talk {number}",
        "started_at": f"{day}:00:00Z",
        "ended_at": f"{day}:30:00Z",
        "organizer": {"email": "ada@seller.example"},
        "participants": [
            {"is_user": True, "emails": ["ada@seller.example"]},
            *(
                {"is_user": False, "name": "Carl", "emails": [f"c{it}@buyer.example"], "phones": [f"+3363998{it:04}"]}
                for it in guests
            ),
        ],
        **more,
    }


def calls(count: int) -> list[Call]:
    """Make calls."""
    return [Call.model_validate(call(number)) for number in range(count)]


CALLS = calls(6)


def without_waiting(patch: pytest.MonkeyPatch) -> list[float]:
    """Let connections that are made from now on note what they would wait, in seconds, and go on."""
    waits: list[float] = []
    for plugin in ("connector_salesforce", "connector_hubspot"):
        patch.setattr(f"{plugin}.client.RequestPolicy", functools.partial(RequestPolicy, sleep=waits.append))
    return waits


class Heard:
    """Hears what operations raise."""

    def __init__(self) -> None:
        """Hear nothing yet."""
        self.errors: list[BaseException] = []

    @hookimpl
    def operation_finished(
        self, connection: str, operation: str, keys: int, error: BaseException | None, seconds: float
    ) -> None:
        """Keep the error."""
        if error is not None:
            self.errors.append(error)


@dataclass(slots=True)
class Service:
    """The outside of a sandbox: what a test sets and sees."""

    url: str

    def faults(self, *rules: Rule) -> None:
        """Replace the fault rules."""
        self._post("faults", list(rules))

    def org(self, **changes: Any) -> None:
        """Change the organization."""
        self._post("org", changes)

    def get(self, what: str) -> Any:
        """Give the journal, the records or the ids."""
        with urllib.request.urlopen(f"{self.url}/_sandbox/{what}") as answer:  # noqa: S310 - an address of our own
            return json.load(answer)

    def asked(self, part: str = "") -> int:
        """Count the requests whose path holds a text."""
        return sum(part in entry["path"] for entry in self.get("journal"))

    @property
    def written(self) -> Counter[str]:
        """Count the activities of each call."""
        return Counter(found for found, _ in self._activities())

    @property
    def links(self) -> dict[str, Any]:
        """Give what the activity of each call is associated with."""
        return {
            found: row["associations"] if "associations" in row else (row["WhoId"], row["WhatId"])
            for found, row in self._activities()
        }

    def _activities(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Give each activity with the call that its body names, as often as it does."""
        records = self.get("records")
        for kind, body in BODIES.items():
            for row in records.get(kind, ()):
                for found in re.findall(r"ref: (bad:\d+)", row.get("properties", row).get(body) or ""):
                    yield found, row

    def _post(self, what: str, value: object) -> None:
        request = urllib.request.Request(f"{self.url}/_sandbox/{what}", json.dumps(value).encode())  # noqa: S310 - likewise
        urllib.request.urlopen(request).close()  # noqa: S310 - likewise


@dataclass(slots=True)
class Day:
    """A sandbox and a connection to it."""

    service: Service
    connection: Connection
    heard: Heard = field(default_factory=Heard)
    waits: list[float] = field(default_factory=list)

    def sync(
        self, some: Sequence[Call] = CALLS, *, sleep: Callable[[float], None] = lambda _: None
    ) -> list[SyncResult]:
        """Sync calls."""
        return list(sync(self.connection, some, Settings(regions=("FR",)), sleep=sleep))


def sandbox(crm: str, people: int = 8, activities: Sequence[Mapping[str, Any]] = ()) -> Sandbox:
    """Make a sandbox with a world, and with activities in it."""
    seed = {**world(people), "activities": list(activities)}
    made: Sandbox = load(installed(crm).sandbox or "", of=crm)(parse_world(seed))
    return made


@contextmanager
def connected(crm: str, url: str, settings: Mapping[str, Any]) -> Iterator[Day]:
    """Connect to a sandbox."""
    heard = Heard()
    given = {key: value for key, value in settings.items() if value is not None}
    with pytest.MonkeyPatch.context() as patch:
        waits = without_waiting(patch)
        info = ConnectionInfo("acme", ("FR",))
        with bind(installed(crm), given, info, observers=[heard]) as connection:
            yield Day(Service(url), connection, heard, waits)


@contextmanager
def bad_day(
    crm: str, *, people: int = 8, activities: Sequence[Mapping[str, Any]] = (), **settings: Any
) -> Iterator[Day]:
    """Serve a sandbox, and connect to it; ``settings`` of the connection replace the sandbox's own, None leaves out."""
    with (
        SandboxServer(sandbox(crm, people, activities)) as server,
        connected(crm, server.url, {**server.settings, "settle_seconds": 0, **settings}) as day,
    ):
        yield day


def once_each(some: Sequence[Call] = CALLS) -> Counter[str]:
    """Give what is written when each call has one activity."""
    return Counter(each.id for each in some)


def outcomes(results: Sequence[SyncResult]) -> list[str]:
    """Give the outcomes."""
    return [result.outcome for result in results]
