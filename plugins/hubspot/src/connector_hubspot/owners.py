"""HubSpot's users, as owners of records: listed once and kept for ten minutes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence

from connector_core.identity import email_key
from connector_core.model import User
from connector_hubspot.client import HubSpotClient
from connector_hubspot.reading import next_page, results_of

_KEPT_SECONDS = 600.0


class Owners:
    """Finds owners by id and by e-mail. Their ids are what records carry, not those of users."""

    def __init__(self, client: HubSpotClient, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with none."""
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._lists: dict[bool, tuple[float, dict[str, User]]] = {}

    def by_id(self, ids: Iterable[str]) -> dict[str, User]:
        """Give the owners that are known; archived ones are only asked for where an id is not among the others."""
        wanted = set(ids)
        if not wanted:
            return {}
        owners = self._list(archived=False)
        if wanted - owners.keys():
            owners = {**self._list(archived=True), **owners}
        return {key: owners[key] for key in wanted if key in owners}

    def by_email(self, emails: Sequence[str]) -> dict[str, tuple[User, ...]]:
        """Give for each address the owners that have it, archived ones too."""
        found: dict[str, list[User]] = {email: [] for email in emails}
        owners = {**self._list(archived=True), **self._list(archived=False)} if emails else {}
        for owner in owners.values():
            found.get(email_key(owner.email) or "", []).append(owner)
        return {email: tuple(sorted(users, key=lambda user: user.id)) for email, users in found.items()}

    def _list(self, *, archived: bool) -> dict[str, User]:
        """List the owners: documented at developers.hubspot.com, guide to the owners API."""
        with self._lock:
            kept = self._lists.get(archived)
            if kept is not None and kept[0] > self._clock():
                return kept[1]
            owners: dict[str, User] = {}
            query: dict[str, str] | None = {"limit": "100", "archived": str(archived).lower()}
            while query is not None:
                answer = self._client.get("/crm/owners/{version}", query)
                for item in results_of(answer):
                    name = " ".join(filter(None, (item.get("firstName"), item.get("lastName")))) or None
                    owner = User(str(item["id"]), str(item.get("email") or ""), name, active=not archived)
                    owners[owner.id] = owner
                after = next_page(answer)
                query = None if after is None else {**query, "after": after}
            self._lists[archived] = (self._clock() + _KEPT_SECONDS, owners)
            return owners
