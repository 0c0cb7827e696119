"""The settings of a HubSpot connection."""

from __future__ import annotations

import re
from typing import Annotated, TypeAlias

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from connector_core.addresses import read_origin

_OWN_HOST = re.compile(r"[a-z0-9][a-z0-9-]*\.hubapi\.com")


def _held_to_hubspot(text: str) -> str:
    """Keep tokens from any other host: HubSpot's own over https, or a sandbox on this machine."""
    at = read_origin(text)
    if at is not None and at.on_loopback:
        return at.origin
    if at is not None and at.scheme == "https" and at.port in (None, 443) and _OWN_HOST.fullmatch(at.host):
        return f"https://{at.host}"
    raise PydanticCustomError(
        "base_url",
        "should be https://api.hubapi.com (or another host of hubapi.com), or http on loopback for a sandbox",
    )


def _each_once(names: tuple[str, ...]) -> tuple[str, ...]:
    again = [name for place, name in enumerate(names) if name in names[:place]]
    if again:
        raise PydanticCustomError("twice", "names {name} twice", {"name": again[0]})
    return names


def _property(name: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise PydanticCustomError("property", "should be a property's internal name: lower case, digits and _")
    return name


Properties: TypeAlias = Annotated[
    tuple[Annotated[str, AfterValidator(_property)], ...], Field(min_length=1), AfterValidator(_each_once)
]
"""Properties by their internal names: lower case, digits and _ (guide to the properties API)."""


class HubSpotSettings(BaseModel):
    """How a connection reaches HubSpot: with a token that does not expire, or with one of OAuth that is refreshed.

    ``access_token``: of a private app, a static-auth app or a service key. Else, or as well, ``client_id``,
    ``client_secret`` and ``refresh_token`` of an OAuth app: a token that is given beside them is used until it expires, and
    those that are made of them are kept in the connection's store of tokens.
    ``webhook_secret``: the client secret of the app whose webhooks tell of changes, where it is not ``client_secret``.
    ``portal_id``: the account's number; what the app's webhooks tell of other accounts is passed over, and tokens of OAuth
    that are of another account are refused.
    ``phone_properties``, ``email_properties``: the properties of contacts by which people are looked for, in place of
    ``phone`` and ``mobilephone``, and of ``email`` (:mod:`connector_hubspot.identifying`).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    access_token: SecretStr | None = None
    client_id: str | None = None
    client_secret: SecretStr | None = None
    refresh_token: SecretStr | None = None
    webhook_secret: SecretStr | None = None
    portal_id: Annotated[str, Field(pattern=r"^[0-9]{1,20}$")] | None = None
    base_url: Annotated[str, AfterValidator(_held_to_hubspot)] = "https://api.hubapi.com"
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    settle_seconds: Annotated[float, Field(ge=0)] | None = None
    phone_properties: Properties | None = None
    email_properties: Properties | None = None

    @model_validator(mode="after")
    def _one_way_to_sign_in(self) -> HubSpotSettings:
        oauth = (self.client_id, self.client_secret, self.refresh_token)
        given = [bool(_text(part)) for part in oauth]
        if not (_text(self.access_token) or any(given)) or any(given) != all(given):
            raise PydanticCustomError(
                "sign_in", "should have an access_token, or client_id, client_secret and refresh_token together"
            )
        return self


def _text(value: str | SecretStr | None) -> str:
    return (value.get_secret_value() if isinstance(value, SecretStr) else value or "").strip()
