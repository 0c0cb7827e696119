"""What the sandbox tells of tokens: to the OAuth app of its own, and of the private app's to whoever has it."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest
from connector_hubspot.sandbox.scopes import SCOPES
from connector_hubspot.sandbox.sign_in import ACCESS_TOKEN, CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN

APP = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET}
PRIVATE = "/oauth/v2/private-apps/get/access-token-info"


def _granted(portal: Any) -> dict[str, Any]:
    form = {**APP, "grant_type": "refresh_token", "refresh_token": REFRESH_TOKEN}
    granted: dict[str, Any] = portal.send("POST", "/oauth/2026-09/token", urlencode(form).encode()).body
    return granted


def _introspect(portal: Any, token: str, version: str = "2026-09", **changes: str) -> Any:
    form = {**APP, "token": token, "token_type_hint": "access_token", **changes}
    return portal.send("POST", f"/oauth/{version}/token/introspect", urlencode(form).encode())


@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09"])
def test_an_app_is_told_of_its_token(portal: Any, version: str) -> None:
    """Its scopes are those of the grant, and it costs nothing."""
    portal.org(missing_scopes=["crm.objects.deals.read"])
    granted = _granted(portal)
    told = _introspect(portal, granted["access_token"], version).body

    assert (told["active"], told["token_use"], told["client_id"]) == (True, "access_token", CLIENT_ID)
    assert set(told["scopes"]) == set(granted["scopes"]) == {"oauth", *SCOPES} - {"crm.objects.deals.read"}
    assert portal.get("/_sandbox/journal").body[-1]["api_calls"] == 0


@pytest.mark.parametrize("token", [ACCESS_TOKEN, "nobody's"])
def test_of_another_token_an_app_is_told_nothing(portal: Any, token: str) -> None:
    """It is not active, which says no more."""
    assert _introspect(portal, token).body == {"active": False}


def test_a_token_that_has_expired_is_not_active(portal: Any) -> None:
    """As one that never was."""
    token = _granted(portal)["access_token"]
    portal.sandbox.expire_session()

    assert _introspect(portal, token).body == {"active": False}


def test_a_stranger_is_told_nothing(portal: Any) -> None:
    """Only an app asks."""
    answer = _introspect(portal, ACCESS_TOKEN, client_secret="wrong")

    assert (answer.status, answer.body["error"]) == (400, "invalid_client")


def test_a_private_app_is_told_of_its_token(portal: Any) -> None:
    """Which portal it is of, and which scopes it has."""
    portal.org(missing_scopes=["crm.objects.deals.read"])
    told = portal.post(PRIVATE, {"tokenKey": ACCESS_TOKEN}).body

    assert sorted(told) == ["appId", "hubId", "scopes", "userId"]
    assert set(told["scopes"]) == SCOPES - {"crm.objects.deals.read"}


def test_who_is_not_signed_in_is_told_nothing(portal: Any) -> None:
    """The header is asked for too."""
    portal.token = "nobody's"

    assert portal.post(PRIVATE, {"tokenKey": ACCESS_TOKEN}).status == 401


@pytest.mark.parametrize("body", [{"tokenKey": "another"}, {}, [], b"{"])
def test_what_is_told_of_other_tokens_is_not_known(portal: Any, body: object) -> None:
    """It was recorded nowhere, and is not guessed."""
    assert portal.post(PRIVATE, body).status == 501


def test_what_is_told_of_a_refresh_token_is_not_known(portal: Any) -> None:
    """Nobody needs it."""
    assert _introspect(portal, REFRESH_TOKEN, token_type_hint="refresh_token").status == 501


def test_a_property_off_the_pages_is_described(portal: Any) -> None:
    """Those of contacts that are hidden in recorded traffic are hidden here."""
    found = portal.get("/crm/properties/2026-09/contacts").body["results"]

    hidden = {it["name"] for it in found if it["hidden"]}
    assert {"associatedcompanyid", "hs_additional_emails"} < hidden
    assert "email" not in hidden
