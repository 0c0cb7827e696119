"""What is done at call providers from time to time: that webhooks keep coming, and what came by none of them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from connector_core.config import OpenConnection
from connector_core.errors import ConfigurationError, ConnectorError, TryAgainError
from connector_core.ledger.chores import Chore, Chores
from connector_core.ledger.ledger import Ledger
from connector_core.providers.hookspecs import Announced, Part

KEEP, LIST = "keep_subscribed", "list_missed"
LIST_SECONDS = 86_400.0
"""How often calls are listed that no webhook told of."""
LOOK_BACK = dt.timedelta(hours=12)
"""How much further back each list goes than the last one began: a call is listed after it began, some hours late."""
PATIENCE = dt.timedelta(days=3)
"""How long calls that could not be listed are asked for."""
MOST_PAGES = 20
"""Pages of a list that are read in one turn, so that calls need not wait for all of it."""


class Upkeep:
    """Keeps the subscriptions of one connection alive, and lists the calls that it missed."""

    def __init__(self, ledger: Ledger, opened: OpenConnection) -> None:
        """Do nothing yet."""
        self._ledger = ledger
        self._chores = Chores(ledger.database)
        self._opened = opened
        self._connection = opened.connection.name
        self._known = False
        self._news: list[str] = []

    def read(self) -> bool:
        """Do what is due at each provider; tell whether there is more to do at once.

        :raises ConnectorError: Something is wrong that was not told before; all else was done.
        """
        if not self._known:
            self._chores.set(self._connection, self._wanted())
            self._known = True
        self._news = []
        more = False
        while not more and (chore := self._chores.take(self._connection)) is not None:
            try:
                more = self._do(chore)
            except ConnectorError as error:
                after = error.after_seconds if isinstance(error, TryAgainError) else None
                # Else the page may be one that another version of the plugin named: the list begins anew.
                self._failed(chore, str(error), after_seconds=after, anew=not isinstance(error, TryAgainError))
        if self._news:
            raise ConnectorError("; ".join(self._news))
        return more

    def _wanted(self) -> set[tuple[str, str]]:
        wanted: set[tuple[str, str]] = set()
        for name in self._opened.sources.settings:
            try:
                provider = self._opened.sources.get(name)
            except ConfigurationError:
                wanted.add((name, KEEP))  # which tells what is wrong, once
            else:
                wanted |= {(name, hook) for hook in (KEEP, LIST) if provider.has(hook)}
        return wanted

    def _do(self, chore: Chore) -> bool:
        if chore.hook == LIST:
            return self._list(chore)
        kept = self._opened.sources.get(chore.provider).keep_subscribed()
        if kept.gap:
            self._chores.hurry(self._connection, chore.provider, LIST)
        if kept.problems:
            self._failed(chore, "; ".join(kept.problems), within_seconds=kept.again_in_seconds)
        else:
            self._chores.done(self._connection, chore, again_in_seconds=kept.again_in_seconds)
        return False

    def _list(self, chore: Chore) -> bool:
        """Read a list, some pages at a time; where it is incomplete, the next one begins where this one did."""
        provider = self._opened.sources.get(chore.provider)
        incomplete: str | None = None
        for _ in range(MOST_PAGES):
            page = provider.list_missed(chore.since, chore.page)
            parts = [each for each in page.heard if isinstance(each, Part)]
            announced = [each for each in page.heard if isinstance(each, Announced)]
            delay = self._opened.delay_seconds
            self._ledger.heard.hear(self._connection, chore.provider, parts, announced, delay_seconds=delay)
            incomplete = incomplete or page.incomplete
            began_at = chore.since if page.incomplete else chore.began_at
            if page.next is None:
                self._listed(chore, incomplete, began_at)
                return bool(page.heard)
            gone_on = self._chores.went_on(self._connection, chore, page.next, began_at=began_at)
            if gone_on is None:
                return False
            chore = gone_on
        if incomplete is None:
            self._chores.let_go(self._connection, chore)
        else:
            self._failed(chore, incomplete, within_seconds=0)
        return True

    def _listed(self, chore: Chore, incomplete: str | None, began_at: dt.datetime) -> None:
        if incomplete is not None:
            since = max(chore.since, self._ledger.now() - PATIENCE)
            longest = dt.timedelta(seconds=LIST_SECONDS)
            self._failed(chore, incomplete, longest=longest, since=since, anew=True)
            return
        since = max(chore.since, began_at - LOOK_BACK)
        self._chores.done(self._connection, chore, again_in_seconds=LIST_SECONDS, since=since)

    def _failed(self, chore: Chore, reason: str, **how: Any) -> None:
        """Keep that a chore failed, as :meth:`Chores.failed` does; what is news is told."""
        if self._chores.failed(self._connection, chore, reason, **how):
            self._news.append(f"{chore.provider}: {reason}")
