"""Many requests in one, tokens, versions, faults and what each request costs."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from connector_salesforce.sandbox.sessions import CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN

TASK = {"attributes": {"type": "Task"}}


def test_a_later_subrequest_takes_an_id_from_an_earlier_one(client: Any) -> None:
    """``@{r0[0].id}`` leads into the result of a collection."""
    created = {"method": "POST", "url": "composite/sobjects", "body": {"records": [{**TASK, "Subject": "x"}]}}
    read = {"url": "query?q=SELECT Subject FROM Task WHERE Id = '@{r0[0].id}'"}
    assert client.composite(created, read)[1]["body"]["records"][0]["Subject"] == "x"


def test_a_subrequest_takes_an_id_from_a_query(client: Any) -> None:
    """``@{r0.records[0].Id}`` leads into its records."""
    query = {"url": "query?q=SELECT Id FROM Contact WHERE Email = 'dora@buyer.example'"}
    task = {"method": "POST", "url": "sobjects/Task", "body": {"WhoId": "@{r0.records[0].Id}"}}
    assert client.composite(query, task)[1]["httpStatusCode"] == 201


def test_a_subrequest_whose_reference_failed_is_halted(client: Any) -> None:
    """The others go on."""
    wrong = {"method": "POST", "url": "sobjects/Task", "body": {"Nope": 1}}
    depending = {"url": "sobjects/Task/@{r0.id}"}
    last = {"url": "query?q=SELECT Id FROM Task"}
    answers = client.composite(wrong, depending, last)
    assert [part["httpStatusCode"] for part in answers] == [400, 400, 200]


def test_a_reference_that_leads_nowhere_says_so(client: Any) -> None:
    """The sentence is the service's."""
    parts = client.composite({"url": "sobjects/Nope"}, {"url": "sobjects/Task/@{r0.id}"})
    message = "Invalid reference specified. No value for r0.id found in r0"
    assert parts[1]["body"] == [{"message": message, "errorCode": "PROCESSING_HALTED"}]


def test_all_or_none_of_a_composite_undoes_everything(client: Any) -> None:
    """What had succeeded is halted, and not there."""
    good = {"method": "POST", "url": "sobjects/Task", "body": {"Subject": "x"}}
    bad = {"method": "POST", "url": "sobjects/Task", "body": {"Nope": 1}}
    codes = [part["body"][0]["errorCode"] for part in client.composite(good, bad, allOrNone=True)]
    assert (codes, len(client.records("Task"))) == (["PROCESSING_HALTED", "INVALID_FIELD"], 1)


@pytest.mark.parametrize(
    "parts",
    [
        [{"url": "sobjects/Task/describe"}] * 26,
        [{"url": "query?q=SELECT Id FROM Task"}] * 6,
        [{"url": "query?q=SELECT Id FROM Task", "referenceId": "not valid"}],
        [{"url": "query?q=SELECT Id FROM Task", "referenceId": "same"}] * 2,
    ],
)
def test_a_composite_that_is_too_large_or_misnamed_is_refused(client: Any, parts: list[dict[str, Any]]) -> None:
    """At most 25 subrequests, 5 of them queries or collections, each with a name of its own."""
    named = [
        {"method": "GET", "referenceId": f"r{at}", **part, "url": f"/services/data/v66.0/{part['url']}"}
        for at, part in enumerate(parts)
    ]
    assert client.send("POST", "composite", {"compositeRequest": named}).status_code == 400


def test_a_search_inside_a_composite_is_not_spoken(client: Any) -> None:
    """The service has no search there."""
    part = {"method": "GET", "url": "/services/data/v66.0/search?q=x", "referenceId": "r"}
    assert client.send("POST", "composite", {"compositeRequest": [part]}).status_code == 501


def test_headers_of_a_subrequest_are_its_own(serve: Any) -> None:
    """The size of pages goes into ``httpHeaders``."""
    client = serve({"people": [{"kind": "contact", "id": f"C{i}", "name": f"N {i}"} for i in range(201)]})
    part = {"url": "query?q=SELECT Id FROM Contact", "httpHeaders": {"Sforce-Query-Options": "batchSize=200"}}
    assert client.composite(part)[0]["body"]["done"] is False


def test_a_reference_inside_a_text_counts_as_one(client: Any) -> None:
    """The service reads it wherever it stands."""
    part = {"method": "POST", "url": "sobjects/Task", "body": {"Subject": "see @{nothing.id}"}}
    assert client.composite(part)[0]["body"][0]["errorCode"] == "PROCESSING_HALTED"


# -- collections ------------------------------------------------------------------------------------------------------


def test_rows_are_answered_in_their_order(client: Any) -> None:
    """A row that failed stands between the others."""
    records = [{**TASK, "Subject": "x"}, {**TASK, "Nope": 1}, {**TASK, "Subject": "y"}]
    results = client.send("POST", "composite/sobjects", {"records": records}).json()
    assert [row["success"] for row in results] == [True, False, True]


def test_201_rows_are_refused(client: Any) -> None:
    """A collection has 200 at most."""
    answer = client.send("POST", "composite/sobjects", {"records": [TASK] * 201})
    assert (answer.status_code, len(client.records("Task"))) == (400, 1)


def test_eleven_changes_of_type_are_refused(client: Any) -> None:
    """Rows of one type stand together."""
    rows = [TASK, {"attributes": {"type": "Contact"}, "LastName": "x"}] * 6
    assert client.send("POST", "composite/sobjects", {"records": rows}).status_code == 400


def test_records_are_retrieved_by_id(client: Any) -> None:
    """One that is not there is null in its place."""
    ids = ["003000000000000AAA", client.ids["C1"]]
    rows = client.send("POST", "composite/sobjects/Contact", {"ids": ids, "fields": ["Title"]}).json()
    assert [row and row["Title"] for row in rows] == [None, "CTO"]


def test_records_are_deleted_together(client: Any) -> None:
    """A row each."""
    ids = f"{client.ids['T1']},{client.ids['E1']}"
    results = client.send("DELETE", "composite/sobjects", params={"ids": ids}).json()
    assert [row["success"] for row in results] == [True, True]


def test_an_upsert_by_a_field_that_identifies_nothing_is_refused(client: Any) -> None:
    """An external id has to be set up first."""
    body = {"records": [{**TASK, "CallObject": "x"}]}
    assert client.send("PATCH", "composite/sobjects/Task/CallObject", body).status_code == 404


@pytest.mark.parametrize("times", [1, 2])
def test_an_upsert_writes_one_record_however_often_it_is_sent(client: Any, times: int) -> None:
    """The unique external id makes it so."""
    key = {"object": "Activity", "name": "Call_Key__c", "external_id": True, "unique": True}
    client.org(custom_fields=[key]).raise_for_status()
    body = {"records": [{**TASK, "Call_Key__c": "k1", "Subject": "x"}]}
    results = [client.send("PATCH", "composite/sobjects/Task/Call_Key__c", body).json()[0] for _ in range(times)]
    assert ([row["created"] for row in results], len(client.records("Task"))) == ([True, False][:times], 2)


def test_rows_that_a_fault_picks_fail_as_recorded(client: Any) -> None:
    """The sentence is the service's; nothing of the row is done."""
    client.faults(
        {"match": {"method": "POST", "path": "*/composite/sobjects"}, "do": {"row_error": "UNABLE_TO_LOCK_ROW"}}
    )
    result = client.create("Task", Subject="x")
    says = {
        "statusCode": "UNABLE_TO_LOCK_ROW",
        "message": "unable to obtain exclusive access to this record",
        "fields": [],
    }
    assert (result, len(client.records("Task"))) == ({"success": False, "errors": [says]}, 1)


def test_a_fault_picks_a_single_write_too(client: Any) -> None:
    """400, as recorded."""
    client.faults({"do": {"row_error": "UNABLE_TO_LOCK_ROW"}})
    answer = client.send("PATCH", f"sobjects/Task/{client.ids['T1']}", {"Subject": "x"})
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (400, "UNABLE_TO_LOCK_ROW")


# -- signing in -------------------------------------------------------------------------------------------------------


def sign_in(client: Any, secret: str, **form: str) -> requests.Response:
    """Ask for a token with the client's credentials in the header."""
    basic = base64.b64encode(f"{CLIENT_ID}:{secret}".encode()).decode()
    data = {"grant_type": "client_credentials", **form}
    headers = {"Authorization": f"Basic {basic}"}
    return requests.post(f"{client.url}/services/oauth2/token", data=data, headers=headers, timeout=10)


def test_a_sign_in_gives_a_token_without_an_end(client: Any) -> None:
    """There is no ``expires_in``."""
    body = sign_in(client, CLIENT_SECRET).json()
    assert (body["instance_url"], body["token_type"], "expires_in" in body) == (client.url, "Bearer", False)


def test_credentials_in_the_form_count_too(client: Any) -> None:
    """Without a header they stand in the body."""
    form = {"grant_type": "client_credentials", "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
    assert requests.post(f"{client.url}/services/oauth2/token", data=form, timeout=10).status_code == 200


def test_a_wrong_secret_is_refused(client: Any) -> None:
    """In the words of OAuth."""
    answer = sign_in(client, "wrong")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


def test_another_flow_is_not_spoken(client: Any) -> None:
    """501, not a guess."""
    assert sign_in(client, CLIENT_SECRET, grant_type="password").status_code == 501


@pytest.mark.parametrize("header", [None, "Bearer wrong", "Basic eDp5"])
def test_a_request_without_a_good_token_is_401(client: Any, header: str | None) -> None:
    """With the recorded body and header."""
    answer = requests.get(f"{client.url}/services/data/v66.0/limits", headers={"Authorization": header}, timeout=10)
    body = [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}]
    assert (answer.status_code, answer.json(), answer.headers["WWW-Authenticate"]) == (401, body, "Token")


def test_a_static_token_stays_expired(client: Any) -> None:
    """Once expired it is of no use."""
    client.faults({"do": {"expire_session": True}, "times": 1})
    assert [client.send("GET", "limits").status_code for _ in range(2)] == [401, 401]


def test_a_new_sign_in_follows_an_expired_session(client: Any) -> None:
    """Its token is good."""
    client.faults({"do": {"expire_session": True}, "times": 1})
    client.send("GET", "limits")
    token = sign_in(client, CLIENT_SECRET).json()["access_token"]
    assert client.send("GET", "limits", headers={"Authorization": f"Bearer {token}"}).status_code == 200


# -- a person's consent ------------------------------------------------------------------------------------------------

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
"""The pair that RFC 7636 shows in its appendix B."""
REDIRECT = "http://localhost:8717/callback"


def consent(client: Any, **changes: str) -> requests.Response:
    """Open the page of consent."""
    query = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": REDIRECT,
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    address = f"{client.url}/services/oauth2/authorize"
    return requests.get(address, params={**query, **changes}, allow_redirects=False, timeout=10)


def exchange(client: Any, code: str, **changes: str) -> tuple[int, Any]:
    """Take the tokens for a code, as an app that needs no secret."""
    form = {"grant_type": "authorization_code", "client_id": CLIENT_ID, "code": code, "redirect_uri": REDIRECT}
    form |= {"code_verifier": VERIFIER, **changes}
    answer = requests.post(f"{client.url}/services/oauth2/token", data=form, timeout=10)
    return answer.status_code, answer.json()


def code_of(client: Any) -> str:
    return parse_qs(urlsplit(consent(client).headers["Location"]).query)["code"][0]


def test_a_code_is_good_once(client: Any) -> None:
    """For the redirect and the challenge that it was asked with."""
    code = code_of(client)

    assert exchange(client, code)[1].keys() >= {"access_token", "refresh_token"}
    assert exchange(client, code) == (
        400,
        {"error": "invalid_grant", "error_description": "invalid authorization code"},
    )


@pytest.mark.parametrize(
    "changes",
    [
        {"code_verifier": "w" * 43},
        {"redirect_uri": "http://localhost:1/callback"},
        {"client_id": "other"},
        {"client_secret": "wrong"},
    ],
)
def test_a_code_is_good_for_nobody_else(client: Any, changes: dict[str, str]) -> None:
    """Who took it on its way lacks the verifier."""
    assert exchange(client, code_of(client), **changes)[0] == 400


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"client_id": "other"}, 400),
        ({"redirect_uri": "https://evil.example/callback"}, 400),
        ({"code_challenge_method": "plain"}, 501),
        ({"response_type": "token"}, 501),
    ],
)
def test_nobody_is_sent_elsewhere(client: Any, changes: dict[str, str], status: int) -> None:
    """Another app, another address, and flows without a challenge are not served."""
    assert consent(client, **changes).status_code == status


def refresh(client: Any, token: str) -> tuple[int, Any]:
    form = {"grant_type": "refresh_token", "client_id": CLIENT_ID, "refresh_token": token}
    answer = requests.post(f"{client.url}/services/oauth2/token", data=form, timeout=10)
    return answer.status_code, answer.json()


def test_a_refresh_token_is_repeated_by_nobody_unless_it_rotates(client: Any) -> None:
    """As the service says of its answers: a refresh token stands in them only where it is a new one."""
    assert "refresh_token" not in refresh(client, REFRESH_TOKEN)[1]
    assert refresh(client, REFRESH_TOKEN)[0] == 200


def test_a_former_refresh_token_ends_them_all(client: Any) -> None:
    """With rotation, who presents one twice ends the newest one too, and the sessions."""
    client.org(refresh_token_rotation=True)
    new = refresh(client, REFRESH_TOKEN)[1]["refresh_token"]

    assert (refresh(client, REFRESH_TOKEN)[0], refresh(client, new)[0]) == (400, 400)
    assert client.send("GET", "limits").status_code == 401


# -- versions and costs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "status"), [("58.0", 200), ("68.0", 200), ("40.0", 501), ("20.0", 410), ("99.0", 404)]
)
def test_versions_are_spoken_or_not(client: Any, version: str, status: int) -> None:
    """Retired ones are gone, future ones not there, old ones not spoken."""
    assert client.send("GET", f"/services/data/v{version}/limits").status_code == status


def test_versions_are_listed_for_everybody(client: Any) -> None:
    """Without a token."""
    listed = requests.get(f"{client.url}/services/data/", timeout=10).json()
    assert {"label": "Spring '26", "url": "/services/data/v66.0", "version": "66.0"} in listed


def test_the_journal_counts_what_the_quota_counts(client: Any) -> None:
    """A composite is one call, a batch one a subrequest, versions and tokens are free."""
    client.composite({"url": "query?q=SELECT Id FROM Task"}, {"url": "query?q=SELECT Id FROM Event"})
    client.send("POST", "composite/batch", {"batchRequests": [{"method": "GET", "url": "v66.0/limits"}] * 3})
    client.send("GET", "/services/data/")
    sign_in(client, CLIENT_SECRET)
    client.query("SELECT Id FROM Task")
    journal = client.send("GET", "/_sandbox/journal").json()
    assert [entry["api_calls"] for entry in journal] == [1, 3, 0, 0, 1]


def test_every_answer_tells_the_quota(client: Any) -> None:
    """The header counts up."""
    headers = [client.send("GET", "limits").headers["Sforce-Limit-Info"] for _ in range(2)]
    assert headers == ["api-usage=1/100000", "api-usage=2/100000"]


@pytest.mark.parametrize(
    "path", ["jobs/query", "sobjects/Case", "ui-api/object-info/Task", "/services/apexrest/x", "sobjects"]
)
def test_what_is_not_spoken_is_501(client: Any, path: str) -> None:
    """The body names it."""
    answer = client.send("GET", path)
    assert (answer.status_code, answer.json()[0]["errorCode"]) == (501, "NOT_IMPLEMENTED")
