"""What plugins and their users test with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from connector_core.testing.cassettes import recorded

__all__ = ["recorded"]


def __getattr__(name: str) -> Any:
    """Import on first use: sandboxes are served without what tests need."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from connector_core.testing import cassettes

    return getattr(cassettes, name)
