"""From a manifest and settings to a provider that can be asked: the only caller of a provider's hooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import pluggy
from pydantic import BaseModel, ValidationError

from connector_core.errors import ConfigurationError, ConnectorError, ContractError
from connector_core.hookspecs import PROJECT
from connector_core.manifest import load
from connector_core.providers import ProviderManifest
from connector_core.providers.hookspecs import Answer, Contribution, Ignored, ProviderHooks
from connector_core.validation import problems


class Provider:
    """One provider with one set of settings. It may be used from several threads at once."""

    def __init__(self, manifest: ProviderManifest, adapter: Any) -> None:
        """Register the adapter.

        :raises ContractError: Its hooks are not those of :class:`~connector_core.providers.hookspecs.ProviderHooks`.
        """
        self.manifest = manifest
        self._adapter = adapter
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(ProviderHooks)
        try:
            self._manager.register(adapter, name=manifest.name)
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise ContractError(manifest.name, "adapter", str(error)) from error
        if not self._manager.hook.contribute.get_hookimpls():
            raise ContractError(manifest.name, "contribute", "not implemented; wanted a method marked @hookimpl")

    def contribute(self, body: bytes) -> Answer:
        """Verify the body of a webhook, and say what it contributes, as :class:`ProviderHooks` says."""
        try:
            answer: object = self._manager.hook.contribute(body=body)
        except ConnectorError:
            raise
        except Exception as error:
            raise ContractError(self.manifest.name, "contribute", f"raised {type(error).__name__}") from error
        if not isinstance(answer, Contribution | Ignored):
            got = type(answer).__name__
            raise ContractError(self.manifest.name, "contribute", f"answered {got}; wanted Contribution or Ignored")
        return answer

    def close(self) -> None:
        """Let go of what the adapter holds."""
        self._adapter.close()

    def __enter__(self) -> Self:
        """Give the provider itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()


def bind_provider(manifest: ProviderManifest, settings: Mapping[str, object]) -> Provider:
    """Check the settings, and make the provider.

    :raises ConfigurationError: The settings are wrong (each key is named, no value shown), or the plugin cannot be loaded.
    :raises ContractError: The adapter does not keep the contract.
    """
    model: type[BaseModel] = load(manifest.settings, of=f"provider {manifest.name}")
    adapter = load(manifest.adapter, of=f"provider {manifest.name}")
    try:
        return Provider(manifest, adapter(model.model_validate(dict(settings))))
    except ValidationError as error:
        wrong = "; ".join(f"{path or 'settings'} {text}" for path, text in problems(error))
    # Raised out here: pydantic's error quotes values, secrets too, and would be printed as the cause or context.
    possible = ", ".join(model.model_fields)
    raise ConfigurationError(f"providers.{manifest.name}: {wrong}. Settings of {manifest.name}: {possible}")
