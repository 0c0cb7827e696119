"""From participants to people: who the guests are in the CRM."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias

from connector_core import identity
from connector_core.association.history import NO_HISTORY, History, MatchedBy
from connector_core.association.ignored import By, Ignored
from connector_core.association.records import ById, People, Records, Wants, counted
from connector_core.model import Call, Participant, Person, Unknown

Reason: TypeAlias = Literal["no_identifier", "invalid_phone", "not_in_crm", "unknown"]
WORDS: dict[By, str] = {"email": "e-mail", "phone": "number"}
MOST_PEOPLE = "most_people_per_identifier"
"""The setting."""
IGNORED_BY: dict[By, str] = {"email": "ignore_emails", "phone": "ignore_numbers"}

compare_text = functools.lru_cache(maxsize=2_048)(identity.compare_text)
email_key = functools.lru_cache(maxsize=2_048)(identity.email_key)


class Shared(NamedTuple):
    """An identifier that identifies nobody: more people have it than the settings allow."""

    by: By
    key: str
    people: int


class Guest(NamedTuple):
    """A participant who is looked up, and what came of it. A tuple, since every decision makes several.

    ``ranked``: every record with one of the identifiers that were used, best first, leads replaced by whom they became.
    ``former_leads``: ids of the leads that were so replaced. Without anybody, ``reason`` says why and ``detail`` names it.
    ``by_hand``: a person said who it is, or, without anybody, that it is nobody. ``kept``: it is who it was before, though
    another would be found today. ``ignored``: of somebody who was not found, an identifier was not looked up, by setting.
    ``shared``: identifiers that were looked up, and identify nobody.
    """

    place: int
    attends: bool
    ranked: tuple[Person, ...] = ()
    matched_by: MatchedBy | None = None
    former_leads: tuple[str, ...] = ()
    reason: Reason | None = None
    detail: str = ""
    by_hand: bool = False
    kept: bool = False
    ignored: bool = False
    shared: tuple[Shared, ...] = ()

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


def match(
    call: Call,
    records: Records,
    reader: identity.PhoneReader,
    history: History = NO_HISTORY,
    by_id: ById | None = None,
    ignored: Ignored | None = None,
    most: int | None = None,
) -> Guests:
    """Find out who the guests of a call are.

    :param by_id: Reads what people chose, and may have read before: what it wants is wanted here.
    :param ignored: Identifiers that are not looked up.
    :param most: How many people may have an identifier that identifies one of them; None for any number.
    """
    first = call.kind == "meeting"
    matcher = _Matcher(records, reader, history, by_id or ById(records), ignored, most, emails_first=first)
    find = matcher.found if history is NO_HISTORY else matcher.guest
    guests = tuple([find(place, who) for place, who in enumerate(call.participants) if not who.is_user])
    return Guests(guests, matcher.wants, (*matcher.unknown, *matcher.by_id.unknown))


class _Matcher:
    """Looks guests up in what the CRM answered, and keeps what it did not answer."""

    def __init__(
        self,
        records: Records,
        reader: identity.PhoneReader,
        history: History,
        by_id: ById,
        ignored: Ignored | None,
        most: int | None,
        *,
        emails_first: bool,
    ) -> None:
        self.answers: dict[By, People] = {"email": records.people_by_email, "phone": records.people_by_phone}
        self.read: dict[By, Callable[[str], str | None]] = {"email": email_key, "phone": reader.read}
        self.order: tuple[By, By] = ("email", "phone") if emails_first else ("phone", "email")
        self.history = history
        self.by_id = by_id
        self.ignored = ignored
        self.most = most
        self.missing: dict[By, set[str]] = {"email": set(), "phone": set()}
        self.unknown: list[str] = []

    @property
    def wants(self) -> Wants:
        wants = self.by_id.wants
        if any(self.missing.values()):
            return replace(wants, emails=frozenset(self.missing["email"]), phones=frozenset(self.missing["phone"]))
        return wants

    def guest(self, place: int, who: Participant) -> Guest:
        """Find out who one guest is: whom a person chose, else whom it was before, else who is found today."""
        choice = self.history.choices.contacts.get(place)
        if choice is not None:
            attends = who.attended is not False
            person = self.by_id.person(choice.id) if choice.id is not None else None
            if isinstance(person, Unknown):
                return Guest(place, attends, reason="unknown", detail=person.reason)
            if person is not None:
                return Guest(place, attends, (person,), "person", by_hand=True)
            if choice.id is None:
                return Guest(place, attends, by_hand=True)
        return self._kept(self.found(place, who))

    def _kept(self, found: Guest) -> Guest:
        """Leave a guest who it was before, if that person is still there: the others found today become alternates."""
        earlier = self.history.earlier
        before = earlier.person_ids.get(found.place) if earlier is not None else None
        if earlier is None or before is None or found.reason == "unknown":
            return found
        person = next((person for person in found.ranked if person.id == before), None) or self.by_id.person(before)
        if isinstance(person, Unknown):
            return Guest(found.place, found.attends, reason="unknown", detail=person.reason)
        if person is None or (found.person is not None and person.id == found.person.id):
            return found
        others = tuple(other for other in found.ranked if other.id != person.id)
        how = found.matched_by if len(others) < len(found.ranked) else earlier.matched_by.get(found.place)
        return found._replace(ranked=(person, *others), matched_by=how, reason=None, detail="", kept=True)

    def found(self, place: int, who: Participant) -> Guest:
        """Look one guest up: by the identifiers of the call's kind, then, if they find nobody, by the others."""
        attends = who.attended is not False
        looked_up: list[str] = []
        gone: list[str] = []
        shared: list[Shared] = []
        for by in self.order:
            keys = self._keys(by, who)
            if not keys:
                continue
            if self.most is not None:
                common = {it.key: it for it in self._shared(by, keys, self.most)}
                keys = [key for key in keys if key not in common]
                shared += common.values()
            hits, missing, failed = _hits(keys, self.answers[by])
            if missing:
                for other in self.order:  # all at once: what it costs to ask later is a round more for every call
                    self.missing[other].update(self._unasked(other, who))
                return Guest(place, attends, reason="unknown", detail="not asked yet")
            if failed:
                self.unknown += [f"contacts with the {WORDS[by]} {key}: {reason}" for key, reason in failed]
                return Guest(place, attends, reason="unknown", detail=failed[0][1])
            ranked, former, dead = _rank(hits)
            if ranked:
                return Guest(place, attends, ranked, by, former, shared=tuple(shared))
            gone += dead
            looked_up += [f"the {WORDS[by]} {key}" for key in keys]
        ignored = self._ignored(who)
        reason: Reason
        if looked_up or shared:
            reason, detail = "not_in_crm", _nobody(looked_up, gone) if looked_up else ""
        elif any(text.strip() and self.read["phone"](text) is None for text in who.phones or ()):
            reason, detail = "invalid_phone", "none of its numbers can be read"
        else:
            reason, detail = "no_identifier", "" if ignored else "it has neither e-mail nor number"
        detail = "; ".join(filter(None, [detail, *map(told, shared), *ignored]))
        return Guest(place, attends, reason=reason, detail=detail, ignored=bool(ignored), shared=tuple(shared))

    def _unasked(self, by: By, who: Participant) -> list[str]:
        return [key for key in self._keys(by, who) if key not in self.answers[by]]

    def _shared(self, by: By, keys: Sequence[str], most: int) -> Iterator[Shared]:
        """Give those of the keys that more people have than identify one; each person counts once."""
        for key in keys:
            answer = self.answers[by].get(key)
            if answer is not None and not isinstance(answer, Unknown) and len(answer) > most:
                people = {person.id for hit in answer if (person := counted(hit)) is not None}
                if len(people) > most:
                    yield Shared(by, key, len(people))

    def _keys(self, by: By, who: Participant) -> list[str]:
        keys = self._read(by, who)
        if self.ignored is not None:
            keys = [key for key in keys if not self.ignored.has(by, key)]
        return keys if len(keys) < 2 else list(dict.fromkeys(keys))

    def _read(self, by: By, who: Participant) -> list[str]:
        read = self.read[by]
        texts = who.emails if by == "email" else who.phones
        return [key for text in texts or () if (key := read(text))]

    def _ignored(self, who: Participant) -> list[str]:
        """Say which of a guest's identifiers are not looked up, and by which setting."""
        return [
            f"its {WORDS[by]} is ignored by the setting {IGNORED_BY[by]}"
            for by in self.order
            if self.ignored is not None and any(self.ignored.has(by, key) for key in self._read(by, who))
        ]


def told(shared: Shared) -> str:
    """Say why an identifier identifies nobody."""
    return f"the {WORDS[shared.by]} {shared.key} is that of {shared.people} people, more than {MOST_PEOPLE} allows"


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
