"""The call providers whose webhooks are one connection's."""

from __future__ import annotations

import difflib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector_core import discovery
from connector_core.errors import ConfigurationError
from connector_core.providers.binding import Provider, bind_provider
from connector_core.references import resolve


@dataclass(slots=True)
class Sources:
    """The call providers of one connection, each bound when it is first asked for; safe for threads.

    ``settings``: of each provider, as written; ``directory``: what relative paths of references in them start from, None
    where nothing in them is a reference.
    """

    connection: str = ""
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, repr=False)
    directory: Path | None = field(default_factory=Path)
    _bound: dict[str, Provider] = field(default_factory=dict, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def get(self, name: str) -> Provider:
        """Give a provider.

        :raises ConfigurationError: The connection has none of that name, it is not installed, or a setting is wrong.
        """
        with self._lock:
            if name not in self._bound:
                self._bound[name] = self.bind(name)
            return self._bound[name]

    def bind(self, name: str) -> Provider:
        """Bind a provider anew; close it, or use ``with``.

        :raises ConfigurationError: As :meth:`get`.
        """
        where = f"connections.{self.connection}.providers.{name}"
        if name not in self.settings:
            near = difflib.get_close_matches(name, self.settings, n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            raise ConfigurationError(f"{where}: there is none{hint}")
        return bind_provider(discovery.provider(name), resolve(self.settings[name], self.directory, of=where), of=where)

    def close(self) -> None:
        """Let go of all of them."""
        with self._lock:
            for provider in self._bound.values():
                provider.close()
            self._bound.clear()
