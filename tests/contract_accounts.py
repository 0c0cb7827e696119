"""Accounts for contracts of CRMs that are asked without HTTP."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from connector_core.crms.world import World


class FileAccount:
    """A world in a file of its own."""

    ORIGIN = "local"

    def __init__(self) -> None:
        """Make nothing yet."""
        self._folder: TemporaryDirectory[str] | None = None

    def wipe(self) -> None:
        """Remove the file."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def seed(self, world: World) -> Mapping[str, str]:
        """Write the world; its ids stay what they are."""
        self._folder = TemporaryDirectory(prefix="contract-")
        text = json.dumps(world.model_dump(exclude_none=True), default=lambda moment: moment.isoformat())
        self._path.write_text(text, encoding="utf-8")
        return {record.id: record.id for name in type(world).model_fields for record in getattr(world, name)}

    def settings(self) -> Mapping[str, Any]:
        """Say where the file is."""
        return {"path": self._path}

    def unique_key(self) -> Mapping[str, Any]:
        """Need nothing: a key is always unique."""
        return {}

    def remove_contact(self, contact_id: str, survivor_id: str | None) -> None:
        """Delete a contact; the format has no merges."""
        world = json.loads(self._path.read_text(encoding="utf-8"))
        world["people"] = [person for person in world["people"] if person["id"] != contact_id]
        self._path.write_text(json.dumps(world), encoding="utf-8")

    @property
    def _path(self) -> Path:
        if self._folder is None:
            raise RuntimeError("seed first")
        return Path(self._folder.name) / "world.json"
