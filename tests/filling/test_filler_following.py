"""Fields of records that were merged or converted since the call was decided: the value goes to what they became."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from fill_office import MANAGER, NEXT_STEP, TITLE, USER, FillOffice, fill_office, said
from office import WORLD

from connector_core.connection import Connection
from connector_core.errors import MissingRightError
from connector_core.filler import Filler
from connector_core.model import Unknown

SERVICES = ("salesforce", "hubspot")
LEA = {"is_user": False, "name": "Lea", "emails": ["lea@new.example"]}
EVE = {"is_user": False, "name": "Eve", "emails": ["eve@buyer.example"]}
LEAD = {"kind": "lead", "id": "L1", "name": "Lea Lead", "emails": ["lea@new.example"]}
NOTE = "next: call again\ntitle: CTO\nabout: Makes chairs\nsite: https://chairs.example\nfield: Chairs"


@pytest.fixture(params=SERVICES)
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FillOffice]:
    """An office on each CRM that merges, with Carl's call decided and nothing filled yet."""
    with fill_office(request.param, tmp_path) as opened:
        decided(opened)
        yield opened


@pytest.fixture
def leads(tmp_path: Path) -> Iterator[FillOffice]:
    """An office on Salesforce, with the call of a lead decided and nothing filled yet."""
    with fill_office("salesforce", tmp_path, people=[*WORLD["people"], LEAD]) as opened:
        decided(opened, participants=[LEA])
        yield opened


def decided(at: FillOffice, number: int = 1, note: str = NOTE, **more: Any) -> None:
    """Write the activity of a call, and fill nothing."""
    at.at.sync(said(note, number, **more))


def about(at: FillOffice) -> Mapping[str, Any]:
    """Make a template's field for what accounts are about."""
    name = {"salesforce": "Description", "hubspot": "description"}[at.at.config.crm]
    return {"key": "about", "object": "account", "field": name, "patterns": ["about: (.+)"]}


def of_lead(field: str, **more: Any) -> Mapping[str, Any]:
    """Make a template's field of leads."""
    return {"key": "field", "object": "lead", "field": field, "patterns": ["field: (.+)"], **more}


def convert(at: FillOffice, **became: str) -> None:
    """Convert the lead into records of the seed."""
    assert at.at.sandbox is not None
    fields = {"IsConverted": True, **{f"Converted{name}Id": at.at.id(seed) for name, seed in became.items()}}
    at.at.sandbox.patch("Lead", at.at.id("L1"), fields, delete=False, merge_into=None)


def filled(at: FillOffice, key: str) -> tuple[str, str | None, str | None, str | None]:
    """Give what came of a field, and where."""
    (row,) = [row for row in at.rows() if row.field == key]
    seeds = {there: seed for seed, there in at.at.ids.items()}
    return row.outcome, row.reason, row.object, seeds.get(row.record_id or "")


# -- merges


@pytest.mark.parametrize(
    ("crm", "objects", "loser", "survivor"),
    [
        *(
            (crm, objects, f"{kind}1", f"{kind}2")
            for crm in SERVICES
            for objects, kind in (("people", "C"), ("accounts", "A"))
        ),
        ("hubspot", "opportunities", "O1", "O3"),  # Salesforce merges none
    ],
)
def test_what_is_for_a_merged_record_is_in_the_survivor(
    crm: str, objects: str, loser: str, survivor: str, tmp_path: Path
) -> None:
    """Whether a contact, an account or a deal was merged away, its value is in the one that is left, which is told."""
    with fill_office(crm, tmp_path) as at:
        decided(at)
        role, field, value = {
            "people": ("contact", TITLE, "CTO"),
            "accounts": ("account", about(at), "Makes chairs"),
            "opportunities": ("opportunity", NEXT_STEP, "call again"),
        }[objects]
        at.publish(field)
        at.at.change(objects, loser, merge_into=survivor)
        at.filler.run()

        assert filled(at, field["key"]) == ("sent", None, role, survivor)
        assert at.value(field["field"], survivor) == value


def test_what_became_of_the_record_is_told(at: FillOffice) -> None:
    """Beside the outcome stands that the contact is another one now."""
    at.publish(TITLE)
    at.at.change("people", "C1", merge_into="C3")
    at.filler.run()

    (row,) = at.rows()
    assert row.detail == f"the contact {at.at.id('C1')} is the contact {at.at.id('C3')} now"


def test_a_survivor_gets_a_value_once(at: FillOffice) -> None:
    """Filling anew writes nothing more, and what stands there is known as ours."""
    at.publish(TITLE)
    at.at.change("people", "C1", merge_into="C3")
    at.filler.run()
    before = (at.rows(), at.at.writing_requests())
    at.desk.again(MANAGER, ["x:1"])
    at.filler.run()

    assert (at.rows(), at.at.writing_requests()) == before


def test_what_a_person_wrote_in_the_survivor_stays(at: FillOffice) -> None:
    """What somebody typed there is not the connector's to overwrite."""
    at.publish(TITLE)
    at.edit("theirs", TITLE["field"], "C3")
    at.at.change("people", "C1", merge_into="C3")
    at.filler.run()

    assert (filled(at, "title"), at.value(TITLE["field"], "C3")) == (("other", "not_empty", "contact", "C3"), "theirs")


def test_what_a_person_changed_in_the_survivor_stays(at: FillOffice) -> None:
    """Nor what somebody changed after it was filled; the call's value counts as sent all the same."""
    at.publish(TITLE)
    at.at.change("people", "C1", merge_into="C3")
    at.filler.run()
    at.edit("theirs", TITLE["field"], "C3")
    at.desk.again(MANAGER, ["x:1"])
    at.filler.run()

    assert (filled(at, "title"), at.value(TITLE["field"], "C3")) == (("sent", None, "contact", "C3"), "theirs")


def test_what_was_sent_to_a_survivor_stays_sent(at: FillOffice) -> None:
    """Though a later call rewrote it there, as anywhere else."""
    at.publish(TITLE)
    at.at.change("people", "C1", merge_into="C3")
    at.filler.run()
    at.hear(said("title: CEO", 2, participants=[EVE]))
    at.desk.again(MANAGER, ["x:1"])
    at.filler.run()

    assert (filled(at, "title"), at.value(TITLE["field"], "C3")) == (("sent", None, "contact", "C3"), "CEO")


def test_what_a_merge_carried_over_is_still_ours(tmp_path: Path) -> None:
    """HubSpot's survivor takes over what it lacks: what an earlier call filled may be rewritten there."""
    with fill_office("hubspot", tmp_path) as at:
        at.publish(TITLE)
        at.hear(said("title: CTO"))
        decided(at, 2, "title: CEO")
        at.at.change("people", "C1", merge_into="C3")
        carried = at.value(TITLE["field"], "C3")
        at.filler.run()

        assert (carried, at.value(TITLE["field"], "C3")) == ("CTO", "CEO")


def test_an_older_call_does_not_replace_what_a_merge_carried_over(tmp_path: Path) -> None:
    """Nor does the order of calls end with a merge."""
    with fill_office("hubspot", tmp_path) as at:
        at.publish(TITLE)
        at.hear(said("title: CEO", 2))
        decided(at, 1, "title: CTO")
        at.at.change("people", "C1", merge_into="C3")
        at.filler.run()

        assert (at.outcome(key="title"), at.value(TITLE["field"], "C3")) == (("other", "newer_call"), "CEO")


def test_an_approved_value_goes_to_the_survivor(at: FillOffice) -> None:
    """It was approved for the person, whichever of the records is left."""
    at.publish({**TITLE, "mode": "manual"})
    at.filler.run()
    at.at.change("people", "C1", merge_into="C3")
    at.desk.send(USER, ["x:1"])
    at.filler.run()

    assert (filled(at, "title"), at.value(TITLE["field"], "C3")) == (("sent", None, "contact", "C3"), "CTO")


def test_a_value_is_taken_back_from_the_survivor(at: FillOffice) -> None:
    """What the connector put there it takes out again."""
    at.publish(TITLE)
    at.at.change("people", "C1", merge_into="C3")
    at.filler.run()
    (row,) = at.rows()
    at.desk.undo(USER, row.run or "")
    at.filler.run()

    assert (at.outcome(key="title"), at.value(TITLE["field"], "C3") or None) == (("other", "taken_back"), None)


@pytest.mark.parametrize("point", ["noted", "sent"])
def test_a_process_that_dies_while_it_follows_loses_nothing(point: str, at: FillOffice) -> None:
    """The survivor is read again before anything is sent to it once more, and the value is known as ours."""
    at.publish(TITLE)
    at.at.change("people", "C1", merge_into="C3")

    def die(reached: str) -> None:
        if reached == point:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Filler(at.at.ledger, at.opened, reached=die).run()
    sent = len(at.at.writing_requests())
    at.desk.again(MANAGER, ["x:1"])
    at.filler.run()

    assert (filled(at, "title"), at.value(TITLE["field"], "C3")) == (("sent", None, "contact", "C3"), "CTO")
    assert len(at.at.writing_requests()) - sent == (1 if point == "noted" else 0)
    assert [
        it.value for it in at.at.ledger.fillings.written("acme", [(at.name("contact"), at.at.id("C3"))]).values()
    ] == ["CTO"]


def test_what_is_deleted_without_a_survivor_is_gone(at: FillOffice) -> None:
    """Of a record that nobody merged there is nothing to follow."""
    at.publish(TITLE)
    at.at.change("people", "C1", delete=True)
    at.filler.run()

    (row,) = at.rows()
    assert (row.outcome, row.detail) == ("no_crm_link", f"the contact {at.at.id('C1')} is gone")


def test_what_became_of_a_record_may_not_be_known_yet(at: FillOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then nothing is told as gone: it waits, and is sent when the CRM says."""
    at.publish(TITLE)
    at.at.change("people", "C1", merge_into="C3")
    with monkeypatch.context() as busy:
        busy.setattr(Connection, "read_people", lambda self, ids: dict.fromkeys(ids, Unknown("busy")))
        at.filler.run()
    waited = at.outcome(key="title")
    at.desk.again(MANAGER, ["x:1"])
    at.filler.run()

    assert (waited, at.outcome(key="title")) == (("other", "unknown_outcome"), ("sent", None))


def test_a_right_that_is_missing_where_it_is_followed_keeps_nothing_back(
    at: FillOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is for the contact waits, and the opportunity is filled."""

    def refuses(self: Connection, ids: object) -> None:
        raise MissingRightError("Read on Lead is missing")

    at.publish(TITLE, NEXT_STEP)
    at.at.change("people", "C1", merge_into="C3")
    monkeypatch.setattr(Connection, "read_people", refuses)
    at.filler.run()

    assert (at.outcome(key="title"), at.outcome()) == (("other", "unknown_outcome"), ("sent", None))


def test_a_merge_between_reading_and_writing_is_followed_when_it_is_filled_anew(at: FillOffice) -> None:
    """The CRM refuses what is gone, in its own words, and nothing is written anywhere else."""
    at.publish(TITLE)
    assert at.at.server is not None
    ids = {"id": at.at.id("C1"), "merge_into": at.at.id("C3")}
    write = {"salesforce": {"method": "PATCH"}, "hubspot": {"path": "*/batch/update"}}[at.at.config.crm]
    patch = {"object": at.name("contact"), **ids}
    at.at.server._set_faults([{"match": write, "times": 1, "do": {"patch": patch}}])
    at.filler.run()
    refused = at.outcome(key="title")
    at.desk.again(MANAGER, ["x:1"])
    at.filler.run()

    assert (refused, at.value(TITLE["field"], "C3")) == (("other", "refused_value"), "CTO")


def test_a_merged_record_leads_where_its_survivor_leads(tmp_path: Path) -> None:
    """An object that is reached through a contact is the one that the survivor names."""
    with fill_office("salesforce", tmp_path) as at:
        decided(at)
        at.publish({**about(at), "object": "Account", "through": "contact.AccountId"})
        at.at.change("people", "C1", merge_into="C2")
        at.filler.run()

        assert (filled(at, "about")[:2], at.value("Description", "A2")) == (("sent", None), "Makes chairs")


# -- converted leads


def test_what_is_for_a_converted_lead_is_in_its_contact(leads: FillOffice) -> None:
    """A field that contacts have too is filled there."""
    leads.publish(of_lead("Title"))
    convert(leads, Contact="C3", Account="A1")
    leads.filler.run()

    assert (filled(leads, "field"), leads.value("Title", "C3")) == (("sent", None, "contact", "C3"), "Chairs")


def test_what_contacts_have_not_is_in_the_account(leads: FillOffice) -> None:
    """A field that accounts have, and contacts have not, is filled there, as Salesforce maps it in a conversion."""
    leads.publish(of_lead("Website", patterns=["site: (.+)"]))
    convert(leads, Contact="C3", Account="A1")
    leads.filler.run()

    assert (filled(leads, "field"), leads.value("Website", "A1")) == (
        ("sent", None, "account", "A1"),
        "https://chairs.example",
    )


def test_what_neither_has_is_told(leads: FillOffice) -> None:
    """What a lead alone has is not filled, and it is said what the lead became."""
    leads.publish(of_lead("Company"))
    convert(leads, Contact="C3", Account="A1")
    leads.filler.run()

    (row,) = leads.rows()
    assert (row.outcome, row.reason) == ("other", "field_missing")
    assert row.detail == (
        f"the lead {leads.at.id('L1')} is the contact {leads.at.id('C3')} and the account {leads.at.id('A1')} now,"
        " without a field Company"
    )


def test_a_lead_that_became_somebody_who_is_gone_is_gone(leads: FillOffice) -> None:
    """A conversion of which nothing is left has no survivor."""
    leads.publish(of_lead("Title"))
    convert(leads, Contact="C3")
    leads.at.change("people", "C3", delete=True)
    leads.filler.run()

    assert leads.outcome(key="field") == ("no_crm_link", None)


def test_a_lead_leads_to_the_opportunity_that_it_became(leads: FillOffice) -> None:
    """A template reaches it through the field in which Salesforce names it."""
    leads.publish(of_lead("NextStep", object="Opportunity", through="lead.ConvertedOpportunityId"))
    convert(leads, Contact="C3", Account="A1", Opportunity="O1")
    leads.filler.run()

    assert (filled(leads, "field")[:2], leads.value("NextStep", "O1")) == (("sent", None), "Chairs")


def test_a_converted_lead_in_a_file_is_followed(tmp_path: Path) -> None:
    """In a CRM whose leads and contacts are one list, the value is in the contact."""
    with fill_office("file", tmp_path, people=[*WORLD["people"], LEAD]) as at:
        decided(at, participants=[LEA])
        at.publish(of_lead("title"))
        at.at.change("people", "L1", converted_contact_id="C3")
        at.filler.run()

        assert (filled(at, "field"), at.value("title", "C3")) == (("sent", None, "contact", "C3"), "Chairs")
