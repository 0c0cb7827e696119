"""Random worlds and calls: small, crowded, full of near misses. The same seed gives the same world.

A *portable* world holds only what each of the CRMs can hold in its own way, and nothing that only an id decides.
"""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
NAMES = ["Ada", "Bob", "Çelik", "Dora", "Émile", "Fatou", "Gus", "Håkon", "Ines", "Jan", "Kaï", "Lea", "Mo", "Ñusta"]
WRITTEN = [
    "+336{0}{1}{2}{3}",
    "+33 6 {0} {1} {2} {3}",
    "06 {0} {1} {2} {3}",
    "06{0}{1}{2}{3}",
    "06.{0}.{1}.{2}.{3}",
    "00336{0}{1}{2}{3}",
    "+33 (0)6 {0} {1} {2} {3}",
]


def iso(moment: dt.datetime) -> str:
    """Write a time as the formats want it."""
    return moment.isoformat().replace("+00:00", "Z")


class Maker:
    """Makes one world and the calls that go with it."""

    def __init__(self, seed: int, *, portable: bool = False, leads: bool = True) -> None:
        """Take what kind of world it is to be."""
        self.random = random.Random(seed)  # noqa: S311 - a repeatable world, not a secret
        self.portable = portable
        self.leads = leads

    def chance(self, share: float) -> bool:
        """Say yes to a share of the questions."""
        return self.random.random() < share

    def some(self, values: list[Any], most: int) -> list[Any]:
        """Pick up to ``most`` of the values."""
        return self.random.sample(values, min(len(values), self.random.randint(0, most)))

    def make(self) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """Give a world and calls."""
        accounts = [{"id": f"A{i}", "name": f"Account {i}"} for i in range(self.random.randint(0, 4))]
        users = [{"id": f"U{i}", "email": f"user{i}@seller.example", "name": f"User {i}"} for i in range(3)]
        people = [self.person(i, accounts) for i in range(self.random.randint(0, 7))]
        if self.leads:
            people += [self.lead(i, people) for i in range(self.random.randint(0, 4))]
        deals = [self.deal(i, accounts, users, people) for i in range(self.random.randint(0, 8))]
        calls = [self.call(i, users) for i in range(self.random.randint(1, 3))]
        activities = [
            self.activity(i, self.random.choice(calls), accounts, people, deals)
            for i in range(self.random.randint(0, 3))
        ]
        world = {
            "accounts": accounts,
            "users": users,
            "people": people,
            "opportunities": deals,
            "activities": activities,
        }
        return world, calls

    def reference(self, records: list[dict[str, Any]], prefix: str, share: float = 0.75) -> str | None:
        """Name a record, nothing, or (not in a portable world) one that is gone."""
        if not records or not self.chance(share):
            return None
        if not self.portable and self.chance(0.07):
            return f"{prefix}gone"
        return str(self.random.choice(records)["id"])

    def number(self, who: int) -> str:
        """Write somebody's number in one of the ways people do."""
        return self.random.choice(WRITTEN).format("39", "98", "00", f"{who:02}")

    def person(self, i: int, accounts: list[dict[str, Any]]) -> dict[str, Any]:
        """Make a contact."""
        shared = not self.portable and self.chance(0.3)
        mail = self.random.randint(0, 3) if shared else i
        number = self.random.randint(0, 3) if self.chance(0.3) else i
        name = f"{NAMES[i]} Person" if self.portable else self.random.choice([*NAMES[:4], None, " ", "ada"])
        return {
            "kind": "contact",
            "id": f"C{i}",
            "name": name,
            "emails": [self.random.choice(["p{}@buyer.example", "P{}@Buyer.example"]).format(mail)],
            "phones": [self.number(number)] if self.chance(0.7) else [],
            "title": self.random.choice([None, "CTO", "CTO" if self.portable else "  "]),
            "account_id": self.reference(accounts, "A"),
        }

    def lead(self, i: int, people: list[dict[str, Any]]) -> dict[str, Any]:
        """Make a lead, sometimes converted; in a world that need not be portable also into leads, circles and nobody."""
        targets = [person["id"] for person in people]
        if not self.portable:
            targets += ["L0", "L1", "L2", "Cgone"]
        who = self.random.randint(0, 7)
        return {
            "kind": "lead",
            "id": f"L{i}",
            "name": f"{NAMES[-1 - i]} Lead",
            "emails": [f"p{who}@buyer.example"],
            "phones": [self.number(who)] if self.chance(0.5) else [],
            "converted_contact_id": self.random.choice(targets) if targets and self.chance(0.5) else None,
        }

    def deal(
        self,
        i: int,
        accounts: list[dict[str, Any]],
        users: list[dict[str, Any]],
        people: list[dict[str, Any]],
    ) -> dict[str, Any]:
        """Make an opportunity near the edges of the windows."""
        contacts = [person["id"] for person in people if person["kind"] == "contact" or not self.portable]
        days = self.random.choice([-120, -60, -31, -30, -29, -1, 0, 1, 29, 30, 31])
        created = START + dt.timedelta(days=days, seconds=i + 1 if self.portable else self.random.choice([0, 1, 1800]))
        closed: str | None = None
        if self.chance(0.5):
            after = self.random.choice([0, 1, 5, 20, 28, 31, 60, 90, 91, 150])
            moment = created + dt.timedelta(days=after, seconds=self.random.choice([0, 1, 1799]))
            closed = iso(moment) if self.chance(0.7) else moment.date().isoformat()
        return {
            "id": f"O{i}",
            "name": f"Deal {i}",
            "account_id": self.reference(accounts, "A"),
            "owner_id": self.reference(users, "U"),
            "created_at": iso(created),
            "closed_at": closed,
            "contact_ids": self.some(contacts, 2),
            "next_step": self.random.choice([None, "Send the quote"]),
        }

    def call(self, i: int, users: list[dict[str, Any]]) -> dict[str, Any]:
        """Make a call with up to four participants."""
        start = START + dt.timedelta(days=self.random.choice([0, 0, 3]), hours=3 * i)
        call: dict[str, Any] = {
            "id": f"test:{i}",
            "provider": "test",
            "kind": self.random.choice(["phone", "meeting"]),
            "started_at": iso(start),
            "organizer": {"email": self.random.choice(users)["email"]} if self.chance(0.7) else None,
            "participants": [self.participant() for _ in range(self.random.randint(0, 4))],
        }
        shape = self.random.randint(0, 2)
        if shape:
            call["duration_seconds"] = 1800
        if shape == 2 or self.portable:
            call["ended_at"] = iso(start + dt.timedelta(seconds=1800))
        return call

    def participant(self) -> dict[str, Any]:
        """Make a user, or a guest who is in the CRM more often than not."""
        if self.chance(0.2):
            return {"is_user": True, "name": "Ada Agent", "emails": ["p0@buyer.example"]}
        who = self.random.randint(0, 8)
        phones = self.random.choice([[], [], [self.number(who)], [self.number(who)], ["anonymous"], ["123", " "]])
        emails = self.random.choice(
            [[], [f" p{who}@BUYER.example "], [f"p{who}@buyer.example"], ["nobody@else.example"]]
        )
        return {
            "is_user": False,
            "name": "Guest",
            "emails": emails,
            "phones": phones,
            "attended": self.random.choice([None, None, True, False]),
        }

    def activity(
        self,
        i: int,
        call: dict[str, Any],
        accounts: list[dict[str, Any]],
        people: list[dict[str, Any]],
        deals: list[dict[str, Any]],
    ) -> dict[str, Any]:
        """Make an activity that may be the call's, or nearly so."""
        start = dt.datetime.fromisoformat(call["started_at"])
        phone = call["kind"] == "phone"
        kinds = ["call"] if phone else ["meeting", "event"]
        if not self.portable:
            kinds += ["call", "task", "meeting", "event", "note"]
        kind = self.random.choice(kinds)
        far = self.random.choice([0, 0, 15 * 60, -15 * 60] if phone or not self.portable else [0, 60, 900, 901, -900])
        if self.portable and phone and self.chance(0.3):
            far = 2 * 86_400
        moment: str | None = iso(start + dt.timedelta(seconds=far))
        duration: float | None = 1800 if self.portable else self.random.choice([1800, 1980, 1981, 1620, 1619, None])
        if not self.portable and self.chance(0.3):
            moment = self.random.choice([None, start.date().isoformat(), (start + dt.timedelta(1)).date().isoformat()])
        if not self.portable and self.chance(0.1):
            moment = iso(start + dt.timedelta(seconds=901))
        deal = self.random.choice(deals) if deals and self.chance(0.3) else None
        named = [person["id"] for person in people if person["kind"] == "contact" or not self.portable]
        account = self.reference(accounts, "A", 0.3)
        if self.portable and deal is not None:
            account = None
        keys = [None, None, call["id"], call["id"].upper(), "other:1", f"{call['id']} ", ""]
        key = self.random.choice(keys[:5] if self.portable else keys)
        if self.portable and not phone and key == call["id"]:
            moment = iso(start)  # a meeting has no field for the id: it is found by its start, then compared
        return {
            "id": f"T{i}",
            "kind": kind,
            "call_id": key,
            "person_ids": self.some(named, 2),
            "account_id": account,
            "opportunity_id": (self.reference([deal], "O", 1.0) if deal else None),
            "started_at": moment,
            "duration_seconds": duration,
            "title": f"Activity {i}",
        }


def random_world(
    seed: int, *, portable: bool = False, leads: bool = True
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Give a random world and its calls."""
    return Maker(seed, portable=portable, leads=leads).make()
