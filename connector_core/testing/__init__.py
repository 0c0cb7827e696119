"""What plugins and their users test with.

The contract kit needs the extra ``testing``, and is imported when it is first named.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connector_core.testing.contract import AdapterContract

__all__ = ["AdapterContract"]


def __getattr__(name: str) -> object:
    if name != "AdapterContract":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from connector_core.testing.contract import AdapterContract

    return AdapterContract
