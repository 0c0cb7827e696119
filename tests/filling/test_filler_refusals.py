"""What keeps a value out of the CRM: refusals of the services, answers that are lost, extractors that fail."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from fill_office import NEXT_STEP, TITLE, USER, FillOffice, fill_office, said

from connector_core.errors import TryAgainError
from connector_core.extractors import ExtractorManifest
from connector_core.extractors.binding import Extractor
from connector_core.extractors.hookspecs import Answer, Extracted, WantedField, hookimpl
from connector_core.filler.unit import MOST_ANSWERS
from connector_core.hookspecs import HOOK_API
from connector_core.model import Call, Unknown

AMOUNT = {"key": "amount", "object": "opportunity", "field": "opportunity.amount", "patterns": ["amount: (.+)"]}
DATE = {"key": "date", "object": "opportunity", "field": "opportunity.date", "patterns": ["date: (.+)"]}
STAGE = {"key": "stage", "object": "opportunity", "field": "stage", "patterns": ["stage: (.+)"]}
STAGES = {"salesforce": "StageName", "hubspot": "dealstage"}
RULE: Mapping[str, Mapping[str, Any]] = {
    "salesforce": {
        "validation_rules": [
            {"object": "Opportunity", "name": "No_again", "message": "Say when.", "field": "NextStep",
             "when": {"field": "NextStep", "equals": "call again"}}
        ]
    },
    "hubspot": {"rules": {"deals": {"hs_next_step": {"regex": "send.*"}}}},
}  # fmt: skip
READ_ONLY = {
    "salesforce": {"read_only_fields": ["Opportunity.NextStep"]},
    "hubspot": {"read_only": {"deals": ["hs_next_step"]}},
}
HIDDEN = {
    "salesforce": {"hidden_fields": ["Opportunity.NextStep"]},
    "hubspot": {"hidden": {"deals": ["hs_next_step"]}},
}


@pytest.fixture(params=["salesforce", "hubspot"])
def at(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[FillOffice]:
    """An office on each service."""
    with fill_office(request.param, tmp_path) as opened:
        yield opened


def org(at: FillOffice, changes: Mapping[str, Mapping[str, Any]]) -> None:
    """Change the organization, as an administrator would."""
    assert at.at.sandbox is not None
    at.at.sandbox.org(changes[at.at.config.crm])


def faults(at: FillOffice, *rules: Mapping[str, Any]) -> None:
    """Let the sandbox fail."""
    assert at.at.server is not None
    at.at.server._set_faults(list(rules))


FILL = {
    "salesforce": {"method": "PATCH", "path": "*/composite/sobjects*"},
    "hubspot": {"path": "*/deals*", "body": "*call again*"},
}

# -- the service refuses -----------------------------------------------------------------------------------------------


def test_a_validation_rule_is_told_in_its_own_words(at: FillOffice) -> None:
    """The field's outcome names the rule's sentence, and the record's other fields are sent."""
    org(at, RULE)
    at.publish(NEXT_STEP, AMOUNT)
    at.hear(said("next: call again\namount: 1 234,50 €"))

    (row,) = [row for row in at.rows() if row.field == "next_step"]
    assert (row.outcome, row.reason, at.outcome(key="amount")) == ("other", "validation_rule", ("sent", None))
    assert ("Say when." if at.at.config.crm == "salesforce" else "hs_next_step does not match send.*") in (
        row.detail or ""
    )


def test_a_text_that_is_too_long_is_not_cut(at: FillOffice) -> None:
    """It is refused for its field alone, and nothing of it is written."""
    at.publish(NEXT_STEP, TITLE)
    at.hear(said(f"next: {'again ' * 20_000}\ntitle: CTO"))

    assert (at.outcome(), at.outcome(key="title")) == (("other", "too_long"), ("sent", None))
    assert not at.value()


def test_a_field_that_the_user_may_not_set_is_told(at: FillOffice) -> None:
    """It is a matter of the connection's rights, and said so."""
    at.publish(NEXT_STEP, TITLE)
    org(at, READ_ONLY)
    at.hear(said("next: call again\ntitle: CTO"))

    assert (at.outcome(), at.outcome(key="title")) == (("other", "no_permission"), ("sent", None))


def test_a_field_that_is_hidden_since_is_told(at: FillOffice) -> None:
    """One that the user does not see any more is as none."""
    at.publish(NEXT_STEP, TITLE)
    org(at, HIDDEN)
    at.hear(said("next: call again\ntitle: CTO"))

    assert (at.outcome(), at.outcome(key="title")) == (("other", "field_missing"), ("sent", None))


def test_a_choice_that_there_is_not_is_refused(tmp_path: Path) -> None:
    """No value is made up for a field that takes no others than its own."""
    with fill_office("hubspot", tmp_path) as at:
        at.publish({**STAGE, "field": STAGES["hubspot"], "overwrite": "always"}, NEXT_STEP)
        at.hear(said("next: call again\nstage: Somewhere else"))

        assert (at.outcome(key="stage"), at.outcome()) == (("other", "refused_value"), ("sent", None))


def test_a_choice_is_found_by_its_label(at: FillOffice) -> None:
    """Whatever case it was said in."""
    at.publish({**STAGE, "field": STAGES[at.at.config.crm], "overwrite": "always"})
    label = "Closed Won"
    at.hear(said(f"stage: {label.upper()}"))

    assert at.outcome(key="stage") == ("sent", None)


def test_values_are_sent_in_the_form_of_their_fields(at: FillOffice) -> None:
    """A price and a day as people write them where the connection is."""
    at.publish(AMOUNT, {**DATE, "overwrite": "always"})
    at.hear(said("amount: 1 234,50 €\ndate: 3 avril 2026"))

    assert [at.outcome(key="amount"), at.outcome(key="date")] == [("sent", None), ("sent", None)]
    assert (float(at.value("opportunity.amount")), str(at.value("opportunity.date"))[:10]) == (1234.5, "2026-04-03")


def test_what_was_sent_in_another_form_stands_there_already(at: FillOffice) -> None:
    """The CRM's own way to write a value is no change of it: filling anew from another call writes nothing."""
    at.publish(AMOUNT, {**DATE, "overwrite": "always"})
    at.hear(said("amount: 1 234,50 €\ndate: 3 avril 2026"))
    at.hear(said("amount: 1234.5\ndate: 2026-04-03", 2))

    assert [(row.outcome, row.run) for row in at.rows("x:2")] == [("sent", None), ("sent", None)]


# -- answers are lost --------------------------------------------------------------------------------------------------


def test_an_answer_that_is_lost_is_found_out(at: FillOffice) -> None:
    """The value was written: that is seen, it counts as ours, and can be taken back."""
    at.publish(NEXT_STEP)
    faults(at, {"match": FILL[at.at.config.crm], "do": {"drop_after_commit": True}})
    at.hear(said("next: call again"))
    faults(at)
    between = at.outcome()
    at.desk.again(USER, ["x:1"])
    at.filler.run()
    (row,) = at.rows()
    at.desk.undo(USER, row.run or "")
    at.filler.run()

    assert (between, row.outcome) == (("other", "unknown_outcome"), "sent")
    assert (at.outcome(), at.value() or None) == (("other", "taken_back"), None)


def test_an_edit_while_an_answer_was_lost_stays(at: FillOffice) -> None:
    """What a person wrote meanwhile is not overwritten by the second try."""
    at.publish(NEXT_STEP)
    faults(at, {"match": FILL[at.at.config.crm], "do": {"drop_after_commit": True}})
    at.hear(said("next: call again"))
    faults(at)
    at.edit("theirs")
    at.desk.again(USER, ["x:1"])
    at.filler.run()

    assert (at.outcome(), at.value()) == (("other", "not_empty"), "theirs")


@pytest.mark.parametrize("crm", FILL)
def test_what_may_still_take_effect_is_waited_for(crm: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However soon somebody wants the call filled anew: nothing is sent a second time before the first has settled."""
    with fill_office(crm, tmp_path, settle_seconds=60) as at:
        at.publish(NEXT_STEP)
        faults(at, {"match": FILL[crm], "do": {"drop_after_commit": True}})
        at.hear(said("next: call again"))
        faults(at)
        at.edit("")  # as if it had not taken effect yet
        at.desk.again(USER, ["x:1"])
        at.filler.run()
        early = at.outcome(), at.value() or None
        monkeypatch.setattr(at.at.ledger.database, "_clock", lambda: time.time() + 61.0)
        at.filler.run()

        assert early == (("other", "unknown_outcome"), None)
        assert (at.outcome(), at.value()) == (("sent", None), "call again")


def test_a_service_that_cannot_be_asked_is_asked_again(at: FillOffice) -> None:
    """Nothing is lost: the call stays due, and is filled once the service answers."""
    at.publish(NEXT_STEP)
    list(at.at.sync(said("next: call again")))
    faults(at, {"do": {"status": 503, "headers": {"Retry-After": "0"}, "body": "[]"}})
    with pytest.raises(TryAgainError):
        at.filler.run()
    due = at.at.ledger.fillings.due_of("acme", ["x:1"])
    faults(at)
    at.desk.again(USER, ["x:1"])
    at.filler.run()

    assert (list(due), at.outcome()) == (["x:1"], ("sent", None))


# -- the extractor fails -----------------------------------------------------------------------------------------------


class _Moody:
    """An extractor that answers as it is told."""

    def __init__(self, *answers: Answer | Exception) -> None:
        """Answer one after the other, the last one for good."""
        self._answers = list(answers)

    @hookimpl
    def extract_fields(self, call: Call, fields: Sequence[WantedField]) -> Mapping[str, Answer]:
        """Answer all fields alike."""
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return {field.key: answer for field in fields}

    def close(self) -> None:
        """Hold nothing."""


MOODY = ExtractorManifest(name="moody", title="Moody", hook_api=HOOK_API, settings="", extractor="")


def listen(file: FillOffice, monkeypatch: pytest.MonkeyPatch, *answers: Answer | Exception) -> None:
    """Let the office's extractor be one that answers so."""
    extractor = Extractor(MOODY, _Moody(*answers))
    monkeypatch.setattr(type(file.opened), "extractor", lambda self: extractor)


@pytest.mark.parametrize("trouble", [Unknown("busy"), TryAgainError("busy")], ids=["unknown", "an error"])
def test_an_extractor_that_cannot_be_asked_is_asked_again(
    trouble: Answer | Exception, file: FillOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The field says so until then, the trouble is told, and the call stays due."""
    listen(file, monkeypatch, trouble, Extracted("call again"))
    file.publish(NEXT_STEP)
    ran = file.hear(said("anything"))
    before = (str(ran.trouble), file.outcome(), list(file.at.ledger.fillings.due_of("acme", ["x:1"])))
    file.desk.again(USER, ["x:1"])
    file.filler.run()

    assert before == ("busy", ("other", "not_extracted"), ["x:1"])
    assert (file.outcome(), file.value()) == (("sent", None), "call again")


def test_an_extractor_that_never_knows_is_not_asked_for_ever(file: FillOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each answer may cost money: after some of them the field says that nothing was found out."""
    listen(file, monkeypatch, *[Unknown("too long for the model")] * MOST_ANSWERS, Extracted("one answer too many"))
    file.publish(NEXT_STEP)
    list(file.at.sync(said("anything")))
    for hours in range(2 * MOST_ANSWERS):
        monkeypatch.setattr(file.at.ledger.database, "_clock", lambda: time.time() + hours * 3600.0)  # noqa: B023 - asked in this turn alone
        file.filler.run()

    assert file.at.ledger.fillings.due_of("acme", ["x:1"]) == {}
    assert file.outcome() == ("other", "not_extracted")


def test_a_defect_of_an_extractor_keeps_no_other_call_back(file: FillOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call that it fails on is due later; the next one is filled."""
    listen(file, monkeypatch, ValueError("a defect"), Extracted("call again"))
    file.publish(NEXT_STEP)
    ran = file.hear(said("anything"), said("anything", 2))

    assert "ValueError" in str(ran.trouble)
    assert [file.outcome("x:1"), file.outcome("x:2")] == [("other", "not_extracted"), ("sent", None)]


def test_what_was_extracted_is_not_asked_for_again(file: FillOffice, monkeypatch: pytest.MonkeyPatch) -> None:
    """An extractor may cost money: a call that says nothing new is not read a second time."""
    listen(file, monkeypatch, Extracted("call again"), Extracted("something else"))
    file.publish(NEXT_STEP)
    file.hear(said("anything"))
    file.desk.again(USER, ["x:1"])
    file.filler.run()

    assert file.value() == "call again"


# -- choices that depend on another field ------------------------------------------------------------------------------


@pytest.mark.parametrize(("country", "wanted"), [("France", "n_fr"), ("Spain", "n_es"), (None, None)])
def test_a_label_means_what_goes_with_the_field_that_controls_it(
    country: str | None, wanted: str | None, tmp_path: Path
) -> None:
    """A label that two values share is read once it is known which of them may be chosen; without that, none is."""
    countries = {"object": "Opportunity", "name": "Country__c", "type": "picklist", "values": ["France", "Spain"]}
    only_with = {"n_fr": ["France"], "n_es": ["Spain"]}
    region = {
        "object": "Opportunity", "name": "Region__c", "type": "picklist", "values": ["n_fr", "n_es"], "restricted": True,
        "controller": "Country__c", "only_with": only_with,
    }  # fmt: skip
    labels = {"Opportunity.Region__c": [{"value": value, "label": "North"} for value in only_with]}
    with fill_office("salesforce", tmp_path) as at:
        assert at.at.sandbox is not None
        at.at.sandbox.org({"custom_fields": [countries, region], "picklist_values": labels})
        at.edit(country, "Country__c")
        at.publish({"key": "region", "object": "opportunity", "field": "Region__c", "patterns": ["region: (.+)"]})
        at.hear(said("region: north"))

        outcome = ("sent", None) if wanted else ("other", "refused_value")
        assert (at.outcome(key="region"), at.value("Region__c")) == (outcome, wanted)
