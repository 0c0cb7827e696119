"""Keeping the subscriptions of a tenant alive: made, renewed, and made anew where they are gone.

Documented at learn.microsoft.com/graph/api/resources/subscription. Graph ends a subscription within three days, so a host
calls :func:`keep_subscribed` at least daily. Whoever calls it twice, or side by side, has at worst two subscriptions: each
event comes twice then, which changes nothing.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID
from pydantic import Field

from connector_core.errors import CredentialsError, RefusedError
from connector_core.providers.bodies import Sent, checked
from connector_microsoft_teams.client import GraphClient, Refusal
from connector_microsoft_teams.records import GraphTime, Text
from connector_microsoft_teams.settings import TeamsSettings, read_settings

CALL_RECORDS = "communications/callRecords"
TRANSCRIPTS = "communications/onlineMeetings/getAllTranscripts"
LIFETIME = dt.timedelta(minutes=4200)
"""What is asked for; at most 4230 minutes are given for call records, and 4320 for transcripts."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A subscription as it is now."""

    id: str
    resource: str
    expires_at: dt.datetime


class _Found(Sent):
    """A subscription, as Graph lists it: its ``clientState`` is not told."""

    id: str = Field(min_length=1)
    resource: str
    notificationUrl: str  # noqa: N815 - as Graph writes it
    expirationDateTime: GraphTime  # noqa: N815 - as Graph writes it
    encryptionCertificateId: Text = None  # noqa: N815 - as Graph writes it


def keep_subscribed(
    settings: Mapping[str, object], notification_url: str, *, anew: bool = False
) -> tuple[Subscription, ...]:
    """See to it that call records are told at an address, and with a ``private_key`` transcripts too.

    What has less than half of its time left is renewed. The receiver has to run: Graph asks it for a token meanwhile.

    :param settings: Those of the connection.
    :param notification_url: The https address of the connection's webhook, alike at each call.
    :param anew: Make new ones and end the former, where ``client_state`` was changed: Graph tells nobody which one has it.
    :raises ConfigurationError: The settings are wrong; each is named, and no value shown.
    :raises InputError: Graph answers something else than it documents.
    :raises CredentialsError: Microsoft refuses the app, or it lacks a permission.
    :raises RefusedError: Graph refuses a subscription; ``sentence`` says why in its own words.
    :raises TryAgainError: Graph does not answer now.
    :raises OutcomeUnknownError: One may have been made, or not: the next call finds it.
    """
    read = read_settings(settings)
    with closing(GraphClient(read)) as client:
        listed = client.get_list("/subscriptions")
        if isinstance(listed, Refusal):
            raise _refused("the list of subscriptions", listed)
        found = [it for it in (checked(_Found, row) for row in listed) if it.notificationUrl == notification_url]
        keys = read.keys()
        bodies = [_plain(read, notification_url), *([_rich(read, notification_url, keys[0])] if keys else [])]
        return tuple(_kept(client, body, found, anew=anew) for body in bodies)


def _kept(client: GraphClient, body: dict[str, Any], found: Sequence[_Found], *, anew: bool) -> Subscription:
    """Keep one subscription; ``body`` is how it would be made."""
    resource = body["resource"]
    mine = sorted(
        (it for it in found if it.resource.strip("/") == resource), key=lambda it: it.expirationDateTime, reverse=True
    )
    if anew or not mine:
        made = _made(client, body)
        for former in mine:
            client.write("DELETE", _path(former.id))
        return made
    newest = mine[0]
    left = newest.expirationDateTime - dt.datetime.now(dt.UTC)
    same_key = newest.encryptionCertificateId == body.get("encryptionCertificateId")
    if left > LIFETIME / 2 and same_key:
        return Subscription(newest.id, resource, newest.expirationDateTime)
    renewing = {"expirationDateTime", "encryptionCertificate", "encryptionCertificateId"}
    answer = client.write("PATCH", _path(newest.id), {name: body[name] for name in renewing & body.keys()})
    if isinstance(answer, Refusal) and answer.status == 404:  # it ended meanwhile
        return _made(client, body)
    return _read(answer, resource)


def _made(client: GraphClient, body: dict[str, Any]) -> Subscription:
    return _read(client.write("POST", "/subscriptions", body), body["resource"])


def _read(answer: dict[str, Any] | Refusal, resource: str) -> Subscription:
    if isinstance(answer, Refusal):
        raise _refused(f"the subscription to {resource}", answer)
    found = checked(_Found, answer)
    return Subscription(found.id, resource, found.expirationDateTime)


def _refused(what: str, refusal: Refusal) -> CredentialsError | RefusedError:
    if refusal.status == 403:
        return CredentialsError(f"the app lacks a permission for {what}, or an administrator's consent")
    code = refusal.code or f"status {refusal.status}"
    return RefusedError(f"Graph refuses {what} ({code})", code=refusal.code, sentence=refusal.sentence)


def _path(subscription_id: str) -> str:
    return f"/subscriptions/{quote(subscription_id, safe='')}"


# -- how they are made -------------------------------------------------------------------------------------------------


def _plain(settings: TeamsSettings, url: str) -> dict[str, Any]:
    """Subscribe to call records; ``updated`` tells of their later versions."""
    return {
        "changeType": "created,updated",
        "notificationUrl": url,
        "resource": CALL_RECORDS,
        "expirationDateTime": _in(LIFETIME),
        "clientState": settings.client_state.get_secret_value(),
    }


def _rich(settings: TeamsSettings, url: str, key: RSAPrivateKey) -> dict[str, Any]:
    """Subscribe to transcripts, with what names their call. Beyond an hour Graph wants an address for lifecycle events."""
    return _plain(settings, url) | {
        "changeType": "created",
        "resource": TRANSCRIPTS,
        "lifecycleNotificationUrl": url,
        "includeResourceData": True,
        "encryptionCertificate": base64.b64encode(_certificate(key)).decode(),
        "encryptionCertificateId": _id_of(key),
    }


def _id_of(key: RSAPrivateKey) -> str:
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(public).hexdigest()


def _certificate(key: RSAPrivateKey) -> bytes:
    """Wrap the public key in a certificate that it signs itself: Graph asks for the form, and checks no issuer."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "connector-microsoft-teams")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=3650))
    )
    return made.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def _in(time: dt.timedelta) -> str:
    return (dt.datetime.now(dt.UTC) + time).strftime("%Y-%m-%dT%H:%M:%SZ")
