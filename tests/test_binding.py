"""Binding checks settings and adapter, and refuses what pluggy would let pass."""

from __future__ import annotations

import dataclasses
import logging
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pluggy
import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

from connector_core.binding import bind
from connector_core.connection import Connection
from connector_core.errors import ConfigurationError, ContractError
from connector_core.hookspecs import HOOK_API, PROJECT, CrmHooks, hookimpl
from connector_core.manifest import MUST, OPERATIONS, ConnectionInfo, CrmManifest

INFO = ConnectionInfo("acme")
SECRET = "very-secret-7f3a"


class Settings(BaseModel):
    """Settings as a plugin has them."""

    model_config = ConfigDict(extra="forbid")

    access_token: SecretStr
    pages: int = Field(default=1, ge=1)
    signing_key: str = ""

    @field_validator("signing_key")
    @classmethod
    def _quoting(cls, value: str) -> str:
        if value:
            raise ValueError(f"{value} is no key")
        return value


class Adapter:
    """Keeps the contract with the four operations that every CRM has."""

    def __init__(self, settings: Settings, info: ConnectionInfo) -> None:
        """Do no work."""
        self.settings = settings
        self.info = info

    def close(self) -> None:
        """Have nothing to let go of."""

    @hookimpl
    def find_contacts_by_email(self, emails: Any) -> Any:
        """Find nobody."""
        return dict.fromkeys(emails, ())

    @hookimpl
    def find_contacts_by_phone(self, numbers: Any) -> Any:
        """Find nobody."""
        return dict.fromkeys(numbers, ())

    @hookimpl
    def find_activity(self, calls: Any) -> Any:
        """Find nothing."""
        return {call.call_id: () for call in calls}

    @hookimpl
    def list_opportunities(self, person_ids: Any, account_ids: Any, opportunity_ids: Any, closed_since: Any) -> Any:
        """Answer what it may not."""


Bind = Callable[..., Connection]


@pytest.fixture
def bind_adapter(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bind]:
    """Bind a plugin named ``invented`` with an adapter class, as if it were installed."""
    module = types.ModuleType("invented_crm")
    monkeypatch.setitem(sys.modules, "invented_crm", module)
    bound: list[Connection] = []

    def bind_it(
        adapter_class: object = Adapter,
        settings: Mapping[str, object] | BaseModel | None = None,
        *,
        observers: tuple[object, ...] = (),
        settings_model: str = "invented_crm:Settings",
        **declared: Any,
    ) -> Connection:
        vars(module).update(Adapter=adapter_class, Settings=Settings)
        manifest = CrmManifest(
            **{
                "name": "invented",
                "title": "Invented",
                "hook_api": HOOK_API,
                "operations": MUST,
                "settings": settings_model,
                "adapter": "invented_crm:Adapter",
                **declared,
            }
        )
        given = {"access_token": SECRET} if settings is None else settings
        connection = bind(manifest, given, INFO, observers=observers)
        bound.append(connection)
        return connection

    yield bind_it
    for connection in bound:
        connection.close()


def changed(**members: object) -> type:
    """Make an adapter that differs from one that keeps the contract by some members."""
    return type("ChangedAdapter", (Adapter,), members)


# -- what is bound -----------------------------------------------------------------------------------------------------


def test_an_adapter_that_keeps_the_contract_is_bound(bind_adapter: Bind) -> None:
    """The adapter gets its settings, validated, and the connection's info."""
    connection = bind_adapter(settings={"access_token": SECRET, "pages": "3"})

    (adapter,) = connection._manager.get_plugins()
    assert (adapter.settings.pages, adapter.info) == (3, INFO)


def test_settings_may_come_as_the_model_itself(bind_adapter: Bind) -> None:
    """A host that builds the plugin's settings in Python hands them over as they are."""
    settings = Settings(access_token=SecretStr(SECRET))

    connection = bind_adapter(settings=settings)

    assert connection._settings is settings


def test_the_operations_known_are_the_hooks() -> None:
    """The operations of the manifest module are the hooks of the contract, none more and none less."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(CrmHooks)

    assert {name for name in vars(manager.hook) if not name.startswith("_")} == OPERATIONS


# -- settings ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({}, "settings.access_token is required"),
        ({"acces_token": SECRET}, r"settings.acces_token is an unknown key \(did you mean access_token\?\)"),
        ({"access_token": SECRET, "pages": 0}, "settings.pages should be greater than or equal to 1"),
        ({"access_token": SECRET, "signing_key": SECRET}, "settings.signing_key: … is no key"),
    ],
)
def test_wrong_settings_name_connection_key_and_what_is_possible(
    bind_adapter: Bind, settings: dict[str, object], said: str
) -> None:
    """One message says which connection, which key, what is wrong with it and which keys there are."""
    possible = "Settings of invented: access_token, pages, signing_key"

    with pytest.raises(ConfigurationError, match=rf"connection acme \(invented\): .*{said}.* {possible}"):
        bind_adapter(settings=settings)


@pytest.mark.parametrize("settings", [{"acces_token": SECRET}, {"access_token": SECRET, "signing_key": SECRET}])
def test_wrong_settings_show_no_secret(bind_adapter: Bind, settings: dict[str, object]) -> None:
    """Neither the message nor an error behind it holds the value of a secret, also where a validator quotes it."""
    with pytest.raises(ConfigurationError) as caught:
        bind_adapter(settings=settings)

    assert SECRET not in f"{caught.value!r}{caught.value.__cause__!r}{caught.value.__context__!r}"


def test_settings_of_another_plugin_are_refused(bind_adapter: Bind) -> None:
    """A model that is not the plugin's is told by the names of both."""

    class OtherSettings(BaseModel):
        pass

    with pytest.raises(ConfigurationError, match="got settings of type OtherSettings, wanted Settings"):
        bind_adapter(settings=OtherSettings())


# -- the manifest ------------------------------------------------------------------------------------------------------


def test_another_hook_api_is_refused_with_both_numbers(bind_adapter: Bind) -> None:
    """A plugin for another major version of the hooks is refused with its number and the core's."""
    wanted = f"plugin invented, hook_api: written for hook API {HOOK_API + 1}, and this core has {HOOK_API}"

    with pytest.raises(ContractError, match=wanted):
        bind_adapter(hook_api=HOOK_API + 1)


def test_an_adapter_that_is_not_there_is_told(bind_adapter: Bind) -> None:
    """A manifest that names what cannot be imported is answered with that name."""
    with pytest.raises(ConfigurationError, match="plugin invented: cannot load invented_crm:Missing"):
        bind_adapter(adapter="invented_crm:Missing")


def test_settings_that_are_no_model_are_refused(bind_adapter: Bind) -> None:
    """What validates nothing is no settings model."""
    with pytest.raises(ContractError, match="invented, settings: invented_crm:Adapter is no pydantic model"):
        bind_adapter(settings_model="invented_crm:Adapter")


# -- declared and implemented ------------------------------------------------------------------------------------------


def test_an_operation_that_every_crm_has_must_be_declared(bind_adapter: Bind) -> None:
    """A CRM without one of the look-ups could associate no call."""
    with pytest.raises(ContractError, match="find_activity: not among the operations of the manifest"):
        bind_adapter(operations=MUST - {"find_activity"})


def test_an_operation_that_is_declared_must_be_implemented(bind_adapter: Bind) -> None:
    """A declared operation without a hook is refused; a method that may have been meant is named."""
    adapter = changed(write_activities=lambda self, drafts: {})

    with pytest.raises(ContractError, match=r"write_activity: declared .* no hook .*; the nearest is write_activities"):
        bind_adapter(adapter, operations=MUST | {"write_activity"})


def test_an_operation_that_is_implemented_must_be_declared(bind_adapter: Bind) -> None:
    """A hook that the manifest does not declare is refused."""

    @hookimpl
    def write_activity(self: object, drafts: object) -> None:
        """Write nothing."""

    with pytest.raises(ContractError, match="write_activity: a hook of the adapter, and not declared"):
        bind_adapter(changed(write_activity=write_activity))


@pytest.fixture
def newer() -> type:
    """An adapter with a hook that only a newer core knows."""

    @hookimpl(optionalhook=True)
    def foresee(self: object, months: object) -> None:
        """Foresee nothing."""

    return changed(foresee=foresee)


def test_an_operation_of_a_newer_core_is_passed_over(bind_adapter: Bind, newer: type) -> None:
    """A plugin that can do more than this core knows is bound, and what is passed over can be read."""
    connection = bind_adapter(newer, operations=MUST | {"foresee"}, traits=frozenset({"clairvoyance"}))

    assert {"foresee", "clairvoyance"} == connection.passed_over


def test_an_operation_that_is_passed_over_is_noted(
    bind_adapter: Bind, newer: type, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says what of a plugin is passed over."""
    with caplog.at_level(logging.INFO, logger="connector_core.binding"):
        bind_adapter(newer, operations=MUST | {"foresee"})

    assert caplog.messages == ["plugin invented: declared for a newer core, and passed over: foresee"]


def test_an_operation_of_a_newer_core_must_be_optional(bind_adapter: Bind) -> None:
    """A declared hook that this core does not know is told how it would be passed over."""

    @hookimpl
    def foresee(self: object, months: object) -> None:
        """Foresee nothing."""

    with pytest.raises(ContractError, match=r"foresee: .* wants @hookimpl\(optionalhook=True\)"):
        bind_adapter(changed(foresee=foresee), operations=MUST | {"foresee"})


# -- pluggy's traps ----------------------------------------------------------------------------------------------------


def refused(
    bind_adapter: Bind, hook: Callable[..., object], message: str, name: str = "find_contacts_by_email"
) -> None:
    """Expect that an adapter with this hook is refused with this message, by name."""
    with pytest.raises(ContractError) as caught:
        bind_adapter(changed(**{name: hook}))

    assert f"plugin invented, {name}: {message}" == str(caught.value)


def test_keyword_only_parameters_are_refused(bind_adapter: Bind) -> None:
    """Pluggy passes arguments by place, and could not call such a hook."""

    @hookimpl
    def hook(self: object, *, emails: object) -> None: ...

    refused(bind_adapter, hook, "takes keyword-only emails; wanted (emails), exactly")


def test_catch_all_parameters_are_refused(bind_adapter: Bind) -> None:
    """Pluggy leaves ``**kwargs`` empty without a word."""

    @hookimpl
    def hook(self: object, **kwargs: object) -> None: ...

    refused(bind_adapter, hook, "takes catch-all **kwargs; wanted (emails), exactly")


def test_catch_all_places_are_refused(bind_adapter: Bind) -> None:
    """Pluggy leaves ``*args`` empty without a word."""

    @hookimpl
    def hook(self: object, *args: object) -> None: ...

    refused(bind_adapter, hook, "takes catch-all *args; wanted (emails), exactly")


def test_default_values_are_refused(bind_adapter: Bind) -> None:
    """A default value has overridden what the caller passed, in one pluggy and not in the next."""

    @hookimpl
    def hook(self: object, emails: object = ()) -> None: ...

    refused(bind_adapter, hook, "gives emails a default value; wanted (emails), exactly")


def test_another_parameter_is_refused(bind_adapter: Bind) -> None:
    """A parameter of another name is told with the right one."""

    @hookimpl
    def hook(self: object, addresses: object) -> None: ...

    refused(bind_adapter, hook, "takes (addresses); wanted (emails), exactly")


def test_a_missing_parameter_is_refused(bind_adapter: Bind) -> None:
    """Pluggy would leave out what the hook does not take, and half of the question would go unanswered."""

    @hookimpl
    def hook(self: object, person_ids: object, account_ids: object) -> None: ...

    refused(
        bind_adapter,
        hook,
        "takes (person_ids, account_ids); wanted (person_ids, account_ids, opportunity_ids, closed_since), exactly",
        "list_opportunities",
    )


def test_a_misspelled_hook_is_refused(bind_adapter: Bind) -> None:
    """A hook that nobody would call is told the nearest name."""

    @hookimpl
    def hook(self: object, emails: object) -> None: ...

    refused(
        bind_adapter,
        hook,
        "marked @hookimpl, and no hook has this name; the nearest is find_contacts_by_email",
        "find_contact_by_email",
    )


def test_a_hook_without_a_mark_is_refused(bind_adapter: Bind) -> None:
    """A write without @hookimpl would never be called, and look as if nothing had come back."""

    def hook(self: object, drafts: object) -> None: ...

    refused(bind_adapter, hook, "has the name of a hook and no mark; wanted @hookimpl", "write_activity")


def test_a_hook_under_another_name_is_refused(bind_adapter: Bind) -> None:
    """Two methods for one hook would answer in each other's stead."""

    @hookimpl(specname="find_contacts_by_email")
    def hook(self: object, emails: object) -> None: ...

    refused(bind_adapter, hook, "marked as find_contacts_by_email by specname; wanted a method of that name", "second")


def test_a_coroutine_is_refused(bind_adapter: Bind) -> None:
    """A caller of an async hook would get a coroutine that nobody awaits."""

    @hookimpl
    async def hook(self: object, emails: object) -> None: ...

    refused(
        bind_adapter, hook, "is async, and would answer a coroutine; wanted a plain method (concurrency is threads)"
    )


def test_a_wrapper_is_refused(bind_adapter: Bind) -> None:
    """A wrapper answers with what another adapter would have to give, and there is none."""

    @hookimpl(wrapper=True)
    def hook(self: object, emails: object) -> Iterator[None]:
        return (yield)

    refused(bind_adapter, hook, "is a wrapper or a generator; wanted a method that answers by itself")


def test_a_generator_is_refused(bind_adapter: Bind) -> None:
    """A hook that yields would answer a generator, and not have run at all."""

    @hookimpl
    def hook(self: object, emails: object) -> Iterator[None]:
        yield

    refused(bind_adapter, hook, "is a wrapper or a generator; wanted a method that answers by itself")


def test_a_property_in_place_of_a_hook_is_refused(bind_adapter: Bind) -> None:
    """A property with the name of a hook is never called by pluggy."""
    with pytest.raises(ContractError, match="find_activity: is a property; wanted a method marked @hookimpl"):
        bind_adapter(changed(find_activity=property(lambda self: None)))


def test_a_property_is_never_evaluated(bind_adapter: Bind) -> None:
    """A property may sign in or import an SDK: binding does not touch it."""
    evaluated: list[object] = []

    bind_adapter(changed(client=property(evaluated.append)))

    assert evaluated == []


def test_a_dataclass_is_refused(bind_adapter: Bind) -> None:
    """What compares by value is refused: pluggy would take two equal ones for one."""
    adapter = dataclasses.make_dataclass("ChangedAdapter", ["settings", "info"], bases=(Adapter,))

    with pytest.raises(
        ContractError, match="invented, adapter: ChangedAdapter compares by value; wanted a plain class"
    ):
        bind_adapter(adapter)


def test_a_hook_hidden_by_the_instance_is_refused(bind_adapter: Bind) -> None:
    """An attribute that the constructor puts in front of a hook keeps pluggy from finding it."""

    def constructor(self: Any, settings: object, info: object) -> None:
        self.find_activity = object()

    with pytest.raises(ContractError, match="find_activity: hidden by an attribute of the instance"):
        bind_adapter(changed(__init__=constructor))


def test_an_adapter_must_close(bind_adapter: Bind) -> None:
    """An adapter that could not let go of its sockets is refused."""
    with pytest.raises(ContractError, match=r"invented, close: the adapter has no such method; wanted close\(\)"):
        bind_adapter(changed(close=None))


def test_an_adapter_must_be_a_class(bind_adapter: Bind) -> None:
    """A function that makes adapters could not be checked before it runs."""
    with pytest.raises(ContractError, match="adapter: invented_crm:Adapter is no class but a function"):
        bind_adapter(lambda settings, info: Adapter(settings, info))


def test_a_constructor_that_raises_is_the_plugins_fault(bind_adapter: Bind) -> None:
    """What the adapter's constructor raises and may not, becomes an error that names the plugin."""

    def constructor(self: object, settings: object, info: object) -> None:
        raise KeyError

    with pytest.raises(ContractError, match="plugin invented, adapter: raised KeyError"):
        bind_adapter(changed(__init__=constructor))


# -- observers ---------------------------------------------------------------------------------------------------------


def observer_with(**members: object) -> object:
    """Make an observer of a class with these members."""
    return type("Watcher", (), members)()


@hookimpl
def operation_finished(self: object, operation: object) -> None:
    """Hear the operation alone: an observer takes what it needs."""


def test_an_observer_may_answer_for_no_crm(bind_adapter: Bind) -> None:
    """A second plugin with a CRM's hook would answer where the adapter does not, for any tenant."""
    observer = observer_with(find_activity=vars(Adapter)["find_activity"], operation_finished=operation_finished)

    with pytest.raises(ContractError, match="observer Watcher, find_activity: marked @hookimpl, and no hook"):
        bind_adapter(observers=(observer,))


def test_an_observer_that_hears_nothing_is_refused(bind_adapter: Bind) -> None:
    """What implements no notification was handed over by mistake."""
    with pytest.raises(ContractError, match="observer Watcher, operation_finished: not implemented"):
        bind_adapter(observers=(observer_with(),))


def test_an_observer_without_a_mark_is_refused(bind_adapter: Bind) -> None:
    """A notification without @hookimpl would never be called."""
    with pytest.raises(ContractError, match="operation_finished: has the name of a hook and no mark"):
        bind_adapter(observers=(observer_with(operation_finished=lambda self: None),))


def test_an_observer_with_a_parameter_of_its_own_is_refused(bind_adapter: Bind) -> None:
    """A parameter that no notification has could never be filled."""

    @hookimpl
    def own(self: object, tenant: object) -> None: ...

    with pytest.raises(ContractError, match=r"observer Watcher 1, registration: [^$]*'tenant'"):
        bind_adapter(observers=(observer_with(operation_finished=own),))


def test_an_observer_given_twice_is_refused(bind_adapter: Bind) -> None:
    """One observer would hear everything twice."""
    observer = observer_with(operation_finished=operation_finished)

    with pytest.raises(ConfigurationError, match="an observer is given twice"):
        bind_adapter(observers=(observer, observer))
