"""From a manifest and settings to a :class:`~connector_core.connection.Connection`.

The one place that builds a plugin manager: one for each connection, so that no tenant can reach another's adapter.
"""

from __future__ import annotations

import difflib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pluggy
from pydantic import BaseModel, SecretStr, ValidationError

from connector_core.answers import Checker
from connector_core.connection import Connection
from connector_core.errors import ConfigurationError, ContractError
from connector_core.hookspecs import HOOK_API, PROJECT, CrmHooks, Observers
from connector_core.manifest import OPERATIONS, ConnectionInfo, CrmManifest, load
from connector_core.references import is_secret
from connector_core.traps import check_adapter, check_observer
from connector_core.validation import problems

USERS_AGE_SECONDS = 900.0
"""How long a user that was found by e-mail is remembered, unless told otherwise."""

DESCRIPTIONS_AGE_SECONDS = 900.0
"""How long the description of an object is remembered, unless told otherwise: a right that was granted shows after that."""

_SHORTEST_SECRET = 4
"""What is shorter is part of many words, and no secret."""

_log = logging.getLogger(__name__)


def bind(
    manifest: CrmManifest,
    settings: Mapping[str, object] | BaseModel,
    info: ConnectionInfo,
    *,
    observers: Sequence[object] = (),
    users_age_seconds: float = USERS_AGE_SECONDS,
    descriptions_age_seconds: float = DESCRIPTIONS_AGE_SECONDS,
    clock: Callable[[], float] = time.monotonic,
) -> Connection:
    """Make a connection. Nothing is sent.

    :param settings: What the plugin's settings model takes, flat; or such a model.
    :param observers: Plugins with ``operation_finished``; the same ones may watch several connections.
    :param users_age_seconds: How long a user that was found by e-mail is remembered.
    :param descriptions_age_seconds: How long the description of an object is remembered.
    :raises ConfigurationError: The settings are wrong. One message says connection, keys, what is wrong and what is
        possible, and shows no value of a secret.
    :raises ContractError: The plugin, or an observer, does not keep the contract.
    """
    _check_hook_api(manifest)
    read = read_settings(manifest, settings, info.name)
    adapter_class = load(manifest.adapter, of=f"plugin {manifest.name}")
    check_adapter(manifest, adapter_class)
    watching = _named(observers)
    adapter = Checker(manifest.name, "adapter").guarded(lambda: adapter_class(read, info))
    manager = _manager(manifest, adapter, watching)
    connection = Connection(
        manifest,
        read,
        info,
        manager,
        close=adapter.close,
        observers=_each_alone(manager, watching),
        users_age_seconds=users_age_seconds,
        descriptions_age_seconds=descriptions_age_seconds,
        clock=clock,
    )
    if connection.passed_over:
        passed_over = ", ".join(sorted(connection.passed_over))
        _log.info("plugin %s: declared for a newer core, and passed over: %s", manifest.name, passed_over)
    return connection


def _check_hook_api(manifest: CrmManifest) -> None:
    if manifest.hook_api != HOOK_API:
        message = f"written for hook API {manifest.hook_api}, and this core has {HOOK_API}: install versions that match"
        raise ContractError(manifest.name, "hook_api", message)


# -- settings ----------------------------------------------------------------------------------------------------------


def read_settings(manifest: CrmManifest, settings: Mapping[str, object] | BaseModel, connection: str) -> BaseModel:
    """Check settings with the plugin's model.

    :raises ConfigurationError: As :func:`bind`.
    """
    model = load(manifest.settings, of=f"plugin {manifest.name}")
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise ContractError(manifest.name, "settings", f"{manifest.settings} is no pydantic model")
    where = f"connection {connection} ({manifest.name})"
    if isinstance(settings, BaseModel):
        if isinstance(settings, model):
            return settings
        raise ConfigurationError(f"{where}: got settings of type {type(settings).__name__}, wanted {model.__name__}")
    try:
        return model.model_validate(dict(settings))
    except ValidationError as error:
        wrong = "; ".join(_problem(path, _without_secrets(what, settings), model) for path, what in problems(error))
    # Raised out here: pydantic's error quotes values, secrets too, and would be printed as the cause or context.
    raise ConfigurationError(f"{where}: {wrong}. Settings of {manifest.name}: {', '.join(model.model_fields)}")


def _problem(path: str, what: str, model: type[BaseModel]) -> str:
    key = path.partition(".")[0]  # of a list in it the path goes on
    near = [] if key in model.model_fields else difflib.get_close_matches(path, model.model_fields, n=1)
    hint = f" (did you mean {near[0]}?)" if near else ""
    sentence = what.removeprefix("Value error, ")  # a validator's own is whole, and begins anew
    return f"{f'settings.{path}' if path else 'settings'}{' ' if sentence == what else ': '}{sentence}{hint}"


def _without_secrets(text: str, settings: Mapping[str, object]) -> str:
    """Blot out the values of secrets: a validator of the plugin may quote what it refuses."""
    for name, value in settings.items():
        secret = value.get_secret_value() if isinstance(value, SecretStr) else value
        if is_secret(name) and isinstance(secret, str) and len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "…")
    return text


# -- plugins -----------------------------------------------------------------------------------------------------------


def _named(observers: Sequence[object]) -> dict[str, object]:
    named = {f"{check_observer(observer)} {place}": observer for place, observer in enumerate(observers, start=1)}
    if len({id(observer) for observer in observers}) < len(named):
        raise ConfigurationError("an observer is given twice; wanted each once")
    return named


def _manager(manifest: CrmManifest, adapter: object, observers: Mapping[str, object]) -> pluggy.PluginManager:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(CrmHooks)
    manager.add_hookspecs(Observers)
    for name, plugin in {manifest.name: adapter, **observers}.items():
        try:
            manager.register(plugin, name=name)
            manager.check_pending()
        except pluggy.PluginValidationError as error:
            raise ContractError(name, "registration", str(error)) from error
    answering = {caller.name for caller in manager.get_hookcallers(adapter) or ()} & OPERATIONS
    if answering != manifest.operations & OPERATIONS:
        hidden = ", ".join(sorted(manifest.operations & OPERATIONS - answering))
        raise ContractError(
            manifest.name, hidden, "hidden by an attribute of the instance; wanted the method of the class"
        )
    return manager


def _each_alone(manager: pluggy.PluginManager, observers: Mapping[str, object]) -> dict[str, Callable[..., Any]]:
    """Give each observer a call of its own: one that raises keeps no other from hearing."""
    return {
        name: manager.subset_hook_caller(
            "operation_finished", [each for each in observers.values() if each is not observer]
        )
        for name, observer in observers.items()
    }
