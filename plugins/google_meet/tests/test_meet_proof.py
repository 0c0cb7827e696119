"""Only what Google signed is believed, and only for this connection."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from connector_google_meet import GOOGLE_MEET
from connector_google_meet.events import ENDED
from connector_google_meet.proof import Certificates, Prover
from connector_google_meet.sandbox_signing import (
    KEY_ID,
    certificate,
    private_key,
    push,
    push_token,
    service_account_key,
)
from connector_google_meet.settings import MeetSettings
from hypothesis import given
from hypothesis import strategies as st

from connector_core.discovery import provider
from connector_core.errors import ConfigurationError, CredentialsError, InputError, TryAgainError
from connector_core.providers.binding import bind_provider
from connector_core.providers.hookspecs import Delivery

DATA = {"conferenceRecord": {"name": "conferenceRecords/1"}}
SETTINGS: dict[str, object] = {
    "subscription": "projects/sandbox/subscriptions/meet-push",
    "audience": "https://calls.seller.example/hooks/acme/google_meet",
    "push_account": "push@sandbox.iam.gserviceaccount.com",
    "service_account_key": service_account_key(),
    "users": ["ada@seller.example"],
}


class Google:
    """Google's certificates, counted; and a clock."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.asked = 0
        self.fails = False
        self.by_id: Mapping[str, str] = {KEY_ID: certificate()}
        self.prover = Prover(MeetSettings.model_validate(SETTINGS), self.fetch, lambda: self.now)

    def fetch(self) -> Certificates:
        """Hand out the certificates, for an hour."""
        self.asked += 1
        if self.fails:
            raise TryAgainError("Google answered status 503")
        return Certificates(self.by_id, 3_600.0)

    def prove(self, **claims: Any) -> None:
        """Prove a token."""
        self.prover.prove(f"Bearer {push_token(**claims)}")


@pytest.fixture
def google() -> Google:
    """Google, as far as proofs go."""
    return Google()


def test_it_is_installed() -> None:
    """The entry point leads to the manifest."""
    assert provider("google_meet") is GOOGLE_MEET


def test_a_push_is_proven_by_google_alone(world: Any) -> None:
    """The body comes back as it came; certificates are fetched once."""
    delivery = push(ENDED, DATA)
    assert [world.meet.verify(delivery) for _ in range(2)] == [delivery.body] * 2
    assert world.asked() == [("/oauth2/v1/certs", 200)]


@pytest.mark.parametrize("issuer", ["https://accounts.google.com", "accounts.google.com"])
def test_google_names_itself_in_two_ways(google: Google, issuer: str) -> None:
    """With the scheme and without."""
    google.prove(iss=issuer)
    assert google.asked == 1


@pytest.mark.parametrize(
    ("claims", "message"),
    [
        ({"iss": "https://evil.example"}, "of another issuer"),
        ({"aud": "https://evil.example"}, "is for another audience"),
        ({"aud": ""}, "is for another audience"),
        ({"email": "push@another.iam.gserviceaccount.com"}, "of another service account"),
        ({"email": None}, "of another service account"),
        ({"email_verified": False}, "of another service account"),
        ({"email_verified": "true"}, "of another service account"),
        ({"exp": int(time.time()) - 120}, "has expired"),
        ({"iat": int(time.time()) + 3_000}, "has expired"),
        ({"exp": "tomorrow"}, "has expired"),
        ({"kid": "another"}, "a key that is none of Google's"),
    ],
)
def test_another_token_is_refused(google: Google, claims: dict[str, Any], message: str) -> None:
    """Each claim is held to what is set."""
    with pytest.raises(CredentialsError, match=message):
        google.prove(**claims)


def test_a_clock_may_be_off_by_a_minute(google: Google) -> None:
    """Ours, or Google's."""
    google.prove(iat=int(time.time()) + 30, exp=int(time.time()) - 30)
    assert google.asked == 1


def test_another_key_is_refused(google: Google) -> None:
    """Whoever signs with a key of their own, whatever id they give it."""
    from cryptography.hazmat.primitives.asymmetric import rsa
    from google.auth import crypt, jwt

    other = rsa.generate_private_key(public_exponent=65_537, key_size=2048)
    signer: Any = crypt.RSASigner(other, KEY_ID)  # type: ignore[no-untyped-call]  # google-auth leaves it untyped
    claims = jwt.decode(push_token(), verify=False)  # type: ignore[no-untyped-call]  # likewise
    token = jwt.encode(signer, dict(claims)).decode()  # type: ignore[no-untyped-call]  # likewise
    with pytest.raises(CredentialsError, match="not signed by Google"):
        google.prover.prove(f"Bearer {token}")


@pytest.mark.parametrize("algorithm", ["none", "HS256", "ES256", None])
def test_another_algorithm_is_refused(google: Google, algorithm: str | None) -> None:
    """Before any key is looked for: a certificate is no secret that something could be signed with."""
    import base64

    head = {"typ": "JWT", "kid": KEY_ID} | ({"alg": algorithm} if algorithm else {})
    written = base64.urlsafe_b64encode(json.dumps(head).encode()).decode().rstrip("=")
    _, claims, signature = push_token().split(".")
    with pytest.raises(CredentialsError, match="none that Google signs"):
        google.prover.prove(f"Bearer {written}.{claims}.{signature}")
    assert google.asked == 0


@pytest.mark.parametrize(
    "header", ["", "Basic eDp5", "Bearer", "Bearer ", "Bearer a.b", "Bearer é.a.b", "Bearer a.b.c"]
)
def test_a_header_that_is_no_token_is_refused(google: Google, header: str) -> None:
    """Nothing is asked of Google for it."""
    with pytest.raises(CredentialsError):
        google.prover.prove(header)
    assert google.asked == 0


NOBODY = Prover(MeetSettings.model_validate(SETTINGS), lambda: Certificates({}, 3_600.0))


@given(st.text(alphabet=st.characters(codec="ascii"), max_size=200))
def test_any_header_is_proven_or_refused(header: str) -> None:
    """With an error of ours."""
    for sent in (header, f"Bearer {header}"):
        with pytest.raises(CredentialsError):
            NOBODY.prove(sent)


# -- certificates ------------------------------------------------------------------------------------------------------


def test_certificates_are_kept_as_long_as_google_says(google: Google) -> None:
    """And read again after that."""
    asked = []
    for now in (1_000.0, 4_599.0, 4_600.0):
        google.now = now
        google.prove()
        asked.append(google.asked)
    assert asked == [1, 1, 2]


def test_a_new_key_of_google_is_looked_for(google: Google) -> None:
    """Google changes its keys every few days."""
    google.by_id = {"former": certificate()}
    with pytest.raises(CredentialsError):
        google.prove()
    google.by_id, google.now = {KEY_ID: certificate()}, google.now + 61
    google.prove()
    assert google.asked == 2


def test_invented_keys_make_nobody_ask_google(google: Google) -> None:
    """At most once a minute."""
    for number in range(50):
        with pytest.raises(CredentialsError):
            google.prove(kid=f"invented{number}")
    assert google.asked == 1


def test_without_certificates_nothing_is_proven_nor_refused(world: Any) -> None:
    """The sender is to come again."""
    world.faults({"match": {"path": "/oauth2/v1/certs"}, "do": {"status": 503}})
    with pytest.raises(TryAgainError, match="Google answered status 503"):
        world.meet.verify(push(ENDED, DATA))


def test_certificates_that_are_too_old_prove_nothing(google: Google) -> None:
    """While Google does not answer; it is asked again after a while, and not for each request that waits."""
    google.prove()
    google.now, google.fails = google.now + 3_600, True
    for _ in range(20):
        with pytest.raises(TryAgainError):
            google.prove()
    google.now, google.fails = google.now + 6, False
    google.prove()
    assert google.asked == 3


# -- the subscription --------------------------------------------------------------------------------------------------


def test_a_push_of_another_subscription_is_refused(world: Any) -> None:
    """Another of the same project may have the same account and audience."""
    delivery = push(ENDED, DATA)
    body = json.dumps(json.loads(delivery.body) | {"subscription": "projects/sandbox/subscriptions/other"}).encode()
    with pytest.raises(CredentialsError, match="of another subscription"):
        world.meet.verify(replace(delivery, body=body))


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"message": {}}', b'{"subscription": "x", "message": {}}'])
def test_a_proven_body_that_is_no_push_is_refused(world: Any, body: bytes) -> None:
    """With what is missing."""
    with pytest.raises(InputError):
        world.meet.verify(replace(push(ENDED, DATA), body=body))


def test_nothing_is_parsed_before_the_proof(world: Any) -> None:
    """Garbage without a token is not proven; that it is garbage is told nobody."""
    with pytest.raises(CredentialsError):
        world.meet.verify(Delivery(b"{"))


# -- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"subscription": "meet-push"}, "subscription should be like projects/PROJECT/subscriptions/NAME"),
        ({"push_account": "nobody"}, "push_account should be like ada@"),
        ({"users": []}, "users "),
        ({"users": ""}, "users.0 should be like ada@"),
        ({"topic": "meet"}, "topic should be like projects/PROJECT/topics/NAME"),
        ({"service_account_key": "{}"}, "service_account_key should be the JSON of a service account's key"),
        ({"service_account_key": "[" * 100_000}, "service_account_key should be the JSON"),
        ({"service_account_key": private_key()}, "service_account_key should be the JSON"),
        ({"sandbox_url": "https://evil.example"}, "sandbox_url should be http on loopback"),
        ({"sandbox_url": "http://127.0.0.1:80@evil.example"}, "sandbox_url should be http on loopback"),
        ({"sandbox_url": "http://127.0.0.1.evil.example:80"}, "sandbox_url should be http on loopback"),
        ({"tokn": "x"}, "tokn is an unknown key"),
    ],
)
def test_a_wrong_setting_is_told(change: dict[str, object], message: str) -> None:
    """With its name, and without a key."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        bind_provider(GOOGLE_MEET, SETTINGS | change)
    assert "PRIVATE KEY" not in f"{caught.value}{caught.value.__cause__}{caught.value.__context__}"


@pytest.mark.parametrize(
    "users", [["a@x.example", "b@x.example"], "a@x.example,b@x.example", "a@x.example, b@x.example "]
)
def test_users_are_a_list_or_a_text(users: object) -> None:
    """A text suits settings that are flat."""
    assert MeetSettings.model_validate(SETTINGS | {"users": users}).users == ("a@x.example", "b@x.example")
