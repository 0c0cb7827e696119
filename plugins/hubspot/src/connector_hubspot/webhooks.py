"""Webhooks of HubSpot: that they come from it, and what they say changed.

They make the feed of changes faster, and not surer: HubSpot gives up after ten tries, and promises no order. Version 3 of
the signature, and the fields of events, are documented at developers.hubspot.com, "Validating requests" and "Webhooks".
"""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from connector_core.errors import CredentialsError, InputError
from connector_core.model import Changed, RecordKind
from connector_core.providers.hookspecs import Delivery
from connector_hubspot.settings import HubSpotSettings
from connector_hubspot.times import instant

OLDEST = dt.timedelta(minutes=5)
"""How far the time of a webhook may be from now."""
KINDS: Mapping[str, RecordKind] = {
    **dict.fromkeys(("contact", "0-1"), "contact"),
    **dict.fromkeys(("company", "0-2"), "account"),
    **dict.fromkeys(("deal", "0-3"), "opportunity"),
    **dict.fromkeys(("0-47", "0-48"), "activity"),
}
"""The kinds by the names of objects in older subscriptions, and by their type ids in those of ``object.*``."""
_GONE = frozenset({"deletion", "privacyDeletion"})
_DECODED = re.compile(r"%(?:3A|2F|3F|40|21|24|27|28|29|2A|2C|3B)", re.IGNORECASE)


def reader(settings: HubSpotSettings) -> Callable[[Delivery], Sequence[Changed]] | None:
    """Give what reads the webhooks of a connection's app; None where its settings have no secret to prove them by.

    It raises CredentialsError where a delivery is not proven, and InputError where it is none of HubSpot's.
    """
    found = settings.webhook_secret or settings.client_secret
    if found is None or not found.get_secret_value():
        return None
    secret = found.get_secret_value()

    def read(delivery: Delivery) -> Sequence[Changed]:
        verify(
            secret,
            method="POST",
            uri=delivery.url or "",
            body=delivery.body,
            signature=delivery.headers.get("x-hubspot-signature-v3", ""),
            timestamp=delivery.headers.get("x-hubspot-request-timestamp", ""),
            now=dt.datetime.now(dt.UTC),
        )
        by_account = changes(delivery.body)
        mine = by_account if settings.portal_id is None else {settings.portal_id}
        return [changed for account in mine for changed in by_account.get(account, ())]

    return read


def verify(
    secret: str, *, method: str, uri: str, body: bytes, signature: str, timestamp: str, now: dt.datetime
) -> None:
    """Make sure that a webhook comes from HubSpot, and is none of long ago.

    :param secret: The app's client secret.
    :param uri: The whole public address as it stands in the app's settings, with query. Behind a proxy the request itself
        has another one.
    :param body: As it came over the network.
    :param signature: The header ``X-HubSpot-Signature-v3``.
    :param timestamp: The header ``X-HubSpot-Request-Timestamp``: milliseconds since 1970.
    :raises CredentialsError: It does not, or its time is more than five minutes from ``now``.
    """
    signed = [method.upper().encode() + form.encode() + body + timestamp.encode() for form in _forms(uri)]
    wanted = [base64.b64encode(hmac.digest(secret.encode(), each, hashlib.sha256)) for each in signed]
    if not any(hmac.compare_digest(each, signature.encode()) for each in wanted):
        raise CredentialsError("the webhook is not signed with the client secret of this app (X-HubSpot-Signature-v3)")
    at = instant(timestamp) if timestamp.isascii() and timestamp.isdecimal() else None
    if at is None or abs(now - at) > OLDEST:
        raise CredentialsError("the webhook was signed more than five minutes ago (X-HubSpot-Request-Timestamp)")


def _forms(uri: str) -> tuple[str, str]:
    """Give an address as it is signed: without fragment, and with some characters decoded; or as it was requested.

    The former is documented, the latter is what HubSpot's own libraries compare with.
    """
    requested = uri.partition("#")[0]
    return _DECODED.sub(lambda found: chr(int(found.group()[1:], 16)), requested), requested


def changes(body: bytes) -> dict[str, tuple[Changed, ...]]:
    """Read what changed, by the id of the account: one app's webhooks tell of every account that has it.

    Events of other kinds, and of what is gone, are passed over.

    :raises InputError: The body is no list of events.
    """
    try:
        events = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InputError("the webhook's body is no JSON") from error
    if not isinstance(events, list) or not all(isinstance(event, dict) for event in events):
        raise InputError("the webhook's body is no list of events")
    found: dict[str, dict[Changed, None]] = {}
    for event in events:
        at = instant(str(event.get("occurredAt")))
        if at is None or "portalId" not in event:
            raise InputError("an event of the webhook has no portalId, or no occurredAt in milliseconds")
        told = found.setdefault(str(event["portalId"]), {})
        told.update((Changed(kind, key, at), None) for kind, key in _records(event))
    return {account: tuple(told) for account, told in found.items() if told}


def _records(event: Mapping[str, Any]) -> Iterator[tuple[RecordKind, str]]:
    """Name the records that an event is about: of a merge the one that is left, of an association both."""
    name, _, what = str(event.get("subscriptionType")).partition(".")
    own = str(event.get("objectTypeId")) if name == "object" else name
    if what in _GONE:
        return
    about = [(own, event.get("newObjectId") or event.get("primaryObjectId") or event.get("objectId"))]
    if what == "associationChange":
        about = [(str(event.get("fromObjectTypeId", own)), event.get("fromObjectId"))]
        about.append((str(event.get("toObjectTypeId")), event.get("toObjectId")))
    for known, key in about:
        if known in KINDS and key is not None:
            yield KINDS[known], str(key)
