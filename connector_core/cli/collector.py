"""Python's collector of cycles, in commands that work for long with many objects."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_THRESHOLDS = (10_000, 5, 2)
"""Of new objects; and how seldom older ones are looked at too: the CRMs' SDKs leave some cycles behind."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """Look for cycles less often, and never in what is there already.

    Nearly nothing here is in a cycle: by default a third of the CPU of a backfill goes into finding none.
    """
    usual = gc.get_threshold()
    gc.freeze()
    gc.set_threshold(*_THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*usual)
        gc.unfreeze()
