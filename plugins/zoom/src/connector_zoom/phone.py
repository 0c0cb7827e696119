"""From what Zoom Phone says of a call to parts of ours.

Zoom tells each leg and each side of a call in events of their own: the caller's side of an internal call and the callee's,
and in a call queue every user whose telephone rang. All that is told under one ``call_id`` is one call.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from connector_core.providers.bodies import checked
from connector_core.providers.hookspecs import Heard, Ignored
from connector_core.providers.parts import Part
from connector_zoom.events import Event, LiveCall, Log, Logs, Party, Told, Voicemail

OwnSide: TypeAlias = Literal["caller", "callee"]

_ANSWERED = frozenset({"answered", "accepted", "picked up", "connected", "succeeded", "call connected"})
_FAILED = frozenset(
    {"call failed", "unconnected", "invalid key", "invalid operation", "system blocked", "service unavailable"}
)
_BY_OTHER = ("answered by", "picked up by", "pickup by")
_ANSWERED_RANK = 1
"""Of a leg that was answered. What it says goes before what legs say that rang in vain, whenever they are told: of a call
that one of five answered, four say that they missed it."""


@dataclass(frozen=True, slots=True)
class Side:
    """A side of a call. ``ours``: of the account that the events are of."""

    ours: bool
    key: str
    name: str | None
    email: str | None
    number: str | None
    """What is called, an extension where there is no number."""

    phone: str | None
    """What can be looked up."""


@dataclass(frozen=True, slots=True)
class Leg:
    """A leg of a call, whichever event told it. ``over``: with it, the call can be written."""

    call_id: str
    own: OwnSide
    caller: Side
    callee: Side
    started_at: dt.datetime | None
    answered_at: dt.datetime | None
    ended_at: dt.datetime | None
    result: str
    talk_seconds: float | None
    over: bool

    @property
    def answered(self) -> bool:
        """Whether somebody answered, which a voicemail box is not."""
        return "voicemail" not in self.result and (self.answered_at is not None or self.result in _ANSWERED)

    @property
    def elsewhere(self) -> bool:
        """Whether the call went on without this leg: that says nothing of how it ended."""
        return self.own == "callee" and not self.answered and any(words in self.result for words in _BY_OTHER)


def live(head: Event, value: dict[str, Any]) -> Iterator[Heard]:
    """Read that a leg ended (``…_ended``), or rang in vain (``callee_missed``, ``callee_rejected``), which ends no call."""
    call = checked(Told[LiveCall], value).payload.object
    own: OwnSide = "caller" if head.event.startswith("phone.caller_") else "callee"
    yield _part(head, _live_leg(call, own, over=head.event.endswith("_ended")))


def logged(head: Event, value: dict[str, Any]) -> Iterator[Heard]:
    """Read the lines of history that a call left: the best that is told of it, once it is over."""
    logs = checked(Told[Logs], value).payload.object
    own: OwnSide = "caller" if head.event.startswith("phone.caller_") else "callee"
    lines = [*(logs.call_logs or ()), *(logs.call_elements or ())]
    if not lines:
        yield Ignored(head.event, "it holds no line of history")
    for log in lines:
        yield _part(head, _logged_leg(log, own))


def left(head: Event, value: dict[str, Any]) -> Iterator[Heard]:
    """Read that a message was left."""
    call_id = checked(Told[Voicemail], value).payload.object.call_id
    if call_id is None:
        yield Ignored(head.event, "it does not name its call")
    else:
        yield checked(Part, _head(head, call_id) | {"status": "voicemail"})


# -- legs --------------------------------------------------------------------------------------------------------------


def _live_leg(call: LiveCall, own: OwnSide, *, over: bool) -> Leg:
    caller, callee = (_party(party, side, own) for party, side in ((call.caller, "caller"), (call.callee, "callee")))
    answered_at = call.answer_start_time or call.connected_start_time
    return Leg(
        call_id=call.call_id,
        own=own,
        caller=caller,
        callee=callee,
        started_at=call.ringing_start_time or answered_at,
        answered_at=answered_at,
        ended_at=call.call_end_time,
        result=_words(call.handup_result),
        talk_seconds=None,
        over=over,
    )


def _party(party: Party, side: str, own: OwnSide) -> Side:
    outside = party.extension_type == "pstn" or not (party.extension_type or party.extension_id or party.user_id)
    ours = side == own or not outside
    extension = None if party.extension_number is None else str(party.extension_number)
    identity = party.extension_id or party.user_id or party.user_email or extension or party.phone_number or side
    return Side(
        ours=ours,
        key=f"extension {identity}" if ours else side,
        name=party.name,
        email=party.user_email,
        number=party.phone_number or extension,
        phone=party.phone_number,
    )


def _logged_leg(log: Log, own: OwnSide) -> Leg:
    caller = _logged_side(log, "caller", own)
    callee = _logged_side(log, "callee", own)
    return Leg(
        call_id=log.call_id,
        own=own,
        caller=caller,
        callee=callee,
        started_at=log.start_time,
        answered_at=log.answer_time,
        ended_at=log.end_time,
        result=_words(log.result_reason if "by_other" in (log.result_reason or "") else log.result),
        talk_seconds=None if log.talk_time is None else float(log.talk_time),
        over=True,
    )


def _logged_side(log: Log, side: OwnSide, own: OwnSide) -> Side:
    ext_id, ext_type, ext_number, name, email, number = (
        getattr(log, f"{side}_{what}") for what in ("ext_id", "ext_type", "ext_number", "name", "email", "did_number")
    )
    ours = side == own or log.connect_type == "internal" or bool(ext_id or ext_type)
    extension = None if ext_number is None else str(ext_number)
    return Side(
        ours=ours,
        key=f"extension {ext_id or email or extension or number or side}" if ours else side,
        name=name,
        email=email,
        number=number or extension,
        phone=number,
    )


def _words(result: str | None) -> str:
    return (result or "").replace("_", " ").casefold()


# -- the part ----------------------------------------------------------------------------------------------------------


def _head(head: Event, call_id: str) -> dict[str, Any]:
    return {
        "call_id": f"zoom:phone:{call_id}",
        "provider": "zoom",
        "kind": "phone",
        "event": head.event,
        "revision": head.event_ts / 1000,
    }


def _part(head: Event, leg: Leg) -> Part:
    said: dict[str, Any] = _head(head, leg.call_id) | {
        "direction": _direction(leg),
        "from_number": leg.caller.number,
        "to_number": leg.callee.number,
        "organizer": _organizer(leg),
        "participants": tuple(_attendant(leg, side) for side in (leg.caller, leg.callee)),
    }
    if leg.elsewhere:
        return checked(Part, said)
    return checked(Part, said | _ended(leg) | {"rank": _ANSWERED_RANK if leg.answered else 0})


def _ended(leg: Leg) -> dict[str, Any]:
    """Say when it was, and how it ended."""
    talk = leg.talk_seconds
    if not leg.answered:
        talk = 0.0
    elif talk is None and leg.answered_at is not None and leg.ended_at is not None:
        talk = max(0.0, (leg.ended_at - leg.answered_at).total_seconds())
    duration = None
    if leg.started_at is not None and leg.ended_at is not None and leg.ended_at >= leg.started_at:
        duration = (leg.ended_at - leg.started_at).total_seconds()
    return {
        "complete": leg.over,
        "status": _status(leg),
        "outcome": "Connected" if leg.answered else leg.result.capitalize() or None,
        "started_at": leg.started_at,
        "ended_at": leg.ended_at,
        "duration_seconds": duration,
        "talk_seconds": talk,
    }


def _direction(leg: Leg) -> str:
    if leg.caller.ours and leg.callee.ours:
        return "internal"
    return "outbound" if leg.own == "caller" else "inbound"


def _status(leg: Leg) -> str:
    if "voicemail" in leg.result:
        return "voicemail"
    if leg.answered:
        return "completed"
    if leg.result in _FAILED:
        return "failed"
    return "cancelled" if "cancel" in leg.result and leg.own == "caller" else "missed"


def _organizer(leg: Leg) -> dict[str, str | None] | None:
    """Give whose call it is: the caller where that is one of ours, on both sides of an internal call."""
    who = leg.caller if leg.caller.ours else leg.callee
    return {"name": who.name, "email": who.email} if who.name or who.email else None


def _attendant(leg: Leg, side: Side) -> dict[str, Any]:
    in_vain = side is leg.callee and side.ours and not leg.answered
    return {
        "key": side.key,
        "is_user": side.ours,
        "name": side.name,
        "emails": ({"email": side.email, "source": "webhook" if side.ours else "contact"},) if side.email else (),
        "phones": (side.phone,) if side.phone and not side.ours else (),
        "attended": False if in_vain else None,
    }
