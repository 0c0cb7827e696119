"""The typed face of a CRM: the only caller of hooks.

A :class:`Connection` is made by :func:`connector_core.binding.bind`. It may be used from several threads at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias, TypeVar

from connector_core.answers import Checker
from connector_core.errors import InputError, UnsupportedError
from connector_core.manifest import OPERATIONS, TRAITS, ConnectionInfo, CrmManifest
from connector_core.model import (
    Activity,
    ActivityDraft,
    CallKey,
    FieldReceipt,
    Opportunities,
    Person,
    Receipt,
    RecordUpdate,
    Unknown,
    User,
)

if TYPE_CHECKING:
    import datetime as dt

    import pluggy
    from pydantic import BaseModel

T = TypeVar("T")
People: TypeAlias = Mapping[str, tuple[Person, ...] | Unknown]
Activities: TypeAlias = Mapping[str, tuple[Activity, ...] | Unknown]
Users: TypeAlias = Mapping[str, tuple[User, ...] | Unknown]
FieldReceipts: TypeAlias = Mapping[tuple[str, str], Mapping[str, FieldReceipt]]

MOST_REMEMBERED = 10_000
"""How many users a connection remembers."""

_log = logging.getLogger(__name__)


class Connection:
    """One customer's CRM, by one plugin, with one set of settings.

    The operations are those of :class:`connector_core.hookspecs.CrmHooks`, and answer as written there. A batch may be
    any iterable: it is sorted and freed of repeats, and an empty one sends nothing. What holds for all of them:

    - :class:`~connector_core.errors.UnsupportedError`: the plugin does not declare the operation; nothing was sent.
    - :class:`~connector_core.errors.ContractError`: the plugin raised what it may not, or answered what the contract does
      not allow. After an operation that writes, it says nothing of what was written: look before writing again.
    - :class:`~connector_core.errors.InputError`: the connection is closed, or the batch contradicts itself.
    - Every other :class:`~connector_core.errors.ConnectorError` comes from the plugin, as it is.
    """

    def __init__(
        self,
        manifest: CrmManifest,
        settings: BaseModel,
        info: ConnectionInfo,
        manager: pluggy.PluginManager,
        *,
        close: Callable[[], object],
        observers: Mapping[str, Callable[..., object]],
        users_age_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what the binding has made and checked.

        :param observers: For each observer's name, what makes it hear that an operation ended.
        :param users_age_seconds: How long a user that was found is remembered.
        """
        self.manifest = manifest
        self.info = info
        self._settings = settings
        self._manager = manager
        self._close = close
        self._observers = observers
        self._clock = clock
        self._users: _Remembered[tuple[User, ...]] = _Remembered(users_age_seconds, clock)
        self._closing = threading.Lock()
        self._closed = False

    def __repr__(self) -> str:
        """Name the connection and its plugin; no setting."""
        return f"<Connection {self.name} ({self.manifest.name})>"

    def __enter__(self) -> Self:
        """Give the connection itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    @property
    def name(self) -> str:
        """The connection's name."""
        return self.info.name

    @property
    def operations(self) -> frozenset[str]:
        """What it can do: what the plugin declares and this core knows."""
        return self.manifest.operations & OPERATIONS

    @property
    def passed_over(self) -> frozenset[str]:
        """Operations and traits that the plugin declares for a newer core; this one makes no use of them."""
        return (self.manifest.operations - OPERATIONS) | (self.manifest.traits - TRAITS.keys())

    @property
    def settle_seconds(self) -> float:
        """How long a request that was not answered may still take effect: the setting, else what the manifest says."""
        seconds: float | None = getattr(self._settings, "settle_seconds", None)
        return self.manifest.settle_seconds if seconds is None else seconds

    def require_trait(self, trait: str) -> None:
        """Make sure of an ability that is no operation, one of :data:`connector_core.manifest.TRAITS`.

        :raises UnsupportedError: The plugin does not declare it.
        """
        if trait not in self.manifest.traits:
            raise UnsupportedError(self.manifest.name, f"trait {trait} ({TRAITS.get(trait, 'unknown to this core')})")

    def close(self) -> None:
        """Let go of the connection's sockets. Closing twice does nothing; using it afterwards is an error."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
        self._users.forget()
        Checker(self.manifest.name, "close").guarded(self._close)

    # -- operations ----------------------------------------------------------------------------------------------------

    def find_contacts_by_email(self, emails: Iterable[str]) -> People:
        """Find the people that have an e-mail address (trimmed and case-folded)."""
        batch = self._batch("find_contacts_by_email", emails)
        people: People = self._ask(
            "find_contacts_by_email",
            batch,
            lambda: self._manager.hook.find_contacts_by_email(emails=batch),
            lambda check, answer: check.found(answer, batch, Person),
        )
        return people

    def find_contacts_by_phone(self, numbers: Iterable[str]) -> People:
        """Find the people that have a phone number (E.164)."""
        batch = self._batch("find_contacts_by_phone", numbers)
        people: People = self._ask(
            "find_contacts_by_phone",
            batch,
            lambda: self._manager.hook.find_contacts_by_phone(numbers=batch),
            lambda check, answer: check.found(answer, batch, Person),
        )
        return people

    def find_activity(self, calls: Iterable[CallKey]) -> Activities:
        """Find the activities that may be a call's, by call id."""
        batch = self._batch("find_activity", calls, lambda call: call.call_id)
        activities: Activities = self._ask(
            "find_activity",
            batch,
            lambda: self._manager.hook.find_activity(calls=batch),
            lambda check, answer: check.found(answer, [call.call_id for call in batch], Activity),
        )
        return activities

    def list_opportunities(
        self,
        person_ids: Iterable[str] = (),
        account_ids: Iterable[str] = (),
        opportunity_ids: Iterable[str] = (),
        closed_since: dt.datetime | None = None,
    ) -> Opportunities:
        """List the opportunities of people and of accounts, and those with an id."""
        people, accounts, ids = (
            self._batch("list_opportunities", part) for part in (person_ids, account_ids, opportunity_ids)
        )
        opportunities: Opportunities = self._ask(
            "list_opportunities",
            people + accounts + ids,
            lambda: self._manager.hook.list_opportunities(
                person_ids=people, account_ids=accounts, opportunity_ids=ids, closed_since=closed_since
            ),
            lambda check, answer: check.opportunities(answer, people, accounts, ids),
            nothing=Opportunities(),
        )
        return opportunities

    def write_activity(self, drafts: Iterable[ActivityDraft]) -> Mapping[str, Receipt]:
        """Create or change activities; give each draft's receipt, by its key."""
        batch = self._batch("write_activity", drafts, lambda draft: draft.key)
        receipts: Mapping[str, Receipt] = self._ask(
            "write_activity",
            batch,
            lambda: self._manager.hook.write_activity(drafts=batch),
            lambda check, answer: check.receipts(answer, [draft.key for draft in batch]),
        )
        return receipts

    def fill_fields(self, updates: Iterable[RecordUpdate]) -> FieldReceipts:
        """Set fields of records; give a receipt for every field, by ``(object, id)``."""
        batch = self._batch("fill_fields", updates, lambda update: (update.object, update.id))
        receipts: FieldReceipts = self._ask(
            "fill_fields",
            batch,
            lambda: self._manager.hook.fill_fields(updates=batch),
            lambda check, answer: check.field_receipts(answer, batch),
        )
        return receipts

    def find_users_by_email(self, emails: Iterable[str]) -> Users:
        """Find the users of the CRM that have an e-mail address. Those that were found are remembered for a while."""
        batch = self._batch("find_users_by_email", emails)
        remembered = self._users.recall(batch)
        rest = tuple(email for email in batch if email not in remembered)
        users: Users = self._ask(
            "find_users_by_email",
            rest,
            lambda: self._manager.hook.find_users_by_email(emails=rest),
            lambda check, answer: check.found(answer, rest, User),
        )
        self._users.keep({email: found for email, found in users.items() if isinstance(found, tuple) and found})
        return {**remembered, **users}

    # -- what all operations share -------------------------------------------------------------------------------------

    def _batch(self, operation: str, items: Iterable[T], key: Callable[[T], Any] = lambda item: item) -> tuple[T, ...]:
        """Sort a batch by its keys and free it of repeats, once it is sure that the operation may be called at all."""
        if self._closed:
            raise InputError(f"connection {self.name} is closed: bind it anew before {operation}")
        if operation not in self.operations:
            raise UnsupportedError(self.manifest.name, operation)
        if isinstance(items, str):
            raise InputError(
                f"connection {self.name}, {operation}: got one text, wanted several in a list or another batch"
            )
        by_key: dict[Any, T] = {}
        for item in items:
            if by_key.setdefault(key(item), item) != item:
                raise InputError(f"connection {self.name}, {operation}: two different items of the batch have one key")
        return tuple(by_key[each] for each in sorted(by_key))

    def _ask(
        self,
        operation: str,
        batch: tuple[object, ...],
        call: Callable[[], Any],
        check: Callable[[Checker, Any], None],
        nothing: Any = MappingProxyType({}),
    ) -> Any:
        """Call a hook, check what it answers and tell the observers; an empty batch calls nothing."""
        if not batch:
            return nothing
        started = self._clock()
        checker = Checker(self.manifest.name, operation)
        try:
            answer = checker.guarded(call)
            check(checker, answer)
        except BaseException as error:
            self._tell(operation, len(batch), error, self._clock() - started)
            raise
        self._tell(operation, len(batch), None, self._clock() - started)
        return answer

    def _tell(self, operation: str, keys: int, error: BaseException | None, seconds: float) -> None:
        for name, operation_finished in self._observers.items():
            try:
                operation_finished(connection=self.name, operation=operation, keys=keys, error=error, seconds=seconds)
            except Exception:  # noqa: BLE001 - whatever an observer raises, the operation has its result
                _log.exception("connection %s: %s raised on %s; nothing else changes", self.name, name, operation)


class _Remembered(Generic[T]):
    """Values by key, for a while: the newest ones, at most :data:`MOST_REMEMBERED`."""

    def __init__(self, age_seconds: float, clock: Callable[[], float]) -> None:
        self._age_seconds = age_seconds
        self._clock = clock
        self._values: OrderedDict[str, tuple[float, T]] = OrderedDict()
        self._lock = threading.Lock()

    def recall(self, keys: Iterable[str]) -> dict[str, T]:
        """Give those that are known and not too old."""
        oldest = self._clock() - self._age_seconds
        with self._lock:
            known = ((key, self._values.get(key)) for key in keys)
            return {key: entry[1] for key, entry in known if entry is not None and entry[0] > oldest}

    def keep(self, values: Mapping[str, T]) -> None:
        """Remember values, letting go of the oldest."""
        now = self._clock()
        with self._lock:
            for key, value in values.items():
                self._values[key] = (now, value)
                self._values.move_to_end(key)
            while len(self._values) > MOST_REMEMBERED:
                self._values.popitem(last=False)

    def forget(self) -> None:
        """Forget all."""
        with self._lock:
            self._values.clear()
