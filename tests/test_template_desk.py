"""Templates at the desk: held against each CRM's own description before they are used, by those who may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from office import ADA, CRMS, Office, call, office

from connector_core.config import OpenConnection
from connector_core.errors import ConnectorError, InputError, TryAgainError
from connector_core.extractors import RULES
from connector_core.extractors.binding import Extractor
from connector_core.filling.templates import Template
from connector_core.filling.values import WantedField
from connector_core.hookspecs import hookimpl
from connector_core.ledger.people import Actor
from connector_core.model import Call, Unknown
from connector_core.template_desk import TemplateDesk

MIA = Actor("Mia", "manager")
NEXT_STEP = {"file": "next_step", "salesforce": "NextStep", "hubspot": "hs_next_step"}
WRONG = {"file": "id", "salesforce": "NextStop", "hubspot": "hs_next_stop"}
TOLD = {
    "file": "CRM in a file does not let the connection's user set id of opportunity; possible: ",
    "salesforce": "Salesforce has no field NextStop of opportunity, or hides it from the connection's user; did you mean ",
    "hubspot": "HubSpot has no field hs_next_stop of opportunity, or hides it from the connection's user; did you mean ",
}


@pytest.fixture(params=CRMS)
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    """An office with one call written."""
    with office(request.param, tmp_path) as opened:
        opened.sync(call())
        yield opened


@pytest.fixture
def opened(at: Office) -> Iterator[OpenConnection]:
    """The connection of its own that the desk has."""
    with at.config.open() as it:
        yield it


@pytest.fixture
def desk(at: Office, opened: OpenConnection) -> TemplateDesk:
    """A desk for templates."""
    return TemplateDesk(at.ledger, opened)


def template(*fields: Mapping[str, Any], template_id: str = "demo") -> Template:
    """Make a template of these fields."""
    made = [{"key": f"f{place}", "object": "opportunity", "prompt": "What?", **it} for place, it in enumerate(fields)]
    return Template.model_validate({"id": template_id, "name": "Demo", "fields": made})


def test_what_fits_is_published_with_the_types_of_its_fields(at: Office, desk: TemplateDesk) -> None:
    """As the CRM says them; the call that was written before is due, as it was asked for."""
    desk.save(MIA, [template({"field": NEXT_STEP[at.config.crm]})])
    published, found = desk.publish(MIA, "demo", since=call().started_at)

    assert (published.types, published.since, found.warnings) == ({"f0": "text"}, call().started_at, ())
    assert at.ledger.templates.published("acme") == (published,)


def test_all_that_does_not_fit_is_told_and_nothing_is_published(at: Office, desk: TemplateDesk) -> None:
    """A line each, with the nearest name."""
    name = at.config.crm
    there = {"object": "contact", "field": "nothing_of_that_kind", "patterns": ["("]}
    desk.save(MIA, [template({"field": WRONG[name]}, there)])
    with pytest.raises(InputError) as refused:
        desk.publish(MIA, "demo")

    lines = str(refused.value).splitlines()
    assert lines[0].startswith(f"template demo, field f0: {TOLD[name]}")
    assert NEXT_STEP[name] in lines[0].partition(TOLD[name])[2]
    assert "template demo, field f1: patterns.0 is no regular expression: missing ) at position 1" in lines
    assert at.ledger.templates.published("acme") == ()


@pytest.mark.parametrize("at", ["hubspot"], indirect=True)
def test_an_object_that_the_crm_does_not_have_is_not_asked_for(desk: TemplateDesk) -> None:
    """HubSpot's leads are no people."""
    (problem,) = desk.check(template({"object": "lead", "field": "email"})).problems

    assert problem.endswith("HubSpot has no leads beside contacts; possible: contact, account, opportunity")


def test_a_template_is_checked_before_it_is_kept(at: Office, desk: TemplateDesk) -> None:
    """Nothing is kept of it."""
    assert desk.check(template({"field": WRONG[at.config.crm]})).problems
    assert not desk.check(template({"field": NEXT_STEP[at.config.crm]})).problems
    assert at.ledger.templates.list("acme") == ()


def test_two_templates_for_one_field_are_a_warning(at: Office, desk: TemplateDesk) -> None:
    """Both are published."""
    for name in ("demo", "other"):
        desk.save(MIA, [template({"field": NEXT_STEP[at.config.crm]}, template_id=name)])
    assert desk.publish(MIA, "other")[1].warnings == ()
    (warning,) = desk.publish(MIA, "demo")[1].warnings

    assert warning.startswith("template demo, field f0: template other fills ")
    assert len(at.ledger.templates.published("acme")) == 2


@pytest.mark.parametrize("at", ["file"], indirect=True)
def test_users_publish_nothing_and_the_crm_is_not_asked(at: Office, desk: TemplateDesk) -> None:
    """Whether the template is there or not."""
    asked = at.writing_requests()
    for act in (
        lambda: desk.publish(ADA, "demo"),
        lambda: desk.unpublish(ADA, "demo"),
        lambda: desk.delete(ADA, "demo"),
        lambda: desk.save(ADA, [template({"field": "x"})]),
    ):
        with pytest.raises(InputError, match="it takes an admin or a manager"):
            act()
    assert at.writing_requests() == asked


@pytest.mark.parametrize("at", ["salesforce"], indirect=True)
def test_a_lookup_leads_to_another_record_and_what_is_mended_in_the_crm_counts_at_once(
    at: Office, desk: TemplateDesk
) -> None:
    """On one connection that remembers descriptions: the field is made after the first try."""
    partner = {"object": "Account", "through": "opportunity.Partner__c", "field": "Description"}
    risk = {"object": "Risk__c", "through": "opportunity.Partner__c", "field": "Level__c"}
    desk.save(MIA, [template(partner), template(risk, template_id="risk")])
    with pytest.raises(InputError, match=r"through: Salesforce has no field Partner__c of opportunity"):
        desk.publish(MIA, "demo")
    assert at.sandbox is not None
    lookup = {"object": "Opportunity", "name": "Partner__c", "type": "reference", "to": "Account"}
    at.sandbox.org({"custom_fields": [lookup]})

    assert desk.publish(MIA, "demo")[0].types == {"f0": "text"}
    with pytest.raises(InputError) as refused:
        desk.publish(MIA, "risk")
    assert str(refused.value).splitlines() == [
        f"template risk, field f0: {wrong}"
        for wrong in (
            "through: Partner__c of opportunity leads to Account, not to Risk__c; possible objects: Account",
            "Salesforce has no object Risk__c, or hides it from the connection's user",
        )
    ]


class Mute:
    """Keeps a CRM from describing anything."""

    def __init__(self, answer: object) -> None:
        """Say what it does instead."""
        self._answer = answer

    @hookimpl(wrapper=True)
    def describe_objects(self) -> Any:
        """Answer something else."""
        described = yield
        if isinstance(self._answer, ConnectorError):
            raise self._answer
        return dict.fromkeys(described, self._answer)


@pytest.mark.parametrize("at", ["file"], indirect=True)
@pytest.mark.parametrize("answer", [Unknown("too busy"), TryAgainError("the service is down")])
def test_what_the_crm_could_not_be_asked_is_no_problem_of_the_template(
    at: Office, opened: OpenConnection, desk: TemplateDesk, answer: object
) -> None:
    """It is to be tried again; nothing is published."""
    opened.connection._manager.register(Mute(answer), "mute")
    desk.save(MIA, [template({"field": "next_step"})])
    with pytest.raises(TryAgainError):
        desk.publish(MIA, "demo")

    assert at.ledger.templates.published("acme") == ()


@pytest.mark.parametrize("at", ["file"], indirect=True)
def test_a_pump_is_woken(at: Office, opened: OpenConnection) -> None:
    """When something is published."""
    woken: list[str] = []
    desk = TemplateDesk(at.ledger, opened, wake=lambda name, _: woken.append(name))
    desk.save(MIA, [template({"field": "next_step"})])
    assert woken == []
    desk.publish(MIA, "demo")
    assert woken == ["acme"]


# -- testing


class Silent:
    """An extractor that could ask nobody about a call of which it is said so."""

    @hookimpl
    def extract_fields(self, call: Call, fields: Sequence[WantedField]) -> dict[str, Unknown | None]:
        """Answer that it is not known, or that there is nothing."""
        return {it.key: Unknown("no budget is left") if call.id == "x:1" else None for it in fields}

    def close(self) -> None:
        """Hold nothing."""


@pytest.mark.parametrize("at", ["file"], indirect=True)
def test_what_could_not_be_looked_for_is_told_apart_from_what_is_not_there(
    opened: OpenConnection, desk: TemplateDesk
) -> None:
    """For that call alone."""
    opened.extraction._bound = Extractor(RULES, Silent())
    first, second = desk.test(template({"field": "next_step"}), [call(1), call(2)])

    assert [it["reason"] for it in first.to_json()["fields"]] == ["not_extracted"]
    assert [it["outcome"] for it in second.to_json()["fields"]] == ["empty"]
    assert (first.complete, second.complete) == (False, True)


def test_a_test_reads_the_crm_and_writes_nothing(at: Office, desk: TemplateDesk) -> None:
    """Not even a record that is meant by its name."""
    before = at.records()
    owner = {"file": "owner_id", "salesforce": "OwnerId", "hubspot": "hubspot_owner_id"}[at.config.crm]
    wanted = template({"field": owner, "patterns": ["owner: (.+)"]})
    (tried,) = desk.test(wanted, [call(7, summary="owner: ada@seller.example")])

    (field,) = tried.to_json()["fields"]
    assert (field["outcome"], field["wanted"]) == (None, at.id("U1"))
    assert (at.records(), at.ledger.calls.of("acme", ["x:7"])) == (before, {})
