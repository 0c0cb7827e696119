"""Each SOQL that the Salesforce plugin sends parses with Salesforce's published grammar."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from connector_core.testing.cassettes.exchange import Asked
from tests.grammar.published import Package, install

GRAMMAR = (
    Package(
        "@salesforce/soql-common",
        "0.2.2",
        "JkdHQ64KHrVgB2UHdm2UTAvKeGYPKK7E2Cp1egiPZe4NwA8M4tF3k3auBnjX3iUDzFUtkBVLWdoKYJoqZGfCTA==",
    ),
    Package(
        "antlr4ts",
        "0.5.0-alpha.4",
        "WPQDt1B74OfPv/IMS2ekXAKkTZIHl88uMetg6q3OTqgFxZ/dxDXI0EWLyZid/1Pe6hTftyg5N7gel5wNAGxXyQ==",
    ),
)
SCRIPT = Path(__file__).with_name("soql.js")
WAIVED: dict[str, str] = {}
"""Queries that the grammar refuses and the service takes, and why; so far there is none."""


@pytest.fixture(scope="module")
def parse(fetched: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[[list[str]], list[Any]]:
    """Give what the published parser says of each query: a list of errors."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("there is no node")
    modules = tmp_path_factory.mktemp("soql") / "node_modules"
    cache = fetched(*GRAMMAR)
    for package in GRAMMAR:
        install(package, cache, modules)

    def run(queries: list[str]) -> list[Any]:
        done = subprocess.run(  # noqa: S603 - the script is ours
            [node, SCRIPT],
            input=json.dumps(queries),
            env={**os.environ, "NODE_PATH": str(modules)},
            check=True,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=120,
        )
        return list(json.loads(done.stdout))

    return run


def queries_of(asked: Asked) -> Iterator[str]:
    """Give the queries of a request: its own, and those within a composite one."""
    if urlsplit(asked.url).path.rstrip("/").endswith(("/query", "/queryAll")):
        yield from (text for name, text in asked.query if name == "q")
    body = asked.body.value if asked.body.kind == "json" and isinstance(asked.body.value, dict) else {}
    addresses = [part["url"] for part in body.get("compositeRequest", ())]
    for address in map(urlsplit, addresses):
        if address.path.rstrip("/").endswith(("/query", "/queryAll")):
            yield from parse_qs(address.query)["q"]


def test_every_query_parses(parse: Callable[[list[str]], list[Any]], sent: Callable[[str], list[Asked]]) -> None:
    """Not one is refused, but for those that are waived."""
    queries = sorted({query for asked in sent("salesforce") for query in queries_of(asked)} - WAIVED.keys())
    refused = {query: errors for query, errors in zip(queries, parse(queries), strict=True) if errors}
    assert (len(queries) > 50, refused) == (True, {})


def test_the_parser_refuses_what_is_no_soql(parse: Callable[[list[str]], list[Any]]) -> None:
    """It would tell."""
    wrong = ["SELECT FROM Contact", "SELECT Id FROM Contact WHERE", "SELECT Id FROM Contact WHERE Name = 'O'Neil'"]
    assert all(parse(wrong))
