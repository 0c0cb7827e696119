"""Each request of the HubSpot plugin is valid against HubSpot's published OpenAPI documents.

The documents describe v3 and v4. The plugin speaks a dated version, whose requests have the same forms at other paths
(reference of "Using object APIs", and the table of paths in HubSpot's announcement of date-based versioning).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from connector_core.testing.cassettes.exchange import Asked
from tests.grammar.published import Package, read

openapi_core = pytest.importorskip("openapi_core", reason="openapi-core is not installed")
testing = pytest.importorskip("openapi_core.testing")

pytestmark = pytest.mark.filterwarnings("ignore:Unsupported scheme type:UserWarning")  # OAuth: who asks is not judged
DOCUMENTS = Package(
    "@opensdks/sdk-hubspot",
    "0.0.6",
    "UivI44M/g4XwoQvDq57b9PVdlGeiCYS+6zcFJq5HhEJLzYejg21oSJ+R3LC49TINfde88fZvV+wx/ism62C65A==",
)
OF_AN_OBJECT = {"contacts", "companies", "deals"}
JSON = {"content-type": "application/json"}
DATED = re.compile(r"/crm/(?P<area>objects|associations|properties|pipelines|owners)/\d{4}-\d\d(?P<rest>(?:/.*)?)")

_GENERATED = "required by the document, as each list and cursor is; "
_RECORDED = "recorded searches without it were answered 200"
WAIVED = {
    "POST objects/batch/read: 'propertiesWithHistory' is a required property": _GENERATED
    + "the guide's own examples of a batch read have none",
    "POST objects/search: 'after' is a required property": _GENERATED + _RECORDED,
    "POST objects/search: 'filterGroups' is a required property": _GENERATED + _RECORDED,
    "POST objects/search: 'sorts' is a required property": _GENERATED + _RECORDED,
    "POST objects/search: sorts[] is no string": "recorded searches with objects of propertyName and direction were "
    "answered 200, and the guide shows no other form",
}
"""Where the documents are stricter than the service, and how that is known."""
NOT_CARRIED = {
    "/account-info/2026-09/details": "the package has no document of account information",
    "/oauth/2026-09/token/introspect": "the package has the document of v1 alone",
    "/oauth/v2/private-apps/get/access-token-info": "the package has no document of private apps",
}
"""Paths that no document of the package describes."""


@pytest.fixture(scope="module")
def documents(fetched: Callable[..., Path]) -> Callable[[str], Any]:
    """Read documents of HubSpot, each once. One lacks a path parameter, so they are not checked themselves."""
    cache = fetched(DOCUMENTS)
    config = openapi_core.Config(spec_validator_cls=None)
    known: dict[str, Any] = {}

    def document(name: str) -> Any:
        if name not in known:
            text = read(DOCUMENTS, cache, f"hubspot_crm_{name}.oas.json")
            known[name] = openapi_core.OpenAPI.from_dict(json.loads(text), config=config)
        return known[name]

    return document


def described(path: str) -> tuple[str, str, str] | None:
    """Find where a path of a dated version is described: the document, the path there, and a short name."""
    match = DATED.fullmatch(path)
    if match is None:
        return None
    area, rest = match["area"], match["rest"]
    parts = rest.split("/")
    if area == "objects":
        kind = parts[1]
        return kind if kind in OF_AN_OBJECT else "objects", f"/crm/v3/objects{rest}", "/".join(["objects", *parts[2:]])
    if area == "associations":
        return "crm_associations", f"/crm/v4/associations{rest}", "/".join(["associations", *parts[3:]])
    return area, f"/crm/v3/{area}{rest}" + ("/" if area == "owners" else ""), area


def problems(documents: Callable[[str], Any], asked: Asked) -> Iterator[str]:
    """Tell what a document says against a request."""
    path = urlsplit(asked.url).path
    found = described(path)
    if found is None:
        if path not in NOT_CARRIED:
            yield f"{asked}: no document describes it"
        return
    name, there, short = found
    request = testing.MockRequest(
        "https://api.hubapi.com",  # what the documents name as their server; nothing is sent
        asked.method.lower(),
        there,
        args=dict(asked.query),
        headers={"Authorization": "Bearer word"},
        data=json.dumps(asked.body.value).encode() if asked.body.kind == "json" else None,
    )
    try:
        documents(name).validate_request(request)
    except openapi_core.exceptions.OpenAPIError as error:
        schema_errors = getattr(error.__cause__, "schema_errors", ())
        for each in schema_errors:
            place = re.sub(r"\.?\b\d+\b", "[]", ".".join(map(str, each.absolute_path)))
            what = f"{place} is no {each.validator_value}" if each.validator == "type" else each.message
            yield f"{asked.method} {short}: {what}"
        if not schema_errors:
            yield f"{asked.method} {short}: {error}"


@pytest.fixture(scope="module")
def found(documents: Callable[[str], Any], sent: Callable[[str], list[Asked]]) -> set[str]:
    """Give all that the documents say against what the plugin sends."""
    requests = sent("hubspot")
    assert len(requests) > 100
    return {problem for asked in requests for problem in problems(documents, asked)}


def test_every_request_is_valid(found: set[str]) -> None:
    """But for what is waived."""
    assert sorted(found - WAIVED.keys()) == []


def test_every_waiver_is_needed(found: set[str]) -> None:
    """One that nothing needs any more is to be deleted."""
    assert sorted(WAIVED.keys() - found) == []


def test_a_wrong_request_is_told(documents: Callable[[str], Any]) -> None:
    """The documents would tell."""
    wrong = [
        Asked.of("POST", "https://host.invalid/crm/objects/2026-09/calls/batch/create", JSON, b'{"inputs": {}}'),
        Asked.of("POST", "https://host.invalid/crm/objects/2026-09/calls/batch/made", JSON, b'{"inputs": []}'),
        Asked.of("GET", "https://host.invalid/crm/anything/2026-09", {}, b""),
    ]
    assert [len(list(problems(documents, asked))) for asked in wrong] == [1, 1, 1]
