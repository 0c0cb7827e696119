"""The class that an author of a plugin subclasses.

::

    class TestAcme(AdapterContract, manifest=ACME):
        \"\"\"Acme keeps the connector's contract.\"\"\"
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from connector_core.manifest import HOLDS, CrmManifest, Deviation
from connector_core.testing.contract.accounts import Account, SandboxAccount, missing_of, recording_of
from connector_core.testing.contract.activities import Recognising
from connector_core.testing.contract.changes import Replacing
from connector_core.testing.contract.clauses import Clause, clause_of, clauses_of
from connector_core.testing.contract.crm import Crm
from connector_core.testing.contract.described import Describing
from connector_core.testing.contract.errors import Errors, LostAnswers
from connector_core.testing.contract.feed import Feeding
from connector_core.testing.contract.fields import Fields
from connector_core.testing.contract.manners import Manners
from connector_core.testing.contract.noting import Noting
from connector_core.testing.contract.opportunities import Opportunities, Users
from connector_core.testing.contract.reads import Emails, People, Phones
from connector_core.testing.contract.records import Reading
from connector_core.testing.contract.searching import Forms, Searching
from connector_core.testing.contract.stages import Mode, Stages
from connector_core.testing.contract.values import Values
from connector_core.testing.contract.writing import Changing, Creating


class AdapterContract(
    Emails,
    Phones,
    People,
    Recognising,
    Opportunities,
    Users,
    Reading,
    Searching,
    Forms,
    Describing,
    Feeding,
    Creating,
    Changing,
    Replacing,
    Noting,
    Fields,
    Values,
    Errors,
    LostAnswers,
    Manners,
):
    """Proves that a plugin keeps the contract; ``docs/contract.md`` has its clauses.

    :param manifest: The plugin's.
    :param deviations: Clauses that it does not keep, beside those of the manifest.
    :param account: What to ask where no cassette is played; else a ``recording.py`` beside the test module, else the
        sandbox that the manifest names.
    :param live: Ask the account in every run, and play no cassette. Where its ``missing()`` names variables that the
        environment lacks, the clauses are skipped.
    """

    manifest: ClassVar[CrmManifest]
    deviations: ClassVar[Mapping[str, Deviation]]
    account: ClassVar[Account | None]
    live: ClassVar[bool]

    def __init_subclass__(
        cls,
        *,
        manifest: CrmManifest | None = None,
        deviations: Mapping[str, Deviation] | None = None,
        account: Account | None = None,
        live: bool = False,
        **options: Any,
    ) -> None:
        """Take the keywords of the class, and refuse what would weaken the contract."""
        super().__init_subclass__(**options)
        if manifest is None:
            raise TypeError(f"{cls.__name__} does not say whose contract it is: add manifest=… behind AdapterContract")
        cls.manifest, cls.account, cls.live = manifest, account, live
        cls.deviations = {**manifest.deviations, **(deviations or {})}
        _check_whole(cls)
        _check_deviations(cls.__name__, cls.deviations)
        if unknown := sorted(manifest.cannot_hold.keys() - HOLDS.keys()):
            possible = ", ".join(sorted(HOLDS))
            raise TypeError(f"{cls.__name__}: cannot_hold has no name {', '.join(unknown)}; possible: {possible}")

    @pytest.fixture
    def crm(self, request: pytest.FixtureRequest) -> Crm:
        """Give the CRM that a clause is about."""
        return Crm(self.manifest, _stages(request, type(self)), self.deviations)


CLAUSES: Mapping[str, Clause] = {it.id: it for it in clauses_of(AdapterContract)}
"""All clauses by id, in the order of the contract."""

_OPEN: pytest.StashKey[Stages] = pytest.StashKey()


def _check_whole(cls: type[AdapterContract]) -> None:
    for made in CLAUSES.values():
        if clause_of(inspect.getattr_static(cls, made.function, None)) is not made:
            raise TypeError(
                f"{cls.__name__} replaces {made.function}, which is {made.id} of the contract. Clauses stay as they are;"
                f' one that the service cannot keep is a deviation: deviations={{"{made.id}": Deviation(reason, link)}}'
            )


def _check_deviations(name: str, deviations: Mapping[str, object]) -> None:
    unknown = sorted(deviations.keys() - CLAUSES.keys())
    if unknown:
        raise TypeError(f"{name} deviates from clauses that there are not: {', '.join(unknown)}")
    for clause_id, deviation in deviations.items():
        whole = isinstance(deviation, Deviation) and deviation.reason.strip() and deviation.link.startswith("https://")
        if not whole:
            raise TypeError(
                f"{name}: the deviation from {clause_id} wants a reason, and a link to where it is documented:"
                " Deviation(reason, link)"
            )


def _stages(request: pytest.FixtureRequest, cls: type[AdapterContract]) -> Stages:
    """Give the stages of a test class, made for its first clause and closed after its last."""
    node = request.node.getparent(pytest.Class)
    if _OPEN not in node.stash:
        folder = request.config.rootpath / request.config.getini("crm_cassettes")
        mode = "live" if cls.live else mode_of(request.config)
        account = cls.account
        if account is None and mode in ("record", "live"):
            account = recording_of(Path(request.path)) or _sandbox(cls.manifest)
        if cls.live and (missing := missing_of(account)):
            pytest.skip(f"no account of {cls.manifest.title} to ask: set {', '.join(missing)}")
        node.stash[_OPEN] = Stages(cls.manifest, mode, folder, account)
        node.addfinalizer(node.stash[_OPEN].close)
    stages: Stages = node.stash[_OPEN]
    return stages


def mode_of(config: pytest.Config) -> Mode:
    """Read how clauses are to be run from the command line."""
    asked: dict[Mode, str] = {"record": "--contract-record", "live": "--contract-live", "sabotage": "--sabotage"}
    return next((mode for mode, option in asked.items() if config.getoption(option)), "replay")


def _sandbox(manifest: CrmManifest) -> Account | None:
    return SandboxAccount(manifest) if manifest.sandbox else None
