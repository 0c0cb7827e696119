"""Many requests in one: composite, composite batch and sObject collections.

Documented at developer.salesforce.com, REST API Developer Guide, Composite Resources. The texts of refusals by size are
unverified.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from connector_salesforce.sandbox.faults import NotSpokenError, ServiceError, as_objects, as_texts
from connector_salesforce.sandbox.ids import full_id
from connector_salesforce.sandbox.rest import Answer, Api, Ask, as_object, unspoken
from connector_salesforce.sandbox.schema import ObjectType

MAX_SUBREQUESTS = 25
MAX_QUERIES = 5
MAX_ROWS = 200
MAX_CHUNKS = 10
MAX_RETRIEVED = 2_000
REFERENCE = re.compile(r"@\{([^}]*)\}")
_PATH = re.compile(r"(\w+)((?:\.\w+|\[\d+\])+)")
_REFERENCE_ID = re.compile(r"\w+")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_ROLLED_BACK = ServiceError(
    "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "Record rolled back because not all records were valid and the request was using AllOrNone header",
)
HALTED = "The transaction was rolled back since another operation in the same transaction failed."


def call_composite(api: Api, ask: Ask) -> Answer:
    """Answer a request below ``composite``.

    :raises ServiceError: The service would refuse it.
    :raises NotSpokenError: The service may know it.
    """
    parts = tuple(part for part in ask.parts[1:] if part)
    if not parts and ask.method == "POST":
        return _composite(api, as_object(ask.json))
    if parts == ("batch",) and ask.method == "POST":
        return _batch(api, as_object(ask.json))
    if parts[:1] == ("sobjects",):
        return Answer(200, _collection(api, ask, parts[1:]))
    raise unspoken(ask)


# -- composite --------------------------------------------------------------------------------------------------------


def _composite(api: Api, body: Mapping[str, Any]) -> Answer:
    requests = as_objects(body.get("compositeRequest"), "compositeRequest")
    _check_composite(requests)
    all_or_none = bool(body.get("allOrNone", False))
    before = api.store.checkpoint()
    done: dict[str, Answer] = {}
    for request in requests:
        done[request["referenceId"]] = subrequest(api, request, done, all_or_none=all_or_none)
        if all_or_none and done[request["referenceId"]].status >= 300:
            api.store.rollback(before)
            halted = Answer(400, [{"errorCode": "PROCESSING_HALTED", "message": HALTED}])
            failed = request["referenceId"]
            done = {item["referenceId"]: done[failed] if item is request else halted for item in requests}
            break
    return Answer(200, {"compositeResponse": [part(reference, answer) for reference, answer in done.items()]})


def part(reference: str, answer: Answer) -> dict[str, Any]:
    """Give the answer of a subrequest as it stands in that of the whole."""
    return {
        "body": answer.body,
        "httpHeaders": dict(answer.headers),
        "httpStatusCode": answer.status,
        "referenceId": reference,
    }


def _check_composite(requests: Sequence[Mapping[str, Any]]) -> None:
    if not requests:
        raise ServiceError("JSON_PARSER_ERROR", "compositeRequest: at least one subrequest is required")
    if len(requests) > MAX_SUBREQUESTS:
        raise ServiceError("LIMIT_EXCEEDED", f"A composite request can have up to {MAX_SUBREQUESTS} subrequests.")
    check_references(requests)
    heavy = [item for item in requests if resource(item["url"])[:1] in (("query",), ("queryAll",), ("composite",))]
    if len(heavy) > MAX_QUERIES:
        raise ServiceError("LIMIT_EXCEEDED", f"Up to {MAX_QUERIES} subrequests can be queries or sObject Collections.")


def check_references(requests: Sequence[Mapping[str, Any]]) -> None:
    """Refuse subrequests without an address or a name of their own.

    :raises ServiceError: One lacks it.
    """
    seen: set[str] = set()
    for request in requests:
        if not isinstance(request.get("url"), str):
            raise ServiceError(
                "JSON_PARSER_ERROR", "compositeRequest: each subrequest needs method, url and referenceId"
            )
        reference = str(request.get("referenceId", ""))
        if not _REFERENCE_ID.fullmatch(reference):
            raise ServiceError("INVALID_REFERENCE_ID", f"Provided referenceId '{reference}' is not valid.")
        if reference in seen:
            raise ServiceError("DUPLICATE_VALUE", f"Duplicate ReferenceId provided: {reference}")
        seen.add(reference)


def resource(url: str) -> tuple[str, ...]:
    """Give what an address names below the version."""
    return tuple(unquote(part) for part in urlsplit(url).path.split("/")[4:])


def subrequest(api: Api, request: Mapping[str, Any], done: Mapping[str, Answer], *, all_or_none: bool) -> Answer:
    """Answer a subrequest, after those that are done already.

    :raises NotSpokenError: The service may know it.
    """
    try:
        url = _filled(request["url"], done)
        if not url.startswith(f"/services/data/{api.version}/"):
            raise ServiceError("INVALID_URL", f"The url must start with /services/data/{api.version}/", status=400)
        ask = Ask(
            str(request.get("method", "GET")).upper(),
            resource(url),
            dict(parse_qsl(urlsplit(url).query, keep_blank_values=True)),
            {str(key).lower(): str(value) for key, value in (request.get("httpHeaders") or {}).items()},
            _filled(request.get("body"), done),
        )
        if ask.parts[:1] == ("composite",) and ask.parts[1:2] == ("sobjects",):
            if all_or_none and isinstance(ask.json, dict):
                ask.json["allOrNone"] = True
            answer = call_composite(api, ask)
            return _halt_if_rolled_back(answer) if all_or_none else answer
        if ask.parts[:1] not in (("query",), ("queryAll",), ("sobjects",)):
            raise NotSpokenError(f"{ask.method} {'/'.join(ask.parts)} inside a composite")
        return api.call(ask)
    except ServiceError as fault:
        return Answer(fault.status, fault.body())


def _halt_if_rolled_back(answer: Answer) -> Answer:
    """Let a failed row fail the composite, as ``allOrNone`` of the whole means."""
    failed = any(isinstance(row, dict) and row.get("success") is False for row in answer.body or ())
    return Answer(400, answer.body) if failed else answer


def _filled(value: Any, done: Mapping[str, Answer]) -> Any:
    """Replace references to answers of earlier subrequests by what they lead to."""
    if isinstance(value, dict):
        return {key: _filled(item, done) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled(item, done) for item in value]
    if not isinstance(value, str) or "@{" not in value:
        return value
    return REFERENCE.sub(lambda match: str(_follow(match, done)), value)


def _follow(match: re.Match[str], done: Mapping[str, Answer]) -> Any:
    form = _PATH.fullmatch(match[1])
    if form is None:
        raise ServiceError("PROCESSING_HALTED", f"Invalid reference specified: {match[1]}")
    name, path = form.groups()
    value: Any = done[name].body if name in done and done[name].status < 300 else None
    for key, index in _STEP.findall(path):
        try:
            value = value[int(index)] if index else value[key]
        except (KeyError, IndexError, TypeError) as error:
            found = path.lstrip(".")
            message = f"Invalid reference specified. No value for {name}.{found} found in {name}"
            raise ServiceError("PROCESSING_HALTED", message) from error
    return value


# -- batch ------------------------------------------------------------------------------------------------------------


def _batch(api: Api, body: Mapping[str, Any]) -> Answer:
    requests = as_objects(body.get("batchRequests"), "batchRequests")
    if len(requests) > MAX_SUBREQUESTS:
        raise ServiceError("LIMIT_EXCEEDED", f"A batch request can have up to {MAX_SUBREQUESTS} subrequests.")
    results: list[dict[str, Any]] = []
    halted = False
    for request in requests:
        if halted:
            error = {"errorCode": "BATCH_PROCESSING_HALTED", "message": "Batch processing halted per request"}
            results.append({"statusCode": 412, "result": [error]})
            continue
        answer = _batch_part(api, request)
        halted = bool(body.get("haltOnError")) and answer.status >= 400
        results.append({"statusCode": answer.status, "result": answer.body})
    failed = any(item["statusCode"] >= 400 for item in results)
    return Answer(200, {"hasErrors": failed, "results": results}, api_calls=len(requests))


def _batch_part(api: Api, request: Mapping[str, Any]) -> Answer:
    url = urlsplit(str(request.get("url", "")).removeprefix("/services/data/"))
    version, *parts = (unquote(part) for part in url.path.split("/"))
    if version != api.version or parts[:1] == ["composite"]:
        raise NotSpokenError(f"{request.get('url')} inside a batch")
    ask = Ask(
        str(request.get("method", "GET")).upper(),
        tuple(parts),
        dict(parse_qsl(url.query)),
        {},
        request.get("richInput"),
    )
    try:
        return api.call(ask)
    except ServiceError as fault:
        return Answer(fault.status, fault.body())


# -- collections ------------------------------------------------------------------------------------------------------


def _collection(api: Api, ask: Ask, parts: Sequence[str]) -> list[Any]:
    if not parts and ask.method in ("POST", "PATCH"):
        write = _create if ask.method == "POST" else _update
        return _write_rows(api, ask, lambda record: write(api, record))
    if not parts and ask.method == "DELETE":
        ids = [item for item in ask.query.get("ids", "").split(",") if item]
        all_or_none = ask.query.get("allOrNone", "false").lower() == "true"
        return _rows(api, ids, lambda record_id: _delete(api, record_id), all_or_none=all_or_none)
    if len(parts) == 1 and ask.method == "POST":
        return _retrieve(api, api.object(parts[0]), as_object(ask.json))
    if len(parts) == 1 and ask.method == "GET":
        wanted = {key: ask.query.get(key, "").split(",") for key in ("ids", "fields")}
        return _retrieve(api, api.object(parts[0]), wanted)
    if len(parts) == 2 and ask.method == "PATCH":
        obj = api.object(parts[0])
        item = api.external_id(obj, parts[1])

        def upsert(record: Mapping[str, Any]) -> dict[str, Any]:
            if _type_of(api, record).name != obj.name:
                raise ServiceError("INVALID_TYPE", f"The record is not of type {obj.name}", [])
            record_id, created = api.upsert(obj, item, record)
            return {"id": record_id, "success": True, "errors": [], "created": created}

        return _write_rows(api, ask, upsert)
    raise unspoken(ask)


def _write_rows(api: Api, ask: Ask, write: Callable[[Mapping[str, Any]], dict[str, Any]]) -> list[Any]:
    body = as_object(ask.json)
    records = body.get("records")
    if not isinstance(records, list) or not records or not all(isinstance(record, dict) for record in records):
        raise ServiceError("REQUIRED_FIELD_MISSING", "At least 1 record is required")
    types = [str(_type_name(record)) for record in records]
    if sum(1 for _ in groupby(types)) > MAX_CHUNKS:
        message = (
            f"Cannot have more than {MAX_CHUNKS} chunks in a single operation. "
            "Please rearrange the data to reduce chunking."
        )
        raise ServiceError("LIMIT_EXCEEDED", message)
    return _rows(api, records, write, all_or_none=bool(body.get("allOrNone", False)))


def _rows(api: Api, items: Sequence[Any], write: Callable[[Any], dict[str, Any]], *, all_or_none: bool) -> list[Any]:
    """Do rows in their order: each on its own, or all or none of them."""
    if len(items) > MAX_ROWS:
        message = f"record limit reached. cannot submit more than {MAX_ROWS} records into this call"
        raise ServiceError("EXCEEDED_ID_LIMIT", message)
    before = api.store.checkpoint()
    results: list[dict[str, Any]] = []
    for item in items:
        try:
            api.begin_row()
            results.append(write(item))
        except ServiceError as fault:
            if fault.code == "JSON_PARSER_ERROR":  # the body was not understood: nothing of it is done
                api.store.rollback(before)
                raise
            results.append(fault.row())
    if all_or_none and not all(result["success"] for result in results):
        api.store.rollback(before)
        return [_ROLLED_BACK.row() if result["success"] else result for result in results]
    return results


def _type_name(record: Mapping[str, Any]) -> Any:
    attributes = record.get("attributes")
    return attributes.get("type") if isinstance(attributes, dict) else None


def _type_of(api: Api, record: Mapping[str, Any]) -> ObjectType:
    name = _type_name(record)
    if not name:
        raise ServiceError("INVALID_TYPE", "Each record needs its type in attributes", [])
    obj = api.org.visible(str(name))
    if obj is None:
        raise ServiceError("INVALID_TYPE", f"sObject type '{name}' is not supported.", [])
    if obj.name == "ContentNote":
        raise NotSpokenError("a ContentNote in a collection")
    return obj


def _create(api: Api, record: Mapping[str, Any]) -> dict[str, Any]:
    record_id = api.writer.insert(_type_of(api, record).name, api.record(record, creating=True))
    return {"id": record_id, "success": True, "errors": []}


def _update(api: Api, record: Mapping[str, Any]) -> dict[str, Any]:
    given = next((value for key, value in record.items() if key.lower() == "id"), None)
    if not given:
        raise ServiceError("MISSING_ARGUMENT", "Id not specified in an update call", [])
    record_id = _id(given)
    if api.store.object_of(record_id) != _type_of(api, record).name:
        raise ServiceError("INVALID_CROSS_REFERENCE_KEY", "invalid cross reference id", [])
    api.writer.update(record_id, record)
    return {"id": record_id, "success": True, "errors": []}


def _delete(api: Api, text: str) -> dict[str, Any]:
    record_id = _id(text)
    api.writer.delete(record_id)
    return {"id": record_id, "success": True, "errors": []}


def _id(text: object) -> str:
    record_id = full_id(text)
    if record_id is None:
        raise ServiceError("MALFORMED_ID", f"malformed id {text}", [])
    return record_id


def _retrieve(api: Api, obj: ObjectType, body: Mapping[str, Any]) -> list[Any]:
    ids, fields = as_texts(body.get("ids"), "ids"), as_texts(body.get("fields"), "fields")
    if len(ids) > MAX_RETRIEVED:
        message = f"record limit reached. cannot submit more than {MAX_RETRIEVED} records into this call"
        raise ServiceError("EXCEEDED_ID_LIMIT", message)
    plan = api.queries.plan(obj, dict.fromkeys([*fields, "Id"]), ",".join(fields))
    rows = [api.store.live(full_id(item)) for item in ids]
    return [api.queries.render(plan, row) if row and row["Id"][:3] == obj.prefix else None for row in rows]
