"""Random histories of calls, crashes, people and the CRM: whatever happens in whatever order, the promises hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from ledger_bench import ACME, Bench, Killed, bench

from connector_core.desk import Desk
from connector_core.errors import ConnectorError, CredentialsError, InputError, OutcomeUnknownError, TryAgainError
from connector_core.ledger.leases import LeaseLostError
from connector_core.ledger.people import Actor
from connector_core.ledger.persons import Persons
from connector_core.ledger.schema import calls, connections
from connector_core.model import ActivityDraft, Call

POINTS = ("claimed", "decided", "noted", "sent", "kept")
PEOPLE = ("C1", "C2", "C3", "L1")
DEALS = ("O1", "O2", "O3")
ACCOUNTS = ("A1", "A2")
CALLS = 4
VERSIONS = 3
SETTLED = ("written", "waiting", "rejected")
WORLD: dict[str, Any] = {
    "accounts": [{"id": "A1", "name": "Buyer"}, {"id": "A2", "name": "Other"}],
    "people": [
        {"kind": "contact", "id": "C1", "name": "Carl", "emails": ["carl@buyer.example"], "account_id": "A1"},
        {"kind": "contact", "id": "C2", "name": "Dora", "emails": ["dora@other.example"], "account_id": "A2"},
        {"kind": "contact", "id": "C3", "name": "Eve", "emails": ["eve@buyer.example"], "account_id": "A1"},
        {"kind": "lead", "id": "L1", "name": "Lea", "emails": ["lea@new.example"]},
    ],
    "opportunities": [
        {"id": "O1", "account_id": "A1", "created_at": "2026-02-01T00:00:00Z", "contact_ids": ["C1"]},
        {"id": "O2", "account_id": "A2", "created_at": "2026-02-02T00:00:00Z", "contact_ids": ["C2"]},
        {"id": "O3", "account_id": "A1", "created_at": "2026-02-20T00:00:00Z", "contact_ids": ["C1", "C3"]},
    ],
    "activities": [
        {"id": "T90", "kind": "call", "person_ids": ["C1"], "started_at": "2026-03-02T09:01:00Z", "body": "typed 90"},
        {"id": "T91", "kind": "call", "call_id": "x:3", "started_at": "2026-03-02T11:00:00Z", "body": "typed 91"},
    ],
}
GUESTS = (["carl@buyer.example"], ["dora@other.example"], ["lea@new.example", "late@new.example"], ["late@new.example"])
EMAILS = [email for guest in GUESTS for email in guest]


def call(number: int, version: int) -> Call:
    """Make a version of a call: the later, the more is known of it. The first two calls look alike."""
    guests = [GUESTS[(number + place) % len(GUESTS)] for place in range(1 + version % 2)]
    guests = [GUESTS[0]] if number == 1 and version == 0 else guests
    return Call.model_validate(
        {
            "id": f"x:{number}",
            "provider": "x",
            "kind": "phone",
            "title": f"Talk {number}, {version}",
            "started_at": f"2026-03-02T{9 if number < 2 else 8 + number:02}:0{number}:00Z",
            "duration_seconds": 600 + version,
            "summary": f"said {version}",
            "participants": [
                {"is_user": True, "emails": ["ada@seller.example"]},
                *({"is_user": False, "emails": [email]} for guest in guests for email in guest[:1]),
            ],
        }
    )


class Histories(RuleBasedStateMachine):
    """One connection through its life, on the CRM in a file."""

    def __init__(self) -> None:
        """Open an empty ledger beside a CRM."""
        super().__init__()
        self.stack = ExitStack()
        self.at: Bench = self.stack.enter_context(bench(**WORLD))
        self.desk = Desk(self.at.ledger, self.at.opened)
        self.accepted: set[str] = set()
        self.typed = {"typed 90": "T90", "typed 91": "T91"}
        self.made = 0
        self.killed_at: str | None = None
        self.manual: dict[tuple[str, str, int | None], str | None] = {}
        self.gone: set[str] = set()
        self.late: list[Sequence[ActivityDraft]] = []

    def teardown(self) -> None:
        """Check that everything comes to an end, and that nothing happens then."""
        try:
            self.drain()
        finally:
            self.stack.close()

    # -- calls come in

    @initialize(versions=st.lists(st.integers(0, VERSIONS - 1), min_size=CALLS, max_size=CALLS))
    def begin(self, versions: list[int]) -> None:
        """Deliver each call."""
        for number, version in enumerate(versions):
            self.deliver(number, version, backfill=False)

    @rule(number=st.integers(0, CALLS - 1), version=st.integers(0, VERSIONS - 1), backfill=st.booleans())
    def deliver(self, number: int, version: int, backfill: bool) -> None:
        """Deliver a call for the first time, once more, richer, or in an older version."""
        self.at.accept(call(number, version), backfill=backfill)
        self.accepted.add(f"x:{number}")

    @rule(number=st.integers(0, CALLS - 1))
    def delete_at_provider(self, number: int) -> None:
        """Let the provider delete a call."""
        self.at.ledger.inbox.deleted(ACME, f"x:{number}")

    # -- the pump, and what befalls it

    def pump(self, **options: Any) -> None:
        """Run a pump of a process that was started anew."""
        pump = self.at.again(batch=2, in_flight=1, reached=self.reached, **options)
        self.desk = Desk(self.at.ledger, self.at.opened)
        with suppress(Killed):
            pump.run()

    def reached(self, point: str) -> None:
        """Die where it was said."""
        if point == self.killed_at:
            self.killed_at = None
            raise Killed

    @rule()
    def work(self) -> None:
        """Pump."""
        self.pump()

    @rule(point=st.sampled_from(POINTS))
    def die(self, point: str) -> None:
        """Die at a point."""
        self.killed_at = point
        self.pump()
        self.killed_at = None

    @rule(done=st.booleans())
    def lose_an_answer(self, done: bool) -> None:
        """Lose the answer to a write that was done, or was not."""

        def lose(_: Any) -> Any:
            self.at.faults.write, self.at.faults.answer = lambda drafts: None, lambda receipts: receipts
            raise OutcomeUnknownError("the answer was lost")

        if done:
            self.at.faults.answer = lose
        else:
            self.at.faults.write = lose
        self.pump()
        self.at.faults.write, self.at.faults.answer = lambda drafts: None, lambda receipts: receipts

    @rule(die=st.booleans())
    def answer_late(self, die: bool) -> None:
        """Let the CRM go on with a write for a while after it gave no answer; the process may die over it."""

        def lose(drafts: Sequence[ActivityDraft]) -> None:
            self.at.faults.write = lambda drafts: None
            self.late.append(drafts)
            raise Killed if die else OutcomeUnknownError("it was not answered")

        self.at.faults.write = lose
        self.pump()
        self.at.faults.write = lambda drafts: None

    @precondition(lambda self: self.late)
    @rule()
    def land(self) -> None:
        """Let it be done now, while it may still be, by a CRM that knows of no key."""
        for drafts in self.late:
            changes = [draft for draft in drafts if draft.activity_id is not None]
            if changes:
                self.at.opened.connection._manager.hook.write_activity(drafts=changes)
            with self.at.changing() as held:
                held["activities"] += [self._created(draft) for draft in drafts if draft.activity_id is None]
        self.late = []

    def _created(self, draft: ActivityDraft) -> dict[str, Any]:
        self.made += 1
        return {
            "id": f"T{self.made}00",
            "kind": draft.kind,
            "call_id": draft.key,
            "person_ids": [it for it in draft.person_ids if it not in self.gone],
            "account_id": draft.account_id,
            "opportunity_id": None if draft.opportunity_id in self.gone else draft.opportunity_id,
            "started_at": draft.started_at.isoformat(),
            "duration_seconds": draft.duration_seconds,
            "title": draft.subject,
            "body": draft.body,
        }

    def later(self, seconds: float) -> None:
        """Let time pass: no write lasts longer than the CRM says."""
        self.land()
        self.at.later(seconds)

    @rule(error=st.sampled_from([TryAgainError("later"), CredentialsError("no"), ZeroDivisionError()]))
    def fail_a_look_up(self, error: Exception) -> None:
        """Let the CRM be out of reach; a connection that is paused is resumed."""

        def fail() -> None:
            raise error

        self.at.faults.look_up = fail
        self.pump()
        self.at.faults.look_up = lambda: None
        self.at.ledger.people.resume(ACME, Actor("Ada", "admin"))

    @rule(change=st.data())
    def change_while_sending(self, change: st.DataObject) -> None:
        """Let a person type into an activity between our last look and our write."""

        def meanwhile(drafts: Sequence[ActivityDraft]) -> None:
            self.at.faults.write = lambda drafts: None
            self.type_into(change.draw(st.booleans()), 0)

        self.at.faults.write = meanwhile
        self.pump()
        self.at.faults.write = lambda drafts: None

    @rule()
    def be_taken_over(self) -> None:
        """Lose the lease while something is sent."""

        def meanwhile(drafts: Sequence[ActivityDraft]) -> None:
            self.at.faults.write = lambda drafts: None
            self.at.stolen()

        self.at.faults.write = meanwhile
        with suppress(LeaseLostError):
            self.pump()
        self.at.faults.write = lambda drafts: None

    @rule(number=st.integers(1, 14), kept=st.booleans())
    def break_a_commit(self, number: int, kept: bool) -> None:
        """Let the database go away over a commit that it keeps, or does not: nobody is told which."""
        left = [number]
        pump = self.at.again(batch=2, in_flight=1)
        self.desk = Desk(self.at.ledger, self.at.opened)
        write = self.at.ledger.database.writing

        @contextmanager
        def breaking() -> Iterator[sa.Connection]:
            left[0] -= 1
            now = left[0] == 0
            with write() as step:
                yield step
                if now and not kept:
                    raise TryAgainError("the commit failed")
            if now:
                raise TryAgainError("the answer to the commit was lost")

        self.at.ledger.database.writing = breaking  # type: ignore[method-assign]  # of this process's database
        with suppress(ConnectorError):
            pump.run()
        self.at.ledger.database.writing = write  # type: ignore[method-assign]  # as it was

    @rule(email=st.sampled_from(EMAILS), while_sending=st.booleans())
    def erase(self, email: str, while_sending: bool) -> None:
        """Erase what the calls with somebody said; what it is looked for with stays."""

        def forget(*_: object) -> None:
            self.at.faults.write = lambda drafts: None
            Persons(self.at.ledger.database).erase(email, {ACME: ("FR",)}, Actor("Ada", "admin"))

        if not while_sending:
            forget()
            return
        self.at.faults.write = forget
        self.pump()
        self.at.faults.write = lambda drafts: None

    @rule(number=st.integers(0, CALLS - 1), version=st.integers(0, VERSIONS - 1), answered=st.booleans())
    def deliver_while_sending(self, number: int, version: int, answered: bool) -> None:
        """Deliver a call between an intent and its receipt, which may never come."""

        def meanwhile(drafts: Sequence[ActivityDraft]) -> None:
            self.at.faults.write = lambda drafts: None
            self.deliver(number, version, backfill=False)

        self.at.faults.write = meanwhile
        if answered:
            self.pump()
        else:
            self.lose_an_answer(done=True)
        self.at.faults.write = lambda drafts: None

    @rule(seconds=st.sampled_from([30, 90, 4000, 700_000]))
    def wait(self, seconds: int) -> None:
        """Let time pass."""
        self.later(seconds)

    @rule(seconds=st.sampled_from([-50, -5000, 5000]))
    def step_the_clock(self, seconds: int) -> None:
        """Set the clock wrong."""
        self.land()
        self.at.clock.off_seconds += seconds

    # -- the CRM changes

    @rule(
        change=st.sampled_from(
            ["delete_person", "delete_deal", "convert", "create_person", "close_deal", "create_deal"]
        ),
        person=st.sampled_from(PEOPLE),
        deal=st.sampled_from(DEALS),
        account=st.sampled_from(ACCOUNTS),
        email=st.sampled_from(["late@new.example", "lea@new.example"]),
    )
    def change_the_crm(self, change: str, person: str, deal: str, account: str, email: str) -> None:
        """Let records come, go and change."""
        {
            "delete_person": lambda: self.delete_person(person),
            "delete_deal": lambda: self.delete_deal(deal),
            "convert": self.convert,
            "create_person": lambda: self.create_person(email, account),
            "close_deal": lambda: self.close_deal(deal),
            "create_deal": lambda: self.create_deal(person, account),
        }[change]()

    def delete_person(self, person: str) -> None:
        """Delete a person; links to it go with it."""
        self._delete("people", person)

    def delete_deal(self, deal: str) -> None:
        """Delete an opportunity."""
        self._delete("opportunities", deal)

    def _delete(self, objects: str, gone: str) -> None:
        with self.at.changing() as held:
            held[objects] = [row for row in held[objects] if row["id"] != gone]
            for row in held["activities"]:
                row["person_ids"] = [it for it in row.get("person_ids") or [] if it != gone]
                if row.get("opportunity_id") == gone:
                    row["opportunity_id"] = None
        self.gone.add(gone)

    def convert(self) -> None:
        """Convert the lead to a contact."""
        with self.at.changing() as held:
            for row in held["people"]:
                if row["id"] == "L1":
                    row["converted_contact_id"] = "C3"

    def create_person(self, email: str, account: str) -> None:
        """Add somebody whom a call names."""
        with self.at.changing() as held:
            self.made += 1
            person = {"kind": "contact", "id": f"N{self.made}", "emails": [email], "account_id": account}
            held["people"].append(person)

    def close_deal(self, deal: str) -> None:
        """Close an opportunity, long before the calls."""
        with self.at.changing() as held:
            for row in held["opportunities"]:
                if row["id"] == deal:
                    row["closed_at"] = "2026-02-25T00:00:00Z"

    def create_deal(self, person: str, account: str) -> None:
        """Add an opportunity."""
        with self.at.changing() as held:
            self.made += 1
            row = {"id": f"P{self.made}", "account_id": account, "created_at": "2026-02-28T00:00:00Z"}
            held["opportunities"].append({**row, "contact_ids": [person]})

    @rule(inside=st.booleans(), which=st.integers(0, 5))
    def type_into(self, inside: bool, which: int) -> None:
        """Type into an activity, around our text or in the midst of it."""
        with self.at.changing() as held:
            rows = held["activities"]
            row = rows[which % len(rows)]
            self.made += 1
            word, body = f"typed {self.made}.", row.get("body") or ""
            middle = len(body) // 2
            row["body"] = f"{body[:middle]}{word}{body[middle:]}" if inside else f"{body}\n{word}"
            for typed in self.typed:  # whoever types into a person's word changes that word
                if typed in body and typed not in row["body"]:
                    row["body"] = f"{body}\n{word}"
            self.typed[word] = row["id"]

    @rule(which=st.integers(0, 5), deal=st.sampled_from([None, *DEALS]))
    def link(self, which: int, deal: str | None) -> None:
        """Set or take out the opportunity of an activity by hand, in the CRM."""
        if deal in self.gone:
            return
        with self.at.changing() as held:
            row = held["activities"][which % len(held["activities"])]
            row["opportunity_id"] = deal

    # -- people correct

    @rule(number=st.integers(0, CALLS - 1), what=st.sampled_from(["account", "opportunity", "contact"]), data=st.data())
    def choose(self, number: int, what: str, data: st.DataObject) -> None:
        """Assign a record, or clear."""
        options = {"account": ACCOUNTS, "opportunity": DEALS, "contact": PEOPLE}[what]
        record = data.draw(st.sampled_from([None, *options]))
        place = 1 if what == "contact" else None
        who, these = Actor("Ada"), [f"x:{number}"]
        try:
            if record is not None:
                self.desk.assign(who, these, participant=place, **{what: record})
            elif what == "contact":
                self.desk.clear(who, these, participant=1)
            else:
                self.desk.clear(who, these, account=what == "account", opportunity=what == "opportunity")
        except InputError:
            return
        self.manual[f"x:{number}", what, place] = record

    @rule(number=st.integers(0, CALLS - 1))
    def refresh(self, number: int) -> None:
        """Refresh a call."""
        try:
            self.desk.refresh(Actor("Ada"), [f"x:{number}"])
        except InputError:
            return

    # -- what holds all the time

    @invariant()
    def no_call_is_lost(self) -> None:
        """What was accepted is there."""
        assert self.accepted <= self.at.states().keys()

    @invariant()
    def one_activity_serves_one_call(self) -> None:
        """And a call has one at most: by its key, and by its line in the body."""
        rows = self.at.world()["activities"]
        keys = [row["call_id"] for row in rows if row.get("call_id")]
        assert len(keys) == len(set(keys)), rows
        refs = [found for row in rows for found in set(re.findall(r"ref: (x:\d)\b", row.get("body") or ""))]
        assert len(refs) == len(set(refs)), rows
        assert all(len(set(re.findall(r"ref: (x:\d)\b", row.get("body") or ""))) < 2 for row in rows), rows

    @invariant()
    def what_people_typed_is_there(self) -> None:
        """Each of their words, in the activity where they typed it."""
        bodies = {row["id"]: row.get("body") or "" for row in self.at.world()["activities"]}
        for word, activity in self.typed.items():
            assert word in bodies[activity], (word, bodies)

    def drain(self) -> None:
        """Pump until nothing is due; then everything stands, and nothing more is written."""
        self.at.clock.off_seconds = max(0.0, self.at.clock.off_seconds)
        for _ in range(12):
            self.later(20_000)
            self.pump()
            if all(state in SETTLED for state, _ in self.at.states().values()):
                break
        states = self.at.states()
        assert all(state in SETTLED for state, _ in states.values()), states
        defects = {row.reason for row in self.at.rows(sa.select(calls)) if "a defect" in (row.reason or "")}
        assert defects <= {"unexpected ZeroDivisionError, a defect"}, "no other one was injected"
        assert all(row.claimed is None for row in self.at.rows(sa.select(calls))), "a claim was never let go of"
        leases = self.at.rows(sa.select(connections).where(connections.c.owner.is_not(None)))
        assert leases == [], "nobody holds this lease"
        self._links_are_there()
        self._choices_stay()
        before = self.at.path.read_bytes()
        self.again(states, "delivered once more", lambda: self._deliver_all())
        assert self.at.path.read_bytes() == before
        self.again(states, "refreshed", lambda: self.desk.refresh(Actor("Ada"), self._refreshable()))
        once = self.at.path.read_bytes()
        self.again(states, "refreshed twice", lambda: self.desk.refresh(Actor("Ada"), self._refreshable()))
        assert json.loads(self.at.path.read_bytes()) == json.loads(once), "a second refresh wrote"
        self.no_call_is_lost()
        self.one_activity_serves_one_call()
        self.what_people_typed_is_there()

    def again(self, states: dict[str, Any], what: str, act: Callable[[], object]) -> None:
        """Do something that is to change no state, and pump."""
        act()
        self.at.later(20_000)
        self.pump()
        after = self.at.states()
        assert {it: state for it, (state, _) in after.items()} == {it: state for it, (state, _) in states.items()}, what

    def _deliver_all(self) -> None:
        for row in self.at.rows(sa.select(calls).where(calls.c.content.is_not(None))):
            assert self.at.accept(Call.model_validate_json(row.content))[row.call_id] == "known"

    def _refreshable(self) -> list[str]:
        known = sa.select(calls).where(calls.c.state == "written", calls.c.content.is_not(None))
        return [row.call_id for row in self.at.rows(known)]

    def _links_are_there(self) -> None:
        held = self.at.world()
        known = {row["id"] for name in ("people", "accounts", "opportunities") for row in held[name]}
        for row in held["activities"]:
            if row.get("call_id"):
                named = [*(row.get("person_ids") or []), row.get("account_id"), row.get("opportunity_id")]
                assert {it for it in named if it} <= known, row

    def _choices_stay(self) -> None:
        for (call_id, what, place), record in self.manual.items():
            it = self.at.standing(call_id)
            if it.state != "written" or it.decision is None:
                continue
            kept = [(one["what"], one["participant"], one["id"]) for one in it.decision["manual"]]
            assert (what, place, record) in kept, (call_id, what, kept)
            if record is None and what != "contact":
                assert it.decision[what] is None, (call_id, what)
            elif record is not None and record not in self.gone and what != "contact":
                assert it.decision[what]["id"] == record, (call_id, what)


TestHistories = Histories.TestCase
TestHistories.settings = settings(
    max_examples=18, stateful_step_count=25, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
