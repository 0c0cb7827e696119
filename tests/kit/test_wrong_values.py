"""The clauses on filling and reading fields fail wrong adapters, each by exactly one of them."""

from __future__ import annotations

import dataclasses

import pytest
from contract_accounts import FileAccount
from kit import wrong_values
from kit.examination import failures
from kit.wrong_companions import MergingAccount

from connector_core.crms import FILE
from connector_core.manifest import CrmManifest
from connector_core.testing.contract.base import CLAUSES

FIELDS = [it for it in CLAUSES if it.startswith(("C-FIELD-", "C-VALUE-"))]


def with_adapter(adapter: type, manifest: CrmManifest = FILE) -> CrmManifest:
    """Give the manifest of the CRM in a file, with another adapter."""
    return dataclasses.replace(manifest, adapter=f"{adapter.__module__}:{adapter.__name__}")


@pytest.mark.parametrize("adapter", wrong_values.FAILED_BY, ids=lambda it: it.__name__)
def test_a_wrong_adapter_is_failed_by_the_clause_that_it_names(adapter: type) -> None:
    """No other clause fails it, so that a failure says what is wrong."""
    found = failures(with_adapter(adapter), FileAccount(), FIELDS)

    assert found.keys() == wrong_values.FAILED_BY[adapter], "\n".join(found.values())


def test_every_clause_on_reading_fields_fails_an_adapter() -> None:
    """None of them passes whatever an adapter does; that on fields that are not there is tried where any are not, and that
    on merges below.
    """
    wanted = {it for it in FIELDS if it.startswith("C-VALUE-")} - {"C-VALUE-3", "C-VALUE-8"}

    assert wanted <= set().union(*wrong_values.FAILED_BY.values())


def test_who_reads_the_survivor_is_failed_by_the_clause_on_merges() -> None:
    """In a CRM that merges, who tells the one that is left under the other's id breaks that clause alone."""
    merging = dataclasses.replace(FILE, cannot_hold={"fixed_fields": "it keeps any field"})

    assert failures(with_adapter(wrong_values.Wrong, merging), MergingAccount(), FIELDS) == {}
    found = failures(with_adapter(wrong_values.ReadsTheSurvivor, merging), MergingAccount(), FIELDS)
    assert found.keys() == {"C-VALUE-8"}


def test_the_adapter_that_they_derive_from_is_right() -> None:
    """It keeps all clauses."""
    assert failures(with_adapter(wrong_values.Wrong), FileAccount(), FIELDS) == {}
