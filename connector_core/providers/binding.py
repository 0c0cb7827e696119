"""From a manifest and settings to a provider that can be asked: the only caller of a provider's hooks."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Self, TypeVar

import pluggy
from pydantic import BaseModel, TypeAdapter, ValidationError

from connector_core.errors import ConfigurationError, ConnectorError, ContractError, InputError
from connector_core.hookspecs import PROJECT
from connector_core.manifest import load
from connector_core.model import CallId
from connector_core.providers import ProviderManifest
from connector_core.providers.hookspecs import (
    Announced,
    Answer,
    Delivery,
    Heard,
    Ignored,
    Kept,
    Later,
    Missed,
    Part,
    ProviderHooks,
    Reply,
)
from connector_core.validation import problems

T = TypeVar("T")
_REQUIRED = ("verify", "parse")
_ID: TypeAdapter[str] = TypeAdapter(CallId)


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
        for hook in _REQUIRED:
            if not self.has(hook):
                raise ContractError(manifest.name, hook, "not implemented; wanted a method marked @hookimpl")

    def has(self, hook: str) -> bool:
        """Tell whether it has a hook."""
        return bool(getattr(self._manager.hook, hook).get_hookimpls())

    def verify(self, delivery: Delivery) -> bytes | Reply:
        """Prove a delivery, as :class:`ProviderHooks` says."""
        answer: object = self._asked("verify", lambda: self._manager.hook.verify(delivery=delivery))
        if not isinstance(answer, bytes | Reply):
            raise self._wrong("verify", answer, "bytes or a Reply")
        return answer

    def parse(self, event: bytes) -> Sequence[Heard]:
        """Read an event, as :class:`ProviderHooks` says."""
        answer: object = self._asked("parse", lambda: self._manager.hook.parse(event=event))
        if not isinstance(answer, Sequence) or not answer:
            raise self._wrong("parse", answer, "a list that is not empty")
        for heard in answer:
            if not isinstance(heard, Part | Announced | Ignored):
                raise self._wrong("parse", heard, "Part, Announced or Ignored in the list")
            self._of_ours("parse", [heard])
            self._can_be_read("parse", heard)
        return answer

    def fetch(self, asked: Iterable[Announced]) -> Mapping[Announced, Answer]:
        """Read what was announced, as :class:`ProviderHooks` says."""
        batch = list(dict.fromkeys(asked))
        answer: object = self._asked("fetch", lambda: self._manager.hook.fetch(asked=batch))
        if not isinstance(answer, Mapping) or set(answer) != set(batch):
            raise self._wrong("fetch", answer, "an answer to everything that was asked for, and no other")
        for announced, found in answer.items():
            if isinstance(found, Later):
                continue
            if not isinstance(found, tuple) or not all(isinstance(part, Part) for part in found):
                raise self._wrong("fetch", found, "a tuple of parts, or Later")
            if any(part.call_id != announced.call_id for part in found):
                raise ContractError(self.manifest.name, "fetch", "answered a part of another call")
            self._of_ours("fetch", found)
        return answer

    def keep_subscribed(self) -> Kept:
        """See to it that events come, as :class:`ProviderHooks` says."""
        answer: object = self._asked("keep_subscribed", lambda: self._manager.hook.keep_subscribed())
        if not isinstance(answer, Kept):
            raise self._wrong("keep_subscribed", answer, "Kept")
        if not (math.isfinite(answer.again_in_seconds) and answer.again_in_seconds > 0):
            raise ContractError(self.manifest.name, "keep_subscribed", "named no time to be called again in")
        return answer

    def list_missed(self, since: dt.datetime, page: str | None) -> Missed:
        """List the calls that the provider has, as :class:`ProviderHooks` says."""
        ask = self._manager.hook.list_missed
        answer: object = self._asked("list_missed", lambda: ask(since=since, page=page))
        if not isinstance(answer, Missed):
            raise self._wrong("list_missed", answer, "Missed")
        if answer.next is not None and answer.next in ("", page):
            raise ContractError(self.manifest.name, "list_missed", "named a page that leads nowhere")
        for heard in answer.heard:
            if not isinstance(heard, Part | Announced):
                raise self._wrong("list_missed", heard, "Part or Announced in the page")
            self._can_be_read("list_missed", heard)
        self._of_ours("list_missed", answer.heard)
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

    def _asked(self, hook: str, ask: Callable[[], T]) -> T:
        try:
            return ask()
        except ConnectorError:
            raise
        except Exception as error:
            raise ContractError(self.manifest.name, hook, f"raised {type(error).__name__}") from error

    def _of_ours(self, hook: str, heard: Iterable[Heard]) -> None:
        """Make sure that ids begin with the provider's name: calls of two providers never meet in one."""
        for each in heard:
            if not isinstance(each, Ignored) and not each.call_id.startswith(f"{self.manifest.name}:"):
                wrong = f'told of a call whose id does not begin with "{self.manifest.name}:"'
                raise ContractError(self.manifest.name, hook, wrong)

    def _can_be_read(self, hook: str, heard: Heard) -> None:
        if isinstance(heard, Announced):
            if not self.has("fetch"):
                raise self._wrong(hook, heard, "none of what the adapter has no fetch for")
            _check(heard)

    def _wrong(self, hook: str, got: object, wanted: str) -> ContractError:
        return ContractError(self.manifest.name, hook, f"answered {type(got).__name__}; wanted {wanted}")


def _check(announced: Announced) -> None:
    """Make sure that it can be kept: its names may be what the sender wrote.

    :raises InputError: It cannot.
    """
    for name, text in (("call", announced.call_id), ("what", announced.what)):
        try:
            _ID.validate_python(text)
        except ValidationError as error:
            wrong = "; ".join(said for _, said in problems(error))
        else:
            continue
        raise InputError(f"what is announced: {name} {wrong}")


def bind_provider(manifest: ProviderManifest, settings: Mapping[str, object], *, of: str | None = None) -> Provider:
    """Check the settings, and make the provider.

    :param of: Where the settings stand, for messages.
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
    raise ConfigurationError(f"{of or f'providers.{manifest.name}'}: {wrong}. Settings of {manifest.name}: {possible}")
