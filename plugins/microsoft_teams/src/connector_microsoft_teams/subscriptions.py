"""Keeping the subscriptions of a tenant alive: made, renewed, and made anew where they are gone.

Documented at learn.microsoft.com/graph/api/resources/subscription. Graph ends a subscription within three days. Whoever
makes one twice, side by side, has at worst two: each event comes twice then, which changes nothing.
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
from collections.abc import Sequence
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
from connector_core.providers.hookspecs import Kept
from connector_microsoft_teams.client import GraphClient, Refusal
from connector_microsoft_teams.records import GraphTime, Text
from connector_microsoft_teams.settings import TeamsSettings

CALL_RECORDS = "communications/callRecords"
TRANSCRIPTS = "communications/onlineMeetings/getAllTranscripts"
AGAIN_SECONDS = 43_200.0
LIFETIME = dt.timedelta(minutes=4200)
"""What is asked for; at most 4230 minutes are given for call records, and 4320 for transcripts."""


class _Found(Sent):
    """A subscription, as Graph lists it: its ``clientState`` is not told, hence :func:`_address`."""

    id: str = Field(min_length=1)
    resource: str
    notificationUrl: str  # noqa: N815 - as Graph writes it
    expirationDateTime: GraphTime  # noqa: N815 - as Graph writes it
    encryptionCertificateId: Text = None  # noqa: N815 - as Graph writes it


def keep(client: GraphClient, settings: TeamsSettings) -> Kept:
    """See to it that call records are told at ``notification_url``, and with a ``private_key`` transcripts too.

    What has less than half of its time left is renewed. The receiver has to run: Graph asks it for a token meanwhile.

    :raises InputError: Graph answers something else than it documents.
    :raises CredentialsError: Microsoft refuses the app, or it lacks a permission.
    :raises RefusedError: Graph refuses a subscription; ``sentence`` says why in its own words.
    :raises TryAgainError: Graph does not answer now.
    :raises OutcomeUnknownError: One may have been made, or not: the next call finds it.
    """
    if settings.notification_url is None:
        return Kept(AGAIN_SECONDS)
    address = _address(settings.notification_url, settings)
    listed = client.get_list("/subscriptions")
    if isinstance(listed, Refusal):
        raise _refused("the list of subscriptions", listed)
    of_ours = settings.notification_url
    found = [it for it in (checked(_Found, row) for row in listed) if it.notificationUrl.partition("?")[0] == of_ours]
    keys = settings.keys()
    bodies = [_plain(settings, address), *([_rich(settings, address, keys[0])] if keys else [])]
    made = [_made_or_renewed(client, body, found) for body in bodies]
    return Kept(AGAIN_SECONDS, gap=any(made))


def _made_or_renewed(client: GraphClient, body: dict[str, Any], found: Sequence[_Found]) -> bool:
    """Keep one subscription, and end those that have a former state; ``body`` is how it would be made; tell if it was."""
    resource = body["resource"]
    mine = sorted(
        (it for it in found if it.resource.strip("/") == resource), key=lambda it: it.expirationDateTime, reverse=True
    )
    current = [it for it in mine if it.notificationUrl == body["notificationUrl"]]
    made = _renewed(client, body, current[0]) if current else _made(client, body)
    for former in mine:
        if former not in current:
            client.write("DELETE", _path(former.id))
    return made


def _renewed(client: GraphClient, body: dict[str, Any], newest: _Found) -> bool:
    """Renew a subscription, where it needs that; one that ended meanwhile is made anew, which is told."""
    left = newest.expirationDateTime - dt.datetime.now(dt.UTC)
    same_key = newest.encryptionCertificateId == body.get("encryptionCertificateId")
    if left > LIFETIME / 2 and same_key:
        return False
    renewing = {"expirationDateTime", "encryptionCertificate", "encryptionCertificateId"}
    answer = client.write("PATCH", _path(newest.id), {name: body[name] for name in renewing & body.keys()})
    if isinstance(answer, Refusal) and answer.status == 404:
        return _made(client, body)
    _read(answer, body["resource"])
    return False


def _made(client: GraphClient, body: dict[str, Any]) -> bool:
    _read(client.write("POST", "/subscriptions", body), body["resource"])
    return True


def _read(answer: dict[str, Any] | Refusal, resource: str) -> None:
    if isinstance(answer, Refusal):
        raise _refused(f"the subscription to {resource}", answer)
    checked(_Found, answer)


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


def _address(url: str, settings: TeamsSettings) -> str:
    """Give the address to notify, with a mark of the state that is sent there: another state wants another subscription.

    Graph calls it with its query, as learn.microsoft.com/graph/api/resources/subscription says of ``notificationUrl``.
    """
    state = settings.client_state.get_secret_value().encode()
    mark = hmac.new(settings.client_secret.get_secret_value().encode(), state, hashlib.sha256).hexdigest()
    return f"{url}?state={mark[:16]}"


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
