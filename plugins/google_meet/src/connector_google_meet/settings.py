"""The settings of a connection to Google Meet, checked before anything is sent."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, cast
from urllib.parse import urlsplit

from google.auth import exceptions
from google.oauth2 import service_account
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic_core import PydanticCustomError

from connector_core.addresses import read_origin

SCOPES = (
    "openid",
    "https://www.googleapis.com/auth/meetings.space.readonly",
    "https://www.googleapis.com/auth/calendar.events.readonly",
    "https://www.googleapis.com/auth/drive.meet.readonly",
)
"""What the service account is delegated, all of it: Google gives a token for all scopes that are asked for, or none."""


def _on_loopback(text: str | None) -> str | None:
    """Keep credentials from any host but Google's own: what stands in for it is on this machine."""
    if text is None:
        return None
    at = read_origin(text)
    if at is None or not at.on_loopback or not at.port:
        raise PydanticCustomError("sandbox_url", "should be http on loopback, like http://127.0.0.1:8080")
    return at.origin


def _key(secret: SecretStr) -> SecretStr:
    readable = False
    try:
        credentials_of(secret)
        readable = True
    except (ValueError, TypeError, AttributeError, exceptions.GoogleAuthError, RecursionError):
        pass
    # Raised out here: what reads keys might quote them.
    if not readable:
        raise PydanticCustomError("service_account", "should be the JSON of a service account's key, whole")
    return secret


def credentials_of(secret: SecretStr) -> service_account.Credentials:
    """Read the key of a service account; nothing is sent.

    :raises Exception: It is none; what is raised may quote it.
    """
    info = json.loads(secret.get_secret_value())
    make = cast(Any, service_account.Credentials.from_service_account_info)  # google-auth leaves it untyped
    return cast(service_account.Credentials, make(info, scopes=SCOPES))


def _listed(value: object) -> object:
    """Take a list, or a text with commas."""
    return tuple(text.strip() for text in value.split(",")) if isinstance(value, str) else value


def _like(example: str, pattern: str) -> AfterValidator:
    """Hold a text to its form; who gets it wrong is shown an example, not the pattern."""

    def check(text: str) -> str:
        if not re.fullmatch(pattern, text):
            raise PydanticCustomError("form", "should be like {example}", {"example": example})
        return text

    return AfterValidator(check)


Email = Annotated[str, _like("ada@seller.example", r"[^@\s]+@[^@\s]+\.[^@\s]+")]


class MeetSettings(BaseModel):
    """How events are proven, and as whom what they announce is read.

    ``subscription``: the push subscription of Pub/Sub. ``audience``, ``push_account``: for whom and as whom it signs its
    tokens. ``service_account_key``: of a service account with domain-wide delegation, as Google's console hands it out.
    ``users``: whom it acts for: those whose meetings are read. ``topic``: where subscriptions that are made send events.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    subscription: Annotated[
        str, _like("projects/PROJECT/subscriptions/NAME", r"projects/[^/\s]+/subscriptions/[^/\s]+")
    ]
    audience: Annotated[str, _like("https://calls.seller.example/hooks/acme/google_meet", r"[\x21-\x7e]+")]
    push_account: Email
    service_account_key: Annotated[SecretStr, AfterValidator(_key)]
    users: Annotated[tuple[Email, ...], Field(min_length=1), BeforeValidator(_listed)]
    topic: Annotated[str, _like("projects/PROJECT/topics/NAME", r"projects/[^/\s]+/topics/[^/\s]+")] | None = None
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30.0
    sandbox_url: Annotated[str | None, AfterValidator(_on_loopback)] = None

    def at(self, url: str) -> str:
        """Give the address of something at Google, or what it is at the stand-in that has all of Google's paths."""
        return url if self.sandbox_url is None else self.sandbox_url + urlsplit(url).path

    def is_own(self, email: str) -> bool:
        """Tell whether an address is of the Workspace: of a domain of one of ``users``."""
        domain = _domain(email)
        return bool(domain) and any(domain == _domain(user) for user in self.users)


def _domain(email: str) -> str:
    return email.rpartition("@")[2].strip().casefold()
