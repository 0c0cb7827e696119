"""Random histories on the sandboxes over HTTP, with the real SDKs: one activity a call, and nobody's words are lost."""

from __future__ import annotations

import json
import re
import tempfile
from contextlib import ExitStack
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from office import CARL, NOBODY, Office, call, office

from connector_core.errors import InputError

CALLS = ("x:1", "x:2", "x:3")
BODIES = {
    "Task": "Description",
    "Event": "Description",
    "calls": "hs_call_body",
    "meetings": "hs_internal_meeting_notes",
}
CREATES = {
    "salesforce": {"path": "*/composite*", "body": '*"Subject"*'},
    "hubspot": {"path": "*/batch/create"},
}


class Histories(RuleBasedStateMachine):
    """One connection through a part of its life."""

    crm: ClassVar[str]

    def __init__(self) -> None:
        """Open an office."""
        super().__init__()
        self.stack = ExitStack()
        folder = Path(self.stack.enter_context(tempfile.TemporaryDirectory()))
        self.at: Office = self.stack.enter_context(office(self.crm, folder))
        self.accepted: set[str] = set()
        self.typed: set[str] = set()

    def teardown(self) -> None:
        """Settle everything; then nothing more is written."""
        try:
            self.settle()
            self.check()
            before = self.held()
            for call_id in sorted(self.accepted):
                self.at.refresh(call_id)
            once = self.held()
            for call_id in sorted(self.accepted):
                self.at.refresh(call_id)
            assert self.held() == once, "a second refresh wrote"
            assert before.keys() == once.keys()
        finally:
            self.stack.close()

    @rule(number=st.integers(1, 3), version=st.integers(0, 2), both=st.booleans())
    def deliver(self, number: int, version: int, both: bool) -> None:
        """Deliver a call, richer or poorer than before, and sync it."""
        guests = (CARL, NOBODY) if both else (CARL,)
        self.accepted.add(f"x:{number}")
        self.at.sync(call(number, *guests, summary=f"said {version}"))
        self.check()

    @rule(number=st.integers(1, 3), done=st.booleans())
    def lose_an_answer(self, number: int, done: bool) -> None:
        """Lose the answer to the next creation: it was done, or was not."""
        assert self.at.server is not None
        does = {"drop_after_commit": True} if done else {"status": 503, "body": "gone"}
        self.at.server._set_faults([{"match": CREATES[self.crm], "times": 1, "do": does}])
        self.deliver(number, 2, both=False)
        self.at.server._set_faults([])

    @rule(number=st.integers(1, 3), what=st.sampled_from([{"account": "A2"}, {"opportunity": "O3"}, {"contact": "C2"}]))
    def assign(self, number: int, what: dict[str, str]) -> None:
        """Choose by hand."""
        place = {"participant": 1} if "contact" in what else {}
        try:
            self.at.assign(f"x:{number}", **place, **what)
        except InputError:
            return
        self.check()

    @rule(
        number=st.integers(1, 3), what=st.sampled_from([{"account": True}, {"opportunity": True}, {"participant": 1}])
    )
    def clear(self, number: int, what: dict[str, Any]) -> None:
        """Clear by hand."""
        try:
            self.at.clear(f"x:{number}", **what)
        except InputError:
            return
        self.check()

    @rule(number=st.integers(0, 2))
    def type_into(self, number: int) -> None:
        """Type into an activity."""
        assert self.at.sandbox is not None
        rows = [(name, row) for name, rows in self.at.records().items() for row in rows if name in BODIES]
        if not rows:
            return
        name, row = rows[number % len(rows)]
        word = f"typed {len(self.typed)}."
        body = (row.get("properties") or row).get(BODIES[name]) or ""
        key = row.get("Id") or row.get("id")
        self.at.sandbox.patch(name, str(key), {BODIES[name]: f"{body}\n{word}"}, delete=False, merge_into=None)
        self.typed.add(word)

    @rule(number=st.integers(1, 3))
    def refresh(self, number: int) -> None:
        """Refresh."""
        try:
            self.at.refresh(f"x:{number}")
        except InputError:
            return
        self.check()

    def settle(self) -> None:
        """Bring everything to an end."""
        for _ in range(4):
            self.at.ledger.inbox.hurry("acme", sorted(self.accepted))
            self.at.settle(*sorted(self.accepted)) if self.accepted else None

    def held(self) -> dict[str, list[str]]:
        """Give the activities of each call, as the CRM holds them."""
        found: dict[str, list[str]] = {}
        for name, rows in self.at.records().items():
            for row in rows if name in BODIES else ():
                body = (row.get("properties") or row).get(BODIES[name]) or ""
                for call_id in set(re.findall(r"ref: (x:\d)\b", body)):
                    found.setdefault(call_id, []).append(json.dumps(row, sort_keys=True, default=str))
        return found

    def check(self) -> None:
        """See that no call has two activities, and that no word is lost."""
        assert all(len(rows) == 1 for rows in self.held().values()), self.held()
        texts = json.dumps(self.at.records(), default=str)
        assert all(word in texts for word in self.typed), self.typed


class Salesforce(Histories):
    """On the Salesforce sandbox."""

    crm = "salesforce"


class HubSpot(Histories):
    """On the HubSpot sandbox."""

    crm = "hubspot"


FEW = settings(max_examples=4, stateful_step_count=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
TestSalesforce = Salesforce.TestCase
TestSalesforce.settings = FEW
TestHubSpot = HubSpot.TestCase
TestHubSpot.settings = FEW
del Histories
