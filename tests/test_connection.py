"""A connection asks its plugin in sorted batches, and takes no answer that the contract does not allow."""

from __future__ import annotations

import datetime as dt
import sys
import threading
import types
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from connector_core import remembered
from connector_core.binding import bind
from connector_core.connection import Connection
from connector_core.errors import ContractError, InputError, TryAgainError, UnsupportedError
from connector_core.hookspecs import HOOK_API, hookimpl
from connector_core.manifest import MUST, OPERATIONS, ConnectionInfo, CrmManifest
from connector_core.model import (
    NEEDS,
    Access,
    Account,
    Activity,
    ActivityDraft,
    CallKey,
    Changed,
    ChangePage,
    FieldDescription,
    FieldReceipt,
    FormFields,
    ObjectDescription,
    Opportunities,
    Opportunity,
    Organization,
    Person,
    Receipt,
    RecordFields,
    RecordUpdate,
    Right,
    Unknown,
    User,
)

START = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
CALL = CallKey("call-1", "phone", START, START)
DRAFT = ActivityDraft(key="call-1", kind="call", started_at=START, ended_at=START)
UPDATE = RecordUpdate("Contact", "C1", {"Title": "CTO", "City": None})
FIELDS = RecordFields("Contact", "C1", ("City", "Title"))
OPPORTUNITY = Opportunity("O1", START)
PERSON = Person("contact", "C1")
USER = User("U1", "ada@seller.example")
TITLE = FieldDescription("Title", "Job title", "text", "string")
ACCESS = Access(tuple(Right(subject, verb, f"{subject}.{verb}", granted=True) for subject, verb in NEEDS))
CITY = FieldDescription("City", "City", "text", "string")
CONTACT = ObjectDescription("Contact", "Contact", {"Title": TITLE, "City": CITY})


class Settings(BaseModel):
    """What the adapter answers, by operation: a value, or a function of the hook's arguments."""

    model_config = ConfigDict(arbitrary_types_allowed=True)

    answers: dict[str, Any] = {}
    settle_seconds: float | None = None


class Adapter:
    """A CRM that answers what it is told, and remembers what it was asked."""

    def __init__(self, settings: Settings, info: ConnectionInfo) -> None:
        """Take the answers."""
        self.answers = settings.answers
        self.info = info
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.closed = 0

    def close(self) -> None:
        """Count how often it is closed."""
        self.closed += 1

    def _answer(self, operation: str, **arguments: Any) -> Any:
        self.asked.append((operation, arguments))
        answer = self.answers.get(operation)
        return answer(**arguments) if callable(answer) else answer

    @hookimpl
    def find_contacts_by_email(self, emails: Any) -> Any:
        """Answer as told."""
        return self._answer("find_contacts_by_email", emails=emails)

    @hookimpl
    def find_contacts_by_phone(self, numbers: Any) -> Any:
        """Answer as told."""
        return self._answer("find_contacts_by_phone", numbers=numbers)

    @hookimpl
    def find_activity(self, calls: Any) -> Any:
        """Answer as told."""
        return self._answer("find_activity", calls=calls)

    @hookimpl
    def list_opportunities(self, person_ids: Any, account_ids: Any, opportunity_ids: Any, closed_since: Any) -> Any:
        """Answer as told."""
        return self._answer(
            "list_opportunities",
            person_ids=person_ids,
            account_ids=account_ids,
            opportunity_ids=opportunity_ids,
            closed_since=closed_since,
        )


class FullAdapter(Adapter):
    """The same with every operation."""

    @hookimpl
    def write_activity(self, drafts: Any) -> Any:
        """Answer as told."""
        return self._answer("write_activity", drafts=drafts)

    @hookimpl
    def fill_fields(self, updates: Any) -> Any:
        """Answer as told."""
        return self._answer("fill_fields", updates=updates)

    @hookimpl
    def find_users_by_email(self, emails: Any) -> Any:
        """Answer as told."""
        return self._answer("find_users_by_email", emails=emails)

    @hookimpl
    def read_people(self, person_ids: Any) -> Any:
        """Answer as told."""
        return self._answer("read_people", person_ids=person_ids)

    @hookimpl
    def read_accounts(self, account_ids: Any) -> Any:
        """Answer as told."""
        return self._answer("read_accounts", account_ids=account_ids)

    @hookimpl
    def search_people(self, texts: Any) -> Any:
        """Answer as told."""
        return self._answer("search_people", texts=texts)

    @hookimpl
    def search_accounts(self, texts: Any) -> Any:
        """Answer as told."""
        return self._answer("search_accounts", texts=texts)

    @hookimpl
    def form_address(self, record: Any, known: Any) -> Any:
        """Answer as told."""
        return self._answer("form_address", record=record, known=known)

    @hookimpl
    def describe_objects(self, objects: Any) -> Any:
        """Answer as told."""
        return self._answer("describe_objects", objects=objects)

    @hookimpl
    def read_fields(self, records: Any) -> Any:
        """Answer as told."""
        return self._answer("read_fields", records=records)

    @hookimpl
    def check_access(self) -> Any:
        """Answer as told."""
        return self._answer("check_access")

    @hookimpl
    def describe_organization(self) -> Any:
        """Answer as told."""
        return self._answer("describe_organization")

    @hookimpl
    def list_changes(self, kinds: Any, since: Any, page: Any) -> Any:
        """Answer as told."""
        return self._answer("list_changes", kinds=kinds, since=since, page=page)


MODULE = types.ModuleType("answering_crm")
vars(MODULE).update(Settings=Settings, Adapter=Adapter, FullAdapter=FullAdapter)
sys.modules["answering_crm"] = MODULE

FULL = CrmManifest(
    name="answering",
    title="Answering",
    hook_api=HOOK_API,
    operations=OPERATIONS,
    traits=frozenset({"leads"}),
    settings="answering_crm:Settings",
    adapter="answering_crm:FullAdapter",
    settle_seconds=30.0,
)
SMALL = replace(FULL, operations=MUST, adapter="answering_crm:Adapter")


def connect(
    answers: Mapping[str, Any] | None = None, *, name: str = "acme", manifest: CrmManifest = FULL, **more: Any
) -> Connection:
    """Bind a connection whose plugin gives these answers."""
    return bind(manifest, {"answers": dict(answers or {})}, ConnectionInfo(name), **more)


def adapter_of(connection: Connection) -> FullAdapter:
    """Give the one adapter of a connection."""
    (adapter,) = (plugin for plugin in connection._manager.get_plugins() if isinstance(plugin, Adapter))
    assert isinstance(adapter, FullAdapter)
    return adapter


def nobody(**arguments: Sequence[str]) -> dict[str, tuple[()]]:
    """Answer that nobody is there, for every key."""
    (keys,) = arguments.values()
    return dict.fromkeys(keys, ())


# -- batches -----------------------------------------------------------------------------------------------------------


@given(st.lists(st.sampled_from("abcdefgh")))
def test_a_batch_is_sorted_and_free_of_repeats(emails: list[str]) -> None:
    """Whatever the order and repeats of what is asked, the plugin gets each key once, sorted."""
    connection = connect({"find_contacts_by_email": nobody})

    connection.find_contacts_by_email(iter(emails))

    asked = [arguments["emails"] for _, arguments in adapter_of(connection).asked]
    assert asked == ([tuple(sorted(set(emails)))] if emails else [])


ASK: dict[str, Callable[[Connection], Any]] = {
    "find_contacts_by_email": lambda connection: connection.find_contacts_by_email(["a@buyer.example"]),
    "find_contacts_by_phone": lambda connection: connection.find_contacts_by_phone(["+33612345678"]),
    "find_activity": lambda connection: connection.find_activity([CALL]),
    "list_opportunities": lambda connection: connection.list_opportunities(["C1"], ["A1"], ["O1"]),
    "write_activity": lambda connection: connection.write_activity([DRAFT]),
    "fill_fields": lambda connection: connection.fill_fields([UPDATE]),
    "find_users_by_email": lambda connection: connection.find_users_by_email(["ada@seller.example"]),
    "read_people": lambda connection: connection.read_people(["C1"]),
    "read_accounts": lambda connection: connection.read_accounts(["A1"]),
    "search_people": lambda connection: connection.search_people(["car"]),
    "search_accounts": lambda connection: connection.search_accounts(["buy"]),
    "form_address": lambda connection: connection.form_address("contact", FormFields("Carla Client")),
    "describe_objects": lambda connection: connection.describe_objects(["Contact"]),
    "read_fields": lambda connection: connection.read_fields([FIELDS]),
    "check_access": lambda connection: connection.check_access(),
    "describe_organization": lambda connection: connection.describe_organization(),
    "list_changes": lambda connection: connection.list_changes(["contact"], START, "p1"),
}

ASK_NOTHING: dict[str, Callable[[Connection], Any]] = {
    "find_contacts_by_email": lambda connection: connection.find_contacts_by_email([]),
    "find_contacts_by_phone": lambda connection: connection.find_contacts_by_phone([]),
    "find_activity": lambda connection: connection.find_activity([]),
    "list_opportunities": lambda connection: connection.list_opportunities(),
    "write_activity": lambda connection: connection.write_activity([]),
    "fill_fields": lambda connection: connection.fill_fields([]),
    "find_users_by_email": lambda connection: connection.find_users_by_email([]),
    "read_people": lambda connection: connection.read_people([]),
    "read_accounts": lambda connection: connection.read_accounts([]),
    "search_people": lambda connection: connection.search_people([]),
    "search_accounts": lambda connection: connection.search_accounts([]),
    "describe_objects": lambda connection: connection.describe_objects([]),
    "read_fields": lambda connection: connection.read_fields([]),
    "list_changes": lambda connection: connection.list_changes([], START),
}

GOOD: dict[str, Any] = {
    "find_contacts_by_email": {"a@buyer.example": (PERSON,)},
    "find_contacts_by_phone": {"+33612345678": Unknown("cut short")},
    "find_activity": {"call-1": (Activity("T1", "call"),)},
    "list_opportunities": Opportunities({"C1": (OPPORTUNITY,)}, {"A1": ()}, {"O1": Unknown("no answer")}),
    "write_activity": {"call-1": Receipt("created", "T1")},
    "fill_fields": {("Contact", "C1"): {"Title": FieldReceipt("sent"), "City": FieldReceipt("refused", "no right")}},
    "find_users_by_email": {"ada@seller.example": (USER,)},
    "read_people": {"C1": (PERSON,)},
    "read_accounts": {"A1": ()},
    "search_people": {"car": (PERSON,) * 50},
    "search_accounts": {"buy": (Account("A1"),)},
    "form_address": "https://crm.example/new?name=Carla%20Client",
    "describe_objects": {"Contact": (CONTACT,)},
    "read_fields": {("Contact", "C1"): ({"Title": "CTO", "City": None},)},
    "check_access": ACCESS,
    "describe_organization": Organization("Europe/Paris", "EUR"),
    "list_changes": ChangePage((Changed("contact", "C1", START),), "p2"),
}


ABOUT_ALL = ("check_access", "describe_organization")
"""Operations without a batch."""


def test_every_operation_is_tried_here() -> None:
    """The tests of this module leave no operation out."""
    assert ASK.keys() == GOOD.keys() == OPERATIONS == {*ASK_NOTHING, "form_address", *ABOUT_ALL}


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_a_good_answer_is_given_as_it_is(operation: str) -> None:
    """What keeps the contract reaches the caller unchanged."""
    connection = connect(GOOD)

    assert ASK[operation](connection) == GOOD[operation]


@pytest.mark.parametrize("operation", sorted(ASK_NOTHING))
def test_an_empty_batch_asks_nothing(operation: str) -> None:
    """For an empty batch the plugin is not called at all."""
    connection = connect(GOOD)

    ASK_NOTHING[operation](connection)

    assert adapter_of(connection).asked == []


@pytest.mark.parametrize(
    ("operation", "ask"),
    [(operation, ask[operation]) for ask in (ASK, ASK_NOTHING) for operation in sorted(ask.keys() - MUST)],
)
def test_an_operation_that_is_not_declared_is_refused(operation: str, ask: Callable[[Connection], Any]) -> None:
    """An operation that the plugin does not declare is refused by its name, even for an empty batch."""
    with pytest.raises(UnsupportedError, match=f"answering has no {operation}"):
        ask(connect(GOOD, manifest=SMALL))


@pytest.mark.parametrize("search", ["search_people", "search_accounts"])
def test_a_text_that_is_too_short_is_not_searched_for(search: str) -> None:
    """A search for fewer than three characters is refused, blanks at its ends aside, and nothing is asked."""
    connection = connect(GOOD)

    with pytest.raises(InputError, match=f"{search}: a text is too short; wanted 3 characters"):
        getattr(connection, search)(["carl", " ca "])
    assert adapter_of(connection).asked == []


def test_two_drafts_with_one_key_are_refused() -> None:
    """Of two different drafts for one call, none is written: the caller contradicts itself."""
    connection = connect(GOOD)

    with pytest.raises(InputError, match="write_activity: two different items of the batch have one key"):
        connection.write_activity([DRAFT, replace(DRAFT, subject="Other")])


def test_fields_to_read_are_sorted_and_free_of_repeats() -> None:
    """Whoever asks for a field twice asks for it once."""
    connection = connect(GOOD)

    connection.read_fields([replace(FIELDS, fields=("Title", "City", "Title"))])

    assert adapter_of(connection).asked == [("read_fields", {"records": (FIELDS,)})]


def test_two_ways_of_reading_one_record_are_refused() -> None:
    """Of one record, two different lists of fields are a contradiction of the caller's."""
    with pytest.raises(InputError, match="read_fields: two different items of the batch have one key"):
        connect(GOOD).read_fields([FIELDS, replace(FIELDS, fields=("Title",))])


def test_one_text_is_no_batch() -> None:
    """A single address in place of several is refused, and not taken for its letters."""
    with pytest.raises(InputError, match="find_contacts_by_email: got one text"):
        connect(GOOD).find_contacts_by_email("a@buyer.example")


# -- answers -----------------------------------------------------------------------------------------------------------

WRONG: dict[str, list[tuple[object, str]]] = {
    "find_contacts_by_email": [
        (None, "answered None .*; wanted a mapping"),
        ([PERSON], "answered a value of type list; wanted a mapping"),
        ({}, "left out 1 of 1 keys; wanted each"),
        ({"a@buyer.example": (), "b@buyer.example": ()}, "answered 1 keys that were not asked for"),
        ({"A@buyer.example": ()}, "left out 1 of 1 keys"),
        ({"a@buyer.example": None}, "answered None .* for a key; wanted a tuple of Person, or Unknown"),
        ({"a@buyer.example": [PERSON]}, "answered a value of type list for a key; wanted a tuple of Person"),
        ({"a@buyer.example": ({"id": "C1"},)}, "a tuple that holds a value of type dict; wanted a tuple of Person"),
        ({"a@buyer.example": (Person("contact", ""),)}, "answered a Person whose id is empty; wanted its own"),
        ({"a@buyer.example": (Person("contact", 1),)}, "a Person whose id is a value of type int; wanted its own"),  # type: ignore[arg-type]  # that is what is wrong
        ({"a@buyer.example": (None,)}, "a tuple that holds None"),
    ],
    "find_activity": [
        ({"call-1": (PERSON,)}, "a tuple that holds a value of type Person; wanted a tuple of Activity"),
        (
            {"call-1": (Activity("T1", "call", started_at=dt.datetime(2026, 3, 2)),)},  # noqa: DTZ001 - that is what is wrong
            "an Activity whose started_at has no time zone; wanted an aware time",
        ),
        (
            {"call-1": (Activity("T1", "call", started_at="2026-03-02T09:00:00Z"),)},  # type: ignore[arg-type]  # likewise
            "an Activity whose started_at is a value of type str; wanted a time or a date",
        ),
    ],
    "list_opportunities": [
        ({"C1": ()}, "answered a value of type dict; wanted Opportunities"),
        (Opportunities({"C1": ()}, {}, {"O1": ()}), "of_accounts left out 1 of 1 keys"),
        (
            Opportunities({"C1": ()}, {"A1": ()}, {"O1": (OPPORTUNITY,) * 2}),
            "by_id answered 2 records of Opportunity for a key; wanted 1 at most",
        ),
    ],
    "write_activity": [
        ({"call-1": None}, "answered None .* for a key; wanted a Receipt"),
        ({"call-1": Receipt("made")}, "the outcome 'made'; wanted one of created, "),  # type: ignore[arg-type]  # wrong on purpose
        ({"call-1": Receipt("created")}, "says created and has no id"),
    ],
    "fill_fields": [
        ({("Contact", "C1"): {"Title": FieldReceipt("sent")}}, "left out 1 of 2 keys"),
        ({("Contact", "C1"): None}, "answered None"),
        (
            {("Contact", "C1"): dict.fromkeys(UPDATE.fields, "sent")},
            "a value of type str for a key; wanted a FieldReceipt",
        ),
    ],
    "read_people": [
        ({"C1": (PERSON, PERSON)}, "answered 2 records of Person for a key; wanted 1 at most"),
        ({"C1": PERSON}, "a value of type Person for a key; wanted a tuple of Person"),
    ],
    "read_accounts": [({"A1": (PERSON,)}, "a tuple that holds a value of type Person; wanted a tuple of Account")],
    "search_people": [({"car": (PERSON,) * 51}, "answered 51 records of Person for a key; wanted 50 at most")],
    "search_accounts": [({}, "left out 1 of 1 keys")],
    "form_address": [
        (None, "answered None .*; wanted an address"),
        ("/contacts/new", "answered no whole address; wanted one of https://"),
        ("javascript:alert(1)", "answered no whole address"),
        ("https://crm.example/new?name=Carla Client", "answered no whole address; .*, escaped"),
        ("https://crm.example/new?name=Zoé", "answered no whole address"),
    ],
    "describe_objects": [
        ({"Contact": CONTACT}, "a value of type ObjectDescription for a key; wanted a tuple"),
        ({"Contact": (CONTACT, CONTACT)}, "answered 2 records of ObjectDescription for a key; wanted 1 at most"),
        ({"Contact": (replace(CONTACT, name=""),)}, "an ObjectDescription whose name is empty; wanted its own"),
        (
            {"Contact": (replace(CONTACT, fields={"Email": TITLE}),)},
            "answered 1 fields that are not under their own name; wanted each so",
        ),
    ],
    "read_fields": [
        ({}, "left out 1 of 1 keys"),
        ({("Contact", "C1"): {"Title": "CTO"}}, "a value of type dict for a key; wanted a tuple of one mapping"),
        ({("Contact", "C1"): ({}, {})}, "answered 2 mappings for a key; wanted 1 at most"),
        ({("Contact", "C1"): ("CTO",)}, "a tuple that holds a value of type str; wanted a mapping of fields"),
        ({("Contact", "C1"): ({"title": "CTO"},)}, "answered 1 fields that were not asked for; .* by the same name"),
        ({("Contact", "C1"): ({"Title": START},)}, "a field that holds a value of type datetime; wanted text"),
    ],
    "check_access": [
        (None, "answered None .*; wanted Access"),
        (replace(ACCESS, rights=ACCESS.rights[1:]), "left out the rights read contact; wanted each, with None where"),
        (replace(ACCESS, rights=(*ACCESS.rights, Right("lead", "create", "x", granted=True))), "does not use"),
    ],
    "describe_organization": [
        (None, "answered None .*; wanted Organization"),
        (Organization(""), "a time zone that is empty; wanted an IANA name, or None"),
        (Organization(currency="eur"), "a currency that is no code of ISO 4217; wanted three capitals, or None"),
    ],
    "list_changes": [
        (None, "answered None .*; wanted a ChangePage"),
        (ChangePage((Changed("account", "A1", START),)), "no Changed of a kind that was asked for"),
        (ChangePage((Changed("contact", "", START),)), "a Changed whose id is empty; wanted its own"),
        (ChangePage((Changed("contact", "C1", START.replace(tzinfo=None)),)), "whose changed_at has no time zone"),
        (ChangePage((), "p1"), "a next page that is empty, or the same once more"),
    ],
}


@pytest.mark.parametrize(
    ("operation", "answer", "said"), [(operation, *case) for operation, cases in WRONG.items() for case in cases]
)
def test_an_answer_that_breaks_the_contract_is_refused(operation: str, answer: object, said: str) -> None:
    """The message names plugin and operation, what came and what was wanted."""
    with pytest.raises(ContractError, match=rf"plugin answering, {operation}.*: .*{said}"):
        ASK[operation](connect({operation: lambda **_: answer}))


def test_a_wrong_answer_is_told_without_personal_data() -> None:
    """No address of the question or of the answer stands in the message."""
    connection = connect({"find_contacts_by_email": {"private@buyer.example": "private@buyer.example"}})

    with pytest.raises(ContractError) as caught:
        connection.find_contacts_by_email(["a@buyer.example"])

    assert "@" not in str(caught.value)


def test_an_exception_of_the_plugin_names_it() -> None:
    """What a plugin raises and may not, becomes a contract error that names plugin, operation and what it was."""
    connection = connect({"find_activity": lambda calls: {}[calls]})

    with pytest.raises(ContractError, match="plugin answering, find_activity: raised KeyError"):
        connection.find_activity([CALL])


def test_an_exception_of_the_plugin_is_kept_as_the_cause() -> None:
    """The author of the plugin sees where it was raised."""
    connection = connect({"find_activity": lambda calls: {}[calls]})

    with pytest.raises(ContractError) as caught:
        connection.find_activity([CALL])

    assert isinstance(caught.value.__cause__, KeyError)


def failing(error: BaseException) -> Callable[..., Any]:
    """Answer with an exception."""

    def fail(**_: object) -> None:
        raise error

    return fail


def test_an_error_of_the_contract_comes_through_as_it_is() -> None:
    """A typed error of the plugin reaches the caller unchanged, with what it carries."""
    error = TryAgainError("limit", after_seconds=7)

    with pytest.raises(TryAgainError) as caught:
        connect({"find_activity": failing(error)}).find_activity([CALL])

    assert caught.value is error


# -- two tenants -------------------------------------------------------------------------------------------------------


def test_two_connections_share_no_plugin() -> None:
    """No plugin manager of one connection holds anything of another's, though the plugin is the same."""
    one, other = connect(name="one"), connect(name="other")

    assert not one._manager.get_plugins() & other._manager.get_plugins()


def test_a_connection_without_an_answer_gets_none_from_another() -> None:
    """Where one tenant's adapter answers None, no other adapter answers in its stead."""
    answering, silent = connect(GOOD, name="one"), connect(name="other")

    with pytest.raises(ContractError, match="answered None"):
        ASK["find_contacts_by_email"](silent)
    assert adapter_of(answering).asked == []


def test_no_hook_of_a_connection_reaches_another_adapter() -> None:
    """Behind every hook of a connection stands its own adapter alone."""
    one, _other = connect(name="one"), connect(name="other")

    behind = {
        implementation.plugin
        for operation in OPERATIONS
        for implementation in getattr(one._manager.hook, operation).get_hookimpls()
    }

    assert behind == {adapter_of(one)}


# -- observers ---------------------------------------------------------------------------------------------------------


class Watcher:
    """An observer that keeps what it heard."""

    def __init__(self) -> None:
        """Have heard nothing."""
        self.heard: list[tuple[str, str, int, str, float]] = []

    @hookimpl
    def operation_finished(
        self, connection: str, operation: str, keys: int, error: BaseException | None, seconds: float
    ) -> None:
        """Keep it."""
        self.heard.append((connection, operation, keys, type(error).__name__, seconds))


class Raising:
    """An observer that is broken."""

    @hookimpl
    def operation_finished(self) -> None:
        """Break."""
        raise ValueError("broken observer")


def ticking() -> Callable[[], float]:
    """Make a clock that is two seconds later each time it is asked."""
    ticks = iter(range(0, 1000, 2))
    return lambda: float(next(ticks))


def test_an_observer_hears_what_was_asked() -> None:
    """An observer hears connection, operation, number of keys, no error, and the seconds it took."""
    watcher = Watcher()

    ASK["list_opportunities"](connect(GOOD, observers=[watcher], clock=ticking()))

    assert watcher.heard == [("acme", "list_opportunities", 3, "NoneType", 2.0)]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (None, ContractError),
        (failing(ValueError()), ContractError),
        (failing(TryAgainError("limit")), TryAgainError),
        (failing(KeyboardInterrupt()), KeyboardInterrupt),
    ],
)
def test_an_observer_hears_the_error_that_the_caller_gets(answer: object, error: type[BaseException]) -> None:
    """Whatever ends an operation, the observer hears the same error as the caller."""
    watcher = Watcher()
    connection = connect({"find_activity": answer}, observers=[watcher])

    with pytest.raises(error):
        connection.find_activity([CALL])

    assert [heard[3] for heard in watcher.heard] == [error.__name__]


def test_an_observer_that_raises_changes_no_result() -> None:
    """The caller gets the answer, whatever becomes of the observer."""
    connection = connect(GOOD, observers=[Raising()])

    assert ASK["find_activity"](connection) == GOOD["find_activity"]


def test_an_observer_that_raises_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """The log names connection, observer and operation."""
    ASK["find_activity"](connect(GOOD, observers=[Raising()]))

    assert caplog.messages == ["connection acme: observer Raising 1 raised on find_activity; nothing else changes"]


def test_an_observer_that_raises_keeps_no_other_from_hearing() -> None:
    """Each observer hears for itself, whichever of them breaks."""
    watchers = Watcher(), Watcher()

    ASK["find_activity"](connect(GOOD, observers=[watchers[0], Raising(), watchers[1]]))

    assert [len(watcher.heard) for watcher in watchers] == [1, 1]


def test_one_observer_may_watch_two_connections() -> None:
    """An observer that several connections share hears which of them it was."""
    watcher = Watcher()

    for name in ("one", "other"):
        ASK["find_activity"](connect(GOOD, name=name, observers=[watcher]))

    assert [heard[0] for heard in watcher.heard] == ["one", "other"]


# -- users are remembered ----------------------------------------------------------------------------------------------


def users_asked(connection: Connection) -> list[tuple[str, ...]]:
    """Give the batches of users that the plugin was asked for."""
    return [arguments["emails"] for operation, arguments in adapter_of(connection).asked]


def everybody(emails: Sequence[str]) -> dict[str, tuple[User, ...]]:
    """Answer that every address is a user's."""
    return {email: (User(email, email),) for email in emails}


def test_a_user_that_was_found_is_not_asked_for_again() -> None:
    """Of a batch, only those are asked for that are not remembered."""
    connection = connect({"find_users_by_email": everybody})

    connection.find_users_by_email(["a", "b"])
    connection.find_users_by_email(["b", "c"])

    assert users_asked(connection) == [("a", "b"), ("c",)]


def test_remembered_users_are_answered_with_the_others() -> None:
    """The answer has every key that was asked for, remembered or not."""
    connection = connect({"find_users_by_email": everybody})
    connection.find_users_by_email(["a"])

    assert connection.find_users_by_email(["a", "b"]) == everybody(["a", "b"])


@pytest.mark.parametrize("answer", [(), Unknown("cut short")])
def test_a_user_that_was_not_found_is_asked_for_again(answer: object) -> None:
    """Who was not there may have come since, and what is not known is no answer."""
    connection = connect({"find_users_by_email": lambda emails: dict.fromkeys(emails, answer)})

    connection.find_users_by_email(["a"])
    connection.find_users_by_email(["a"])

    assert users_asked(connection) == [("a",), ("a",)]


def test_a_remembered_user_grows_too_old() -> None:
    """After the age that was set, a user is asked for again."""
    now = [0.0]
    connection = connect({"find_users_by_email": everybody}, users_age_seconds=60, clock=lambda: now[0])

    for now[0] in (0.0, 59.0, 60.0):
        connection.find_users_by_email(["a"])

    assert len(users_asked(connection)) == 2


def test_a_description_is_remembered_for_its_age() -> None:
    """An object is described once until the age that was set; one that is not there is asked for again."""
    now = [0.0]
    answers = {"Contact": (CONTACT,), "Gone": ()}
    connection = connect(
        {"describe_objects": lambda objects: {name: answers[name] for name in objects}},
        descriptions_age_seconds=60,
        clock=lambda: now[0],
    )

    for now[0] in (0.0, 59.0, 60.0):
        assert connection.describe_objects(["Gone", "Contact"]) == answers
    asked = [arguments["objects"] for _, arguments in adapter_of(connection).asked]
    assert asked == [("Contact", "Gone"), ("Gone",), ("Contact", "Gone")]


def test_an_organization_is_remembered_for_the_age_of_descriptions() -> None:
    """It is asked for once, and anew when what was told is too old."""
    now = [0.0]
    answers = {"describe_organization": Organization("Europe/Paris", "EUR")}
    connection = connect(answers, descriptions_age_seconds=60, clock=lambda: now[0])
    for at in (0.0, 59.0, 61.0):
        now[0] = at
        connection.describe_organization()

    assert len(adapter_of(connection).asked) == 2


def test_no_more_users_are_remembered_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound, the oldest are forgotten."""
    monkeypatch.setattr(remembered, "MOST_REMEMBERED", 2)
    connection = connect({"find_users_by_email": everybody})

    connection.find_users_by_email(["a", "b", "c"])
    connection.find_users_by_email(["a", "b", "c"])

    assert users_asked(connection) == [("a", "b", "c"), ("a",)]


def test_users_are_remembered_for_one_connection_alone() -> None:
    """What one tenant knows, another one asks for itself."""
    one, other = (connect({"find_users_by_email": everybody}, name=name) for name in ("one", "other"))

    one.find_users_by_email(["a"])
    other.find_users_by_email(["a"])

    assert users_asked(other) == [("a",)]


# -- the connection itself ---------------------------------------------------------------------------------------------


def test_the_settling_time_is_the_manifests() -> None:
    """Without a setting, the manifest says how long an unanswered request may take effect."""
    assert connect().settle_seconds == 30.0


@pytest.mark.parametrize("seconds", [0.0, 6.0])
def test_the_settling_time_of_the_settings_comes_first(seconds: float) -> None:
    """A setting overrides the manifest, zero too."""
    connection = bind(FULL, {"settle_seconds": seconds}, ConnectionInfo("acme"))

    assert connection.settle_seconds == seconds


def test_a_declared_trait_is_granted() -> None:
    """An ability that the plugin declares passes without a word."""
    connect().require_trait("leads")


def test_a_trait_that_is_not_declared_is_refused() -> None:
    """The message names plugin and trait, and says what the trait is."""
    with pytest.raises(UnsupportedError, match=r"answering has no trait owner_filter \(can restrict candidates"):
        connect().require_trait("owner_filter")


def test_closing_closes_the_adapter_once() -> None:
    """Closing twice does nothing the second time."""
    connection = connect()

    with connection:
        connection.close()

    assert adapter_of(connection).closed == 1


@pytest.mark.parametrize("operation", sorted(OPERATIONS))
def test_a_closed_connection_refuses_every_operation(operation: str) -> None:
    """Using a connection after it was closed is told to the caller by its name."""
    connection = connect(GOOD)
    connection.close()

    with pytest.raises(InputError, match=f"connection acme is closed: bind it anew before {operation}"):
        ASK[operation](connection)


def test_the_text_of_a_connection_shows_no_settings() -> None:
    """A connection in a log shows its name and its plugin."""
    assert repr(connect({"token": "secret"})) == "<Connection acme (answering)>"


def test_operations_run_in_several_threads_at_once() -> None:
    """Operations of one connection do not wait for each other: all of them meet inside the plugin."""
    threads = 4
    meeting = threading.Barrier(threads, timeout=30)

    def meet(emails: Sequence[str]) -> dict[str, tuple[()]]:
        meeting.wait()
        return nobody(emails=emails)

    connection = connect({"find_contacts_by_email": meet})
    batches = [[f"{number}@buyer.example"] for number in range(threads)]

    with ThreadPoolExecutor(threads) as pool:
        answers = list(pool.map(connection.find_contacts_by_email, batches))

    assert answers == [nobody(emails=batch) for batch in batches]


def test_threads_get_each_their_own_answer() -> None:
    """Of many batches asked for in many threads, each gets the users that it asked for, remembered or not."""
    connection = connect({"find_users_by_email": everybody})
    batches = [[str(number % 17), str(number % 5)] for number in range(400)]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(connection.find_users_by_email, batches))

    assert answers == [everybody(batch) for batch in batches]


def test_threads_that_close_at_once_close_the_adapter_once() -> None:
    """However many threads close a connection, its adapter is closed once."""
    connection = connect()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: connection.close(), range(8)))

    assert adapter_of(connection).closed == 1
