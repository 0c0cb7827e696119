"""The extractor of one connection."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from connector_core import discovery
from connector_core.errors import ConfigurationError
from connector_core.extractors.binding import Extractor, bind_extractor
from connector_core.references import resolve

DEFAULT_EXTRACTOR = "rules"


@dataclass(slots=True)
class Extraction:
    """The extractor of one connection, bound when it is first asked for; safe for threads.

    ``settings``: as written; ``directory``: what relative paths of references in them start from, None where nothing in them
    is a reference.
    """

    connection: str = ""
    name: str = DEFAULT_EXTRACTOR
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    directory: Path | None = field(default_factory=Path)
    _bound: Extractor | None = field(default=None, init=False, repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)

    def get(self) -> Extractor:
        """Give the extractor.

        :raises ConfigurationError: It is not installed (the message offers the nearest), or a setting is wrong.
        """
        with self._lock:
            if self._bound is None:
                self._bound = self._bind()
            return self._bound

    def close(self) -> None:
        """Let go of it."""
        with self._lock:
            if self._bound is not None:
                self._bound.close()
            self._bound = None

    def _bind(self) -> Extractor:
        try:
            manifest = discovery.extractor(self.name)
        except ConfigurationError as error:
            raise ConfigurationError(f"connection {self.connection}, extractor: {error}") from error
        where = f"extractors.{self.name}"
        return bind_extractor(manifest, resolve(self.settings, self.directory, of=where), of=where)
