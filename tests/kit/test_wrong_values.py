"""The clauses on filling and reading fields fail wrong adapters, each by exactly one of them."""

from __future__ import annotations

import dataclasses

import pytest
from contract_accounts import FileAccount
from kit import wrong_values
from kit.examination import failures

from connector_core.crms import FILE
from connector_core.manifest import CrmManifest
from connector_core.testing.contract.base import CLAUSES

FIELDS = [it for it in CLAUSES if it.startswith(("C-FIELD-", "C-VALUE-"))]


def with_adapter(adapter: type) -> CrmManifest:
    """Give the manifest of the CRM in a file, with another adapter."""
    return dataclasses.replace(FILE, adapter=f"{adapter.__module__}:{adapter.__name__}")


@pytest.mark.parametrize("adapter", wrong_values.FAILED_BY, ids=lambda it: it.__name__)
def test_a_wrong_adapter_is_failed_by_the_clause_that_it_names(adapter: type) -> None:
    """No other clause fails it, so that a failure says what is wrong."""
    found = failures(with_adapter(adapter), FileAccount(), FIELDS)

    assert found.keys() == wrong_values.FAILED_BY[adapter], "\n".join(found.values())


def test_every_clause_on_reading_fields_fails_an_adapter() -> None:
    """None of them passes whatever an adapter does; the one on fields that are not there is tried where any are not."""
    wanted = {it for it in FIELDS if it.startswith("C-VALUE-")} - {"C-VALUE-3"}

    assert wanted <= set().union(*wrong_values.FAILED_BY.values())


def test_the_adapter_that_they_derive_from_is_right() -> None:
    """It keeps all clauses."""
    assert failures(with_adapter(wrong_values.Wrong), FileAccount(), FIELDS) == {}
