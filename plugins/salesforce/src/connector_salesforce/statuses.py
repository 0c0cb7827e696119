"""The status of a task that is done: the org's own word for it (Object Reference, "TaskStatus")."""

from __future__ import annotations

from collections.abc import Sequence

from connector_core.errors import ConfigurationError, ConnectorError
from connector_core.model import Unknown
from connector_salesforce.client import Answer, Client
from connector_salesforce.records import text
from connector_salesforce.soql import Query, compare

_USUAL = "Completed"


class TaskStatuses:
    """Remembers the status; asks for it beside other questions, so that it costs no request of its own."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._closed: str | None = None

    def queries(self) -> list[Query]:
        """Give the query to carry along, or none when it is known."""
        if self._closed is not None:
            return []
        return [Query("TaskStatus", ("Id", "ApiName", "SortOrder"), (compare("IsClosed", "=", True),), spare=True)]

    def learn(self, answers: Sequence[Answer]) -> None:
        """Take the answer to :meth:`queries`: the usual status if the org has it, else the first of those that close."""
        rows = [row for answer in answers if not isinstance(answer, Unknown) for row in answer]
        order = sorted((row.get("SortOrder") or 0, name) for row in rows if (name := text(row, "ApiName")))
        names = [name for _, name in order]
        if names:
            self._closed = _USUAL if _USUAL in names else names[0]

    def closed(self, client: Client) -> str:
        """Give the status, asking if nothing was carried along before.

        :raises ConfigurationError: The org has no status that closes a task.
        """
        if self._closed is None:
            self.learn(client.ask(self.queries()))
        if self._closed is None:
            raise ConfigurationError("this org has no task status that counts as closed: add one in Setup")
        return self._closed

    def anew(self, client: Client) -> str | None:
        """Ask once more, as the org refused the status; None where that cannot be told. Nothing is raised."""
        self._closed = None
        try:
            return self.closed(client)
        except ConnectorError:
            return None
