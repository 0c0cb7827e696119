"""Proves a webhook of Aircall's and reads what it says of a call."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr
from pydantic_core import PydanticCustomError

from connector_aircall.body import CallEvent, EndedEvent, Event
from connector_aircall.mapping import to_part
from connector_core.errors import CredentialsError, InputError
from connector_core.providers.bodies import checked, read_object
from connector_core.providers.hookspecs import Delivery, Heard, Ignored, hookimpl

FINISHED = "call.ended"
FURTHER = frozenset(
    f"call.{event}"
    for event in ("archived", "assigned", "commented", "comm_assets_generated", "tagged", "untagged", "voicemail_left")
)
"""Further events that hold the whole call as it stands; some come before it is finished, and some long after."""
_FINISHED_AFTER_SECONDS = 30
"""From the hang-up to ``call.ended``: what is told of a call later than that is told of a finished one."""


def _filled(token: SecretStr) -> SecretStr:
    if not token.get_secret_value().strip():
        raise PydanticCustomError("secret_empty", "should not be empty")
    return token


class AircallSettings(BaseModel):
    """``token``: the webhook's own token, which Aircall repeats in every body; not the pair that signs in to its API."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    token: Annotated[SecretStr, AfterValidator(_filled)]


class AircallAdapter:
    """Aircall, as :class:`connector_core.providers.hookspecs.ProviderHooks`."""

    def __init__(self, settings: AircallSettings) -> None:
        """Keep the settings; nothing is sent."""
        self._token = settings.token

    @hookimpl
    def verify(self, delivery: Delivery) -> bytes:
        """Compare the token in the body, the only proof there is, in a time that tells nothing of it.

        Documented at developer.aircall.io/tutorials/webhooks-guide. An old ``timestamp`` is no reason to refuse: Aircall
        delivers for hours.
        """
        token = read_object(delivery.body).get("token")
        if not isinstance(token, str):
            raise InputError("token: is required, as text: is this a webhook of Aircall's?")
        expected = self._token.get_secret_value()
        if not hmac.compare_digest(token.encode(errors="surrogatepass"), expected.encode(errors="surrogatepass")):
            raise CredentialsError("the token in the body is not that of this webhook: see GET /v1/webhooks at Aircall")
        return delivery.body

    @hookimpl
    def parse(self, event: bytes) -> Sequence[Heard]:
        """Take ``call.ended``, which follows the hang-up by half a minute and is the first to hold the whole call.

        The events about a call before and after it hold the call as it stands, with its tags and comments. Documented at
        developer.aircall.io/docs/webhooks-overview.
        """
        value = read_object(event)
        head = checked(Event, value)
        if head.event == FINISHED:
            return [to_part(head, checked(EndedEvent, value).data, complete=True)]
        if head.event not in FURTHER:
            return [Ignored(head.event, f"no finished call; {FINISHED} tells of one")]
        data = checked(CallEvent, value).data
        over = data.ended_at is not None and head.timestamp >= data.ended_at + _FINISHED_AFTER_SECONDS
        return [to_part(head, data, complete=over)]

    def close(self) -> None:
        """Let go of nothing: there is no connection."""
