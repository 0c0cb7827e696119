"""What the tests of this plugin share: notifications as Graph delivers them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pytest
from connector_microsoft_teams import MICROSOFT_TEAMS

from connector_core.providers.binding import Provider, bind_provider
from connector_core.providers.hookspecs import Delivery

TENANT = "9d66187e-13f0-4666-9bac-be67ddd4b676"
APP = "8e460676-ae3f-4b1e-8790-ee0fb5d6148f"
STATE = "invented-client-state"
SETTINGS: dict[str, object] = {
    "tenant_id": TENANT, "client_id": APP, "client_secret": "invented-secret", "client_state": STATE
}  # fmt: skip

Item: TypeAlias = Callable[..., dict[str, Any]]
Deliver: TypeAlias = Callable[..., Delivery]


@pytest.fixture
def teams() -> Iterator[Provider]:
    """A connection; nothing is read in the tests that use it."""
    with bind_provider(MICROSOFT_TEAMS, SETTINGS) as provider:
        yield provider


@pytest.fixture
def item() -> Item:
    """Make one notification, in the form that was recorded."""

    def made(record_id: str, **more: Any) -> dict[str, Any]:
        path = f"communications/callRecords/{record_id}"
        return {
            "subscriptionId": "a8cea9ce-70ac-4166-b2d3-9463bd25c971",
            "clientState": STATE,
            "changeType": "created",
            "resource": path,
            "subscriptionExpirationDateTime": "2025-08-18T00:00:00+00:00",
            "resourceData": {"@odata.type": "#Microsoft.Graph.callrecord", "@odata.id": path, "id": record_id},
            "tenantId": TENANT,
            **more,
        }

    return made


@pytest.fixture
def deliver() -> Deliver:
    """Deliver notifications."""

    def delivered(*items: dict[str, Any], **more: Any) -> Delivery:
        return Delivery(json.dumps({"value": list(items), **more}).encode(), {"content-type": "application/json"})

    return delivered
