"""The ledger as a whole."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable
from typing import Self

from connector_core.ledger.calls import CallList
from connector_core.ledger.connections import Connections
from connector_core.ledger.database import Database
from connector_core.ledger.feeds import Feeds
from connector_core.ledger.fill_days import FillDays
from connector_core.ledger.fill_steps import FillSteps
from connector_core.ledger.fillings import Fillings
from connector_core.ledger.heard import Heard
from connector_core.ledger.inbox import Inbox
from connector_core.ledger.jobs import Jobs
from connector_core.ledger.leases import LEASE_SECONDS, Leases
from connector_core.ledger.people import Decided
from connector_core.ledger.progress import Progress
from connector_core.ledger.templates import Templates


class Ledger:
    """What was accepted, decided, sent and confirmed, of all connections; safe for threads.

    ``inbox`` accepts calls, ``heard`` keeps what webhooks tell of them, ``leases`` tell whose turn it is, ``jobs`` are what
    is due, ``progress`` keeps what becomes of them, ``calls`` tells how calls stand, ``people`` what people decided,
    ``connections`` how connections do, ``feeds`` what calls wait for in the CRM, ``templates`` what is
    filled from them, ``fillings`` what came of that, and ``fill_days`` how often.
    """

    def __init__(
        self, url: str, *, lease_seconds: float = LEASE_SECONDS, clock: Callable[[], float] = time.time
    ) -> None:
        """Open the database, and bring its tables up to date.

        :param url: ``sqlite:///FILE`` or ``postgresql://…``.
        :param lease_seconds: How long a pump may be silent before another one takes over (PostgreSQL).
        :raises ConfigurationError: The address is wrong, or its driver is missing.
        :raises TryAgainError: The database cannot be reached.
        """
        self.database = Database(url, clock=clock)
        try:
            self.database.upgrade()
        except BaseException:
            self.database.close()
            raise
        self.inbox = Inbox(self.database)
        self.heard = Heard(self.database, self.inbox)
        self.leases = Leases(self.database, seconds=lease_seconds)
        self.calls = CallList(self.database)
        self.jobs = Jobs(self.database, self.leases)
        self.people = Decided(self.database)
        self.progress = Progress(self.database, self.leases)
        self.connections = Connections(self.database, self.leases)
        self.feeds = Feeds(self.database)
        self.fillings = Fillings(self.database)
        self.fill_steps = FillSteps(self.database, self.leases)
        self.templates = Templates(self.database)
        self.fill_days = FillDays(self.database)

    def now(self) -> dt.datetime:
        """Tell the time by which calls are due."""
        with self.database.reading() as step:
            return self.database.now(step)

    def close(self) -> None:
        """Close the database."""
        self.database.close()

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()
