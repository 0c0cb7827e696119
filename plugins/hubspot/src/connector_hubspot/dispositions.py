"""The outcomes of calls, which HubSpot takes as ids: the portal's own, or those that every portal begins with."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from connector_core.errors import ConnectorError
from connector_core.identity import compare_text
from connector_hubspot.client import HubSpotClient

PROPERTY = "hs_call_disposition"
STANDARD: Mapping[str, str] = {
    "busy": "9d9162e7-6cf3-4944-bf63-4dff82258764",
    "connected": "f240bbac-87c9-4f6e-bf70-924b57d47db7",
    "left live message": "a4c4c377-d246-4b32-a13b-75a56a4cd0ff",
    "left voicemail": "b2cf5968-551e-4856-9783-52b3da59a7d0",
    "no answer": "73a0d17f-1163-4015-bdd5-ec830791da20",
    "wrong number": "17b47fee-58de-441e-a44c-c6300d46f273",
}
"""By label (guide to the calls API)."""

_KEPT_SECONDS = 600.0
_LOG = logging.getLogger(__name__)


class Dispositions:
    """Knows ids by label, as the portal has them: it may have renamed the standard ones, deleted them, or made them anew."""

    def __init__(self, client: HubSpotClient, clock: Callable[[], float] = time.monotonic) -> None:
        """Know none yet."""
        self._client = client
        self._clock = clock
        self._lock = threading.Lock()
        self._known: tuple[float, Mapping[str, str]] = (clock(), {})

    def of(self, outcomes: Iterable[str | None]) -> Mapping[str, str]:
        """Give the ids of labels, as :func:`~connector_core.identity.compare_text` compares them; none where none is asked.

        Where the portal does not tell its own, they are the standard ones: a call is not lost for its outcome.
        """
        return (self._own() or STANDARD) if any(outcomes) else {}

    def _own(self) -> Mapping[str, str]:
        with self._lock:
            if self._known[0] <= self._clock():
                self._known = (self._clock() + _KEPT_SECONDS, self._asked())
            return self._known[1]

    def _asked(self) -> Mapping[str, str]:
        """Ask for the choices of the property (guide to properties; labels are the portal's, and may be changed)."""
        try:
            answer = self._client.get("/crm/properties/{version}/{object}/{name}", object="calls", name=PROPERTY)
        except ConnectorError as error:
            _LOG.warning("HubSpot does not tell the outcomes of calls: %s", error)
            return {}
        options = answer.get("options")
        return {
            compare_text(str(it.get("label") or "")): str(it["value"])
            for it in (options if isinstance(options, list) else ())
            if isinstance(it, dict) and it.get("value") and not it.get("hidden")
        }
