"""A world opened as a CRM in a file."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from connector_core.binding import bind
from connector_core.connection import Connection
from connector_core.crms import FILE
from connector_core.manifest import ConnectionInfo, CrmManifest


@contextmanager
def crm(
    world: dict[str, Any],
    regions: tuple[str, ...] = ("FR",),
    time_zone: str = "UTC",
    manifest: CrmManifest = FILE,
    observers: Sequence[object] = (),
) -> Iterator[Connection]:
    """Write a world to a file that lasts as long as the connection to it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "world.json"
        path.write_text(json.dumps(world), encoding="utf-8")
        with bind(
            manifest, {"path": path}, ConnectionInfo("test", regions, time_zone), observers=observers
        ) as connection:
            yield connection
