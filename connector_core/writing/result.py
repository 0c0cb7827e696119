"""What became of a call, as public JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def result_json(
    call_id: str,
    decision: Mapping[str, Any] | None,
    *,
    outcome: str | None,
    activity_id: str | None,
    url: str | None,
    reason: str | None,
) -> dict[str, Any]:
    """Give the line that ``connector sync --json`` prints for a call."""
    activity = {"outcome": outcome, "id": activity_id, "url": url, "reason": reason}
    return {"call_id": call_id, "decision": decision, "activity": activity}
