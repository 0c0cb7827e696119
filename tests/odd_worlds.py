"""Random worlds made of what is rare elsewhere: ties, chains of leads, bounds, odd names and numbers, far time zones.

Every record sits near a bound of the rules, and several share whatever may be shared. The same seed gives the same world.
"""

from __future__ import annotations

import datetime as dt
import random
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

Record: TypeAlias = dict[str, Any]

ZONES = (
    "UTC",
    "Europe/Paris",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "America/Santiago",
    "Africa/Cairo",
    "Asia/Kathmandu",
    "America/Havana",
)
REGIONS: tuple[tuple[str, ...], ...] = ((), ("FR",), ("US", "FR"), ("GB", "FR"), ("IT",))
WINDOWS = ((30, 30, 90), (0, 0, 0), (1, 7, 7), (40, 5, 45), (0, 30, 30))
# Nights on which a clock is changed somewhere above, and the end of a leap February.
DAYS = ("2026-03-02", "2026-03-29", "2026-10-25", "2026-04-05", "2026-09-06", "2026-04-24", "2026-03-08", "2028-02-29")
NAMES = ("Zoë", "zoe", "ZOE\u0301", " Zoé", "Åsa", "A\u030asa", "STRASSE", "straße", "ﬁn", "\u0301", " ", "", "İpek", "a",
         "B", None)  # fmt: skip
TITLES = ("CTO", "\u0301", "  ", "", None)
EMAILS = ("ann@x.example", "ANN@X.example", " ann@x.example\u00a0", "straße@x.example", "STRASSE@x.example", "bo@x.example",
          "b.o@x.example", "bo+1@x.example", "ım@x.example", "im@x.example", " ", "")  # fmt: skip
PHONES = ("06 12 34 56 78", "+33612345678", "0033612345678", "+33 (0)6 12 34 56 78", "+33612345678 ext. 12",
          "06.12.34.56.79", "(202) 456-1111", "+1 202 456 1111", "1-202-456-1111", "0112024561111", "020 7946 0958",
          "+44 20 7946 0958", "anonymous", "Unknown", "+266696687", "123", "", " ", "612345678", "4561111")  # fmt: skip
PEOPLE = ("C1", "C10", "C2", "c1", "C9", "É1")
LEADS = ("L1", "L2", "L3", "L10", "A0")
ACCOUNTS = ("A1", "A10", "A2", "a1")
USERS = ("U1", "U2", "U3")
MAILS = ("ada@seller.example", " Ada@Seller.example", "bob@seller.example", "", None)
LENGTHS = (0, 1, 18, 19.8, 19.80001, 16.2, 16.19, 1800, 1980, 1980.5, 1620, 1619.5, None)


def odd_world(seed: int) -> tuple[Record, list[Record]]:
    """Give a world and two calls."""
    return Maker(seed).make()


class Maker:
    """Makes one world and the calls that go with it."""

    def __init__(self, seed: int) -> None:
        """Choose a day and a place on it, and how much is kept apart."""
        self.random = random.Random(seed)  # noqa: S311 - a repeatable world, not a secret
        self.zone = ZoneInfo(self.random.choice(ZONES))
        midnight = dt.datetime.fromisoformat(self.random.choice(DAYS)).replace(tzinfo=self.zone)
        near = self.random.choice([0, 0, -1, 1, -900, 900, 9 * 3600, 86_399])
        self.start = midnight.astimezone(dt.UTC) + dt.timedelta(seconds=near)
        self.length = self.random.choice([0, 18, 1800, 1800, 90_000])
        self.alike = self.random.random() < 0.5
        self.emails = tuple(self.random.sample(EMAILS, self.random.choice([1, 2, 4, len(EMAILS)])))
        self.phones = tuple(self.random.sample(PHONES, self.random.choice([1, 3, 6, len(PHONES)])))

    def one(self, *values: Any) -> Any:
        """Pick one."""
        return self.random.choice(values)

    def some(self, values: tuple[Any, ...], most: int) -> list[Any]:
        """Pick up to ``most``, the same one perhaps twice."""
        return [self.random.choice(values) for _ in range(self.random.randint(0, most))]

    def few(self, values: tuple[str, ...]) -> list[str]:
        """Pick which records there are, in any order; the others are gone."""
        return self.random.sample(values, self.random.choice([self.random.randint(0, len(values)), len(values)]))

    def written(self, moment: dt.datetime) -> str:
        """Write a time, with one offset or another."""
        zone = self.one(dt.UTC, self.zone, dt.timezone(dt.timedelta(hours=-3, minutes=-30)))
        return moment.astimezone(zone).isoformat().replace("+00:00", self.one("Z", "+00:00"))

    def day(self, moment: dt.datetime) -> str:
        """Write the day of a time in the zone, or one next to it."""
        return (moment.astimezone(self.zone).date() + dt.timedelta(days=self.one(0, 0, 0, -1, 1))).isoformat()

    def make(self) -> tuple[Record, list[Record]]:
        """Give a world and calls."""
        calls = [self.call(f"odd:{place}") for place in range(2)]
        self.kinds = ("call", "task") if calls[0]["kind"] == "phone" else ("meeting", "event")
        world = {
            "accounts": [{"id": each, "name": self.one("Same", each, None, "")} for each in self.few(ACCOUNTS)],
            "users": [{"id": each, "email": self.one(*MAILS)} for each in self.few(USERS)],
            "people": [self.person("contact", each) for each in self.few(PEOPLE)]
            + [self.person("lead", each) for each in self.few(LEADS)],
            "opportunities": [self.deal(each) for each in self.few(("O1", "O10", "O2", "o1", "O3", "O4", "O5"))],
            "activities": [self.activity(each) for each in self.few(("T1", "T10", "T2", "t1", "T3"))],
        }
        return world, calls

    def person(self, kind: str, person_id: str) -> Record:
        """Make a contact or a lead that shares identifiers with others."""
        person: Record = {
            "kind": kind,
            "id": person_id,
            "name": self.one(*NAMES),
            "emails": self.some(self.emails, 2),
            "phones": self.some(self.phones, 2),
            "title": self.one(*TITLES),
            "account_id": self.one(*ACCOUNTS, "gone", " ", None),
        }
        if kind == "lead":
            person["converted_contact_id"] = self.one(*PEOPLE, *LEADS, "gone", " ", "", None, None, None, None)
        return person

    def deal(self, deal_id: str) -> Record:
        """Make an opportunity at a bound of some window, counted from either end of the call."""
        bounds = [0, 1, 5, 7, 30, 40, 45, 90, 29, 31, 100]
        moments = [
            self.one(self.start, self.start + dt.timedelta(seconds=self.length))
            + dt.timedelta(days=self.one(*bounds) * self.one(-1, -1, 1), microseconds=self.one(0, 0, -1, 1, 1_000_000))
            for _ in range(2)
        ]
        created, closed = self.one(sorted(moments), sorted(moments), moments)
        return {
            "id": deal_id,
            "name": self.one(deal_id, None, " "),
            "account_id": self.one(*ACCOUNTS, "gone", "", None),
            "owner_id": self.one(*USERS, "gone", None),
            "created_at": self.written(created),
            "closed_at": self.one(None, self.written(closed), self.day(closed)),
            "contact_ids": self.some((*PEOPLE, *LEADS, "gone"), 4),
            "next_step": self.one(None, "", "Send the quote"),
        }

    def call(self, call_id: str) -> Record:
        """Make a call, with or without an end, a length, an organizer."""
        call: Record = {
            "id": call_id,
            "provider": "odd",
            "kind": self.one("phone", "meeting"),
            "started_at": self.written(self.start),
            "organizer": self.one(None, {"name": "Ada"}, *({"name": "A", "email": mail} for mail in MAILS[:4])),
            "participants": [self.participant() for _ in range(self.random.randint(0, 4))],
            "from_number": "+33612345678",
        }
        if self.one(True, True, False):
            call["ended_at"] = self.written(self.start + dt.timedelta(seconds=self.length))
        if self.one(True, False):
            call["duration_seconds"] = self.one(self.length, self.length, 18, 1800)
        return call

    def participant(self) -> Record:
        """Make a user or a guest, with whatever identifiers."""
        return {
            "is_user": self.one(True, False, False, False, False),
            "name": self.one(*NAMES),
            "emails": self.one(None, self.some(self.emails, 2), self.some(self.emails, 3)),
            "phones": self.one(None, self.some(self.phones, 2), self.some(self.phones, 3)),
            "attended": self.one(None, True, False),
        }

    def activity(self, activity_id: str) -> Record:
        """Make an activity that carries a call's id, looks like a call, or nearly does."""
        seconds = self.one(0, 0, 900, -900, 900.000001, -900.000001)
        keys = (None, None, None, None, "", " ", "odd:0", "odd:1", "ODD:0", "odd:0 ", "other:1")
        texts = (
            "",
            "Notes.\nref: odd:0",
            "ref: odd:1",
            "ref: odd:0\nNotes.",
            "ref: odd:0 ",
            "ref: odd:1\n",
            "ref: other:1",
        )
        rare = 0.2 if self.alike else 1.0
        return {
            "id": activity_id,
            "kind": self.one("call", "task", "meeting", "event", "note")
            if self.random.random() < rare
            else self.one(*self.kinds),
            "call_id": self.one(*keys) if self.random.random() < rare else None,
            "body": self.one(None, None, None, *texts) if self.random.random() < rare else None,
            "person_ids": self.some((*PEOPLE, *LEADS, "gone"), 4),
            "account_id": self.one(None, None, "gone", " ", *ACCOUNTS) if self.random.random() < rare else None,
            "opportunity_id": self.one(None, "gone", "", "O1", "O10") if self.random.random() < rare else None,
            "started_at": self.one(
                self.written(self.start + dt.timedelta(seconds=seconds)),
                self.day(self.start),
                self.day(self.start),
                None,
            ),
            "duration_seconds": self.one(*[self.length, self.length * 1.1, self.length * 0.9] * 4, *LENGTHS),
        }
