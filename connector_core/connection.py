"""The typed face of a CRM: the only caller of hooks.

A :class:`Connection` is made by :func:`connector_core.binding.bind`. It may be used from several threads at once.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Self, TypeAlias

from connector_core.answers import Checker
from connector_core.asking import Asking
from connector_core.checking import Descriptions, FieldChecks
from connector_core.errors import UnsupportedError
from connector_core.hookspecs import MOST_HITS, SHORTEST_SEARCH
from connector_core.manifest import OPERATIONS, TRAITS, ConnectionInfo, CrmManifest
from connector_core.meter import Cost, Quota
from connector_core.model import (
    Access,
    Account,
    Activity,
    ActivityDraft,
    CallKey,
    ChangePage,
    FieldReceipt,
    FieldValue,
    FormFields,
    FormRecord,
    ObjectDescription,
    Opportunities,
    Organization,
    Person,
    Receipt,
    RecordFields,
    RecordKind,
    RecordUpdate,
    Unknown,
    User,
)
from connector_core.remembered import Remembered

if TYPE_CHECKING:
    import datetime as dt

    import pluggy
    from pydantic import BaseModel

People: TypeAlias = Mapping[str, tuple[Person, ...] | Unknown]
Accounts: TypeAlias = Mapping[str, tuple[Account, ...] | Unknown]
Activities: TypeAlias = Mapping[str, tuple[Activity, ...] | Unknown]
Users: TypeAlias = Mapping[str, tuple[User, ...] | Unknown]
FieldReceipts: TypeAlias = Mapping[tuple[str, str], Mapping[str, FieldReceipt]]
FieldValues: TypeAlias = Mapping[tuple[str, str], tuple[Mapping[str, FieldValue | None], ...] | Unknown]

TIMEOUT_SECONDS = 30.0
"""What a request is given where a plugin has no setting for it."""


class Connection(Asking):
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
        descriptions_age_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take what the binding has made and checked.

        :param observers: For each observer's name, what makes it hear that an operation ended.
        :param users_age_seconds: How long a user that was found is remembered.
        :param descriptions_age_seconds: How long the description of an object is remembered.
        """
        super().__init__(manifest, info, observers, clock)
        self._settings = settings
        self._manager = manager
        self._close = close
        self._users: Remembered[tuple[User, ...]] = Remembered(users_age_seconds, clock)
        self._descriptions: Remembered[tuple[ObjectDescription, ...]] = Remembered(descriptions_age_seconds, clock)
        self._organization: Remembered[Organization] = Remembered(descriptions_age_seconds, clock)
        self._checks = FieldChecks(manifest, self.describe_objects, self._descriptions)
        self._closing = threading.Lock()

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
    def passed_over(self) -> frozenset[str]:
        """Operations and traits that the plugin declares for a newer core; this one makes no use of them."""
        return (self.manifest.operations - OPERATIONS) | (self.manifest.traits - TRAITS.keys())

    @property
    def settle_seconds(self) -> float:
        """How long a request that was not answered may still take effect: the setting, else what the manifest says."""
        seconds: float | None = getattr(self._settings, "settle_seconds", None)
        return self.manifest.settle_seconds if seconds is None else seconds

    @property
    def cost(self) -> Cost:
        """The requests that were sent since the connection was made, sign-ins and retries among them."""
        return self.info.meter.cost

    @property
    def quota(self) -> Quota | None:
        """The service's newest word on the requests that it allows; None where it said none."""
        return self.info.meter.quota

    @property
    def timeout_seconds(self) -> float:
        """How long one request may go unanswered: the setting, where the plugin has one."""
        seconds: float = getattr(self._settings, "timeout_seconds", TIMEOUT_SECONDS)
        return seconds

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
        self._descriptions.forget()
        self._organization.forget()
        Checker(self.manifest.name, "close").guarded(self._close)

    # -- operations ----------------------------------------------------------------------------------------------------

    def find_contacts_by_email(self, emails: Iterable[str]) -> People:
        """Find the people that have an e-mail address (trimmed and case-folded)."""
        hook = self._manager.hook.find_contacts_by_email
        people: People = self._look_up("find_contacts_by_email", emails, lambda batch: hook(emails=batch), Person)
        return people

    def find_contacts_by_phone(self, numbers: Iterable[str]) -> People:
        """Find the people that have a phone number (E.164)."""
        hook = self._manager.hook.find_contacts_by_phone
        people: People = self._look_up("find_contacts_by_phone", numbers, lambda batch: hook(numbers=batch), Person)
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
        """Create or change activities; give each draft's receipt, by its key.

        One with a further field that is not there, or not the user's to set, is refused by the object's description.
        """
        batch = self._batch("write_activity", drafts, lambda draft: draft.key)
        rest, refused = self._checks.drafts(batch)
        receipts: Mapping[str, Receipt] = self._ask(
            "write_activity",
            rest,
            lambda: self._manager.hook.write_activity(drafts=rest),
            lambda check, answer: check.receipts(answer, [draft.key for draft in rest]),
        )
        return {**receipts, **refused}

    def fill_fields(self, updates: Iterable[RecordUpdate]) -> FieldReceipts:
        """Set fields of records; give a receipt for every field, by ``(object, id)``.

        One that is not there, or not the user's to set, is refused by the object's description.
        """
        batch = self._batch("fill_fields", updates, lambda update: (update.object, update.id))
        rest, refused = self._checks.updates(batch)
        receipts: FieldReceipts = self._ask(
            "fill_fields",
            rest,
            lambda: self._manager.hook.fill_fields(updates=rest),
            lambda check, answer: check.field_receipts(answer, rest),
        )
        return {key: {**receipts.get(key, {}), **problems} for key, problems in refused.items()}

    def read_fields(self, records: Iterable[RecordFields]) -> FieldValues:
        """Read fields of records as they are now, by ``(object, id)``; none of a record that is gone."""
        asked = self._batch("read_fields", records, lambda record: (record.object, record.id))
        batch = tuple(replace(record, fields=tuple(sorted(set(record.fields)))) for record in asked)
        values: FieldValues = self._ask(
            "read_fields",
            batch,
            lambda: self._manager.hook.read_fields(records=batch),
            lambda check, answer: check.values(answer, batch),
        )
        return values

    def find_users_by_email(self, emails: Iterable[str]) -> Users:
        """Find the users of the CRM that have an e-mail address. Those that were found are remembered for a while."""
        hook = self._manager.hook.find_users_by_email
        users: Users = self._recall(
            "find_users_by_email",
            emails,
            self._users,
            lambda rest: hook(emails=rest),
            lambda check, answer, rest: check.found(answer, rest, User),
        )
        return users

    def read_people(self, person_ids: Iterable[str]) -> People:
        """Read contacts and leads by id: of each the record, or the survivor of a merge; none where it is gone."""
        hook = self._manager.hook.read_people
        people: People = self._look_up("read_people", person_ids, lambda batch: hook(person_ids=batch), Person, most=1)
        return people

    def read_accounts(self, account_ids: Iterable[str]) -> Accounts:
        """Read accounts by id: of each the record, or the survivor of a merge; none where it is gone."""
        hook = self._manager.hook.read_accounts
        accounts: Accounts = self._look_up(
            "read_accounts", account_ids, lambda batch: hook(account_ids=batch), Account, most=1
        )
        return accounts

    def search_people(self, texts: Iterable[str]) -> People:
        """Find contacts and leads for a search box; a text of fewer than three characters is an InputError."""
        hook = self._manager.hook.search_people
        people: People = self._look_up(
            "search_people", texts, lambda batch: hook(texts=batch), Person, most=MOST_HITS, shortest=SHORTEST_SEARCH
        )
        return people

    def search_accounts(self, texts: Iterable[str]) -> Accounts:
        """Find accounts by name for a search box; a text of fewer than three characters is an InputError."""
        hook = self._manager.hook.search_accounts
        accounts: Accounts = self._look_up(
            "search_accounts", texts, lambda batch: hook(texts=batch), Account, most=MOST_HITS, shortest=SHORTEST_SEARCH
        )
        return accounts

    def form_address(self, record: FormRecord, known: FormFields) -> str:
        """Give the address of the CRM's own form for a new record, filled with what is known. Nothing is sent."""
        address: str = self._ask(
            "form_address",
            self._batch("form_address", [record]),
            lambda: self._manager.hook.form_address(record=record, known=known),
            lambda check, answer: check.address(answer),
        )
        return address

    def describe_objects(self, objects: Iterable[str], *, anew: bool = False) -> Descriptions:
        """Describe objects as the connection's user may use them.

        :param anew: Whatever was described before; else that is remembered for a while.
        """
        hook = self._manager.hook.describe_objects
        batch = self._batch("describe_objects", objects)
        if anew:
            self._descriptions.forget(batch)
        described: Descriptions = self._recall(
            "describe_objects",
            batch,
            self._descriptions,
            lambda rest: hook(objects=rest),
            lambda check, answer, rest: check.described(answer, rest),
        )
        return described

    def check_access(self) -> Access:
        """Tell what the connection's user may do; nothing of it is remembered."""
        hook, leads = self._manager.hook.check_access, "leads" in self.manifest.traits
        access: Access = self._ask_whole("check_access", hook, lambda check, answer: check.access(answer, leads=leads))
        return access

    def describe_organization(self) -> Organization:
        """Tell the time zone and the currency of the organization, which are remembered for a while."""
        known = self._organization.recall([self.name])
        if not known:
            hook = self._manager.hook.describe_organization
            told = self._ask_whole("describe_organization", hook, lambda check, answer: check.organization(answer))
            known = {self.name: told}
            self._organization.keep(known)
        return known[self.name]

    def list_changes(self, kinds: Iterable[RecordKind], since: dt.datetime, page: str | None = None) -> ChangePage:
        """List the records of some kinds that changed since a time: one page; ``page`` is ``next`` of the one before."""
        batch = self._batch("list_changes", kinds)
        if "lead" in batch:
            self.require_trait("leads")
        changes: ChangePage = self._ask(
            "list_changes",
            batch,
            lambda: self._manager.hook.list_changes(kinds=batch, since=since, page=page),
            lambda check, answer: check.changes(answer, batch, page),
            nothing=ChangePage(()),
        )
        return changes
