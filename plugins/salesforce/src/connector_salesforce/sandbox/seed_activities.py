"""Activities of the seed: calls and tasks are Tasks, meetings and events are Events, notes are ContentNotes."""

from __future__ import annotations

import base64
import datetime as dt
import html
from collections.abc import Mapping
from typing import Any

from connector_core.crms.world import WorldActivity
from connector_core.testing.sandbox import SeedError
from connector_salesforce.sandbox.dml import Writer
from connector_salesforce.sandbox.relations import check_relations
from connector_salesforce.sandbox.store import Store, time_text

_NO_DAY = dt.date(1970, 1, 1)
_DAY_SECONDS = 86_400


class Activities:
    """Holds activities among records that are held already."""

    def __init__(
        self,
        store: Store,
        writer: Writer,
        people: Mapping[str, str],
        converted: Mapping[str, str | None],
        accounts: Mapping[str, str],
        opportunities: Mapping[str, str],
        users: Mapping[str, str],
    ) -> None:
        self._store, self._writer = store, writer
        self._people, self._converted = people, converted
        self._accounts, self._opportunities, self._users = accounts, opportunities, users

    def hold(self, activity: WorldActivity) -> str:
        """Hold one, and give its id.

        :raises SeedError: Salesforce could not hold it.
        """
        whos, whats = self._whos(activity), self._whats(activity)
        if activity.kind == "note":
            return self._note(activity, [*whos, *whats])
        what = self._what(activity, whats)
        check_relations(self._store, whos, what)
        obj = "Task" if activity.kind in ("call", "task") else "Event"
        values = {
            "Subject": activity.title,
            "OwnerId": self._users.get(activity.owner_id or ""),
            f"{obj}WhoIds": whos,
            "WhatId": what,
            **self._created(activity),
            **(_task(activity) if obj == "Task" else _event(activity)),
            **(activity.fields or {}),
        }
        return self._writer.insert(obj, values, system=True)

    def _created(self, activity: WorldActivity) -> dict[str, str]:
        """Let a record be as old as what it tells of, which also keeps the time of a Task, that knows only the day."""
        start = activity.started_at
        return {"CreatedDate": time_text(start)} if isinstance(start, dt.datetime) else {}

    def _whos(self, activity: WorldActivity) -> list[str]:
        """Name the people of an activity; a converted lead's activities are held on the contact that it became."""
        ids = [self._converted.get(item, self._people.get(item)) for item in activity.person_ids or ()]
        return list(dict.fromkeys(item for item in ids if item))

    def _whats(self, activity: WorldActivity) -> list[str]:
        found = (self._opportunities.get(activity.opportunity_id or ""), self._accounts.get(activity.account_id or ""))
        return [item for item in found if item]

    def _what(self, activity: WorldActivity, whats: list[str]) -> str | None:
        """Choose between the opportunity and the account, of which Salesforce holds one: the other is derived."""
        if len(whats) == 2:
            opportunity = self._store.live(whats[0]) or {}
            if opportunity.get("AccountId") != whats[1]:
                raise SeedError(
                    "Salesforce relates it to an opportunity or to an account that is not the opportunity's"
                )
        return whats[0] if whats else None

    def _note(self, activity: WorldActivity, linked: list[str]) -> str:
        lines = (_referring(activity) or "").splitlines()
        content = "".join(f"<p>{html.escape(line, quote=False)}</p>" for line in lines)
        values = {
            "Title": activity.title or "[not provided]",
            "Content": base64.b64encode(content.encode()).decode(),
            "OwnerId": self._users.get(activity.owner_id or ""),
            **self._created(activity),
            **(activity.fields or {}),
        }
        note_id = self._writer.insert("ContentNote", values, system=True)
        for target in linked:
            link = {"ContentDocumentId": note_id, "LinkedEntityId": target, "ShareType": "V"}
            self._writer.insert("ContentDocumentLink", link, system=True)
        return note_id


def _task(activity: WorldActivity) -> dict[str, Any]:
    """Give the fields of a Task. It has no start: only the day is known, here in UTC."""
    start, seconds = activity.started_at, activity.duration_seconds
    day = start.astimezone(dt.UTC).date() if isinstance(start, dt.datetime) else start
    return {
        "TaskSubtype": "Call" if activity.kind == "call" else "Task",
        "Status": "Completed",
        "ActivityDate": day.isoformat() if day else None,
        "CallDurationInSeconds": None if seconds is None else round(seconds),
        "CallObject": activity.call_id,
        "Description": activity.body,
    }


def _event(activity: WorldActivity) -> dict[str, Any]:
    """Give the fields of an Event. One of which only the day is known lasts that whole day.

    Without a duration it lasts no time at all, and without a start it stands on the first day of 1970: Salesforce requires
    both.
    """
    body = {"Description": _referring(activity)}
    start, seconds = activity.started_at, activity.duration_seconds
    if isinstance(start, dt.datetime):
        start = start.replace(microsecond=0)
        end = start + dt.timedelta(seconds=round(seconds or 0))
        return {**body, "StartDateTime": time_text(start), "EndDateTime": time_text(end)}
    if start is not None and seconds is not None and seconds != _DAY_SECONDS:
        raise SeedError("an Event of Salesforce of which only the day is known lasts that day, not so many seconds")
    return {**body, "IsAllDayEvent": True, "ActivityDate": (start or _NO_DAY).isoformat()}


def _referring(activity: WorldActivity) -> str | None:
    """Give the body, ended by the call's id: once, also where the CRM in a file was written to before."""
    body, reference = activity.body or "", f"ref: {activity.call_id}"
    if not activity.call_id or body.splitlines()[-1:] == [reference]:
        return body or None
    return f"{body}\n{reference}" if body else reference
