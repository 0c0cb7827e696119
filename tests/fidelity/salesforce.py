"""The recorded traffic of Salesforce. Its recorder took the version (``vxx.0``) and most headers out."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from connector_salesforce.sandbox import SalesforceSandbox

from connector_core.crms.world import parse_world
from connector_core.testing.sandbox import Sandbox
from tests.fidelity.replay import CannotPlantError, Exchange, Stage

_DATA = "/services/data/v66.0"
_NEEDED: Mapping[str, Mapping[str, Any]] = {
    "Account": {"Name": "Planted"},
    "Contact": {"LastName": "Planted"},
    "Lead": {"LastName": "Planted", "Company": "Planted"},
    "Opportunity": {"Name": "Planted", "StageName": "Prospecting", "CloseDate": "2021-10-03"},
    "Event": {"DurationInMinutes": 30, "ActivityDateTime": "2024-11-07T07:00:00.000+0000"},
}


class Salesforce:
    """Recorded by a tool that loads data."""

    name, title = "salesforce", "Salesforce"
    headers = ("content-type",)

    def sandbox(self) -> Sandbox:
        """Give an organization without records."""
        return SalesforceSandbox(parse_world({}))

    def begin(self, stage: Stage) -> None:
        """Let the recorded version and organization be ours."""
        rows = stage.send("GET", f"{_DATA}/query/", query={"q": "SELECT Id FROM Organization"}).body["records"]
        stage.ids.update({"vxx.0": "v66.0", "00D0xORGID00000000": rows[0]["Id"]})

    def operation(self, exchange: Exchange) -> str:
        """Name the operation; versions and ids are left out."""
        path = re.sub(r"/v?(xx|\d\d)\.0/", "/{version}/", re.sub("^/+", "/", exchange["path"])).rstrip("/")
        return f"{exchange['method']} " + re.sub(r"/(?=[^/]*\d)[0-9A-Za-z]{15,18}(?=/|$)", "/{id}", path)

    def query(self, exchange: Exchange) -> Mapping[str, str]:
        """Read the query, which was recorded decoded."""
        name, _, text = (exchange["query"] or "").partition("=")
        return {name: text} if name else {}

    def plant(self, stage: Stage, exchange: Exchange) -> None:
        """Make the records of the answers to queries, and those that an upsert found."""
        if "/async/" in exchange["path"] and exchange["method"] == "POST":
            raise CannotPlantError("what a bulk job changes")
        records = list(_records(exchange["resp"]))
        for record in records:
            self._create(stage, record)
        if len({record.get("Id", record["attributes"]["url"]) for record in records}) < len(records):
            raise CannotPlantError("one record in several rows, which a recorder edited")
        if exchange["method"] == "PATCH" and isinstance(exchange["resp"], list):
            for row, result in zip(exchange["req"]["records"], exchange["resp"], strict=True):
                if not result.get("created") and result["success"]:
                    url = f"/services/data/vxx.0/sobjects/{row['attributes']['type']}/{result['id']}"
                    self._create(stage, {**row, "attributes": {"type": row["attributes"]["type"], "url": url}})

    def _create(self, stage: Stage, record: Mapping[str, Any]) -> None:
        kind, record_id = record["attributes"]["type"], record["attributes"]["url"].rpartition("/")[2]
        if kind not in _NEEDED:
            raise CannotPlantError(kind)
        if record_id in stage.ids:
            return
        described = stage.send("GET", f"{_DATA}/sobjects/{kind}/describe").body["fields"]
        createable = {field["name"] for field in described if field["createable"]}
        given = {name: value for name, value in record.items() if name in createable and value is not None}
        for name in ("Who", "What"):
            if isinstance(record.get(name), dict):
                given[f"{name}Id"] = record[name]["attributes"]["url"].rpartition("/")[2]
        body = stage.comparison.translate({**_NEEDED[kind], **given})
        answer = stage.send("POST", f"{_DATA}/sobjects/{kind}", body)
        if answer.status != 201:
            raise CannotPlantError(f"{kind}: {answer.body}")
        stage.ids[record_id] = answer.body["id"]


def _records(value: Any) -> Iterator[Mapping[str, Any]]:
    """Give the records within an answer, those within a record before it."""
    for item in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from _records(item)
    if isinstance(value, dict) and "url" in (value.get("attributes") or {}):
        yield value
