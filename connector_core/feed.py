"""The feed of changes: what appears in the CRM after a call associates the calls that wait for it.

The CRM's changes are listed since the last time, less a look-back: a record becomes visible later than the time that it
bears. So some are told twice, which does no harm; only calls that wait for a record are refreshed, as a person would.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Sequence
from typing import TypeVar

from connector_core.association import keys_of_opportunity, keys_of_person
from connector_core.config import OpenConnection
from connector_core.errors import ContractError, RefusedError, TryAgainError
from connector_core.ledger.feeds import Listing
from connector_core.ledger.inbox import Wake
from connector_core.ledger.ledger import Ledger
from connector_core.model import Changed, ChangePage, RecordKind, Unknown

T = TypeVar("T")
SPARE_SECONDS = 300.0
"""What the look-back has beside the connection's ``settle_seconds``: for clocks that differ, and calls under way."""
MOST_PAGES = 20
"""Pages that are read in one turn, so that calls need not wait for all of an import."""
NEEDED = frozenset({"list_changes", "read_people"})


def has_feed(opened: OpenConnection) -> bool:
    """Tell whether the changes of a connection's CRM are read."""
    return opened.changes_seconds > 0 and opened.connection.operations >= NEEDED


class Feed:
    """Reads what changed in the CRM of one connection."""

    def __init__(self, ledger: Ledger, opened: OpenConnection, *, wake: Wake | None = None) -> None:
        """Read nothing yet.

        :param wake: Wakes a pump when calls became due.
        """
        self._ledger = ledger
        self._opened = opened
        self._connection = opened.connection
        self._wake = wake
        self._kinds: list[RecordKind] = ["contact", "opportunity"]
        if "leads" in opened.connection.manifest.traits:
            self._kinds.append("lead")

    def read(self, stop: threading.Event | None = None, *, at_once: bool = False) -> list[str]:
        """Read what changed, if it is time to and a call waits for anything; give the ids of calls that are due now.

        What webhooks told is heard at once.

        :param stop: Read no further page once it is set.
        :param at_once: It is time.
        :raises ConnectorError: The CRM or the ledger could not be asked: what was not read is read the next time.
        """
        name = self._connection.name
        if not has_feed(self._opened):
            self._ledger.feeds.stop(name)
            return []
        due = set(self.hear(told)) if (told := self._ledger.feeds.told(name)) else set()
        listing = self._ledger.feeds.turn(name, every_seconds=self._opened.changes_seconds, at_once=at_once)
        look_back = dt.timedelta(seconds=self._connection.settle_seconds + SPARE_SECONDS)
        pages = 0
        while listing is not None and not (stop is not None and stop.is_set()):
            page = self._page(listing, listing.since - look_back)
            due.update(self.hear(page.records))
            listing = self._ledger.feeds.went_on(name, listing, page.next)
            pages += 1
            if listing is not None and pages == MOST_PAGES and not at_once:
                self._ledger.feeds.hurry(name)
                break
        return sorted(due)

    def _page(self, listing: Listing, since: dt.datetime) -> ChangePage:
        try:
            return self._connection.list_changes(self._kinds, since, listing.page)
        except (ContractError, RefusedError):
            # The page may be one that another version of the plugin named: the list begins anew.
            self._ledger.feeds.begin_anew(self._connection.name)
            raise

    def hear(self, records: Sequence[Changed]) -> list[str]:
        """Let the calls be refreshed that wait for records that changed; give their ids.

        :param records: As a page of changes or a webhook tells them; of any kind, and more than once if need be.
        :raises ConnectorError: The CRM or the ledger could not be asked; nothing was kept.
        """
        people = sorted({record.id for record in records if record.kind in ("contact", "lead")})
        deals = sorted({record.id for record in records if record.kind == "opportunity"})
        keys: set[str] = set()
        for found in self._connection.read_people(people).values():
            for person in _known(found):
                keys.update(keys_of_person(person, self._opened.association))
        for deal in self._connection.list_opportunities(opportunity_ids=deals).by_id.values():
            for opportunity in _known(deal):
                keys.update(keys_of_opportunity(opportunity))
        return self._ledger.feeds.appeared(self._connection.name, keys, wake=self._wake) if keys else []


def _known(found: tuple[T, ...] | Unknown) -> tuple[T, ...]:
    if isinstance(found, Unknown):
        raise TryAgainError(f"a record that changed could not be read: {found.reason}")
    return found
