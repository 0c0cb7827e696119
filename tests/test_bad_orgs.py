"""Organizations that hide, forbid or refuse something: who must do what is told, and all else goes on."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest
from bad_day import APP, CALLS, CREATE, CRMS, LOOK_UP, STATIC, bad_day, calls, once_each, outcomes

from connector_core.errors import CredentialsError
from connector_core.model import Call
from connector_core.sync import SyncResult

on_each_crm = pytest.mark.parametrize("crm", CRMS)
PHONE = [call for call in CALLS if call.kind == "phone"]
MEETINGS = [call for call in CALLS if call.kind == "meeting"]
Org = Mapping[str, Any]


def hidden(crm: str, name: str) -> Org:
    """Hide a field from the connection's user."""
    obj, field = name.split(".")
    return {"hidden_fields": [name]} if crm == "salesforce" else {"hidden": {obj: [field]}}


def restored(org: Org) -> Org:
    """Give the change that undoes one."""
    return {name: type(value)() for name, value in org.items()}


def fates(results: list[SyncResult]) -> dict[str, str]:
    """Give the outcome of each call."""
    return {result.call_id: result.outcome for result in results}


def reasons(results: list[SyncResult]) -> list[str]:
    """Give the reasons of what was not written."""
    return [result.reason or "" for result in results if not result.settled]


# -- hidden fields -----------------------------------------------------------------------------------------------------

OPTIONAL = [
    ("salesforce", "Contact.Title"),
    ("salesforce", "Contact.MobilePhone"),
    ("salesforce", "Account.Name"),
    ("salesforce", "Opportunity.NextStep"),
    ("hubspot", "contacts.jobtitle"),
    ("hubspot", "companies.name"),
    ("hubspot", "deals.hs_next_step"),
]


@pytest.mark.parametrize(("crm", "field"), OPTIONAL)
def test_without_a_field_that_is_only_shown_the_sync_goes_on(
    crm: str, field: str, caplog: pytest.LogCaptureFixture
) -> None:
    """All is written, and the log says what is not seen."""
    with bad_day(crm) as day:
        day.service.org(**hidden(crm, field))
        results = day.sync()

        assert set(outcomes(results)) == {"created"}
        assert field.rpartition(".")[2] in caplog.text


NEEDED = [
    ("salesforce", "Contact.Email", MEETINGS),
    ("salesforce", "Lead.Email", MEETINGS),
    ("salesforce", "Contact.Phone", PHONE),
    ("salesforce", "Contact.AccountId", CALLS),
    ("salesforce", "Opportunity.IsClosed", CALLS),
    ("salesforce", "Task.CallObject", CALLS),
    ("hubspot", "contacts.email", MEETINGS),
    ("hubspot", "contacts.phone", PHONE),
    ("hubspot", "contacts.associatedcompanyid", CALLS),
    ("hubspot", "calls.hs_call_external_id", CALLS),
]


@pytest.mark.parametrize(("crm", "field", "waiting"), NEEDED, ids=lambda value: value if isinstance(value, str) else "")
def test_without_a_field_that_decides_calls_wait_and_name_it(crm: str, field: str, waiting: list[Call]) -> None:
    """What can be decided without it is written; hidden is not empty."""
    with bad_day(crm) as day:
        day.service.org(**hidden(crm, field))
        results = day.sync()

        assert [result.call_id for result in results if result.outcome == "deferred"] == [call.id for call in waiting]
        assert {field.rpartition(".")[2] in reason for reason in reasons(results)} == {True}


@pytest.mark.parametrize(("crm", "field", "waiting"), NEEDED, ids=lambda value: value if isinstance(value, str) else "")
def test_once_the_field_is_shown_what_waited_is_written_once(crm: str, field: str, waiting: list[Call]) -> None:
    """With the people that it was waiting for."""
    with bad_day(crm) as day:
        day.service.org(**hidden(crm, field))
        day.sync()
        day.service.org(**restored(hidden(crm, field)))
        results = fates(day.sync())

        assert (day.service.written, {results[call.id] for call in waiting}) == (once_each(), {"created"})


# -- rights ------------------------------------------------------------------------------------------------------------

RIGHTS_TO_READ = [
    ("salesforce", {"missing_rights": {"Contact": ["read"]}}, "cannot read the object Contact"),
    ("salesforce", {"missing_rights": {"Lead": ["read"]}}, "cannot read the object Lead"),
    ("salesforce", {"missing_rights": {"Opportunity": ["read"]}}, "cannot read the object Opportunity"),
    ("salesforce", {"missing_rights": {"Task": ["read"]}}, "cannot read the object Task"),
    ("hubspot", {"missing_scopes": ["crm.objects.contacts.read"]}, "lacks the scope crm.objects.contacts.read"),
    ("hubspot", {"missing_scopes": ["crm.objects.companies.read"]}, "lacks the scope crm.objects.companies.read"),
    ("hubspot", {"missing_scopes": ["crm.objects.deals.read"]}, "lacks the scope crm.objects.deals.read"),
    ("hubspot", {"missing_scopes": ["crm.objects.contacts.write"]}, "lacks the scope crm.objects.contacts.write"),
]


@pytest.mark.parametrize(("crm", "org", "says"), RIGHTS_TO_READ, ids=lambda it: it if isinstance(it, str) else "")
def test_a_right_that_is_missing_is_named_and_calls_wait_for_it(crm: str, org: Org, says: str) -> None:
    """They are written once it is granted, each once."""
    with bad_day(crm) as day:
        day.service.org(**org)
        during = day.sync()
        day.service.org(**restored(org))
        day.sync()

        assert {(result.outcome, says in (result.reason or "")) for result in during} == {("deferred", True)}
        assert day.service.written == once_each()


@pytest.mark.parametrize(("obj", "refused"), [("Task", PHONE), ("Event", MEETINGS)])
def test_a_missing_right_to_create_stops_nothing_else(obj: str, refused: list[Call]) -> None:
    """Calls need tasks and meetings need events: the others are written, and the object is named."""
    with bad_day("salesforce") as day:
        day.service.org(missing_rights={obj: ["create"]})
        results = day.sync()

        assert fates(results) == {call.id: "refused" if call in refused else "created" for call in CALLS}
        assert {f"lacks a right on {obj}" in reason for reason in reasons(results)} == {True}


# -- values and locks --------------------------------------------------------------------------------------------------

SENTENCE = "Talk 2 is not to be talked of"
RULES: Mapping[str, Org] = {
    "salesforce": {
        "validation_rules": [
            {
                "object": "Task",
                "name": "hush",
                "message": SENTENCE,
                "field": "Subject",
                "when": {"field": "Subject", "equals": "Talk 2"},
            }
        ]
    },
    "hubspot": {"rules": {"calls": {"hs_call_title": {"regex": "(?!Talk 2).*"}}}},
}
SAYS = {"salesforce": SENTENCE, "hubspot": "hs_call_title does not match (?!Talk 2).*"}


@on_each_crm
def test_a_value_that_the_crm_refuses_refuses_its_call_alone(crm: str) -> None:
    """In the CRM's own words."""
    with bad_day(crm) as day:
        day.service.org(**RULES[crm])
        results = day.sync()

        assert fates(results) == {call.id: "refused" if call.id == "bad:2" else "created" for call in CALLS}
        assert reasons(results) == [SAYS[crm]]


@on_each_crm
def test_what_was_refused_is_written_when_the_rule_is_gone(crm: str) -> None:
    """And nothing else is written again."""
    with bad_day(crm) as day:
        day.service.org(**RULES[crm])
        day.sync()
        day.service.org(**restored(RULES[crm]))
        results = day.sync()

        assert Counter(outcomes(results)) == {"created": 1, "unchanged": len(CALLS) - 1}
        assert day.service.written == once_each()


@on_each_crm
@pytest.mark.parametrize("rule", [{"share": 0.3}, {"times": 1}])
def test_rows_that_are_locked_are_written_once_in_the_end(crm: str, rule: Mapping[str, Any]) -> None:
    """Rows of a batch fail while others are written: only those are sent again."""
    many = calls(20)
    with bad_day(crm, people=21) as day:
        day.service.faults({**rule, "match": CREATE[crm], "do": {"row_error": "UNABLE_TO_LOCK_ROW"}})
        during = day.sync(many)
        day.service.faults()
        after = day.sync(many)

        assert set(outcomes(during)) <= {"created", "deferred"}
        assert (set(outcomes(after)) <= {"created", "unchanged"}, day.service.written) == (True, once_each(many))


def test_salesforce_is_sent_locked_rows_again_at_once() -> None:
    """A lock is short: one sync is enough."""
    many = calls(20)
    with bad_day("salesforce", people=21) as day:
        day.service.faults(
            {"share": 0.3, "match": CREATE["salesforce"], "do": {"row_error": "UNABLE_TO_LOCK_ROW"}},
        )

        assert (set(outcomes(day.sync(many))), day.service.written) == ({"created"}, once_each(many))


@on_each_crm
def test_rows_that_stay_locked_wait(crm: str) -> None:
    """The reason names the lock."""
    with bad_day(crm) as day:
        day.service.faults({"match": CREATE[crm], "do": {"row_error": "UNABLE_TO_LOCK_ROW"}})

        told = {(result.outcome, "UNABLE_TO_LOCK_ROW" in (result.reason or "")) for result in day.sync()}
        assert (told, day.service.written) == ({("deferred", True)}, Counter())


# -- sessions ----------------------------------------------------------------------------------------------------------


@on_each_crm
@pytest.mark.parametrize("request_of", [LOOK_UP, CREATE], ids=["look-up", "create"])
def test_an_expired_token_that_was_handed_in_is_refused_by_name(crm: str, request_of: Mapping[str, Any]) -> None:
    """There is nothing to renew it with: a person is to hand in a new one. Nothing is written."""
    with bad_day(crm, **STATIC[crm]) as day:
        day.service.faults({"match": request_of[crm], "times": 1, "do": {"expire_session": True}})
        with pytest.raises(CredentialsError, match=r"access token.*(new one|connect the account anew)"):
            day.sync()

        assert day.service.written == Counter()


def test_what_was_written_before_a_refusal_is_told() -> None:
    """HubSpot takes calls and meetings apart: those of the one are written when the token ends, the others wait."""
    with bad_day("hubspot", **STATIC["hubspot"]) as day:
        day.service.faults({"match": {"path": "*/meetings/batch/create"}, "do": {"expire_session": True}})
        results = day.sync()

        assert fates(results) == {call.id: "created" if call in PHONE else "deferred" for call in CALLS}
        assert {"access token" in reason for reason in reasons(results)} == {True}


@on_each_crm
def test_a_refusal_while_looking_for_lost_answers_keeps_what_is_known(crm: str) -> None:
    """The answers are lost, and then the token ends: nothing is raised over what was sent."""
    with bad_day(crm, **STATIC[crm]) as day:
        day.service.faults({"match": CREATE[crm], "do": {"drop_after_commit": True}})
        results = day.sync(sleep=lambda _: day.service.faults({"do": {"expire_session": True}}))

        assert (set(outcomes(results)), day.service.written) == ({"unknown"}, once_each())


@on_each_crm
@pytest.mark.parametrize("request_of", [LOOK_UP, CREATE], ids=["look-up", "create"])
def test_an_app_signs_in_once_more_when_its_session_ends(crm: str, request_of: Mapping[str, Any]) -> None:
    """Once to begin with, once for the new session; each call is written once."""
    with bad_day(crm, **APP[crm]) as day:
        day.service.faults({"match": request_of[crm], "times": 1, "do": {"expire_session": True}})
        results = day.sync()

        assert (set(outcomes(results)), day.service.written) == ({"created"}, once_each())
        assert day.service.asked("/token") == 2


@on_each_crm
def test_threads_on_one_connection_sign_in_once_more_together(crm: str) -> None:
    """Six threads sync parts of the calls when the session ends: two sign-ins in all, and each call once."""
    many = calls(24)
    with bad_day(crm, people=25, **APP[crm]) as day:
        day.sync(many[:1])
        day.service.faults(
            {"times": 1, "match": CREATE[crm], "do": {"expire_session": True}},
            {"match": CREATE[crm], "do": {"delay_seconds": 0.05}},
        )
        threads = [threading.Thread(target=day.sync, args=(many[start::6],)) for start in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

        assert (day.service.asked("/token"), day.service.written) == (2, once_each(many))
