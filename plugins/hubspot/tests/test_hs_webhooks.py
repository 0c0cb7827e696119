"""Webhooks of HubSpot: who signed them, and what they say."""

from __future__ import annotations

import base64
import datetime as dt
import hashlib
import hmac
import json
from typing import Any

import pytest
from connector_hubspot.settings import HubSpotSettings
from connector_hubspot.webhooks import changes, reader, verify

from connector_core.errors import CredentialsError, InputError
from connector_core.model import Changed
from connector_core.providers.hookspecs import Delivery

SECRET = "invented-client-secret"
URI = "https://calls.example/hubspot?account=7&next=https%3A%2F%2Fx.example%2Fa%20b%3Fc#top"
BODY = '[{"eventId": 1, "note": "Zoé"}]'.encode()
TIMESTAMP = "1772442000000"
SIGNED_AT = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
SIGNATURE = "pgVfUWsbvY2eYQdyybcNdhDFnoE/x1EcVx2OlEPyblk="
"""Of openssl: ``printf '%s' 'POST…' | openssl dgst -sha256 -hmac "$SECRET" -binary | base64``, where behind POST stand
``https://calls.example/hubspot?account=7&next=https://x.example/a%20b?c``, the body, and the timestamp."""


def check(**changed: Any) -> None:
    """Verify the webhook, some of it changed."""
    given: dict[str, Any] = {"method": "POST", "uri": URI, "body": BODY, "signature": SIGNATURE, "timestamp": TIMESTAMP}
    verify(changed.pop("secret", SECRET), **{**given, "now": SIGNED_AT, **changed})


def test_a_webhook_of_hubspot_is_taken() -> None:
    """The signature is that of an independent tool, over the address with its query decoded as documented."""
    check()


def test_how_the_query_is_escaped_makes_no_difference() -> None:
    """What is documented to be decoded may come either way, its digits in lower case too."""
    check(uri="https://calls.example/hubspot?account=7&next=https://x.example%2fa%20b?c")


@pytest.mark.parametrize(
    ("uri", "signature"),
    [
        (
            "https://calls.example/hub%40spot/%28a%29?next=https%3A%2F%2Fx.example",
            "UuH3w63j8WkbHhDsrVxA8aXtut8D5VECLFme4RvVHK8=",
        ),
        (
            "https://calls.example/hub%40spot?next=https%3A%2F%2Fx.example",
            "VfgzhkeFGdWJqFhLizTwOFbkiFnmUulP0TKq08LvPjE=",
        ),
    ],
)
def test_the_address_is_signed_decoded_or_as_it_was_requested(uri: str, signature: str) -> None:
    """All of it: the documentation decodes the path too, and HubSpot's own libraries decode nothing. Signed by openssl."""
    check(uri=uri, signature=signature)


@pytest.mark.parametrize(
    "changed",
    [
        {"secret": "another-secret"},
        {"method": "PUT"},
        {"uri": "https://calls.example/hubspot"},
        {"uri": URI.replace("%20", " ")},
        {"body": BODY + b" "},
        {"timestamp": "1772442000001"},
        {"signature": ""},
        {"signature": "é" + SIGNATURE[1:]},
        {"signature": SIGNATURE.lower()},
    ],
    ids=str,
)
def test_what_was_changed_on_its_way_is_refused(changed: dict[str, Any]) -> None:
    """Each part is signed, and a signature compares exactly."""
    with pytest.raises(CredentialsError, match="is not signed with the client secret"):
        check(**changed)


@pytest.mark.parametrize("seconds", [-300, 0, 300])
def test_five_minutes_are_allowed(seconds: int) -> None:
    """Clocks may differ, and a webhook takes its time."""
    check(now=SIGNED_AT + dt.timedelta(seconds=seconds))


@pytest.mark.parametrize("seconds", [-301, 301])
def test_a_webhook_of_another_time_is_refused(seconds: int) -> None:
    """What was caught on its way is not to be played again."""
    with pytest.raises(CredentialsError, match="more than five minutes"):
        check(now=SIGNED_AT + dt.timedelta(seconds=seconds))


def event(kind: str = "contact.creation", **more: Any) -> dict[str, Any]:
    """Make an event."""
    given = {"eventId": 1, "portalId": 62515, "occurredAt": 1772442000000, "subscriptionType": kind}
    return {key: value for key, value in {**given, "objectId": 101, **more}.items() if value is not None}


def read(*events: Any) -> list[tuple[str, str]]:
    """Give kinds and ids of what changed in the one account."""
    return [(it.kind, it.id) for it in changes(json.dumps(events).encode()).get("62515", ())]


def test_an_event_says_what_changed_and_when() -> None:
    """By the account."""
    assert changes(json.dumps([event()]).encode()) == {"62515": (Changed("contact", "101", SIGNED_AT),)}


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        (event("contact.propertyChange", propertyName="email"), [("contact", "101")]),
        (event("company.creation"), [("account", "101")]),
        (event("deal.restore"), [("opportunity", "101")]),
        (event("object.creation", objectTypeId="0-1"), [("contact", "101")]),
        (event("object.propertyChange", objectTypeId="0-48"), [("activity", "101")]),
        (event("contact.merge", objectId=None, primaryObjectId=7, mergedObjectIds=[8]), [("contact", "7")]),
        (event("contact.merge", primaryObjectId=7, mergedObjectIds=[7, 8], newObjectId=9), [("contact", "9")]),
        (event("deal.associationChange", objectId=None, fromObjectId=3, toObjectId=4), [("opportunity", "3")]),
        (
            event(
                "object.associationChange",
                objectId=None,
                fromObjectTypeId="0-3",
                fromObjectId=3,
                toObjectTypeId="0-1",
                toObjectId=4,
            ),
            [("opportunity", "3"), ("contact", "4")],
        ),
        (event("contact.deletion"), []),
        (event("contact.privacyDeletion"), []),
        (event("ticket.creation"), []),
        (event("object.creation", objectTypeId="2-123"), []),
        (event("conversation.newMessage"), []),
    ],
    ids=lambda it: str(it.get("subscriptionType")) if isinstance(it, dict) else "",
)
def test_an_event_is_about_records(told: dict[str, Any], wanted: list[tuple[str, str]]) -> None:
    """Of both formats of subscriptions; what is gone, or of no kind that matters, is passed over."""
    assert read(told) == wanted


def test_an_event_that_comes_twice_is_told_once() -> None:
    """HubSpot may send it again."""
    assert read(event(), event(attemptNumber=1)) == [("contact", "101")]


def test_accounts_are_told_apart() -> None:
    """An app has one address for all accounts that use it."""
    found = changes(json.dumps([event(), event(portalId=99, objectId=5)]).encode())

    assert {account: [it.id for it in told] for account, told in found.items()} == {"62515": ["101"], "99": ["5"]}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff",
        b"{}",
        b"[1]",
        b'[{"subscriptionType": "contact.creation"}]',
        b'[{"portalId": 1, "occurredAt": "now"}]',
    ],
)
def test_what_is_no_list_of_events_is_refused(body: bytes) -> None:
    """The message holds nothing of it."""
    with pytest.raises(InputError, match="webhook"):
        changes(body)


# -- of a connection ---------------------------------------------------------------------------------------------------


ADDRESS = "https://calls.example/crm/acme"


def delivered(*events: dict[str, Any], secret: str = SECRET, url: str | None = ADDRESS) -> Delivery:
    """Sign a webhook that comes now."""
    body = json.dumps(events).encode()
    at = str(int(dt.datetime.now(dt.UTC).timestamp() * 1000))
    signature = hmac.digest(secret.encode(), f"POST{ADDRESS}".encode() + body + at.encode(), hashlib.sha256)
    signed = {"x-hubspot-signature-v3": base64.b64encode(signature).decode(), "x-hubspot-request-timestamp": at}
    return Delivery(body, signed, url=url)


def told(delivery: Delivery, **settings: str) -> list[tuple[str, str]]:
    """Read a webhook with the settings of a connection."""
    read = reader(HubSpotSettings.model_validate({"access_token": "invented", "webhook_secret": SECRET, **settings}))
    assert read is not None
    return [(it.kind, it.id) for it in read(delivery)]


def test_a_connection_reads_what_its_app_tells() -> None:
    """Proven by the app's secret, over the address that was called."""
    assert told(delivered(event(), event("deal.creation", objectId=7))) == [("contact", "101"), ("opportunity", "7")]


def test_what_is_told_of_other_accounts_is_passed_over() -> None:
    """One app's webhooks tell of every account that has it."""
    both = delivered(event(), event(portalId=7, objectId=102))
    assert (told(both, portal_id="7"), told(both, portal_id="8")) == ([("contact", "102")], [])


@pytest.mark.parametrize(
    "delivery",
    [delivered(event(), secret="another"), delivered(event(), url=None), Delivery(b"[]", url=ADDRESS)],
    ids=["another app's", "without its address", "without a signature"],
)
def test_what_is_not_proven_is_not_read(delivery: Delivery) -> None:
    """Whoever finds the address has no say."""
    with pytest.raises(CredentialsError):
        told(delivery)


def test_the_secret_of_an_oauth_app_proves_its_webhooks() -> None:
    """It is the same; without any secret nothing can be proven, and no webhook is read."""
    oauth = {"client_id": "id", "client_secret": SECRET, "refresh_token": "refresh"}
    read = reader(HubSpotSettings.model_validate(oauth))
    assert read is not None
    assert [it.id for it in read(delivered(event()))] == ["101"]
    assert reader(HubSpotSettings.model_validate({"access_token": "invented"})) is None
