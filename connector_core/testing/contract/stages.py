"""Where clauses take place: on cassettes, on an account that is recorded, on one that is not, or on this machine."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeAlias

import pytest

from connector_core.manifest import ConnectionInfo, CrmManifest
from connector_core.references import is_secret
from connector_core.testing.cassettes import (
    Fault,
    Provenance,
    ReplayServer,
    Tape,
    cassette_path,
    read,
    recording,
    replay_server,
    replaying,
    sabotaged,
)
from connector_core.testing.cassettes.guard import no_network
from connector_core.testing.contract.accounts import Account, remove_contact, unique_key
from connector_core.testing.contract.clauses import Clause
from connector_core.testing.contract.world import REGIONS, contract_world
from connector_core.testing.sandbox import seed_ids

Mode: TypeAlias = Literal["replay", "sabotage", "record", "live"]
"""How clauses are run: on their cassettes; on these with each answer emptied in turn; recording them; without any."""

_HOW_TO_RECORD = "Record it with: pytest --contract-record, on this test class"
_HOW_TO_ASK = "Put a recording.py beside the test module, with ORIGIN, settings(), seed(world) and wipe()"


@dataclass(frozen=True)
class Stage:
    """A CRM that holds the world: settings to reach it, ids by those of the world, and how many requests were sent."""

    settings: Mapping[str, Any]
    ids: Mapping[str, str]
    requests: Callable[[], int] = lambda: 0

    @cached_property
    def world_ids(self) -> Mapping[str, str]:
        """Ids of the world, by those of the CRM."""
        return {there: here for here, there in self.ids.items()}


class Stages:
    """The stages of one plugin: what stands between clauses and cassettes or accounts."""

    def __init__(self, manifest: CrmManifest, mode: Mode, folder: Path, account: Account | None) -> None:
        """Open nothing yet.

        :param folder: Where the cassettes of all plugins are.
        :param account: What is asked where no cassette is played; None where there is none.
        """
        self.manifest = manifest
        self.local = account is not None and account.ORIGIN == "local"
        self.info = ConnectionInfo("contract", REGIONS)
        self.origin = account.ORIGIN if account else ""
        self._sabotages = mode == "sabotage" and not self.local
        self._mode: Mode = "live" if self.local else "replay" if mode == "sabotage" else mode
        self._folder = folder
        self._account = account
        self._used = False
        self._held: Mapping[str, str] | None = None
        self._scratch: tempfile.TemporaryDirectory[str] | None = None
        self._recorded_now: set[str] = set()

    def close(self) -> None:
        """Leave the account as it was before, and forget what was recorded for the moment."""
        if self._used and self._account is not None:
            self._account.wipe()
        self._used, self._held = False, None
        if self._scratch is not None:
            self._scratch.cleanup()
            self._scratch = None

    # -- stages --------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def open(self, clause: Clause) -> Iterator[Stage]:
        """Open the stage of a clause.

        :raises CassetteError: The clause was not recorded, or asked for something else than was recorded.
        """
        if self._mode == "replay":
            with replaying(self._existing(clause)) as played:
                yield self._recorded(played.provenance, lambda: played.requests)
            return
        settings, ids = self._seeded()
        if "unique_external_key" in clause.traits:
            settings = {**settings, **unique_key(self._account)}
        for contact, survivor in clause.without.items():
            remove_contact(self._account, ids[contact], ids[survivor] if survivor else None)
        try:
            if self.local:
                yield Stage(settings, ids)
            else:
                with self._recording(clause, settings, ids) as tape:
                    yield Stage(settings, ids, lambda: tape.requests)
                self._recorded_now.add(clause.id)
        except BaseException:
            self._held = None  # whatever happened, the next clause begins anew
            raise
        if clause.changes:
            self._held = None

    def sabotaged(self, clause: Clause) -> Iterator[contextlib.AbstractContextManager[Stage]]:
        """Give a stage for each recorded answer of a clause, with that one emptied; none unless that was asked for."""

        @contextlib.contextmanager
        def without(number: int) -> Iterator[Stage]:
            with sabotaged(path, number) as played:
                yield self._recorded(played.provenance, lambda: played.requests)

        if self._sabotages:
            path = self._existing(clause)
            yield from map(without, range(len(read(path).exchanges)))

    @contextlib.contextmanager
    def idle(self) -> Iterator[Stage]:
        """Open a stage on which nothing may be sent; what is tried nevertheless is counted."""
        tried: list[Exception] = []
        if self._mode == "replay":
            stage = self._recorded(self._any_provenance(), lambda: len(tried))
        else:
            settings, ids = self._seeded()
            stage = Stage(settings, ids, lambda: len(tried))
        with no_network(tried.append):
            yield stage

    @contextlib.contextmanager
    def troubled(
        self, clause: Clause, rehearse: Callable[[], None], faults: Sequence[Fault]
    ) -> Iterator[tuple[Stage, ReplayServer]]:
        """Play the cassette of a clause from a server on this machine, with faults.

        :param rehearse: Runs the clause, where its cassette is to be recorded first.
        """
        if self._mode != "replay" and clause.id not in self._recorded_now:
            rehearse()
        path = self._existing(clause)
        with replay_server(path, faults) as server:
            yield self._recorded(read(path).provenance, lambda: len(server.requests), server.settings), server

    # -- cassettes -----------------------------------------------------------------------------------------------------

    def path(self, clause: Clause) -> Path:
        """Say where a clause's cassette is, or will be."""
        if self._mode != "live":
            return cassette_path(self.manifest.name, clause.id, self._folder)
        if self._scratch is None:
            self._scratch = tempfile.TemporaryDirectory(prefix="contract-")
        return cassette_path(self.manifest.name, clause.id, Path(self._scratch.name))

    def _existing(self, clause: Clause) -> Path:
        path = self.path(clause)
        if not path.exists():
            pytest.fail(f"{path}: {clause.id} has no cassette. {_HOW_TO_RECORD}", pytrace=False)
        return path

    def _any_provenance(self) -> Provenance:
        folder = self._folder / self.manifest.name
        path = next(iter(sorted(folder.glob("*.yaml"))), None)
        if path is None:
            pytest.fail(f"{folder}: there is no cassette. {_HOW_TO_RECORD}", pytrace=False)
        return read(path).provenance

    def _recorded(
        self, provenance: Provenance, requests: Callable[[], int], settings: Mapping[str, Any] | None = None
    ) -> Stage:
        self.origin = provenance.origin
        return Stage(provenance.settings if settings is None else settings, provenance.ids, requests)

    def _recording(
        self, clause: Clause, settings: Mapping[str, Any], ids: Mapping[str, str]
    ) -> contextlib.AbstractContextManager[Tape]:
        origin: Any = self.origin
        provenance = Provenance.now(self.manifest, origin, settings, ids=ids, info=self.info)
        secrets = [str(value) for key, value in settings.items() if is_secret(key)]
        return recording(self.path(clause), provenance, secrets=secrets)

    # -- accounts ------------------------------------------------------------------------------------------------------

    def _seeded(self) -> tuple[Mapping[str, Any], Mapping[str, str]]:
        """Let the account hold the world, unless it still does."""
        if self._account is None:
            pytest.fail(f"{self.manifest.name}: there is no account to ask. {_HOW_TO_ASK}", pytrace=False)
        if self._held is None:
            self._used = True
            self._account.wipe()
            world = contract_world(self.manifest)
            held = self._account.seed(world)
            if lacking := [it for it in seed_ids(world) if it not in held]:
                listed = f"{', '.join(lacking[:5])}{' and others' if len(lacking) > 5 else ''}"
                pytest.fail(f"{self.manifest.name}: seed(world) gave no id for {listed} of the world", pytrace=False)
            self._held = held
        return self._account.settings(), self._held
