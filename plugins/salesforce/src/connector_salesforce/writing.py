"""Writing activities: a task for a call, a task or an event for a meeting.

Who and what an activity may hold (Object Reference, "Task", "TaskRelation"; help.salesforce.com, "Shared Activities"): one
lead, or up to 50 contacts, never both; beside a lead no account and no opportunity. So contacts come before leads, what the
call is about comes before a lead, and the receipt names whoever had to be left out. Only ``WhatId`` is written of an
account: ``AccountId`` is Salesforce's own deduction.
"""

from __future__ import annotations

import datetime as dt
import zoneinfo
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from connector_core.characters import beginning, units
from connector_core.manifest import ConnectionInfo
from connector_core.model import ActivityDraft, Current, Receipt, Unknown, remaining
from connector_salesforce import rows
from connector_salesforce.activities import COLUMNS, THERE, key_of, seconds_of
from connector_salesforce.client import Client, Row
from connector_salesforce.failures import RIGHTS
from connector_salesforce.further import fields_now, own_field
from connector_salesforce.links import RELATIONS, Links, link, people_of, relink, without
from connector_salesforce.records import PREFIXES, ids_of, record_id, short, text
from connector_salesforce.soql import Child, Query, split, within
from connector_salesforce.statuses import TaskStatuses

OBJECTS = {"call": "Task", "task": "Task", "event": "Event"}
LONGEST_TEXT = 255
MOST_SECONDS = 99_999_999
LONGEST_EVENT = dt.timedelta(days=14)  # Object Reference, "Event", "Multiday Events"
_DISPENSABLE = frozenset({"CallDisposition", "CallDurationInSeconds", "CallType", "TaskSubtype"})


@dataclass(slots=True)
class _Plan:
    """What becomes of one draft: the record to send, whom to relate then, and what to tell."""

    draft: ActivityDraft
    record: dict[str, Any]
    links: Links
    notes: list[str] = field(default_factory=list)
    kept: tuple[str, ...] = ()
    related: dict[str, rows.Outcome] = field(default_factory=dict)
    receipt: Receipt | None = None

    @property
    def object(self) -> str:
        return str(self.record["attributes"]["type"])


class Writer:
    """Writes the activities of one connection."""

    def __init__(self, client: Client, info: ConnectionInfo, statuses: TaskStatuses, key_field: str | None) -> None:
        """Write nothing yet."""
        self._client = client
        self._zone = zoneinfo.ZoneInfo(info.time_zone)
        self._statuses = statuses
        self._key_field = key_field
        self._unwritable: frozenset[tuple[str, str]] = frozenset()

    def write(self, drafts: Sequence[ActivityDraft]) -> dict[str, Receipt]:
        """Write drafts: one API call for 200 new ones with their people, two for 200 changes, and one each to relate more
        people and to take some off.
        """
        receipts: dict[str, Receipt] = {}
        creates = []
        there = self._client.with_relations(lambda: self._there([it for it in drafts if it.activity_id is not None]))
        changes = []
        for draft in drafts:
            if draft.activity_id is None and draft.kind not in OBJECTS:
                receipts[draft.key] = Receipt("refused", reason=f"Salesforce has no activity of the kind {draft.kind}")
            elif own := own_field(draft, self._key_field):
                reason = f"the connector writes {own} itself"
                receipts[draft.key] = Receipt("refused", draft.activity_id, None, reason, "own_field", own)
            elif draft.activity_id is None:
                creates.append(self._create(draft))
            else:
                plan = self._change(draft, there.get(short(draft.activity_id)))
                if isinstance(plan, Receipt):
                    receipts[draft.key] = plan
                else:
                    changes.append(plan)
        self._send("POST", creates, sent=False, first=self._together(creates))
        self._send("PATCH", [plan for plan in changes if plan.receipt is None], sent=bool(creates))
        self._unrelate(changes)
        self._relate([*creates, *changes])
        return receipts | {plan.draft.key: self._receipt(plan) for plan in (*creates, *changes)}

    # -- planning ------------------------------------------------------------------------------------------------------

    def _create(self, draft: ActivityDraft) -> _Plan:
        kind = OBJECTS[draft.kind]
        links = link(draft)
        last = draft.started_at + LONGEST_EVENT
        record = {**draft.fields, **self._said(draft, kind), **self._keyed(draft, kind), **links.columns}
        if kind == "Task":
            record["Status"] = self._statuses.closed(self._client)
            record["ActivityDate"] = draft.started_at.astimezone(self._zone).date().isoformat()
            if draft.kind == "call":
                record["TaskSubtype"] = "Call"
                record |= {"CallType": draft.direction.capitalize()} if draft.direction else {}
        else:
            record |= {"StartDateTime": _time(draft.started_at), "EndDateTime": _time(min(draft.ended_at, last))}
        plan = self._plan(draft, kind, record, links)
        if kind == "Event" and draft.ended_at > last:
            plan.notes.append(f"an event has at most {LONGEST_EVENT.days} days: it ends before the meeting")
        return plan

    def _change(self, draft: ActivityDraft, row: Row | Unknown | None) -> _Plan | Receipt:
        """Plan the changes to an activity as it is now: what somebody linked meanwhile stays."""
        activity = str(draft.activity_id)
        kind = next((it for it in ("Task", "Event") if ids_of(it, [activity])), None)
        if kind is None or row is None:
            return Receipt("refused", activity, reason="the activity is no longer in Salesforce", code="NOT_FOUND")
        if isinstance(row, Unknown):
            return Receipt("deferred", activity, reason=row.reason)
        if key_of(row, self._key_field) not in (None, draft.key):
            reason = "the activity carries the id of another call by now"
            return Receipt("refused", activity, reason=reason, code="other_key")
        left, kept = remaining(draft, _current(row, draft))
        links = relink(draft, left, row)
        record = {**left.fields, **self._said(left, kind), **links.columns}
        if draft.set_key:
            record |= {column: it for column, it in self._keyed(draft, kind).items() if not text(row, column)}
        plan = self._plan(draft, kind, record | {"id": activity}, links)
        plan.kept = tuple(dict.fromkeys((*kept, *links.kept)))
        if len(plan.record) == len(("attributes", "id")):
            plan.receipt = Receipt("unchanged", activity, self._url(kind, activity))
        return plan

    def _plan(self, draft: ActivityDraft, kind: str, record: Mapping[str, Any], links: Links) -> _Plan:
        writable = {column: it for column, it in record.items() if (kind, column) not in self._unwritable}
        return _Plan(draft, {"attributes": {"type": kind}, **writable}, links, list(links.left_out))

    def _said(self, draft: ActivityDraft, kind: str) -> dict[str, Any]:
        """Give the columns for what a draft says; None in it says nothing."""
        said: dict[str, Any] = {"Subject": draft.subject, "Description": draft.body, "OwnerId": draft.owner_id}
        if kind == "Task":
            said["CallDisposition"] = beginning(draft.outcome, LONGEST_TEXT) if draft.outcome else None
            if draft.duration_seconds is not None:
                said["CallDurationInSeconds"] = min(round(draft.duration_seconds), MOST_SECONDS)
        return {column: it for column, it in said.items() if it is not None}

    def _keyed(self, draft: ActivityDraft, kind: str) -> dict[str, str]:
        """Give the columns that carry the key; one too long for them stands in the body alone."""
        columns = [*(["CallObject"] if kind == "Task" else []), *([self._key_field] if self._key_field else [])]
        return dict.fromkeys(columns, draft.key) if units(draft.key) <= LONGEST_TEXT else {}

    def _there(self, drafts: Iterable[ActivityDraft]) -> dict[str, Row | Unknown]:
        """Read what changes touch, just before they are sent, by the first 15 characters of the id."""
        drafts = list(drafts)
        ids = [str(draft.activity_id) for draft in drafts]
        further = tuple(sorted({name for draft in drafts for name in draft.fields}))
        found: dict[str, Row | Unknown] = {}
        asked = [it for kind in ("Task", "Event") for it in split(ids_of(kind, ids), self._now(kind, further))]
        for (keys, _), answer in zip(asked, self._client.ask([it for _, it in asked]), strict=True):
            if isinstance(answer, Unknown):
                found |= {short(key): answer for key in keys}
            else:
                found |= {short(record_id(row)): row for row in answer}
        return found

    def _now(self, kind: str, further: tuple[str, ...]) -> Callable[[Sequence[str]], Query]:
        """Ask what an activity of a kind says, and what it is linked to."""
        own = [self._key_field] if self._key_field else []
        flags = ["IsInvitee", "IsParent"] if kind == "Event" else []
        children = {RELATIONS[kind]: Child(("Id", "RelationId", *flags), (THERE,))} if self._client.shared else {}
        columns = (*COLUMNS[kind], *own)
        return lambda keys: Query(
            kind, columns, (within("Id", keys), THERE), optional=further, children=children, archived=True
        )

    # -- sending -------------------------------------------------------------------------------------------------------

    def _together(self, plans: Sequence[_Plan]) -> Sequence[rows.Outcome]:
        """Create activities and their relations in one request, if that can be done."""
        wanted = [(place, who) for place, plan in enumerate(plans) for who in plan.links.others if self._client.shared]
        relations = [(place, f"{plans[place].object}Id", _relation(plans[place], who)) for place, who in wanted]
        outcomes, related = rows.create_with(self._client, [plan.record for plan in plans], relations)
        for number, outcome in related.items():
            place, who = wanted[number]
            plans[place].related[who] = outcome
        return outcomes

    def _send(
        self,
        method: Literal["POST", "PATCH"],
        plans: Sequence[_Plan],
        *,
        sent: bool,
        first: Sequence[rows.Outcome] = (),
    ) -> None:
        """Send records; those refused for a column that they can do without are sent again without it, and those refused for
        their status with the org's present one.

        :param sent: Something was sent before, whose receipts a raised error would lose.
        :param first: What came of them already.
        """
        while plans:
            again = []
            records = [plan.record for plan in plans]
            outcomes = rows.write(self._client, method, records, first=first, sent=sent)
            first, sent = (), True
            status = self._statuses.anew(self._client) if any(map(_of_status, outcomes)) else None
            for plan, outcome in zip(plans, outcomes, strict=True):
                spare = self._spare(outcome) & plan.record.keys()
                if isinstance(outcome, rows.Refused) and spare:
                    plan.record = {column: it for column, it in plan.record.items() if column not in spare}
                    plan.notes.append(f"without {', '.join(sorted(spare))}: {outcome.sentence}")
                    if outcome.code in ("INVALID_FIELD", "INVALID_FIELD_FOR_INSERT_UPDATE"):
                        self._unwritable |= {(plan.object, column) for column in spare}
                    again.append(plan)
                elif _of_status(outcome) and status not in (None, plan.record.get("Status")):
                    plan.record |= {"Status": status}
                    again.append(plan)
                else:
                    plan.receipt = self._read(plan, outcome)
            plans = again

    def _spare(self, outcome: rows.Outcome) -> frozenset[str]:
        """Give the columns that a refusal is about, if the activity can do without them all."""
        if not isinstance(outcome, rows.Refused) or not outcome.code:
            return frozenset()
        named = frozenset(outcome.fields)
        return named if named <= _DISPENSABLE | ({"CallObject"} if self._key_field else set()) else frozenset()

    def _read(self, plan: _Plan, outcome: rows.Outcome) -> Receipt:
        there = plan.draft.activity_id
        match outcome:
            case rows.Done(id):
                return Receipt("updated" if there else "created", id, self._url(plan.object, id))
            case rows.Later(reason):
                return Receipt("deferred", there, reason=reason)
            case rows.Unsure(reason):
                return Receipt("unknown", there, reason=reason)
            case rows.Refused("DUPLICATE_VALUE", _, _) if self._key_field and not there:
                reason = "an activity with this call's id is there already"
                return Receipt("unknown", reason=reason, code="DUPLICATE_VALUE", field=self._key_field)
            case rows.Refused(code, sentence, fields):
                on = f"what the {plan.object} refers to" if "CROSS_REFERENCE" in code else plan.object
                lacking = f": the connection's user lacks a right on {on}" if code in RIGHTS else ""
                owner = code == "INACTIVE_OWNER_OR_USER" or "OwnerId" in fields
                return Receipt(
                    "refused",
                    there,
                    reason=f"{sentence}{lacking}",
                    code=code or None,
                    field=next(iter(fields), None),
                    owner_refused=owner,
                )

    def _unrelate(self, plans: Sequence[_Plan]) -> None:
        """Take people off what was written; whoever cannot be taken off stays, and is told."""
        wanted = [
            (plan, relation)
            for plan in plans
            if plan.receipt and _is_there(plan.receipt)
            for relation in plan.links.off
        ]
        outcomes = rows.delete(self._client, [relation for _, relation in wanted])
        for (plan, _), outcome in zip(wanted, outcomes, strict=True):
            if isinstance(outcome, rows.Done):
                plan.receipt = _related(plan.receipt)
            else:
                plan.notes.append(f"a person could not be taken off: {_why(outcome)}")
                plan.kept = tuple(dict.fromkeys((*plan.kept, "person_ids")))

    def _relate(self, plans: Sequence[_Plan]) -> None:
        """Relate the further people of what was written; who cannot be is told, the activity stays."""
        wanted = [
            (plan, who) for plan in plans if plan.receipt and _is_there(plan.receipt) for who in plan.links.others
        ]
        if not self._client.shared:
            for plan in plans:
                others = [who for of, who in wanted if of is plan]
                plan.notes += without(others, "the org relates one person to an activity (Shared Activities)")
            return
        late = [(plan, who) for plan, who in wanted if who not in plan.related]
        records = [
            {**_relation(plan, who), f"{plan.object}Id": plan.receipt.id}
            for plan, who in late
            if plan.receipt is not None
        ]
        for (plan, who), outcome in zip(late, rows.write(self._client, "POST", records, sent=True), strict=True):
            plan.related[who] = outcome
        for plan, who in wanted:
            match plan.related[who]:
                case rows.Done():
                    plan.receipt = _related(plan.receipt)
                case rows.Refused(code, sentence, _) if code != "DUPLICATE_VALUE":
                    plan.notes.append(f"{who} could not be related: {sentence}")
                case rows.Later(reason) | rows.Unsure(reason):
                    plan.notes.append(f"{who} could not be related: {reason}")

    def _receipt(self, plan: _Plan) -> Receipt:
        receipt = plan.receipt or Receipt("unknown", plan.draft.activity_id, reason="it was not answered")
        if not _is_there(receipt):
            return receipt
        return replace(receipt, reason="; ".join(plan.notes) or None, kept=plan.kept)

    def _url(self, kind: str, record: str) -> str:
        return f"{self._client.instance_url}/lightning/r/{kind}/{record}/view"


def _current(row: Row, draft: ActivityDraft) -> Current:
    about = [it for it in [text(row, "WhatId")] if it]
    return Current(
        text(row, "Subject"),
        text(row, "Description"),
        seconds_of(row),
        tuple(it for it in about if it.startswith(PREFIXES["Account"])),
        tuple(it for it in about if it.startswith(PREFIXES["Opportunity"])),
        tuple(people_of(row)),
        fields_now(row, draft),
    )


def _why(outcome: rows.Outcome) -> str:
    return outcome.sentence if isinstance(outcome, rows.Refused) else getattr(outcome, "reason", "")


def _relation(plan: _Plan, who: str) -> dict[str, Any]:
    """Give the record that relates a further person; of an event it would make a guest, if nothing was said."""
    flags = {"IsWhat": False} if plan.object == "Task" else {"IsWhat": False, "IsParent": True}
    return {"attributes": {"type": f"{plan.object}Relation"}, "RelationId": who, **flags}


def _of_status(outcome: rows.Outcome) -> bool:
    return isinstance(outcome, rows.Refused) and "Status" in outcome.fields


def _is_there(receipt: Receipt) -> bool:
    return receipt.outcome in ("created", "updated", "unchanged")


def _related(receipt: Receipt | None) -> Receipt | None:
    """Turn ``unchanged`` into ``updated``: a person was added."""
    if receipt is None or receipt.outcome != "unchanged":
        return receipt
    return Receipt("updated", receipt.id, receipt.url, receipt.reason)


def _time(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
