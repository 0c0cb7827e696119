"""Records that are merged or converted between look-up and write: the activity ends at what they became."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from office import NAMES, NOBODY, WORLD, Office, call, office

from tests.bad_day import CREATE

LEA = {"is_user": False, "name": "Lea", "emails": ["lea@new.example"]}
LEAD = {"kind": "lead", "id": "L1", "name": "Lea Lead", "emails": ["lea@new.example"]}
LINK: Mapping[str, Any] = {"path": "*/associate/default"}


def meanwhile(
    at: Office, before: Mapping[str, Any], obj: str, seed: str, into: str | None = None, **fields: Any
) -> None:
    """Change a record just before a request is answered: merge it into another one, or set its fields."""
    assert at.server is not None
    patch = {"object": obj, "id": at.id(seed), "fields": fields, "merge_into": at.id(into) if into else None}
    at.server._set_faults([{"match": before, "times": 1, "do": {"patch": patch}}])


@pytest.mark.parametrize(
    ("crm", "objects", "loser", "survivor"),
    [
        ("salesforce", "accounts", "A1", "A2"),
        ("hubspot", "people", "C1", "C3"),
        ("hubspot", "accounts", "A1", "A2"),
        ("hubspot", "opportunities", "O1", "O2"),
    ],
)
def test_an_activity_is_linked_to_what_is_left(
    crm: str, objects: str, loser: str, survivor: str, tmp_path: Path
) -> None:
    """Whatever of it was merged while it was written, one activity names the survivor; and it stays so."""
    deals = WORLD["opportunities"] if objects == "opportunities" else []
    with office(crm, tmp_path, opportunities=deals) as at:
        meanwhile(at, CREATE[crm], NAMES[crm][objects], loser, survivor)
        at.sync(call())
        first = at.refresh()  # Salesforce refused it, and it waits to be decided anew
        linked = at.linked()

        assert (first.activity_id is not None, survivor in linked, loser in linked) == (True, True, False)
        assert (at.refresh().outcome, at.linked()) == ("unchanged", linked)


def test_a_change_is_linked_to_what_is_left(tmp_path: Path) -> None:
    """So is one that a person corrected, where the contact that was chosen is merged in that moment."""
    with office("hubspot", tmp_path) as at:
        at.sync(call(1, NOBODY))
        meanwhile(at, LINK, NAMES["hubspot"]["people"], "C1", "C3")
        at.assign(participant=1, contact="C1")

        assert "C3" in at.linked()


def test_a_lead_that_is_converted_meanwhile_is_its_contact(tmp_path: Path) -> None:
    """Salesforce refuses the lead, and the call is decided anew: with the contact, and the account, that it became."""
    with office("salesforce", tmp_path, people=[*WORLD["people"], LEAD]) as at:
        became = {"ConvertedContactId": at.id("C3"), "ConvertedAccountId": at.id("A1")}
        meanwhile(at, CREATE["salesforce"], "Lead", "L1", IsConverted=True, **became)
        at.sync(call(1, LEA))
        at.refresh()

        assert at.linked() == at.links("C3", "A1", "O3")


def test_a_contact_without_a_trace_is_nobody(tmp_path: Path) -> None:
    """Where nothing is left of a contact, the activity is written without."""
    with office("hubspot", tmp_path) as at:
        patch = {"object": "contacts", "id": at.id("C1"), "delete": True}
        assert at.server is not None
        at.server._set_faults([{"match": CREATE["hubspot"], "times": 1, "do": {"patch": patch}}])
        (standing,) = at.sync(call())

        assert (standing.outcome, at.linked()) == ("created", {"A1", "O1"})
