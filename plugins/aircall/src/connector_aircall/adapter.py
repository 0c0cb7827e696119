"""Verifies a webhook of Aircall's and turns a finished call into ours."""

from __future__ import annotations

import hmac
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, SecretStr
from pydantic_core import PydanticCustomError

from connector_aircall.body import EndedCall, Event
from connector_aircall.mapping import to_call
from connector_core.errors import CredentialsError, InputError
from connector_core.providers.bodies import checked, read_object
from connector_core.providers.hookspecs import Answer, Contribution, Ignored, hookimpl

_FINISHED = "call.ended"


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
    def contribute(self, body: bytes) -> Answer:
        """Take ``call.ended``, which follows the hang-up by half a minute and is the first to hold the whole call.

        Documented at developer.aircall.io/docs/webhooks-overview.
        """
        value = read_object(body)
        self._verify(value.get("token"))
        event = checked(Event, value)
        if event.event != _FINISHED:
            return Ignored(event.event, f"no finished call; {_FINISHED} tells of one")
        return Contribution(to_call(checked(EndedCall, value).data), float(event.timestamp))

    def _verify(self, token: object) -> None:
        """Compare the token before anything else is believed, in a time that tells nothing of it."""
        if not isinstance(token, str):
            raise InputError("token: is required, as text: is this a webhook of Aircall's?")
        expected = self._token.get_secret_value()
        if not hmac.compare_digest(token.encode(errors="surrogatepass"), expected.encode(errors="surrogatepass")):
            raise CredentialsError("the token in the body is not that of this webhook: see GET /v1/webhooks at Aircall")

    def close(self) -> None:
        """Let go of nothing: there is no connection."""
