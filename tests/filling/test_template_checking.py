"""A template is held against what the CRM says of itself: all that is wrong at once, with what is possible instead."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_templates import templates

from connector_core.filling.checking import NEEDED, Described, check, objects_of, overlapping
from connector_core.filling.templates import Targeting, Template
from connector_core.model import Call, Choice, FieldDescription, ObjectDescription

STAGES = (Choice("p", "Prospecting"), Choice("old", "Old", active=False))


def described(name: str, *fields: FieldDescription, **more: Any) -> tuple[ObjectDescription, ...]:
    """Describe an object."""
    return (ObjectDescription(name, name, {it.name: it for it in fields}, **more),)


OBJECTS: Mapping[str, tuple[ObjectDescription, ...]] = {
    "Contact": described("Contact", FieldDescription("Title", "Title", "text", "string", 128)),
    "Opportunity": described(
        "Opportunity",
        FieldDescription("NextStep", "Next Step", "text", "string", 255),
        FieldDescription("Amount", "Amount", "number", "currency"),
        FieldDescription("IsWon", "Won", "boolean", "boolean", updatable=False),
        FieldDescription("Pilot__c", "Pilot", "boolean", "boolean"),
        FieldDescription("Stage__c", "Stage", "choice", "picklist", values=STAGES, restricted=True),
        FieldDescription("Empty__c", "Empty", "choice", "picklist", values=STAGES[1:], restricted=True),
        FieldDescription("CloseDate", "Close Date", "date", "date", required=True),
        FieldDescription("Project__c", "Project", "reference", "reference", refers_to=("Project__c",)),
        FieldDescription("Partner__c", "Partner", "reference", "reference", refers_to=("Account",)),
        FieldDescription("Where__c", "Where", "other", "location"),
    ),
    "Account": described("Account", FieldDescription("Name", "Name", "text", "string"), updatable=False),
    "Project__c": described("Project__c", FieldDescription("Risk__c", "Risk", "text", "textarea")),
    "Hidden__c": (),
}
NAMES = {"contact": "Contact", "account": "Account", "opportunity": "Opportunity", "contact.title": "Title"}
CRM = Described("Salesforce", frozenset(NEEDED), NAMES, OBJECTS, leads=False)


def template(*fields: Mapping[str, Any], **more: Any) -> Template:
    """Make a template of these fields, with a key and a prompt each."""
    made = [{"key": f"f{place}", "prompt": "What?", **it} for place, it in enumerate(fields)]
    return Template.model_validate({"id": "demo", "name": "Demo", "fields": made, **more})


def deal(field: str, **more: Any) -> dict[str, Any]:
    """Name a field of the opportunity."""
    return {"object": "opportunity", "field": field, **more}


def problems(*fields: Mapping[str, Any]) -> list[str]:
    """Give what is wrong with a template of these fields, without where it is."""
    return [it.removeprefix("template demo, field f0: ") for it in check(template(*fields), CRM).problems]


def test_what_is_right_has_no_problem() -> None:
    """Names count without case; what the CRM says of each field is given by key."""
    project = {"object": "Project__c", "through": "opportunity.Project__c", "field": "Risk__c"}
    fine = template(deal("nextstep"), deal("Stage__c"), {"object": "contact", "field": "Title"}, project)

    found = check(fine, CRM)

    assert (found.problems, found.warnings) == ((), ())
    assert found.types == {"f0": "text", "f1": "choice", "f2": "text", "f3": "text"}
    assert found.fields["f0"].name == "NextStep"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (
            deal("Next_Step"),
            (
                "Salesforce has no field Next_Step of opportunity, or hides it from the connection's user;"
                " did you mean NextStep?"
            ),
        ),
        (
            deal("Next Step"),  # as people see it
            (
                "Salesforce has no field Next Step of opportunity, or hides it from the connection's user;"
                " did you mean NextStep?"
            ),
        ),
        (
            {"object": "contact", "field": "Budget__c"},
            "Salesforce has no field Budget__c of contact, or hides it from the connection's user; possible: Title",
        ),
        (
            {"object": "lead", "field": "Title"},
            "Salesforce has no leads beside contacts; possible: contact, account, opportunity",
        ),
        (
            {"object": "Hidden__c", "through": "opportunity.Project__c", "field": "X"},
            "through: Project__c of opportunity leads to Project__c, not to Hidden__c; possible objects: Project__c",
        ),
        (
            {"object": "Project__c", "through": "opportunity.Projekt__c", "field": "Risk__c"},
            (
                "through: Salesforce has no field Projekt__c of opportunity, or hides it from the connection's user;"
                " did you mean Project__c or Partner__c?"
            ),
        ),
        (
            {"object": "Project__c", "through": "opportunity.NextStep", "field": "Risk__c"},
            "through: NextStep of opportunity is a text field (string), and names no record",
        ),
        (
            {"object": "Project__c", "through": "lead.Project__c", "field": "Risk__c"},
            "Salesforce has no leads beside contacts; possible: contact, account, opportunity",
        ),
        (
            {"object": "account", "field": "Name"},
            "Salesforce does not let the connection's user change records of Account; grant that right",
        ),
        (deal("Empty__c"), "Empty__c of opportunity has no value that may be chosen; add some in Salesforce"),
        (deal("Amount", patterns=["(", "a"]), "patterns.0 is no regular expression: missing ) at position 1"),
    ],
)
def test_what_cannot_be_filled_is_told_with_what_is_possible(field: Mapping[str, Any], expected: str) -> None:
    """The nearest name, by the CRM's own names and by those that people see, or the few that there are."""
    assert problems(field)[0] == expected


def test_a_field_that_may_not_be_set_is_told() -> None:
    """With others that may."""
    (told,) = problems(deal("IsWon"))

    assert told.startswith("Salesforce does not let the connection's user set IsWon of opportunity; possible: Amount,")


def test_of_many_possible_fields_some_are_named() -> None:
    """A message stays one that can be read."""
    many = [FieldDescription(f"F{place:02}", f"F{place:02}", "text", "string") for place in range(40)]
    crm = replace(CRM, objects={**OBJECTS, "Contact": described("Contact", *many)})

    (told,) = check(template({"object": "contact", "field": "Budget"}), crm).problems

    assert told.endswith("; possible: F00, F01, F02, F03, F04, F05, F06, F07, F08, F09, F10, F11 and 28 more")


def test_one_field_of_the_crm_is_filled_once() -> None:
    """However its name is written."""
    assert check(template(deal("NextStep"), deal("NEXTSTEP")), CRM).problems == (
        "template demo, field f1: fills the same field as f0; each is filled once",
    )


def test_all_problems_are_told_at_once() -> None:
    """Each with its field."""
    found = check(template(deal("Next_Step"), deal("NextStep"), deal("Empty__c", patterns=["("])), CRM)

    assert [it.split(":")[0] for it in found.problems] == [
        "template demo, field f0",
        "template demo, field f2",
        "template demo, field f2",
    ]


@pytest.mark.parametrize("lacking", NEEDED)
def test_a_crm_that_cannot_be_filled_is_told_once(lacking: str) -> None:
    """Whatever the fields are."""
    crm = replace(CRM, operations=frozenset(NEEDED) - {lacking}, objects={})

    (told,) = check(template(deal("NextStep"), deal("Amount")), crm).problems

    assert told.startswith(f"template demo: Salesforce has no {lacking}: ")


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        (deal("NextStep", prompt=" "), "has neither a prompt nor patterns: only values that are handed in fill it"),
        (deal("Where__c"), "Where__c of opportunity is of a kind of its own (location): values are sent as text"),
        (
            deal("CloseDate"),
            "CloseDate of opportunity is required, so that overwrite ours finds it empty hardly ever; possible: always",
        ),
        (
            deal("Pilot__c", overwrite="empty"),
            (
                "Pilot__c of opportunity has a value from the start, where it is a box to tick, so that overwrite empty"
                " finds it empty hardly ever; possible: always"
            ),
        ),
    ],
)
def test_what_is_odd_is_a_warning(field: Mapping[str, Any], expected: str) -> None:
    """It keeps nothing from being published."""
    found = check(template(field), CRM)

    assert (found.problems, found.warnings) == ((), (f"template demo, field f0: {expected}",))


@pytest.mark.parametrize(
    "field",
    [
        deal("NextStep", prompt="", patterns=["x"]),
        deal("CloseDate", overwrite="always"),
        deal("Pilot__c", overwrite="always"),
        deal("Partner__c"),
    ],
)
def test_what_is_meant_so_is_no_warning(field: Mapping[str, Any]) -> None:
    """Patterns do without a prompt; accounts are found by name."""
    assert check(template(field), CRM).warnings == ()


def test_what_the_crm_does_not_describe_may_be_there() -> None:
    """Where it does not describe all that there is: a warning offers what is near, and it is taken as text."""
    (deals,) = OBJECTS["Opportunity"]
    crm = replace(CRM, objects={**OBJECTS, "Opportunity": (replace(deals, complete=False),)})
    risk = {"object": "Project__c", "through": "opportunity.Projekt__c", "field": "Risk__c"}

    found = check(template(deal("Next_Step"), risk), crm)

    assert (found.problems, found.types) == ((), {"f0": "text", "f1": "text"})
    assert found.warnings == (
        (
            "template demo, field f0: Salesforce does not describe Next_Step of opportunity: it is taken as text;"
            " did you mean NextStep?"
        ),
        (
            "template demo, field f1: Salesforce does not describe Projekt__c of opportunity: it is taken as text;"
            " did you mean Project__c or Pilot__c?"
        ),
    )


@given(templates())
def test_any_template_is_checked(made: Template) -> None:
    """Each field is described, or there is a problem with it."""
    found = check(made, CRM)

    for it in made.fields:
        assert it.key in found.fields or any(f"field {it.key}: " in text for text in found.problems)


def test_a_template_needs_its_objects_and_those_that_lead_there() -> None:
    """By the CRM's own names."""
    project = {"object": "Project__c", "through": "opportunity.Project__c", "field": "Risk__c"}

    lead = {"object": "lead", "field": "Title"}  # the CRM has no name of it

    assert objects_of(template({"object": "contact", "field": "Title"}, project, lead), NAMES) == {
        "Contact",
        "Opportunity",
        "Project__c",
    }


# -- templates beside each other


def test_another_template_for_the_same_field_is_told() -> None:
    """Of those that may be for the same calls; not the template itself."""
    mine = template(deal("NextStep"), targeting={"kinds": ["phone"], "teams": ["Sales"]})
    both = template(deal("nextstep"), deal("Amount"), id="both", targeting={"teams": ["Support"]})
    never = template(deal("NextStep"), id="never", targeting={"kinds": ["meeting"]})

    assert list(overlapping(mine, [mine, both, never])) == [
        "template demo, field f0: template both fills nextstep of opportunity too, for calls that both may be for"
    ]


CALLS = st.fixed_dictionaries(
    {"kind": st.sampled_from(["phone", "meeting"]), "provider": st.sampled_from(["aircall", "zoom"])},
    optional={
        "direction": st.sampled_from(["inbound", "outbound", "internal"]),
        "tags": st.lists(st.sampled_from("ab")),
        "teams": st.lists(st.sampled_from("AB")),
    },
)
TARGETINGS = st.fixed_dictionaries(
    {},
    optional={
        "kinds": st.lists(st.sampled_from(["phone", "meeting"]), max_size=1),
        "providers": st.lists(st.sampled_from(["aircall", "zoom"]), max_size=1),
        "directions": st.lists(st.sampled_from(["inbound", "outbound", "internal"]), max_size=2),
        "tags": st.lists(st.sampled_from("ab"), max_size=1),
        "teams": st.lists(st.sampled_from("AB"), max_size=1),
    },
).map(Targeting.model_validate)


@given(TARGETINGS, TARGETINGS, CALLS)
def test_no_call_meets_two_conditions_that_do_not_overlap(
    one: Targeting, other: Targeting, said: dict[str, Any]
) -> None:
    """And overlapping is the same from either side."""
    call = Call.model_validate({"id": "x:1", "started_at": "2026-03-02T09:00:00Z", "participants": [], **said})

    assert one.overlaps(other) is other.overlaps(one)
    assert one.overlaps(other) or not (one.targets(call) and other.targets(call))
