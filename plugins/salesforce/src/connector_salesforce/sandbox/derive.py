"""What the service works out by itself when a record is saved."""

from __future__ import annotations

import base64
import datetime as dt
import html
import re
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from connector_salesforce.sandbox.faults import ServiceError
from connector_salesforce.sandbox.org import Org
from connector_salesforce.sandbox.persons import IS_PERSON
from connector_salesforce.sandbox.relations import derived_account
from connector_salesforce.sandbox.store import Row, Store, now_text, read_time, time_text

Derive: TypeAlias = Callable[[Store, Org, "Row | None", Row, Mapping[str, Any]], dict[str, Any]]

_MAX_EVENT = dt.timedelta(days=14)
_DAY_MINUTES = 24 * 60


def derived(obj: str, store: Store, org: Org, old: Row | None, new: Row, given: Mapping[str, Any]) -> dict[str, Any]:
    """Complete a record that is about to be saved.

    :raises ServiceError: What was given contradicts what follows from the rest of it. The text is unverified.
    """
    derive = _DERIVE.get(obj)
    values = derive(store, org, old, new, given) if derive else {}
    for name, value in given.items():
        if value is not None and values.get(name, value) != value:
            raise ServiceError("FIELD_INTEGRITY_EXCEPTION", f"{name}: does not agree with the other fields", [name])
    return {**new, **values}


def _person(_store: Store, _org: Org, _old: Row | None, new: Row, _given: Mapping[str, Any]) -> dict[str, Any]:
    return {"Name": " ".join(part for part in (new["FirstName"], new["LastName"]) if part)}


def _account(store: Store, org: Org, old: Row | None, new: Row, given: Mapping[str, Any]) -> dict[str, Any]:
    return _person(store, org, old, new, given) if new.get(IS_PERSON) else {}


def _opportunity(_store: Store, org: Org, old: Row | None, new: Row, given: Mapping[str, Any]) -> dict[str, Any]:
    stage = next((choice for choice in org.stages if choice.value == new["StageName"]), None)
    moved = old is None or old["StageName"] != new["StageName"]
    values: dict[str, Any] = {"IsClosed": stage is not None and stage.closed, "IsWon": stage is not None and stage.won}
    if moved and "Probability" not in given:
        values["Probability"] = float(stage.probability) if stage else None
    if moved and "ForecastCategoryName" not in given:
        values["ForecastCategoryName"] = (
            "Closed" if values["IsWon"] else "Omitted" if values["IsClosed"] else "Pipeline"
        )
    if moved and old is not None and "LastStageChangeDate" not in given:
        values["LastStageChangeDate"] = now_text()
    return values


def _task(store: Store, org: Org, old: Row | None, new: Row, given: Mapping[str, Any]) -> dict[str, Any]:
    closed = any(choice.closed for choice in org.statuses if choice.value == new["Status"])
    values: dict[str, Any] = {
        "IsClosed": closed,
        "IsHighPriority": new["Priority"] == "High",
        "AccountId": derived_account(store, new["WhoId"], new["WhatId"]),
    }
    if "CompletedDateTime" not in given and (old is None or old["IsClosed"] != closed):
        values["CompletedDateTime"] = now_text() if closed else None
    return values


def _event(store: Store, org: Org, old: Row | None, new: Row, given: Mapping[str, Any]) -> dict[str, Any]:
    values = _all_day(new, given) if new["IsAllDayEvent"] else _timed(org, old, new, given)
    return {**values, "AccountId": derived_account(store, new["WhoId"], new["WhatId"])}


def _all_day(new: Row, given: Mapping[str, Any]) -> dict[str, Any]:
    """Complete an event of whole days: midnight to midnight, UTC, the end being the last day's first moment."""
    day = given.get("ActivityDate") or (given.get("StartDateTime") or given.get("ActivityDateTime") or "")[:10]
    day = day or new["ActivityDate"]
    if not day:
        raise _missing("ActivityDate")
    start = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), dt.UTC)
    end = read_time(given["EndDateTime"]) if given.get("EndDateTime") else start
    minutes = int((end - start).total_seconds()) // 60 + _DAY_MINUTES
    _check_length(start, end)
    return _times(start, end, minutes, day, end.date().isoformat())


def _timed(org: Org, old: Row | None, new: Row, given: Mapping[str, Any]) -> dict[str, Any]:
    """Complete an event with a start: the end or the duration, whichever was not given, from the other.

    ``DurationInMinutes`` counts whole minutes; ``EndDateTime`` holds the seconds.
    """
    text = given.get("StartDateTime") or given.get("ActivityDateTime") or new["StartDateTime"]
    if not text:
        raise _missing("StartDateTime")
    start = read_time(text)
    minutes, end_text = given.get("DurationInMinutes"), given.get("EndDateTime")
    if end_text:
        end = read_time(end_text)
    elif minutes is not None:
        end = start + dt.timedelta(minutes=minutes)
    elif old is not None and old["StartDateTime"] and old["EndDateTime"]:  # moved: its length stays
        end = start + (read_time(old["EndDateTime"]) - read_time(old["StartDateTime"]))
    else:
        raise _missing("EndDateTime")
    _check_length(start, end)
    whole = int((end - start).total_seconds()) // 60
    day = start.astimezone(org.time_zone).date().isoformat()
    return _times(start, end, whole, day, end.astimezone(org.time_zone).date().isoformat())


def _times(start: dt.datetime, end: dt.datetime, minutes: int, day: str, end_day: str) -> dict[str, Any]:
    return {
        "StartDateTime": time_text(start),
        "ActivityDateTime": time_text(start),
        "ActivityDate": day,
        "EndDateTime": time_text(end),
        "EndDate": end_day,
        "DurationInMinutes": minutes,
    }


def _check_length(start: dt.datetime, end: dt.datetime) -> None:
    """Refuse what ends before it starts, or lasts more than 14 days; the texts are unverified."""
    if end < start:
        raise ServiceError(
            "FIELD_INTEGRITY_EXCEPTION", "End Date Time: must not be before Start Date Time", ["EndDateTime"]
        )
    if end - start > _MAX_EVENT:
        raise ServiceError(
            "FIELD_INTEGRITY_EXCEPTION", "Duration: an event cannot last more than 14 days", ["EndDateTime"]
        )


def _missing(field: str) -> ServiceError:
    return ServiceError("REQUIRED_FIELD_MISSING", f"Required fields are missing: [{field}]", [field])


def _note(_store: Store, _org: Org, _old: Row | None, new: Row, _given: Mapping[str, Any]) -> dict[str, Any]:
    content = base64.b64decode(new["Content"] or "").decode("utf-8", "replace")
    text = html.unescape(re.sub(r"<[^>]*>", " ", content)).strip()
    return {"TextPreview": text[:255] or None}


_DERIVE: Mapping[str, Derive] = {
    "Account": _account,
    "Contact": _person,
    "Lead": _person,
    "User": _person,
    "Opportunity": _opportunity,
    "Task": _task,
    "Event": _event,
    "ContentNote": _note,
}
