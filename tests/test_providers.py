"""A call provider is bound to its settings, and held to the contract."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr

from connector_core.errors import ConfigurationError, ContractError, CredentialsError, InputError
from connector_core.providers import ProviderManifest
from connector_core.providers.binding import Provider, bind_provider
from connector_core.providers.bodies import Sent, checked, read_object
from connector_core.providers.hookspecs import Ignored, hookimpl


class Settings(BaseModel):
    """The settings of the providers below."""

    model_config = ConfigDict(extra="forbid")

    token: SecretStr


class Echo:
    """Answers with what it was made to answer, or raises it."""

    answer: Any = Ignored("event", "reason")

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.closed = False

    @hookimpl
    def contribute(self, body: bytes) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self) -> None:
        self.closed = True


ECHO = ProviderManifest("echo", "Echo", f"{__name__}:Settings", f"{__name__}:Echo")


def echo(answer: Any) -> Provider:
    """Make a provider that answers so."""
    adapter = Echo(Settings(token=SecretStr("invented")))
    adapter.answer = answer
    return Provider(ECHO, adapter)


def test_an_answer_is_handed_on() -> None:
    """What the adapter answers is what the caller gets."""
    ignored = Ignored("ringing", "no finished call")
    assert echo(ignored).contribute(b"{}") is ignored


@pytest.mark.parametrize("answer", [None, b"", {"call": None}])
def test_another_answer_breaks_the_contract(answer: object) -> None:
    """Nothing stands for an answer but the two that there are; the type that came is named."""
    with pytest.raises(ContractError, match=f"plugin echo, contribute: answered {type(answer).__name__}"):
        echo(answer).contribute(b"{}")


@pytest.mark.parametrize("error", [InputError("wrong"), CredentialsError("refused")])
def test_our_errors_are_handed_on(error: Exception) -> None:
    """An error of the tree comes through as it is."""
    with pytest.raises(type(error)) as caught:
        echo(error).contribute(b"{}")
    assert caught.value is error


def test_any_other_error_breaks_the_contract() -> None:
    """Another error is a defect of the plugin: it is named without its text, which may be personal."""
    with pytest.raises(ContractError, match="raised KeyError") as caught:
        echo(KeyError("+33639981011")).contribute(b"{}")
    assert "+33639981011" not in str(caught.value)


def test_leaving_closes_the_adapter() -> None:
    """A provider lets go of its adapter."""
    adapter = Echo(Settings(token=SecretStr("invented")))
    with Provider(ECHO, adapter):
        assert not adapter.closed
    assert adapter.closed


class Unmarked:
    def contribute(self, body: bytes) -> Ignored:
        return Ignored("", "")


class Misspelled:
    @hookimpl
    def contribut(self, body: bytes) -> Ignored:
        return Ignored("", "")


class OtherArguments:
    @hookimpl
    def contribute(self, text: str) -> Ignored:
        return Ignored("", "")


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
