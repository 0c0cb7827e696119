"""The settings of a connection to Microsoft Graph, checked before anything is sent."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr
from pydantic_core import PydanticCustomError

from connector_core.addresses import read_origin

_LOGINS = {
    "graph.microsoft.com": "login.microsoftonline.com",
    "graph.microsoft.us": "login.microsoftonline.us",
    "dod-graph.microsoft.us": "login.microsoftonline.us",
    "microsoftgraph.chinacloudapi.cn": "login.chinacloudapi.cn",
}
"""Where each cloud's tokens come from; documented at learn.microsoft.com/graph/deployments."""


def _held_to_graph(text: str) -> str:
    """Keep credentials from any other host: Graph's own over https, or a sandbox on this machine."""
    at = read_origin(text)
    theirs = at is not None and at.scheme == "https" and at.port is None and at.host in _LOGINS
    if at is None or not (theirs or at.on_loopback):
        raise PydanticCustomError(
            "base_url",
            "should be https://graph.microsoft.com, the address of another cloud of Microsoft's, or http on loopback for "
            "a sandbox",
        )
    return at.origin


def _held_to_https(text: str) -> str:
    """Take what Graph can call and what leaves room for a query of ours."""
    if not re.fullmatch(r"https://[^\s?#@/]+/[^\s?#]*", text):
        raise PydanticCustomError(
            "notification_url", "should be the https address of the connection's webhook, without ? and #"
        )
    return text


def _filled(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise PydanticCustomError("secret_empty", "should not be empty")
    return secret


def _guess_proof(secret: SecretStr) -> SecretStr:
    """Hold the one thing that proves a notification to a length that nobody guesses, and that Graph takes."""
    if not 16 <= len(secret.get_secret_value()) <= 128:
        raise PydanticCustomError("client_state", "should have 16 to 128 characters, chosen at random")
    return secret


def _private_keys(text: str) -> list[RSAPrivateKey]:
    """Read keys, one after another.

    :raises ValueError: One is no RSA key that Graph encrypts to.
    """
    keys = []
    for block in re.findall("-----BEGIN .*?-----END [A-Z ]+-----", text, re.DOTALL):
        key = load_pem_private_key(block.encode(), None)
        if not isinstance(key, RSAPrivateKey) or not 2048 <= key.key_size <= 4096:
            raise ValueError
        keys.append(key)
    if not keys:
        raise ValueError
    return keys


def _opened(secret: SecretStr) -> SecretStr:
    wrong = PydanticCustomError(
        "private_key",
        "should be an RSA key of 2048 to 4096 bits, as PEM, without a password; or several, the newest first",
    )
    try:
        _private_keys(secret.get_secret_value())
    except (ValueError, TypeError):
        raise wrong from None
    return secret


Secret = Annotated[SecretStr, AfterValidator(_filled)]
Guid = Annotated[str, Field(pattern=r"^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"), AfterValidator(str.lower)]


class TeamsSettings(BaseModel):
    """How notifications are proven, and how what they announce is read.

    ``tenant_id``: the customer's. ``client_id``, ``client_secret``: of an app that is registered there. ``client_state``:
    of the subscriptions. ``private_key``: what rich notifications are encrypted to; without it their content is left alone.
    ``notification_url``: where the subscriptions that are made send them. ``attendance``, ``calendar``: whether attendance
    reports and calendars are read besides.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    tenant_id: Guid
    client_id: Guid
    client_secret: Secret
    client_state: Annotated[SecretStr, AfterValidator(_guess_proof)]
    private_key: Annotated[SecretStr, AfterValidator(_opened)] | None = None
    notification_url: Annotated[str, AfterValidator(_held_to_https)] | None = None
    attendance: bool = True
    calendar: bool = True
    base_url: Annotated[str, AfterValidator(_held_to_graph)] = "https://graph.microsoft.com"
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0

    @property
    def login_url(self) -> str:
        """Where tokens are asked for; a sandbox has one address."""
        login = _LOGINS.get(urlsplit(self.base_url).hostname or "")
        return f"https://{login}" if login else self.base_url

    def keys(self) -> list[RSAPrivateKey]:
        """Give the private keys, the newest first; none where rich notifications are not wanted."""
        return [] if self.private_key is None else _private_keys(self.private_key.get_secret_value())
