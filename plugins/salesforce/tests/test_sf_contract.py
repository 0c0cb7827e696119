"""Salesforce under the contract that every CRM plugin is held to."""

from __future__ import annotations

from connector_salesforce import SALESFORCE

from connector_core.testing.contract import AdapterContract


class TestSalesforce(AdapterContract, manifest=SALESFORCE):
    """Salesforce keeps the connector's contract."""
