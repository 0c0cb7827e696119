"""Properties that somebody chose, checked against their description before anything is sent.

One that HubSpot would refuse whatever its value would be refused with every record of a batch, and where HubSpot does not
say which input is to blame, in many requests.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection

from connector_core.errors import ConnectorError
from connector_hubspot.client import HubSpotClient
from connector_hubspot.describing import properties_of, writable
from connector_hubspot.failures import Problem


class Checks:
    """Knows which properties may be written: for ten minutes those that may, and any other is asked for anew."""

    _KEPT_SECONDS = 600.0

    def __init__(self, client: HubSpotClient, clock: Callable[[], float] = time.monotonic) -> None:
        """Know nothing yet."""
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, tuple[float, frozenset[str]]] = {}

    def problems(self, obj: str, names: Collection[str]) -> dict[str, Problem]:
        """Say which properties of an object HubSpot would refuse, with its own codes.

        Nothing is said where the description cannot be had: then HubSpot answers the write itself.
        """
        until, known = self._known.get(obj, (0.0, frozenset()))
        if until > self._clock() and all(name.lower() in known for name in names):
            return {}
        try:
            with self._lock:
                return self._ask(obj, names)
        except ConnectorError:
            return {}

    def _ask(self, obj: str, names: Collection[str]) -> dict[str, Problem]:
        properties = properties_of(self._client, obj)
        if properties is None:
            return {}
        may = {str(it.get("name")).lower(): writable(it) for it in properties}
        self._known[obj] = self._clock() + self._KEPT_SECONDS, frozenset(name for name, it in may.items() if it)
        locked = [name for name in names if may.get(name.lower()) is False]
        absent = [name for name in names if name.lower() not in may]
        if absent and self._sees_sensitive():
            absent = []
        return {
            **{it: Problem(f'HubSpot lets nobody set "{it}" of {obj}', "READ_ONLY_VALUE", (it,)) for it in locked},
            **{
                it: Problem(f'HubSpot has no "{it}" of {obj}, or hides it', "PROPERTY_DOESNT_EXIST", (it,))
                for it in absent
            },
        }

    def _sees_sensitive(self) -> bool:
        """Tell whether the app may see sensitive data: its properties are not listed with the others (guide to properties).

        Their scopes are like ``crm.objects.contacts.sensitive.read``; of an app whose scopes are not told nothing is known.
        """
        scopes = self._client.scopes()
        return scopes is None or any("sensitive" in it for it in scopes)
