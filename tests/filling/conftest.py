"""What tests of the filling share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from fill_office import FillOffice, fill_office


@pytest.fixture
def file(tmp_path: Path) -> Iterator[FillOffice]:
    """An office on the CRM in a file, where the CRM makes no difference."""
    with fill_office("file", tmp_path) as opened:
        yield opened
