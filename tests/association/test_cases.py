"""The cases where a CRM in a file cannot show them: several links on an activity, and what could not be asked."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from connector_core.association import Decision, Records, Settings, decide, wants
from connector_core.model import Account, Activity, Call, Opportunity, Person, Unknown

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
LOST = Unknown("time-out")
A1, A2, A3 = (Account(name) for name in ("A1", "A2", "A3"))
CARL = Person("contact", "C1", "Carl", account=A1)
DORA = Person("contact", "C2", "Dora", account=A2)
CALL = Call.model_validate(
    {
        "id": "x:1",
        "provider": "x",
        "kind": "meeting",
        "started_at": START,
        "organizer": {"email": "ada@seller.example"},
        "participants": [{"is_user": False, "name": "Carl\nCustomer", "emails": ["c@b.example"]}],
    }
)
KNOWN = Records(people_by_email={"c@b.example": (CARL,)}, activities={"x:1": ()}, opportunities_of_people={"C1": ()})


def deal(name: str, days: int = -1, account: Account | None = None, **values: Any) -> Opportunity:
    return Opportunity(name, START + days * DAY, account=account, **values)


def keyed(**values: Any) -> dict[str, tuple[Activity, ...]]:
    return {"x:1": (Activity("T1", "meeting", "x:1", **values),)}


def decided(settings: Settings = Settings(), **records: Any) -> Decision:  # noqa: B008 - it is frozen
    return decide(CALL, replace(KNOWN, **records), settings)


def test_of_an_activitys_opportunities_the_one_that_the_tiers_choose() -> None:
    """Several deals on one meeting: open during the call comes before created after it."""
    several = (deal("O1", 1), deal("O3", -9), deal("O2", -1))

    decision = decided(activities=keyed(opportunities=several))

    assert decision.opportunity is not None
    assert (decision.case, decision.opportunity.id) == ("activity_opportunity", "O2")


def test_of_an_activitys_opportunities_outside_all_windows_the_smallest_id() -> None:
    """What somebody linked stays linked, even where no window holds any of it."""
    decision = decided(activities=keyed(opportunities=(deal("O9", 40), deal("O10", 50))))

    assert decision.opportunity is not None
    assert decision.opportunity.id == "O10"


@pytest.mark.parametrize(
    ("people", "expected"),
    [
        ((), "A1"),
        ((DORA,), "A1"),
        ((DORA, replace(DORA, id="C3")), "A2"),
        ((replace(DORA, title="CTO"),), "A2"),
        ((replace(DORA, account=A3), replace(DORA, id="C3", account=A3)), "A1"),
    ],
    ids=["the guest's", "a tie: the primary contact's", "more people", "a tie: the title", "not one of the activity's"],
)
def test_of_an_activitys_accounts_the_most_frequent_of_its_people(people: tuple[Person, ...], expected: str) -> None:
    """Counted over the guests and the activity's people, among its own accounts only."""
    activities = keyed(accounts=(A2, A1), people=people)

    decision = decided(activities=activities, opportunities_of_accounts={"A1": (), "A2": ()})

    assert decision.account is not None
    assert (decision.account.id, decision.account_from) == (expected, "activity")


def test_of_an_activitys_accounts_that_nobody_has_the_smallest_id() -> None:
    """Neither guests nor people of the activity belong to one of them."""
    activities = keyed(accounts=(A3, A2))

    decision = decided(activities=activities, opportunities_of_accounts={"A2": (), "A3": ()})

    assert decision.account == A2


def test_an_opportunity_without_account_leaves_the_choice_among_the_activitys_own() -> None:
    """Case A: the opportunity's account, else the activity's, here that of the guest."""
    decision = decided(activities=keyed(opportunities=(deal("O1"),), accounts=(A2, A1)))

    assert (decision.account, decision.account_from) == (A1, "activity")


@pytest.mark.parametrize(
    "lost",
    [
        {"people_by_email": {"c@b.example": LOST}},
        {"activities": {"x:1": LOST}},
        {"opportunities_of_people": {"C1": LOST}},
        {"activities": keyed(accounts=(A1,)), "opportunities_of_accounts": {"A1": LOST}},
        {"activities": keyed(people=(DORA,)), "opportunities_of_people": {"C1": (), "C2": LOST}},
        {"activities": keyed(people=(DORA,)), "opportunities_of_people": {"C1": LOST, "C2": ()}},
    ],
    ids=["people", "activities", "guests' deals", "account's deals", "deals of its people", "and of the guests"],
)
def test_what_is_unknown_and_could_matter_leaves_a_call_undecided(lost: dict[str, Any]) -> None:
    """Not known is not none."""
    assert decided(**lost).status == "undecided"


@pytest.mark.parametrize(
    "records",
    [
        {"activities": keyed(opportunities=(deal("O1"),)), "opportunities_of_people": {"C1": LOST}},
        {
            "activities": keyed(accounts=(A1,)),
            "opportunities_of_accounts": {"A1": ()},
            "opportunities_of_people": {"C1": LOST},
        },
        {"activities": keyed(people=(DORA,)), "opportunities_of_people": {"C1": LOST, "C2": (deal("O1"),)}},
    ],
    ids=["the activity names the deal", "it names the account", "its people have a deal"],
)
def test_what_is_unknown_and_cannot_matter_changes_nothing(records: dict[str, Any]) -> None:
    """The guests' opportunities are no candidates there."""
    assert decided(**records).status == "decided"


OWNED = {"C1": (deal("O1", owner_id="U1"),)}
UNOWNED = {"C1": (deal("O1"),)}
FILTER = Settings(owner_filter=True)


def test_an_unknown_organizer_leaves_the_owner_filter_undecided() -> None:
    """The deal may be the organizer's."""
    lost = {"ada@seller.example": LOST}

    assert decided(FILTER, opportunities_of_people=OWNED, users_by_email=lost).status == "undecided"


def test_an_unknown_organizer_cannot_matter_where_nobody_owns_anything() -> None:
    """A deal without an owner is not the organizer's, whoever that is: nothing is asked, and it falls out."""
    records = replace(KNOWN, opportunities_of_people=UNOWNED)

    assert not wants(CALL, records, FILTER)
    assert [item.excluded for item in decide(CALL, records, FILTER).candidates] == ["owner"]


def test_the_explanation_is_one_line_whatever_names_hold() -> None:
    """Names come from people and other programs."""
    carl = replace(CARL, account=replace(A1, name="Buyer\r\nSA"))

    assert len(decided(people_by_email={"c@b.example": (carl,)}).explanation.splitlines()) == 1


def test_the_earlier_policy_says_that_the_primary_contact_decides() -> None:
    """Not the participants, who decide under the other one."""
    explanation = decided(Settings(policy="primary_contact"), opportunities_of_accounts={"A1": ()}).explanation

    assert "no activity for it: the primary contact decides" in explanation
