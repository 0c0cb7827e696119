"""The subscriptions that events come by: one for each user, to all rooms that they own. Google lets them end after 7 days.

Documented at developers.google.com/workspace/events/reference/rest/v1/subscriptions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from connector_core.errors import ConnectorError, InputError, TryAgainError
from connector_core.providers.bodies import Sent, checked
from connector_google_meet.client import EVENTS, GoogleClient, Refusal
from connector_google_meet.events import ENDED, EVENT_TYPES

Outcome: TypeAlias = Literal["made", "renewed", "reactivated", "failed"]
_NAME = re.compile(r"subscriptions/[A-Za-z0-9_.~%+-]{1,255}")
_LONGEST = {"ttl": "0s"}
"""As long as Google allows."""


@dataclass(frozen=True, slots=True)
class Renewed:
    """What became of one user's subscription; ``reason``: why it failed."""

    outcome: Outcome
    reason: str | None = None


class Endpoint(Sent):
    """Where events are sent."""

    pubsubTopic: str  # noqa: N815 - Google's name


class Subscription(Sent):
    """A subscription, as Google has it."""

    name: str
    state: str | None = None
    notificationEndpoint: Endpoint | None = None  # noqa: N815 - Google's name


def renew(client: GoogleClient, user: str, topic: str) -> Renewed:
    """Make the subscription of a user last as long as it may: made where there is none, set going where it was stopped.

    :raises TryAgainError: Google says how long to wait: so do the others.
    """
    try:
        return _renewed(client, user, topic)
    except ConnectorError as error:
        if isinstance(error, TryAgainError) and error.after_seconds is not None:
            raise
        return Renewed("failed", str(error))


def _renewed(client: GoogleClient, user: str, topic: str) -> Renewed:
    user_id = client.user_id(user)
    if user_id is None:
        return Renewed("failed", "Google does not tell the user's id")
    target = f"//cloudidentity.googleapis.com/users/{user_id}"
    wanted = f'event_types:"{ENDED}" AND target_resource="{target}"'
    rows = client.pages(user, f"{EVENTS}subscriptions", "subscriptions", {"filter": wanted, "pageSize": "100"})
    if isinstance(rows, Refusal):
        return Renewed("failed", f"subscriptions cannot be listed at Google ({rows})")
    if not rows:
        asked = {
            "targetResource": target,
            "eventTypes": list(EVENT_TYPES),
            "notificationEndpoint": {"pubsubTopic": topic},
        }
        return _done("made", client.change(user, "POST", f"{EVENTS}subscriptions", asked))
    held = checked(Subscription, rows[0])
    if not _NAME.fullmatch(held.name):
        raise InputError("name: is none of a subscription")
    if held.notificationEndpoint is not None and held.notificationEndpoint.pubsubTopic != topic:
        return Renewed("failed", "the subscription sends events to another topic: delete it first")
    outcome: Outcome = "renewed"
    if held.state == "SUSPENDED":
        active = client.change(user, "POST", f"{EVENTS}{held.name}:reactivate", {})
        if isinstance(active, Refusal):
            return _done("failed", active)
        outcome = "reactivated"
    return _done(outcome, client.change(user, "PATCH", f"{EVENTS}{held.name}", _LONGEST, {"updateMask": "ttl"}))


def _done(outcome: Outcome, answer: dict[str, Any] | Refusal) -> Renewed:
    """Say what an operation came to, or will: it may not be done yet."""
    if isinstance(answer, Refusal):
        return Renewed("failed", f"Google refused it ({answer})")
    if "error" in answer:
        return Renewed("failed", "Google could not do it: does meet-api-event-push publish to the topic?")
    return Renewed(outcome)
