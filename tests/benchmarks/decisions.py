"""How many decisions one core makes in a second, each with its explanation."""

from __future__ import annotations

import datetime as dt
import statistics
import time
from collections.abc import Iterator

from connector_core.association import Records, Settings, decide
from connector_core.model import Account, Call, Opportunity, Person

ROUNDS, PER_ROUND = 40, 500
SETTINGS = Settings(regions=("FR",))


def report() -> Iterator[str]:
    """Measure a call with 4 participants, 6 people and 8 opportunities, its answers at hand."""
    call, records = example()
    decision = decide(call, records, SETTINGS)
    people = {person.id for guest in decision.guests for person in guest.ranked}
    shape = f"{len(call.participants)} participants, {len(people)} people, {len(decision.candidates)} opportunities"
    rates = sorted(PER_ROUND / _round(call, records) for _ in range(ROUNDS))
    yield (
        f"decisions with explanation, {shape}: median {statistics.median(rates):,.0f} a second on one core"
        f" (min {rates[0]:,.0f}, max {rates[-1]:,.0f}; {ROUNDS} rounds of {PER_ROUND})"
    )


def _round(call: Call, records: Records) -> float:
    started = time.process_time()
    for _ in range(PER_ROUND):
        _ = decide(call, records, SETTINGS).explanation
    return time.process_time() - started


def example() -> tuple[Call, Records]:
    """Give the call that is measured."""
    numbers = [f"+3363998000{place}" for place in range(3)]
    call = Call.model_validate(
        {
            "id": "bench:1",
            "provider": "bench",
            "kind": "phone",
            "started_at": "2026-03-02T09:00:00Z",
            "ended_at": "2026-03-02T09:30:00Z",
            "organizer": {"email": "ada@seller.example"},
            "participants": [
                {"is_user": True, "name": "Ada Agent"},
                *({"is_user": False, "name": f"Guest {place}", "phones": [n]} for place, n in enumerate(numbers)),
            ],
        }
    )
    accounts = [Account("A1", "Buyer"), Account("A2", "Other")]
    people = [
        Person("contact" if place < 5 else "lead", f"P{place}", f"Person {place}", account=accounts[place % 2])
        for place in range(6)
    ]
    deals = [
        Opportunity(
            f"O{place}",
            dt.datetime(2026, 1 + place % 3, 1 + place, tzinfo=dt.UTC),
            f"Deal {place}",
            accounts[place % 2],
            closed_at=dt.datetime(2026, 3, 20, tzinfo=dt.UTC) if place % 3 == 0 else None,
        )
        for place in range(8)
    ]
    ranked = {number: (people[2 * place], people[2 * place + 1]) for place, number in enumerate(numbers)}
    of_people = {
        person.id: tuple(deals[place % 4 : place % 4 + 5 : 2]) for place, person in enumerate(people) if place % 2 == 0
    }
    of_people["P0"] = tuple(deals)
    return call, Records(people_by_phone=ranked, activities={call.id: ()}, opportunities_of_people=of_people)
