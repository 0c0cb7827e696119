"""From a manifest and settings to an extractor that can be asked: the only caller of an extractor's hook."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import pluggy
from pydantic import BaseModel, ValidationError

from connector_core.errors import ConfigurationError, ConnectorError, ContractError
from connector_core.extractors import ExtractorManifest
from connector_core.extractors.hookspecs import Answer, ExtractorHooks
from connector_core.filling.values import Extracted, WantedField
from connector_core.hookspecs import PROJECT
from connector_core.manifest import load
from connector_core.model import Call, Unknown
from connector_core.validation import problems

_HOOK = "extract_fields"


class Extractor:
    """One extractor with one set of settings. It may be used from several threads at once."""

    def __init__(self, manifest: ExtractorManifest, plugin: Any) -> None:
        """Register the plugin.

        :raises ContractError: Its hook is not that of :class:`~connector_core.extractors.hookspecs.ExtractorHooks`.
        """
        self.manifest = manifest
        self._plugin = plugin
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(ExtractorHooks)
        try:
            self._manager.register(plugin, name=manifest.name)
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise ContractError(manifest.name, "extractor", str(error)) from error
        if not self._manager.hook.extract_fields.get_hookimpls():
            raise ContractError(manifest.name, _HOOK, "not implemented; wanted a method marked @hookimpl")

    @property
    def name(self) -> str:
        """What it is called in a configuration."""
        return self.manifest.name

    def extract(self, call: Call, fields: Iterable[WantedField]) -> Mapping[str, Answer]:
        """Find values in a call, as :class:`ExtractorHooks` says; nothing is asked for no fields.

        :raises ConnectorError: Nothing could be asked.
        :raises ContractError: The plugin raised another error, or answered what the contract does not allow.
        """
        wanted = list({field.key: field for field in fields}.values())
        if not wanted:
            return {}
        try:
            answer: object = self._manager.hook.extract_fields(call=call, fields=wanted)
        except ConnectorError:
            raise
        except Exception as error:
            raise self._wrong(f"raised {type(error).__name__}") from error
        if not isinstance(answer, Mapping) or set(answer) != {field.key for field in wanted}:
            raise self._wrong(f"answered {type(answer).__name__}; wanted an answer for each key, and no other")
        for key, found in answer.items():
            if wrong := _why_not(found):
                raise self._wrong(f"answered {wrong} for {key}")
        return answer

    def close(self) -> None:
        """Let go of what the plugin holds."""
        self._plugin.close()

    def __enter__(self) -> Self:
        """Give the extractor itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _wrong(self, what: str) -> ContractError:
        return ContractError(self.manifest.name, _HOOK, what)


def _why_not(answer: object) -> str | None:
    """Say what is wrong with an answer, without its value; None where nothing is."""
    if answer is None or isinstance(answer, Unknown):
        return None
    if not isinstance(answer, Extracted):
        return f"{type(answer).__name__}; wanted Extracted, None or Unknown"
    value: object = answer.value
    passage: object = answer.passage
    confidence: object = answer.confidence
    if not (_is_plain(value) or _is_list_of_texts(value)):
        return "a value that is neither text, a finite number, a truth, nor a list of texts"
    if not isinstance(passage, str | None):
        return f"a passage that is {type(passage).__name__}; wanted text or None"
    if confidence is not None and not _is_share(confidence):
        return "a confidence that is no number from 0 to 1"
    return None


def _is_plain(value: object) -> bool:
    return isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value))


def _is_share(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= 1


def _is_list_of_texts(value: object) -> bool:
    return isinstance(value, Sequence) and all(isinstance(each, str) for each in value)


def bind_extractor(manifest: ExtractorManifest, settings: Mapping[str, object], *, of: str | None = None) -> Extractor:
    """Check the settings, and make the extractor.

    :param of: Where the settings stand, for messages.
    :raises ConfigurationError: The settings are wrong (each key is named, no value shown), or the plugin cannot be loaded.
    :raises ContractError: The plugin does not keep the contract.
    """
    model: type[BaseModel] = load(manifest.settings, of=f"extractor {manifest.name}")
    plugin = load(manifest.extractor, of=f"extractor {manifest.name}")
    try:
        return Extractor(manifest, plugin(model.model_validate(dict(settings))))
    except ValidationError as error:
        wrong = "; ".join(f"{path or 'settings'} {text}" for path, text in problems(error))
    # Raised out here: pydantic's error quotes values, secrets too, and would be printed as the cause or context.
    possible = ", ".join(model.model_fields) or "none"
    raise ConfigurationError(f"{of or f'extractors.{manifest.name}'}: {wrong}. Settings of {manifest.name}: {possible}")
