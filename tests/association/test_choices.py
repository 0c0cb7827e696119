"""What a person decided stays, and what is not decided by hand is decided anew from it."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from connector_core.association import Choice, Choices, Decision, History, Records, Settings, decide, wants
from connector_core.association.history import What
from connector_core.errors import InputError
from connector_core.model import Account, Activity, Call, Opportunity, Person, Unknown

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
A1, A2 = Account("A1", "Buyer"), Account("A2", "Other")
CARL = Person("contact", "C1", "Carl", account=A1)
DORA = Person("contact", "C2", "Dora", account=A2)
O1 = Opportunity("O1", START - dt.timedelta(days=1), "Renewal", A1)
O2 = Opportunity("O2", START - dt.timedelta(days=2), "Other deal", A2)
O3 = Opportunity("O3", START - dt.timedelta(days=3), "No account")
LOST = Unknown("time-out")
CALL = Call.model_validate(
    {
        "id": "x:1",
        "provider": "x",
        "kind": "meeting",
        "started_at": START,
        "participants": [
            {"is_user": True, "name": "Ada"},
            {"is_user": False, "name": "Carl Customer", "emails": ["c@b.example"]},
        ],
    }
)
KNOWN = Records(
    people_by_email={"c@b.example": (CARL,)},
    activities={"x:1": ()},
    opportunities_of_people={"C1": (O1, O2, O3), "C2": (O2,)},
    opportunities_of_accounts={"A1": (O1,), "A2": (O2,)},
    people_by_id={"C2": (DORA,), "C9": ()},
    accounts_by_id={"A2": (A2,), "A9": ()},
    opportunities_by_id={"O1": (O1,), "O2": (O2,), "O3": (O3,), "O9": ()},
)


def chosen(what: What, record_id: str | None, participant: int | None = None, minutes: int = 0) -> Choice:
    return Choice(what, record_id, "Ada", START + dt.timedelta(minutes=minutes), participant)


def decided(*choices: Choice, policy: Any = "all_contacts", **records: Any) -> Decision:
    return decide(CALL, replace(KNOWN, **records), Settings(policy), History(Choices.of(choices)))


def ids(decision: Decision) -> tuple[str | None, str | None]:
    account, opportunity = decision.account, decision.opportunity
    return account.id if account else None, opportunity.id if opportunity else None


def excluded(decision: Decision) -> dict[str, str | None]:
    return {item.opportunity.id: item.excluded for item in decision.candidates}


def codes(decision: Decision) -> list[str]:
    return [row["code"] for row in decision.advice]


# -- what the advice says


@pytest.mark.parametrize(("regions", "told"), [((), True), (("FR",), False)])
def test_advice_on_a_number_that_nobody_has_says_where_no_regions_are_set(regions: tuple[str, ...], told: bool) -> None:
    """The CRM may well have it, in its national form: without regions that is not read."""
    call = Call.model_validate(
        {"id": "x:1", "provider": "x", "kind": "phone", "started_at": START}
        | {"participants": [{"is_user": False, "name": "Ada", "phones": ["+33639980012"]}]}
    )
    decision = decide(
        call, Records(activities={"x:1": ()}, people_by_phone={"+33639980012": ()}), Settings(regions=regions)
    )

    hint = " Numbers that the CRM has without + are not read as long as the connection has no regions."
    assert decision.advice[0]["text"].endswith(hint) is told


# -- the contact of a guest


def test_a_contact_set_by_hand_is_the_guest_and_its_identifiers_are_not_asked() -> None:
    """It is read by its id alone."""
    history = History(Choices.of([chosen("contact", "C2", 1)]))

    asked = wants(CALL, Records(), Settings(), history)

    assert (asked.person_ids, asked.emails) == ({"C2"}, frozenset())


def test_a_contact_set_by_hand_decides_the_rest_anew() -> None:
    """The opportunity and the account are that person's."""
    decision = decided(chosen("contact", "C2", 1))

    assert ids(decision) == ("A2", "O2")
    assert decision.to_json()["people"] == [
        None,
        {
            "kind": "contact",
            "id": "C2",
            "name": "Dora",
            "matched_by": "person",
            "alternates": [],
            "source": "manual",
        },
    ]


def test_a_contact_cleared_by_hand_leaves_the_guest_nobody_whatever_the_crm_says() -> None:
    """It is not listed as unmatched, since nobody is missing; the choice says who cleared it."""
    decision = decided(chosen("contact", None, 1))
    found = decision.to_json()

    assert (found["people"], found["unmatched"], ids(decision)) == ([None, None], [], (None, None))
    assert found["manual"] == [
        {"what": "contact", "participant": 1, "id": None, "by": "Ada", "at": "2026-03-02T09:00:00+00:00"}
    ]
    assert "Carl Customer is nobody: the contact was cleared by hand." in decision.explanation


def test_a_merged_contact_counts_as_its_survivor() -> None:
    """The CRM answers the survivor under the id that was chosen."""
    decision = decided(chosen("contact", "C7", 1), people_by_id={"C7": (DORA,)})

    assert [person.id for person in decision.people] == ["C2"]


def test_a_lead_set_by_hand_and_converted_since_counts_as_the_contact() -> None:
    """As wherever its id occurs."""
    lead = Person("lead", "L1", converted=True, converted_to=DORA)

    assert [person.id for person in decided(chosen("contact", "L1", 1), people_by_id={"L1": (lead,)}).people] == ["C2"]


@pytest.mark.parametrize(
    "answer", [(), (Person("lead", "C9", converted=True),)], ids=["deleted", "converted to nobody"]
)
def test_a_contact_that_is_gone_leaves_the_guest_to_the_rules_and_is_told(answer: tuple[Person, ...]) -> None:
    """The choice stays in the list, the guest is looked up, and somebody may choose again."""
    decision = decided(chosen("contact", "C9", 1), people_by_id={"C9": answer})
    found = decision.to_json()

    assert (found["people"][1]["id"], found["people"][1]["source"], len(found["manual"])) == ("C1", "automatic", 1)
    assert "manual_gone" in codes(decision)
    assert "Contact C9, set by hand for the guest at place 1, is no longer in the CRM" in decision.explanation


@pytest.mark.parametrize("place", [0, 7], ids=["a user", "nobody"])
def test_a_contact_for_somebody_who_is_no_guest_changes_nothing_and_is_told(place: int) -> None:
    """Calls are delivered again, with other participants."""
    decision = decided(chosen("contact", "C2", place))

    assert [person.id for person in decision.people] == ["C1"]
    assert "where no guest of this call stands" in decision.explanation


def test_a_guest_set_by_hand_who_did_not_attend_still_does_not_count() -> None:
    """A person said who it is, not that it was there."""
    guest = CALL.participants[1].model_copy(update={"attended": False})
    call = CALL.model_copy(update={"participants": [CALL.participants[0], guest]})

    decision = decide(call, KNOWN, Settings(), History(Choices.of([chosen("contact", "C2", 1)])))

    assert (decision.people, ids(decision)) == ([], (None, None))


# -- the account


def test_an_account_set_by_hand_leaves_opportunities_of_others_out() -> None:
    """One without an account stays."""
    decision = decided(chosen("account", "A2"))

    assert ids(decision) == ("A2", "O2")
    assert excluded(decision) == {"O2": None, "O3": None, "O1": "other_account"}
    assert decision.to_json()["account"]["from"] == "person"
    assert decision.to_json()["account"]["source"] == "manual"


def test_an_account_cleared_by_hand_leaves_opportunities_with_an_account_out() -> None:
    """They would bring theirs back."""
    decision = decided(chosen("account", None))

    assert ids(decision) == (None, "O3")
    assert excluded(decision) == {"O3": None, "O1": "other_account", "O2": "other_account"}
    assert "The account was cleared by hand" in decision.explanation


def test_where_the_accounts_opportunities_are_the_candidates_they_are_those_of_the_one_set_by_hand() -> None:
    """Under the earlier policy, and where an activity names an account."""
    named = {"x:1": (Activity("T1", "meeting", "x:1", accounts=(A1,)),)}

    assert ids(decided(chosen("account", "A2"), policy="primary_contact")) == ("A2", "O2")
    assert ids(decided(chosen("account", "A2"), activities=named)) == ("A2", "O2")


def test_an_opportunity_that_an_activity_names_yields_to_an_account_set_by_hand() -> None:
    """It is listed as one of another account."""
    named = {"x:1": (Activity("T1", "meeting", "x:1", opportunities=(O1,)),)}

    decision = decided(chosen("account", "A2"), activities=named)

    assert (ids(decision), excluded(decision)) == (("A2", None), {"O1": "other_account"})
    assert "names opportunity O1" in decision.explanation


def test_an_account_that_is_gone_leaves_the_account_to_the_rules_and_is_told() -> None:
    """As if it had not been chosen."""
    decision = decided(chosen("account", "A9"))

    assert (ids(decision), decision.to_json()["account"]["source"]) == (("A1", "O1"), "automatic")
    assert "manual_gone" in codes(decision)


# -- the opportunity


def test_an_opportunity_set_by_hand_has_no_tier_and_brings_its_account() -> None:
    """The candidates are still listed with theirs."""
    decision = decided(chosen("opportunity", "O2"))
    found = decision.to_json()

    assert ids(decision) == ("A2", "O2")
    assert (found["opportunity"]["tier"], found["opportunity"]["source"]) == (None, "manual")
    assert (found["account"]["from"], found["account"]["source"]) == ("opportunity", "automatic")
    assert excluded(decision) == {"O1": None, "O2": None, "O3": None}


@pytest.mark.parametrize("case", ["primary_contact", "activity_account"])
def test_an_opportunity_set_by_hand_brings_its_account_where_the_case_has_its_own(case: str) -> None:
    """Setting it sets the account."""
    named = {"x:1": (Activity("T1", "meeting", "x:1", accounts=(A1,)),)}
    of_case: dict[str, Any] = {"policy": case} if case == "primary_contact" else {"activities": named}

    assert ids(decided(chosen("opportunity", "O2"), **of_case)) == ("A2", "O2")


def test_an_account_set_by_hand_stays_beside_an_opportunity_of_another() -> None:
    """Both are a person's choice."""
    assert ids(decided(chosen("opportunity", "O1"), chosen("account", "A2"))) == ("A2", "O1")


def test_an_opportunity_without_account_leaves_the_account_to_the_rules() -> None:
    """The most frequent one, here."""
    assert ids(decided(chosen("opportunity", "O3"))) == ("A1", "O3")


def test_an_opportunity_cleared_by_hand_leaves_none() -> None:
    """The account is then found without it, and nobody is told to widen anything."""
    decision = decided(chosen("opportunity", None))

    assert (ids(decision), codes(decision)) == (("A1", None), [])
    assert "The opportunity was cleared by hand" in decision.explanation


def test_an_opportunity_that_the_crm_lacks_is_told_and_the_automatic_choice_takes_over() -> None:
    """With the words that say which one."""
    decision = decided(chosen("opportunity", "O9"))

    assert (ids(decision), codes(decision)) == (("A1", "O1"), ["manual_gone"])
    assert "The opportunity O9 that was set by hand is no longer in the CRM" in decision.explanation


# -- what holds for all


@pytest.mark.parametrize(
    ("choice", "lost"),
    [
        (chosen("contact", "C2", 1), "people_by_id"),
        (chosen("account", "A2"), "accounts_by_id"),
        (chosen("opportunity", "O2"), "opportunities_by_id"),
    ],
)
def test_a_choice_that_could_not_be_read_leaves_the_call_undecided(choice: Choice, lost: str) -> None:
    """Nothing says whether it is there; what could not be asked is named, and the choice with it."""
    decision = decided(choice, **{lost: {choice.id: LOST}})

    assert (decision.status, decision.unknown) == ("undecided", (f"{choice.what} {choice.id}: time-out",))
    assert len(decision.to_json()["manual"]) == 1


def test_the_latest_choice_of_each_thing_counts() -> None:
    """In whatever order they were kept."""
    choices = [chosen("opportunity", "O2", minutes=5), chosen("opportunity", "O1"), chosen("contact", "C2", 1)]

    assert [choice.id for choice in Choices.of(choices).listed()] == ["C2", "O2"]


@pytest.mark.parametrize(
    "values",
    [
        {"what": "deal"},
        {"what": "contact"},
        {"what": "contact", "participant": -1},
        {"participant": 0},
        {"id": " "},
        {"at": dt.datetime(2026, 3, 2)},  # noqa: DTZ001 - the point is that it has no zone
    ],
    ids=["what", "a contact of nobody", "a place before the first", "an account of a guest", "an empty id", "no zone"],
)
def test_a_choice_that_cannot_be_is_refused(values: dict[str, Any]) -> None:
    """With a sentence that says why."""
    with pytest.raises(InputError, match="choice"):
        Choice(**{"what": "account", "id": "A1", "by": "Ada", "at": START, **values})
