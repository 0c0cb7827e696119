"""Ringover with and without a key for its API, and a stand-in for that."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from connector_ringover import RINGOVER
from scripted_api import ScriptedAPI

from connector_core import policy
from connector_core.providers.binding import Provider, bind_provider

KEY = "5f1d-invented-webhook-key"
API_KEY = "9c2e-invented-api-key"


@pytest.fixture
def ringover() -> Iterator[Provider]:
    """Give Ringover without a key for its API."""
    with bind_provider(RINGOVER, {"webhook_key": KEY}) as bound:
        yield bound


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedAPI]:
    """Serve the stand-in, and wait for nothing."""
    monkeypatch.setattr(policy, "wait", lambda _seconds: None)
    served = ScriptedAPI("v2", API_KEY)
    yield served
    served.close()


@pytest.fixture
def reading(api: ScriptedAPI) -> Iterator[Provider]:
    """Give Ringover with a key for the API."""
    with bind_provider(RINGOVER, {"webhook_key": KEY, "api_key": API_KEY, "api_url": api.url}) as bound:
        yield bound
