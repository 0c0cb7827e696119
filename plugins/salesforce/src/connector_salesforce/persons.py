"""Whether the org has person accounts.

Their fields are there only where they were switched on, and a query that names one that is not there fails.
``FIELDS(STANDARD)`` gives those that are there (SOQL and SOSL Reference, "FIELDS()"), so that nothing is asked for in vain.
"""

from __future__ import annotations

from collections.abc import Sequence

from connector_core.model import Unknown
from connector_salesforce.client import Answer
from connector_salesforce.soql import STANDARD, Query


class PersonAccounts:
    """Remembers it; learns it beside another question, from any account, so that it costs no request of its own."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self.there: bool | None = None

    def queries(self) -> list[Query]:
        """Give the query to carry along, or none when it is known."""
        return [] if self.there is not None else [Query("Account", (STANDARD,), limit=1, spare=True)]

    def learn(self, answers: Sequence[Answer]) -> None:
        """Take the answer to :meth:`queries`; an org without any account tells nothing."""
        for row in (row for answer in answers if not isinstance(answer, Unknown) for row in answer):
            self.there = "IsPersonAccount" in row
