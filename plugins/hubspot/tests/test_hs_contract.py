"""HubSpot under the contract that every CRM plugin is held to."""

from __future__ import annotations

from connector_hubspot import HUBSPOT

from connector_core.testing.contract import AdapterContract


class TestHubSpot(AdapterContract, manifest=HUBSPOT):
    """HubSpot keeps the connector's contract."""
