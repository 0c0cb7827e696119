"""Change notifications: proving them, and what they announce.

A plain notification is not signed. It carries the ``clientState`` of its subscription, and an id: what the id stands for is
read from Graph, which is the proof of it. Documented at
learn.microsoft.com/graph/change-notifications-delivery-webhooks. A rich one carries the resource too, encrypted, and is
proven by tokens (:mod:`connector_microsoft_teams.rich`): of transcripts, only those name the call that they are of.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import AliasChoices, Field

from connector_core.errors import CredentialsError, InputError
from connector_core.providers.bodies import Sent, checked, read_object
from connector_core.providers.hookspecs import Announced, Delivery, Heard, Ignored, Reply
from connector_microsoft_teams.rich import Encrypted, PublisherKeys, decrypted, prove_tokens
from connector_microsoft_teams.settings import TeamsSettings

RECORD, ATTENDANCE, CALENDAR, TRANSCRIPT = "record", "attendance", "calendar", "transcript"
"""What is read of a call, in the words of an announcement."""

_TOKEN = re.compile(r"[^\x00-\x1f\x7f-\U0010ffff<>&\"']{1,2048}")
_GUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_CALL_RECORD = re.compile(rf"/?communications/callrecords(?:/|\(')(?P<id>{_GUID})(?:'\))?")
_TRANSCRIPT = re.compile(r".*/onlinemeetings(?:/|\(').+/transcripts(?:/|\(').+")

Word = Annotated[str, Field(min_length=1, max_length=4096)]
Token = Annotated[str, Field(min_length=1, max_length=16_384)]


class Item(Sent):
    """One change. ``resource``: the path of what changed, as it follows the version in Graph's addresses.

    A lifecycle notification is of the subscription itself, and has no resource.
    """

    clientState: Word  # noqa: N815 - as Graph writes it
    tenantId: Word  # noqa: N815 - as Graph writes it
    resource: Word | None = None
    changeType: Word | None = None  # noqa: N815 - as Graph writes it
    lifecycleEvent: Word | None = None  # noqa: N815 - as Graph writes it


class RichItem(Item):
    """One change as it is delivered, with the resource or without; some samples of Microsoft's write a capital E."""

    encryptedContent: Encrypted | None = Field(  # noqa: N815 - as Graph writes it
        default=None, validation_alias=AliasChoices("encryptedContent", "EncryptedContent")
    )


class Delivered(Sent):
    """What is delivered: several changes, which may be of several subscriptions, and what proves the rich ones."""

    value: Annotated[list[RichItem], Field(min_length=1)]
    validationTokens: Annotated[list[Token], Field(max_length=100)] | None = None  # noqa: N815 - as Graph writes it


class ProvenItem(Item):
    """One change, once it was proven. ``content``: the resource, decrypted."""

    content: dict[str, Any] | None = None


class Collection(Sent):
    """What was delivered, once it was proven."""

    value: Annotated[list[ProvenItem], Field(min_length=1)]


class Transcript(Sent):
    """The resource of a transcript. ``callId`` is taken to be the id of the call record; older transcripts have none."""

    callId: str | None = None  # noqa: N815 - as Graph writes it


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


def prove(delivery: Delivery, settings: TeamsSettings, publisher: PublisherKeys) -> bytes:
    """Prove every item of a delivery; one that is not proven spoils it.

    :returns: What was proven, its resources decrypted where there is a key for them.
    :raises CredentialsError: An item has not the connection's ``client_state``, is of another tenant, or is rich and not
        proven.
    :raises InputError: It is no collection of notifications.
    :raises TryAgainError: It is rich, and Microsoft's keys cannot be read now.
    """
    delivered = checked(Delivered, read_object(delivery.body))
    wanted = settings.client_state.get_secret_value().encode()
    if not all(hmac.compare_digest(item.clientState.encode(), wanted) for item in delivered.value):
        raise CredentialsError("clientState is not the connection's client_state")
    if any(item.tenantId.lower() != settings.tenant_id for item in delivered.value):
        raise CredentialsError("the notification is of another tenant than tenant_id")
    keys = settings.keys()
    if keys and any(item.encryptedContent is not None for item in delivered.value):
        prove_tokens(delivered.validationTokens or (), settings, publisher)
    proven = []
    for item in delivered.value:
        content = decrypted(item.encryptedContent, keys) if keys and item.encryptedContent is not None else None
        proven.append(item.model_dump(exclude={"encryptedContent"}) | {"content": content})
    return json.dumps({"value": proven}).encode()


def heard(event: bytes, settings: TeamsSettings) -> Iterator[Heard]:
    """Read what a delivery announces.

    :raises InputError: It is no collection of notifications.
    """
    for item in checked(Collection, read_object(event)).value:
        yield from _of_item(item, settings)


def announced(record_id: str, settings: TeamsSettings) -> Iterator[Announced]:
    """Give what can be read of a call that has a record."""
    call_id = call_id_of(record_id)
    yield Announced(call_id, RECORD)
    if settings.attendance:
        yield Announced(call_id, ATTENDANCE)
    if settings.calendar:
        yield Announced(call_id, CALENDAR)


def _of_item(item: ProvenItem, settings: TeamsSettings) -> Iterator[Heard]:
    if item.lifecycleEvent is not None:
        yield Ignored(item.lifecycleEvent, "it is about the subscription, which workers see to")
        return
    found = _CALL_RECORD.fullmatch((item.resource or "").lower())
    name = item.changeType or "a change"
    if _TRANSCRIPT.fullmatch((item.resource or "").lower()):
        yield _of_transcript(item, name)
    elif found is None:
        yield Ignored(name, "it is of no call record")
    elif item.changeType not in ("created", "updated"):
        yield Ignored(name, "it tells nothing of a call that has ended")
    else:
        yield from announced(found["id"], settings)


def _of_transcript(item: ProvenItem, name: str) -> Heard:
    if item.content is None:
        return Ignored(name, "a transcript without its resource does not name its call")
    call_id = checked(Transcript, item.content).callId
    if call_id is None or not re.fullmatch(_GUID, call_id.lower()):
        return Ignored(name, "the transcript does not name its call")
    return Announced(call_id_of(call_id.lower()), TRANSCRIPT)
