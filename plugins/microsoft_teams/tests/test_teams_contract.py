"""Microsoft Teams keeps the contract with call providers."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any

import pytest
from connector_microsoft_teams import MICROSOFT_TEAMS
from connector_microsoft_teams.sandbox import GraphSandbox, Tenant

from connector_core.providers.hookspecs import Delivery
from connector_core.testing.providers import ProviderContract, Sample
from connector_core.testing.server import SandboxServer

TENANT = "9d66187e-13f0-4666-9bac-be67ddd4b676"
STATE = "invented-client-state"
SETTINGS = {
    "tenant_id": TENANT,
    "client_id": "8e460676-ae3f-4b1e-8790-ee0fb5d6148f",
    "client_secret": "invented-secret",
    "client_state": STATE,
}
FIRST, SECOND = "e523d2ed-2966-4b6b-925b-754a88034cc5", "7fb28012-9b8a-4c06-b9ba-298a6a5aad89"


def about(record_id: str, **more: Any) -> dict[str, Any]:
    """Make a notification about a call record."""
    return {
        "subscriptionId": "a8cea9ce-70ac-4166-b2d3-9463bd25c971",
        "clientState": STATE,
        "changeType": "created",
        "resource": f"communications/callRecords/{record_id}",
        "resourceData": {"@odata.type": "#Microsoft.Graph.callrecord", "id": record_id},
        "tenantId": TENANT,
        **more,
    }


def delivery(*items: dict[str, Any]) -> Delivery:
    """Deliver notifications."""
    return Delivery(json.dumps({"value": items}).encode())


class TestMicrosoftTeams(
    ProviderContract,
    manifest=MICROSOFT_TEAMS,
    settings=SETTINGS,
    others=SETTINGS | {"client_state": "somebody-else's-state"},
):
    """Microsoft Teams keeps the connector's contract; its notifications only announce."""

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def _served(cls) -> Iterator[None]:
        """Serve subscriptions, and a call record."""
        began = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)
        record = {
            "id": FIRST,
            "version": 1,
            "type": "groupCall",
            "startDateTime": began.isoformat(),
            "endDateTime": (began + dt.timedelta(minutes=5)).isoformat(),
            "joinWebUrl": "",
            "organizer_v2": None,
            "participants_v2": [],
        }
        with SandboxServer(GraphSandbox(Tenant(records=[record]))) as server:
            cls.settings = {**server.settings, "client_state": STATE, "notification_url": "https://connector.example/x"}
            cls.listed, cls.listed_since = [f"microsoft_teams:{FIRST}"], began - dt.timedelta(hours=5)
            yield

    samples = (
        Sample(delivery(about(FIRST))),
        Sample(delivery(about(FIRST, changeType="updated"), about(SECOND))),
        Sample(delivery(about(FIRST, resource="users/ada/events/7"))),
        Sample(delivery({"clientState": STATE, "tenantId": TENANT, "lifecycleEvent": "reauthorizationRequired"})),
    )
