"""Composite graphs: records that are created together or not at all, a graph each.

Documented at developer.salesforce.com, REST API Developer Guide, "Composite Graph", "Composite Graph Limits". How records
beyond the limits are refused, and that each graph counts its failures alone, is unverified. Only creates are spoken.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from connector_salesforce.sandbox.composite import HALTED, REFERENCE, check_references, part, resource, subrequest
from connector_salesforce.sandbox.faults import NotSpokenError, ServiceError, as_objects
from connector_salesforce.sandbox.rest import Answer, Api, as_object

MAX_GRAPHS = 75
MAX_NODES = 500
MAX_KINDS = 15
MAX_DEPTH = 15
MAX_FAILURES = 14
_GRAPH_ID = re.compile(r"[A-Za-z0-9]\w{0,39}")


def call_graph(api: Api, body: Any) -> Answer:
    """Create the records of graphs, each graph whole or not at all.

    :raises ServiceError: The service would refuse it.
    :raises NotSpokenError: The service may know it.
    """
    graphs = as_objects(as_object(body).get("graphs"), "graphs")
    nodes = [as_objects(it.get("compositeRequest"), "compositeRequest") for it in graphs]
    _check(graphs, nodes)
    answers: list[dict[str, Any]] = []
    for graph, requests in zip(graphs, nodes, strict=True):
        failed = sum(not it["isSuccessful"] for it in answers)
        done = _halted(requests) if failed > MAX_FAILURES else _create(api, requests)
        answers.append(
            {
                "graphId": graph["graphId"],
                "graphResponse": {"compositeResponse": [part(name, it) for name, it in done.items()]},
                "isSuccessful": all(it.status < 300 for it in done.values()),
            }
        )
    return Answer(200, {"graphs": answers})


def _create(api: Api, requests: Sequence[Mapping[str, Any]]) -> dict[str, Answer]:
    before = api.store.checkpoint()
    done: dict[str, Answer] = {}
    for request in requests:
        name = request["referenceId"]
        done[name] = subrequest(api, request, done, all_or_none=True)
        if done[name].status >= 300:
            api.store.rollback(before)
            return {**_halted(requests), name: done[name]}
    return done


def _halted(requests: Sequence[Mapping[str, Any]]) -> dict[str, Answer]:
    halted = Answer(400, [{"errorCode": "PROCESSING_HALTED", "message": HALTED}])
    return {it["referenceId"]: halted for it in requests}


def _check(graphs: Sequence[Mapping[str, Any]], nodes: Sequence[Sequence[Mapping[str, Any]]]) -> None:
    ids = [str(it.get("graphId", "")) for it in graphs]
    if not graphs or not all(nodes):
        raise ServiceError("JSON_PARSER_ERROR", "graphs: at least one, with at least one subrequest, is required")
    if len(graphs) > MAX_GRAPHS:
        raise ServiceError("LIMIT_EXCEEDED", f"A payload can have up to {MAX_GRAPHS} graphs.")
    if sum(map(len, nodes)) > MAX_NODES:
        raise ServiceError("LIMIT_EXCEEDED", f"A payload can have up to {MAX_NODES} nodes.")
    if not all(map(_GRAPH_ID.fullmatch, ids)) or len(set(ids)) < len(ids):
        raise ServiceError("INVALID_REFERENCE_ID", "Each graph needs a graphId of its own.")
    for requests in nodes:
        check_references(requests)
        _check_depth(requests)
    kinds = {(it.get("method"), it["url"].lower()) for requests in nodes for it in requests}
    for method, url in kinds:
        if method != "POST" or resource(url)[:1] != ("sobjects",) or len(list(filter(None, resource(url)))) != 2:
            raise NotSpokenError(f"{method} {url} inside a graph")
    if len(kinds) > MAX_KINDS:
        raise ServiceError("LIMIT_EXCEEDED", f"A payload can have up to {MAX_KINDS} different nodes.")


def _check_depth(requests: Sequence[Mapping[str, Any]]) -> None:
    depths: dict[str, int] = {}
    for it in requests:
        named = {found.partition(".")[0] for found in REFERENCE.findall(str(it.get("body")))}
        depths[it["referenceId"]] = 1 + max((depths.get(name, 0) for name in named), default=0)
    if max(depths.values()) > MAX_DEPTH:
        raise ServiceError("LIMIT_EXCEEDED", f"A graph can be up to {MAX_DEPTH} deep.")
