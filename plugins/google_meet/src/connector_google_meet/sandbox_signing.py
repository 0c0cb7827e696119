"""What signs in a sandbox of Google: a service account's key, and the certificate of tokens that Pub/Sub sends."""

from __future__ import annotations

import base64
import datetime as dt
import functools
import json
import time
from collections.abc import Mapping
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from google.auth import crypt, exceptions, jwt

from connector_core.providers.hookspecs import Delivery

SUBSCRIPTION = "projects/sandbox/subscriptions/meet-push"
TOPIC = "projects/sandbox/topics/meet"
AUDIENCE = "https://calls.seller.example/hooks/acme/google_meet"
PUSH_ACCOUNT = "push@sandbox.iam.gserviceaccount.com"
SERVICE_ACCOUNT = "meet@sandbox.iam.gserviceaccount.com"
KEY_ID = "sandbox-key"
_TOKENS = "https://oauth2.googleapis.com/token"


@functools.cache
def _key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


@functools.cache
def private_key() -> str:
    """Give the key, in PEM."""
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return _key().private_bytes(*form).decode()


@functools.cache
def certificate() -> str:
    """Give the certificate of the key, in PEM."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sandbox")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(_key().public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=365))
        .sign(_key(), hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode()


def service_account_key() -> str:
    """Give the key of the service account, as Google's console hands it out."""
    key = {
        "type": "service_account",
        "project_id": "sandbox",
        "private_key_id": KEY_ID,
        "private_key": private_key(),
        "client_email": SERVICE_ACCOUNT,
        "client_id": "100000000000000000000",
        "token_uri": _TOKENS,
    }
    return json.dumps(key)


def asserted(assertion: str) -> Mapping[str, Any] | None:
    """Read what a service account asserts; None where it did not sign that, or for somebody else."""
    decode = cast(Any, jwt.decode)  # google-auth leaves it untyped
    try:
        return cast(Mapping[str, Any], decode(assertion, certs=[certificate()], audience=_TOKENS))
    except (exceptions.GoogleAuthError, ValueError):
        return None


def push_token(**changes: Any) -> str:
    """Sign a token as Pub/Sub does; ``changes`` are claims, ``kid`` the key's id."""
    now = int(time.time())
    claims = {
        "iss": "https://accounts.google.com",
        "aud": AUDIENCE,
        "azp": "100000000000000000001",
        "sub": "100000000000000000001",
        "email": PUSH_ACCOUNT,
        "email_verified": True,
        "iat": now,
        "exp": now + 3_600,
    }
    key_id = changes.pop("kid", KEY_ID)
    signer = cast(Any, crypt.RSASigner)(_key(), key_id)
    encode = cast(Any, jwt.encode)
    return cast(bytes, encode(signer, claims | changes)).decode()


def push(event_type: str, data: Mapping[str, Any], *, subscription: str = "meet-spaces-1", **claims: Any) -> Delivery:
    """Write an event as Pub/Sub pushes it.

    :param data: Like ``{"conferenceRecord": {"name": "conferenceRecords/1"}}``.
    :param subscription: The id of the subscription at Google Workspace.
    :param claims: What the token says otherwise.
    """
    attributes = {
        "ce-id": f"{event_type} {json.dumps(data, sort_keys=True)}",
        "ce-source": f"//workspaceevents.googleapis.com/subscriptions/{subscription}",
        "ce-specversion": "1.0",
        "ce-subject": "//meet.googleapis.com/spaces/sandbox",
        "ce-time": "2026-03-02T09:31:00.210Z",
        "ce-type": event_type,
        "ce-datacontenttype": "application/json",
    }
    message = {
        "attributes": attributes,
        "data": base64.b64encode(json.dumps(data).encode()).decode(),
        "messageId": "11432187654321098",
        "publishTime": "2026-03-02T09:31:01.001Z",
    }
    body = json.dumps({"message": message, "subscription": SUBSCRIPTION}).encode()
    return Delivery(body, {"authorization": f"Bearer {push_token(**claims)}"})
