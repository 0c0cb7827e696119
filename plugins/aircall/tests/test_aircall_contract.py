"""Aircall keeps the contract with call providers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pytest
from connector_aircall import AIRCALL
from scripted_api import ScriptedAPI

from connector_core.providers.binding import Provider, bind_provider
from connector_core.providers.hookspecs import Delivery
from connector_core.testing.providers import ProviderContract, Sample

TOKEN = "3d5e1f0c-invented"
DATA = {
    "id": 1804467231,
    "direction": "inbound",
    "started_at": 1772442000,
    "answered_at": 1772442012,
    "ended_at": 1772442291,
    "duration": 291,
    "asset": "https://assets.aircall.io/calls/1804467231/recording",
    "raw_digits": "+33 6 39 98 10 11",
    "user": {"id": 731416, "name": "Ada Agent", "email": "ada@seller.example"},
    "contact": {
        "first_name": "Camille",
        "last_name": "Durand",
        "emails": [{"value": "camille@buyer.example"}],
        "phone_numbers": [{"value": "+33639981011"}],
    },
    "number": {"id": 397375, "digits": "+33 1 99 00 00 01"},
    "participants": [{"type": "external", "phone_number": "+33639982030"}],
    "teams": [{"id": 1, "name": "Mid-market"}],
    "comments": [],
    "tags": [],
}
CALL: dict[str, Any] = {
    "id": "aircall:1804467231",
    "provider": "aircall",
    "kind": "phone",
    "direction": "inbound",
    "status": "completed",
    "started_at": "2026-03-02T09:00:00Z",
    "ended_at": "2026-03-02T09:04:51Z",
    "duration_seconds": 291,
    "talk_seconds": 279,
    "from_number": "+33 6 39 98 10 11",
    "to_number": "+33 1 99 00 00 01",
    "organizer": {"name": "Ada Agent", "email": "ada@seller.example"},
    "participants": [
        {"is_user": True, "name": "Ada Agent", "emails": ["ada@seller.example"]},
        {
            "is_user": False,
            "name": "Camille Durand",
            "emails": ["camille@buyer.example"],
            "phones": ["+33 6 39 98 10 11"],
        },
        {"is_user": False, "phones": ["+33639982030"]},
    ],
    "link": "https://assets.aircall.io/calls/1804467231/recording",
    "recording_url": "https://assets.aircall.io/calls/1804467231/recording",
    "teams": ["Mid-market"],
}
COMMENT = {"id": 4, "content": "wants a quote", "posted_at": 1772442380, "posted_by": {"id": 1, "name": "Sam Seller"}}
SAID = {"text": "wants a quote", "author": "Sam Seller", "at": "2026-03-02T09:06:20Z"}


def delivery(event: str, after_seconds: int, **more: Any) -> Delivery:
    """Write an event about the call, so long after its end."""
    at = 1772442291 + after_seconds
    return Delivery(
        json.dumps({"resource": "call", "event": event, "timestamp": at, "token": TOKEN, "data": DATA | more}).encode()
    )


class TestAircall(ProviderContract, manifest=AIRCALL, settings={"token": TOKEN}, others={"token": "another's"}):
    """Aircall keeps the connector's contract."""

    listed = ("aircall:1804467231", "aircall:1804467232")

    @pytest.fixture
    def provider(
        self, api: ScriptedAPI, serve_list: Callable[[Sequence[Mapping[str, Any]]], None]
    ) -> Iterator[Provider]:
        """The plugin, with a list of three calls: one before, and one that goes on."""
        before, going_on = {"id": 1, "started_at": 1772000000}, {"id": 2, "ended_at": None}
        serve_list([DATA, DATA | {"id": 1804467232}, DATA | before, DATA | going_on])
        signing_in = {"api_id": "a1b2-invented", "api_token": "c3d4-invented", "api_url": api.url}
        with bind_provider(AIRCALL, {"token": TOKEN, **signing_in}) as bound:
            yield bound

    samples = (
        Sample(delivery("call.ringing_on_agent", -290, answered_at=None, ended_at=None)),
        Sample(delivery("call.tagged", 2, tags=[{"id": 5, "name": "Demo"}])),
        Sample(delivery("call.ended", 30), CALL),
        Sample(delivery("call.commented", 89, comments=[COMMENT]), CALL | {"comments": [SAID]}),
    )
