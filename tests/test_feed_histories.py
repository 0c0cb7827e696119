"""Whatever happens in a CRM and whenever its changes are read: every call that waits for a record is associated.

Records bear the time of their change and are seen when it is committed, up to ``settle_seconds`` later; many bear one time;
pages are short, and records change between them.
"""

from __future__ import annotations

import datetime as dt
import json
import sys
import tempfile
import types
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from connector_core.association import Settings
from connector_core.binding import bind
from connector_core.config import OpenConnection
from connector_core.feed import Feed
from connector_core.hookspecs import HOOK_API, hookimpl
from connector_core.ledger.ledger import Ledger
from connector_core.manifest import MUST, ConnectionInfo, CrmManifest
from connector_core.model import Call, Changed, ChangePage, Opportunities, Person, Receipt
from connector_core.pump import Pump

NINE = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
SETTLE_SECONDS = 600
CONTACTS = 5


@dataclass
class History:
    """What happens: of each contact, when it changes and is seen; the time passes with every page that is read."""

    page: int
    page_seconds: list[int]
    changes: list[tuple[int, int, int]]
    now: float = 0.0
    heard: list[str] = field(default_factory=list)

    def seen(self) -> dict[int, int]:
        """Give the contacts that are there to be seen, with the time that each bears."""
        changes = sorted(self.changes, key=lambda change: change[1])
        return {contact: at for contact, at, late in changes if at + late <= self.now}


class HistorySettings(BaseModel):
    """The history."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    history: Any


def moment(seconds: float) -> dt.datetime:
    """Give a time of the history."""
    return NINE + dt.timedelta(seconds=seconds)


class HistoryAdapter:
    """A CRM whose contacts come and change by a history."""

    def __init__(self, given: HistorySettings, info: ConnectionInfo) -> None:
        """Take the history."""
        self.history: History = given.history

    def close(self) -> None:
        """Nothing is open."""

    @hookimpl
    def list_changes(self, kinds: Sequence[str], since: dt.datetime, page: str | None) -> ChangePage:
        """List contacts by time and id; time passes then."""
        history = self.history
        behind = tuple(json.loads(page)) if page else (-1.0, -1)
        found = sorted((at, contact) for contact, at in history.seen().items() if moment(at) >= since)
        rest = [place for place in found if place > behind]
        told, more = rest[: history.page], len(rest) > history.page
        history.now += history.page_seconds.pop() if history.page_seconds else 1
        return ChangePage(
            tuple(Changed("contact", str(contact), moment(at)) for at, contact in told if "contact" in kinds),
            json.dumps(told[-1]) if more else None,
        )

    @hookimpl
    def read_people(self, person_ids: Sequence[str]) -> dict[str, tuple[Person, ...]]:
        """Read contacts that can be seen."""
        return {key: self._person(int(key)) for key in person_ids}

    @hookimpl
    def find_contacts_by_email(self, emails: Sequence[str]) -> dict[str, tuple[Person, ...]]:
        """Find the contact whose number stands in the address."""
        return {email: self._person(int(email.partition("@")[0])) for email in emails}

    def _person(self, contact: int) -> tuple[Person, ...]:
        if contact not in self.history.seen():
            return ()
        return (Person("contact", str(contact), f"Person {contact}", (f"{contact}@new.example",)),)

    @hookimpl
    def find_contacts_by_phone(self, numbers: Sequence[str]) -> dict[str, tuple[Person, ...]]:
        """Know no numbers."""
        return dict.fromkeys(numbers, ())

    @hookimpl
    def find_activity(self, calls: Sequence[Any]) -> dict[str, tuple[Any, ...]]:
        """Know no activities."""
        return {call.call_id: () for call in calls}

    @hookimpl
    def list_opportunities(
        self, person_ids: Sequence[str], account_ids: Sequence[str], opportunity_ids: Sequence[str], closed_since: Any
    ) -> Opportunities:
        """Know none."""
        return Opportunities(
            dict.fromkeys(person_ids, ()), dict.fromkeys(account_ids, ()), dict.fromkeys(opportunity_ids, ())
        )

    @hookimpl
    def write_activity(self, drafts: Sequence[Any]) -> dict[str, Receipt]:
        """Write nothing really."""
        return {it.key: Receipt("updated" if it.activity_id else "created", f"T{it.key}") for it in drafts}


MODULE = types.ModuleType("history_crm")
vars(MODULE).update(Settings=HistorySettings, Adapter=HistoryAdapter)
sys.modules["history_crm"] = MODULE
MANIFEST = CrmManifest(
    name="history",
    title="History",
    hook_api=HOOK_API,
    operations=MUST | {"list_changes", "read_people", "write_activity"},
    settings="history_crm:Settings",
    adapter="history_crm:Adapter",
    settle_seconds=SETTLE_SECONDS,
)


def calls() -> list[Call]:
    """Make a call for each contact that may come."""
    return [
        Call.model_validate(
            {
                "id": f"x:{contact}",
                "provider": "x",
                "kind": "meeting",
                "started_at": NINE,
                "duration_seconds": 60,
                "participants": [{"is_user": False, "emails": [f"{contact}@new.example"]}],
            }
        )
        for contact in range(CONTACTS)
    ]


CHANGES = st.tuples(
    st.integers(0, CONTACTS - 1),
    st.sampled_from([300, 600, 900, 900, 900, 1200, 4000, 9000, 9000]),
    st.one_of(st.just(0), st.integers(0, SETTLE_SECONDS)),
)
HISTORIES = st.builds(
    History,
    page=st.integers(1, 3),
    page_seconds=st.lists(st.sampled_from([0, 1, 60, 500, 1500]), max_size=20),
    changes=st.lists(CHANGES, max_size=12),
)


@settings(max_examples=60)
@example(History(1, [], [(0, 300, SETTLE_SECONDS)]), [599, 300, 1000])  # read until just before it is committed
@example(History(1, [], [(it, 900, 0) for it in range(CONTACTS)]), [1000])  # an import: all at one time
@example(History(1, [1500], [(0, 300, 0), (1, 900, 0)]), [600, 3000])  # committed while a page was read
@given(history=HISTORIES, pauses=st.lists(st.sampled_from([1, 60, 300, 1000, 3000, 7000]), max_size=12))
def test_every_call_meets_whom_it_waits_for(history: History, pauses: list[int]) -> None:
    """Once all is committed and read, each call has its contact, and those without one have none."""
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{Path(folder) / 'ledger.db'}"
        connection = bind(MANIFEST, {"history": history}, ConnectionInfo("acme"))
        with Ledger(url, clock=lambda: moment(history.now).timestamp()) as ledger, connection:
            opened = OpenConnection(connection, Settings())
            pump, feed = Pump(ledger, opened), Feed(ledger, opened)
            ledger.inbox.accept("acme", calls())
            pump.run()
            for pause in pauses:
                history.now += pause
                feed.read(at_once=True)
            history.now = max(history.now, 9000 + SETTLE_SECONDS)
            feed.read(at_once=True)
            pump.run()
            standings = ledger.calls.of("acme", [call.id for call in calls()])

    met = {key: (it.decision or {})["people"][0] for key, it in standings.items()}
    came = {contact for contact, _, _ in history.changes}
    assert {key: person and person["id"] for key, person in met.items()} == {
        f"x:{contact}": str(contact) if contact in came else None for contact in range(CONTACTS)
    }
