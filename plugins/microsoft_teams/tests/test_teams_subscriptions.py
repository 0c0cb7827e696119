"""Subscriptions are made, renewed and made anew, at a stand-in of Graph."""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from connector_microsoft_teams import MICROSOFT_TEAMS
from connector_microsoft_teams.sandbox import CLIENT_STATE, GraphSandbox
from connector_microsoft_teams.subscriptions import CALL_RECORDS, LIFETIME, TRANSCRIPTS
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from connector_core import policy
from connector_core.errors import ConfigurationError, CredentialsError, OutcomeUnknownError, RefusedError, TryAgainError
from connector_core.providers.binding import bind_provider
from connector_core.providers.hookspecs import Kept
from connector_core.testing.server import SandboxServer

URL = "https://connector.example/hooks/acme/microsoft_teams"
AGAIN = 43_200.0
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


def keep(server: SandboxServer, **settings: object) -> Kept:
    """See to the subscriptions, as a process that has just begun."""
    with bind_provider(MICROSOFT_TEAMS, {**server.settings, "notification_url": URL, **settings}) as teams:
        return teams.keep_subscribed()


def test_a_subscription_to_call_records_is_made(server: SandboxServer) -> None:
    """With later versions, and with what proves its notifications."""
    kept = keep(server)
    (made,) = held(server)
    names = ("changeType", "resource", "clientState")
    assert (kept, tuple(made[name] for name in names)) == (
        Kept(AGAIN, gap=True),
        ("created,updated", CALL_RECORDS, CLIENT_STATE),
    )
    assert made["notificationUrl"].partition("?")[0] == URL


def test_what_lives_long_enough_is_left_alone(server: SandboxServer) -> None:
    """It may be asked for as often as anybody likes."""
    keep(server)
    assert (keep(server), sent(server)) == (Kept(AGAIN), ["GET", "POST", "GET"])


def test_what_ends_soon_is_renewed(server: SandboxServer) -> None:
    """Before half of its time is over, nothing is sent."""
    keep(server)
    (made,) = held(server)
    age(server, made["id"], dt.timedelta(hours=5))
    assert keep(server) == Kept(AGAIN)
    (kept,) = held(server)
    ends = dt.datetime.fromisoformat(kept["expirationDateTime"])
    assert (kept["id"], ends > dt.datetime.now(dt.UTC) + LIFETIME / 2) == (made["id"], True)


def test_what_ended_meanwhile_is_made_anew(server: SandboxServer) -> None:
    """Between the list and the renewal."""
    keep(server)
    (made,) = held(server)
    age(server, made["id"], dt.timedelta(hours=5))
    faults(
        server, {"match": {"method": "PATCH"}, "do": {"status": 404, "body": {"error": {"code": "ResourceNotFound"}}}}
    )
    assert (keep(server), len(held(server))) == (Kept(AGAIN, gap=True), 2)


def test_what_tells_another_address_is_not_ours(server: SandboxServer) -> None:
    """One app may serve several connections."""
    keep(server)
    keep(server, notification_url=f"{URL}2")
    assert [it["notificationUrl"].partition("?")[0] for it in held(server)] == [URL, f"{URL}2"]


def test_a_changed_state_makes_them_anew_and_ends_the_former(server: SandboxServer) -> None:
    """Graph tells nobody the state of a subscription, so the address has a mark of it, from which nobody can guess it."""
    keep(server)
    former = held(server)[0]["notificationUrl"]
    kept = keep(server, client_state="another-client-state")
    (made,) = held(server)
    assert (kept.gap, made["clientState"], made["notificationUrl"] != former) == (True, "another-client-state", True)


def test_without_an_address_nothing_is_subscribed_to(server: SandboxServer) -> None:
    """Somebody else sees to it."""
    assert (keep(server, notification_url=None), sent(server)) == (Kept(AGAIN), [])


# -- transcripts -------------------------------------------------------------------------------------------------------


def test_with_a_key_transcripts_are_subscribed_to_as_well(server: SandboxServer) -> None:
    """Rich: encrypted to that key, in the form of a certificate."""
    keep(server, **pem(KEY, OTHER_KEY))
    rich = held(server)[1]
    certificate = x509.load_der_x509_certificate(base64.b64decode(rich["encryptionCertificate"]))
    told = rich["resource"], rich["includeResourceData"], certificate.public_key() == KEY.public_key()
    assert told == (TRANSCRIPTS, True, True)


def test_a_new_key_is_told_to_graph_at_once(server: SandboxServer) -> None:
    """The former serves until then, and after it for what was under way."""
    keep(server, **pem(KEY))
    before = held(server)
    kept = keep(server, **pem(OTHER_KEY, KEY))
    after = held(server)
    assert (kept.gap, [it["id"] for it in after]) == (False, [it["id"] for it in before])
    assert after[1]["encryptionCertificateId"] != before[1]["encryptionCertificateId"]


# -- trouble -----------------------------------------------------------------------------------------------------------


def test_graphs_reason_is_kept_for_people(server: SandboxServer) -> None:
    """Most often the address could not be asked for a token."""
    sentence = "Subscription validation request failed."
    refusal = {"error": {"code": "ValidationError", "message": sentence}}
    faults(server, {"match": {"method": "POST", "path": "/v1.0/*"}, "do": {"status": 400, "body": refusal}})
    with pytest.raises(RefusedError) as caught:
        keep(server)
    assert (caught.value.code, caught.value.sentence) == ("ValidationError", sentence)


def test_without_the_permission_an_administrator_is_asked(server: SandboxServer) -> None:
    """It is the same that reading wants."""
    assert requests.post(f"{server.url}/_sandbox/org", json={"permissions": []}, timeout=60).status_code == 200
    with pytest.raises(CredentialsError, match="permission"):
        keep(server)


def test_a_subscription_that_may_have_been_made_is_found_by_the_next_call(server: SandboxServer) -> None:
    """It is not made twice by sending again."""
    faults(server, {"match": {"method": "POST", "path": "/v1.0/*"}, "times": 1, "do": {"drop_after_commit": True}})
    with pytest.raises(OutcomeUnknownError):
        keep(server)
    keep(server)
    assert len(held(server)) == 1


def test_a_limit_is_told_with_what_graph_asks_to_wait(server: SandboxServer) -> None:
    """Nothing was made."""
    faults(
        server, {"match": {"method": "POST", "path": "/v1.0/*"}, "do": {"status": 429, "headers": {"Retry-After": 90}}}
    )
    with pytest.raises(TryAgainError) as caught:
        keep(server)
    assert caught.value.after_seconds == 90


@pytest.mark.parametrize(
    "url",
    ["http://connector.example/hooks", "https://connector.example", "https://ada@connector.example/x", f"{URL}?a=b"],
)
def test_an_address_that_graph_cannot_use_is_refused(server: SandboxServer, url: str) -> None:
    """Before anything is sent, and without being shown."""
    with pytest.raises(ConfigurationError, match="notification_url") as caught:
        keep(server, notification_url=url)
    assert (sent(server), url in str(caught.value)) == ([], False)
