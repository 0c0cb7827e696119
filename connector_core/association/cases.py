"""The cases: how a decision is made. A pure function of the call, the records and the settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from connector_core.association import account as accounts
from connector_core.association.decision import AccountFrom, Case, Decision
from connector_core.association.opportunities import Candidate, Span, choose
from connector_core.association.people import Guests, distinct, email_key, match
from connector_core.association.recognise import NONE, Recognised, people_of, recognise
from connector_core.association.records import Deals, Records, Wants
from connector_core.association.settings import Settings, phone_reader
from connector_core.model import Account, Activity, Call, CallKey, Opportunity, Person, Unknown


def wants(call: Call, records: Records, settings: Settings) -> Wants:
    """Say what has to be asked next before :func:`decide` can decide this call; nothing, once it can."""
    result = _Maker(call, records, settings).make()
    return result if isinstance(result, Wants) else Wants()


def decide(call: Call, records: Records, settings: Settings) -> Decision:
    """Decide what a call belongs to.

    What was not asked counts as not known: a decision that it could change is ``undecided``.
    """
    maker = _Maker(call, records, settings)
    result = maker.make()
    if isinstance(result, Wants):
        return maker.undecided([f"{what}: not asked" for what in result.named()])
    return result


class _Maker:
    """One call's way through the rules; each step either knows, or says what it wants."""

    def __init__(self, call: Call, records: Records, settings: Settings) -> None:
        self.call = call
        self.records = records
        self.settings = settings
        self.guests: Guests = match(call, records, phone_reader(settings.regions))
        self.attending = self.guests.attending()
        self.found: Recognised = NONE
        self.span = Span.of(call, settings.windows_days, unbounded=settings.policy == "primary_contact")

    def make(self) -> Decision | Wants:
        if self.guests.wants:
            return self.guests.wants
        if self.guests.unknown:
            return self.undecided(self.guests.unknown)
        ids = self.guests.ids()
        activities = self.records.activities.get(self.call.id)
        if activities is None:
            return Wants(activity=self._key(ids))
        if isinstance(activities, Unknown):
            return self.undecided([f"activities of the call: {activities.reason}"])
        if activities:
            self.found = recognise(self.call, activities, ids, self.settings.zone)
        if self.settings.policy == "primary_contact":
            return self._primary_contact()
        activity = self.found.activity
        if activity is not None:
            if activity.opportunities:
                return self._activity_opportunity(activity)
            if activity.accounts:
                return self._activity_account(activity)
            if named := people_of(activity):
                return self._activity_people(activity, named)
        return self._participants()

    def undecided(self, unknown: Iterable[str]) -> Decision:
        asked = tuple(dict.fromkeys(unknown))
        return Decision(self.call, self.settings, "undecided", self.guests.guests, unknown=asked)

    def _key(self, ids: Iterable[str]) -> CallKey:
        call = self.call
        return CallKey(call.id, call.kind, call.started_at, call.end, call.length_seconds, tuple(sorted(ids)))

    # -- the cases

    def _activity_opportunity(self, activity: Activity) -> Decision:
        candidates = choose(activity.opportunities, self.span, self.settings.zone)
        chosen = candidates[0].opportunity
        rows = [Candidate(item.opportunity, rank=place) for place, item in enumerate(candidates, 1)]
        return self._decided("activity_opportunity", rows, chosen, activity)

    def _activity_account(self, activity: Activity) -> Decision | Wants:
        people = self._everybody(activity)
        account = _among(activity.accounts, people)
        deals, wanted, unknown = _gather([account.id], self.records.opportunities_of_accounts)
        if wanted or unknown:
            return Wants(accounts=frozenset(wanted)) if wanted else self._unknown("account", unknown)
        candidates = choose(deals, self.span, self.settings.zone)
        return self._decided("activity_account", candidates, _first(candidates), activity, account)

    def _activity_people(self, activity: Activity, named: Sequence[Person]) -> Decision | Wants:
        answers = self.records.opportunities_of_people
        own, wanted, unknown = _gather([person.id for person in named], answers)
        guests, guests_wanted, guests_unknown = _gather([person.id for person in self.attending], answers)
        if wanted:
            return Wants(people=frozenset([*wanted, *guests_wanted]))
        if unknown:
            return self._unknown("", unknown)
        candidates = choose(own, self.span, self.settings.zone)
        if _first(candidates) is None:
            if guests_wanted:
                return Wants(people=frozenset(guests_wanted))
            if guests_unknown:
                return self._unknown("", guests_unknown)
            union = {deal.id: deal for deal in (*own, *guests)}
            candidates = choose(union.values(), self.span, self.settings.zone)
        return self._decided("activity_people", candidates, _first(candidates), activity)

    def _participants(self) -> Decision | Wants:
        answers = self.records.opportunities_of_people
        deals, wanted, unknown = _gather([person.id for person in self.attending], answers)
        if wanted or unknown:
            return Wants(people=frozenset(wanted)) if wanted else self._unknown("", unknown)
        others: list[Candidate] = []
        if self.settings.owner_filter:
            # Whoever the organizer is, what nobody owns does not qualify: then there is no need to know.
            owners = self._owners() if any(deal.owner_id for deal in deals) else frozenset()
            if isinstance(owners, Wants | Decision):
                return owners
            others = [Candidate(deal, excluded="owner") for deal in deals if deal.owner_id not in owners]
            deals = [deal for deal in deals if deal.owner_id in owners]
        candidates = choose(deals, self.span, self.settings.zone)
        if others:
            ranked = [item for item in candidates if item.rank is not None]
            out = [*(item for item in candidates if item.rank is None), *others]
            candidates = [*ranked, *sorted(out, key=lambda item: item.opportunity.id)]
        return self._decided("participants", candidates, _first(candidates), self.found.activity)

    def _owners(self) -> frozenset[str] | Wants | Decision:
        """Give the ids of the CRM users who are the organizer."""
        email = organizer_email(self.call)
        if email is None:
            return frozenset()
        users = self.records.users_by_email.get(email)
        if users is None:
            return Wants(users=frozenset({email}))
        if isinstance(users, Unknown):
            return self.undecided([f"users with the e-mail {email}: {users.reason}"])
        return frozenset(user.id for user in users)

    def _primary_contact(self) -> Decision | Wants:
        primary = accounts.primary_contact(self.attending)
        account = primary.account if primary else None
        deals, wanted, unknown = _gather([account.id] if account else [], self.records.opportunities_of_accounts)
        if wanted or unknown:
            return Wants(accounts=frozenset(wanted)) if wanted else self._unknown("account", unknown)
        candidates = choose(deals, self.span, self.settings.zone)
        return self._decided("primary_contact", candidates, _first(candidates), self.found.activity, account)

    # -- putting it together

    def _decided(
        self,
        case: Case,
        candidates: Sequence[Candidate],
        opportunity: Opportunity | None,
        activity: Activity | None,
        account: Account | None = None,
    ) -> Decision:
        by_activity = case in {"activity_opportunity", "activity_account", "activity_people"}
        people = self._everybody(activity) if activity is not None and by_activity else self.attending
        counts, found = accounts.count(people)
        source: AccountFrom | None = None
        if account is not None:
            source = "activity" if case == "activity_account" else "primary_contact"
        elif opportunity is not None and opportunity.account is not None:
            account, source = opportunity.account, "opportunity"
        elif activity is not None and activity.accounts and case == "activity_opportunity":
            account, source = _among(activity.accounts, people), "activity"
        elif case != "primary_contact" and (frequent := accounts.most_frequent(counts, people)) is not None:
            account, source = found[frequent], "most_frequent"
        shown = {guest.ranked[0].id for guest in self.guests.guests if guest.ranked}
        also = people_of(activity) if activity is not None and by_activity else []
        return Decision(
            self.call,
            self.settings,
            "ambiguous" if self.found.ambiguous else "decided",
            self.guests.guests,
            case,
            tuple(person for person in also if person.id not in shown),
            account,
            source,
            counts,
            opportunity,
            tuple(candidates),
            activity,
            self.found.by_key,
            self.found.ambiguous,
        )

    def _everybody(self, activity: Activity | None) -> list[Person]:
        """List the distinct people of the guests who count and of the activity."""
        return distinct([*self.attending, *(people_of(activity) if activity is not None else [])])

    def _unknown(self, what: str, answers: Sequence[tuple[str, str]]) -> Decision:
        return self.undecided(f"opportunities of {f'{what} {key}'.strip()}: {reason}" for key, reason in answers)


def organizer_email(call: Call) -> str | None:
    """Give the organizer's e-mail, as e-mails compare; None where there is none."""
    return email_key(call.organizer.email) if call.organizer is not None and call.organizer.email else None


def _gather(keys: Iterable[str], answers: Deals) -> tuple[list[Opportunity], list[str], list[tuple[str, str]]]:
    """Give the distinct opportunities under the keys, the keys not asked, and those that could not be."""
    deals: dict[str, Opportunity] = {}
    wanted: list[str] = []
    unknown: list[tuple[str, str]] = []
    for key in keys:
        answer = answers.get(key)
        if answer is None:
            wanted.append(key)
        elif isinstance(answer, Unknown):
            unknown.append((key, answer.reason))
        else:
            for deal in answer:
                deals[deal.id] = deal
    return list(deals.values()), wanted, unknown


def _first(candidates: Sequence[Candidate]) -> Opportunity | None:
    return candidates[0].opportunity if candidates and candidates[0].rank is not None else None


def _among(choices: Sequence[Account], people: Sequence[Person]) -> Account:
    """Choose among an activity's accounts as among those of people: the most frequent with its people."""
    if len(choices) == 1:
        return choices[0]
    known = {account.id: account for account in choices}
    counts, _ = accounts.count(people)
    frequent = accounts.most_frequent({key: counts.get(key, 0) for key in known}, people)
    return known[frequent or min(known)]
