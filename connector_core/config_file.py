"""The configuration file: read, and everything that is wrong with it told at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, Field, StrictBool, StrictInt, ValidationError
from pydantic_core import PydanticCustomError

from connector_core.association import Settings
from connector_core.config import (
    DEFAULT_LEDGER,
    DEFAULT_LEDGER_KEY,
    FIELDS,
    KEEP_DAYS,
    Config,
    ConnectionConfig,
    in_file,
    offer,
)
from connector_core.errors import ConfigurationError
from connector_core.extraction import DEFAULT_EXTRACTOR
from connector_core.meter import QUOTA_RESERVE
from connector_core.outside import Id, Outside
from connector_core.references import is_reference, is_secret
from connector_core.validation import problems
from connector_core.writing import PARTS, MeetingsAs, Writing, read_fields


class _ConnectionTable(Outside):
    crm: Id
    regions: tuple[str, ...] = ()
    time_zone: str = "UTC"
    policy: str = "all_contacts"
    owner_filter: StrictBool = False
    windows_days: tuple[StrictInt, ...] = (30, 30, 90)
    ignore_emails: tuple[str, ...] = ()
    ignore_numbers: tuple[str, ...] = ()
    most_people_per_identifier: Annotated[StrictInt, Field(ge=1)] | None = None
    meetings_as: MeetingsAs | None = None
    write_unmatched: StrictBool = True
    write_internal: StrictBool = False
    write_missed: StrictBool = True
    write_cancelled: StrictBool = True
    shortest_seconds: Annotated[float, Field(strict=True, ge=0, allow_inf_nan=False)] = 0.0
    parts: tuple[str, ...] = PARTS
    fallback_owner: str | None = None
    owners: dict[str, Any] = Field(default_factory=dict)
    call_fields: dict[str, Any] = Field(default_factory=dict)
    meeting_fields: dict[str, Any] = Field(default_factory=dict)
    note_parts: tuple[str, ...] = ()
    quota_reserve: Annotated[float, Field(strict=True, ge=0, le=1)] = QUOTA_RESERVE
    delay_seconds: Annotated[float, Field(strict=True, ge=0, le=86_400)] = 0.0
    changes_seconds: Annotated[float, Field(strict=True, ge=0, le=86_400)] = 60.0
    settings: dict[str, Any] = Field(default_factory=dict)
    providers: dict[str, dict[str, Any]] = Field(default_factory=dict)
    extractor: Id = DEFAULT_EXTRACTOR


def _reference(value: str) -> str:
    if not value.startswith(("env:", "file:")):
        raise PydanticCustomError("reference", 'Input should be "env:NAME" or "file:PATH", where the key stands')
    return value


def _database(value: str) -> str:
    if not re.match(r"sqlite:///|postgresql(\+\w+)?://|env:|file:", value):
        possible = "sqlite:///FILE, postgresql://HOST/NAME, env:NAME or file:PATH"
        raise PydanticCustomError(
            "database", "Input should be the address of a database: {possible}", {"possible": possible}
        )
    if re.match(r"\w[\w+]*://[^/@]*:[^/@]+@", value):
        raise PydanticCustomError("clear", 'Input should have no password in clear; write "env:NAME" or "file:PATH"')
    return value


class _LedgerTable(Outside):
    url: Annotated[str, AfterValidator(_database)] = DEFAULT_LEDGER
    key: Annotated[str, AfterValidator(_reference)] = DEFAULT_LEDGER_KEY
    keep_days: Annotated[StrictInt, Field(ge=1, le=36_500)] = KEEP_DAYS


class _File(Outside):
    connections: dict[str, _ConnectionTable] = Field(default_factory=dict)
    ledger: _LedgerTable = _LedgerTable()
    providers: dict[str, dict[str, Any]] = Field(default_factory=dict)
    extractors: dict[str, dict[str, Any]] = Field(default_factory=dict)


def load_config(path: Path) -> Config:
    """Read a configuration file and check all of it that needs no plugin and no secret.

    :raises ConfigurationError: One error for everything that is wrong, a line each: file, connection, key, and what is
        possible.
    """
    try:
        file = _File.model_validate(_parse(path))
    except ValidationError as error:
        text = "\n".join(f"{where}: {_hint(where, what)}" for where, what in problems(error))
        raise ConfigurationError(in_file(str(path), text)) from error
    misplaced = list(_misplaced(file))
    connections = {}
    for name, table in file.connections.items():
        try:
            connections[name] = _connection(path, name, table, file)
        except ConfigurationError as error:
            misplaced.append(f"connections.{name}.{error}")
    if misplaced:
        raise ConfigurationError(in_file(str(path), "\n".join(misplaced)))
    return Config(path, connections, file.ledger.url, file.ledger.key, file.ledger.keep_days, file.providers)


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))  # some editors begin a file with a mark
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: is no text in UTF-8") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path}: is no TOML: {error}") from error


def _connection(path: Path, name: str, table: _ConnectionTable, file: _File) -> ConnectionConfig:
    values = table.model_dump()
    for setting in FIELDS:
        values[setting] = read_fields(setting, values[setting])
    return ConnectionConfig(
        name=name,
        crm=table.crm,
        settings=table.settings,
        association=Settings(**{key: values[key] for key in asdict(Settings())}),
        writing=Writing(**{key: values[key] for key in (it.name for it in fields(Writing))}),
        quota_reserve=table.quota_reserve,
        delay_seconds=table.delay_seconds,
        changes_seconds=table.changes_seconds,
        providers=table.providers,
        directory=path.parent,
        source=str(path),
        ledger_url=file.ledger.url,
        ledger_key=file.ledger.key,
        extractor=table.extractor,
        extractor_settings=file.extractors.get(table.extractor, {}),
    )


def _misplaced(file: _File) -> Iterator[str]:
    """Name the settings that are no flat values, and the secrets that stand in the file in clear."""
    tables = {f"connections.{name}.settings": table.settings for name, table in file.connections.items()}
    tables |= {f"providers.{name}": settings for name, settings in file.providers.items()}
    tables |= {f"extractors.{name}": settings for name, settings in file.extractors.items()}
    for name, table in file.connections.items():
        tables |= {f"connections.{name}.providers.{each}": settings for each, settings in table.providers.items()}
    for place, settings in tables.items():
        for key, value in settings.items():
            if isinstance(value, dict):
                yield f"{place}.{key}: is a table; settings are flat"
            elif is_secret(key) and not is_reference(value):
                yield f'{place}.{key}: is a secret written in clear; write "env:NAME" or "file:PATH" and keep it there'


def _hint(where: str, what: str) -> str:
    """Add the nearest key and those that are possible to the word about an unknown one."""
    if what != "is an unknown key":
        return what
    table, _, key = where.rpartition(".")
    models: dict[str, type[BaseModel]] = {"": _File, "ledger": _LedgerTable}
    return what + offer(key, models.get(table, _ConnectionTable).model_fields)
