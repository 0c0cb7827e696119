"""The subscriptions that events come by: one for each user, to all rooms that they own. Google lets them end after 7 days.

Documented at developers.google.com/workspace/events/reference/rest/v1/subscriptions.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from connector_core.errors import ConnectorError, InputError
from connector_core.providers.bodies import Sent, checked
from connector_google_meet.client import EVENTS, GoogleClient, Refusal
from connector_google_meet.events import ENDED, EVENT_TYPES, GoogleTime

Outcome: TypeAlias = Literal["made", "renewed", "reactivated", "failed"]
_NAME = re.compile(r"subscriptions/[A-Za-z0-9_.~%+-]{1,255}")
_LONGEST = {"ttl": "0s"}
"""As long as Google allows."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """What became of one user's subscription. ``expires_at``: None where Google has not said; ``reason``: why it failed."""

    user: str
    outcome: Outcome
    expires_at: dt.datetime | None = None
    reason: str | None = None


class Endpoint(Sent):
    """Where events are sent."""

    pubsubTopic: str  # noqa: N815 - Google's name


class Subscription(Sent):
    """A subscription, as Google has it."""

    name: str
    state: str | None = None
    expireTime: GoogleTime | None = None  # noqa: N815 - Google's name
    notificationEndpoint: Endpoint | None = None  # noqa: N815 - Google's name


def renew(client: GoogleClient, user: str, topic: str) -> Renewed:
    """Make the subscription of a user last as long as it may: made where there is none, set going where it was stopped."""
    try:
        return _renewed(client, user, topic)
    except ConnectorError as error:
        return Renewed(user, "failed", reason=str(error))


def _renewed(client: GoogleClient, user: str, topic: str) -> Renewed:
    user_id = client.user_id(user)
    if user_id is None:
        return Renewed(user, "failed", reason="Google does not tell the user's id")
    target = f"//cloudidentity.googleapis.com/users/{user_id}"
    wanted = f'event_types:"{ENDED}" AND target_resource="{target}"'
    rows = client.pages(user, f"{EVENTS}subscriptions", "subscriptions", {"filter": wanted, "pageSize": "100"})
    if isinstance(rows, Refusal):
        return Renewed(user, "failed", reason=f"subscriptions cannot be listed at Google ({rows})")
    if not rows:
        asked = {
            "targetResource": target,
            "eventTypes": list(EVENT_TYPES),
            "notificationEndpoint": {"pubsubTopic": topic},
        }
        return _done(user, "made", client.change(user, "POST", f"{EVENTS}subscriptions", asked))
    held = checked(Subscription, rows[0])
    if not _NAME.fullmatch(held.name):
        raise InputError("name: is none of a subscription")
    if held.notificationEndpoint is not None and held.notificationEndpoint.pubsubTopic != topic:
        return Renewed(
            user, "failed", held.expireTime, "the subscription sends events to another topic: delete it first"
        )
    outcome: Outcome = "renewed"
    if held.state == "SUSPENDED":
        active = client.change(user, "POST", f"{EVENTS}{held.name}:reactivate", {})
        if isinstance(active, Refusal):
            return _done(user, "failed", active)
        outcome = "reactivated"
    return _done(user, outcome, client.change(user, "PATCH", f"{EVENTS}{held.name}", _LONGEST, {"updateMask": "ttl"}))


def _done(user: str, outcome: Outcome, answer: dict[str, Any] | Refusal) -> Renewed:
    """Say what an operation came to; one that is not done yet has no response."""
    if isinstance(answer, Refusal):
        return Renewed(user, "failed", reason=f"Google refused it ({answer})")
    if "error" in answer:
        return Renewed(user, "failed", reason="Google could not do it: does meet-api-event-push publish to the topic?")
    made = answer.get("response")
    return Renewed(user, outcome, checked(Subscription, made).expireTime if made else None)
