"""Settings that stand elsewhere: ``env:NAME`` in the environment, ``file:PATH`` in a file.

``vault:NAME``, in the ledger, is for refresh tokens alone: it names a store, see :mod:`connector_core.tokens`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from connector_core.errors import ConfigurationError

_SECRET_ENDINGS = ("token", "secret", "password", "key")
_ENVIRONMENT, FILE, VAULT = "env:", "file:", "vault:"


def is_secret(key: str) -> bool:
    """Tell whether a setting holds a secret, by its name."""
    return key.casefold().endswith(_SECRET_ENDINGS)


def is_reference(value: object) -> bool:
    """Tell whether a value is not the setting itself but says where it stands."""
    return isinstance(value, str) and value.startswith((_ENVIRONMENT, FILE, VAULT))


def resolve(settings: Mapping[str, Any], directory: Path | None, *, of: str) -> dict[str, Any]:
    """Put in place of each reference what it refers to, without line ends behind it.

    :param directory: What a relative path of a file starts from; None where nothing is a reference, and all stays as it is.
    :param of: Whose settings they are, for messages: they name it, the key and the reference, never a value.
    :raises ConfigurationError: References that lead nowhere; all of them, a line each.
    """
    if directory is None:
        return dict(settings)
    resolved: dict[str, Any] = {}
    problems: list[str] = []
    for key, value in settings.items():
        try:
            resolved[key] = _look_up(value, directory) if is_reference(value) else value
        except ConfigurationError as error:
            problems.append(f"{of}.{key}: {error}")
    if problems:
        raise ConfigurationError("\n".join(problems))
    return resolved


def _look_up(reference: str, directory: Path) -> str:
    if reference.startswith(VAULT):
        raise ConfigurationError("only a refresh_token can stand in the vault")
    kind, _, name = reference.partition(":")
    value = _variable(name) if f"{kind}:" == _ENVIRONMENT else _content(directory / name, name)
    if not value:
        raise ConfigurationError(f"{reference} is empty")
    return value


def _variable(name: str) -> str:
    try:
        return os.environ[name]
    except KeyError as error:
        raise ConfigurationError(f"the environment variable {name or '(no name)'} is not set") from error


def _content(path: Path, name: str) -> str:
    try:
        return path.read_text(encoding="utf-8-sig").rstrip("\r\n")
    except OSError as error:
        raise ConfigurationError(f"the file {name} cannot be read ({error.strerror}); looked for {path}") from error
    except ValueError as error:
        raise ConfigurationError(f"the file {name} is no text in UTF-8") from error
