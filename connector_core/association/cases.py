"""The cases: how a decision is made. A pure function of the call, the records, the settings and what was before."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from connector_core.association import account as accounts
from connector_core.association.decision import Case, Decision
from connector_core.association.evidence import Named, besides, ours
from connector_core.association.given import Given
from connector_core.association.history import NO_HISTORY, AccountFrom, History
from connector_core.association.opportunities import Candidate, Span, choose
from connector_core.association.people import Guests, distinct, email_key, match
from connector_core.association.recognise import NONE, Recognised, people_of, recognise
from connector_core.association.records import ById, Deals, Records, Wants
from connector_core.association.settings import Settings, phone_reader
from connector_core.model import Account, Activity, Call, CallKey, Opportunity, Person, Unknown

NAMES_ACCOUNT: Mapping[Case, AccountFrom] = {"activity_account": "activity", "primary_contact": "primary_contact"}
"""The cases whose account is settled before an opportunity is chosen, and where it comes from."""


def wants(call: Call, records: Records, settings: Settings, history: History = NO_HISTORY) -> Wants:
    """Say what has to be asked next before :func:`decide` can decide this call; nothing, once it can."""
    result = _Maker(call, records, settings, history).make()
    return result if isinstance(result, Wants) else Wants()


def decide(call: Call, records: Records, settings: Settings, history: History = NO_HISTORY) -> Decision:
    """Decide what a call belongs to.

    What was not asked counts as not known: a decision that it could change is ``undecided``.

    :param history: What people chose, which stays; what we wrote, which is no evidence; and, to refresh a decision, what
        it keeps of that one.
    """
    maker = _Maker(call, records, settings, history)
    result = maker.make()
    if isinstance(result, Wants):
        return maker.undecided([f"{what}: not asked" for what in result.named()])
    return result


class _Maker:
    """One call's way through the rules; each step either knows, or says what it wants."""

    def __init__(self, call: Call, records: Records, settings: Settings, history: History) -> None:
        self.call = call
        self.records = records
        self.settings = settings
        self.history = history
        self.by_id = ById(records)
        self.given = Given(history, self.by_id)
        self.guests: Guests = match(
            call,
            records,
            phone_reader(settings.regions),
            history,
            self.by_id,
            settings.ignored,
            settings.most_people_per_identifier,
        )
        self.attending = self.guests.attending()
        self.found: Recognised = NONE
        self.activity: Activity | None = None
        self.ours = False
        self.removed: frozenset[Named] = frozenset()
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
            self._recognise(activities, ids)
        said = self.found.activity
        if self.history.earlier is not None:
            self.given.keep(self._accounts_there(said))
        if self.by_id.wants:
            return self.by_id.wants
        if self.by_id.unknown:
            return self.undecided(self.by_id.unknown)
        if self.settings.policy == "primary_contact":
            return self._primary_contact()
        if said is not None:
            if said.opportunities:
                return self._activity_opportunity(said)
            if said.accounts:
                return self._activity_account(said)
            if named := people_of(said):
                return self._activity_people(said, named)
        return self._participants()

    def _recognise(self, activities: Sequence[Activity], ids: Collection[str]) -> None:
        """Find the call's activity; of the one that we wrote, what it says besides our own writing counts."""
        written = self.history.written
        known = next((activity for activity in activities if ours(activity, self.call, written)), None)
        if known is None or written is None:
            self.found = recognise(self.call, activities, ids, self.settings.zone)
            self.activity = self.found.activity
            return
        evidence = besides(known, written, self.by_id)
        candidates = [evidence.activity if activity is known else activity for activity in activities]
        self.found = recognise(self.call, candidates, ids, self.settings.zone, evidence.activity)
        self.activity = self.found.activity
        if self.activity is evidence.activity:
            self.activity, self.ours, self.removed = known, True, evidence.removed

    def _accounts_there(self, said: Activity | None) -> list[Account]:
        """List accounts that records name, and that therefore are there."""
        people = self._everybody(said)
        deals = said.opportunities if said is not None else ()
        named = [person.account for person in people] + [deal.account for deal in deals]
        return [*(account for account in named if account is not None), *(said.accounts if said is not None else ())]

    def undecided(self, unknown: Iterable[str]) -> Decision:
        asked = tuple(dict.fromkeys(unknown))
        choices = self.history.choices
        return Decision(self.call, self.settings, "undecided", self.guests.guests, unknown=asked, choices=choices)

    def _key(self, ids: Iterable[str]) -> CallKey:
        call, written = self.call, self.history.written
        known = (written.activity_id, written.kind) if written is not None else (None, None)
        return CallKey(call.id, call.kind, call.started_at, call.end, call.length_seconds, tuple(sorted(ids)), *known)

    # -- the cases

    def _activity_opportunity(self, said: Activity) -> Decision:
        candidates = self._choose(said.opportunities)
        rows = [
            item if item.excluded == "other_account" else Candidate(item.opportunity, rank=place)
            for place, item in enumerate(sorted(candidates, key=lambda item: item.excluded == "other_account"), 1)
        ]
        return self._decided("activity_opportunity", rows)

    def _activity_account(self, said: Activity) -> Decision | Wants:
        account = _among(said.accounts, self._everybody(said))
        return self._of_account("activity_account", account)

    def _activity_people(self, said: Activity, named: Sequence[Person]) -> Decision | Wants:
        answers = self.records.opportunities_of_people
        own, wanted, unknown = _gather([person.id for person in named], answers)
        guests, guests_wanted, guests_unknown = _gather([person.id for person in self.attending], answers)
        if wanted:
            return Wants(people=frozenset([*wanted, *guests_wanted]))
        if unknown:
            return self._unknown("", unknown)
        candidates = self._choose(own)
        if _first(candidates) is None:
            if guests_wanted:
                return Wants(people=frozenset(guests_wanted))
            if guests_unknown:
                return self._unknown("", guests_unknown)
            union = {deal.id: deal for deal in (*own, *guests)}
            candidates = self._choose(union.values())
        return self._decided("activity_people", candidates)

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
        return self._decided("participants", self._choose(deals, others))

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
        return self._of_account("primary_contact", primary.account if primary else None)

    def _of_account(self, case: Case, account: Account | None) -> Decision | Wants:
        """Choose among all opportunities of an account: of the one that is given, else of the one that was found."""
        base = self.given.account or account
        deals, wanted, unknown = _gather([base.id] if base else [], self.records.opportunities_of_accounts)
        if wanted or unknown:
            return Wants(accounts=frozenset(wanted)) if wanted else self._unknown("account", unknown)
        return self._decided(case, self._choose(deals), account)

    def _choose(self, deals: Collection[Opportunity], fallen: Iterable[Candidate] = ()) -> list[Candidate]:
        """Choose among opportunities; those of another account than the one that is given fall out."""
        other = [deal for deal in deals if not self.given.allows(deal)] if self.history is not NO_HISTORY else ()
        if other:
            fallen = [*fallen, *(Candidate(deal, excluded="other_account") for deal in other)]
            deals = [deal for deal in deals if self.given.allows(deal)]
        return choose(deals, self.span, self.settings.zone, fallen)

    # -- putting it together

    def _decided(self, case: Case, candidates: Sequence[Candidate], own_account: Account | None = None) -> Decision:
        """Make the decision.

        :param own_account: The account that the case itself names.
        """
        said = self.found.activity if case in {"activity_opportunity", "activity_account", "activity_people"} else None
        named = people_of(said) if said is not None else []
        people = distinct([*self.attending, *named]) if named else self.attending
        counts, _ = accounts.count(people)
        opportunity = self.given.opportunity if "opportunity" in self.given.by_hand else _first(candidates)
        account, source = self._account(case, own_account, opportunity, said, people)
        kept = self.given.kept and account != self.given.account
        if kept and self.history.earlier is not None:
            account, source = self.given.account, self.history.earlier.account_from
        shown = {guest.ranked[0].id for guest in self.guests.guests if guest.ranked}
        return Decision(
            self.call,
            self.settings,
            "ambiguous" if self.found.ambiguous else "decided",
            self.guests.guests,
            case,
            tuple(person for person in named if person.id not in shown),
            account,
            source,
            counts,
            opportunity,
            tuple(candidates),
            self.activity,
            self.found.by_key,
            self.found.ambiguous,
            choices=self.history.choices,
            by_hand=self.given.by_hand,
            account_kept=kept,
            ours=self.ours,
            removed=self.removed and self.removed - self._by_hand(account, opportunity),
        )

    def _account(
        self,
        case: Case,
        own_account: Account | None,
        opportunity: Opportunity | None,
        said: Activity | None,
        people: Sequence[Person],
    ) -> tuple[Account | None, AccountFrom | None]:
        """Give the account and how it was found."""
        of_opportunity = opportunity.account if opportunity is not None else None
        if "account" in self.given.by_hand:
            return self.given.account, "person" if self.given.account is not None else None
        if of_opportunity is not None and ("opportunity" in self.given.by_hand or case not in NAMES_ACCOUNT):
            return of_opportunity, "opportunity"
        if case in NAMES_ACCOUNT:
            return own_account, NAMES_ACCOUNT[case] if own_account is not None else None
        if said is not None and said.accounts and case == "activity_opportunity":
            return _among(said.accounts, people), "activity"
        counts, brought = accounts.count(people)
        frequent = accounts.most_frequent(counts, people)
        return (brought[frequent], "most_frequent") if frequent is not None else (None, None)

    def _by_hand(self, account: Account | None, opportunity: Opportunity | None) -> set[Named]:
        """Give what a person set by hand: the guests' contacts, the account, the opportunity."""
        named: set[Named] = {
            ("contact", guest.ranked[0].id) for guest in self.guests.guests if guest.by_hand and guest.ranked
        }
        if account is not None and "account" in self.given.by_hand:
            named.add(("account", account.id))
        if opportunity is not None and "opportunity" in self.given.by_hand:
            named.add(("opportunity", opportunity.id))
        return named

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
