"""Identifiers that more people have than the settings allow identify nobody, and the explanation says so."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opened_world import crm

from connector_core.association import Decision, Records, Settings, decide
from connector_core.association.people import Guests, Shared, match
from connector_core.association.settings import phone_reader
from connector_core.association.waiting import awaited
from connector_core.errors import ConfigurationError
from connector_core.lookup import look_up
from connector_core.model import Call, Person

START = dt.datetime(2026, 3, 2, 9, 0, tzinfo=dt.UTC)
SWITCHBOARD, MOBILE = "+33199000111", "+33612345678"
EMAIL = "carl@buyer.example"
TWO = Settings(regions=("FR",), most_people_per_identifier=2)


def call(*participants: dict[str, Any], kind: str = "phone") -> Call:
    guests = [{"is_user": False, **participant} for participant in participants]
    return Call.model_validate(
        {"id": "x:1", "provider": "x", "kind": kind, "started_at": START, "participants": guests}
    )


def guests(who: dict[str, Any], settings: Settings = TWO, kind: str = "phone", **records: Any) -> Guests:
    most = settings.most_people_per_identifier
    return match(call(who, kind=kind), Records(**records), phone_reader(("FR",)), most=most)


def people(*ids: str) -> tuple[Person, ...]:
    return tuple(Person("contact", key) for key in ids)


@pytest.mark.parametrize(
    ("found", "matched"),
    [
        (people("C1", "C2"), "C1"),
        (people("C1", "C2", "C3"), None),
        ((*people("C1", "C2"), Person("lead", "L1", converted=True, converted_to=Person("contact", "C1"))), "C1"),
        ((*people("C1", "C2"), Person("lead", "L1", converted=True)), "C1"),
        ((*people("C1", "C2"), Person("lead", "L1")), None),
    ],
)
def test_more_people_than_the_setting_allows_match_nobody(found: tuple[Person, ...], matched: str | None) -> None:
    """Each person counts once, as whom it counts as; a lead whose contact is gone counts for nobody."""
    (guest,) = guests({"phones": [SWITCHBOARD]}, people_by_phone={SWITCHBOARD: found}).guests

    assert (guest.person and guest.person.id, guest.reason) == (matched, None if matched else "not_in_crm")


def test_without_the_setting_any_number_of_people_is_ranked() -> None:
    """As the rules say."""
    everybody = people(*(f"C{number:03}" for number in range(300)))
    (guest,) = guests({"phones": [SWITCHBOARD]}, Settings(), people_by_phone={SWITCHBOARD: everybody}).guests

    assert (len(guest.ranked), guest.shared) == (300, ())


def test_other_identifiers_count_still() -> None:
    """Another number of the guest, and, where no number is left, the e-mail."""
    shared = {SWITCHBOARD: people("C1", "C2", "C3")}
    numbers = guests({"phones": [SWITCHBOARD, MOBILE]}, people_by_phone={**shared, MOBILE: people("C2")}).guests[0]
    email = guests(
        {"phones": [SWITCHBOARD], "emails": [EMAIL]}, people_by_phone=shared, people_by_email={EMAIL: people("C3")}
    ).guests[0]

    assert [it.id for it in numbers.ranked] == ["C2"]
    assert ([it.id for it in email.ranked], email.matched_by) == (["C3"], "email")
    assert numbers.shared == email.shared == (Shared("phone", SWITCHBOARD, 3),)


NUMBERS = (SWITCHBOARD, MOBILE, "+33639980012")
EMAILS = (EMAIL, "info@buyer.example")
HELD = st.lists(st.sampled_from([f"C{number}" for number in range(6)]), unique=True).map(lambda ids: people(*ids))


@given(
    who=st.fixed_dictionaries(
        {"emails": st.lists(st.sampled_from(EMAILS)), "phones": st.lists(st.sampled_from(NUMBERS))}
    ),
    emails=st.fixed_dictionaries(dict.fromkeys(EMAILS, HELD)),
    phones=st.fixed_dictionaries(dict.fromkeys(NUMBERS, HELD)),
    most=st.integers(1, 6),
    kind=st.sampled_from(["phone", "meeting"]),
)
def test_what_too_many_share_matches_as_if_nobody_had_it(
    who: dict[str, Any], emails: dict[str, Any], phones: dict[str, Any], most: int, kind: str
) -> None:
    """Whatever else the guest has, and in whatever order it is looked up."""
    settings = Settings(regions=("FR",), most_people_per_identifier=most)
    bounded = [{key: it if len(it) <= most else () for key, it in found.items()} for found in (emails, phones)]
    found = guests(who, settings, kind, people_by_email=emails, people_by_phone=phones).guests[0]
    wanted = guests(who, Settings(), kind, people_by_email=bounded[0], people_by_phone=bounded[1]).guests[0]

    assert (found.ranked, found.matched_by, found.reason) == (wanted.ranked, wanted.matched_by, wanted.reason)


def decided(*participants: dict[str, Any], settings: Settings = TWO, shared: int = 3) -> Decision:
    """Decide on a call with a CRM in which several contacts share a number, and one has an address."""
    world = {
        "people": [
            {"kind": "contact", "id": f"C{number}", "name": f"Contact {number}", "phones": ["01 99 00 01 11"],
             **({"emails": [EMAIL]} if number == 1 else {})}
            for number in range(shared)
        ]
    }  # fmt: skip
    one = call(*participants)
    with crm(world) as connection:
        return decide(one, look_up(connection, [one], settings), settings)


def test_the_explanation_says_whose_number_it_is_not() -> None:
    """Of 300 contacts none is chosen, and the advice says what can be done."""
    decision = decided({"name": "Carl", "phones": [SWITCHBOARD]}, shared=300).to_json()
    why = f"the number {SWITCHBOARD} is that of 300 people, more than most_people_per_identifier allows"

    assert (decision["people"], decision["status"]) == ([None], "decided")
    assert decision["unmatched"] == [{"participant": 0, "reason": "not_in_crm", "detail": why}]
    assert f"Carl matches nobody: {why}." in decision["explanation"]
    assert "; most_people_per_identifier: 2." in decision["explanation"]
    assert decision["advice"][0] == {
        "code": "shared_identifier",
        "text": "Carl has an e-mail or number that too many people share: give the contact one of its own, or raise"
        " most_people_per_identifier.",
    }


def test_the_explanation_says_it_too_of_whoever_is_found_otherwise() -> None:
    """By the address, while the number would have found others as well."""
    decision = decided({"name": "Carl", "phones": [SWITCHBOARD], "emails": [EMAIL]}).to_json()
    why = f"the number {SWITCHBOARD} is that of 3 people, more than most_people_per_identifier allows"

    assert decision["people"][0]["matched_by"] == "email"
    assert f"Carl is contact C1 by e-mail ({why}; without account)." in decision["explanation"]
    assert decision["settings"].keys() == {"owner_filter", "windows_days", "regions", "time_zone"}


def test_nobody_waits_for_one_more_to_share_it() -> None:
    """What would make the guest known is another identifier."""
    participant = {"phones": [SWITCHBOARD, MOBILE], "emails": ["nobody@buyer.example"]}

    assert awaited(decided(participant)) == {f"phone {MOBILE}", "email nobody@buyer.example"}


@pytest.mark.parametrize("most", [0, -1, 2.0, True, "2"])
def test_a_bound_that_is_none_is_refused(most: Any) -> None:
    """It is a number of people, and one at least."""
    with pytest.raises(ConfigurationError, match=r"^most_people_per_identifier: wants a whole number from 1 on$"):
        Settings(most_people_per_identifier=most)
