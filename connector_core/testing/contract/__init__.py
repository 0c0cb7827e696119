"""The contract kit: clauses that any CRM plugin is held to, on cassettes, on an account, or on this machine."""

from connector_core.manifest import Deviation
from connector_core.testing.contract.accounts import Account
from connector_core.testing.contract.base import AdapterContract
from connector_core.testing.contract.clauses import Clause, clause
from connector_core.testing.contract.crm import Crm
from connector_core.testing.contract.wording import BrokenClauseError

__all__ = ["Account", "AdapterContract", "BrokenClauseError", "Clause", "Crm", "Deviation", "clause"]
