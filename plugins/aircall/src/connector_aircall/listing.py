"""Calls that no webhook told of: Aircall lists calls by when they began.

Documented at developer.aircall.io/api-references, "List all calls": ``from`` in seconds since 1970, fifty calls a page at
most, and no page beyond the 10,000th call.
"""

from __future__ import annotations

import datetime as dt
import re
import time
from typing import Annotated, Any

from pydantic import Field

from connector_aircall.body import CallData, Event
from connector_aircall.client import AircallClient
from connector_aircall.mapping import to_part
from connector_core.errors import InputError
from connector_core.providers.bodies import Sent, checked
from connector_core.providers.hookspecs import Missed, Part

LISTED = "call.listed"
PAGE_SIZE, MOST_PAGES = 50, 100
"""After so many pages the list begins anew at the last of them, well before the end of what Aircall gives pages of."""
_PAGE = re.compile(r"(?P<since>[0-9]{1,11}):(?P<number>[0-9]{1,3})")


class Page(Sent):
    """A page of calls, each as a webhook has it."""

    calls: Annotated[list[dict[str, Any]], Field(max_length=PAGE_SIZE)]


def list_calls(client: AircallClient, since: dt.datetime, page: str | None) -> Missed:
    """List the calls that began since then and are over, the oldest first.

    :raises InputError: There is no such page, or the answer is none that Aircall documents.
    :raises ConnectorError: As :meth:`AircallClient.list`.
    """
    start, number = _place(page) if page is not None else (int(since.timestamp()), 1)
    now = time.time()
    answer = client.list({"from": str(start), "order": "asc", "page": str(number), "per_page": str(PAGE_SIZE)})
    rows = checked(Page, answer).calls
    parts: list[Part] = []
    wrong: list[str] = []
    last = start
    for row in rows:
        try:
            data = checked(CallData, row)
            last = max(last, data.started_at)
            if data.ended_at is not None:  # else its webhook is still to come
                parts.append(to_part(Event(event=LISTED, timestamp=int(now)), data, complete=True))
        except InputError as error:
            wrong.append(str(error))
    following = None
    if len(rows) == PAGE_SIZE:
        following = f"{start}:{number + 1}" if number < MOST_PAGES or last == start else f"{last}:1"
    return Missed(tuple(parts), following, f"{len(wrong)} calls cannot be read: {wrong[0]}" if wrong else None)


def _place(page: str) -> tuple[int, int]:
    found = _PAGE.fullmatch(page)
    if found is None:
        raise InputError("page: is none of this list")
    return int(found["since"]), int(found["number"])
