"""What the tests of this plugin share: signed requests, and the calls that events tell of."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
from connector_zoom import ZOOM

from connector_core.model import Call
from connector_core.providers.binding import Provider, bind_provider
from connector_core.providers.hookspecs import Delivery, Heard, Part
from connector_core.providers.merging import merge

SECRET = "invented-secret-token"
ACCOUNT = "AAAAAABBBBBB_cccccccc"

Sign: TypeAlias = Callable[..., Delivery]
Hear: TypeAlias = Callable[[Provider, dict[str, Any]], list[Heard]]
Tell: TypeAlias = Callable[..., Call | None]


@pytest.fixture
def zoom() -> Iterator[Provider]:
    """A connection that only listens."""
    with bind_provider(ZOOM, {"secret_token": SECRET, "account_id": ACCOUNT}) as provider:
        yield provider


@pytest.fixture
def reader() -> Iterator[Provider]:
    """A connection that reads too; nothing is read in the tests that use it."""
    app = {"client_id": "invented", "client_secret": "invented"}
    with bind_provider(ZOOM, {"secret_token": SECRET, "account_id": ACCOUNT, **app}) as provider:
        yield provider


@pytest.fixture
def sign() -> Sign:
    """Sign a body as Zoom does."""

    def signed(body: bytes, *, age_seconds: float = 0, secret: str = SECRET) -> Delivery:
        timestamp = str(int(time.time() - age_seconds))
        mac = hmac.new(secret.encode(), f"v0:{timestamp}:".encode() + body, hashlib.sha256).hexdigest()
        return Delivery(body, {"x-zm-request-timestamp": timestamp, "x-zm-signature": f"v0={mac}"})

    return signed


@pytest.fixture
def hear(sign: Sign) -> Hear:
    """Give what an event says, once it is proven."""

    def heard(provider: Provider, event: dict[str, Any]) -> list[Heard]:
        proven = provider.verify(sign(json.dumps(event).encode()))
        assert isinstance(proven, bytes)
        return list(provider.parse(proven))

    return heard


@pytest.fixture
def tell(hear: Hear) -> Tell:
    """Give the call that events tell of; None while it is not complete."""

    def told(provider: Provider, *events: dict[str, Any]) -> Call | None:
        return merge(part for event in events for part in hear(provider, event) if isinstance(part, Part))

    return told
