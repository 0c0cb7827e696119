"""Odoo under the contract that every CRM plugin is held to."""

from __future__ import annotations

from connector_odoo import ODOO

from connector_core.testing.contract import AdapterContract


class TestOdoo(AdapterContract, manifest=ODOO):
    """Odoo keeps the connector's contract."""
