"""The CRM in a file under the contract that every CRM plugin is held to."""

from __future__ import annotations

from contract_accounts import FileAccount

from connector_core.crms import FILE
from connector_core.testing.contract import AdapterContract


class TestFile(AdapterContract, manifest=FILE, account=FileAccount()):
    """The CRM in a file keeps the connector's contract."""
