"""The desk of the filling: what people look at, send, give and take back. Every verb is also a command."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any

from connector_core.config import OpenConnection
from connector_core.errors import InputError
from connector_core.filler.items import BY_HAND, NOT_YET, eligible
from connector_core.filling.values import RawValue
from connector_core.ledger.fill_rows import Filling
from connector_core.ledger.fillings import FillJob
from connector_core.ledger.inbox import Wake
from connector_core.ledger.ledger import Ledger
from connector_core.ledger.people import Actor
from connector_core.ledger.templates import Published

WAITS = ("pending", "no_crm_link")
"""Outcomes of fields that a person may send: at once, or as soon as there is a record."""
SENDABLE = ("object_not_linked",)
"""Reasons of others that may be sent; and what was taken back may be."""


class FillDesk:
    """Looks at the fields of one connection's calls, and decides about them. What was decided is due: a pump does it."""

    def __init__(self, ledger: Ledger, opened: OpenConnection, *, wake: Wake | None = None) -> None:
        """Look at nothing yet.

        :param wake: Wakes a pump when something became due.
        """
        self._ledger = ledger
        self._opened = opened
        self._name = opened.connection.name
        self._wake = wake

    # -- looking -------------------------------------------------------------------------------------------------------

    def show(self, call_id: str) -> list[dict[str, Any]]:
        """Give what came of each field of a call, as plain data.

        :raises InputError: There is no such call.
        """
        self._require([call_id])
        return [it.to_json() for it in self._ledger.fillings.of(self._name, [call_id])]

    def pending(self, most: int = 1_000) -> list[dict[str, Any]]:
        """List the fields that wait for a person's approval, those that have waited longest first."""
        targets = [
            (it.template.id, field.key, field.target) for it in self._published() for field in it.template.fields
        ]
        return [it.to_json() for it in self._ledger.fillings.pending(self._name, most, targets)]

    # -- deciding ------------------------------------------------------------------------------------------------------

    def send(self, actor: Actor, call_ids: Sequence[str], fields: Collection[str] = ()) -> int:
        """Approve the fields of calls that wait for it: they are sent to the CRM. Give how many there were.

        :param fields: These alone, each ``TEMPLATE.FIELD``; all without any.
        :raises InputError: There is no such call; or none of these calls has such a field to send. Then nothing changes.
        """
        jobs = self._require(call_ids).values()
        items = eligible(jobs, self._published(), self._opened.association.time_zone)
        waiting = [it.old for it in items if it.old is not None and _waits(it.old)]
        for name in fields:
            if not any(_name(it) == name for it in waiting):
                possible = ", ".join(sorted({_name(it) for it in waiting})) or "none"
                raise InputError(
                    f"connection {self._name}: no field {name} of these calls waits; those that do: {possible}"
                )
        chosen = [it for it in waiting if not fields or _name(it) in fields]
        self._ledger.fillings.approve(self._name, actor, chosen, wake=self._wake)
        return len(chosen)

    def give(self, actor: Actor, call_id: str, values: Mapping[str, RawValue]) -> None:
        """Give values of a call's fields, by ``TEMPLATE.FIELD``, in place of what is found in it; they stay.

        A field that is filled by hand still waits for approval.

        :raises InputError: There is no such call, or no published template with such a field is for it.
        """
        job = self._require([call_id])[call_id]
        items = {_name(it.row): it for it in eligible([job], self._published(), self._opened.association.time_zone)}
        given: list[Filling] = []
        for name, value in values.items():
            if name not in items:
                possible = ", ".join(sorted(items)) or "none"
                raise InputError(
                    f"connection {self._name}: call {call_id} has no field {name} to fill; it has: {possible}"
                )
            row = items[name].row
            if row.reason == "taken_back":  # whoever gives another one wants it sent
                row = replace(row, reason=NOT_YET, detail=None, run=None)
            source = f"{BY_HAND}{actor.name}"
            given.append(replace(row, value=value, passage=None, confidence=None, source=source))
        self._ledger.fillings.give(self._name, actor, given, wake=self._wake)

    def undo(self, actor: Actor, run: str) -> list[str]:
        """Take back what was sent in a run, where nobody changed it since. Give the calls of that run.

        :raises InputError: There is no such run, or nothing of it is left to take back.
        """
        # Where another value waits for approval by now, the CRM has the one that was sent.
        sent = [it for it in self._ledger.fillings.of_run(self._name, run) if it.outcome in ("sent", "pending")]
        if not sent:
            raise InputError(f"connection {self._name}: nothing that was sent in run {run} is left to take back")
        self._ledger.fillings.take_back(self._name, actor, sent, wake=self._wake)
        return list(dict.fromkeys(it.call_id for it in sent))

    def again(self, actor: Actor, call_ids: Sequence[str]) -> None:
        """Let the fields of calls be filled anew: after the CRM changed, for one.

        :raises InputError: There is no such call.
        """
        self._require(call_ids)
        self._ledger.fillings.again(self._name, actor, call_ids, wake=self._wake)

    def _published(self) -> tuple[Published, ...]:
        return self._ledger.templates.published(self._name)

    def _require(self, call_ids: Sequence[str]) -> dict[str, FillJob]:
        found = self._ledger.fillings.jobs(self._name, call_ids)
        for call_id in call_ids:
            if call_id not in found:
                raise InputError(f"connection {self._name}: has accepted no call {call_id}")
        return found


def _waits(it: Filling) -> bool:
    """Tell whether a person may send it; what the call said may be forgotten."""
    if it.value is None:
        return False
    return it.reason == "taken_back" or (it.approved_at is None and (it.outcome in WAITS or it.reason in SENDABLE))


def _name(it: Filling) -> str:
    return f"{it.template}.{it.field}"
