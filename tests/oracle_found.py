"""The rules of association once more, sections 1 and 2: who the guests are, and which activity is the call's.

Of sections 7 and 8 it has what a person chose for a guest, and whom a refresh keeps; and which writing is our own.

Written from the text of the rules alone, sentence by sentence and in their order, by brute force over a CRM in a file; the
numbers in the comments are their sections. Nothing is shared with the core but the reading of e-mails, numbers and texts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

from connector_core.identity import PhoneReader, compare_text, email_key

Record: TypeAlias = dict[str, Any]
MICROSECOND = dt.timedelta(microseconds=1)
KINDS = {"phone": ("call", "task"), "meeting": ("meeting", "event")}


@dataclass(frozen=True)
class Rules:
    """The settings of a connection, as the rules name them."""

    policy: str = "all_contacts"
    owner_filter: bool = False
    windows_days: tuple[int, int, int] = (30, 30, 90)
    regions: tuple[str, ...] = ()
    time_zone: str = "UTC"


@dataclass(frozen=True)
class Before:
    """What is known of a call from before, as JSON: people's choices, what we wrote, the decision that is refreshed."""

    manual: tuple[Record, ...] = ()
    written: Record | None = None
    earlier: Record | None = None


class Found:
    """One call and one world: what is found there."""

    def __init__(self, world: Record, call: Record, rules: Rules, before: Before) -> None:
        """Take the records as they stand, but for what we wrote in them ourselves."""
        self.accounts: list[Record] = world.get("accounts") or []
        self.users: list[Record] = world.get("users") or []
        self.records: list[Record] = world.get("people") or []
        self.opportunities: list[Record] = world.get("opportunities") or []
        self.before, self.rules = before, rules
        self.call = {**call, "participants": [{**who, "at": at} for at, who in enumerate(call["participants"])]}
        self.reader = PhoneReader(rules.regions)
        self.zone = ZoneInfo(rules.time_zone)
        # 4: "The conversation is the closed interval [start, end]; without an end, end = start + duration; without
        # either, end = start."
        self.start = self.end = dt.datetime.fromisoformat(call["started_at"])
        if call.get("ended_at") is not None:
            self.end = dt.datetime.fromisoformat(call["ended_at"])
        elif call.get("duration_seconds") is not None:
            self.end = self.start + dt.timedelta(seconds=call["duration_seconds"])
        self.activities: list[Record] = [self.without_ours(activity) for activity in world.get("activities") or []]

    # -- what stands before the sections --------------------------------------------------------------------------------

    def there(self, records: list[Record], reference: str | None) -> Record | None:
        """Follow a reference: "a blank reference is no reference", one to a record "that is gone counts as absent"."""
        if reference is None or not reference.strip():
            return None
        return next((record for record in records if record["id"] == reference), None)

    def account_of(self, record: Record) -> Record | None:
        """Give the account of a person, an opportunity or an activity."""
        return self.there(self.accounts, record.get("account_id"))

    def counts_as(self, record: Record) -> Record | None:
        """Give whom a record counts as; None for a lead that is passed over."""
        # 1.6: "followed to the end of a chain (an unconverted lead counts as itself)"
        seen = []
        while record["kind"] == "lead" and (record.get("converted_contact_id") or "").strip():
            if record["id"] in seen:
                return None  # "or the chain is a circle"
            seen.append(record["id"])
            target = self.there(self.records, record["converted_contact_id"])
            if target is None:
                return None  # "If that contact is gone"
            record = target
        return record

    def people(self, references: list[str] | None) -> list[Record]:
        """Give the people that an activity or an opportunity names, each once, converted leads as whom they became."""
        named = [self.there(self.records, reference) for reference in references or []]
        return distinct([self.counts_as(record) for record in named if record is not None])

    # -- 1. participants to people --------------------------------------------------------------------------------------

    def guests(self) -> list[tuple[int, Record]]:
        """1.1: "Only guests are looked up: participants who are not users of the call platform"."""
        return [(place, who) for place, who in enumerate(self.call["participants"]) if not who["is_user"]]

    def emails(self, guest: Record) -> list[str]:
        """Give the e-mails of a guest, as they compare; an empty one is missing."""
        return [key for text in guest.get("emails") or [] if (key := email_key(text)) is not None]

    def numbers(self, guest: Record) -> list[str]:
        """Give the numbers of a guest that can be read."""
        return [number for text in guest.get("phones") or [] if (number := self.reader.read(text)) is not None]

    def hits(self, guest: Record) -> tuple[str, list[Record]]:
        """1.3: by which identifiers a guest was found, and all the records that have them (before 1.6)."""
        emails, numbers = self.emails(guest), self.numbers(guest)
        by_email = [record for record in self.records if any(mail in emails for mail in self.emails(record))]
        by_phone = [record for record in self.records if any(number in numbers for number in self.numbers(record))]
        # "in a meeting all its e-mails, then, if they find nobody, all its numbers; in a phone call all its numbers, then
        # its e-mails"
        order = [("email", by_email), ("phone", by_phone)]
        if self.call["kind"] == "phone":
            order.reverse()
        for matched_by, found in order:
            # 1.6: "passed over as if it had not been found: other records and identifiers still count"
            if any(self.counts_as(record) is not None for record in found):
                return matched_by, found
        return "", []

    def looked_up(self, guest: Record) -> list[Record]:
        """1.5: "Several records with the identifier are ranked"; the first is the person, the others alternates."""
        return sorted(distinct([self.counts_as(record) for record in self.hits(guest)[1]]), key=self.person_rank)

    def ranked(self, guest: Record) -> list[Record]:
        """7: "A person's choice counts as found"; 8: "one who had keeps it"; else who is looked up."""
        if self.by_hand(guest):
            return [person for person in [self.chosen_person(guest)] if person is not None]
        found = self.looked_up(guest)
        kept = self.kept_person(guest)
        return found if kept is None else [kept, *(person for person in found if person != kept)]

    def matched_by(self, guest: Record) -> str:
        """Formats: "`email`, `phone`, `activity`, `person` (by hand)"; of one who is kept and not found: as it was."""
        if self.by_hand(guest):
            return "person"
        if self.kept_person(guest) is None or self.kept_person(guest) in self.looked_up(guest):
            return self.hits(guest)[0]
        return str(((self.before.earlier or {})["people"])[guest["at"]]["matched_by"])

    def chosen(self, what: str, at: int | None = None) -> Record | None:
        """7: what a person set or cleared."""
        rows = [row for row in self.before.manual if row["what"] == what and row.get("participant") == at]
        return rows[0] if rows else None

    def chosen_person(self, guest: Record) -> Record | None:
        """Give whom a person set; 1.6 of a lead that was converted since: "wherever its id occurs"."""
        record = self.there(self.records, (self.chosen("contact", guest["at"]) or {}).get("id"))
        return record and self.counts_as(record)

    def by_hand(self, guest: Record) -> bool:
        """7: "clearing is a decision too"; and "a reference to a record that is gone counts as absent, everywhere"."""
        choice = self.chosen("contact", guest["at"])
        return choice is not None and (choice["id"] is None or self.chosen_person(guest) is not None)

    def kept_person(self, guest: Record) -> Record | None:
        """8: "a guest who had no person gets one, one who had keeps it (through merges)"."""
        people = (self.before.earlier or {}).get("people") or []
        had = people[guest["at"]] if people else None
        record = had and self.there(self.records, had["id"])
        return record and self.counts_as(record)

    def person_rank(self, person: Record) -> tuple[bool, bool, bool, str, str]:
        """1.5: "contact before lead; then with an account; then with a job title; then by name; then by id"."""
        return (
            person["kind"] != "contact",
            self.account_of(person) is None,
            not compare_text(person.get("title")),
            compare_text(person.get("name")),
            person["id"],
        )

    def reason(self, guest: Record) -> str:
        """1.9: "An unmatched guest has a reason"."""
        if self.emails(guest) or self.numbers(guest):
            return "not_in_crm"
        return "invalid_phone" if any(text.strip() for text in guest.get("phones") or []) else "no_identifier"

    def matched(self, *, attending: bool) -> list[Record]:
        """1.7: the distinct people of the guests; 1.2: "A guest known not to have attended" is left out of some uses."""
        chosen = []
        for _, guest in self.guests():
            ranked = self.ranked(guest)
            if ranked and not (attending and guest.get("attended") is False):
                chosen.append(ranked[0])
        return distinct(chosen)

    # -- 2. which activity is this call's -------------------------------------------------------------------------------

    def key(self, activity: Record) -> str | None:
        """Give the call id that an activity carries: its field as stored, else its body's last line ``ref: ID``."""
        if (activity.get("call_id") or "").strip():
            return str(activity["call_id"])
        last = (activity.get("body") or "").rstrip("\n").split("\n")[-1]
        return last.removeprefix("ref: ") if last.startswith("ref: ") else None

    def without_ours(self, activity: Record) -> Record:
        """2: "Associations that the connector wrote, and nobody changed since, do not count"."""
        written = self.before.written
        if written is None or not self.known(activity):
            return activity
        wrote = [self.counts_as(record) for one in written["person_ids"] if (record := self.there(self.records, one))]
        return {
            **activity,
            "person_ids": [person["id"] for person in self.people(activity.get("person_ids")) if person not in wrote],
            **{
                name: None if activity.get(name) == written[name] else activity.get(name)
                for name in ("account_id", "opportunity_id")
            },
        }

    def known(self, activity: Record) -> bool:
        """Tell the activity that we know to be the call's; one with another call's key is that one's."""
        family = [kinds for kinds in (*KINDS.values(), ("note",)) if (self.before.written or {}).get("kind") in kinds]
        return (
            activity["id"] == (self.before.written or {}).get("activity_id")
            and activity["kind"] in family[0]
            and self.key(activity) in (None, self.call["id"])
        )

    def recognise(self) -> tuple[Record | None, bool]:
        """Give the activity that is the call's, and whether several look alike."""
        # 2.1: "An activity whose key equals the call's id, exactly, in any kind of activity."
        by_key = [one for one in self.activities if self.key(one) == self.call["id"] or self.known(one)]
        if by_key:  # 2.3: "among equals by key the smallest id"; one that we know to be the call's stays it
            return min(by_key, key=lambda one: (self.names(one), not self.known(one), one["id"])), False
        alike = [activity for activity in self.activities if self.looks_alike(activity)]
        best = [activity for activity in alike if self.names(activity) == min(map(self.names, alike))]
        # 2.3: "among equal look-alikes none: the decision is case 2's, its status `ambiguous`"
        return (best[0] if len(best) == 1 else None), len(best) > 1

    def names(self, activity: Record) -> int:
        """2.3: "one that names an opportunity before one that names an account, before one that names people"."""
        if self.there(self.opportunities, activity.get("opportunity_id")):
            return 0
        if self.account_of(activity):
            return 1
        return 2 if self.people(activity.get("person_ids")) else 3

    def looks_alike(self, activity: Record) -> bool:
        """2.2: "one without another call's key, of the call's kind, which shares a person with the call"."""
        if self.key(activity) is not None or activity["kind"] not in KINDS[self.call["kind"]]:
            return False
        # "any ranked record of a guest, absent guests, alternates and converted leads included"
        ours = [person["id"] for _, guest in self.guests() for person in self.ranked(guest)]
        if not any(person["id"] in ours for person in self.people(activity.get("person_ids"))):
            return False
        began = activity.get("started_at")
        if began is None:
            return False  # "Without a start or day …, it is no look-alike"
        if not is_day(began):  # "starts within 15 minutes of the call's start, inclusive"
            return abs(dt.datetime.fromisoformat(began) - self.start) <= dt.timedelta(minutes=15)
        # Else it "lies on that day in the connection's time zone and has a duration within 10 % of the call's, inclusive"
        length, theirs = self.length(), exact(activity.get("duration_seconds"))
        if length is None or theirs is None:
            return False  # "or with a day and no duration on either side"
        same_day = dt.date.fromisoformat(began) == self.start.astimezone(self.zone).date()
        return same_day and abs(theirs - length) <= length / 10

    def length(self) -> Fraction | None:
        """2.2: "`duration_seconds`, else end − start"."""
        if self.call.get("duration_seconds") is not None:
            return exact(self.call["duration_seconds"])
        if self.call.get("ended_at") is not None:
            return Fraction((self.end - self.start) // MICROSECOND, 1_000_000)
        return None


def distinct(records: Sequence[Record | None]) -> list[Record]:
    """Keep each record once."""
    return [record for at, record in enumerate(records) if record is not None and record not in records[:at]]


def is_day(text: str) -> bool:
    """Tell a date from a date and time."""
    return len(text) == len("2026-03-02")


def exact(seconds: float | None) -> Fraction | None:
    """Read a number as it is written: 19.8 is 19.8."""
    return None if seconds is None else Fraction(str(seconds))
