"""A stand-in for Aircall's API, and Aircall with a key for it."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from connector_aircall import AIRCALL
from scripted_api import ScriptedAPI

from connector_core import policy
from connector_core.providers.binding import Provider, bind_provider
from connector_core.testing.sandbox import Response

PAIR = {"api_id": "a1b2-invented", "api_token": "c3d4-invented"}


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedAPI]:
    """Serve the stand-in, and wait for nothing."""
    monkeypatch.setattr(policy, "wait", lambda _seconds: None)
    served = ScriptedAPI("v1", f"Basic {base64.b64encode(':'.join(PAIR.values()).encode()).decode()}")
    yield served
    served.close()


def listing(calls: Sequence[Mapping[str, Any]]) -> Callable[[Mapping[str, str]], Response]:
    """List calls as Aircall documents it: by when they began, the oldest first, page by page."""

    def page(query: Mapping[str, str]) -> Response:
        if query.keys() != {"from", "order", "page", "per_page", "fetch_contact"} or query["order"] != "asc":
            return Response(501)
        size, start = int(query["per_page"]), (int(query["page"]) - 1) * int(query["per_page"])
        if size > 50 or start + size > 10_000:
            return Response(400)
        since = sorted((it for it in calls if it["started_at"] >= int(query["from"])), key=lambda it: it["started_at"])
        return Response.of({"meta": {"total": len(since)}, "calls": since[start : start + size]})

    return page


@pytest.fixture
def serve_list(api: ScriptedAPI) -> Callable[[Sequence[Mapping[str, Any]]], None]:
    """Have the stand-in list calls."""
    return lambda calls: api.lists.update(calls=listing(calls))


@pytest.fixture
def reading(api: ScriptedAPI) -> Iterator[Provider]:
    """Give Aircall with the pair that signs in to the API."""
    with bind_provider(AIRCALL, {"token": "t", **PAIR, "api_url": api.url}) as bound:
        yield bound
