"""Odoo under the contract on a real server, wherever the environment names one."""

from __future__ import annotations

from connector_odoo import ODOO

from connector_core.testing.contract import AdapterContract


class TestLiveOdoo(AdapterContract, manifest=ODOO, live=True):
    """Odoo keeps the connector's contract today, not only in what was recorded."""
