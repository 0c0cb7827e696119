"""Only what Zoom signed is believed, and only for this account."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import pytest
from connector_zoom import ZOOM
from hypothesis import given
from hypothesis import strategies as st

from connector_core.discovery import provider
from connector_core.errors import ConfigurationError, CredentialsError, InputError
from connector_core.providers.binding import Provider, bind_provider
from connector_core.providers.hookspecs import Delivery, Reply

SECRET = "invented-secret-token"
ACCOUNT = "AAAAAABBBBBB_cccccccc"
BODY = json.dumps(
    {"event": "meeting.started", "event_ts": 1, "payload": {"account_id": ACCOUNT, "object": {}}}
).encode()
Sign = Callable[..., Delivery]


def test_it_is_installed() -> None:
    """The entry point leads to the manifest."""
    assert provider("zoom") is ZOOM


def test_a_signed_event_comes_back_as_it_is(zoom: Provider, sign: Sign) -> None:
    """Its bytes are those that were signed."""
    assert zoom.verify(sign(BODY)) == BODY


@pytest.mark.parametrize("age_seconds", [7_000, -7_000])
def test_what_zoom_delivers_again_is_taken(zoom: Provider, sign: Sign, age_seconds: int) -> None:
    """It tries for 85 minutes, and may not sign anew; clocks differ in both directions."""
    assert zoom.verify(sign(BODY, age_seconds=age_seconds)) == BODY


@pytest.mark.parametrize("age_seconds", [7_300, -7_300, 10**9])
def test_an_old_signature_is_refused(zoom: Provider, sign: Sign, age_seconds: int) -> None:
    """Whoever kept a request cannot send it again next week."""
    with pytest.raises(CredentialsError, match="more than two hours off"):
        zoom.verify(sign(BODY, age_seconds=age_seconds))


def test_another_secret_is_refused(zoom: Provider, sign: Sign) -> None:
    """The message shows no secret."""
    with pytest.raises(CredentialsError, match="not made with secret_token") as caught:
        zoom.verify(sign(BODY, secret="another"))
    assert SECRET not in str(caught.value)


def test_a_changed_body_is_refused(zoom: Provider, sign: Sign) -> None:
    """One blank more is another body: nothing is parsed before the signature is checked."""
    with pytest.raises(CredentialsError):
        zoom.verify(Delivery(BODY + b" ", sign(BODY).headers))


def test_a_changed_time_is_refused(zoom: Provider, sign: Sign) -> None:
    """The time is signed too."""
    headers = {**sign(BODY).headers, "x-zm-request-timestamp": "1718280091"}
    with pytest.raises(CredentialsError):
        zoom.verify(Delivery(BODY, headers))


@pytest.mark.parametrize("timestamp", ["", "-1", "1e9", "١٢٣", "9" * 13, "1718280091 ", "v0:1"])
def test_a_time_that_is_none_is_refused(zoom: Provider, sign: Sign, timestamp: str) -> None:
    """Only seconds since 1970 are signed."""
    with pytest.raises(CredentialsError):
        zoom.verify(Delivery(BODY, {**sign(BODY).headers, "x-zm-request-timestamp": timestamp}))


@pytest.mark.parametrize("signature", ["", "v0=", "v0=é", "v0=\ud800", "v1=00", "0" * 67])
def test_a_signature_that_is_none_is_refused(zoom: Provider, sign: Sign, signature: str) -> None:
    """Whatever stands in the header, the answer is the same."""
    with pytest.raises(CredentialsError):
        zoom.verify(Delivery(BODY, {**sign(BODY).headers, "x-zm-signature": signature}))


def test_an_unsigned_request_is_refused(zoom: Provider) -> None:
    """Also one that sets a webhook up: the secret signs nothing for strangers."""
    sent = json.dumps({"event": "endpoint.url_validation", "payload": {"plainToken": "abc"}}).encode()
    with pytest.raises(CredentialsError):
        zoom.verify(Delivery(sent))


def test_another_account_is_refused(zoom: Provider, sign: Sign) -> None:
    """An app may be installed for several accounts, and they share its secret."""
    with pytest.raises(CredentialsError, match="another Zoom account"):
        zoom.verify(sign(BODY.replace(ACCOUNT.encode(), b"Another")))


def test_without_an_account_every_one_of_the_app_is_taken(sign: Sign) -> None:
    """The setting may be left out."""
    with bind_provider(ZOOM, {"secret_token": SECRET}) as zoom:
        assert zoom.verify(sign(BODY)) == BODY


# -- setting a webhook up ----------------------------------------------------------------------------------------------


def challenge(token: object) -> bytes:
    return json.dumps({"event": "endpoint.url_validation", "event_ts": 1, "payload": {"plainToken": token}}).encode()


def test_setting_up_is_answered(zoom: Provider, sign: Sign) -> None:
    """The token of Zoom's documentation comes back with its HMAC."""
    reply = zoom.verify(sign(challenge("qgg8vlvZRS6UYooatFL8Aw")))
    assert isinstance(reply, Reply)
    encrypted = hmac.new(SECRET.encode(), b"qgg8vlvZRS6UYooatFL8Aw", hashlib.sha256).hexdigest()
    assert json.loads(reply.body) == {"plainToken": "qgg8vlvZRS6UYooatFL8Aw", "encryptedToken": encrypted}


@pytest.mark.parametrize("token", ["", "a" * 65, "v0:1718280091:{}", "v0:1718280091:a", "a b", "a\n", "é", 3, None, {}])
def test_nothing_else_is_signed(zoom: Provider, sign: Sign, token: object) -> None:
    """Only what has the form of a token is signed, and that is never what a signature of an event is made over."""
    with pytest.raises(InputError) as caught:
        zoom.verify(sign(challenge(token)))
    assert "plainToken" in str(caught.value)


# -- settings ----------------------------------------------------------------------------------------------------------

APP = {"account_id": "A", "client_id": "B", "client_secret": "C"}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({}, "secret_token is required"),
        ({"secret_token": " "}, "secret_token should not be empty"),
        ({"secret_token": SECRET, "secret": SECRET}, "secret is an unknown key"),
        ({"secret_token": SECRET, **APP, "client_secret": ""}, "client_secret should not be empty"),
        ({"secret_token": SECRET, "client_id": "B"}, "account_id, client_id and client_secret together"),
        (
            {"secret_token": SECRET, "client_id": "B", "client_secret": "C"},
            "account_id, client_id and client_secret together",
        ),
        ({"secret_token": SECRET, "timeout_seconds": 0}, "timeout_seconds should be greater than 0"),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object], message: str) -> None:
    """The message names the key and what is wanted, and shows no secret."""
    with pytest.raises(ConfigurationError) as caught:
        bind_provider(ZOOM, settings)
    assert message in str(caught.value)
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.zoom.us",
        "https://api.zoom.us.evil.example",
        "https://evilapi.zoom.us",
        "https://zoom.us",
        "https://api.zoom.us/v2",
        "https://api.zoom.us:8443",
        "https://user@api.zoom.us",
        "http://10.0.0.1",
        "http://127.0.0.1.evil.example",
        "https://127.0.0.1",
        "http://[",
    ],
)
def test_credentials_go_to_zoom_alone(url: str) -> None:
    """Only Zoom's hosts over https are taken, or this machine for a sandbox."""
    with pytest.raises(ConfigurationError, match=r"base_url should be https://api\.zoom\.us"):
        bind_provider(ZOOM, {"secret_token": SECRET, **APP, "base_url": url})


@pytest.mark.parametrize(
    "url", ["https://api.zoom.us/", "https://api.zoomgov.com", "http://127.0.0.1:8001", "http://[::1]:8001"]
)
def test_zoom_and_a_sandbox_are_taken(url: str) -> None:
    """The United States' own cloud is Zoom too."""
    bind_provider(ZOOM, {"secret_token": SECRET, **APP, "base_url": url}).close()


# -- whatever comes ----------------------------------------------------------------------------------------------------

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.binary(), st.dictionaries(st.sampled_from(["x-zm-signature", "x-zm-request-timestamp"]), st.text()))
def test_unsigned_garbage_is_refused(body: bytes, headers: dict[str, str]) -> None:
    """Whatever comes unsigned is refused as such, and never read."""
    with bind_provider(ZOOM, {"secret_token": SECRET}) as zoom, pytest.raises(CredentialsError):
        zoom.verify(Delivery(body, headers))
