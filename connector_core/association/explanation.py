"""A decision in plain words, and what a person can do about what is missing."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from connector_core.association.opportunities import WHOLE_ACCOUNTS
from connector_core.association.people import MOST_PEOPLE, told

if TYPE_CHECKING:
    from collections.abc import Iterable

    from connector_core.association.decision import Decision
    from connector_core.association.history import Choice
    from connector_core.association.opportunities import Candidate
    from connector_core.association.people import Guest
    from connector_core.association.settings import Settings
    from connector_core.model import Participant, Person

TIER_WORDS = {
    "open_during_call": "open during the call",
    "created_after_call": "created after the call",
    "closed_before_call": "closed shortly before the call",
    "closed_after_call": "closed after the call",
    "closed_long_before_call": "closed long before the call",
}
EXCLUDED_WORDS = {
    "owner": "not owned by the organizer",
    "no_tier": "outside the windows",
    "other_account": "of another account",
}
BY_WORDS = {"email": "by e-mail", "phone": "by phone", "activity": "by the activity", "person": "by hand"}


def explain(decision: Decision) -> str:
    """Say in one line how the decision came about, and under which settings."""
    return f"{reasons(decision)} {in_force(decision.settings)}"


def reasons(decision: Decision) -> str:
    """Say in one line how the decision came about."""
    participants = decision.call.participants
    parts = [_guest(guest, participants[guest.place]) for guest in decision.guests]
    if not decision.guests:
        parts.append("The call has no guest to look for.")
    if decision.status == "undecided":
        parts.append(f"Undecided, because the CRM did not tell: {'; '.join(decision.unknown)}.")
    else:
        parts.append(_activity(decision))
        if decision.also:
            parts.append(f"Only the activity names {_list(map(_named, decision.also))}.")
        parts.append(_opportunity(decision))
        parts.append(_account(decision))
        parts += [f"{_gone(choice, decision)}." for choice in decision.gone]
    return _one_line(" ".join(parts))


def _guest(guest: Guest, participant: Participant) -> str:
    name = _called(guest, participant)
    away = "" if guest.attends else ", who did not attend and does not count,"
    if not guest.ranked:
        if guest.by_hand:
            return f"{name}{away} is nobody: the contact was cleared by hand."
        if guest.reason == "unknown":
            return f"{name}{away} could not be looked up ({guest.detail})."
        return f"{name}{away} matches nobody: {guest.detail}."
    person = guest.ranked[0]
    text = f"{name}{away} is {person.kind} {person.id} {BY_WORDS[guest.matched_by or 'email']}"
    extra = []
    if guest.kept:
        extra.append("kept from before")
    if len(guest.ranked) > 1:
        extra.append(f"before {_list(other.id for other in guest.ranked[1:])}")
    if guest.former_leads:
        extra.append(f"converted from lead {_list(guest.former_leads)}")
    extra += map(told, guest.shared)
    if person.account is None:
        extra.append("without account")
    if person.other_account_ids:
        extra.append(f"further accounts {_list(person.other_account_ids)} do not count")
    return f"{text} ({'; '.join(extra)})." if extra else f"{text}."


def _activity(decision: Decision) -> str:
    who = "the primary contact decides" if decision.case == "primary_contact" else "the participants decide"
    if decision.ambiguous:
        return f"Activities {_list(decision.ambiguous)} may each be this call, nothing tells which: {who}."
    activity = decision.activity
    if activity is None:
        return f"The CRM has no activity for it: {who}."
    how = "carries the call's id" if decision.by_key else "is of the same people and time"
    if decision.ours and not decision.by_key:
        how = "is the one that we wrote before"
    what = {
        "activity_opportunity": f"and names opportunity {_list(item.opportunity.id for item in decision.candidates[:1])}",
        "activity_account": f"and names account {_list(sorted(account.id for account in activity.accounts))}",
        "activity_people": "and names people: their opportunities decide, or else the guests'",
        "participants": f"and names nothing{' but what we wrote' if decision.ours else ''}: {who}",
        "primary_contact": f"but {who}",
    }[decision.case or "participants"]
    text = f"Activity {activity.id} {how} {what}."
    if decision.removed:
        named = _list(f"{what} {record_id}" for what, record_id in sorted(decision.removed))
        text += f" Somebody took out of it what we had written, it is not added again: {named}."
    return text


def _opportunity(decision: Decision) -> str:
    listed = _list(map(_candidate, decision.candidates), "; ")
    if "opportunity" in decision.by_hand:
        chosen = decision.opportunity
        text = f"Opportunity {_named(chosen)} was set by hand" if chosen else "The opportunity was cleared by hand"
        return f"{text}; candidates were: {listed}." if listed else f"{text}."
    if not decision.candidates:
        return "There is no opportunity to choose from."
    if decision.opportunity is None:
        return f"No opportunity qualifies: {listed}."
    return f"Opportunity {_named(decision.opportunity)} is chosen: {listed}."


def _candidate(candidate: Candidate) -> str:
    if candidate.excluded is not None:
        return f"{candidate.opportunity.id} is {EXCLUDED_WORDS[candidate.excluded]}"
    if candidate.tier is None:
        return f"{candidate.opportunity.id} is linked by the activity"
    return f"{candidate.rank}. {candidate.opportunity.id} {TIER_WORDS[candidate.tier]}"


def _account(decision: Decision) -> str:
    counts = ", ".join(f"{account} {number}" for account, number in sorted(decision.counts.items()))
    if decision.account is None and "account" in decision.by_hand:
        return "The account was cleared by hand" + (f" (people by account: {counts})." if counts else ".")
    if decision.account is None:
        return "Nobody brings an account." if not counts else f"There is no account (people by account: {counts})."
    how = {
        "opportunity": "is the opportunity's",
        "activity": "is the activity's",
        "most_frequent": "is the most frequent among the people",
        "primary_contact": "is the primary contact's",
        "person": "was set by hand",
        None: "",
    }[decision.account_from]
    if decision.account_kept:
        how = "is kept from before"
    return f"Account {_named(decision.account)} {how}" + (f" (people by account: {counts})." if counts else ".")


def _gone(choice: Choice, decision: Decision) -> str:
    place = choice.participant
    if place is None:
        return f"The {choice.what} {choice.id} that was set by hand is no longer in the CRM"
    if place not in {guest.place for guest in decision.guests}:
        return f"Contact {choice.id} was set by hand for place {place}, where no guest of this call stands"
    return f"Contact {choice.id}, set by hand for the guest at place {place}, is no longer in the CRM"


@functools.lru_cache(maxsize=256)
def in_force(settings: Settings) -> str:
    """Say the settings in force in one sentence."""
    after, before, long_before = settings.windows_days
    far = "without bound" if settings.policy == "primary_contact" else f"{long_before} days"
    ignored = "".join(
        f"; {what} ignored: {_list(map(_one_line, texts))}"
        for what, texts in (("e-mails", settings.ignore_emails), ("numbers", settings.ignore_numbers))
        if texts
    )
    most = settings.most_people_per_identifier
    bound = "" if most is None else f"; {MOST_PEOPLE}: {most}"
    return (
        f"Policy {settings.policy}; windows: {after} days after, {before} days before, {far} long before;"
        f" owner filter {'on' if settings.owner_filter else 'off'};"
        f" regions {', '.join(settings.regions) or 'none'}; time zone {settings.time_zone}{ignored}{bound}."
    )


def _named(record: Person | object) -> str:
    name = getattr(record, "name", None)
    return f"{getattr(record, 'id', '')} {name}" if name else str(getattr(record, "id", ""))


def _called(guest: Guest, participant: Participant) -> str:
    return _one_line(participant.name or "") or f"The guest at place {guest.place}"


def _list(texts: Iterable[str], separator: str = ", ") -> str:
    return separator.join(texts)


def _one_line(text: str) -> str:
    """Keep on one line what names and a CRM's own messages would break."""
    return text.strip() if text.isprintable() else " ".join(text.split())


# -- advice


def advise(decision: Decision) -> list[dict[str, str]]:
    """List what a person can do about what is missing: a stable ``code`` and a ``text``."""
    rows: list[tuple[str, str]] = []
    if decision.unknown:
        rows.append(("unknown", "The CRM could not be asked completely. Nothing was decided: ask again later."))
    if decision.ambiguous:
        text = "look alike: link the right one to its opportunity or account in the CRM, then refresh the call."
        rows.append(("ambiguous_activity", f"Activities {_list(decision.ambiguous)} {text}"))
    for guest in decision.guests:
        if guest.reason in GUEST_ADVICE:
            participant = decision.call.participants[guest.place]
            name = _called(guest, participant)
            advice = IGNORED_ADVICE if guest.ignored and guest.reason == "no_identifier" else GUEST_ADVICE[guest.reason]
            if guest.reason == "not_in_crm" and participant.phones and not decision.settings.regions:
                advice += NO_REGIONS_ADVICE
            row = ("shared_identifier", SHARED_ADVICE) if guest.shared else (guest.reason, advice)
            rows.append((row[0], row[1].format(name=name)))
    if not decision.guests:
        who = "Only users of the call platform took part" if decision.call.participants else "No participants are known"
        rows.append(("no_guest", f"{who}: there is nobody to look for in the CRM."))
    if decision.status != "undecided":
        rows.extend(_record_advice(decision))
    return [{"code": code, "text": text} for code, text in rows]


GUEST_ADVICE: dict[str, str] = {
    "no_identifier": "{name} has neither e-mail nor number: invite people with their professional address.",
    "invalid_phone": "{name}'s number cannot be read: set the connection's regions, or correct it in the call platform.",
    "not_in_crm": "{name} is not in the CRM: create the contact, or add this address or number to it.",
}
NO_REGIONS_ADVICE = " Numbers that the CRM has without + are not read as long as the connection has no regions."
SHARED_ADVICE = (
    "{name} has an e-mail or number that too many people share: give the contact one of its own, or raise "
    f"{MOST_PEOPLE}."
)
IGNORED_ADVICE = "{name} has nothing that is looked up: if it should be found, change ignore_emails or ignore_numbers."


def _record_advice(decision: Decision) -> list[tuple[str, str]]:
    places = {None, *(guest.place for guest in decision.guests)}
    rows = []
    for choice in decision.gone:
        what = "choose again, or clear it." if choice.participant in places else "it counts for nothing."
        rows.append(("manual_gone", f"{_gone(choice, decision)}: {what}"))
    if decision.opportunity is None and "opportunity" not in decision.by_hand:
        excluded = {candidate.excluded for candidate in decision.candidates}
        if "owner" in excluded:
            rows.append(
                (
                    "other_owner",
                    "The organizer does not own it: switch the owner filter off, or change the opportunity's owner.",
                )
            )
        if "no_tier" in excluded:
            rows.append(
                ("outside_windows", "An opportunity lies outside the windows: widen them, or link the activity to it.")
            )
        if "other_account" in excluded:
            text = "An opportunity is of another account than the call: correct the account of the one or the other."
            rows.append(("other_account", text))
        if not decision.candidates and decision.people:
            rows.append(("no_opportunity", _no_opportunity(decision)))
    if len(decision.counts) > 1:
        rows.append(
            (
                "several_accounts",
                "The people have several accounts: check them, or link the activity in the CRM beforehand.",
            )
        )
    return rows


def _no_opportunity(decision: Decision) -> str:
    if decision.account is not None and decision.case in WHOLE_ACCOUNTS:
        return "The account has no opportunity: create it in the CRM, or correct the account of the call."
    if decision.counts:
        return "Nobody has an opportunity: add the contact to the opportunity in the CRM."
    return "Nobody has an account or an opportunity: complete the contact in the CRM."
