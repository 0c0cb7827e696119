"""Calls that no webhook told of are listed, at a stand-in for Aircall's API."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from connector_aircall import AIRCALL
from connector_aircall.listing import MOST_PAGES, PAGE_SIZE
from scripted_api import ScriptedAPI

from connector_core.errors import CredentialsError, InputError, TryAgainError
from connector_core.providers.binding import Provider, bind_provider
from connector_core.providers.hookspecs import Missed
from connector_core.testing.sandbox import Response

Serve = Callable[[Sequence[Mapping[str, Any]]], None]
NINE = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)


def call(number: int, after_seconds: int = 0) -> dict[str, Any]:
    """Make a call that began so long after nine."""
    start = int(NINE.timestamp()) + after_seconds
    ended = {"answered_at": start + 5, "ended_at": start + 60, "raw_digits": "+33 6 39 98 10 11"}
    return {"id": number, "direction": "inbound", "started_at": start, **ended}


def pages(aircall: Provider) -> list[Missed]:
    """Read a list to its end."""
    found = [aircall.list_missed(NINE, None)]
    while found[-1].next is not None:
        found.append(aircall.list_missed(NINE, found[-1].next))
    return found


def test_a_listed_call_is_what_its_webhook_would_have_told(reading: Provider, serve_list: Serve) -> None:
    """It is complete, with its times and its numbers."""
    serve_list([call(7)])
    (part,) = reading.list_missed(NINE, None).heard
    assert (part.call_id, part.complete, part.status, part.from_number) == (  # type: ignore[union-attr]  # it is a part
        "aircall:7", True, "completed", "+33 6 39 98 10 11"
    )  # fmt: skip


def test_all_pages_are_listed(reading: Provider, serve_list: Serve) -> None:
    """The last is the one that is not full."""
    serve_list([call(number, number) for number in range(1, 2 * PAGE_SIZE + 2)])
    assert [len(page.heard) for page in pages(reading)] == [PAGE_SIZE, PAGE_SIZE, 1]


def test_a_list_goes_on_behind_what_aircall_gives_pages_of(reading: Provider, serve_list: Serve) -> None:
    """It begins anew at the time of the last call."""
    number = PAGE_SIZE * MOST_PAGES
    serve_list([call(each, each) for each in range(1, number + 2)])
    last = reading.list_missed(NINE, f"{int(NINE.timestamp())}:{MOST_PAGES}")
    assert last.next == f"{int(NINE.timestamp()) + number}:1"
    after = reading.list_missed(NINE, last.next)
    assert [it.call_id for it in after.heard] == [f"aircall:{number}", f"aircall:{number + 1}"]


def test_one_call_that_cannot_be_read_keeps_no_other_back(reading: Provider, serve_list: Serve) -> None:
    """It is told, without what stands there."""
    serve_list([call(7), call(8) | {"direction": "+33639981011"}])
    found = reading.list_missed(NINE, None)
    assert ([it.call_id for it in found.heard], "+33639981011" in str(found.incomplete)) == (["aircall:7"], False)
    assert str(found.incomplete).startswith("1 calls cannot be read: direction")


@pytest.mark.parametrize("page", ["", "1", "a:1", "1:1000", ":"])
def test_a_page_of_another_list_is_refused(reading: Provider, page: str) -> None:
    """Before anything is asked."""
    with pytest.raises(InputError, match="page"):
        reading.list_missed(NINE, page)


@pytest.mark.parametrize(("status", "error"), [(401, CredentialsError), (403, InputError), (429, TryAgainError)])
def test_what_aircall_refuses_is_raised(
    api: ScriptedAPI, reading: Provider, status: int, error: type[Exception]
) -> None:
    """As in reading what belongs to a call."""
    api.lists["calls"] = lambda query: Response(status)
    with pytest.raises(error):
        reading.list_missed(NINE, None)


def test_without_a_pair_nothing_is_listed() -> None:
    """Nothing of Aircall's API is read."""
    with bind_provider(AIRCALL, {"token": "invented"}) as aircall:
        assert aircall.list_missed(NINE, None) == Missed(())
