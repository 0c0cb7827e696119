"""The resources below ``/services/data/vXX.X/``, but for the composite ones."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from connector_core.testing.sandbox import RowError
from connector_salesforce.sandbox.describe import describe
from connector_salesforce.sandbox.dml import Writer
from connector_salesforce.sandbox.faults import NotSpokenError, ServiceError, injected_fault, not_found
from connector_salesforce.sandbox.ids import full_id
from connector_salesforce.sandbox.org import Org
from connector_salesforce.sandbox.query import Queries
from connector_salesforce.sandbox.schema import NOT_MODELLED, Field, ObjectType
from connector_salesforce.sandbox.sosl import Searches, parse_search
from connector_salesforce.sandbox.store import Store

PAGE = 2_000
_LEAST_PAGE = 200


@dataclass(frozen=True, slots=True)
class Ask:
    """A request of a resource: its parts below the version, decoded; ``json`` is None without a body."""

    method: str
    parts: tuple[str, ...]
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    json: Any = None

    def __post_init__(self) -> None:
        """Refuse a header that would change what is done.

        :raises NotSpokenError: That which lets duplicates be saved.
        """
        if "sforce-duplicate-rule-header" in self.headers:
            raise NotSpokenError("Sforce-Duplicate-Rule-Header")


@dataclass(frozen=True, slots=True)
class Answer:
    """What is answered; ``body`` is None for none, and bytes are answered as they are."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    api_calls: int = 1


@dataclass(slots=True)
class Cursors:
    """The rest of queries that were answered in part, by locator: what is left, and the size of all."""

    number: int = 0
    results: dict[str, tuple[int, Sequence[dict[str, Any]]]] = field(default_factory=dict)


class Api:
    """One version of the API for one request."""

    def __init__(
        self,
        store: Store,
        org: Org,
        cursors: Cursors,
        version: str,
        user_id: str,
        *,
        row_error: RowError | None = None,
        index_lag_seconds: float = 0.0,
        used: int = 0,
    ) -> None:
        self.store, self.org, self.version = store, org, version
        self.writer = Writer(store, org, user_id)
        self.queries = Queries(store, org, version, user_id)
        self._searches = Searches(store, org, self.queries, index_lag_seconds)
        self._cursors, self._used, self._row_error = cursors, used, row_error

    def call(self, ask: Ask) -> Answer:
        """Answer a request of a resource.

        :raises ServiceError: The service would refuse it.
        :raises NotSpokenError: The service may know it.
        """
        resources: Mapping[str, Callable[[Ask], Answer]] = {
            "query": self._query,
            "queryAll": self._query,
            "search": self._search,
            "parameterizedSearch": self._parameterized_search,
            "sobjects": self._sobjects,
            "limits": self._limits,
            "connect": self._connect,
        }
        resource = resources.get(ask.parts[0]) if ask.parts else None
        if resource is None:
            raise unspoken(ask)
        return resource(ask)

    def begin_row(self) -> None:
        """Begin to write a row, which a fault may let fail.

        :raises ServiceError: It does.
        """
        if self._row_error is not None and self._row_error.picks():
            raise injected_fault(self._row_error.code)

    # -- queries ------------------------------------------------------------------------------------------------------

    def _query(self, ask: Ask) -> Answer:
        if ask.method != "GET" or len(ask.parts) > 2 or "explain" in ask.query:
            raise unspoken(ask)
        if len(ask.parts) == 2 and ask.parts[1]:
            return Answer(200, self._more(ask))
        if "q" not in ask.query:
            raise ServiceError("MALFORMED_QUERY", "A query string has to be specified")
        result = self.queries.run(ask.query["q"], all_rows=ask.parts[0] == "queryAll")
        return Answer(200, self._page(result.total, result.records, ask, self._cursors.number + 1))

    def _more(self, ask: Ask) -> dict[str, Any]:
        locator = ask.parts[1]
        if locator not in self._cursors.results:
            raise ServiceError("INVALID_QUERY_LOCATOR", "invalid query locator")
        total, rest = self._cursors.results[locator]
        return self._page(total, rest, ask, int(locator.partition("-")[0][3:]))

    def _page(self, total: int, records: Sequence[dict[str, Any]], ask: Ask, number: int) -> dict[str, Any]:
        """Answer as many records as a page holds, the records of child queries counted, and keep the rest."""
        room, end = _page_size(ask.headers), 0
        for record in records:
            room -= 1 + sum(value["totalSize"] for value in record.values() if _is_result(value))
            if end and room < 0:
                break
            end += 1
        if end >= len(records):
            return {"totalSize": total, "done": True, "records": list(records)}
        locator = f"0r8{number:012d}-{total - len(records) + end}"
        self._cursors.number = max(self._cursors.number, number)
        self._cursors.results[locator] = (total, records[end:])
        address = f"/services/data/{self.version}/query/{locator}"
        return {"totalSize": total, "done": False, "nextRecordsUrl": address, "records": list(records[:end])}

    def _search(self, ask: Ask) -> Answer:
        if ask.method != "GET" or ask.parts[1:] not in ((), ("",)):
            raise unspoken(ask)
        return Answer(200, self._searches.run(parse_search(ask.query.get("q", ""))))

    def _parameterized_search(self, ask: Ask) -> Answer:
        if ask.method != "POST" or ask.parts[1:] not in ((), ("",)):
            raise unspoken(ask)
        return Answer(200, self._searches.run_parameters(as_object(ask.json)))

    def _limits(self, ask: Ask) -> Answer:
        if ask.method != "GET" or ask.parts[1:] not in ((), ("",)):
            raise unspoken(ask)
        most = self.org.daily_requests
        return Answer(200, {"DailyApiRequests": {"Max": most, "Remaining": max(0, most - self._used)}})

    def _connect(self, ask: Ask) -> Answer:
        """Answer what is read of the organization (Connect REST API Developer Guide, "Organization", "Features")."""
        if ask.method != "GET" or ask.parts[1:] != ("organization",):
            raise unspoken(ask)
        (organization,) = self.store.live_rows("Organization")
        several = len(self.org.currencies) > 1
        features = {"multiCurrency": several, "defaultCurrencyIsoCode": None if several else self.org.currencies[0]}
        return Answer(200, {"name": organization["Name"], "orgId": organization["Id"], "features": features})

    # -- records ------------------------------------------------------------------------------------------------------

    def _sobjects(self, ask: Ask) -> Answer:
        parts = tuple(part for part in ask.parts if part)
        if len(parts) < 2:
            raise unspoken(ask)
        obj = self.object(parts[1])
        if len(parts) == 2 and ask.method == "POST":
            self.begin_row()
            record_id = self.writer.insert(obj.name, self.record(ask.json, creating=True))
            return Answer(201, {"id": record_id, "success": True, "errors": []}, self._location(obj, record_id))
        if len(parts) == 3 and parts[2] == "describe" and ask.method == "GET":
            return Answer(200, describe(self.org, obj, self.version))
        if len(parts) == 3:
            return self._row(ask, obj, parts[2])
        if len(parts) == 4 and (obj.name, parts[3], ask.method) == ("ContentNote", "Content", "GET"):
            return Answer(200, base64.b64decode(self._path_row(obj, parts[2])["Content"] or ""))
        if len(parts) == 4:
            return self._external_row(ask, obj, parts[2], parts[3])
        raise unspoken(ask)

    def object(self, name: str) -> ObjectType:
        """Find an object by the name in a path.

        :raises ServiceError: NOT_FOUND: there is none, or the user may not see it.
        """
        obj = self.org.visible(name)
        if obj is None:
            if name.lower() in NOT_MODELLED:
                raise NotSpokenError(f"the object {name}")
            raise not_found()
        return obj

    def _row(self, ask: Ask, obj: ObjectType, record_id: str) -> Answer:
        if ask.method == "GET":
            row = self._path_row(obj, record_id)
            names = ask.query["fields"].split(",") if "fields" in ask.query else _all_fields(obj)
            plan = self.queries.plan(obj, dict.fromkeys([*map(str.strip, names), "Id"]), ask.query.get("fields", ""))
            return Answer(200, self.queries.render(plan, row))
        if ask.method not in ("PATCH", "DELETE"):
            raise unspoken(ask)
        self.begin_row()
        known = str(self._path_row(obj, record_id)["Id"])
        if ask.method == "PATCH":
            self.writer.update(known, self.record(ask.json))
        else:
            self.writer.delete(known)
        return Answer(204)

    def _path_row(self, obj: ObjectType, record_id: str) -> Mapping[str, Any]:
        known = full_id(record_id)
        row = self.store.get(known) if known and known[:3] == obj.prefix else None
        if row is None:
            raise not_found(f"Provided external ID field does not exist or is not accessible: {record_id}")
        if row["IsDeleted"]:
            raise ServiceError("ENTITY_IS_DELETED", "entity is deleted", [], status=404)
        return row

    def _external_row(self, ask: Ask, obj: ObjectType, name: str, value: str) -> Answer:
        item = self.external_id(obj, name)
        rows = self.store.where(obj.name, item.name, value)
        if ask.method == "GET":
            if not rows:
                raise not_found()
            return self._row(Ask("GET", ask.parts, ask.query), obj, rows[0]["Id"])
        if ask.method != "PATCH":
            raise unspoken(ask)
        self.begin_row()
        record_id, created = self.upsert(obj, item, {**self.record(ask.json), item.name: value})
        body = {"id": record_id, "success": True, "errors": [], "created": created}
        return Answer(201 if created else 200, body)

    def external_id(self, obj: ObjectType, name: str) -> Field:
        """Find the field by which an upsert matches.

        :raises ServiceError: NOT_FOUND: it is not there, or identifies nothing.
        """
        item = obj.fields.get(name.lower())
        if item is None or not (item.external_id or item.id_lookup or item.type == "id"):
            raise not_found(f"Provided external ID field does not exist or is not accessible: {name}")
        return item

    def upsert(self, obj: ObjectType, item: Field, values: Mapping[str, Any]) -> tuple[str, bool]:
        """Change the record with the value of an external id, or create one; gives its id, and whether it is new.

        :raises ServiceError: DUPLICATE_EXTERNAL_ID where several have it, or as for a create or a change.
        """
        value = next((given for key, given in values.items() if key.lower() == item.name.lower()), None)
        if item.type == "id" and value is not None:
            known = full_id(value)
            if known is None:
                raise ServiceError("MALFORMED_ID", f"malformed id {value}", [item.name])
            self.writer.update(known, values)
            return known, False
        rows = self.store.where(obj.name, item.name, value) if value is not None else []
        if len(rows) > 1:
            message = f"{item.name}: more than one record found for external id field: {[row['Id'] for row in rows]}"
            raise ServiceError("DUPLICATE_EXTERNAL_ID", message, [item.name], status=300)
        if not rows:
            return self.writer.insert(obj.name, values), True
        self.writer.update(rows[0]["Id"], values)
        return str(rows[0]["Id"]), False

    def record(self, value: Any, *, creating: bool = False) -> Mapping[str, Any]:
        """Read the body of a record.

        :raises ServiceError: It is no object, or names an id where it may not.
        """
        record = as_object(value)
        given = next((item for key, item in record.items() if key.lower() == "id"), None)
        if creating and given is not None:
            raise ServiceError("INVALID_FIELD_FOR_INSERT_UPDATE", "cannot specify Id in an insert call", ["Id"])
        return record

    def _location(self, obj: ObjectType, record_id: str) -> Mapping[str, str]:
        return {"Location": f"/services/data/{self.version}/sobjects/{obj.name}/{record_id}"}


def as_object(value: Any) -> Mapping[str, Any]:
    """Read a body that has to be an object.

    :raises ServiceError: JSON_PARSER_ERROR.
    """
    if not isinstance(value, dict):
        message = "The HTTP entity body is required, but this request has no entity body."
        raise ServiceError("JSON_PARSER_ERROR", message if value is None else "The HTTP entity body is no JSON object.")
    return value


def unspoken(ask: Ask) -> NotSpokenError:
    """Name a resource that the sandbox does not speak."""
    return NotSpokenError(f"{ask.method} {quote('/'.join(ask.parts))}")


def read_json(body: bytes) -> Any:
    """Read a body of JSON; None for an empty one.

    :raises ServiceError: JSON_PARSER_ERROR.
    """
    if not body:
        return None
    try:
        return json.loads(body)
    except ValueError as error:
        raise ServiceError("JSON_PARSER_ERROR", f"Unexpected character in the body: {error}") from error


def _page_size(headers: Mapping[str, str]) -> int:
    option = headers.get("sforce-query-options", "").replace(" ", "").lower()
    size = option.removeprefix("batchsize=")
    return min(max(int(size), _LEAST_PAGE), PAGE) if size.isdigit() else PAGE


def _is_result(value: Any) -> bool:
    return isinstance(value, dict) and "totalSize" in value


def _all_fields(obj: ObjectType) -> list[str]:
    return [item.name for item in obj.fields.values() if item.type != "junctionIdList"]
