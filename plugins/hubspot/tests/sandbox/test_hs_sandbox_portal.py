"""Tokens, scopes, what describes the portal, and what an administrator changes of it."""

from __future__ import annotations

import http.client
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

CONTACTS = "/crm/v3/objects/contacts"


def _refresh(portal: Any, path: str = "/oauth/2026-09/token", **changes: str) -> Any:
    settings = {
        key: value for key, value in portal.server.settings.items() if key.endswith(("_id", "secret", "_token"))
    }
    form = {"grant_type": "refresh_token", **settings, **changes}
    return portal.send("POST", path, urlencode(form).encode())


# -- tokens ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/oauth/v1/token", "/oauth/v3/token", "/oauth/2026-09/token"])
def test_the_settings_lead_to_a_token_that_works(portal: Any, path: str) -> None:
    """A refresh with the settings gives a token that requests are answered with."""
    answer = _refresh(portal, path)
    portal.token = answer.body["access_token"]
    assert (answer.body["expires_in"], portal.get(CONTACTS).status) == (1800, 200)


def _code(portal: Any, **changes: str) -> str | None:
    """Open the page of consent; give the code that it goes on with, or None where it does not."""
    query = {
        "client_id": "sandbox-app",
        "redirect_uri": "http://localhost:8717/callback",
        "scope": "oauth",
        "state": "s",
    }
    server = http.client.HTTPConnection(urlsplit(portal.server.url).netloc, timeout=10)
    server.request("GET", f"/oauth/authorize?{urlencode(query | changes)}")
    answer = server.getresponse()
    server.close()
    goes_on = parse_qs(urlsplit(answer.headers["Location"] or "").query)
    return goes_on["code"][0] if goes_on.get("state") == ["s"] else None


def _exchange(portal: Any, code: str | None, redirect: str = "http://localhost:8717/callback") -> Any:
    form = {"grant_type": "authorization_code", "code": code or "", "redirect_uri": redirect}
    return _refresh(portal, **form)


def test_a_code_is_good_once_and_its_tokens_can_be_refreshed(portal: Any) -> None:
    """What a consent grants is an access token and a refresh token."""
    code = _code(portal)
    granted = _exchange(portal, code).body

    assert _refresh(portal, refresh_token=granted["refresh_token"]).status == 200
    assert (_exchange(portal, code).status, _exchange(portal, code).body["status"]) == (400, "BAD_AUTH_CODE")


def test_a_code_is_good_for_its_redirect_alone(portal: Any) -> None:
    """As HubSpot names it."""
    refused = _exchange(portal, _code(portal), "http://localhost:1/callback")

    assert (refused.status, refused.body["status"]) == (400, "MISMATCH_REDIRECT_URI_AUTH_CODE")


@pytest.mark.parametrize("change", [{"client_id": "x"}, {"scope": ""}, {"redirect_uri": "https://evil.example/"}])
def test_nobody_is_sent_elsewhere(portal: Any, change: dict[str, str]) -> None:
    """Another app, none of its scopes, another address: the page goes on to nobody."""
    assert _code(portal, **change) is None


def test_a_token_costs_nothing(portal: Any) -> None:
    """Token requests are not of the quota."""
    _refresh(portal)
    assert portal.get("/_sandbox/journal").body[-1]["api_calls"] == 0


@pytest.mark.parametrize(
    ("change", "error", "status"),
    [
        ({"refresh_token": "wrong"}, "invalid_grant", "BAD_REFRESH_TOKEN"),
        ({"client_secret": "wrong"}, "invalid_client", "BAD_CLIENT_ID"),
    ],
)
def test_a_wrong_refresh_is_refused_as_rfc_6749_says(
    portal: Any, change: dict[str, str], error: str, status: str
) -> None:
    """The body has the names of the standard and the older ones."""
    answer = _refresh(portal, **change)
    assert (answer.status, answer.body["error"], answer.body["status"]) == (400, error, status)


def test_an_expired_token_is_told_from_a_wrong_one(portal: Any) -> None:
    """A token that was handed out expires, any other is none."""
    portal.faults({"times": 1, "do": {"expire_session": True}})
    expired = portal.get(CONTACTS)
    portal.token = "nobody's"
    wrong = portal.get(CONTACTS)
    assert [(answer.status, answer.body["category"]) for answer in (expired, wrong)] == [
        (401, "EXPIRED_AUTHENTICATION"),
        (401, "INVALID_AUTHENTICATION"),
    ]


def test_after_the_session_has_expired_a_refresh_helps(portal: Any) -> None:
    """The refresh token outlives the tokens made of it."""
    portal.faults({"times": 1, "do": {"expire_session": True}})
    portal.get(CONTACTS)
    portal.token = _refresh(portal).body["access_token"]
    assert portal.get(CONTACTS).status == 200


# -- scopes ------------------------------------------------------------------------------------------------------------


def test_a_missing_scope_is_named(portal: Any) -> None:
    """Single requests and batches name the scope in their own forms, without the limits of the burst."""
    portal.org(missing_scopes=["crm.objects.contacts.read"])
    single = portal.get(f"{CONTACTS}/{portal.ids['C1']}")
    batch = portal.post(f"{CONTACTS}/batch/read", {"inputs": [{"id": portal.ids["C1"]}]})
    assert (
        single.body["errors"][0]["context"]["requiredGranularScopes"],
        batch.body["context"]["requiredGranularScopes"],
        {single.status, batch.status},
        "x-hubspot-ratelimit-max" in single.headers,
    ) == (["crm.objects.contacts.read"], ["crm.objects.contacts.read"], {403}, False)


def test_calls_need_the_scopes_of_contacts(portal: Any) -> None:
    """There is no scope of calls: without that of contacts none is written."""
    portal.org(missing_scopes=["crm.objects.contacts.write"])
    answer = portal.post("/crm/v3/objects/calls/batch/create", {"inputs": []})
    assert (answer.status, answer.body["category"]) == (403, "MISSING_SCOPES")


def test_owners_need_their_own_scope(portal: Any) -> None:
    """Without their scope, owners are not told."""
    portal.org(missing_scopes=["crm.objects.owners.read"])
    assert portal.get("/crm/owners/2026-09").status == 403


# -- what describes the portal -----------------------------------------------------------------------------------------


def test_the_pipelines_tell_which_stages_are_closed(portal: Any) -> None:
    """Stages say as text whether they are closed, and how likely they are won; ids of the second are opaque."""
    first, second = portal.get("/crm/v3/pipelines/deals").body["results"]
    closed = {stage["id"]: stage["metadata"] for stage in first["stages"]}["closedwon"]
    assert (closed, [stage["id"].isdecimal() for stage in second["stages"]]) == (
        {"isClosed": "true", "probability": "1.0"},
        [True, True, False],
    )


def test_owners_are_found_by_address(portal: Any) -> None:
    """The filter takes one address, whatever its case."""
    found = portal.get("/crm/v3/owners?email=ADA@seller.example").body["results"]
    assert [(owner["id"], owner["firstName"]) for owner in found] == [(portal.ids["U1"], "Ada")]


def test_an_owner_that_leaves_is_archived(portal: Any) -> None:
    """A deleted owner is among the archived ones, and no record can be given to it."""
    portal.faults({"times": 1, "do": {"patch": {"object": "owners", "id": portal.ids["U1"], "delete": True}}})
    body = {"properties": {"hubspot_owner_id": portal.ids["U1"]}}
    answer = portal.send("PATCH", f"{CONTACTS}/{portal.ids['C1']}", body)
    archived = portal.get("/crm/v3/owners?archived=true").body["results"]
    assert (answer.body["errors"][0]["code"], [owner["id"] for owner in archived]) == (
        "INVALID_OWNER_ID",
        [portal.ids["U1"]],
    )


def test_the_account_tells_its_portal(portal: Any) -> None:
    """The details name the portal, as a probe of credentials reads."""
    assert portal.get("/account-info/v3/details").body["portalId"] > 0


def test_the_account_tells_its_zone_and_its_currencies(portal: Any) -> None:
    """As an administrator set them: the company's first."""
    portal.org(time_zone="Asia/Kolkata", currencies=["CHF", "EUR"])
    told = portal.get("/account-info/2026-09/details").body
    assert (told["timeZone"], told["utcOffset"], told["utcOffsetMilliseconds"]) == (
        "Asia/Kolkata",
        "+05:30",
        19_800_000,
    )
    assert (told["companyCurrency"], told["additionalCurrencies"]) == ("CHF", ["EUR"])


def test_a_deal_is_in_a_currency_of_the_account(portal: Any) -> None:
    """Any other one is refused (changelog, "Enforcing Deal Currency Code Validation")."""
    portal.org(currencies=["CHF", "EUR"])
    made = [
        portal.send("POST", "/crm/v3/objects/deals", {"properties": {"dealname": "x", "deal_currency_code": code}})
        for code in ("CHF", "EUR", "BRL")
    ]
    assert [it.status for it in made] == [201, 201, 400]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/crm/v3/schemas"),
        ("GET", "/crm/v3/objects/tickets"),
        ("POST", "/crm/v3/objects/contacts/merge"),
        ("GET", "/crm/objects/2027-03/contacts"),
        ("PUT", "/crm/v3/objects/meetings/1/associations/contact/1/meeting_event_to_contact"),
    ],
)
def test_what_it_does_not_know_it_does_not_guess(portal: Any, method: str, path: str) -> None:
    """Any other address is answered 501."""
    assert portal.send(method, path).status == 501


# -- changes of an administrator ---------------------------------------------------------------------------------------


def test_a_hidden_property_is_as_none(portal: Any) -> None:
    """It is not described, not read, and not written."""
    portal.org(hidden={"contacts": ["jobtitle"]})
    path = f"{CONTACTS}/{portal.ids['C1']}"
    described = {prop["name"] for prop in portal.get("/crm/v3/properties/contacts").body["results"]}
    read = portal.get(f"{path}?properties=jobtitle").body["properties"]
    written = portal.send("PATCH", path, {"properties": {"jobtitle": "CEO"}})
    assert ("jobtitle" in described, "jobtitle" in read, written.body["errors"][0]["code"]) == (
        False,
        False,
        "PROPERTY_DOESNT_EXIST",
    )


def test_a_read_only_property_is_described_so(portal: Any) -> None:
    """It is described as such, and refused."""
    portal.org(read_only={"deals": ["hs_next_step"]})
    described = portal.get("/crm/v3/properties/deals/hs_next_step").body["modificationMetadata"]["readOnlyValue"]
    written = portal.send("PATCH", f"/crm/v3/objects/deals/{portal.ids['O1']}", {"properties": {"hs_next_step": "x"}})
    assert (described, written.body["errors"][0]["code"]) == (True, "READ_ONLY_VALUE")


def test_choices_are_the_portals_own(portal: Any) -> None:
    """The choices of an enumeration can be replaced."""
    portal.org(options={"calls": {"hs_activity_type": ["Demo", {"value": "qbr", "label": "Review"}]}})
    properties = {"hs_timestamp": "2026-11-20T10:00:00Z", "hs_activity_type": "qbr"}
    assert portal.post("/crm/v3/objects/calls", {"properties": properties}).status == 201


@pytest.mark.parametrize(("version", "status"), [("2026-03", 201), ("2026-09", 400)])
def test_required_properties_are_required_in_the_latest_version(portal: Any, version: str, status: int) -> None:
    """Only 2026-09 insists on what the portal's forms require."""
    portal.org(required={"contacts": ["jobtitle"]})
    answer = portal.post(f"/crm/objects/{version}/contacts", {"properties": {"firstname": "Nia"}})
    codes = [error["code"] for error in answer.body.get("errors", [])]
    assert (answer.status, codes) == (status, ["MISSING_REQUIRED_PROPERTY"] if status == 400 else [])


@pytest.mark.parametrize(("rule", "code"), [({"max_length": 3}, "MAX_LENGTH"), ({"regex": "[0-9]+"}, "REGEX")])
def test_a_validation_rule_is_enforced(portal: Any, rule: dict[str, Any], code: str) -> None:
    """A value that breaks a rule is refused with the rule's name."""
    portal.org(rules={"contacts": {"jobtitle": rule}})
    answer = portal.send("PATCH", f"{CONTACTS}/{portal.ids['C1']}", {"properties": {"jobtitle": "Boss"}})
    assert (answer.status, answer.body["errors"][0]["code"]) == (400, code)


def test_a_unique_property_finds_its_record(portal: Any) -> None:
    """A property with unique values is a key for batches, and no value is held twice."""
    portal.org(properties={"calls": [{"name": "my_key", "hasUniqueValue": True}]})
    row = {"id": "k1", "idProperty": "my_key", "properties": {"hs_timestamp": "2026-11-20T10:00:00Z"}}
    path = "/crm/v3/objects/calls"
    new = [portal.post(f"{path}/batch/upsert", {"inputs": [row]}).body["results"][0]["new"] for _ in range(2)]
    read = portal.post(f"{path}/batch/read", {"idProperty": "my_key", "inputs": [{"id": "k1"}]})
    twice = portal.post(path, {"properties": {**row["properties"], "my_key": "k1"}})
    assert (new, len(read.body["results"]), twice.body["errors"][0]["code"]) == (
        [True, False],
        1,
        "CONFLICTING_UNIQUE_VALUE",
    )


@pytest.mark.parametrize(
    "change",
    [
        {"no_such": 1},
        {"hidden": {"contacts": ["no_such"]}},
        {"hidden": {"butterflies": []}},
        {"hidden": 3},
        {"rules": {"contacts": {"jobtitle": {"longest": 3}}}},
        {"rules": {"contacts": {"jobtitle": {"regex": "[A"}}}},
        {"rules": {"contacts": {"jobtitle": {"max_length": "3"}}}},
        {"missing_scopes": ["everything"]},
        {"default_country": "France"},
        {"properties": {"contacts": [{"name": "x", "type": "colour"}]}},
    ],
)
def test_an_unknown_change_says_what_is_possible(portal: Any, change: dict[str, Any]) -> None:
    """A change that is not known, or of the wrong form, is refused."""
    assert portal.org(**change).status == 400


@pytest.mark.parametrize(
    ("path", "body", "part"),
    [
        ("objects/2026-09/contacts/search", {"filterGroups": [{"filters": 1}]}, "filters"),
        ("objects/2026-09/contacts/search", {"filterGroups": [], "properties": {"a": 1}}, "properties"),
        ("objects/2026-09/contacts/search", {"sorts": [["createdate"]]}, "sorts"),
        ("objects/2026-09/contacts/batch/read", {"inputs": ["1"]}, "inputs"),
        ("objects/2026-09/contacts/batch/update", {"inputs": [{"id": "1", "properties": ["a"]}]}, "properties"),
        ("objects/2026-09/calls/batch/create", {"inputs": [{"objectWriteTraceId": ["1"]}]}, "objectWriteTraceId"),
        ("objects/2026-09/calls/batch/create", {"inputs": [{"associations": [{"to": ["1"]}]}]}, "to"),
        ("associations/2026-09/calls/contacts/batch/archive", {"inputs": [{"from": {}, "to": {}}]}, "to"),
        ("objects/2026-09/contacts", [], "an object is wanted"),
    ],
)
def test_a_body_of_the_wrong_form_is_refused(portal: Any, path: str, body: object, part: str) -> None:
    """400 that names the part, whatever else is right."""
    answer = portal.post(f"/crm/{path}", body)
    assert (answer.status, part in answer.body["message"]) == (400, True)


# -- behind the client's back ------------------------------------------------------------------------------------------


def test_a_patch_sets_what_only_the_service_sets(portal: Any) -> None:
    """A change behind the client's back may set read-only properties, and is there when the request is served."""
    path = f"/crm/v3/objects/deals/{portal.ids['O1']}?properties=hs_v2_date_entered_closedwon"
    fields = {"dealstage": "closedwon", "hs_closed_won_date": "2026-04-01T00:00:00Z"}
    portal.faults({"times": 1, "do": {"patch": {"object": "Deal", "id": portal.ids["O1"], "fields": fields}}})
    assert portal.get(path).body["properties"]["hs_v2_date_entered_closedwon"] is not None


def test_a_patch_of_a_record_that_is_not_there_fails(portal: Any) -> None:
    """The sandbox says so, instead of serving the request."""
    portal.faults({"times": 1, "do": {"patch": {"object": "contacts", "id": "7", "fields": {"fax": "1"}}}})
    assert portal.get(CONTACTS).status == 500
