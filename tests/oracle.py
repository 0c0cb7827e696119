"""The rules of association once more, by brute force over a CRM in a file: what the core is compared with.

Sections 3 to 8, and the decision as JSON; :mod:`oracle_found` has sections 1 and 2. Texts for people are left out.
"""

from __future__ import annotations

import datetime as dt
from typing import Any, TypeAlias

from oracle_found import MICROSECOND, Before, Found, Rules, distinct, is_day

from connector_core.identity import compare_text, email_key

Record: TypeAlias = dict[str, Any]


NOTHING_BEFORE = Before()


def expected(world: Record, call: Record, rules: Rules, before: Before = NOTHING_BEFORE) -> Record:
    """Give the decision that the rules ask for, as JSON, without ``explanation``, ``advice`` and every ``detail``."""
    return Oracle(world, call, rules, before).decide()


class Oracle(Found):
    """One call, one world, and every sentence as a method."""

    # -- 3. the cases ---------------------------------------------------------------------------------------------------

    def decide(self) -> Record:
        """Give the decision."""
        activity, ambiguous = self.recognise()
        answer: Record = {
            "call_id": self.call["id"],
            "status": "ambiguous" if ambiguous else "decided",
            "policy": self.rules.policy,
            "people": [self.shown(guest) for guest in self.call["participants"]],
            "also": [],
            "activity_id": activity and activity["id"],
            "unmatched": [
                {"participant": place, "reason": self.reason(guest)}
                for place, guest in self.guests()
                if not self.ranked(guest) and not self.by_hand(guest)
            ],
            "unknown": [],
            "manual": list(self.before.manual),
            "settings": {
                "owner_filter": self.rules.owner_filter,
                "windows_days": list(self.rules.windows_days),
                "regions": list(self.rules.regions),
                "time_zone": self.rules.time_zone,
            },
        }
        if self.rules.policy == "primary_contact":
            answer |= self.primary_policy()
        elif activity is not None and self.names(activity) < 3:
            answer |= self.case_1(activity)
        else:
            answer |= self.case_2()
        people = answer.pop("counted")
        return answer | {"account": self.account_in_the_end(answer["account"], people)}

    def shown(self, participant: Record) -> Record | None:
        """Formats: "null for a user and for whoever was not matched"."""
        ranked = [] if participant["is_user"] else self.ranked(participant)
        if not ranked:
            return None
        alternates = [person["id"] for person in ranked[1:]]
        source = "manual" if self.by_hand(participant) else "automatic"
        return person_json(ranked[0], self.matched_by(participant), alternates) | {"source": source}

    def case_1(self, activity: Record) -> Record:
        """3, case 1: "the activity has an association. The owner filter does not apply."."""
        own = self.people(activity.get("person_ids"))
        guests = [person["id"] for person in self.matched(attending=False)]
        # "The people shown are the guests' and, besides them, those that only the activity names."
        also = [person_json(person, "activity", []) for person in own if person["id"] not in guests]
        also.sort(key=lambda shown: str(shown["id"]))
        if self.names(activity) == 0:
            return {"also": also} | self.case_1a(activity, own)
        return {"also": also} | (self.case_1b(activity, own) if self.names(activity) == 1 else self.case_1c(own))

    def case_1a(self, activity: Record, own: list[Record]) -> Record:
        """3, case 1A: "that one. The account is the opportunity's; if it has none, the activity's own; if that is …"."""
        everybody = distinct([*self.matched(attending=True), *own])
        named = next(deal for deal in self.opportunities if deal["id"] == activity["opportunity_id"])
        # Formats say: "In case 1A the one opportunity, rank 1, tier null."
        shown = [{"id": named["id"], "tier": None, "rank": 1, "excluded": None}]
        if not self.of_the_account(named):
            shown = [{"id": named["id"], "tier": None, "rank": None, "excluded": "other_account"}]
        chosen = self.opportunity_in_the_end(opportunity_json(named, None) if self.of_the_account(named) else None)
        account = (
            self.account_json(self.account_of_chosen(chosen), "opportunity", everybody)
            or self.account_json(self.account_of(activity), "activity", everybody)
            or self.most_frequent(everybody)  # "missing too, section 5"
        )
        case = {"case": "activity_opportunity", "account": account, "opportunity": chosen, "candidates": shown}
        return case | {"counted": everybody}

    def case_1b(self, activity: Record, own: list[Record]) -> Record:
        """3, case 1B: "that account, whatever follows. Candidates: all opportunities of that account"."""
        found = self.account_of(activity)
        account = self.given_account() or found
        chosen, shown = self.choose([deal for deal in self.opportunities if self.account_of(deal) == account], [])
        everybody = distinct([*self.matched(attending=True), *own])
        shown_account = self.account_json(found, "activity", everybody)
        chosen = self.opportunity_in_the_end(chosen)
        case = {"case": "activity_account", "account": shown_account, "opportunity": chosen, "candidates": shown}
        return case | {"counted": everybody}

    def case_1c(self, own: list[Record]) -> Record:
        """3, case 1C: "candidates: the opportunities of those people; choose by section 4"."""
        attending = self.matched(attending=True)
        candidates = self.opportunities_of(own)
        chosen, shown = self.choose(candidates, [])
        if chosen is None:
            # "If none is chosen: those of the matched guests, by section 4, without the owner filter (both sets then
            # stand among the candidates)."
            chosen, shown = self.choose(distinct([*candidates, *self.opportunities_of(attending)]), [])
        everybody = distinct([*attending, *own])
        chosen = self.opportunity_in_the_end(chosen)
        account = self.account_by_choice(chosen, everybody)
        case = {"case": "activity_people", "account": account, "opportunity": chosen, "candidates": shown}
        return case | {"counted": everybody}

    def case_2(self) -> Record:
        """3, case 2: "no activity, or one without association"."""
        attending = self.matched(attending=True)
        candidates = self.opportunities_of(attending)
        others: list[Record] = []
        if self.rules.owner_filter:  # "only those whose owner is the organizer"
            others = [deal for deal in candidates if not self.owned_by_organizer(deal)]
            candidates = [deal for deal in candidates if deal not in others]
        chosen, shown = self.choose(candidates, others)
        chosen = self.opportunity_in_the_end(chosen)
        found = self.account_by_choice(chosen, attending)
        case = {"case": "participants", "account": found, "opportunity": chosen, "candidates": shown}
        return case | {"counted": attending}

    def opportunities_of(self, people: list[Record]) -> list[Record]:
        """Give the people's own opportunities: "not every opportunity of their account"."""
        return [
            deal for deal in self.opportunities if any(one in people for one in self.people(deal.get("contact_ids")))
        ]

    def owned_by_organizer(self, opportunity: Record) -> bool:
        """3: "the CRM user, or any of several, with the organizer's e-mail (compared as in section 1)"."""
        wanted = email_key((self.call.get("organizer") or {}).get("email") or "")
        owner = self.there(self.users, opportunity.get("owner_id"))
        return wanted is not None and owner is not None and email_key(owner.get("email") or "") == wanted

    def account_by_choice(self, chosen: Record | None, people: list[Record]) -> Record | None:
        """3: "The account is the chosen opportunity's; if none is chosen or it has none, section 5."."""
        return self.account_json(self.account_of_chosen(chosen), "opportunity", people) or self.most_frequent(people)

    def account_of_chosen(self, chosen: Record | None) -> Record | None:
        """Give the account of the opportunity of a decision."""
        opportunity = chosen and self.there(self.opportunities, chosen["id"])
        return opportunity and self.account_of(opportunity)

    # -- 4. choosing among opportunities --------------------------------------------------------------------------------

    def closed(self, opportunity: Record) -> dt.datetime | None:
        """4: "absent while the opportunity is open"; of a day: "one microsecond before the next midnight"."""
        text = opportunity.get("closed_at")
        if text is None:
            return None
        if not is_day(text):
            return dt.datetime.fromisoformat(text)
        following = dt.date.fromisoformat(text) + dt.timedelta(days=1)
        return (
            dt.datetime(following.year, following.month, following.day, tzinfo=self.zone).astimezone(dt.UTC)
            - MICROSECOND
        )

    def tier(self, opportunity: Record) -> str | None:
        """4: the table, from above; the first line that holds."""
        start, end = self.start, self.end
        after, before, long_before = (dt.timedelta(hours=24 * days) for days in self.rules.windows_days)
        created, closed = dt.datetime.fromisoformat(opportunity["created_at"]), self.closed(opportunity)
        if created <= end and (closed is None or closed >= start):
            return "open_during_call"
        if end < created <= end + after:
            return "created_after_call"
        if closed is not None and start - before <= closed < start:
            return "closed_before_call"
        if closed is not None and closed > end:
            return "closed_after_call"
        # 6.3: "but tier 5 has no lower bound"
        bounded = self.rules.policy != "primary_contact"
        if closed is not None and closed < start - before and not (bounded and closed < start - long_before):
            return "closed_long_before_call"
        return None

    def choose(self, candidates: list[Record], others: list[Record]) -> tuple[Record | None, list[Record]]:
        """4: the opportunity, if any, and all that were looked at; ``others`` fell out by the owner filter."""
        elsewhere = [deal for deal in candidates if not self.of_the_account(deal)]
        candidates = [deal for deal in candidates if deal not in elsewhere]
        tiers = ["open_during_call", "created_after_call", "closed_before_call", "closed_after_call"]
        tiers.append("closed_long_before_call")
        ranked: list[Record] = []
        for tier in tiers:
            # 4: "Inside the tier: open at present before closed; then the smallest |created − start|; then the smallest id."
            ranked += sorted((deal for deal in candidates if self.tier(deal) == tier), key=self.opportunity_rank)
        shown = [
            {"id": deal["id"], "tier": self.tier(deal), "rank": rank, "excluded": None}
            for rank, deal in enumerate(ranked, start=1)
        ]
        # Formats say: "in rank order, then the excluded ones by id: `excluded` is `owner` (before anything else), …"
        excluded = [{"id": deal["id"], "tier": None, "rank": None, "excluded": "owner"} for deal in others]
        excluded += [{"id": deal["id"], "tier": None, "rank": None, "excluded": "other_account"} for deal in elsewhere]
        excluded += [
            {"id": deal["id"], "tier": None, "rank": None, "excluded": "no_tier"}
            for deal in candidates
            if deal not in ranked
        ]
        chosen = opportunity_json(ranked[0], self.tier(ranked[0])) if ranked else None
        return chosen, shown + sorted(excluded, key=lambda one: str(one["id"]))

    def opportunity_rank(self, opportunity: Record) -> tuple[bool, dt.timedelta, str]:
        """4: the order inside a tier."""
        distance = abs(dt.datetime.fromisoformat(opportunity["created_at"]) - self.start)
        return opportunity.get("closed_at") is not None, distance, opportunity["id"]

    # -- 5. the account when the opportunity gives none -----------------------------------------------------------------

    def counts(self, people: list[Record]) -> dict[str, int]:
        """5: "Over the distinct people …, count the accounts"."""
        accounts = [account["id"] for person in people if (account := self.account_of(person))]
        return {account: accounts.count(account) for account in accounts}

    def most_frequent(self, people: list[Record]) -> Record | None:
        """5: "the most frequent one wins. Of several as frequent: that of the primary contact …, else the smallest id"."""
        counts = self.counts(people)
        if not counts:
            return None
        tied = sorted(account for account, count in counts.items() if count == max(counts.values()))
        primary = self.primary(people)
        of_primary = primary and self.account_of(primary)
        winner = of_primary["id"] if of_primary and of_primary["id"] in tied else tied[0]
        return self.account_json(self.there(self.accounts, winner), "most_frequent", people)

    def account_json(self, account: Record | None, origin: str, people: list[Record]) -> Record | None:
        """Formats: the account of a decision."""
        if account is None:
            return None
        told = {"id": account["id"], "name": account.get("name"), "from": origin}
        return told | {"counts": self.counts(people), "source": "automatic"}

    # -- 6. the earlier policy ------------------------------------------------------------------------------------------

    def primary(self, people: list[Record]) -> Record | None:
        """6.1: "contacts before leads …; then those with an account, if any; then those with a job title, if any"."""
        left = people
        for keeps in (
            lambda person: person["kind"] == "contact",
            lambda person: self.account_of(person) is not None,
            lambda person: compare_text(person.get("title")) != "",
        ):
            left = [person for person in left if keeps(person)] or left
        return min(left, key=lambda person: (compare_text(person.get("name")), person["id"]), default=None)

    def primary_policy(self) -> Record:
        """6.2: "The account is the primary contact's."; 6.3: "Candidates: all opportunities of that account."."""
        attending = self.matched(attending=True)
        primary = self.primary(attending)
        own = primary and self.account_of(primary)
        account = self.given_account() or own
        candidates = [deal for deal in self.opportunities if account and self.account_of(deal) == account]
        chosen, shown = self.choose(candidates, [])
        found = self.account_json(own, "primary_contact", attending)
        chosen = self.opportunity_in_the_end(chosen)
        case = {"case": "primary_contact", "account": found, "opportunity": chosen, "candidates": shown}
        return case | {"counted": attending}

    # -- 7. what a person decided stays; 8. refresh ---------------------------------------------------------------------

    def standing(self, what: str) -> Record | None:
        """7: what a person set or cleared, "unless the CRM no longer has it"."""
        choice = self.chosen(what)
        records = self.accounts if what == "account" else self.opportunities
        return choice if choice and (choice["id"] is None or self.there(records, choice["id"])) else None

    def given_account(self) -> Record | None:
        """Give the account that is set by hand, else the one that a refresh keeps."""
        choice = self.standing("account")
        return self.there(self.accounts, choice["id"]) if choice else self.kept_account()

    def kept_account(self) -> Record | None:
        """8: "the account is set if there was none, else kept (… one that is gone counts as none)"."""
        earlier = ((self.before.earlier or {}).get("account") or {}).get("id")
        # 7: setting the opportunity "sets the account to the opportunity's, unless the account itself was set by hand"
        by_hand = self.standing("account") or self.account_of_chosen(self.opportunity_in_the_end(None))
        return None if by_hand else self.there(self.accounts, earlier)

    def of_the_account(self, opportunity: Record) -> bool:
        """8: "less those of another account (one without an account stays)"; so it is under an account set by hand."""
        account = self.account_of(opportunity)
        if account is None or (self.standing("account") is None and self.kept_account() is None):
            return True
        return account == self.given_account()

    def opportunity_in_the_end(self, chosen: Record | None) -> Record | None:
        """7: the opportunity that a person set or cleared, else the one that was chosen."""
        choice = self.standing("opportunity")
        if choice is None or choice["id"] is None:
            return None if choice else chosen
        record = self.there(self.opportunities, choice["id"])
        return record and opportunity_json(record, None) | {"source": "manual"}

    def account_in_the_end(self, found: Record | None, people: list[Record]) -> Record | None:
        """7: by hand, else that of the opportunity by hand; 8: else the one that is kept; else the one that was found."""
        choice = self.standing("account")
        if choice is not None:
            account = self.account_json(self.given_account(), "person", people)
            return account and account | {"source": "manual"}
        of_opportunity = self.account_of_chosen(self.opportunity_in_the_end(None))
        if of_opportunity is not None:
            return self.account_json(of_opportunity, "opportunity", people)
        kept = self.kept_account()
        if kept is None or (found and found["id"] == kept["id"]):
            return found
        return self.account_json(kept, (self.before.earlier or {})["account"]["from"], people)


def person_json(person: Record, matched_by: str, alternates: list[str]) -> Record:
    """Formats: a person of a decision."""
    told = {"kind": person["kind"], "id": person["id"], "name": person.get("name"), "matched_by": matched_by}
    return told | {"alternates": alternates, "source": "automatic"}


def opportunity_json(opportunity: Record, tier: str | None) -> Record:
    """Formats: the opportunity of a decision."""
    told = {"id": opportunity["id"], "name": opportunity.get("name"), "tier": tier}
    return told | {"next_step": opportunity.get("next_step"), "source": "automatic"}
