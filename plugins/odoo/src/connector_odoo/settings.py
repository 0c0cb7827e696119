"""The settings of an Odoo connection."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic_core import PydanticCustomError

from connector_core.addresses import read_origin

_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?|[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*")


def _server(text: str) -> str:
    """Hold an address to https, so that the key is never sent in clear; http on this machine only."""
    at = read_origin(text)
    if at is None or not _HOST.fullmatch(at.host) or not (at.scheme == "https" or at.on_loopback):
        raise PydanticCustomError(
            "base_url",
            "should be like https://acme.odoo.com, without a path, or http on loopback for a server on this machine",
        )
    return at.origin


def _fits_a_header(key: SecretStr) -> SecretStr:
    text = key.get_secret_value()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise PydanticCustomError("api_key", "should be an API key as Odoo shows it once, without blanks")
    return key


class OdooSettings(BaseModel):
    """How a connection reaches an Odoo server.

    ``api_key``: of the user that the connector acts as (Preferences, Security, New API Key).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    base_url: Annotated[str, AfterValidator(_server)]
    database: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
    api_key: Annotated[SecretStr, AfterValidator(_fits_a_header)]
    timeout_seconds: Annotated[float, Field(gt=0, le=900)] = 60.0
    settle_seconds: Annotated[float, Field(ge=0)] | None = None
