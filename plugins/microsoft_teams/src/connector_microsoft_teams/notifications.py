"""Change notifications: proving them, and what they announce.

A plain notification is not signed. It carries the ``clientState`` of its subscription, and an id: what the id stands for is
read from Graph, which is the proof of it. Documented at
learn.microsoft.com/graph/change-notifications-delivery-webhooks.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from connector_core.errors import CredentialsError, InputError
from connector_core.providers.bodies import Sent, checked, read_object
from connector_core.providers.hookspecs import Announced, Delivery, Heard, Ignored, Reply
from connector_microsoft_teams.settings import TeamsSettings

RECORD, ATTENDANCE, CALENDAR = "record", "attendance", "calendar"
"""What is read of a call, in the words of an announcement."""

_TOKEN = re.compile(r"[^\x00-\x1f\x7f-\U0010ffff<>&\"']{1,2048}")
_CALL_RECORD = re.compile(
    r"/?communications/callrecords(?:/|\(')(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:'\))?"
)

Word = Annotated[str, Field(min_length=1, max_length=4096)]


class Item(Sent):
    """One change. ``resource``: the path of what changed, as it follows the version in Graph's addresses.

    A lifecycle notification is of the subscription itself, and has no resource.
    """

    clientState: Word  # noqa: N815 - as Graph writes it
    tenantId: Word  # noqa: N815 - as Graph writes it
    resource: Word | None = None
    changeType: Word | None = None  # noqa: N815 - as Graph writes it
    lifecycleEvent: Word | None = None  # noqa: N815 - as Graph writes it


class Collection(Sent):
    """What is delivered: several changes, which may be of several subscriptions."""

    value: Annotated[list[Item], Field(min_length=1)]


def call_id_of(record_id: str) -> str:
    """Name the call of a call record."""
    return f"microsoft_teams:{record_id}"


def record_id_of(call_id: str) -> str:
    """Give the call record that :func:`call_id_of` named."""
    return call_id.removeprefix("microsoft_teams:")


def handshake(delivery: Delivery) -> Reply | None:
    """Answer the request that sets a subscription up, with its own token, as plain text; None for any other request.

    Whoever asks is told what they said and no more. Graph's token has no markup, so none is given back to a browser.

    :raises InputError: It is no token of Graph's.
    """
    token = delivery.query.get("validationToken")
    if token is None:
        return None
    if not _TOKEN.fullmatch(token):
        raise InputError("validationToken: is none of Microsoft Graph's")
    return Reply(token.encode(), "text/plain")


def prove(delivery: Delivery, settings: TeamsSettings) -> Collection:
    """Prove every item of a delivery; one that is not proven spoils it.

    :raises CredentialsError: An item has not the connection's ``client_state``, or is of another tenant.
    :raises InputError: It is no collection of notifications.
    """
    collection = checked(Collection, read_object(delivery.body))
    wanted = settings.client_state.get_secret_value().encode()
    if not all(hmac.compare_digest(item.clientState.encode(), wanted) for item in collection.value):
        raise CredentialsError("clientState is not the connection's client_state")
    if any(item.tenantId.lower() != settings.tenant_id for item in collection.value):
        raise CredentialsError("the notification is of another tenant than tenant_id")
    return collection


def heard(event: bytes, settings: TeamsSettings) -> Iterator[Heard]:
    """Read what a delivery announces.

    :raises InputError: It is no collection of notifications.
    """
    for item in checked(Collection, read_object(event)).value:
        yield from _of_item(item, settings)


def _of_item(item: Item, settings: TeamsSettings) -> Iterator[Heard]:
    if item.lifecycleEvent is not None:
        yield Ignored(item.lifecycleEvent, "it is about the subscription: keep_subscribed renews it")
        return
    found = _CALL_RECORD.fullmatch((item.resource or "").lower())
    name = item.changeType or "a change"
    if found is None:
        yield Ignored(name, "it is of no call record")
    elif item.changeType not in ("created", "updated"):
        yield Ignored(name, "it tells nothing of a call that has ended")
    else:
        call_id = call_id_of(found["id"])
        yield Announced(call_id, RECORD)
        if settings.attendance:
            yield Announced(call_id, ATTENDANCE)
        if settings.calendar:
            yield Announced(call_id, CALENDAR)
