"""Properties that HubSpot does not show: an answer leaves them out, while one that is empty is null (guide to contacts)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connector_core.errors import MissingRightError

NEEDED: Mapping[str, frozenset[str]] = {
    "contacts": frozenset({"associatedcompanyid"}),
    "deals": frozenset({"createdate", "dealstage"}),
    "calls": frozenset({"hs_timestamp"}),
    "meetings": frozenset({"hs_timestamp", "hs_internal_meeting_notes"}),
}
"""Properties without which a record would seem to say *none* where it is not known."""

_LOG = logging.getLogger(__name__)


class Hidden:
    """Looks at what records lack; tells of each property once for a connection."""

    def __init__(self) -> None:
        """Miss nothing yet."""
        self._told: set[tuple[str, str]] = set()

    def check(
        self, obj: str, records: Sequence[Mapping[str, Any]], asked: Iterable[str], key: str | None = None
    ) -> None:
        """Refuse records that lack what is needed, and warn of what else they lack.

        :param key: The property by which they were asked for: that is needed too.
        :raises MissingRightError: It names the object and the property.
        """
        if not records:
            return
        shown = {name for record in records for name in record.get("properties") or {}}
        lacking = sorted({name for name in asked if name not in shown})
        for name in lacking:
            if name in NEEDED.get(obj, ()) or name == key:
                raise MissingRightError(
                    f"HubSpot does not show the property {name} of {obj}: let the app see it", right=f"{obj}.{name}"
                )
        if new := [name for name in lacking if (obj, name) not in self._told]:
            self._told.update((obj, name) for name in new)
            _LOG.warning("HubSpot does not show %s of %s; going on without", ", ".join(new), obj)
