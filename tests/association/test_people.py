"""From participants to people."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector_core.association import decide
from connector_core.association.people import Guest, Guests, match
from connector_core.association.records import Records
from connector_core.association.settings import Settings
from connector_core.errors import ConfigurationError
from connector_core.identity import PhoneReader
from connector_core.model import Account, Call, Person, Unknown

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
FRANCE = PhoneReader(["FR"])
SETTINGS = Settings(regions=("FR",))
NUMBER = "+33612345678"
BUYER = Account("A1", "Buyer")


def guests(*participants: dict[str, Any], kind: str = "phone", settings: Settings = SETTINGS, **records: Any) -> Guests:
    call = Call.model_validate(
        {
            "id": "x:1",
            "provider": "x",
            "kind": kind,
            "started_at": START,
            "participants": [{"is_user": False, **participant} for participant in participants],
        }
    )
    return match(call, Records(**records), FRANCE, ignored=settings.ignored)


def guest(participant: dict[str, Any], **records: Any) -> Guest:
    return guests(participant, **records).guests[0]


def ids(found: Guest) -> list[str]:
    return [person.id for person in found.ranked]


def test_a_user_of_the_call_platform_is_never_looked_up() -> None:
    """Nothing is wanted for users."""
    assert not guests({"is_user": True, "emails": ["a@seller.example"]}).wants


def test_an_email_is_wanted_trimmed_and_case_folded() -> None:
    """As it is compared, so it is looked up."""
    assert guests({"emails": [" Carl@Buyer.Example "]}).wants.emails == {"carl@buyer.example"}


@pytest.mark.parametrize("kind", ["phone", "meeting"])
def test_all_identifiers_of_a_guest_are_wanted_at_once(kind: str) -> None:
    """Those that count only once the others found nobody, too: to ask later would be a round more for every call."""
    wants = guests({"emails": ["c@b.example"], "phones": ["06 12 34 56 78"]}, kind=kind).wants

    assert (wants.phones, wants.emails) == ({NUMBER}, {"c@b.example"})


def test_a_guest_who_was_found_wants_nothing_more() -> None:
    """The e-mail of somebody with a known number is not asked for."""
    participant = {"emails": ["c@b.example"], "phones": [NUMBER]}

    assert not guests(participant, people_by_phone={NUMBER: (Person("contact", "C1"),)}).wants.emails


def test_the_other_identifiers_are_wanted_when_the_first_found_nobody() -> None:
    """Nobody has the number: the e-mail is asked."""
    participant = {"emails": ["c@b.example"], "phones": [NUMBER]}

    assert guests(participant, people_by_phone={NUMBER: ()}).wants.emails == {"c@b.example"}


def test_after_an_unknown_number_the_email_is_not_tried() -> None:
    """Not known is not none: the guest stays unknown."""
    participant = {"emails": ["c@b.example"], "phones": [NUMBER]}

    found = guests(participant, people_by_phone={NUMBER: Unknown("time-out")})

    assert (bool(found.wants), found.guests[0].reason) == (False, "unknown")


def test_one_unknown_among_several_numbers_leaves_the_guest_unknown() -> None:
    """Who would rank first cannot be told."""
    other = "+33612345679"
    answers = {NUMBER: (Person("contact", "C1"),), other: Unknown("time-out")}

    assert guest({"phones": [NUMBER, other]}, people_by_phone=answers).reason == "unknown"


def test_the_hits_of_several_identifiers_are_ranked_together() -> None:
    """Who is found by both counts once."""
    both = {
        "a@b.example": (Person("contact", "C2"), Person("contact", "C1")),
        "c@b.example": (Person("contact", "C1"),),
    }

    assert ids(guest({"emails": ["a@b.example", "c@b.example"]}, people_by_email=both)) == ["C1", "C2"]


RANKED = [
    Person("contact", "C9", "Zoe", title="CTO", account=BUYER),
    Person("contact", "C8", "Ada", account=BUYER),
    Person("contact", "C1", title="CTO"),
    Person("contact", "C7", None),
    Person("contact", "C3", "ada"),
    Person("contact", "C4", "Ada"),
    Person("contact", "C2", "Ädb"),
    Person("lead", "L1", "Ada", title="CTO", account=BUYER),
]


@pytest.mark.parametrize("turn", range(len(RANKED)))
def test_people_rank_by_kind_account_title_name_and_id(turn: int) -> None:
    """Whatever the order in which the CRM answered."""
    answer = tuple(RANKED[turn:] + RANKED[:turn])

    found = ids(guest({"phones": [NUMBER]}, people_by_phone={NUMBER: answer}))

    assert found == [person.id for person in RANKED]


def test_a_blank_title_is_a_missing_one() -> None:
    """Blanks are nothing."""
    answer = (Person("contact", "C1", "Zoe", title="  "), Person("contact", "C2", "Ada"))

    assert ids(guest({"phones": [NUMBER]}, people_by_phone={NUMBER: answer})) == ["C2", "C1"]


def test_a_converted_lead_is_whom_it_became() -> None:
    """It stands once beside the contact itself, and is named as what it was."""
    contact = Person("contact", "C1")
    lead = Person("lead", "L1", converted=True, converted_to=contact)

    found = guest({"phones": [NUMBER]}, people_by_phone={NUMBER: (lead, contact)})

    assert (ids(found), found.former_leads) == (["C1"], ("L1",))


def test_a_lead_that_became_nobody_is_passed_over() -> None:
    """The other identifiers still count."""
    lead = Person("lead", "L1", converted=True)
    records = {"people_by_phone": {NUMBER: (lead,)}, "people_by_email": {"c@b.example": (Person("contact", "C1"),)}}

    assert ids(guest({"phones": [NUMBER], "emails": ["c@b.example"]}, **records)) == ["C1"]


def test_a_guest_left_with_such_a_lead_alone_is_not_in_the_crm_and_the_lead_is_named() -> None:
    """So that whoever asks can mend it."""
    lead = Person("lead", "L1", converted=True)

    found = guest({"phones": [NUMBER]}, people_by_phone={NUMBER: (lead,)})

    assert (found.reason, "lead L1" in found.detail) == ("not_in_crm", True)


@pytest.mark.parametrize(
    ("participant", "reason"),
    [
        ({}, "no_identifier"),
        ({"emails": [" "], "phones": [""]}, "no_identifier"),
        ({"phones": ["anonymous"]}, "invalid_phone"),
        ({"phones": ["123", "Unknown"]}, "invalid_phone"),
        ({"phones": ["anonymous"], "emails": ["nobody@b.example"]}, "not_in_crm"),
        ({"phones": ["+33699999999"]}, "not_in_crm"),
    ],
)
def test_an_unmatched_guest_has_a_reason(participant: dict[str, Any], reason: str) -> None:
    """Nothing to go by, nothing that can be read, or nobody there."""
    records = {"people_by_email": {"nobody@b.example": ()}, "people_by_phone": {"+33699999999": ()}}

    assert guest(participant, **records).reason == reason


def test_one_person_twice_attends_if_one_of_the_two_attended() -> None:
    """And counts once."""
    answer = {NUMBER: (Person("contact", "C1"),)}
    twice = [{"phones": [NUMBER], "attended": False}, {"phones": ["06 12 34 56 78"], "attended": True}]

    assert [person.id for person in guests(*twice, people_by_phone=answer).attending()] == ["C1"]


def test_an_absent_guest_is_shown_and_does_not_count() -> None:
    """It may still help to recognise the activity."""
    found = guests({"phones": [NUMBER], "attended": False}, people_by_phone={NUMBER: (Person("contact", "C1"),)})

    assert (ids(found.guests[0]), found.attending(), found.ids()) == (["C1"], [], {"C1"})


def test_all_records_of_a_guest_help_to_recognise_the_activity() -> None:
    """Alternates and the leads that they were, too."""
    lead = Person("lead", "L1", converted=True, converted_to=Person("contact", "C2"))

    found = guests({"phones": [NUMBER]}, people_by_phone={NUMBER: (Person("contact", "C1"), lead)})

    assert found.ids() == {"C1", "C2", "L1"}


IGNORING = Settings(
    regions=("FR",), ignore_emails=("*@Seller.example ", "noreply@*"), ignore_numbers=("01 76 36 00 00", NUMBER)
)
EMAILS = (
    "ada@seller.example",
    " NoReply@buyer.example",
    "ADA@SELLER.EXAMPLE",
    "carl@buyer.example",
    "x@aseller.example",
)
KEPT_EMAILS = ("carl@buyer.example", "x@aseller.example")
PHONES = ("+33176360000", "06 12 34 56 78", "+33 (0)1 76 36 00 00", "+33639980012", "anonymous")
KEPT_PHONES = ("+33639980012", "anonymous")
identifiers = st.fixed_dictionaries(
    {"emails": st.lists(st.sampled_from(EMAILS)), "phones": st.lists(st.sampled_from(PHONES))}
)


@given(identifiers, st.sampled_from(["phone", "meeting"]))
def test_what_is_ignored_counts_as_if_it_were_not_there(who: dict[str, Any], kind: str) -> None:
    """Neither asked, nor matched; the reason is that of a guest without it."""
    rest = {
        "emails": [it for it in who["emails"] if it in KEPT_EMAILS],
        "phones": [it for it in who["phones"] if it in KEPT_PHONES],
    }
    everybody = {
        "people_by_email": {key: (Person("contact", "C1"),) for key in ("ada@seller.example", "noreply@buyer.example")}
        | {"carl@buyer.example": (Person("contact", "C2"),), "x@aseller.example": ()},
        "people_by_phone": {"+33176360000": (Person("contact", "C3"),), NUMBER: (Person("contact", "C4"),)}
        | {"+33639980012": ()},
    }

    assert guests(who, kind=kind, settings=IGNORING).wants == guests(rest, kind=kind).wants
    found = guests(who, kind=kind, settings=IGNORING, **everybody).guests[0]
    wanted = guests(rest, kind=kind, **everybody).guests[0]
    assert (found.ranked, found.matched_by, found.reason) == (wanted.ranked, wanted.matched_by, wanted.reason)


@pytest.mark.parametrize(
    ("participant", "reason", "detail"),
    [
        (
            {"emails": ["ada@seller.example"]},
            "no_identifier",
            "its e-mail is ignored by the setting ignore_emails",
        ),
        (
            {"phones": [NUMBER], "emails": ["noreply@x.example"]},
            "no_identifier",
            "its number is ignored by the setting ignore_numbers; its e-mail is ignored by the setting ignore_emails",
        ),
        (
            {"phones": [NUMBER, "anonymous"]},
            "invalid_phone",
            "none of its numbers can be read; its number is ignored by the setting ignore_numbers",
        ),
        (
            {"phones": [NUMBER], "emails": ["nobody@b.example"]},
            "not_in_crm",
            "nobody in the CRM has the e-mail nobody@b.example; its number is ignored by the setting ignore_numbers",
        ),
    ],
)
def test_a_guest_who_is_ignored_says_by_which_setting(participant: dict[str, Any], reason: str, detail: str) -> None:
    """And the reason is one of those that there are."""
    found = guest(participant, settings=IGNORING, people_by_email={"nobody@b.example": ()})

    assert (found.reason, found.detail) == (reason, detail)


def test_an_explanation_tells_what_is_ignored_and_where_to_change_it() -> None:
    """With the settings in force, and in the advice; the keys of the settings are those that they were."""
    call = Call.model_validate(
        {"id": "x:1", "provider": "x", "kind": "phone", "started_at": START}
        | {"participants": [{"is_user": False, "name": "Ada", "phones": ["01 76 36 00 00"]}]}
    )
    decision = decide(call, Records(activities={"x:1": ()}), IGNORING).to_json()

    assert "Ada matches nobody: its number is ignored by the setting ignore_numbers." in decision["explanation"]
    assert "numbers ignored: 01 76 36 00 00, +33612345678." in decision["explanation"]
    assert decision["advice"] == [
        {
            "code": "no_identifier",
            "text": "Ada has nothing that is looked up: if it should be found, change ignore_emails or ignore_numbers.",
        }
    ]
    assert decision["settings"].keys() == {"owner_filter", "windows_days", "regions", "time_zone"}


@pytest.mark.parametrize(
    ("ignored", "message"),
    [
        ({"ignore_emails": ("*@seller.example", "seller.example")}, "ignore_emails.1: is no address"),
        ({"ignore_emails": (" ",)}, "ignore_emails.0: is no address"),
        ({"ignore_numbers": ("01 76 36 00 00",)}, "ignore_numbers.0: cannot be read as a number"),
    ],
)
def test_what_can_match_nothing_is_refused(ignored: dict[str, Any], message: str) -> None:
    """It is a mistake, and named by its place alone."""
    with pytest.raises(ConfigurationError) as caught:
        Settings(**ignored)

    assert (str(caught.value).startswith(message), "76 36" in str(caught.value)) == (True, False)
