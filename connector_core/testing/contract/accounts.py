"""Accounts: where the world of the contract is held while clauses are recorded, or run without a cassette."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from connector_core.crms.world import World
from connector_core.manifest import CrmManifest, load
from connector_core.testing.sandbox import Sandbox
from connector_core.testing.server import SandboxServer


class Account(Protocol):
    """What an author's ``recording.py`` offers; a module does, and so does an object.

    ``ORIGIN``: ``live``, an account of the service; ``self-hosted``, a real server of open-source software; ``sandbox``;
    ``local``, asked without HTTP, so that there is nothing to record.
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
        self._make: type[Sandbox] = load(manifest.sandbox or "", of=f"plugin {manifest.name}")
        self._server: SandboxServer | None = None

    def wipe(self) -> None:
        """Stop the server, if there is one."""
        if self._server is not None:
            self._server.close()
            self._server = None

    def seed(self, world: World) -> Mapping[str, str]:
        """Start a server with the world."""
        sandbox = self._make(world)
        self._server = SandboxServer(sandbox).start()
        return sandbox.ids()

    def settings(self) -> Mapping[str, Any]:
        """Give the sandbox's own settings."""
        if self._server is None:
            raise RuntimeError("seed first")
        return self._server.settings


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
