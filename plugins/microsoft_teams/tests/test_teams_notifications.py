"""What Graph delivers is proven, or refused, and announces calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from connector_microsoft_teams import MICROSOFT_TEAMS
from connector_microsoft_teams.settings import TeamsSettings
from hypothesis import given
from hypothesis import strategies as st

from connector_core.errors import ConfigurationError, CredentialsError, InputError
from connector_core.ledger.ledger import Ledger
from connector_core.providers.binding import Provider, bind_provider
from connector_core.providers.hookspecs import Announced, Delivery, Ignored, Reply
from connector_core.receiving import Receiver, Source
from connector_core.web.app import create_app

Item = Callable[..., dict[str, Any]]
Deliver = Callable[..., Delivery]

RECORD = "6211a1bb-c8c4-4c0e-8688-d5e0ebf86c5e"
CALL = f"microsoft_teams:{RECORD}"
TOKEN = "Validation: Testing client application reachability for subscription Request-Id: 522a8e7e-096a-494c-aaf1"
SETTINGS: dict[str, object] = {
    "tenant_id": "9d66187e-13f0-4666-9bac-be67ddd4b676",
    "client_id": "8e460676-ae3f-4b1e-8790-ee0fb5d6148f",
    "client_secret": "invented-secret",
    "client_state": "invented-client-state",
}


# -- setting a subscription up -----------------------------------------------------------------------------------------


def test_the_token_that_sets_a_subscription_up_comes_back_as_plain_text(teams: Provider) -> None:
    """Graph wants the decoded token within ten seconds."""
    assert teams.verify(Delivery(b"", query={"validationToken": TOKEN})) == Reply(TOKEN.encode(), "text/plain")


def test_the_web_app_answers_the_handshake_with_the_decoded_token(teams: Provider, tmp_path: Path) -> None:
    """The query is decoded once on its way, and nothing is added."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope: dict[str, Any] = {
        "type": "http", "method": "POST", "path": "/hooks/acme/microsoft_teams", "root_path": "", "headers": [],
        "query_string": b"validationToken=a%3A%20b%2Bc",
    }  # fmt: skip
    with Ledger(f"sqlite:///{tmp_path / 'ledger.db'}") as ledger:
        app: Any = create_app(Receiver(ledger, lambda _connection, _provider: Source(teams)))
        asyncio.run(app(scope, receive, send))
    start, body = sent
    kind = dict(start["headers"])[b"content-type"].partition(b";")[0]
    assert (start["status"], kind, body["body"]) == (200, b"text/plain", b"a: b+c")


@pytest.mark.parametrize("token", ["", "<script>", "a&b", "a\nb", "a\x00", "é", "x" * 2049, "'", '"'])
def test_what_is_no_token_of_graphs_is_not_given_back(teams: Provider, token: str) -> None:
    """Nothing that a browser could read as markup."""
    with pytest.raises(InputError, match="validationToken"):
        teams.verify(Delivery(b"", query={"validationToken": token}))


# -- proving -----------------------------------------------------------------------------------------------------------


def test_a_notification_with_the_connections_client_state_is_proven(
    teams: Provider, item: Item, deliver: Deliver
) -> None:
    """What is proven reads as what was sent."""
    delivery = deliver(item(RECORD))
    proven = teams.verify(delivery)
    assert isinstance(proven, bytes)
    assert teams.parse(proven) == teams.parse(delivery.body)


@pytest.mark.parametrize(
    "wrong",
    [
        {"clientState": "another-client-state"},
        {"clientState": "invented-client-stat"},
        {"clientState": "Invented-client-state"},
        {"clientState": "ïnvented-client-state"},
        {"tenantId": "00000000-0000-0000-0000-000000000001"},
    ],
)
def test_one_item_that_is_not_proven_spoils_the_delivery(
    teams: Provider, item: Item, deliver: Deliver, wrong: dict[str, str]
) -> None:
    """Nothing of a forged delivery is believed."""
    with pytest.raises(CredentialsError):
        teams.verify(deliver(item(RECORD), item(RECORD, **wrong)))


@pytest.mark.parametrize("missing", ["clientState", "tenantId"])
def test_a_notification_without_what_proves_it_is_refused(
    teams: Provider, item: Item, deliver: Deliver, missing: str
) -> None:
    """Subscriptions are made with a client state, so Graph sends it."""
    bare = {key: value for key, value in item(RECORD).items() if key != missing}
    with pytest.raises(InputError, match=missing):
        teams.verify(deliver(bare))


def test_an_empty_collection_is_no_event(teams: Provider, deliver: Deliver) -> None:
    """It proves nothing."""
    with pytest.raises(InputError, match="value"):
        teams.verify(deliver())


# -- reading -----------------------------------------------------------------------------------------------------------


def test_a_call_record_announces_what_can_be_read_of_the_call(teams: Provider, item: Item, deliver: Deliver) -> None:
    """The record itself, who attended, and who was invited."""
    heard = teams.parse(deliver(item(RECORD)).body)
    assert heard == [Announced(CALL, "record"), Announced(CALL, "attendance"), Announced(CALL, "calendar")]


def test_several_items_announce_each_call_once(teams: Provider, item: Item, deliver: Deliver) -> None:
    """Graph puts several changes into one delivery, also several of one record."""
    other = "e523d2ed-2966-4b6b-925b-754a88034cc5"
    heard = teams.parse(deliver(item(RECORD), item(other), item(RECORD, changeType="updated")).body)
    calls = [each.call_id for each in heard if isinstance(each, Announced) and each.what == "record"]
    assert calls == [CALL, f"microsoft_teams:{other}"]


@pytest.mark.parametrize(
    "path",
    [
        f"/communications/callRecords/{RECORD}",
        f"Communications/CallRecords('{RECORD}')",
        f"communications/callrecords/{RECORD.upper()}",
    ],
)
def test_every_form_of_the_path_is_of_the_same_call(teams: Provider, item: Item, deliver: Deliver, path: str) -> None:
    """OData knows two forms, and Graph's own case varies."""
    assert Announced(CALL, "record") in teams.parse(deliver(item(RECORD, resource=path)).body)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"resource": "users/ada/events/7"}, "created"),
        ({"resource": f"communications/callRecords/{RECORD}/sessions"}, "created"),
        ({"resource": f"communications/callRecords/../../users/{RECORD}"}, "created"),
        ({"changeType": "deleted"}, "deleted"),
        ({"changeType": None, "resource": None, "lifecycleEvent": "missed"}, "missed"),
    ],
)
def test_what_is_of_no_finished_call_is_ignored(
    teams: Provider, item: Item, deliver: Deliver, change: dict[str, str | None], name: str
) -> None:
    """The reason is for a person."""
    heard = teams.parse(deliver(item(RECORD, **change)).body)
    assert [(type(each), each.event) for each in heard if isinstance(each, Ignored)] == [(Ignored, name)]


def test_what_the_connection_does_not_want_is_not_announced(item: Item, deliver: Deliver) -> None:
    """A tenant may keep its calendars to itself."""
    with bind_provider(MICROSOFT_TEAMS, SETTINGS | {"attendance": False, "calendar": False}) as teams:
        assert teams.parse(deliver(item(RECORD)).body) == [Announced(CALL, "record")]


@given(value=st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda it: st.lists(it), max_leaves=9))
def test_whatever_stands_for_the_items_is_read_or_refused(value: object) -> None:
    """No error but ours."""
    with bind_provider(MICROSOFT_TEAMS, SETTINGS) as teams:
        body = json.dumps({"value": value}).encode()
        with pytest.raises(InputError):
            teams.verify(Delivery(body))


# -- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"client_state": "short"}, "client_state"),
        ({"client_state": "x" * 129}, "client_state"),
        ({"tenant_id": "common"}, "tenant_id"),
        ({"client_secret": " "}, "client_secret"),
        ({"private_key": "no key"}, "private_key"),
        ({"private_key": "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"}, "private_key"),
        ({"base_url": "https://graph.microsoft.com.evil.example"}, "base_url"),
        ({"base_url": "https://evil.example"}, "base_url"),
        ({"base_url": "http://graph.microsoft.com"}, "base_url"),
        ({"base_url": "https://user@graph.microsoft.com"}, "base_url"),
        ({"base_url": "https://graph.microsoft.com:8443"}, "base_url"),
        ({"base_url": "https://graph.microsoft.com/beta"}, "base_url"),
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"no_such": 1}, "no_such"),
    ],
)
def test_a_wrong_setting_is_named_and_not_shown(change: dict[str, object], named: str) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigurationError, match=named) as caught:
        bind_provider(MICROSOFT_TEAMS, SETTINGS | change)
    assert not any(text in str(caught.value) for text in ("evil.example", "invented-secret"))


@pytest.mark.parametrize(
    ("base_url", "login_url"),
    [
        ("https://graph.microsoft.com/", "https://login.microsoftonline.com"),
        ("https://graph.microsoft.us", "https://login.microsoftonline.us"),
        ("https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
        ("http://127.0.0.1:8900", "http://127.0.0.1:8900"),
    ],
)
def test_each_cloud_has_its_own_login(base_url: str, login_url: str) -> None:
    """Tokens of one cloud are worth nothing in another."""
    assert TeamsSettings.model_validate(SETTINGS | {"base_url": base_url}).login_url == login_url
