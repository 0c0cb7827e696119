"""Connections as configuration: written in ``connector.toml``, or built in Python by a host that keeps its own."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from connector_core import binding, discovery
from connector_core.association import Settings
from connector_core.connection import Connection
from connector_core.errors import ConfigurationError
from connector_core.extraction import DEFAULT_EXTRACTOR, Extraction
from connector_core.extractors.binding import Extractor
from connector_core.manifest import ConnectionInfo, CrmManifest
from connector_core.meter import QUOTA_RESERVE
from connector_core.references import FILE, VAULT, resolve
from connector_core.sources import Sources
from connector_core.tokens import FileTokens, TokenStore
from connector_core.writing import Writing

DEFAULT_FILE = Path("connector.toml")
DEFAULT_LEDGER = "sqlite:///connector.db"
DEFAULT_LEDGER_KEY = "env:CONNECTOR_LEDGER_KEY"
KEEP_DAYS = 90
FIELDS = ("call_fields", "meeting_fields")


@dataclass(frozen=True, slots=True)
class OpenConnection:
    """A connection that is bound to its CRM, and the other fields of its configuration; close it, or use ``with``."""

    connection: Connection
    association: Settings
    writing: Writing = field(default_factory=Writing)
    quota_reserve: float = QUOTA_RESERVE
    release: Callable[[], None] = field(default=lambda: None, repr=False)
    changes_seconds: float = 60.0
    delay_seconds: float = 0.0
    sources: Sources = field(default_factory=Sources, repr=False)
    extraction: Extraction = field(default_factory=Extraction, repr=False)

    def extractor(self) -> Extractor:
        """Give what finds values in calls: one for all threads, closed with the connection.

        :raises ConfigurationError: It is not installed, or a setting of it is wrong.
        """
        return self.extraction.get()

    def close(self) -> None:
        """Close the connection, and what was opened for it."""
        self.connection.close()
        self.release()

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
    ``directory``), looked up when the connection is opened. ``source`` is the file that it was written in, if any.
    ``references``: false where your own customers typed the settings (those of providers and extractor too): then all are
    taken as they stand, since ``env:NAME`` would send a secret of this process to an address that a customer names.

    ``quota_reserve``: see :mod:`connector_core.meter`. ``changes_seconds``: how often a worker reads changes; 0 for never.
    ``delay_seconds``: how long a call is left alone after its end, so that the record of the dialler itself comes first.
    ``tokens``: where the connection's tokens are kept; by default what ``refresh_token`` names: a file that can be written,
    or with ``vault:NAME`` the ledger (``ledger_url``, ``ledger_key``). ``providers``: the settings of each call provider
    whose webhooks are this connection's. ``extractor``: what finds values in its calls; ``extractor_settings``: its own.
    """

    name: str
    crm: str
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    association: Settings = field(default_factory=Settings)
    writing: Writing = field(default_factory=Writing)
    quota_reserve: float = QUOTA_RESERVE
    delay_seconds: float = 0.0
    changes_seconds: float = 60.0
    directory: Path = field(default_factory=Path)
    source: str | None = None
    tokens: TokenStore | None = field(default=None, repr=False)
    providers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    ledger_url: str = field(default=DEFAULT_LEDGER, repr=False)
    ledger_key: str = field(default=DEFAULT_LEDGER_KEY, repr=False)
    extractor: str = DEFAULT_EXTRACTOR
    extractor_settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    references: bool = True

    def open(self, *, observers: Sequence[object] = ()) -> OpenConnection:
        """Bind it to its CRM. No request is sent.

        :raises ConfigurationError: The CRM is not installed, cannot do what is asked of it, or lacks a setting; the
            message says where that was written.
        """
        with ExitStack() as opened:
            try:
                manifest = self._manifest()
                store = self.token_store(opened)
                info = ConnectionInfo(self.name, self.association.regions, self.association.time_zone, tokens=store)
                connection = binding.bind(manifest, self.resolved(manifest, store), info, observers=observers)
            except ConfigurationError as error:
                raise ConfigurationError(in_file(self.source, str(error))) from error
            sources = self.sources()
            extraction = Extraction(self.name, self.extractor, self.extractor_settings, self._referring_from)
            opened.callback(sources.close)
            opened.callback(extraction.close)
            release = opened.pop_all().close
            return OpenConnection(
                connection,
                self.association,
                self.writing,
                self.quota_reserve,
                release,
                self.changes_seconds,
                self.delay_seconds,
                sources,
                extraction,
            )

    def sources(self) -> Sources:
        """Give the call providers of the connection, to be closed; none is bound yet."""
        return Sources(self.name, self.providers, self._referring_from)

    def resolved(self, manifest: CrmManifest, store: TokenStore | None = None) -> dict[str, Any]:
        """Give the settings as the plugin takes them: references looked up, paths from the file's folder on.

        :param store: Where the connection's tokens are kept: its refresh token goes before the one that is written here.
        :raises ConfigurationError: A reference leads nowhere.
        """
        stored = self._stored(store) if store else {}
        given = {key: value for key, value in self.settings.items() if key not in stored}
        settings = {**resolve(given, self._referring_from, of=f"connection {self.name}, settings"), **stored}
        for key in manifest.paths & settings.keys():
            settings[key] = self.directory / settings[key] if isinstance(settings[key], str) else settings[key]
        return settings

    def token_store(self, opened: ExitStack) -> TokenStore | None:
        """Give where the connection's tokens are kept; None for memory.

        :param opened: Closes what is opened for it.
        :raises ConfigurationError: The vault cannot be opened.
        """
        reference = str(self.settings.get("refresh_token"))
        if self.tokens is not None or not self.references or not reference.startswith((FILE, VAULT)):
            return self.tokens
        if reference.startswith(VAULT):
            from connector_core.ledger.vault import open_vault  # here, as it brings the database layer, which few need

            vault = open_vault(self.ledger_url, self.ledger_key, self.directory)
            opened.callback(vault.close)
            return vault.tokens(self.name, reference.removeprefix(VAULT))
        path = self.directory / reference.removeprefix(FILE)
        # A secret that is mounted read-only is read like a variable of the environment.
        return FileTokens(path) if os.access(path.resolve().parent, os.W_OK) else None

    @property
    def _referring_from(self) -> Path | None:
        return self.directory if self.references else None

    def _stored(self, store: TokenStore) -> dict[str, str]:
        token = store.read().refresh_token
        if not token and self.tokens is None:
            where = self.settings["refresh_token"]
            raise self._impossible(
                "settings.refresh_token", f"none is in {where} yet: run connector login --connection {self.name}"
            )
        return {"refresh_token": token} if token else {}

    def _manifest(self) -> CrmManifest:
        try:
            manifest = discovery.crm(self.crm)
        except ConfigurationError as error:
            raise ConfigurationError(f"connection {self.name}, crm: {error}") from error
        if self.writing.meetings_as == "task" and "task" not in manifest.meetings_as:
            raise self._impossible("meetings_as", f'{manifest.title} keeps no meeting as a task; possible: "event"')
        if self.association.owner_filter and "owner_filter" not in manifest.traits:
            raise self._impossible("owner_filter", f"{manifest.title} has none; possible: false")
        for setting in FIELDS:
            if getattr(self.writing, setting) and "activity_fields" not in manifest.traits:
                raise self._impossible(setting, f"{manifest.title} takes no further fields; leave it out")
        if self.writing.note_parts and "notes" not in manifest.traits:
            raise self._impossible("note_parts", f"{manifest.title} takes no notes; leave it out")
        return manifest

    def _impossible(self, key: str, why: str) -> ConfigurationError:
        return ConfigurationError(f"connection {self.name}, {key}: {why}")


@dataclass(frozen=True, slots=True)
class Config:
    """What a configuration file says. ``providers``: the settings of each call provider, as written, where files are read.

    ``ledger_url``: as written, a reference perhaps. ``keep_days``: how long the ledger keeps what was said in a call.
    """

    path: Path
    connections: Mapping[str, ConnectionConfig]
    ledger_url: str = DEFAULT_LEDGER
    ledger_key: str = DEFAULT_LEDGER_KEY
    keep_days: int = KEEP_DAYS
    providers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)

    def connection(self, name: str) -> ConnectionConfig:
        """Give a connection by name.

        :raises ConfigurationError: There is none; the message offers the nearest, and lists all.
        """
        if name not in self.connections:
            raise ConfigurationError(f"{self.path}: has no connection {name!r}{offer(name, self.connections)}")
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


def in_file(source: str | None, text: str) -> str:
    """Begin each line of a message with the file that it is about, if there is one."""
    return "\n".join(f"{source}: {line}" if source else line for line in text.splitlines())


def offer(name: str, possible: Iterable[str]) -> str:
    """Offer the nearest name as the end of a message, and list all."""
    names = list(possible)
    near = difflib.get_close_matches(name, names, n=1)
    return f"{f'; did you mean {near[0]}?' if near else ';'} Possible: {', '.join(names) or 'none'}"
