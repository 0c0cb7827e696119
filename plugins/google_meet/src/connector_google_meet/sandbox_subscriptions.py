"""The subscriptions of a sandbox of Google: one for each user and target, for seven days."""

from __future__ import annotations

import datetime as dt
import itertools
import json
import re
from collections.abc import Mapping
from typing import Any

from connector_core.testing.sandbox import Request, Response

_LIFE = dt.timedelta(days=7)
_FILTER = re.compile(r'event_types:"[a-zA-Z0-9.]+" AND target_resource="([^"]+)"')


class Subscriptions:
    """What the Workspace Events API holds."""

    def __init__(self) -> None:
        """Hold none."""
        self._held: dict[str, dict[str, Any]] = {}
        self._numbers = itertools.count(1)

    def answer(self, request: Request, user_id: str) -> Response | None:
        """Answer a user; None for what is not known."""
        target = f"//cloudidentity.googleapis.com/users/{user_id}"
        _, _, name = request.path.removeprefix("/v1/").partition("/")
        match request.method, name.partition(":")[::2]:
            case "GET", ("", ""):
                found = _FILTER.fullmatch(request.query.get("filter", ""))
                if found is None or request.query.keys() != {"filter", "pageSize"}:
                    return None
                rows = [it for it in self._held.values() if it["targetResource"] == found[1] == target]
                return Response.of({"subscriptions": rows} if rows else {})
            case "POST", ("", ""):
                return self._created(request, target)
            case "PATCH", (key, "") if request.query == {"updateMask": "ttl"} and json.loads(request.body) == {
                "ttl": "0s"
            }:
                return self._changed(key, target, expireTime=_expiry())
            case "POST", (key, "reactivate") if json.loads(request.body) == {}:
                return self._changed(key, target, state="ACTIVE", suspensionReason=None)
        return None

    def _created(self, request: Request, target: str) -> Response | None:
        asked = json.loads(request.body)
        if asked.keys() != {"targetResource", "eventTypes", "notificationEndpoint"}:
            return None
        if asked["targetResource"] != target:
            return _refused(403, "PERMISSION_DENIED")
        if any(it["targetResource"] == target for it in self._held.values()):
            return _refused(409, "ALREADY_EXISTS")
        key = f"meet-user-{next(self._numbers)}"
        known = {"name": f"subscriptions/{key}", "state": "ACTIVE", "expireTime": _expiry()}
        self._held[key] = asked | known
        return _done(self._held[key])

    def _changed(self, key: str, target: str, **values: Any) -> Response:
        held = self._held.get(key)
        if held is None or held["targetResource"] != target:
            return _refused(403, "PERMISSION_DENIED")
        changed = held | values
        self._held[key] = {name: value for name, value in changed.items() if value is not None}
        return _done(self._held[key])

    def records(self) -> list[dict[str, Any]]:
        """Give them all."""
        return [dict(it) for it in self._held.values()]

    def patch(self, key: str, values: Mapping[str, Any], *, delete: bool) -> None:
        """Change one, or delete it.

        :raises KeyError: There is none.
        """
        self._held[key] |= values
        if delete:
            del self._held[key]


def _expiry() -> str:
    return (dt.datetime.now(dt.UTC) + _LIFE).isoformat(timespec="microseconds").replace("+00:00", "Z")


def _done(subscription: Mapping[str, Any]) -> Response:
    return Response.of({"name": "operations/1", "done": True, "response": dict(subscription)})


def _refused(status: int, word: str) -> Response:
    return Response.of({"error": {"code": status, "status": word, "message": word}}, status)
