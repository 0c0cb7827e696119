"""The associations API: v4, and the dated versions that follow it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from connector_core.testing.sandbox import RowError
from connector_hubspot.sandbox.batches import Row, envelope, inputs_of, row_failure
from connector_hubspot.sandbox.instants import iso, now
from connector_hubspot.sandbox.kinds import PLAIN, PRIMARY, TYPE_IDS, Kind, label_of, shown_label
from connector_hubspot.sandbox.objects import whole_number
from connector_hubspot.sandbox.portal import Portal
from connector_hubspot.sandbox.refusals import NotSpokenError, RefusalError, invalid
from connector_hubspot.sandbox.store import Link, Record

_MOST_READ, _MOST_WRITTEN, _LONGEST_PAGE = 1000, 2000, 500


class Associations:
    """Who is bound to whom, and how."""

    def __init__(self, portal: Portal) -> None:
        """Serve a portal."""
        self._portal = portal
        self._store = portal.store

    # -- reading -------------------------------------------------------------------------------------------------------

    def batch_read(self, start: Kind, end: Kind, body: Any) -> dict[str, Any]:
        """Read the associations of many records: one without any is an error, not an empty list."""
        started = iso(now())
        results: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for row in inputs_of(body, _MOST_READ):
            record_id = str(row.get("id"))
            bonds = self._bonds(start, record_id, end)
            if not record_id.isdecimal():
                errors.append(_bad_id(record_id).entry())
            elif not bonds:
                errors.append(_nothing_found(start, record_id, end).entry())
            else:
                page = self._page(start, end, bonds, row.get("after"), self._portal.association_page_size)
                results.append({"from": {"id": record_id}, "to": page.pop("results"), **page})
        return envelope(list(reversed(results)), errors, started)

    def of_one(self, start: Kind, record_id: str, end: Kind, query: Mapping[str, str]) -> dict[str, Any]:
        """Read the associations of one record."""
        limit = whole_number(query.get("limit", str(_LONGEST_PAGE)), "limit", _LONGEST_PAGE)
        size = min(limit, self._portal.association_page_size)
        return self._page(start, end, self._bonds(start, record_id, end), query.get("after"), size)

    def labels(self, start: Kind, end: Kind) -> dict[str, Any]:
        """Give the types that a pair of objects knows."""
        return {
            "results": [
                {"category": "HUBSPOT_DEFINED", "typeId": type_id, "label": shown_label(start, end, label)}
                for label, type_id in _types(start, end).items()
            ]
        }

    def _bonds(self, start: Kind, record_id: str, end: Kind) -> list[tuple[str, Link]]:
        """Give what a record is bound to, the primary one last: answers promise no order."""
        record = self._store.get(start, record_id)
        bonds = record.linked(end).items() if record is not None else ()
        return sorted(bonds, key=lambda bond: (PRIMARY in bond[1].labels, int(bond[0])))

    def _page(self, start: Kind, end: Kind, bonds: list[tuple[str, Link]], after: Any, size: int) -> dict[str, Any]:
        offset = whole_number(after or 0, "after")
        shown = [
            {
                "toObjectId": int(key),
                "associationTypes": [
                    {
                        "category": "HUBSPOT_DEFINED",
                        "typeId": _types(start, end)[label],
                        "label": shown_label(start, end, label),
                    }
                    for label in sorted(link.labels, reverse=True)
                ],
            }
            for key, link in bonds[offset : offset + size]
        ]
        if offset + size >= len(bonds):
            return {"results": shown}
        return {"results": shown, "paging": {"next": {"after": str(offset + size)}}}

    # -- writing -------------------------------------------------------------------------------------------------------

    def batch_create(self, start: Kind, end: Kind, body: Any, fault: RowError | None) -> dict[str, Any]:
        """Associate with exactly these labels."""
        rows = inputs_of(body, _MOST_WRITTEN)
        labels = [_labels(start, end, row) for row in rows]
        started = iso(now())
        results: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for row, wanted in zip(rows, labels, strict=True):
            try:
                a, b = self._pair(start, end, row, fault)
            except RefusalError as error:
                errors.append(error.entry())
                continue
            self._store.relabel(a, b, wanted)
            names = [shown_label(start, end, label) for label in wanted if label != PLAIN]
            results.append(
                {
                    "fromObjectTypeId": start.type_id,
                    "fromObjectId": int(a.id),
                    "toObjectTypeId": end.type_id,
                    "toObjectId": int(b.id),
                    "labels": names,
                }
            )
        return envelope(list(reversed(results)), errors, started)

    def batch_default(self, start: Kind, end: Kind, body: Any, fault: RowError | None) -> dict[str, Any]:
        """Associate without label, keeping the labels there are; both directions are answered."""
        started = iso(now())
        results: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for row in inputs_of(body, _MOST_WRITTEN):
            try:
                a, b = self._pair(start, end, row, fault)
            except RefusalError as error:
                errors.append(error.entry())
                continue
            self._store.link(a, b)
            results.extend(_specified(one, other) for one, other in ((a, b), (b, a)))
        return envelope(list(reversed(results)), errors, started)

    def batch_archive(self, start: Kind, end: Kind, body: Any) -> dict[str, Any]:
        """Undo every association of these pairs; what is not there stays so. The answer follows the schema alone."""
        started = iso(now())
        for row in inputs_of(body, _MOST_WRITTEN):
            a = self._store.get(start, _id_of(row.get("from")))
            others = row.get("to")
            if not _types(start, end) or not isinstance(others, list) or not others:
                raise invalid("to is required in every input")
            for other in others:
                b = self._store.get(end, _id_of(other))
                if a is not None and b is not None:
                    self._store.unlink(a, b)
        return envelope([], [], started)

    def _pair(self, start: Kind, end: Kind, row: Row, fault: RowError | None) -> tuple[Record, Record]:
        if fault is not None and fault.picks():
            failure = row_failure(fault, {})
            raise RefusalError(423, failure["message"], failure["category"])
        if not TYPE_IDS.get((start, end)):
            raise NotSpokenError(f"associations from {start.name} to {end.name}")
        ids = (_id_of(row.get("from")), _id_of(row.get("to")))
        for record_id in ids:
            if not record_id.isdecimal():
                raise _bad_id(record_id)
        if ids[0] == ids[1] and start is end:
            raise RefusalError(400, f"Object {ids[0]} cannot be associated to itself ({ids[1]})", "VALIDATION_ERROR")
        a, b = self._store.get(start, ids[0]), self._store.get(end, ids[1])
        if a is None or b is None:
            kind, record_id = (start, ids[0]) if a is None else (end, ids[1])
            raise RefusalError(400, f"{kind.singular.upper()}={record_id} is not valid", "VALIDATION_ERROR")
        return a, b


def _id_of(value: Any) -> str:
    return str(value.get("id")) if isinstance(value, dict) else ""


def _types(start: Kind, end: Kind) -> Mapping[str, int]:
    if (start, end) not in TYPE_IDS:
        raise NotSpokenError(f"associations from {start.name} to {end.name}")
    return TYPE_IDS[start, end]


def _labels(start: Kind, end: Kind, row: Row) -> list[str]:
    given = row.get("types")
    if not isinstance(given, list) or not given:
        raise invalid("types is required in every input")
    labels: list[str] = []
    for item in given:
        category, type_id = item.get("associationCategory"), item.get("associationTypeId")
        label = label_of(start, end, type_id) if category == "HUBSPOT_DEFINED" else None
        if label is None:
            raise invalid(
                f"The association type {category} {type_id} does not go from {start.type_id} to {end.type_id}"
            )
        labels.append(label)
    return labels


def _specified(a: Record, b: Record) -> dict[str, Any]:
    type_id = TYPE_IDS[a.kind, b.kind][PLAIN]
    return {
        "from": {"id": a.id},
        "to": {"id": b.id},
        "associationSpec": {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": type_id},
    }


def _bad_id(record_id: str) -> RefusalError:
    return RefusalError(
        400,
        f"{record_id} is not a valid ID",
        "VALIDATION_ERROR",
        "crm.associations.INVALID_IDENTIFIER",
        context={"id": [record_id]},
    )


def _nothing_found(start: Kind, record_id: str, end: Kind) -> RefusalError:
    return RefusalError(
        404,
        f"No {end.singular} is associated with {start.singular} {record_id}.",
        "OBJECT_NOT_FOUND",
        "crm.associations.NO_ASSOCIATIONS_FOUND",
        context={
            "fromObjectId": [record_id],
            "fromObjectType": [start.singular],
            "toObjectType": [end.singular],
        },
    )
