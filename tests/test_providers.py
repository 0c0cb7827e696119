"""A call provider is bound to its settings, and held to the contract."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr

from connector_core.errors import ConfigurationError, ContractError, CredentialsError, InputError
from connector_core.providers import ProviderManifest
from connector_core.providers.binding import Provider, bind_provider
from connector_core.providers.bodies import Sent, checked, read_object
from connector_core.providers.hookspecs import (
    Announced,
    Delivery,
    Ignored,
    Kept,
    Later,
    Missed,
    Part,
    Reply,
    hookimpl,
)


class Settings(BaseModel):
    """The settings of the providers below."""

    model_config = ConfigDict(extra="forbid")

    token: SecretStr


class Echo:
    """Answers every hook with what it was made to answer, or raises it."""

    answer: Any = (Ignored("event", "reason"),)

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.closed = False

    def answered(self) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    @hookimpl
    def verify(self, delivery: Delivery) -> Any:
        return self.answered()

    @hookimpl
    def parse(self, event: bytes) -> Any:
        return self.answered()

    @hookimpl
    def fetch(self, asked: Sequence[Announced]) -> Any:
        return self.answered()

    @hookimpl
    def keep_subscribed(self) -> Any:
        return self.answered()

    @hookimpl
    def list_missed(self, since: dt.datetime, page: str | None) -> Any:
        return self.answered()

    def close(self) -> None:
        self.closed = True


ECHO = ProviderManifest("echo", "Echo", f"{__name__}:Settings", f"{__name__}:Echo")


def echo(answer: Any) -> Provider:
    """Make a provider that answers so."""
    adapter = Echo(Settings(token=SecretStr("invented")))
    adapter.answer = answer
    return Provider(ECHO, adapter)


RECORDING = Announced("echo:1", "recording")
PART = Part(call_id="echo:1", provider="echo", kind="phone", event="ended", revision=1.0)
FOREIGN = Part(call_id="other:1", provider="echo", kind="phone", event="ended", revision=1.0)
HOOKS: dict[str, Callable[[Provider], object]] = {
    "verify": lambda provider: provider.verify(Delivery(b"{}")),
    "parse": lambda provider: provider.parse(b"{}"),
    "fetch": lambda provider: provider.fetch([RECORDING]),
    "keep_subscribed": lambda provider: provider.keep_subscribed(),
    "list_missed": lambda provider: provider.list_missed(dt.datetime(2026, 3, 2, tzinfo=dt.UTC), "2"),
}


@pytest.mark.parametrize(
    ("hook", "answer"),
    [
        ("verify", b"{}"),
        ("verify", Reply(b"echo", "text/plain")),
        ("parse", [PART, RECORDING, Ignored("ringing", "no finished call")]),
        ("fetch", {RECORDING: (PART,)}),
        ("fetch", {RECORDING: ()}),
        ("fetch", {RECORDING: Later(60, "not yet")}),
        ("keep_subscribed", Kept(60, gap=True, problems=("users[1]: is gone",))),
        ("list_missed", Missed((PART, RECORDING), next="3")),
        ("list_missed", Missed((), incomplete="users[1]: is gone")),
    ],
)
def test_an_answer_is_handed_on(hook: str, answer: object) -> None:
    """What the adapter answers is what the caller gets."""
    assert HOOKS[hook](echo(answer)) is answer


@pytest.mark.parametrize(
    ("hook", "answer", "message"),
    [
        ("verify", None, "answered NoneType; wanted bytes or a Reply"),
        ("verify", "{}", "answered str"),
        ("parse", None, "answered NoneType; wanted a list that is not empty"),
        ("parse", [], "wanted a list that is not empty"),
        ("parse", [{}], "answered dict; wanted Part, Announced or Ignored"),
        ("parse", [FOREIGN], 'id does not begin with "echo:"'),
        ("parse", [Announced("other:1", "recording")], 'id does not begin with "echo:"'),
        ("fetch", None, "wanted an answer to everything"),
        ("fetch", {}, "wanted an answer to everything"),
        ("fetch", {RECORDING: (PART,), Announced("echo:2", "recording"): ()}, "and no other"),
        ("fetch", {RECORDING: [PART]}, "answered list; wanted a tuple of parts, or Later"),
        ("fetch", {RECORDING: (FOREIGN,)}, "a part of another call"),
        ("keep_subscribed", None, "answered NoneType; wanted Kept"),
        ("keep_subscribed", Kept(0), "named no time to be called again in"),
        ("keep_subscribed", Kept(float("nan")), "named no time to be called again in"),
        ("list_missed", None, "answered NoneType; wanted Missed"),
        ("list_missed", Missed((Ignored("ringing", "no call"),)), "answered Ignored; wanted Part or Announced"),  # type: ignore[arg-type]  # the wrong item is the point
        ("list_missed", Missed((FOREIGN,)), 'id does not begin with "echo:"'),
        ("list_missed", Missed((), next="2"), "named a page that leads nowhere"),
        ("list_missed", Missed((), next=""), "named a page that leads nowhere"),
    ],
)
def test_another_answer_breaks_the_contract(hook: str, answer: object, message: str) -> None:
    """Nothing stands for an answer but what the contract names; what came instead is told by its type."""
    with pytest.raises(ContractError, match=f"plugin echo, {hook}: ") as caught:
        HOOKS[hook](echo(answer))
    assert message in str(caught.value)


@pytest.mark.parametrize("hook", HOOKS)
@pytest.mark.parametrize("error", [InputError("wrong"), CredentialsError("refused")])
def test_our_errors_are_handed_on(hook: str, error: Exception) -> None:
    """An error of the tree comes through as it is."""
    with pytest.raises(type(error)) as caught:
        HOOKS[hook](echo(error))
    assert caught.value is error


@pytest.mark.parametrize("hook", HOOKS)
def test_any_other_error_breaks_the_contract(hook: str) -> None:
    """Another error is a defect of the plugin: it is named without its text, which may be personal."""
    with pytest.raises(ContractError, match="raised KeyError") as caught:
        HOOKS[hook](echo(KeyError("+33639981011")))
    assert "+33639981011" not in str(caught.value)


def test_what_nobody_reads_is_not_announced() -> None:
    """An adapter without ``fetch`` announces nothing."""
    with pytest.raises(ContractError, match="has no fetch for"):
        Provider(ECHO, ParsesOnly()).parse(b"{}")


class ParsesOnly:
    @hookimpl
    def verify(self, delivery: Delivery) -> bytes:
        return delivery.body

    @hookimpl
    def parse(self, event: bytes) -> list[Announced]:
        return [RECORDING]


def test_leaving_closes_the_adapter() -> None:
    """A provider lets go of its adapter."""
    adapter = Echo(Settings(token=SecretStr("invented")))
    with Provider(ECHO, adapter):
        assert not adapter.closed
    assert adapter.closed


class Unmarked(ParsesOnly):
    def parse(self, event: bytes) -> list[Announced]:
        return []


class Misspelled(ParsesOnly):
    @hookimpl
    def fetsh(self, asked: Sequence[Announced]) -> Any:
        return {}


class OtherArguments(ParsesOnly):
    @hookimpl
    def parse(self, text: str) -> list[Announced]:  # type: ignore[override]  # the wrong argument is the point
        return []


@pytest.mark.parametrize("adapter", [Unmarked, Misspelled, OtherArguments])
def test_a_broken_adapter_is_refused(adapter: type[Any]) -> None:
    """A hook that would never be called, or not so, is found before a body comes."""
    with pytest.raises(ContractError, match="echo"):
        Provider(ECHO, adapter())


@pytest.mark.parametrize(
    ("settings", "message"),
    [({}, "providers.echo: token is required"), ({"token": "invented", "tokn": 1}, "tokn is an unknown key")],
)
def test_wrong_settings_are_named(settings: dict[str, object], message: str) -> None:
    """What is wrong is told with what is possible, and no value stands in the message or behind it."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        bind_provider(ECHO, settings)
    assert "Settings of echo: token" in str(caught.value)
    assert "invented" not in f"{caught.value}{caught.value.__cause__}{caught.value.__context__}"


def test_a_provider_that_cannot_be_loaded_is_named() -> None:
    """A manifest that names what is not there says so."""
    manifest = ProviderManifest("gone", "Gone", "no_such_module:Settings", "no_such_module:Adapter")
    with pytest.raises(ConfigurationError, match="provider gone: cannot load no_such_module:Settings"):
        bind_provider(manifest, {})


class Body(Sent):
    """A body with one key that matters."""

    count: int


def test_a_body_may_hold_more_than_we_know() -> None:
    """Keys that a service adds do no harm."""
    assert checked(Body, read_object(b'{"count": 3, "new": []}')) == Body(count=3)


@pytest.mark.parametrize(
    "body", [b'{"count": "3"}', b'{"count": true}', b'{"count": 3, "count": 4}', b'{"count": 3.5}']
)
def test_a_look_alike_is_refused(body: bytes) -> None:
    """Text, a truth value, a fraction or a key that stands twice is no whole number."""
    with pytest.raises(InputError, match="count: "):
        checked(Body, read_object(body))
