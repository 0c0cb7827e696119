"""The page on the hooks says what the code says, its examples are a plugin, and no signature changes by accident."""

from __future__ import annotations

import datetime as dt
import inspect
import json
import re
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from connector_core.binding import bind
from connector_core.connection import Connection
from connector_core.errors import CredentialsError
from connector_core.hookspecs import HOOK_API, PROJECT, CrmHooks, Observers
from connector_core.manifest import MUST, OPERATIONS, ConnectionInfo, CrmManifest
from connector_core.model import (
    ActivityDraft,
    CallKey,
    FormFields,
    ObjectDescription,
    Organization,
    RecordFields,
    RecordUpdate,
    Unknown,
)
from connector_core.providers.hookspecs import Announced, Delivery, Ignored, Later, Part, ProviderHooks

PAGE = Path(__file__).parent.parent / "docs" / "hooks.md"
SECTION = re.compile(r"^### `(\w+)(\([^\n]*)`$\n(.*?)(?=^##)", re.MULTILINE | re.DOTALL)
NINE = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)

WHEN_HOOK_API_WAS = 1
SIGNATURES = {
    "find_contacts_by_email": "(self, emails: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]",
    "find_contacts_by_phone": "(self, numbers: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]",
    "find_activity": "(self, calls: Sequence[CallKey]) -> Mapping[str, tuple[Activity, ...] | Unknown]",
    "list_opportunities": "(self, person_ids: Sequence[str], account_ids: Sequence[str], opportunity_ids: Sequence[str],"
    " closed_since: dt.datetime | None) -> Opportunities",
    "write_activity": "(self, drafts: Sequence[ActivityDraft]) -> Mapping[str, Receipt]",
    "fill_fields": "(self, updates: Sequence[RecordUpdate]) -> Mapping[tuple[str, str], Mapping[str, FieldReceipt]]",
    "find_users_by_email": "(self, emails: Sequence[str]) -> Mapping[str, tuple[User, ...] | Unknown]",
    "read_people": "(self, person_ids: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]",
    "read_accounts": "(self, account_ids: Sequence[str]) -> Mapping[str, tuple[Account, ...] | Unknown]",
    "search_people": "(self, texts: Sequence[str]) -> Mapping[str, tuple[Person, ...] | Unknown]",
    "search_accounts": "(self, texts: Sequence[str]) -> Mapping[str, tuple[Account, ...] | Unknown]",
    "form_address": "(self, record: FormRecord, known: FormFields) -> str",
    "describe_objects": "(self, objects: Sequence[str]) -> Mapping[str, tuple[ObjectDescription, ...] | Unknown]",
    "read_fields": "(self, records: Sequence[RecordFields]) -> Mapping[tuple[str, str], tuple[Mapping[str,"
    " FieldValue | None], ...] | Unknown]",
    "check_access": "(self) -> Access",
    "describe_organization": "(self) -> Organization",
    "list_changes": "(self, kinds: Sequence[RecordKind], since: dt.datetime, page: str | None) -> ChangePage",
    "operation_finished": "(self, connection: str, operation: str, keys: int, error: BaseException | None,"
    " seconds: float) -> None",
    "verify": "(self, delivery: Delivery) -> bytes | Reply",
    "parse": "(self, event: bytes) -> Sequence[Heard]",
    "fetch": "(self, asked: Sequence[Announced]) -> Mapping[Announced, Answer]",
    "keep_subscribed": "(self) -> Kept",
    "list_missed": "(self, since: dt.datetime, page: str | None) -> Missed",
}
"""Every hook, as it was when HOOK_API was that. Before you change a line: docs/hooks.md, Versions, says what may change."""


def hooks() -> dict[str, Callable[..., Any]]:
    """Find every hook that is declared."""
    owners = (CrmHooks, Observers, ProviderHooks)
    return {
        name: function
        for owner in owners
        for name, function in vars(owner).items()
        if hasattr(function, f"{PROJECT}_spec")
    }


def signature(function: Callable[..., Any]) -> str:
    """Write a signature as it stands in the code."""
    return str(inspect.signature(function)).replace("'", "")


def sections() -> dict[str, tuple[str, str]]:
    """Read the page: of each hook its signature and its text."""
    found = SECTION.findall(PAGE.read_text(encoding="utf-8"))
    return {name: (shown, text) for name, shown, text in found}


def example(text: str) -> dict[str, Any]:
    """Run the one example of a section, and give its names."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {"__name__": "example"}
    exec(code, names)  # noqa: S102 - our own page
    return names


# -- the page and the code ---------------------------------------------------------------------------------------------


def test_no_signature_changes_by_accident() -> None:
    """The hooks are those of the copy, under the same HOOK_API."""
    assert {name: signature(function) for name, function in hooks().items()} == SIGNATURES
    assert HOOK_API == WHEN_HOOK_API_WAS


def test_the_musts_are_those_of_the_hook_api() -> None:
    """No further hook has become a must: that would refuse every plugin that is there."""
    assert {"find_contacts_by_email", "find_contacts_by_phone", "find_activity", "list_opportunities"} == MUST


def test_every_hook_is_on_the_page_with_its_signature() -> None:
    """Each hook has a heading with exactly its signature, and no heading is of a hook that there is not."""
    assert {name: shown for name, (shown, _) in sections().items()} == {
        name: signature(function) for name, function in hooks().items()
    }


@pytest.mark.parametrize("hook", hooks())
def test_a_hook_is_told_whole(hook: str) -> None:
    """Of each hook every argument is told, what is returned, also for nothing found and not known, and what is raised."""
    _, text = sections()[hook]
    wanted = [f"- `{name}`: " for name in list(inspect.signature(hooks()[hook]).parameters)[1:]]

    lines = text.lower()
    assert [it for it in wanted if it not in text] == []
    assert [
        it for it in ("- **returns**", "**nothing found**", "**not known**", "- **raises**") if it not in lines
    ] == []


@pytest.mark.parametrize("hook", hooks())
def test_a_hook_has_an_example(hook: str) -> None:
    """The example of each hook runs, and implements that hook with the arguments of the contract."""
    wanted = list(inspect.signature(hooks()[hook]).parameters)

    implemented = [
        list(inspect.signature(vars(value)[hook]).parameters)
        for value in example(sections()[hook][1]).values()
        if isinstance(value, type) and hook in vars(value)
    ]

    assert implemented == [wanted]


def test_every_hook_has_a_test_of_its_name() -> None:
    """Below, each hook is called through the core, on the examples of the page."""
    assert {name for name in hooks() if f"test_hook_{name}" not in globals()} == set()


# -- the examples are a plugin -----------------------------------------------------------------------------------------


class Settings(BaseModel):
    """None."""


def example_class(hook: str) -> type:
    """Give the class of a hook's example."""
    (found,) = (it for it in example(sections()[hook][1]).values() if isinstance(it, type) and hook in vars(it))
    return found


def adapter_class() -> type:
    """Put the examples of all hooks of a CRM together."""
    parts = [example_class(hook) for hook in sorted(OPERATIONS)]

    def init(self: Any, settings: Settings, info: ConnectionInfo) -> None:
        for part in parts:
            if "__init__" in vars(part):
                part.__init__(self)  # type: ignore[misc]  # each of them sets what its hook uses

    return type("Adapter", tuple(parts), {"__init__": init, "close": lambda self: None})


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Make an observer of the page's example."""
    return example_class("operation_finished")()


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch, watched: Any) -> Iterator[Connection]:
    """Bind the examples as a plugin."""
    module = types.ModuleType("examples_of_hooks")
    vars(module).update(Settings=Settings, Adapter=adapter_class())
    monkeypatch.setitem(sys.modules, module.__name__, module)
    targets = {"settings": f"{module.__name__}:Settings", "adapter": f"{module.__name__}:Adapter"}
    manifest = CrmManifest("examples", "Examples", HOOK_API, OPERATIONS, **targets)
    with bind(manifest, {}, ConnectionInfo("acme", ("FR",)), observers=[watched]) as bound:
        yield bound


def shown(answer: Mapping[str, Any]) -> dict[str, Any]:
    """Show answers by the ids in them."""
    return {key: "unknown" if isinstance(it, Unknown) else [one.id for one in it] for key, it in answer.items()}


def test_hook_find_contacts_by_email(connection: Connection) -> None:
    """Found, not there and not known are told apart."""
    found = connection.find_contacts_by_email(["carla@example.net", "nobody@example.com", "x" * 99])

    assert shown(found) == {"carla@example.net": ["C1"], "nobody@example.com": [], "x" * 99: "unknown"}


def test_hook_find_contacts_by_phone(connection: Connection) -> None:
    """A number in national form is found by E.164, and the same digits abroad are not."""
    found = connection.find_contacts_by_phone(["+33639980102", "+32639980102"])

    assert shown(found) == {"+32639980102": [], "+33639980102": ["C1"]}


def test_hook_find_activity(connection: Connection) -> None:
    """One is found by its key whoever is asked for, one by people and time."""
    tomorrow = NINE + dt.timedelta(days=1)
    calls = [
        CallKey("demo:1", "phone", NINE, NINE),
        CallKey("demo:2", "phone", tomorrow, tomorrow, person_ids=("C1",)),
        CallKey("demo:3", "phone", tomorrow, tomorrow, person_ids=("C2",)),
    ]

    assert shown(connection.find_activity(calls)) == {"demo:1": ["T1"], "demo:2": ["T2"], "demo:3": []}


def test_hook_list_opportunities(connection: Connection) -> None:
    """Opportunities are listed by person, by account and by id."""
    found = connection.list_opportunities(["C1"], ["A1"], ["O1", "gone"])

    assert [shown(part) for part in (found.of_people, found.of_accounts, found.by_id)] == [
        {"C1": ["O1"]},
        {"A1": ["O1"]},
        {"O1": ["O1"], "gone": []},
    ]


def test_hook_write_activity(connection: Connection) -> None:
    """A new one is created, a change that changes nothing is unchanged, one of what is gone is refused."""
    (created,) = connection.write_activity([ActivityDraft("demo:1", "call", NINE, NINE, subject="Call")]).values()
    changes = [
        ActivityDraft("demo:1", "call", NINE, NINE, activity_id=created.id),
        ActivityDraft("demo:2", "call", NINE, NINE, activity_id="gone", subject="Call"),
    ]

    outcomes = {key: it.outcome for key, it in connection.write_activity(changes).items()}
    assert (created.outcome, outcomes) == ("created", {"demo:1": "unchanged", "demo:2": "refused"})


def test_hook_fill_fields(connection: Connection) -> None:
    """Each field has an outcome of its own."""
    update = RecordUpdate("contact", "C1", {"title": "CEO", "shoe_size": 43})

    receipts = connection.fill_fields([update])["contact", "C1"]
    assert {name: it.outcome for name, it in receipts.items()} == {"title": "sent", "shoe_size": "refused"}


def test_hook_find_users_by_email(connection: Connection) -> None:
    """A user is found by e-mail address."""
    assert shown(connection.find_users_by_email(["ada@seller.example"])) == {"ada@seller.example": ["U1"]}


def test_hook_read_people(connection: Connection) -> None:
    """A person is read by id, also by that of a record that was merged into it."""
    assert shown(connection.read_people(["C1", "C9", "gone"])) == {"C1": ["C1"], "C9": ["C1"], "gone": []}


def test_hook_read_accounts(connection: Connection) -> None:
    """An account is read by id."""
    assert shown(connection.read_accounts(["A1", "gone"])) == {"A1": ["A1"], "gone": []}


def test_hook_search_people(connection: Connection) -> None:
    """A person is found by words of the name, and by the address."""
    found = connection.search_people(["client carl", "carla@example.net", "%%%"])

    assert shown(found) == {"%%%": [], "carla@example.net": ["C1"], "client carl": ["C1"]}


def test_hook_search_accounts(connection: Connection) -> None:
    """An account is found by its name."""
    assert shown(connection.search_accounts(["buyer", "seller"])) == {"buyer": ["A1"], "seller": []}


def test_hook_form_address(connection: Connection) -> None:
    """The address holds what is known, escaped."""
    address = connection.form_address("contact", FormFields("Dora & Co"))

    assert address == "https://crm.example/contact/new?name=Dora%20%26%20Co"


def test_hook_describe_objects(connection: Connection) -> None:
    """An object is told with its fields, and one that is not there is not."""
    found = connection.describe_objects(["contact", "unicorn"])

    assert found["unicorn"] == ()
    assert [list(it.fields) for it in found["contact"] if isinstance(it, ObjectDescription)] == [["title", "stage"]]


def test_hook_read_fields(connection: Connection) -> None:
    """What is there is told, an empty field as None; a field or a record that is not there is not."""
    asked = [RecordFields("contact", key, ("title", "city", "shoe_size")) for key in ("C1", "gone")]

    assert connection.read_fields(asked) == {
        ("contact", "C1"): ({"city": None, "title": "CTO"},),
        ("contact", "gone"): (),
    }


def test_hook_check_access(connection: Connection) -> None:
    """Rights are told one by one, those that are missing too."""
    access = connection.check_access()

    assert (access.api_version, {it.granted for it in access.rights}) == ("2026-03", {True, False})


def test_hook_describe_organization(connection: Connection) -> None:
    """Its zone and its currency are told."""
    assert connection.describe_organization() == Organization("Europe/Paris", "EUR")


def test_hook_list_changes(connection: Connection) -> None:
    """The pages together hold all that changed since."""
    first = connection.list_changes(["account", "contact"], NINE)
    second = connection.list_changes(["account", "contact"], NINE, first.next)

    assert (shown({"first": first.records, "second": second.records}), second.next) == (
        {"first": ["C1", "C2"], "second": ["C3"]},
        None,
    )


def test_hook_operation_finished(connection: Connection, watched: Any) -> None:
    """An observer hears of each operation, by its name, with the number of its keys."""
    connection.find_users_by_email(["a@seller.example", "b@seller.example"])

    assert watched.keys == {("acme", "find_users_by_email", "NoneType"): 2}


def test_hook_verify() -> None:
    """What carries the token is the event; what is forged is refused."""
    adapter = example_class("verify")()
    event = b'{"token": "invented"}'
    assert adapter.verify(delivery=Delivery(event)) == event
    with pytest.raises(CredentialsError):
        adapter.verify(delivery=Delivery(b'{"token": "forged"}'))


@pytest.mark.parametrize(
    ("event", "kind"),
    [
        ({"event": "ringing"}, Ignored),
        ({"event": "recording_ready", "id": 7}, Announced),
        ({"event": "ended", "id": 7, "at": 1, "from": NINE.isoformat(), "to": NINE.isoformat()}, Part),
    ],
)
def test_hook_parse(event: dict[str, Any], kind: type) -> None:
    """A finished call is a part, what is ready to be read is announced, another event is ignored."""
    (heard,) = example_class("parse")().parse(event=json.dumps(event).encode())
    assert isinstance(heard, kind)


def test_hook_fetch() -> None:
    """Everything that is asked for is answered: with parts, or with when to ask again."""
    ready, not_yet = Announced("demo:7", "recording"), Announced("demo:8", "recording")
    found = example_class("fetch")().fetch(asked=[ready, not_yet])
    assert {it: type(answer) for it, answer in found.items()} == {ready: tuple, not_yet: Later}


def test_hook_keep_subscribed() -> None:
    """What is in order is no gap, and is seen to again before it ends."""
    kept = example_class("keep_subscribed")().keep_subscribed()
    assert (kept.gap, kept.problems, 0 < kept.again_in_seconds < 7 * 86_400) == (False, (), True)


def test_hook_list_missed() -> None:
    """The pages together hold what began since."""
    adapter = example_class("list_missed")()
    first = adapter.list_missed(since=NINE + dt.timedelta(minutes=1), page=None)
    second = adapter.list_missed(since=NINE + dt.timedelta(minutes=1), page=first.next)
    assert [it.call_id for it in (*first.heard, *second.heard)] == ["demo:7", "demo:8"]
    assert second.next is None
