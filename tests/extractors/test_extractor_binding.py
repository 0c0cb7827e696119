"""An extractor is bound to its settings, and held to the contract."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, SecretStr
from wanted import call, field

from connector_core.errors import (
    ConfigurationError,
    ContractError,
    CredentialsError,
    TryAgainError,
)
from connector_core.extractors import ExtractorManifest
from connector_core.extractors.binding import Extractor, bind_extractor
from connector_core.extractors.hookspecs import Extracted, WantedField, hookimpl
from connector_core.hookspecs import HOOK_API
from connector_core.model import Call, Unknown


class Settings(BaseModel):
    """The settings of the extractors below."""

    model_config = ConfigDict(extra="forbid")

    api_key: SecretStr


class Echo:
    """Answers what it was made to answer, or raises it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.asked: list[list[str]] = []
        self.closed = False

    @hookimpl
    def extract_fields(self, call: Call, fields: Sequence[WantedField]) -> Any:
        self.asked.append([field.key for field in fields])
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def close(self) -> None:
        self.closed = True


ECHO = ExtractorManifest("echo", "Echo", HOOK_API, f"{__name__}:Settings", f"{__name__}:Echo")
FIELDS = [field("t.budget"), field("t.stage")]


def answered(answer: object, fields: Sequence[WantedField] = FIELDS) -> object:
    """Extract with a plugin that answers so."""
    return Extractor(ECHO, Echo(answer)).extract(call(), fields)


@pytest.mark.parametrize(
    "found",
    [
        None,
        Unknown("asleep"),
        Extracted("20 k"),
        Extracted(20_000),
        Extracted(10**400),
        Extracted(2.5, "two and a half", 0.5),
        Extracted(True, None, 1),
        Extracted(("SAP", "Oracle"), "both of them", 0),
        Extracted([]),
    ],
)
def test_an_answer_is_handed_on(found: object) -> None:
    """What was found, nothing said, or not known: each comes as it was answered."""
    answer = {"t.budget": found, "t.stage": None}

    assert answered(answer) == answer


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "answered NoneType; wanted an answer for each key"),
        ([], "answered list; wanted"),
        ({}, "wanted an answer for each key, and no other"),
        ({"t.budget": None}, "wanted an answer for each key, and no other"),
        ({"t.budget": None, "t.stage": None, "t.owner": None}, "and no other"),
        ({"t.budget": "20 k", "t.stage": None}, "answered str; wanted Extracted, None or Unknown for t.budget"),
        ({"t.budget": Extracted(None), "t.stage": None}, "a value that is neither"),  # type: ignore[arg-type]  # on purpose
        ({"t.budget": Extracted(float("nan")), "t.stage": None}, "a value that is neither"),
        ({"t.budget": Extracted((1,)), "t.stage": None}, "a value that is neither"),  # type: ignore[arg-type]  # on purpose
        ({"t.budget": Extracted(b"20"), "t.stage": None}, "a value that is neither"),  # type: ignore[arg-type]  # on purpose
        ({"t.budget": Extracted("20 k", 7), "t.stage": None}, "a passage that is int"),  # type: ignore[arg-type]  # on purpose
        ({"t.budget": Extracted("20 k", None, 1.5), "t.stage": None}, "a confidence that is no number from 0 to 1"),
        ({"t.budget": Extracted("20 k", None, True), "t.stage": None}, "a confidence that is no number"),
        ({"t.budget": Extracted("20 k", None, float("nan")), "t.stage": None}, "a confidence that is no number"),
    ],
)
def test_another_answer_breaks_the_contract(answer: object, message: str) -> None:
    """Nothing stands for an answer but what the contract names; the message holds no value."""
    with pytest.raises(ContractError, match="plugin echo, extract_fields: ") as caught:
        answered(answer)
    assert message in str(caught.value)
    assert "20" not in str(caught.value)


@pytest.mark.parametrize("error", [TryAgainError("busy"), CredentialsError("no"), ConfigurationError("model")])
def test_our_errors_are_handed_on(error: Exception) -> None:
    """An error of the tree comes through as it is."""
    with pytest.raises(type(error)) as caught:
        answered(error)
    assert caught.value is error


def test_any_other_error_breaks_the_contract() -> None:
    """Another error is a defect of the plugin: it is named without its text, which may be personal."""
    with pytest.raises(ContractError, match="raised KeyError") as caught:
        answered(KeyError("+33639981011"))
    assert "+33639981011" not in str(caught.value)


def test_nothing_is_asked_for_no_fields() -> None:
    """A call for which nothing is wanted costs nothing."""
    plugin = Echo({})

    assert (Extractor(ECHO, plugin).extract(call(), []), plugin.asked) == ({}, [])


def test_a_key_is_asked_for_once() -> None:
    """A field that is named twice is one question."""
    plugin = Echo({"t.budget": None})
    Extractor(ECHO, plugin).extract(call(), [field("t.budget"), field("t.budget")])

    assert plugin.asked == [["t.budget"]]


def test_leaving_closes_the_plugin() -> None:
    """An extractor lets go of its plugin."""
    plugin = Echo({})
    with Extractor(ECHO, plugin):
        assert not plugin.closed
    assert plugin.closed


class Unmarked:
    def extract_fields(self, call: Call, fields: Sequence[WantedField]) -> Any:
        return {}


class Misspelled(Echo):
    @hookimpl
    def extract_field(self, call: Call) -> Any:
        return {}


class OtherArguments:
    @hookimpl
    def extract_fields(self, text: str) -> Any:
        return {}


@pytest.mark.parametrize("plugin", [Unmarked, lambda: Misspelled({}), OtherArguments])
def test_a_broken_plugin_is_refused(plugin: Callable[[], object]) -> None:
    """A hook that would never be called, or not so, is found before a call comes."""
    with pytest.raises(ContractError, match="echo"):
        Extractor(ECHO, plugin())


@pytest.mark.parametrize(
    ("settings", "message"),
    [({}, "extractors.echo: api_key is required"), ({"api_key": "invented", "modl": 1}, "modl is an unknown key")],
)
def test_wrong_settings_are_named(settings: dict[str, object], message: str) -> None:
    """What is wrong is told with what is possible, and no value stands in the message or behind it."""
    with pytest.raises(ConfigurationError, match=message) as caught:
        bind_extractor(ECHO, settings)
    assert "Settings of echo: api_key" in str(caught.value)
    assert "invented" not in f"{caught.value}{caught.value.__cause__}{caught.value.__context__}"


def test_an_extractor_that_cannot_be_loaded_is_named() -> None:
    """A manifest that names what is not there says so."""
    manifest = ExtractorManifest("gone", "Gone", HOOK_API, "no_such_module:Settings", "no_such_module:Extractor")
    with pytest.raises(ConfigurationError, match="extractor gone: cannot load no_such_module:Settings"):
        bind_extractor(manifest, {})
