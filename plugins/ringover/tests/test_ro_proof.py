"""A webhook of Ringover's is believed for what stands in its token."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

import jwt
import pytest
from connector_ringover import RINGOVER
from hypothesis import given
from hypothesis import strategies as st

from connector_core.errors import ConfigurationError, CredentialsError, InputError
from connector_core.providers.binding import Provider, bind_provider
from connector_core.providers.hookspecs import Delivery

KEY = "5f1d-invented-webhook-key"
ADDRESS = "https://hooks.seller.example/ringover/7c1"
EVENT = {"event": "hangup", "resource": "call", "timestamp": 1772442291.5, "data": {"call_id": 14486597828273463454}}


def signed(claims: dict[str, Any], key: str = KEY, **headers: Any) -> str:
    """Sign claims as Ringover does; HMAC fills a short key with zeros, and so PyJWT does not warn of it."""
    return jwt.encode(claims, key.encode().ljust(64, b"\0"), algorithm="HS512", headers=headers)


def with_token(token: str, body: bytes = b"{}", url: str | None = ADDRESS) -> Delivery:
    """Give a delivery with that token."""
    return Delivery(body, {"x-ringover-webhook-signature": token}, {}, url)


def delivery(event: object, body: bytes = b"{}", url: str | None = ADDRESS) -> Delivery:
    """Give a webhook that carries an event, and a body that says nothing."""
    return with_token(signed({"url": ADDRESS, "payload": event}), body, url)


def event_of(ringover: Provider, sent: Delivery) -> bytes:
    """Give the event that was proven."""
    event = ringover.verify(sent)
    assert isinstance(event, bytes)
    return event


def test_the_event_is_the_one_in_the_token(ringover: Provider) -> None:
    """Nothing binds the body to the token: whatever it says, it is not listened to."""
    sent = delivery(EVENT, body=b'{"event": "missed", "resource": "call"}')

    assert json.loads(event_of(ringover, sent)) == EVENT


@pytest.mark.parametrize("claims", [EVENT, {"url": ADDRESS, "payload": EVENT}, {"payload": json.dumps(EVENT)}])
def test_every_form_of_the_claims_is_read(ringover: Provider, claims: dict[str, object]) -> None:
    """The event stands in the claims, is the claims, or is text in them: all three were reported."""
    assert json.loads(event_of(ringover, with_token(signed(claims)))) == EVENT


def test_an_id_beyond_63_bits_survives_the_proof(ringover: Provider) -> None:
    """No digit of it is lost on the way through the token."""
    assert b"14486597828273463454" in event_of(ringover, delivery(EVENT))


@pytest.mark.parametrize(
    "url", [ADDRESS, f"{ADDRESS}/", "http://hooks.seller.example:8080/ringover/7c1?from=proxy", None]
)
def test_the_address_is_compared_by_host_and_path(ringover: Provider, url: str | None) -> None:
    """Between Ringover and us the scheme, the port and the query may have changed; or the address is not known."""
    assert ringover.verify(delivery(EVENT, url=url))


@pytest.mark.parametrize(
    ("signed_for", "called"),
    [
        ("https://hooks.other.example/ringover/7c1", ADDRESS),
        ("https://hooks.seller.example/ringover/7c2", ADDRESS),
        ("https://[", ADDRESS),
        (ADDRESS, "https://["),
        (3, ADDRESS),
        (None, ADDRESS),
    ],
)
def test_a_webhook_for_another_address_is_refused(ringover: Provider, signed_for: object, called: str) -> None:
    """What was signed for somebody else, with the same key, is not ours."""
    with pytest.raises(CredentialsError, match="for another address"):
        ringover.verify(with_token(signed({"url": signed_for, "payload": EVENT}), url=called))


def test_the_public_address_goes_before_the_one_that_was_called() -> None:
    """Behind a proxy that changes host and path, the settings say what Ringover was given."""
    settings = {"webhook_key": KEY, "webhook_url": ADDRESS}
    with bind_provider(RINGOVER, settings) as bound:
        assert bound.verify(delivery(EVENT, url="http://10.0.0.7:8080/hooks/acme/ringover"))
        with pytest.raises(CredentialsError, match="set webhook_url"):
            bound.verify(with_token(signed({"url": "https://hooks.other.example/", "payload": EVENT}), url=None))


def _tampered(token: str) -> str:
    head, _, signature = token.split(".")
    payload = base64.urlsafe_b64encode(json.dumps({"payload": {"event": "missed"}}).encode()).decode().rstrip("=")
    return f"{head}.{payload}.{signature}"


TOKEN = signed({"payload": EVENT})
LONG = "k" * 64


@pytest.mark.parametrize(
    "token",
    [
        "",
        "no token",
        "é",
        "\ud800",
        "..",
        TOKEN[:-2],
        TOKEN + "A",
        _tampered(TOKEN),
        signed({"payload": EVENT}, key="another key"),
        signed({"payload": EVENT}, key=KEY + "\0x"),
        jwt.encode({"payload": EVENT}, None, algorithm="none"),
        jwt.encode({"payload": EVENT}, KEY.encode().ljust(64, b"\0"), algorithm="HS256"),
        TOKEN.replace(".", ".."),
        base64.urlsafe_b64encode(b"[" * 100_000).decode().rstrip("=") + ".e30.AA",
        "A" * (2**20 + 1),
        signed({"payload": EVENT, "exp": 1}),
    ],
)
def test_what_is_not_signed_with_the_key_is_refused(ringover: Provider, token: str) -> None:
    """Whatever is wrong with a token, its sender is told nothing of the key, nor of what stands in it."""
    with pytest.raises(CredentialsError) as caught:
        ringover.verify(with_token(token))
    told = f"{caught.value}{caught.value.__cause__}"
    assert [word for word in (KEY, "hangup", "14486597828273463454") if word in told] == []


def test_a_webhook_without_a_token_is_refused(ringover: Provider) -> None:
    """Requests that Ringover does not sign are refused as well: no body is believed by itself."""
    with pytest.raises(CredentialsError, match="x-ringover-webhook-signature"):
        ringover.verify(Delivery(json.dumps(EVENT).encode(), {"authorization": TOKEN}))


@pytest.mark.parametrize("payload", [None, 3, [], True])
def test_a_token_without_an_event_is_refused(ringover: Provider, payload: object) -> None:
    """What is proven, and is no event, is told apart from what is not proven."""
    with pytest.raises(InputError, match="payload: should be an object"):
        ringover.verify(with_token(signed({"payload": payload})))


def test_a_clock_that_is_ahead_refuses_nothing(ringover: Provider) -> None:
    """Libraries write into a token when it was made; by our clock that may be in a minute."""
    assert ringover.verify(with_token(signed({"payload": EVENT, "iat": int(time.time()) + 60})))


def test_a_long_key_proves_too() -> None:
    """A key is taken as it is, however long."""
    with bind_provider(RINGOVER, {"webhook_key": LONG * 3}) as bound:
        token = jwt.encode({"payload": EVENT}, LONG * 3, algorithm="HS512")
        assert bound.verify(with_token(token))


@given(st.text() | st.binary().map(lambda raw: ".".join([base64.urlsafe_b64encode(raw).decode()] * 3)))
def test_garbage_is_never_believed(token: str) -> None:
    """Whatever stands in the header, it is refused with an error of ours."""
    with bind_provider(RINGOVER, {"webhook_key": KEY}) as bound, pytest.raises(CredentialsError):
        bound.verify(with_token(token))


@given(
    st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=5)
)
def test_whatever_is_signed_is_answered_or_refused(claims: Any) -> None:
    """Claims of any shape end in an event, or in an error of ours."""
    with bind_provider(RINGOVER, {"webhook_key": KEY}) as bound:
        try:
            assert isinstance(bound.verify(with_token(signed({"payload": claims}))), bytes)
        except InputError:
            assert not isinstance(claims, dict | str)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {},
            "webhook_key is required. Settings of ringover: webhook_key, webhook_url, api_key, api_url, timeout_seconds",
        ),
        ({"webhook_key": ""}, "webhook_key should be a key as Ringover shows it"),
        ({"webhook_key": KEY, "api_key": "a b"}, "api_key should be a key as Ringover shows it"),
        ({"webhook_key": KEY, "api_key": "é"}, "api_key should be a key as Ringover shows it"),
        *(
            ({"webhook_key": KEY, "webhook_url": url}, "webhook_url should be the address that Ringover was given")
            for url in ("", "hooks.seller.example/ringover", "https://[")
        ),
        ({"webhook_key": KEY, "keys": []}, "keys is an unknown key"),
        ({"webhook_key": KEY, "timeout_seconds": 0}, "timeout_seconds should be greater than 0"),
        *(
            ({"webhook_key": KEY, "api_url": url}, "api_url should be an https address of ringover.com")
            for url in (
                "http://public-api.ringover.com/v2",
                "https://ringover.com.evil.example/v2",
                "https://evilringover.com/v2",
                "https://user:secret@public-api.ringover.com/v2",
                "https://public-api.ringover.com:444/v2",
                "https://public-api.ringover.com/v2?to=evil",
                "https://127.0.0.1/v2",
                "https://[",
                "",
            )
        ),
    ],
)
def test_wrong_settings_are_refused(settings: dict[str, object], message: str) -> None:
    """The message names the key and what is wanted, and shows no value."""
    with pytest.raises(ConfigurationError) as caught:
        bind_provider(RINGOVER, settings)
    assert message in str(caught.value)
    assert KEY not in str(caught.value)


def test_the_american_host_is_ringovers() -> None:
    """Accounts elsewhere have an API of their own."""
    bind_provider(RINGOVER, {"webhook_key": KEY, "api_url": "https://public-api-us.ringover.com/v2/"}).close()
