"""Subscriptions are made, renewed and made anew, at a stand-in of Graph."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from connector_microsoft_teams.sandbox import CLIENT_STATE, GraphSandbox
from connector_microsoft_teams.subscriptions import CALL_RECORDS, LIFETIME, TRANSCRIPTS, keep_subscribed
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connector_core import policy
from connector_core.errors import ConfigurationError, CredentialsError, OutcomeUnknownError, RefusedError, TryAgainError
from connector_core.testing.server import SandboxServer

URL = "https://connector.example/hooks/acme/microsoft_teams"
KEY = generate_private_key(public_exponent=65537, key_size=2048)
OTHER_KEY = generate_private_key(public_exponent=65537, key_size=2048)


def pem(*keys: Any) -> dict[str, str]:
    """Write private keys, one after another, as a setting."""
    written = (it.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode() for it in keys)
    return {"private_key": "".join(written)}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[SandboxServer]:
    """A stand-in of Graph; nobody waits between attempts."""
    monkeypatch.setattr(policy, "wait", lambda _seconds: None)
    with SandboxServer(GraphSandbox()) as served:
        yield served


def held(server: SandboxServer) -> list[dict[str, Any]]:
    """Give the subscriptions as they were made."""
    records: dict[str, list[dict[str, Any]]] = requests.get(f"{server.url}/_sandbox/records", timeout=60).json()
    return records["subscriptions"]


def sent(server: SandboxServer) -> list[str]:
    """Give the methods of what was sent about subscriptions."""
    journal = requests.get(f"{server.url}/_sandbox/journal", timeout=60).json()
    return [entry["method"] for entry in journal if entry["path"].startswith("/v1.0/subscriptions")]


def faults(server: SandboxServer, *rules: dict[str, Any]) -> None:
    """Let things go wrong."""
    assert requests.post(f"{server.url}/_sandbox/faults", json=list(rules), timeout=60).status_code == 200


def age(server: SandboxServer, subscription_id: str, left: dt.timedelta) -> None:
    """Let a subscription have so much time left, by its own change."""
    client = server.settings
    form = {
        "grant_type": "client_credentials",
        "client_id": client["client_id"],
        "client_secret": client["client_secret"],
        "scope": f"{server.url}/.default",
    }
    login = f"{server.url}/{client['tenant_id']}/oauth2/v2.0/token"
    token = requests.post(login, data=form, timeout=60).json()["access_token"]
    answer = requests.patch(
        f"{server.url}/v1.0/subscriptions/{subscription_id}",
        json={"expirationDateTime": (dt.datetime.now(dt.UTC) + left).isoformat()},
        headers={"Authorization": f"Bearer {token}"},
        timeout=60,
    )
    assert answer.status_code == 200


def test_a_subscription_to_call_records_is_made(server: SandboxServer) -> None:
    """With later versions, and with what proves its notifications."""
    keep_subscribed(server.settings, URL)
    (made,) = held(server)
    names = ("changeType", "notificationUrl", "resource", "clientState")
    assert tuple(made[name] for name in names) == ("created,updated", URL, CALL_RECORDS, CLIENT_STATE)


def test_what_lives_long_enough_is_left_alone(server: SandboxServer) -> None:
    """A host may call as often as it likes."""
    first = keep_subscribed(server.settings, URL)
    assert (keep_subscribed(server.settings, URL), sent(server)) == (first, ["GET", "POST", "GET"])


def test_what_ends_soon_is_renewed(server: SandboxServer) -> None:
    """Before half of its time is over, nothing is sent."""
    (made,) = keep_subscribed(server.settings, URL)
    age(server, made.id, dt.timedelta(hours=5))
    (kept,) = keep_subscribed(server.settings, URL)
    assert (kept.id, kept.expires_at > dt.datetime.now(dt.UTC) + LIFETIME / 2) == (made.id, True)


def test_what_ended_meanwhile_is_made_anew(server: SandboxServer) -> None:
    """Between the list and the renewal."""
    (made,) = keep_subscribed(server.settings, URL)
    age(server, made.id, dt.timedelta(hours=5))
    faults(
        server, {"match": {"method": "PATCH"}, "do": {"status": 404, "body": {"error": {"code": "ResourceNotFound"}}}}
    )
    (kept,) = keep_subscribed(server.settings, URL)
    assert kept.id != made.id


def test_what_tells_another_address_is_not_ours(server: SandboxServer) -> None:
    """One app may serve several connections."""
    keep_subscribed(server.settings, URL)
    keep_subscribed(server.settings, f"{URL}2")
    assert [it["notificationUrl"] for it in held(server)] == [URL, f"{URL}2"]


def test_a_changed_state_makes_them_anew_and_ends_the_former(server: SandboxServer) -> None:
    """Graph tells nobody the state of a subscription, and does not change it."""
    keep_subscribed(server.settings, URL)
    keep_subscribed({**server.settings, "client_state": "another-client-state"}, URL, anew=True)
    assert [it["clientState"] for it in held(server)] == ["another-client-state"]


# -- transcripts -------------------------------------------------------------------------------------------------------


def test_with_a_key_transcripts_are_subscribed_to_as_well(server: SandboxServer) -> None:
    """Rich: encrypted to that key, in the form of a certificate."""
    keep_subscribed({**server.settings, **pem(KEY, OTHER_KEY)}, URL)
    rich = held(server)[1]
    certificate = x509.load_der_x509_certificate(base64.b64decode(rich["encryptionCertificate"]))
    told = rich["resource"], rich["includeResourceData"], certificate.public_key() == KEY.public_key()
    assert told == (TRANSCRIPTS, True, True)


def test_a_new_key_is_told_to_graph_at_once(server: SandboxServer) -> None:
    """The former serves until then, and after it for what was under way."""
    first = keep_subscribed({**server.settings, **pem(KEY)}, URL)
    before = held(server)[1]["encryptionCertificateId"]
    kept = keep_subscribed({**server.settings, **pem(OTHER_KEY, KEY)}, URL)
    after = held(server)[1]["encryptionCertificateId"]
    assert ([it.id for it in kept], before != after) == ([it.id for it in first], True)


# -- trouble -----------------------------------------------------------------------------------------------------------


def test_graphs_reason_is_kept_for_people(server: SandboxServer) -> None:
    """Most often the address could not be asked for a token."""
    with pytest.raises(RefusedError) as caught:
        keep_subscribed(server.settings, "http://connector.example/hooks")
    assert (caught.value.code, caught.value.sentence) == ("InvalidRequest", "The notification URL must be https.")


def test_without_the_permission_an_administrator_is_asked(server: SandboxServer) -> None:
    """It is the same that reading wants."""
    assert requests.post(f"{server.url}/_sandbox/org", json={"permissions": []}, timeout=60).status_code == 200
    with pytest.raises(CredentialsError, match="permission"):
        keep_subscribed(server.settings, URL)


def test_a_subscription_that_may_have_been_made_is_found_by_the_next_call(server: SandboxServer) -> None:
    """It is not made twice by sending again."""
    faults(server, {"match": {"method": "POST", "path": "/v1.0/*"}, "times": 1, "do": {"drop_after_commit": True}})
    with pytest.raises(OutcomeUnknownError):
        keep_subscribed(server.settings, URL)
    keep_subscribed(server.settings, URL)
    assert len(held(server)) == 1


def test_a_limit_is_told_with_what_graph_asks_to_wait(server: SandboxServer) -> None:
    """Nothing was made."""
    faults(
        server, {"match": {"method": "POST", "path": "/v1.0/*"}, "do": {"status": 429, "headers": {"Retry-After": 90}}}
    )
    with pytest.raises(TryAgainError) as caught:
        keep_subscribed(server.settings, URL)
    assert caught.value.after_seconds == 90


def test_wrong_settings_are_named_and_not_shown(server: SandboxServer) -> None:
    """Before anything is sent."""
    with pytest.raises(ConfigurationError, match="client_state") as caught:
        keep_subscribed({**server.settings, "client_state": "short"}, URL)
    assert (sent(server), "short" in str(caught.value).split()) == ([], False)
