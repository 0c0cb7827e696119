"""The clauses on reading, searching, forms and describing fail wrong adapters, each by exactly one of them."""

from __future__ import annotations

import dataclasses

import pytest
from contract_accounts import FileAccount
from kit import wrong_companions
from kit.examination import failures
from kit.wrong_companions import FollowsMerges, MergingAccount, TakesMergedForGone, Wrong

from connector_core.crms import FILE
from connector_core.manifest import CrmManifest
from connector_core.testing.contract.base import CLAUSES

ABOUT = ("C-READ-", "C-SEARCH-", "C-FORM-", "C-DESCRIBE-", "C-ACCESS-", "C-ORG-")
COMPANIONS = [it for it in CLAUSES if it.startswith(ABOUT)]


def with_adapter(adapter: type, manifest: CrmManifest = FILE) -> CrmManifest:
    """Give the manifest of the CRM in a file, with another adapter."""
    return dataclasses.replace(manifest, adapter=f"{adapter.__module__}:{adapter.__name__}")


@pytest.mark.parametrize("adapter", wrong_companions.FAILED_BY, ids=lambda it: it.__name__)
def test_a_wrong_companion_is_failed_by_the_clause_that_it_names(adapter: type) -> None:
    """No other clause fails it, so that a failure says what is wrong."""
    found = failures(with_adapter(adapter), FileAccount(), COMPANIONS)

    assert found.keys() == wrong_companions.FAILED_BY[adapter], "\n".join(found.values())


def test_every_clause_on_companions_fails_an_adapter() -> None:
    """None of them passes whatever an adapter does; the one on merges is tried below."""
    assert set().union(*wrong_companions.FAILED_BY.values()) == {*COMPANIONS} - {"C-READ-7"}


def test_who_takes_merged_for_gone_is_failed_by_the_clause_on_merges() -> None:
    """In a CRM that merges, who follows merges keeps all clauses, and who does not breaks that one alone."""
    merging = dataclasses.replace(FILE, cannot_hold={"fixed_fields": "it keeps any further field"})

    assert failures(with_adapter(FollowsMerges, merging), MergingAccount(), COMPANIONS) == {}
    found = failures(with_adapter(TakesMergedForGone, merging), MergingAccount(), COMPANIONS)
    assert found.keys() == {"C-READ-7"}


def test_the_adapter_that_they_derive_from_is_right() -> None:
    """It keeps all clauses."""
    assert failures(with_adapter(Wrong), FileAccount(), COMPANIONS) == {}


def test_an_account_that_removes_nobody_is_told() -> None:
    """An author whose account cannot delete a contact hears what is missing."""

    class Keeping(FileAccount):
        """Cannot delete."""

        remove_contact = None  # type: ignore[assignment]  # as if there were none

    assert "has no remove_contact()" in failures(FILE, Keeping(), ["C-READ-6"])["C-READ-6"]
