"""Changes to the JSON of a world, each checked first against the records that are there."""

from __future__ import annotations

import datetime as dt
import itertools
import math
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from connector_core.crms.index import BESIDE, WorldIndex, key_of, there
from connector_core.crms.world import (
    Record,
    WorldAccount,
    WorldActivity,
    WorldOpportunity,
    WorldPerson,
    WorldUser,
)
from connector_core.model import ActivityDraft, Current, FieldReceipt, Receipt, RecordUpdate, remaining

OBJECTS: Mapping[str, type[Record]] = {
    "accounts": WorldAccount,
    "users": WorldUser,
    "people": WorldPerson,
    "opportunities": WorldOpportunity,
    "activities": WorldActivity,
}
"""The objects whose fields can be filled, named as the file names its lists."""

FIXED = frozenset({"id", "kind", "call_id", "fields"})
"""What makes a record that record: not to be filled."""


REFERENCES = {
    "account_id": "accounts",
    "owner_id": "users",
    "opportunity_id": "opportunities",
    "converted_contact_id": "people",
}
"""The fields that hold the id of one record, and the list in which that is."""


class Changes:
    """One round of changes to ``value``, the JSON of the world that ``index`` shows."""

    def __init__(self, value: dict[str, Any], index: WorldIndex) -> None:
        """Take the JSON to change; nothing else is touched."""
        self._value = value
        self._index = index
        self._records: dict[str, dict[str, dict[str, Any]]] = {}
        self._created: dict[str, str] = {}
        self._numbers = itertools.count(len(index.world.activities) + 1)

    def write(self, draft: ActivityDraft) -> Receipt:
        """Write one activity, see :class:`~connector_core.model.ActivityDraft`.

        A change leaves the start alone where there is one. What the format has no place for (direction, status, outcome,
        numbers, recording) is said by the body only.
        """
        gone = self._gone(draft)
        if gone:
            field, reference = gone
            reason = f"{field} names {reference}, which is not in the file (any more)"
            return Receipt(
                "refused",
                draft.activity_id,
                reason=reason,
                code="not_found",
                field=field,
                owner_refused=field == "owner_id",
            )
        if draft.activity_id is None:
            return self._create(draft)
        return self._change(self._of("activities")[draft.activity_id], draft)

    def fill(self, update: RecordUpdate) -> dict[str, FieldReceipt]:
        """Set fields of one record; those that the format does not name are kept in its ``fields``."""
        model = OBJECTS.get(update.object)
        if model is None:
            names = ", ".join(OBJECTS)
            return _refused(update, f"there is no object {update.object}; there are {names}", "no_such_object")
        record = self._of(update.object).get(update.id)
        if record is None:
            return _refused(update, f"{update.object} has no record {update.id} (any more)", "not_found")
        return {
            name: self._fill(model, record, name, value)
            if name in model.model_fields
            else _fill_further(record, name, value)
            for name, value in update.fields.items()
        }

    def _of(self, name: str) -> dict[str, dict[str, Any]]:
        """Give the JSON records of one list by id."""
        if name not in self._records:
            self._records[name] = {record["id"]: record for record in self._value.get(name) or ()}
        return self._records[name]

    def _gone(self, draft: ActivityDraft) -> tuple[str, str] | None:
        """Find the first record that a draft names and that is not there: the draft's field, and the id."""
        references = [
            ("activity_id", draft.activity_id, "activities"),
            ("owner_id", draft.owner_id, "users"),
            ("account_id", draft.account_id, "accounts"),
            ("opportunity_id", draft.opportunity_id, "opportunities"),
            *(("person_ids", person_id, "people") for person_id in draft.person_ids),
        ]
        missing = ((field, item) for field, item, name in references if item is not None and item not in self._of(name))
        return next(missing, None)

    def _create(self, draft: ActivityDraft) -> Receipt:
        note, notes = draft.kind == "note", self._index.notes
        same = [it.id for it in self._index.activities_by_key.get(draft.key, ()) if (it.id in notes) == note]
        same += [self._created[draft.key]] if draft.key in self._created else []
        if same:
            return Receipt("unchanged", min(same), reason="an activity carries this key already")
        activities = self._of("activities")
        new_id = next(fresh for number in self._numbers if (fresh := f"T{number}") not in activities)
        length = (draft.ended_at - draft.started_at).total_seconds()
        record = {
            "id": new_id,
            "kind": draft.kind,
            "call_id": None if note else draft.key,
            "person_ids": list(draft.person_ids),
            "account_id": draft.account_id,
            "opportunity_id": draft.opportunity_id,
            "started_at": _text(draft.started_at),
            "duration_seconds": length if draft.duration_seconds is None else draft.duration_seconds,
            "title": draft.subject,
            "body": draft.body,
            "owner_id": draft.owner_id,
            **({"fields": {**draft.fields, **({BESIDE: True} if note else {})}} if draft.fields or note else {}),
        }
        activities[new_id] = record
        self._value["activities"] = [*(self._value.get("activities") or ()), record]
        self._created[draft.key] = new_id
        return Receipt("created", new_id)

    def _change(self, record: dict[str, Any], draft: ActivityDraft) -> Receipt:
        if key_of(record.get("call_id"), record.get("body")) not in (None, draft.key):
            reason = f"activity {record['id']} carries the key of another call by now"
            return Receipt("refused", record["id"], reason=reason, code="other_key", field="call_id")
        left, kept = remaining(draft, self._current(record, draft))
        wanted: dict[str, Any] = {
            "call_id": draft.key if draft.set_key else None,
            "title": left.subject,
            "body": left.body,
            "duration_seconds": left.duration_seconds,
            "owner_id": draft.owner_id,
            "started_at": None if record.get("started_at") else _text(draft.started_at),
            "account_id": left.account_id,
            "opportunity_id": left.opportunity_id,
            "person_ids": self._people(record.get("person_ids") or [], left),
        }
        changes = {name: item for name, item in wanted.items() if item is not None and record.get(name) != item}
        off = left.replaces
        changes |= {"fields": {**(record.get("fields") or {}), **left.fields}} if left.fields else {}
        changes |= {"account_id": None} if off.account_id and not left.account_id else {}
        changes |= {"opportunity_id": None} if off.opportunity_id and not left.opportunity_id else {}
        record.update(changes)
        return Receipt("updated" if changes else "unchanged", record["id"], kept=kept)

    def _current(self, record: dict[str, Any], draft: ActivityDraft) -> Current:
        account = there(record.get("account_id"), self._index.accounts)
        opportunity = there(record.get("opportunity_id"), self._of("opportunities"))
        return Current(
            record.get("title"),
            record.get("body"),
            record.get("duration_seconds"),
            (account.id,) if account else (),
            (opportunity["id"],) if opportunity else (),
            tuple(record.get("person_ids") or ()),
            {name: (record.get("fields") or {}).get(name) for name in draft.fields},
        )

    def _people(self, named: list[str], left: ActivityDraft) -> list[str] | None:
        """Take people off and add others to those whom an activity names; one who is there as a converted lead is there."""
        final = self._index.final_id
        staying = [person_id for person_id in named if person_id not in left.replaces.person_ids]
        known = {final(person_id) or person_id for person_id in staying}
        added = [person_id for person_id in left.person_ids if (final(person_id) or person_id) not in known]
        return [*staying, *added] if added or staying != named else None

    def _fill(self, model: type[Record], record: dict[str, Any], name: str, value: object) -> FieldReceipt:
        """Set a field that the format names, if the record still is one afterwards."""
        if name in FIXED:
            return FieldReceipt("refused", f"{name} cannot be changed", "fixed")
        target = REFERENCES.get(name)
        if target and value is not None and value not in self._of(target):
            return FieldReceipt("refused", f"{name} names a record that is not among the {target}", "not_found")
        try:
            after = model.model_validate({**record, name: value})
        except ValidationError as error:
            return FieldReceipt("refused", f"{name}: {error.errors(include_url=False)[0]['msg']}", "invalid")
        if getattr(after, name) == getattr(model.model_validate(record), name):
            return FieldReceipt("unchanged")
        _put(record, name, value)
        return FieldReceipt("sent")


def _fill_further(record: dict[str, Any], name: str, value: object) -> FieldReceipt:
    """Set a field of the CRM's own."""
    if isinstance(value, float) and not math.isfinite(value):
        return FieldReceipt("refused", f"{name}: JSON has no such number", "invalid")
    further = dict(record.get("fields") or {})
    old = further.get(name)
    if (type(old), old) == (type(value), value):  # True is no 1
        return FieldReceipt("unchanged")
    _put(further, name, value)
    _put(record, "fields", further or None)
    return FieldReceipt("sent")


def _put(record: dict[str, Any], name: str, value: object) -> None:
    if value is None:
        record.pop(name, None)
    else:
        record[name] = value


def _refused(update: RecordUpdate, reason: str, code: str) -> dict[str, FieldReceipt]:
    return dict.fromkeys(update.fields, FieldReceipt("refused", reason, code))


def _text(time: dt.datetime) -> str:
    return time.isoformat().replace("+00:00", "Z")
