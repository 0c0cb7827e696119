"""Has an account changed since the cassettes were recorded? The look-ups of the contract, sent to it and compared.

Nothing is written to the account: see :class:`~connector_core.testing.cassettes.reading.ReadGuard`.
"""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector_core.binding import bind
from connector_core.manifest import OPERATIONS, ConnectionInfo, CrmManifest
from connector_core.references import is_secret
from connector_core.testing.cassettes import (
    CassetteError,
    Difference,
    Provenance,
    cassette_path,
    drift,
    read,
    recording,
)
from connector_core.testing.cassettes.exchange import Cassette
from connector_core.testing.cassettes.reading import ReadGuard
from connector_core.testing.contract.base import CLAUSES
from connector_core.testing.contract.clauses import Clause
from connector_core.testing.contract.crm import Crm
from connector_core.testing.contract.found import find_world
from connector_core.testing.contract.stages import Stage, Stages
from connector_core.testing.contract.world import REGIONS, contract_world

LOOK_UPS = OPERATIONS - {"write_activity", "fill_fields"}
_INFO = ConnectionInfo("contract", REGIONS)


@dataclass(frozen=True, slots=True)
class Compared:
    """What became of the look-ups of one clause. ``why_not``: why they could not be compared."""

    clause: str
    differences: tuple[Difference, ...] = ()
    why_not: str | None = None


@dataclass
class DriftCheck:
    """The look-ups of a plugin's cassettes, for one account.

    :param folder: Where the cassettes of all plugins are.
    :param settings: The account's, looked up already.
    """

    manifest: CrmManifest
    settings: Mapping[str, Any]
    folder: Path
    holds_world: bool = field(default=False, init=False)
    """Whether the account holds the contract's world, so that values can be compared too; known once it runs."""

    def run(self) -> Iterator[Compared]:
        """Send the look-ups of each clause, and compare.

        :raises CassetteError: There are no cassettes of look-ups, or one cannot be read.
        :raises CredentialsError: The CRM refuses the credentials.
        :raises TryAgainError: It cannot be asked now.
        :raises ConfigurationError: The settings are wrong.
        """
        cassettes = {it: cassette_path(self.manifest.name, it.id, self.folder) for it in _reading(self.manifest)}
        recorded = {it: read(path) for it, path in cassettes.items() if path.exists()}
        if not recorded:
            raise CassetteError(f"{self.folder / self.manifest.name}: has no cassette of a look-up to compare with")
        guard = ReadGuard(recorded.values())
        with tempfile.TemporaryDirectory(prefix="contract-drift-") as scratch:
            ids = self._ids(next(iter(recorded.values())), guard, Path(scratch))
            for clause, path in cassettes.items():
                if clause in recorded:
                    yield self._compared(clause, path, _Account(self, ids, guard, Path(scratch)))
                else:
                    yield Compared(clause.id, why_not="has no cassette")

    def _ids(self, recorded: Cassette, guard: ReadGuard, scratch: Path) -> Mapping[str, str]:
        """Give the account's ids of the world; those of the cassettes where it does not hold the world at all."""
        known = recorded.provenance.ids
        with self.recording(scratch / "world.yaml", guard, {}), bind(self.manifest, self.settings, _INFO) as connection:
            found = find_world(connection, contract_world(self.manifest))
        self.holds_world = bool(found)
        # Ids that agree are those of a sandbox, which counts alike each time: its others agree too.
        return known if found.items() <= known.items() else found

    def recording(
        self, path: Path, guard: ReadGuard, ids: Mapping[str, str]
    ) -> contextlib.AbstractContextManager[object]:
        """Record what is asked of the account, and keep all but reading from it."""
        provenance = Provenance.now(self.manifest, "live", self.settings, ids=ids, info=_INFO)
        secrets = [str(value) for key, value in self.settings.items() if is_secret(key)]
        return recording(path, provenance, secrets=secrets, before=guard)

    def _compared(self, clause: Clause, path: Path, account: _Account) -> Compared:
        onlooker = _Onlooker(self.manifest, account)
        refused = len(account.guard.refused)
        try:
            onlooker.run(clause, lambda crm: clause.body(None, crm))
            found = drift(path, account.path(clause))
        except CassetteError as error:
            found = [Difference("request", "all requests", "answers", "recorded", f"none ({type(error).__name__})")]
        if isinstance(account.ended, _NotHeldError):
            return Compared(clause.id, why_not=f"the account does not hold {account.ended}, or no look-up finds it")
        refusals = account.guard.refused[refused:]
        found += [Difference("request", str(it), "guard", "", "not sent: it may write") for it in refusals]
        if not self.holds_world:
            found = [it for it in found if _tells_without_records(it)]
        elif (onlooker.surprised or account.ended) and clause.id not in self.manifest.deviations:
            found.append(Difference("value lost", "all requests", "what the clause expects", "kept", "broken"))
        return Compared(clause.id, tuple(dict.fromkeys(found)))


def _reading(manifest: CrmManifest) -> list[Clause]:
    return [
        it
        for it in CLAUSES.values()
        if it.recorded
        and not it.changes
        and it.operations
        and LOOK_UPS.issuperset(it.operations)
        and not it.undeclared(manifest)
        and not it.why_not(manifest, local=False)
    ]


def _tells_without_records(difference: Difference) -> bool:
    """Tell whether a difference means something where the account has other records, or none."""
    if difference.change in ("value lost", "request"):
        return difference.place == "guard"
    if difference.change == "status":
        return not (difference.old.startswith("2") and difference.new.startswith("2"))
    return True


class _NotHeldError(Exception):
    """A clause is about a record that is not there."""


class _Ids(dict[str, str]):
    def __missing__(self, world_id: str) -> str:
        raise _NotHeldError(world_id)


class _Account(Stages):
    """The account as a stage: each clause is recorded for the moment, and may end early."""

    def __init__(self, check: DriftCheck, ids: Mapping[str, str], guard: ReadGuard, scratch: Path) -> None:
        super().__init__(check.manifest, "live", scratch, None)
        self.guard = guard
        self.ended: Exception | None = None
        self._check = check
        self._ids = ids

    def path(self, clause: Clause) -> Path:
        """Say where what is recorded goes."""
        return self._folder / f"{clause.id}.yaml"

    @contextlib.contextmanager
    def open(self, clause: Clause) -> Iterator[Stage]:
        """Record a clause to its end, or to where it could not go on."""
        with self._check.recording(self.path(clause), self.guard, self._ids):
            try:
                yield Stage(self._check.settings, _Ids(self._ids), lambda: 1)
            except Exception as error:  # noqa: BLE001 - whatever ends it, what was answered is compared
                self.ended = error


class _Onlooker(Crm):
    """Runs a clause to see what is asked and answered; what it expects is noted, and ends nothing."""

    surprised = False

    def expect(self, got: object, wanted: object, about: str = "") -> None:
        """Note whether it is another value."""
        self._expected += 1
        self.surprised = self.surprised or got != wanted
