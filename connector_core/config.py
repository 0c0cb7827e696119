"""Connections as configuration: written in ``connector.toml``, or built in Python by a host that keeps its own."""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

from pydantic import AfterValidator, BaseModel, Field, StrictBool, StrictInt, ValidationError
from pydantic_core import PydanticCustomError

from connector_core import binding, discovery
from connector_core.association import Settings
from connector_core.connection import Connection
from connector_core.errors import ConfigurationError
from connector_core.manifest import ConnectionInfo, CrmManifest
from connector_core.outside import Id, Outside
from connector_core.references import is_reference, is_secret, resolve
from connector_core.validation import problems

DEFAULT_FILE = Path("connector.toml")
DEFAULT_LEDGER = "sqlite:///connector.db"

MeetingsAs: TypeAlias = Literal["event", "task"]


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """A connection that is bound to its CRM, and how its calls are associated and written; close it, or use ``with``."""

    connection: Connection
    association: Settings
    meetings_as: MeetingsAs | None
    write_unmatched: bool

    def close(self) -> None:
        """Close the connection."""
        self.connection.close()

    def __enter__(self) -> Self:
        """Use it."""
        return self

    def __exit__(self, *_exception: object) -> None:
        """Close it."""
        self.close()


@dataclass(frozen=True, slots=True)
class ConnectionConfig:
    """One connection to one CRM.

    ``settings`` are the plugin's own; any string of them may be ``env:NAME`` or ``file:PATH`` (relative to
    ``directory``), looked up when the connection is opened. ``meetings_as``: ``event`` is whatever the CRM keeps meetings
    as, ``task`` a task; None for the CRM's default. ``source`` is the file that it was written in, if any.
    """

    name: str
    crm: str
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    association: Settings = field(default_factory=Settings)
    meetings_as: MeetingsAs | None = None
    write_unmatched: bool = True
    directory: Path = field(default_factory=Path)
    source: str | None = None

    def open(self, *, observers: Sequence[object] = ()) -> OpenConnection:
        """Bind it to its CRM. No request is sent.

        :raises ConfigurationError: The CRM is not installed, cannot do what is asked of it, or lacks a setting; the
            message says where that was written.
        """
        try:
            manifest = self._manifest()
            info = ConnectionInfo(self.name, self.association.regions, self.association.time_zone)
            connection = binding.bind(manifest, self.resolved(manifest), info, observers=observers)
        except ConfigurationError as error:
            raise ConfigurationError(in_file(self.source, str(error))) from error
        return OpenConnection(connection, self.association, self.meetings_as, self.write_unmatched)

    def resolved(self, manifest: CrmManifest) -> dict[str, Any]:
        """Give the settings as the plugin takes them: references looked up, paths from the file's folder on.

        :raises ConfigurationError: A reference leads nowhere.
        """
        settings = resolve(self.settings, self.directory, of=f"connection {self.name}, settings")
        for key in manifest.paths & settings.keys():
            settings[key] = self.directory / settings[key] if isinstance(settings[key], str) else settings[key]
        return settings

    def _manifest(self) -> CrmManifest:
        try:
            manifest = discovery.crm(self.crm)
        except ConfigurationError as error:
            raise ConfigurationError(f"connection {self.name}, crm: {error}") from error
        if self.meetings_as == "task" and "task" not in manifest.meetings_as:
            raise self._impossible("meetings_as", f'{manifest.title} keeps no meeting as a task; possible: "event"')
        if self.association.owner_filter and "owner_filter" not in manifest.traits:
            raise self._impossible("owner_filter", f"{manifest.title} has none; possible: false")
        return manifest

    def _impossible(self, key: str, why: str) -> ConfigurationError:
        return ConfigurationError(f"connection {self.name}, {key}: {why}")


@dataclass(frozen=True, slots=True)
class Config:
    """What a configuration file says. ``providers``: the settings of each call provider, as written."""

    path: Path
    connections: Mapping[str, ConnectionConfig]
    ledger_url: str = DEFAULT_LEDGER
    providers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    def connection(self, name: str) -> ConnectionConfig:
        """Give a connection by name.

        :raises ConfigurationError: There is none; the message offers the nearest, and lists all.
        """
        if name not in self.connections:
            raise ConfigurationError(f"{self.path}: has no connection {name!r}{_offer(name, self.connections)}")
        return self.connections[name]

    def provider_settings(self, name: str) -> dict[str, Any]:
        """Give the settings of a call provider, references looked up; empty where the file has none.

        :raises ConfigurationError: A reference leads nowhere.
        """
        try:
            return resolve(self.providers.get(name, {}), self.path.parent, of=f"providers.{name}")
        except ConfigurationError as error:
            raise ConfigurationError(in_file(str(self.path), str(error))) from error


def open_connection(config: Config, name: str, *, observers: Sequence[object] = ()) -> OpenConnection:
    """Open a connection of a configuration by name.

    :raises ConfigurationError: As :meth:`Config.connection` and :meth:`ConnectionConfig.open` do.
    """
    return config.connection(name).open(observers=observers)


# -- the file ----------------------------------------------------------------------------------------------------------


class _ConnectionTable(Outside):
    crm: Id
    regions: tuple[str, ...] = ()
    time_zone: str = "UTC"
    policy: str = "all_contacts"
    owner_filter: StrictBool = False
    windows_days: tuple[StrictInt, ...] = (30, 30, 90)
    meetings_as: MeetingsAs | None = None
    write_unmatched: StrictBool = True
    settings: dict[str, Any] = Field(default_factory=dict)


def _database(value: str) -> str:
    if not re.match(r"sqlite:///|postgresql(\+\w+)?://|env:|file:", value):
        possible = "sqlite:///FILE, postgresql://HOST/NAME, env:NAME or file:PATH"
        raise PydanticCustomError(
            "database", "Input should be the address of a database: {possible}", {"possible": possible}
        )
    return value


class _LedgerTable(Outside):
    url: Annotated[str, AfterValidator(_database)] = DEFAULT_LEDGER


class _File(Outside):
    connections: dict[str, _ConnectionTable] = Field(default_factory=dict)
    ledger: _LedgerTable = _LedgerTable()
    providers: dict[str, dict[str, Any]] = Field(default_factory=dict)


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
            connections[name] = _connection(path, name, table)
        except ConfigurationError as error:
            misplaced.append(f"connections.{name}.{error}")
    if misplaced:
        raise ConfigurationError(in_file(str(path), "\n".join(misplaced)))
    return Config(path, connections, file.ledger.url, file.providers)


def _parse(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigurationError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path}: is no text in UTF-8") from error
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise ConfigurationError(f"{path}: is no TOML: {error}") from error


def _connection(path: Path, name: str, table: _ConnectionTable) -> ConnectionConfig:
    values = table.model_dump(include=set(asdict(Settings())))
    return ConnectionConfig(
        name=name,
        crm=table.crm,
        settings=table.settings,
        association=Settings(**values),
        meetings_as=table.meetings_as,
        write_unmatched=table.write_unmatched,
        directory=path.parent,
        source=str(path),
    )


def _misplaced(file: _File) -> Iterator[str]:
    """Name the settings that are no flat values, and the secrets that stand in the file in clear."""
    tables = {f"connections.{name}.settings": table.settings for name, table in file.connections.items()}
    tables |= {f"providers.{name}": settings for name, settings in file.providers.items()}
    for place, settings in tables.items():
        for key, value in settings.items():
            if isinstance(value, dict):
                yield f"{place}.{key}: is a table; settings are flat"
            elif is_secret(key) and not is_reference(value):
                yield f'{place}.{key}: is a secret written in clear; write "env:NAME" or "file:PATH" and keep it there'


def in_file(source: str | None, text: str) -> str:
    """Begin each line of a message with the file that it is about, if there is one."""
    return "\n".join(f"{source}: {line}" if source else line for line in text.splitlines())


def _hint(where: str, what: str) -> str:
    """Add the nearest key and those that are possible to the word about an unknown one."""
    if what != "is an unknown key":
        return what
    table, _, key = where.rpartition(".")
    models: dict[str, type[BaseModel]] = {"": _File, "ledger": _LedgerTable}
    return what + _offer(key, models.get(table, _ConnectionTable).model_fields)


def _offer(name: str, possible: Iterable[str]) -> str:
    names = list(possible)
    near = difflib.get_close_matches(name, names, n=1)
    return f"{f'; did you mean {near[0]}?' if near else ';'} Possible: {', '.join(names) or 'none'}"
