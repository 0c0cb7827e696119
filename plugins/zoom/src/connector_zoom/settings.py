"""The settings of a connection to Zoom, checked before anything is sent."""

from __future__ import annotations

import re
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_core import PydanticCustomError

from connector_core.addresses import read_origin

_API_HOST = re.compile(r"api(?:-[a-z0-9]+)?\.(?P<domain>zoom\.us|zoomgov\.com)")


def _held_to_zoom(text: str) -> str:
    """Keep credentials from any other host: Zoom's own over https, or a sandbox on this machine."""
    at = read_origin(text)
    theirs = at is not None and at.scheme == "https" and at.port is None and _API_HOST.fullmatch(at.host)
    if at is None or not (theirs or at.on_loopback):
        raise PydanticCustomError(
            "base_url", "should be https://api.zoom.us (or https://api.zoomgov.com), or http on loopback for a sandbox"
        )
    return at.origin


def _filled(secret: SecretStr) -> SecretStr:
    if not secret.get_secret_value().strip():
        raise PydanticCustomError("secret_empty", "should not be empty")
    return secret


Secret = Annotated[SecretStr, AfterValidator(_filled)]
Text = Annotated[str, Field(pattern=r"^[\x21-\x7e]+$")]


class ZoomSettings(BaseModel):
    """How webhooks are proven, and how what they announce is read.

    ``secret_token``: of the app's event subscription. ``account_id``: events of another account are refused. With it,
    ``client_id`` and ``client_secret`` of a server-to-server OAuth app: who was in a meeting, and its transcript, are read.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    secret_token: Secret
    account_id: Text | None = None
    client_id: Text | None = None
    client_secret: Secret | None = None
    base_url: Annotated[str, AfterValidator(_held_to_zoom)] = "https://api.zoom.us"
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0

    @model_validator(mode="after")
    def _signs_in_or_not(self) -> ZoomSettings:
        app = (self.client_id, self.client_secret)
        if any(app) and not (all(app) and self.account_id):
            raise PydanticCustomError("sign_in", "should have account_id, client_id and client_secret together")
        return self

    @property
    def reads(self) -> bool:
        """Whether Zoom's API may be asked."""
        return self.client_id is not None

    @property
    def login_url(self) -> str:
        """Where tokens are asked for: ``https://zoom.us`` beside ``https://api.zoom.us``; a sandbox has one address."""
        found = _API_HOST.fullmatch(urlsplit(self.base_url).hostname or "")
        return f"https://{found['domain']}" if found else self.base_url

    def is_own(self, url: str) -> bool:
        """Tell whether a file may be read there: a host of Zoom's over https, or the sandbox itself."""
        try:
            parts = urlsplit(url)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return False
        if parts.username is not None:
            return False
        if self.login_url == self.base_url:
            return f"{parts.scheme}://{parts.netloc}" == self.base_url
        domain = urlsplit(self.login_url).hostname or ""
        return parts.scheme == "https" and port in (None, 443) and (host == domain or host.endswith(f".{domain}"))
