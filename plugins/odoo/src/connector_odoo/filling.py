"""Sets fields of records, each with its own outcome: one that is refused keeps no other from being sent."""

from __future__ import annotations

import contextlib
import datetime as dt
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from connector_core.errors import (
    ConnectorError,
    MissingRightError,
    OutcomeUnknownError,
    RefusedError,
    TryAgainError,
)
from connector_core.model import FieldReceipt, FieldValue, RecordUpdate
from connector_odoo.client import OdooClient
from connector_odoo.events import EVENT
from connector_odoo.failures import NoSuchModelError
from connector_odoo.opportunities import USER
from connector_odoo.people import LEAD, PARTNER
from connector_odoo.reading import cut, number_of, written
from connector_odoo.writing import QUIET

_BATCH = 100
MODEL = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)*")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
PREFIXES = {"res.partner": PARTNER, "crm.lead": LEAD, "calendar.event": EVENT, "res.users": USER}


@dataclass(slots=True)
class _Row:
    """Fields of one record that are sent together; ``receipts`` are shared by all rows of the record."""

    number: int
    fields: dict[str, Any]
    receipts: dict[str, FieldReceipt] = field(default_factory=dict)

    def end(self, receipt: FieldReceipt) -> None:
        """Settle these fields."""
        self.receipts |= dict.fromkeys(self.fields, receipt)


def fill(client: OdooClient, updates: Sequence[RecordUpdate]) -> dict[tuple[str, str], Mapping[str, FieldReceipt]]:
    """Set fields; a receipt for every field of every record.

    An object is a model of Odoo, like ``crm.lead``; an id is Odoo's own, with or without the connector's prefix. Values
    are taken as Odoo writes them: the id of a record that a field names, ``2026-03-02 09:00:00`` in UTC for a time; the
    connector's id, like ``user:2``, and a time with its zone, like ``2026-03-02T09:00:00Z``, become those.

    :raises ConnectorError: Nothing could be sent at all.
    """
    return _Filler(client).fill(updates)


class _Filler:
    def __init__(self, client: OdooClient) -> None:
        self._client = client
        self._stopped: str | None = None
        self._sent = False

    def fill(self, updates: Sequence[RecordUpdate]) -> dict[tuple[str, str], Mapping[str, FieldReceipt]]:
        receipts: dict[tuple[str, str], dict[str, FieldReceipt]] = {}
        rows: dict[str, list[_Row]] = {}
        for update in updates:
            own = receipts[update.object, update.id] = {}
            number = record_number(update.object, update.id)
            row = _Row(number or 0, dict(update.fields), own)
            if number is None or not MODEL.fullmatch(update.object):
                row.end(FieldReceipt("refused", f"{update.object} {update.id} is no record of Odoo's", "MissingError"))
            else:
                rows.setdefault(update.object, []).append(_sendable(row))
        for model in sorted(rows):
            for chunk in cut(rows[model], _BATCH):
                self._send(model, chunk)
        return dict(receipts)

    def _send(self, model: str, rows: Sequence[_Row]) -> None:
        """Send rows together; where they are refused, each half of them, down to the one field that is to blame."""
        rows = [row for row in rows if row.fields]
        if not rows or self._stopped:
            _end(rows, FieldReceipt("deferred", self._stopped))
            return
        try:
            self._client.save(model, [row.number for row in rows], [row.fields for row in rows], QUIET)
        except (RefusedError, MissingRightError, NoSuchModelError) as error:
            for part in _smaller(rows, error):
                self._send(model, part)
        except OutcomeUnknownError as error:
            self._sent = True
            _end(rows, FieldReceipt("unknown", str(error)))
        except ConnectorError as error:
            if not isinstance(error, TryAgainError) and not self._sent:
                raise
            self._stopped = str(error)
            _end(rows, FieldReceipt("deferred", self._stopped))
        else:
            self._sent = True
            _end(rows, FieldReceipt("sent"))


def record_number(model: str, key: str) -> int | None:
    """Give Odoo's own id of a record; None where the id is of another model."""
    prefix = PREFIXES.get(model, "")
    return number_of(prefix, key if ":" in key else f"{prefix}:{key}")


def _smaller(rows: Sequence[_Row], error: ConnectorError) -> Iterable[Sequence[_Row]]:
    """Cut what was refused: between records, then between the fields of one; settle what can be cut no more."""
    code = getattr(error, "code", None)
    receipt = FieldReceipt("refused", getattr(error, "sentence", None) or str(error), code or type(error).__name__)
    if isinstance(error, NoSuchModelError):
        _end(rows, receipt)
        return ()
    if len(rows) > 1:
        return cut(rows, (len(rows) + 1) // 2)
    (row,) = rows
    blamed = [name for name in row.fields if name == getattr(error, "field", None)]
    if len(row.fields) == 1 or code == "MissingError":
        row.end(receipt)
        return ()
    names = list(row.fields)
    parts = [blamed, [name for name in names if name not in blamed]] if blamed else cut(names, (len(names) + 1) // 2)
    return [[_Row(row.number, {name: row.fields[name] for name in part}, row.receipts)] for part in parts]


def _sendable(row: _Row) -> _Row:
    """Bring values into Odoo's form: ``false`` clears a field; numbers that JSON has not are refused here."""
    wrong = [name for name, value in row.fields.items() if isinstance(value, float) and not math.isfinite(value)]
    for name in wrong:
        row.receipts[name] = FieldReceipt("refused", f"{name}: JSON has no such number", "ValueError")
    row.fields = {name: _sent(value) for name, value in row.fields.items() if name not in wrong}
    return row


def _sent(value: FieldValue | None) -> FieldValue:
    """Write a time and a link as Odoo does: nobody puts such a form into a field of text, and nothing else."""
    if isinstance(value, str) and _TIME.fullmatch(value):
        with contextlib.suppress(ValueError):
            return written(dt.datetime.fromisoformat(value))
    if isinstance(value, str) and ":" in value:
        numbers = (number_of(prefix, value) for prefix in PREFIXES.values())
        return next((number for number in numbers if number is not None), value)
    return False if value is None else value


def _end(rows: Iterable[_Row], receipt: FieldReceipt) -> None:
    for row in rows:
        row.end(receipt)
