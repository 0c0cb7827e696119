"""The settings of a Ringover connection."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic_core import PydanticCustomError

from connector_core.addresses import read_address

API = "https://public-api.ringover.com/v2"


def _secret(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if not text or not text.isascii() or not text.isprintable() or " " in text:
        raise PydanticCustomError("ringover_key", "should be a key as Ringover shows it, without blanks")
    return secret


def _ringover_only(text: str) -> str:
    """Hold an address to Ringover's own hosts, so that the key is sent to nobody else."""
    at = read_address(text)
    theirs = at is not None and at.scheme == "https" and at.host.endswith(".ringover.com") and at.port in (None, 443)
    if at is None or not (theirs or at.on_loopback):
        raise PydanticCustomError("ringover_url", f"should be an https address of ringover.com, like {API}")
    return text.rstrip("/")


def _public(text: str) -> str:
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise PydanticCustomError("ringover_webhook", "should be the address that Ringover was given, like https://…")
    return text


Key = Annotated[SecretStr, AfterValidator(_secret)]


class RingoverSettings(BaseModel):
    """How webhooks are proven, and what they announce is read.

    ``webhook_key``: the key that Ringover shows beside the webhooks of calls; those of contacts and of routing have keys of
    their own. ``webhook_url``: the address that Ringover was given, where a proxy changes its host or path on the way to us.
    ``api_key``: of Ringover's API, with the right to read calls and transcriptions; without it, what can only be
    read there is ignored. ``api_url``: of the API, where the account is on another host.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    webhook_key: Key
    webhook_url: Annotated[str, AfterValidator(_public)] | None = None
    api_key: Key | None = None
    api_url: Annotated[str, AfterValidator(_ringover_only)] = API
    timeout_seconds: Annotated[float, Field(gt=0, le=300)] = 30.0
