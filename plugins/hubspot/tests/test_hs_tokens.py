"""OAuth tokens: refreshed once for all threads, and for all processes that share a store."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from connector_hubspot.client import HubSpotClient
from connector_hubspot.settings import HubSpotSettings

from connector_core.errors import CredentialsError

Connect = Callable[..., Any]


def tokens(account: Any) -> int:
    """Count the requests for a token."""
    return sum("/oauth/" in str(entry["path"]) for entry in account.server._journal)


def test_many_threads_make_one_token(connect: Connect) -> None:
    """Threads that begin together wait for one token, and share it."""
    account = connect()
    account.sandbox.expire_session()
    account.faults({"match": {"path": "/oauth/*"}, "do": {"delay_seconds": 0.1}})
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: account.adapter.find_contacts_by_email(["c@x.example"]), range(16)))
    assert tokens(account) == 1


def test_many_threads_refresh_once(connect: Connect) -> None:
    """When a token expires under many threads, one of them refreshes it."""
    account = connect()
    account.adapter.find_contacts_by_email(["c@x.example"])
    account.sandbox.expire_session()
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: account.adapter.find_contacts_by_email(["c@x.example"]), range(16)))
    assert (tokens(account), found) == (1, [{"c@x.example": ()}] * 16)


def test_a_token_is_refreshed_before_it_expires(connect: Connect) -> None:
    """After four fifths of its life a token is replaced without a refused request."""
    account = connect()
    start = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    now = [0.0]
    app = {key: value for key, value in account.server.settings.items() if key != "access_token"}
    client = HubSpotClient(HubSpotSettings.model_validate(app), clock=lambda: start + dt.timedelta(seconds=now[0]))
    for now[0] in (0.0, 1439.0, 1441.0):
        client.get("/crm/owners/{version}")
    assert (tokens(account), [entry["status"] for entry in account.server._journal]) == (2, [200] * 5)
    client.close()


def test_tokens_of_another_account_are_refused(connect: Connect) -> None:
    """Whoever connects anew may choose another account, which has none of the records that were written."""
    account = connect(settings={"portal_id": "62515"})
    account.sandbox.expire_session()
    with pytest.raises(CredentialsError, match=r"account 8000001, and settings\.portal_id names 62515"):
        account.adapter.find_contacts_by_email(["c@x.example"])


def test_the_doctor_knows_a_token_of_another_account(connect: Connect) -> None:
    """One of a private app too, which says nothing of it until it is asked."""
    account = connect(settings={"portal_id": "62515", "access_token": "pat-na1-sandbox"})
    with pytest.raises(CredentialsError, match="account 8000001"):
        account.adapter.check_access()


def test_an_expired_private_token_is_told(connect: Connect) -> None:
    """The token of a private app cannot be refreshed: its owner is told."""
    account = connect()
    url = account.server.url
    client = HubSpotClient(HubSpotSettings(access_token="pat-na1-sandbox", base_url=url))
    client.get("/crm/owners/{version}")
    account.sandbox.expire_session()
    with pytest.raises(CredentialsError, match="make a new one"):
        client.get("/crm/owners/{version}")
    client.close()
