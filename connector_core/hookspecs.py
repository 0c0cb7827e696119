"""The contract between the core and a CRM: six hooks, and their optional companions.

A CRM plugin is a class whose methods carry :data:`hookimpl` and the names and arguments below. What holds for all:

- Hooks take **batches** and answer **by key**, every key that was asked for, and no other. The batch is free of repeats,
  and sorted. A batch may be larger than what the service takes at once: the plugin splits it, and spends as few requests
  as it can.
- There are **three answers**: found, not there (an empty tuple), and :class:`~connector_core.model.Unknown`, for a key
  that could not be asked or whose result was cut short. Nothing else stands for any of them; ``None`` is no answer.
- A failure of the whole batch raises an error of :mod:`connector_core.errors`, and no other.
- A look-up never creates or changes anything.
- The order of what is answered means nothing.
- Hooks are called from several threads at once, on one adapter per connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pluggy

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence

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

HOOK_API = 1
"""The major version of these hooks. A plugin states the one that it was written for; another one is refused."""

MOST_HITS = 50
"""How many records a search box is given for a text at most."""

SHORTEST_SEARCH = 3
"""How many characters a text to search for has at least, blanks at its ends aside."""

PROJECT = "connector"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class CrmHooks(Protocol):
    """The hooks of a CRM, as a class: an adapter's methods have these signatures, exactly."""

    @hookspec(firstresult=True)
    def find_contacts_by_email(self, emails: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]:
        """Find the people that have an e-mail address.

        Called once a batch of calls, with addresses that are trimmed and case-folded.

        :param emails: What to look for.
        :returns: For each address, the contacts and leads that have it, secondary addresses included; stored addresses
            compare trimmed and case-folded. A converted lead is answered as a lead, with ``converted_to``.
        """
        ...

    @hookspec(firstresult=True)
    def find_contacts_by_phone(self, numbers: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]:
        """Find the people that have a phone number, however it was written.

        :param numbers: E.164, like ``+33612345678``.
        :returns: For each number, the contacts and leads that have it: each hit verified with
            :func:`connector_core.identity.PhoneReader.same`, under the connection's regions.
        """
        ...

    @hookspec(firstresult=True)
    def find_activity(self, calls: Sequence[CallKey]) -> Mapping[str, tuple[Activity, ...] | Unknown]:
        """Find the activities that may be a call's. The core decides which one it is.

        :param calls: One key a call.
        :returns: For each call id the candidates: every activity of any kind that carries the call's id as its key,
            compared exactly; and those that share a person with the call (by ``person_ids``, leads converted into one of
            them included) and start within 15 minutes of its start, or, where only the day is known, lie within a day
            of it; and the one that is known to be the call's (``known_id``), if it is there, whenever it starts. More
            than that does no harm. References that are gone are left out, see :class:`~.model.Activity`.
        """
        ...

    @hookspec(firstresult=True)
    def list_opportunities(
        self,
        person_ids: Sequence[str],
        account_ids: Sequence[str],
        opportunity_ids: Sequence[str],
        closed_since: dt.datetime | None,
    ) -> Opportunities:
        """List the opportunities of people and of accounts, and those with an id.

        :param person_ids: People; a contact's own opportunities, and those of leads converted into it.
        :param account_ids: Accounts; all opportunities of each.
        :param opportunity_ids: Opportunities; one to a merged record answers with the survivor.
        :param closed_since: Leave out what really closed before it; None for no bound.
        """
        ...

    @hookspec(firstresult=True)
    def write_activity(self, drafts: Sequence[ActivityDraft]) -> Mapping[str, Receipt]:
        """Create or change activities.

        :param drafts: One a call. Nothing is sent for a change that changes nothing.
        :returns: For each draft's key its receipt. One draft refused never keeps another from being written. A request
            that was sent and not answered makes its drafts ``unknown``; one that was surely not executed, ``deferred``.
        """
        ...

    @hookspec(firstresult=True)
    def fill_fields(self, updates: Sequence[RecordUpdate]) -> Mapping[tuple[str, str], Mapping[str, FieldReceipt]]:
        """Set fields of records.

        A day is text like ``2026-03-02``, a time like ``2026-03-02T09:00:00Z``, several choices joined by ``;``.

        :param updates: At most one for each record.
        :returns: For each ``(object, id)`` a receipt for every field of it. A field that is refused keeps no other field
            from being sent.
        """
        ...

    # -- optional companions -------------------------------------------------------------------------------------------

    @hookspec(firstresult=True)
    def find_users_by_email(self, emails: Sequence[str]) -> Mapping[str, tuple[User, ...] | Unknown]:
        """Find the users of the CRM that have an e-mail address, inactive ones included.

        :param emails: Trimmed and case-folded, as in ``find_contacts_by_email``.
        """
        ...

    @hookspec(firstresult=True)
    def read_people(self, person_ids: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]:
        """Read contacts and leads by id.

        :param person_ids: Of either; an id in a form that the CRM does not have is one of a record that is not there.
        :returns: For each id a tuple of one: the record, or the survivor of what it was merged into; a converted lead as
            in ``find_contacts_by_email``. Empty where the record is gone.
        """
        ...

    @hookspec(firstresult=True)
    def read_accounts(self, account_ids: Sequence[str]) -> Mapping[str, tuple[Account, ...] | Unknown]:
        """Read accounts by id, as ``read_people`` reads people.

        :param account_ids: As in ``read_people``.
        """
        ...

    @hookspec(firstresult=True)
    def search_people(self, texts: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]:
        """Find contacts and leads for a search box: what a person typed, by the CRM's own search.

        :param texts: Each of three characters or more. They are data, whatever signs of a query are in them.
        :returns: For each text those with each of its words at the beginning of a word of their name, or whose address or
            number it is; what else the CRM's search finds may be there too. At most 50, the rest is left out.
        """
        ...

    @hookspec(firstresult=True)
    def search_accounts(self, texts: Sequence[str]) -> Mapping[str, tuple[Account, ...] | Unknown]:
        """Find accounts by name for a search box, as ``search_people`` finds people.

        :param texts: As in ``search_people``.
        """
        ...

    @hookspec(firstresult=True)
    def form_address(self, record: FormRecord, known: FormFields) -> str:
        """Give the address of the CRM's own form for a new record. No batch, and no request.

        :param record: What is to be created there.
        :param known: What to fill the form with, as far as the CRM has a documented way; the rest is left out.
        :returns: An absolute address, escaped.
        """
        ...

    @hookspec(firstresult=True)
    def describe_objects(self, objects: Sequence[str]) -> Mapping[str, tuple[ObjectDescription, ...] | Unknown]:
        """Describe objects and their fields, as the connection's user may use them.

        :param objects: Names, as in :class:`~.model.RecordUpdate`.
        :returns: For each a tuple of one; empty where there is no such object, or the user may not see it. A field that is
            hidden from the user is left out.
        """
        ...

    @hookspec(firstresult=True)
    def read_fields(
        self, records: Sequence[RecordFields]
    ) -> Mapping[tuple[str, str], tuple[Mapping[str, FieldValue | None], ...] | Unknown]:
        """Read fields of records, as they are now: nothing of it is remembered.

        :param records: At most one for each record.
        :returns: For each ``(object, id)`` a tuple of one: each field that was asked for, by the name under which it was,
            as ``fill_fields`` takes it, or as text; None for an empty one. A field that is not there, or is hidden from the
            connection's user, is left out. Empty where the record is gone, was merged into another, or is a lead that was
            converted, unless it is asked what that became. An object that is not there, or is hidden, is Unknown or
            empty, and fails no record of another one.
        """
        ...

    @hookspec(firstresult=True)
    def check_access(self) -> Access:
        """Tell what the connection's user may do of what the connector does. No batch; asked anew each time.

        :returns: Each right of :data:`~.model.NEEDS` on an object, those on leads where the CRM has leads, and those on
            fields that the plugin reads and writes.
        """
        ...

    @hookspec(firstresult=True)
    def describe_organization(self) -> Organization:
        """Tell the time zone and the currency of the organization whose CRM it is. No batch.

        :returns: None for what the CRM has not. Where each record says its own currency, there is none.
        """
        ...

    @hookspec(firstresult=True)
    def list_changes(self, kinds: Sequence[RecordKind], since: dt.datetime, page: str | None) -> ChangePage:
        """List the records of some kinds that were created or changed at or after a time, a page at a time.

        What is there when the first page is asked for is on one of the pages, however many records there are, or share a
        time, and whatever is changed meanwhile. A record may be told more than once; one that is gone is not told.

        :param kinds: ``"lead"`` only where the CRM has leads.
        :param since: By the CRM's clock.
        :param page: None for the first one; else ``next`` of the one before, of the same kinds and time.
        """
        ...


class Observers(Protocol):
    """What watches a connection. Every plugin that is handed to the binding may implement it; it changes no result."""

    @hookspec
    def operation_finished(
        self, connection: str, operation: str, keys: int, error: BaseException | None, seconds: float
    ) -> None:
        """Hear that an operation ended.

        :param connection: The connection's name.
        :param operation: The hook's name.
        :param keys: How many keys, drafts or updates it was called with.
        :param error: What it raised, or None.
        :param seconds: How long it took.
        """
        ...
