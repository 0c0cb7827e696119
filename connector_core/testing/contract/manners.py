"""Clauses on manners: nothing is sent that was not asked for, and nothing of one connection reaches another."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import TypeVar

from connector_core.connection import Connection
from connector_core.model import RecordKind
from connector_core.testing.cassettes import Fault
from connector_core.testing.contract.activities import FIND
from connector_core.testing.contract.clauses import clause
from connector_core.testing.contract.crm import Crm, call_key
from connector_core.testing.contract.errors import LIMIT, LOOK_UP, asked, told
from connector_core.testing.contract.opportunities import LIST
from connector_core.testing.contract.reads import CARLA, EMAIL, PHONE, by_email, by_phone
from connector_core.testing.contract.values import VALUES, of_record
from connector_core.testing.contract.wording import BrokenClauseError
from connector_core.testing.contract.world import MANY
from connector_core.testing.contract.writing import WRITE, draft

T = TypeVar("T")
HUNDRED = 100
CHANGES = "list_changes"
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)


def cost(crm: Crm, operation: str, ask: Callable[[Connection], T]) -> T:
    """Expect an operation to send no more requests than the manifest promises; give its answer."""
    most = crm.manifest.requests.get(operation)
    before = crm.requests
    answer = ask(crm.connection)
    sent = crm.requests - before
    if most is None:
        raise BrokenClauseError(
            f"  the manifest promises nothing: it sent {sent} here, so add requests={{{operation!r}: {sent}}}"
        )
    crm.expect(sent <= most, True, f"{sent} requests are no more than {most}")
    return answer


class Manners:
    """Of every operation."""

    @clause("C-COST-1", EMAIL, http=True)
    def test_looking_addresses_up_costs_what_was_promised(self, crm: Crm) -> None:
        """Looking 100 addresses up sends no more requests than the manifest promises."""
        emails = [CARLA, *(f"nobody{number}@example.com" for number in range(HUNDRED - 1))]
        cost(crm, EMAIL, lambda it: it.find_contacts_by_email(emails))

    @clause("C-COST-2", PHONE, http=True)
    def test_looking_numbers_up_costs_what_was_promised(self, crm: Crm) -> None:
        """Looking 100 numbers up sends no more requests than the manifest promises."""
        numbers = ["+33639980101", *(f"+336399809{number:02}" for number in range(HUNDRED - 1))]
        found = cost(crm, PHONE, lambda it: it.find_contacts_by_phone(numbers))
        crm.expect(
            {it: crm.shown(people) for it, people in found.items()}, dict.fromkeys(numbers, ()) | {numbers[0]: ("C1",)}
        )

    @clause("C-COST-3", FIND, http=True)
    def test_looking_for_activities_costs_what_was_promised(self, crm: Crm) -> None:
        """Looking for the activities of 100 calls sends no more requests than the manifest promises."""
        calls = [call_key(f"contract:none-{number}", "2026-03-02T09:00:00Z", crm.id("C1")) for number in range(HUNDRED)]
        cost(crm, FIND, lambda it: it.find_activity(calls))

    @clause("C-COST-4", LIST, http=True)
    def test_listing_opportunities_costs_what_was_promised(self, crm: Crm) -> None:
        """Listing the opportunities of 14 people and two accounts sends no more requests than the manifest promises."""
        people = crm.ids(*(f"C{number}" for number in range(1, 15)))
        cost(crm, LIST, lambda it: it.list_opportunities(people, crm.ids("A1", "A2")))

    @clause("C-COST-5", WRITE, http=True, changes=True)
    def test_writing_costs_what_was_promised(self, crm: Crm) -> None:
        """Creating 100 activities sends no more requests than the manifest promises."""
        drafts = [draft(crm, f"contract:many-{number}", body=None) for number in range(HUNDRED)]
        receipts = cost(crm, WRITE, lambda it: it.write_activity(drafts))
        crm.expect({it.outcome for it in receipts.values()}, {"created"}, "the outcomes")

    @clause("C-COST-6", EMAIL, plays=LOOK_UP)
    def test_every_request_is_counted(self, crm: Crm) -> None:
        """Every request is counted by the connection's meter, also one that is sent again."""
        with crm.troubled(LIMIT) as server:
            asked(crm)
            crm.expect(crm.connection.cost.requests, len(server.requests), "the requests that were counted")

    @clause("C-COST-7", CHANGES, http=True)
    def test_a_page_of_changes_costs_what_was_promised(self, crm: Crm) -> None:
        """A page of changes of all kinds sends no more requests than the manifest promises."""
        kinds: list[RecordKind] = ["contact", "account", "opportunity", "activity"]
        if "leads" in crm.manifest.traits:
            kinds.append("lead")
        page = cost(crm, CHANGES, lambda it: it.list_changes(kinds, LONG_AGO))
        crm.expect(bool(page.records), True, "something is told")

    @clause("C-COST-8", VALUES, http=True)
    def test_reading_fields_costs_what_was_promised(self, crm: Crm) -> None:
        """Reading fields of 100 records sends no more requests than the manifest promises."""
        records = [of_record(crm, key, "opportunity", "next_step", "amount") for key in crm.ids(*MANY[:HUNDRED])]
        found = cost(crm, VALUES, lambda it: it.read_fields(records))
        crm.expect([len(it) for it in found.values() if isinstance(it, tuple)], [1] * HUNDRED, "how often each is told")

    @clause("C-MANNERS-1", EMAIL, PHONE, FIND, LIST)
    def test_a_look_up_changes_nothing(self, crm: Crm) -> None:
        """A look-up creates and changes nothing: whoever was not there is not there afterwards."""

        def look() -> tuple[object, ...]:
            email, number, call = "stranger@example.com", "+33639980198", call_key("contract:stranger")
            activities = crm.connection.find_activity([call])[call.call_id]
            opportunities = crm.connection.list_opportunities(crm.ids("C2")).of_people[crm.id("C2")]
            shown = crm.shown(activities), crm.shown(opportunities)
            return by_email(crm, email)[email], by_phone(crm, number)[number], *shown

        crm.expect(look(), ((), (), (), ()), "people, activities and opportunities")
        crm.expect(look(), ((), (), (), ()), "people, activities and opportunities at the second look")

    @clause("C-MANNERS-2", quiet=True)
    def test_binding_sends_nothing(self, crm: Crm) -> None:
        """Binding and closing a connection sends nothing."""
        crm.connection.close()
        crm.expect(crm.requests, 0, "requests")

    @clause("C-MANNERS-3", EMAIL, plays=LOOK_UP)
    def test_connections_share_nothing(self, crm: Crm) -> None:
        """What one connection was answered is never given to another one, whose credentials are refused."""
        with crm.troubled():
            crm.expect(told(asked(crm)), told(("C1",)), "the first connection's answer")
        with crm.troubled(Fault("answer", 401), always=True):
            crm.expect(
                told(asked(crm)) == told(("C1",)), False, "the second connection is given the first one's answer"
            )
