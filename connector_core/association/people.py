"""From participants to people: who the guests are in the CRM."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias

from connector_core import identity
from connector_core.association.records import People, Records, Wants
from connector_core.model import Call, Participant, Person, Unknown

Reason: TypeAlias = Literal["no_identifier", "invalid_phone", "not_in_crm", "unknown"]
By: TypeAlias = Literal["email", "phone"]
WORDS: dict[By, str] = {"email": "e-mail", "phone": "number"}

compare_text = functools.lru_cache(maxsize=65_536)(identity.compare_text)
email_key = functools.lru_cache(maxsize=65_536)(identity.email_key)


class Guest(NamedTuple):
    """A participant who is looked up, and what came of it. A tuple, since every decision makes several.

    ``ranked``: every record with one of the identifiers that were used, best first, leads replaced by whom they became.
    ``former_leads``: ids of the leads that were so replaced. Without anybody, ``reason`` says why and ``detail`` names it.
    """

    place: int
    attends: bool
    ranked: tuple[Person, ...] = ()
    matched_by: By | None = None
    former_leads: tuple[str, ...] = ()
    reason: Reason | None = None
    detail: str = ""

    @property
    def person(self) -> Person | None:
        """Who it is."""
        return self.ranked[0] if self.ranked else None


@dataclass(frozen=True, slots=True)
class Guests:
    """All guests of a call, in order; ``wants``: what was not asked yet; ``unknown``: what could not be asked."""

    guests: tuple[Guest, ...]
    wants: Wants
    unknown: tuple[str, ...]

    def attending(self) -> list[Person]:
        """List the distinct people who count: one who attended counts, however often the person stands in the call."""
        return distinct(guest.ranked[0] for guest in self.guests if guest.attends and guest.ranked)

    def ids(self) -> set[str]:
        """Give the ids of every record that a guest may be, absent guests, alternates and former leads included."""
        ids: set[str] = set()
        for guest in self.guests:
            ids.update(guest.former_leads)
            for person in guest.ranked:
                ids.add(person.id)
        return ids


def counted(person: Person) -> Person | None:
    """Give whom a record stands for: a converted lead for whom it became (None: gone), any other for itself."""
    found: Person | None = person
    while found is not None and found.converted:
        found = found.converted_to
    return found


def rank(person: Person) -> tuple[bool, bool, bool, str, str]:
    """Order people: contacts first, then with an account, with a job title, by name, by id."""
    return (
        person.kind != "contact",
        person.account is None,
        not (person.title and compare_text(person.title)),
        compare_text(person.name) if person.name else "",
        person.id,
    )


def distinct(people: Iterable[Person]) -> list[Person]:
    """Drop repeats by id, in order."""
    return list({person.id: person for person in people}.values())


def match(call: Call, records: Records, reader: identity.PhoneReader) -> Guests:
    """Find out who the guests of a call are."""
    matcher = _Matcher(records, reader, emails_first=call.kind == "meeting")
    guests = tuple([matcher.guest(place, who) for place, who in enumerate(call.participants) if not who.is_user])
    missing = matcher.missing
    wants = Wants(frozenset(missing["email"]), frozenset(missing["phone"])) if any(missing.values()) else NOTHING
    return Guests(guests, wants, tuple(matcher.unknown))


NOTHING = Wants()


class _Matcher:
    """Looks guests up in what the CRM answered, and keeps what it did not answer."""

    def __init__(self, records: Records, reader: identity.PhoneReader, *, emails_first: bool) -> None:
        self.answers: dict[By, People] = {"email": records.people_by_email, "phone": records.people_by_phone}
        self.read: dict[By, Callable[[str], str | None]] = {"email": email_key, "phone": reader.read}
        self.order: tuple[By, By] = ("email", "phone") if emails_first else ("phone", "email")
        self.missing: dict[By, set[str]] = {"email": set(), "phone": set()}
        self.unknown: list[str] = []

    def guest(self, place: int, who: Participant) -> Guest:
        """Find out who one guest is: by the identifiers of the call's kind, then, if they find nobody, by the others."""
        attends = who.attended is not False
        looked_up: list[str] = []
        gone: list[str] = []
        for by in self.order:
            keys = self._keys(by, who)
            if not keys:
                continue
            hits, missing, failed = _hits(keys, self.answers[by])
            if missing:
                self.missing[by].update(missing)
                return Guest(place, attends, reason="unknown", detail="not asked yet")
            if failed:
                self.unknown += [f"contacts with the {WORDS[by]} {key}: {reason}" for key, reason in failed]
                return Guest(place, attends, reason="unknown", detail=failed[0][1])
            ranked, former, dead = _rank(hits)
            if ranked:
                return Guest(place, attends, ranked, by, former)
            gone += dead
            looked_up += [f"the {WORDS[by]} {key}" for key in keys]
        if looked_up:
            return Guest(place, attends, reason="not_in_crm", detail=_nobody(looked_up, gone))
        if any(phone.strip() for phone in who.phones or ()):
            return Guest(place, attends, reason="invalid_phone", detail="none of its numbers can be read")
        return Guest(place, attends, reason="no_identifier", detail="it has neither e-mail nor number")

    def _keys(self, by: By, who: Participant) -> list[str]:
        read = self.read[by]
        texts = who.emails if by == "email" else who.phones
        keys = [key for text in texts or () if (key := read(text))]
        return keys if len(keys) < 2 else list(dict.fromkeys(keys))


def _nobody(looked_up: Sequence[str], gone: Sequence[str]) -> str:
    detail = f"nobody in the CRM has {' or '.join(looked_up)}"
    if gone:
        leads = ", ".join(f"lead {lead}" for lead in sorted(set(gone)))
        detail += f"; passed over, since whom it was converted to is gone: {leads}"
    return detail


def _hits(keys: Sequence[str], answers: People) -> tuple[list[Person], list[str], list[tuple[str, str]]]:
    """Give the records found under the keys, the keys not asked, and those that could not be, with the reason."""
    hits: list[Person] = []
    missing: list[str] = []
    failed: list[tuple[str, str]] = []
    for key in keys:
        answer = answers.get(key)
        if answer is None:
            missing.append(key)
        elif isinstance(answer, Unknown):
            failed.append((key, answer.reason))
        else:
            hits.extend(answer)
    return hits, missing, failed


def _rank(hits: Sequence[Person]) -> tuple[tuple[Person, ...], tuple[str, ...], list[str]]:
    """Give the people whom the records stand for, best first, the leads that became one of them, and those gone."""
    people: dict[str, Person] = {}
    former: set[str] = set()
    gone: list[str] = []
    for hit in hits:
        person = counted(hit) if hit.converted else hit
        if person is None:
            gone.append(hit.id)
            continue
        people[person.id] = person
        if person is not hit:
            former.add(hit.id)
    ranked = tuple(people.values()) if len(people) < 2 else tuple(sorted(people.values(), key=rank))
    return ranked, tuple(sorted(former)), gone
