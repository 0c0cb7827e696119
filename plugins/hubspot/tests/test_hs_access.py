"""The rights of a sandbox's app, as the doctor tells them, and where its token does not go."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable
from typing import Any

import pytest
from connector_hubspot.access import SPARE
from connector_hubspot.adapter import HubSpotAdapter
from connector_hubspot.sandbox.sign_in import ACCESS_TOKEN
from connector_hubspot.settings import HubSpotSettings

from connector_core.errors import CredentialsError, TryAgainError
from connector_core.manifest import ConnectionInfo
from connector_core.model import NEEDS, Access

Connect = Callable[..., Any]
READ, WRITE = "crm.objects.contacts.read", "crm.objects.contacts.write"
INTROSPECT = "/oauth/2026-09/token/introspect"
PRIVATE = "/oauth/v2/private-apps/get/access-token-info"


def missing(account: Any) -> set[tuple[str, bool, str]]:
    """Give the rights that are missing: the name, whether it is a must, and of what."""
    rights = account.adapter.check_access().rights
    return {(it.name, it.must, f"{it.verb} {it.subject}") for it in rights if it.granted is False}


def asked(account: Any) -> list[str]:
    """Give the paths of requests about tokens."""
    return [str(it["path"]) for it in account.server._journal if "/oauth/" in str(it["path"])]


def of_a_private_app(account: Any) -> Access:
    """Check access with nothing but the token of the private app."""
    settings = HubSpotSettings.model_validate({"access_token": ACCESS_TOKEN, "base_url": account.server.url})
    with contextlib.closing(HubSpotAdapter(settings, ConnectionInfo("private"))) as adapter:
        return adapter.check_access()


def test_an_app_with_all_scopes_lacks_none(connect: Connect) -> None:
    """Each right of a CRM without leads is told, with the version that is asked."""
    account = connect()
    access = account.adapter.check_access()

    assert {(it.subject, it.verb) for it in access.rights if it.field is None} == {
        it for it in NEEDS if it[0] != "lead"
    }
    assert all(it.granted for it in access.rights)
    assert (access.api_version, access.newest_version) == ("2026-09", None)


def test_a_scope_is_every_right_that_it_gives(connect: Connect) -> None:
    """Calls, meetings and notes are under the scopes of contacts; to fill contacts is no must, to write calls is."""
    account = connect()
    account.sandbox.org({"missing_scopes": [WRITE]})

    assert missing(account) == {
        (f"scope {WRITE}", False, "edit contact"),
        (f"scope {WRITE}", True, "edit activity"),
        (f"scope {WRITE}", True, "create activity"),
        (f"scope {WRITE}", True, "edit note"),
        (f"scope {WRITE}", True, "create note"),
    }


@pytest.mark.parametrize(
    ("scope", "of"),
    [
        (READ, {"read contact": True, "read activity": True, "read note": True}),
        ("crm.objects.companies.read", {"read account": True}),
        ("crm.objects.companies.write", {"edit account": False}),
        ("crm.objects.deals.read", {"read opportunity": True}),
        ("crm.objects.deals.write", {"edit opportunity": False}),
        ("crm.objects.owners.read", {"read opportunity": True, "create activity": True}),
    ],
)
def test_each_scope_that_is_missing_is_named(connect: Connect, scope: str, of: dict[str, bool]) -> None:
    """With what it is needed for; nothing is said of the properties of what the app may not see at all."""
    account = connect()
    account.sandbox.org({"missing_scopes": [scope]})

    assert missing(account) == {(f"scope {scope}", must, what) for what, must in of.items()}


def test_a_property_that_is_not_shown_is_missing(connect: Connect) -> None:
    """What is looked for, and what says whose a record is, is a must; a job title is not."""
    account = connect()
    account.sandbox.org({"hidden": {"contacts": ["email", "associatedcompanyid", "jobtitle"]}})

    assert missing(account) == {
        ("view of the property email of contacts", True, "read contact"),
        ("view of the property associatedcompanyid of contacts", True, "read contact"),
        ("view of the property jobtitle of contacts", False, "read contact"),
    }


def test_a_property_that_is_read_only_is_missing_where_it_is_written(connect: Connect) -> None:
    """A call is refused for it; for an owner it is sent again without one."""
    account = connect()
    account.sandbox.org({"read_only": {"calls": ["hs_call_title", "hubspot_owner_id"], "contacts": ["jobtitle"]}})

    assert missing(account) == {
        ("edit of the property hs_call_title of calls", True, "create activity"),
        ("edit of the property hubspot_owner_id of calls", False, "create activity"),
    }
    assert {"hubspot_owner_id"} == SPARE


# -- whose token it is -------------------------------------------------------------------------------------------------


def test_an_oauth_app_is_told_of_its_token(connect: Connect) -> None:
    """One that was granted is introspected; a private app's is not asked for."""
    account = connect()
    account.sandbox.expire_session()
    account.sandbox.org({"missing_scopes": ["crm.objects.deals.write"]})

    assert missing(account) == {("scope crm.objects.deals.write", False, "edit opportunity")}
    assert asked(account) == ["/oauth/2026-09/token", INTROSPECT]


def test_a_private_app_is_told_of_its_token(connect: Connect) -> None:
    """Without an OAuth app there is none to introspect a token."""
    account = connect()
    account.sandbox.org({"missing_scopes": ["crm.objects.deals.write"]})

    rights = of_a_private_app(account).rights
    assert {it.name for it in rights if it.granted is False} == {"scope crm.objects.deals.write"}
    assert asked(account) == [PRIVATE]


def test_a_token_that_the_app_does_not_know_is_a_private_ones(connect: Connect) -> None:
    """Both may stand in the settings."""
    account = connect()

    assert missing(account) == set()
    assert asked(account) == [INTROSPECT, PRIVATE]


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_where_scopes_are_not_told_nothing_is_claimed(connect: Connect, status: int) -> None:
    """A token of another kind is neither with nor without rights; properties are told all the same."""
    account = connect()
    account.faults({"match": {"path": "/oauth/*"}, "do": {"status": status, "body": {"message": "no"}}})

    rights = account.adapter.check_access().rights
    assert {it.granted for it in rights if it.field is None} == {None}
    assert {it.granted for it in rights if it.field is not None} == {True}


def test_a_token_that_is_refused_is_told(connect: Connect) -> None:
    """Credentials come first, and nothing is said of rights."""
    account = connect()
    body = {"status": "error", "category": "INVALID_AUTHENTICATION", "message": "…"}
    account.faults({"match": {"path": "/account-info/*"}, "do": {"status": 401, "body": body}})

    with pytest.raises(CredentialsError):
        account.adapter.check_access()


def test_a_service_that_stays_away_is_asked_again(connect: Connect) -> None:
    """Rights that could not be asked for now are not said to be unknowable."""
    account = connect()
    account.faults({"match": {"path": "/oauth/*"}, "do": {"status": 503}})

    with pytest.raises(TryAgainError):
        account.adapter.check_access()


# -- where the token does not go ---------------------------------------------------------------------------------------


def test_no_token_is_told(connect: Connect, caplog: pytest.LogCaptureFixture) -> None:
    """Neither logs, however much they tell, nor the journal of the sandbox, nor what is answered have one."""
    account = connect()
    account.sandbox.expire_session()
    with caplog.at_level(logging.DEBUG):
        granted, private = account.adapter.check_access(), None
        with pytest.raises(CredentialsError):
            private = of_a_private_app(account)  # its token has expired, and cannot be refreshed

    told = f"{caplog.text} {account.server._journal} {granted} {private}"
    assert [it for it in (ACCESS_TOKEN, "sandbox-access", "sandbox-app-secret") if it in told] == []


@pytest.mark.parametrize("status", [400, 403, 404, 503])
def test_no_error_repeats_the_token(connect: Connect, status: int) -> None:
    """An answer that repeats what was sent is not told on, not as a cause either."""
    account = connect()
    body = {"status": "error", "message": f"tokenKey {ACCESS_TOKEN} is wrong"}
    account.faults({"match": {"path": "/oauth/*"}, "do": {"status": status, "body": body}})

    told: list[str] = []
    try:
        told.append(str(account.adapter.check_access()))
    except TryAgainError as error:
        link: BaseException | None = error
        while link is not None:
            told.append(f"{link!r} {link}")
            link = link.__cause__ or link.__context__
    assert [it for it in told if ACCESS_TOKEN in it] == []
