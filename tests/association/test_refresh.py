"""Refreshing a decision after the CRM changed."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from connector_core.association import Choice, Choices, Decision, Earlier, History, Records, Settings, decide
from connector_core.association.history import NO_CHOICES
from connector_core.model import Account, Call, Opportunity, Person, Unknown

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
A1, A2 = Account("A1", "Buyer"), Account("A2", "Other")
CARL = Person("contact", "C1", "Carl", account=A1)
DORA = Person("contact", "C2", "Dora", account=A2)
EVE = Person("contact", "C3", "Eve")
O1 = Opportunity("O1", START - dt.timedelta(days=9), "Renewal", A1, next_step="Call")
O2 = Opportunity("O2", START - dt.timedelta(days=1), "Other deal", A2)
CALL = Call.model_validate(
    {
        "id": "x:1",
        "provider": "x",
        "kind": "meeting",
        "started_at": START,
        "participants": [
            {"is_user": False, "name": "Carl", "emails": ["c@b.example"]},
            {"is_user": False, "name": "Dora", "emails": ["d@b.example"]},
        ],
    }
)
CRM = Records(
    people_by_email={"c@b.example": (CARL,), "d@b.example": ()},
    activities={"x:1": ()},
    opportunities_of_people={"C1": (O1,), "C2": (O2,), "C3": ()},
    opportunities_of_accounts={"A1": (O1,), "A2": (O2,)},
)
LOST = Unknown("time-out")


def earlier(choices: Choices = NO_CHOICES, **records: Any) -> Earlier:
    """Decide before the CRM changed."""
    decision = decide(CALL, replace(CRM, **records), Settings(), History(choices))
    return Earlier.from_json(decision.to_json())


def refreshed(before: Earlier | None = None, choices: Choices = NO_CHOICES, **records: Any) -> Decision:
    history = History(choices, None, before or earlier())
    return decide(CALL, replace(CRM, **records), Settings(), history)


def people(decision: Decision) -> list[str | None]:
    return [row and row["id"] for row in decision.to_json()["people"]]


def ids(decision: Decision) -> tuple[str | None, str | None]:
    account, opportunity = decision.account, decision.opportunity
    return account.id if account else None, opportunity.id if opportunity else None


# -- guests


def test_a_guest_who_had_no_person_gets_one() -> None:
    """Somebody created the contact after the call."""
    decision = refreshed(people_by_email={"c@b.example": (CARL,), "d@b.example": (DORA,)})

    assert people(decision) == ["C1", "C2"]


def test_a_guest_who_had_a_person_keeps_it_before_one_who_ranks_higher_today() -> None:
    """The one who is found today becomes an alternate."""
    better = replace(CARL, id="C0", title="CTO")

    decision = refreshed(people_by_email={"c@b.example": (better, CARL), "d@b.example": ()})

    shown = decision.to_json()["people"][0]
    assert (shown["id"], shown["matched_by"], shown["alternates"]) == ("C1", "email", ["C0"])
    assert "kept from before" in decision.explanation


def test_a_guest_keeps_a_person_whose_address_was_changed() -> None:
    """It is read by its id; how it was matched stays what it was."""
    decision = refreshed(
        people_by_email=dict.fromkeys(["c@b.example", "d@b.example"], ()), people_by_id={"C1": (CARL,)}
    )

    shown = decision.to_json()["people"][0]
    assert (shown["id"], shown["matched_by"], decision.to_json()["unmatched"][0]["participant"]) == ("C1", "email", 1)


def test_a_guest_who_is_kept_and_found_another_way_is_matched_that_way() -> None:
    """Its address is gone from the contact, its number is there now: that is how it is matched."""
    guests = [CALL.participants[0].model_copy(update={"phones": ("+33612345678",)}), CALL.participants[1]]
    found = {
        "people_by_email": dict.fromkeys(["c@b.example", "d@b.example"], ()),
        "people_by_phone": {"+33612345678": (replace(CARL, id="C0", title="CTO"), CARL)},
    }
    call = CALL.model_copy(update={"participants": guests})

    decision = decide(call, replace(CRM, **found), Settings(), History(earlier=earlier()))

    shown = decision.to_json()["people"][0]
    assert (shown["id"], shown["matched_by"], shown["alternates"]) == ("C1", "phone", ["C0"])


def test_a_guest_keeps_the_survivor_of_a_merge() -> None:
    """Also where another would be found today."""
    survivor = replace(CARL, id="C9", title=None)
    better = replace(CARL, id="C0", title="CTO")
    found = {"c@b.example": (better, survivor), "d@b.example": ()}

    decision = refreshed(
        people_by_email=found, people_by_id={"C1": (survivor,)}, opportunities_of_people={"C9": (O1,), "C0": ()}
    )

    assert people(decision)[0] == "C9"


def test_a_guest_whose_person_is_gone_gets_who_is_found() -> None:
    """What is gone counts as absent."""
    found = {"c@b.example": (EVE,), "d@b.example": ()}

    decision = refreshed(people_by_email=found, people_by_id={"C1": ()}, accounts_by_id={"A1": (A1,)})

    assert people(decision)[0] == "C3"


# -- the account


def test_an_account_is_set_if_there_was_none() -> None:
    """Carl had no account when the call was decided."""
    poor = {"c@b.example": (replace(CARL, account=None),), "d@b.example": ()}
    before = earlier(people_by_email=poor, opportunities_of_people={"C1": ()})

    assert (before.account_id, ids(refreshed(before))) == (None, ("A1", "O1"))


def test_an_account_is_kept_where_another_would_be_found_today() -> None:
    """Carl changed employers; it is told with how it was found."""
    decision = refreshed(
        people_by_email={"c@b.example": (replace(CARL, account=A2),), "d@b.example": ()},
        opportunities_of_people={"C1": (O2,)},
        accounts_by_id={"A1": (A1,)},
    )

    assert (ids(decision), decision.account_from) == (("A1", None), "opportunity")
    assert [item.excluded for item in decision.candidates] == ["other_account"]
    assert "Account A1 Buyer is kept from before" in decision.explanation


def test_a_merged_account_is_kept_as_its_survivor() -> None:
    """Everything of it is the survivor's now."""
    survivor = Account("A9", "Merged")
    deal = replace(O1, account=survivor)

    decision = refreshed(
        people_by_email={"c@b.example": (replace(CARL, account=survivor),), "d@b.example": ()},
        opportunities_of_people={"C1": (deal, O2)},
        accounts_by_id={"A1": (survivor,)},
    )

    assert (ids(decision), decision.account_from) == (("A9", "O1"), "opportunity")


def test_an_account_that_is_gone_counts_as_none() -> None:
    """The rules find another."""
    decision = refreshed(
        people_by_email={"c@b.example": (replace(CARL, account=A2),), "d@b.example": ()},
        opportunities_of_people={"C1": (O2,)},
        accounts_by_id={"A1": ()},
    )

    assert ids(decision) == ("A2", "O2")


def test_an_account_set_by_hand_since_comes_before_the_one_from_before() -> None:
    """No automatic run changes it."""
    choices = Choices.of([Choice("account", "A2", "Ada", START)])

    decision = refreshed(None, choices, accounts_by_id={"A2": (A2,)})

    assert (ids(decision), decision.account_from, decision.account_kept) == (("A2", None), "person", False)


# -- the opportunity


def test_the_opportunity_is_chosen_anew_and_its_data_read_anew() -> None:
    """A better one of the same account is there now; and a step was changed."""
    newer = replace(O1, id="O3", created_at=START - dt.timedelta(hours=1), next_step="Sign")

    decision = refreshed(opportunities_of_people={"C1": (O1, newer)})

    assert decision.opportunity is not None
    assert (ids(decision), decision.opportunity.next_step) == (("A1", "O3"), "Sign")


def test_an_opportunity_of_another_account_falls_out_and_one_without_stays() -> None:
    """The account was kept."""
    free = Opportunity("O5", START - dt.timedelta(days=2))

    decision = refreshed(opportunities_of_people={"C1": (O2, free)})

    assert ids(decision) == ("A1", "O5")
    assert {item.opportunity.id: item.excluded for item in decision.candidates} == {"O5": None, "O2": "other_account"}


def test_an_opportunity_set_by_hand_is_kept() -> None:
    """With the account that it brought."""
    choices = Choices.of([Choice("opportunity", "O2", "Ada", START)])
    there = {"opportunities_by_id": {"O2": (O2,)}}

    assert ids(refreshed(earlier(choices, **there), choices, **there)) == ("A2", "O2")


def test_an_opportunity_set_by_hand_that_the_crm_lacks_now_is_told_and_the_automatic_choice_takes_over() -> None:
    """Among what is of the account."""
    choices = Choices.of([Choice("opportunity", "O1", "Ada", START)])
    before = earlier(choices, opportunities_by_id={"O1": (O1,)})
    other = replace(O1, id="O6")

    decision = refreshed(before, choices, opportunities_by_id={"O1": ()}, opportunities_of_people={"C1": (other, O2)})

    assert (ids(decision), [row["code"] for row in decision.advice][-1]) == (("A1", "O6"), "manual_gone")


# -- not known, and nothing before


@pytest.mark.parametrize(
    "lost",
    [
        {"people_by_email": dict.fromkeys(["c@b.example", "d@b.example"], ()), "people_by_id": {"C1": LOST}},
        {
            "people_by_email": {"c@b.example": (replace(CARL, account=A2),), "d@b.example": ()},
            "accounts_by_id": {"A1": LOST},
        },
    ],
    ids=["the person", "the account"],
)
def test_what_is_to_be_kept_and_could_not_be_read_leaves_the_call_undecided(lost: dict[str, Any]) -> None:
    """Not known is not none."""
    assert refreshed(**lost).status == "undecided"


def test_an_undecided_decision_keeps_nothing() -> None:
    """Refreshing it decides for the first time."""
    undecided = decide(CALL, Records(), Settings())

    assert Earlier.from_json(undecided.to_json()) == Earlier()
    assert ids(refreshed(Earlier())) == ("A1", "O1")
