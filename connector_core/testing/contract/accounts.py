"""Accounts: where the world of the contract is held while clauses are recorded, or run without a cassette."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from connector_core.crms.world import World
from connector_core.manifest import CrmManifest, load
from connector_core.testing.contract.wording import BrokenClauseError
from connector_core.testing.sandbox import Sandbox
from connector_core.testing.server import SandboxServer


class Account(Protocol):
    """What an author's ``recording.py`` offers; a module does, and so does an object.

    ``ORIGIN``: ``live``, an account of the service; ``self-hosted``, a real server of open-source software; ``sandbox``;
    ``local``, asked without HTTP, so that there is nothing to record.

    For a plugin with the trait ``unique_external_key`` there is also ``unique_key()``: it makes a unique field for the
    call's id, until the next wipe, and gives the settings that name it. For one with the operation ``read_people`` there is
    ``remove_contact(contact_id, survivor_id)``: it deletes a contact, or merges it into another one where that is not None.
    Where it is asked in every run (``live=True``), ``missing()`` gives the names of the environment variables that it needs
    and does not find.
    """

    ORIGIN: str

    def wipe(self) -> None:
        """Remove what earlier runs left; called before each seed, and at the end."""

    def seed(self, world: World) -> Mapping[str, str]:
        """Hold the world; give the CRM's id of each record. Searches find it all when this returns."""

    def settings(self) -> Mapping[str, Any]:
        """Give the settings of a connection to it."""


class SandboxAccount:
    """The sandbox that a plugin ships, on this machine."""

    ORIGIN = "sandbox"

    def __init__(self, manifest: CrmManifest) -> None:
        """Start nothing yet."""
        self._contacts = manifest.names.get("contact", "contact")
        self._make: type[Sandbox] = load(manifest.sandbox or "", of=f"plugin {manifest.name}")
        self._sandbox: Sandbox | None = None
        self._server: SandboxServer | None = None

    def wipe(self) -> None:
        """Stop the server, if there is one."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def seed(self, world: World) -> Mapping[str, str]:
        """Start a server with the world."""
        self._sandbox = self._make(world)
        self._server = SandboxServer(self._sandbox).start()
        return self._sandbox.ids()

    def settings(self) -> Mapping[str, Any]:
        """Give the sandbox's own settings."""
        if self._server is None:
            raise RuntimeError("seed first")
        return self._server.settings

    def unique_key(self) -> Mapping[str, Any]:
        """Let the sandbox make a unique field."""
        return unique_key(self._sandbox)

    def remove_contact(self, contact_id: str, survivor_id: str | None) -> None:
        """Delete or merge a contact, as a person does."""
        if self._sandbox is None:
            raise RuntimeError("seed first")
        merged = survivor_id is not None
        self._sandbox.patch(self._contacts, contact_id, {}, delete=not merged, merge_into=survivor_id)


def remove_contact(account: object, contact_id: str, survivor_id: str | None) -> None:
    """Let an account delete or merge a contact, where it can.

    :raises BrokenClauseError: It cannot.
    """
    remove = getattr(account, "remove_contact", None)
    if remove is None:
        raise BrokenClauseError(
            f"  the manifest declares read_people, and {type(account).__name__} has no remove_contact() to prove it with"
        )
    remove(contact_id, survivor_id)


def unique_key(account: object) -> Mapping[str, Any]:
    """Give the settings of a unique field, where the account can make one.

    :raises BrokenClauseError: It cannot.
    """
    make = getattr(account, "unique_key", None)
    if make is None:
        raise BrokenClauseError(
            f"  the manifest declares unique_external_key, and {type(account).__name__} has no unique_key() to prove it"
            " with: write one in recording.py, which makes a unique field and gives the settings that name it; {} where the"
            " CRM has one of itself"
        )
    settings: Mapping[str, Any] = make()
    return settings


def missing_of(account: object) -> list[str]:
    """Give the environment variables that an account needs and does not find, where it tells."""
    missing: list[str] = getattr(account, "missing", list)()
    return missing


def recording_of(module_file: Path) -> Account | None:
    """Load the ``recording.py`` beside a test module; None where there is none."""
    path = module_file.with_name("recording.py")
    if not path.exists():
        return None
    specification = importlib.util.spec_from_file_location(f"_recording_{abs(hash(path))}", path)
    if specification is None or specification.loader is None:
        raise ImportError(f"{path} cannot be imported")
    module: Any = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module  # type: ignore[no-any-return]  # whether it has all three shows when they are called
