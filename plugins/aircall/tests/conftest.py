"""A stand-in for Aircall's API, and Aircall with a key for it."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import pytest
from connector_aircall import AIRCALL
from scripted_api import ScriptedAPI

from connector_core import policy
from connector_core.providers.binding import Provider, bind_provider

PAIR = {"api_id": "a1b2-invented", "api_token": "c3d4-invented"}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedAPI]:
    """Serve the stand-in, and wait for nothing."""
    monkeypatch.setattr(policy, "wait", lambda _seconds: None)
    served = ScriptedAPI("v1", f"Basic {base64.b64encode(':'.join(PAIR.values()).encode()).decode()}")
    yield served
    served.close()


@pytest.fixture
def reading(api: ScriptedAPI) -> Iterator[Provider]:
    """Give Aircall with the pair that signs in to the API."""
    with bind_provider(AIRCALL, {"token": "t", **PAIR, "api_url": api.url}) as bound:
        yield bound
