"""A short form of the fault matrix: whatever happens, no call is lost, none written twice, nothing overwritten or wrong."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.faults.__main__ import once
from tests.faults.databases import Databases
from tests.faults.matrix import FAULTS
from tests.faults.stage import Outcome, links

CALLS = 40
SQLITE = (
    "killed at noted",
    "killed at sent",
    "lost answers",
    "expired session",
    "wrong length",
    "delivered often",
    "edited",
)
POSTGRES = ("killed at noted", "stopped past the lease", "restarted")


@pytest.fixture(scope="module")
def sqlite() -> Iterator[Databases]:
    """Ledgers in files."""
    with Databases("sqlite") as databases:
        yield databases


@pytest.fixture(scope="module")
def postgres() -> Iterator[Databases]:
    """Ledgers in a PostgreSQL that may be killed."""
    try:
        with Databases("postgres") as databases:
            yield databases
    except SystemExit as missing:
        pytest.skip(str(missing))


@functools.cache
def usual(crm: str) -> Mapping[str, Any]:
    """Give what each call is linked to when nothing happens."""
    with Databases("sqlite") as databases:
        _, _, held = once(crm, databases, CALLS, FAULTS["none"], {})
    return {call_id: links(crm, rows[0]) for call_id, rows in held.items()}


@pytest.mark.parametrize("crm", ["salesforce", "hubspot"])
def test_without_a_fault_every_call_is_written_once(crm: str, sqlite: Databases) -> None:
    """The yardstick itself does no harm."""
    _, outcome, _ = once(crm, sqlite, CALLS, FAULTS["none"], dict(usual(crm)))

    assert harm(outcome) == {}


@pytest.mark.parametrize("fault", SQLITE)
def test_a_fault_does_no_harm(fault: str, sqlite: Databases) -> None:
    """On SQLite, with workers of one process."""
    _, outcome, _ = once("salesforce", sqlite, CALLS, FAULTS[fault], dict(usual("salesforce")))

    assert harm(outcome) == {}


@pytest.mark.parametrize("fault", POSTGRES)
def test_a_fault_does_no_harm_on_postgres(fault: str, postgres: Databases) -> None:
    """On PostgreSQL, woken by its own engine."""
    _, outcome, _ = once("hubspot", postgres, CALLS, FAULTS[fault], dict(usual("hubspot")))

    assert harm(outcome) == {}


def harm(outcome: Outcome) -> dict[str, int]:
    """Give what is not zero and should be."""
    counted = ("lost", "duplicated", "wrong", "overwritten", "told")
    return {name: number for name in counted if (number := getattr(outcome, name))}
