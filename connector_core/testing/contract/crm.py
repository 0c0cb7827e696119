"""What a clause has in its hands: a connection to a CRM that holds the contract's world, and what it expects of it."""

from __future__ import annotations

import contextlib
import datetime as dt
import functools
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from connector_core.binding import bind
from connector_core.connection import Connection
from connector_core.errors import ConnectorError, UnsupportedError
from connector_core.hookspecs import hookimpl
from connector_core.manifest import ConnectionInfo, CrmManifest
from connector_core.model import CallKey, FormFields, Unknown
from connector_core.testing.cassettes import Fault, ReplayServer
from connector_core.testing.contract.clauses import Clause, Standing
from connector_core.testing.contract.stages import Stage, Stages
from connector_core.testing.contract.wording import BrokenClauseError, broken, compared, survivors
from connector_core.testing.contract.world import REGIONS

Shown: TypeAlias = tuple[str, ...] | Unknown
"""An answer in the ids of the contract's world, sorted."""

_ENDLESS = 1_000

_ASKED: Mapping[str, Callable[[Connection], object]] = {
    "find_contacts_by_email": lambda it: it.find_contacts_by_email(["nobody@example.com"]),
    "find_contacts_by_phone": lambda it: it.find_contacts_by_phone(["+33639980199"]),
    "find_activity": lambda it: it.find_activity([call_key("contract:none")]),
    "list_opportunities": lambda it: it.list_opportunities(person_ids=["none"]),
    "write_activity": lambda it: it.write_activity([]),
    "fill_fields": lambda it: it.fill_fields([]),
    "find_users_by_email": lambda it: it.find_users_by_email(["nobody@example.com"]),
    "read_people": lambda it: it.read_people(["none"]),
    "read_accounts": lambda it: it.read_accounts(["none"]),
    "search_people": lambda it: it.search_people(["nobody"]),
    "search_accounts": lambda it: it.search_accounts(["nobody"]),
    "form_address": lambda it: it.form_address("contact", FormFields()),
    "describe_objects": lambda it: it.describe_objects(["none"]),
    "read_fields": lambda it: it.read_fields([]),
    "check_access": lambda it: it.check_access(),
    "describe_organization": lambda it: it.describe_organization(),
    "list_changes": lambda it: it.list_changes(["contact"], dt.datetime(2026, 3, 2, tzinfo=dt.UTC)),
}


def call_key(
    call_id: str, start: str = "2026-03-20T09:00:00Z", *people: str, minutes: int = 30, kind: Any = "phone"
) -> CallKey:
    """Give the key of a call of half an hour."""
    started = dt.datetime.fromisoformat(start)
    return CallKey(call_id, kind, started, started + dt.timedelta(minutes=minutes), minutes * 60.0, people)


class _Undescribed:
    """Hears of a description that could not be had: the connection goes on without, and a clause would show too little."""

    def __init__(self) -> None:
        self.error: BaseException | None = None

    @hookimpl
    def operation_finished(self, operation: str, error: BaseException | None) -> None:
        """Keep the error."""
        if operation == "describe_objects" and error is not None:
            self.error = error


class Crm:
    """A CRM under the contract, for one clause after the other.

    ``standing``, ``why`` and ``origin`` say, after a clause was run, what was shown, and on what evidence.
    """

    def __init__(self, manifest: CrmManifest, stages: Stages, deviations: Collection[str] = ()) -> None:
        """Open nothing yet."""
        self.manifest = manifest
        self.standing: Standing | None = None
        self.why = ""
        self._stages = stages
        self._deviations = deviations
        self._clause: Clause | None = None
        self._stage: Stage | None = None
        self._connection: Connection | None = None
        self._expected = self._served = 0
        self._undescribed = _Undescribed()

    @property
    def origin(self) -> str:
        """Where answers come from: live, self-hosted, sandbox or local."""
        return self._stages.origin

    # -- running a clause ----------------------------------------------------------------------------------------------

    def run(self, clause: Clause, body: Callable[[Crm], None]) -> None:
        """Run a clause, and see to it that it showed something.

        :raises BrokenClauseError: The plugin does not keep it.
        """
        __tracebackhide__ = True
        self._clause = clause
        undeclared = clause.undeclared(self.manifest)
        why_not = clause.why_not(self.manifest, local=self._stages.local)
        if undeclared:
            with self._told(clause), self._on(self._stages.idle()):
                self._prove_refused(undeclared)
            self.standing, self.why = "refused", f"{', '.join(undeclared)} is not declared"
        elif why_not:
            self.standing, self.why = "not applicable", why_not
            pytest.skip(f"{clause.id} does not apply: {why_not}")
        else:
            self._prove(clause, body, self._stage_of(clause))
            self.standing = "proved"
            if clause.recorded and clause.id not in self._deviations:
                self._sabotage(clause, body)

    def _sabotage(self, clause: Clause, body: Callable[[Crm], None]) -> None:
        """Empty each answer in turn, where that was asked for: the clause must then fail, or the answer shows nothing."""
        survived: list[int] = []
        for number, stage in enumerate(self._stages.sabotaged(clause), start=1):
            try:
                self._prove(clause, body, stage)
            except Exception:  # noqa: BLE001, S112 - whatever it fails with, it does
                continue
            survived.append(number)
        if survived:
            raise AssertionError(survivors(clause, self.manifest, survived))

    def _prove(
        self, clause: Clause, body: Callable[[Crm], None], stage: contextlib.AbstractContextManager[Stage | None]
    ) -> None:
        __tracebackhide__ = True
        known: Exception | None = None
        with self._told(clause):
            with self._on(stage):
                try:
                    body(self)
                    self._prove_not_vacuous(clause)
                except (BrokenClauseError, ConnectorError) as error:
                    if clause.id not in self._deviations:
                        raise
                    known = error  # its cassette is to be kept, and played whole
            if known is not None:
                raise known

    def _stage_of(self, clause: Clause) -> contextlib.AbstractContextManager[Stage | None]:
        if clause.plays:
            return contextlib.nullcontext()
        return self._stages.idle() if clause.quiet else self._stages.open(clause)

    @contextlib.contextmanager
    def _told(self, clause: Clause) -> Iterator[None]:
        """Let what the plugin does wrong name the clause that it breaks."""
        __tracebackhide__ = True
        try:
            yield
        except (BrokenClauseError, ConnectorError) as error:
            raise BrokenClauseError(broken(clause, self.manifest, error)) from error

    @contextlib.contextmanager
    def _on(self, opening: contextlib.AbstractContextManager[Stage | None]) -> Iterator[None]:
        self._expected = self._served = 0
        self._undescribed = _Undescribed()
        try:
            with opening as self._stage:
                try:
                    yield
                finally:
                    self._let_go()
        finally:
            self._stage = None

    def _let_go(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _prove_refused(self, undeclared: Iterable[str]) -> None:
        for name in undeclared:
            ask = _ASKED.get(name, lambda connection, trait=name: connection.require_trait(trait))
            try:
                ask(self.connection)
            except UnsupportedError as error:
                self.expect(name in str(error) and self.manifest.name in str(error), True, "the message names both")
            else:
                self.expect("an answer", "UnsupportedError", f"{name} is not declared")
        self.expect(self.requests, 0, "requests sent for what is not declared")

    def _prove_not_vacuous(self, clause: Clause) -> None:
        if not self._expected:
            raise BrokenClauseError("the clause expected nothing, so it shows nothing: let it call crm.expect")
        asked = self._served if clause.plays else self.requests
        if not (asked or clause.quiet or self._stages.local):
            raise BrokenClauseError("answered without asking the CRM: no request was sent")
        if self._undescribed.error is not None:
            raise BrokenClauseError(f"objects could not be described: {self._undescribed.error}")

    # -- what a clause uses --------------------------------------------------------------------------------------------

    @property
    def stage(self) -> Stage:
        """Where the clause takes place."""
        if self._stage is None:
            raise RuntimeError("a clause is not running: mark the test with @clause")
        return self._stage

    @property
    def connection(self) -> Connection:
        """The connection, bound on first use."""
        if self._connection is None:
            self._connection = self.bound(self.stage.settings)
        return self._connection

    @contextlib.contextmanager
    def troubled(
        self, *faults: Fault, always: bool = False, settings: Mapping[str, Any] | None = None
    ) -> Iterator[ReplayServer]:
        """Let the connection be answered from the cassette that the clause plays, with faults.

        :param always: The faults come before every answer, and never end.
        :param settings: What to set besides.
        """

        played = self._clause.plays if self._clause else None
        if played is None:
            raise RuntimeError("the clause plays no cassette of another: say @clause(…, plays=…)")

        def rehearse() -> None:
            Crm(self.manifest, self._stages).run(played, functools.partial(played.body, None))

        coming = [replace(it, before=None, times=_ENDLESS) for it in faults] if always else faults
        with self._stages.troubled(played, rehearse, coming) as (stage, server):
            self._stage = replace(stage, settings={**stage.settings, **(settings or {})})
            try:
                yield server
            finally:
                self._served += len(server.requests)
                self._let_go()
                self._stage = None

    def bound(self, settings: Mapping[str, Any]) -> Connection:
        """Bind a further connection, with other settings."""
        info = ConnectionInfo("contract", REGIONS)
        return bind(self.manifest, settings, info, observers=[self._undescribed], users_age_seconds=0)

    @property
    def requests(self) -> int:
        """How many requests were sent so far."""
        return self.stage.requests()

    def id(self, world_id: str) -> str:
        """Give the CRM's id of a record of the world."""
        return self.stage.ids[world_id]

    def ids(self, *world_ids: str) -> tuple[str, ...]:
        """Give the CRM's ids."""
        return tuple(map(self.id, world_ids))

    def world_id(self, crm_id: str | None) -> str | None:
        """Give a record's id in the world; a record that is not of it keeps its own."""
        return self.stage.world_ids.get(crm_id, crm_id) if crm_id is not None else None

    def shown(self, answer: Any) -> Shown:
        """Show one answer of a look-up."""
        if isinstance(answer, Unknown):
            return answer
        return tuple(sorted((self.world_id(record.id) or "" for record in answer), key=_in_order))

    def expect(self, got: object, wanted: object, about: str = "") -> None:
        """Expect a value.

        :param about: What it is, for the message.
        :raises BrokenClauseError: It is another one.
        """
        __tracebackhide__ = True
        self._expected += 1
        if got != wanted:
            raise BrokenClauseError(compared(got, wanted, about))


def _in_order(world_id: str) -> tuple[str, int, str]:
    """Sort C2 before C10."""
    digits = world_id[1:]
    return (world_id[:1], int(digits), "") if digits.isdecimal() else (world_id[:1], 0, world_id)
