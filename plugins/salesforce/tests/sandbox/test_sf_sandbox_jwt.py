"""What the sandbox makes of assertions of the JWT bearer flow."""

from __future__ import annotations

import time
from typing import Any

import jwt
import pytest
import requests
from connector_salesforce.sandbox.sessions import CLIENT_ID

USER = "integration@sandbox.invalid"
GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"


@pytest.fixture
def org(client: Any, keys: Any) -> Any:
    """Give a client of an organization whose app has a certificate."""
    assert client.org(app_certificate=keys.certificate).status_code == 200
    return client


def claims(**changes: Any) -> dict[str, Any]:
    """Give claims that are right but for the changes; None leaves one out."""
    right = {"iss": CLIENT_ID, "sub": USER, "aud": "https://test.salesforce.com", "exp": int(time.time()) + 150}
    return {name: value for name, value in (right | changes).items() if value is not None}


def sign_in(client: Any, assertion: str) -> requests.Response:
    """Present an assertion."""
    form = {"grant_type": GRANT, "assertion": assertion}
    return requests.post(f"{client.url}/services/oauth2/token", data=form, timeout=10)


def signed(keys: Any, algorithm: str = "RS256", **changes: Any) -> str:
    """Sign claims."""
    return jwt.encode(claims(**changes), keys.private, algorithm=algorithm)


@pytest.mark.parametrize("exp", [int, float, str])
def test_a_right_assertion_is_granted_a_token_that_serves(org: Any, keys: Any, exp: type) -> None:
    """Without a refresh token; the time may be text, as simple-salesforce writes it."""
    body = sign_in(org, signed(keys, exp=exp(time.time() + 150))).json()
    answer = org.send("GET", "limits", headers={"Authorization": f"Bearer {body['access_token']}"})

    assert (body["instance_url"], "refresh_token" in body, answer.status_code) == (org.url, False, 200)


WRONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "app": ({"iss": "other"}, "invalid_client_id", "client identifier invalid"),
    "no app": ({"iss": None}, "invalid_client_id", "client identifier invalid"),
    "audience": ({"aud": "https://login.salesforce.com"}, "invalid_grant", "audience is invalid"),
    "audiences": ({"aud": ["https://test.salesforce.com"]}, "invalid_grant", "audience is invalid"),
    "expired": ({"exp": 1_000_000_000}, "invalid_grant", "expired authorization code"),
    "no end": ({"exp": None}, "invalid_grant", "expired authorization code"),
    "user": ({"sub": "nobody@sandbox.invalid"}, "invalid_grant", "user hasn't approved this consumer"),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_is_refused_in_the_words_of_the_service(org: Any, keys: Any, wrong: str) -> None:
    """Each claim has its own."""
    changes, error, description = WRONG[wrong]
    answer = sign_in(org, signed(keys, **changes))

    assert (answer.status_code, answer.json()) == (400, {"error": error, "error_description": description})


@pytest.mark.parametrize("forged", ["another key", "cut", "text", "empty", "changed", "unsigned", "shared secret"])
def test_an_assertion_that_the_key_did_not_sign_is_refused(org: Any, keys: Any, other_keys: Any, forged: str) -> None:
    """Whoever has the certificate, which is public, can sign nothing with it."""
    right = signed(keys)
    head, _, signature = right.split(".")
    assertion = {
        "another key": signed(other_keys),
        "cut": right[:-10],
        "text": "not.a.token",
        "empty": "",
        "changed": f"{head}.{signed(keys, sub='admin@sandbox.invalid').split('.')[1]}.{signature}",
        "unsigned": jwt.encode(claims(), None, algorithm="none"),
        "shared secret": jwt.encode(claims(), b"x" * 32, algorithm="HS256"),
    }[forged]

    assert sign_in(org, assertion).json() == {"error": "invalid_grant", "error_description": "invalid assertion"}


def test_without_a_certificate_nobody_is_let_in(org: Any, keys: Any) -> None:
    """As before it was uploaded, and after it was taken away."""
    org.org(app_certificate="")

    assert sign_in(org, signed(keys)).json()["error_description"] == "invalid assertion"


def test_where_an_admin_approves_only_those_users_sign_in(org: Any, keys: Any) -> None:
    """One who is not among them is told so, and with no list everybody approves the app alone."""
    org.org(app_users=["other@sandbox.invalid"])
    refused = sign_in(org, signed(keys)).json()
    org.org(app_users=[USER])
    approved = sign_in(org, signed(keys)).status_code
    org.org(app_users=[])

    assert refused["error"] == "invalid_app_access"
    assert (approved, sign_in(org, signed(keys)).status_code) == (200, 200)


@pytest.mark.parametrize("changes", [{"sub": "other@sandbox.invalid"}, {"exp": 2_000_000_000}])
def test_what_the_service_would_make_of_it_is_not_guessed(org: Any, keys: Any, changes: dict[str, Any]) -> None:
    """Another user than the sandbox's, and an assertion that is good for years."""
    org.org(app_users=[USER, "other@sandbox.invalid"])

    assert sign_in(org, signed(keys, **changes)).status_code == 501


@pytest.mark.parametrize(
    "change", [{"app_certificate": "x"}, {"app_certificate": 7}, {"app_users": "me"}, {"app_users": [7]}]
)
def test_what_is_no_certificate_and_no_list_is_refused(org: Any, change: dict[str, Any]) -> None:
    """Nothing is changed by it."""
    assert org.org(**change).status_code == 400
