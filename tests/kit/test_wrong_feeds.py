"""The clauses on the feed of changes fail wrong adapters, each by exactly one of them."""

from __future__ import annotations

import dataclasses

import pytest
from contract_accounts import FileAccount
from kit import wrong_feeds
from kit.examination import failures

from connector_core.crms import FILE
from connector_core.manifest import CrmManifest
from connector_core.testing.contract.base import CLAUSES

FEEDS = [it for it in CLAUSES if it.startswith("C-FEED-")]


def with_adapter(adapter: type) -> CrmManifest:
    """Give the manifest of the CRM in a file, with another adapter."""
    return dataclasses.replace(FILE, adapter=f"{adapter.__module__}:{adapter.__name__}")


@pytest.mark.parametrize("adapter", wrong_feeds.FAILED_BY, ids=lambda it: it.__name__)
def test_a_wrong_feed_is_failed_by_the_clause_that_it_names(adapter: type) -> None:
    """No other clause fails it, so that a failure says what is wrong."""
    found = failures(with_adapter(adapter), FileAccount(), FEEDS)

    assert found.keys() == wrong_feeds.FAILED_BY[adapter], "\n".join(found.values())


def test_every_clause_on_feeds_fails_an_adapter() -> None:
    """None of them passes whatever an adapter does."""
    assert set().union(*wrong_feeds.FAILED_BY.values()) == {*FEEDS}


def test_the_adapter_that_they_derive_from_is_right() -> None:
    """It keeps all clauses, with its pages of 40."""
    assert failures(with_adapter(wrong_feeds.Paged), FileAccount(), FEEDS) == {}
