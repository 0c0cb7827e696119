"""The contract kit is held to wrong adapters: each is failed by the clauses that it names, and by no other."""

from __future__ import annotations

import dataclasses

import pytest
from contract_accounts import FileAccount
from kit import mutants, wrong_changes, wrong_notes, wrong_over_http
from kit.examination import failures
from kit.remote import REMOTE, RemoteAccount

from connector_core.crms import FILE
from connector_core.manifest import CrmManifest
from connector_core.testing.contract.base import CLAUSES

assert wrong_changes.__doc__  # they note themselves in FAILED_BY when they are imported
assert wrong_notes.__doc__  # likewise
OVER_HTTP = [it.id for it in CLAUSES.values() if it.plays or it.quiet] + ["C-COST-1"]


def with_adapter(manifest: CrmManifest, adapter: type) -> CrmManifest:
    """Give a manifest that names another adapter."""
    return dataclasses.replace(manifest, adapter=f"{adapter.__module__}:{adapter.__name__}")


@pytest.mark.parametrize("adapter", mutants.FAILED_BY, ids=lambda it: it.__name__)
def test_a_wrong_adapter_is_failed_by_the_clauses_that_it_names(adapter: type) -> None:
    """No other clause fails it, so that a failure says what is wrong."""
    found = failures(with_adapter(FILE, adapter), FileAccount())

    assert found.keys() == mutants.FAILED_BY[adapter], "\n".join(found.values())


@pytest.mark.parametrize("adapter", wrong_over_http.FAILED_BY, ids=lambda it: it.__name__)
def test_an_adapter_that_fails_badly_is_failed_by_the_clauses_that_it_names(adapter: type) -> None:
    """Of those on requests and what becomes of them."""
    found = failures(with_adapter(REMOTE, adapter), RemoteAccount(), OVER_HTTP)

    assert found.keys() == wrong_over_http.FAILED_BY[adapter], "\n".join(found.values())


def test_the_adapters_that_they_derive_from_are_right() -> None:
    """The CRM over HTTP keeps all clauses; that in a file has a contract test of its own."""
    assert failures(with_adapter(FILE, mutants.Wrong), FileAccount()) == {}
    assert failures(REMOTE, RemoteAccount()) == {}
