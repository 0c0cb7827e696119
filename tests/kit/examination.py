"""Runs the clauses of the contract outside pytest, and tells which of them a plugin does not keep."""

from __future__ import annotations

import functools
from collections.abc import Collection
from pathlib import Path

import pytest

from connector_core.manifest import CrmManifest
from connector_core.testing.contract.accounts import Account
from connector_core.testing.contract.base import CLAUSES
from connector_core.testing.contract.crm import Crm
from connector_core.testing.contract.stages import Stages
from connector_core.testing.contract.wording import BrokenClauseError


def failures(manifest: CrmManifest, account: Account, clauses: Collection[str] = CLAUSES.keys()) -> dict[str, str]:
    """Give the clauses that the plugin does not keep, with what each says."""
    stages = Stages(manifest, "live", Path(), account)
    found: dict[str, str] = {}
    try:
        for clause_id in clauses:
            clause = CLAUSES[clause_id]
            try:
                Crm(manifest, stages).run(clause, functools.partial(clause.body, None))
            except BrokenClauseError as error:
                found[clause_id] = str(error)
            except pytest.skip.Exception:
                continue
    finally:
        stages.close()
    return found
