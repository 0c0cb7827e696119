"""From a call record to a part of a call.

Documented at learn.microsoft.com/graph/api/resources/callrecords-callrecord. A record comes in versions; each is whole, and
the greatest is the newest. Organizer and participants are read as ``…_v2``: the older keys end in June 2026.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, TypeAlias

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from connector_core.providers.bodies import Sent, checked
from connector_core.providers.parts import Part
from connector_microsoft_teams.notifications import call_id_of

_PHONE = re.compile(r"\+\d{5,15}")
_INVITED = re.compile(r"(?P<local>[^#@]+)_(?P<domain>[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)#EXT#@.+", re.IGNORECASE)
"""The login of a guest of the tenant: their address, ``@`` written as ``_``, and the tenant's own domain."""


def _iso(value: object) -> object:
    if not isinstance(value, str) or "T" not in value:
        raise PydanticCustomError("graph_time", "Input should be an ISO 8601 date and time with an offset")
    return value


def _near(value: dt.datetime) -> dt.datetime:
    """Keep clear of the ends of the calendar: windows are counted from these times, in both directions."""
    if not 1900 <= value.year < 3000:
        raise PydanticCustomError("graph_time", "Input should be in a year from 1900 to 2999")
    return value


def _text_or_none(value: object) -> object:
    return (value.strip() or None) if isinstance(value, str) else value


GraphTime: TypeAlias = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_iso), AfterValidator(_near)]
"""In UTC, with up to seven decimals, of which six are kept."""
Text: TypeAlias = Annotated[str | None, BeforeValidator(_text_or_none)]
"""A text that may be missing, which Graph also writes as an empty one."""


class Identity(Sent):
    """Somebody, of one kind."""

    id: Text = None
    displayName: Text = None  # noqa: N815 - as Graph writes it
    tenantId: Text = None  # noqa: N815 - as Graph writes it
    userPrincipalName: Text = None  # noqa: N815 - as Graph writes it


class IdentitySet(Sent):
    """One of these is set. Applications and devices (bots, queues, rooms) are left out: they are nobody."""

    user: Identity | None = None
    guest: Identity | None = None
    phone: Identity | None = None
    acsUser: Identity | None = None  # noqa: N815 - as Graph writes it
    azureCommunicationServicesUser: Identity | None = None  # noqa: N815 - as Graph writes it
    onPremises: Identity | None = None  # noqa: N815 - as Graph writes it
    encrypted: Identity | None = None


class Listed(Sent):
    """A record in a list."""

    id: Annotated[str, Field(pattern=r"^[0-9A-Fa-f-]{36}$")]


class Party(Sent):
    """The organizer, or somebody who took part."""

    identity: IdentitySet | None = None


class Endpoint(Sent):
    """A side of a session. ``associatedIdentity``: the user who is signed in there."""

    identity: IdentitySet | None = None
    associatedIdentity: Identity | None = None  # noqa: N815 - as Graph writes it


class Session(Sent):
    """A conversation between two endpoints; of a meeting, between each of those in it and the meeting."""

    startDateTime: GraphTime  # noqa: N815 - as Graph writes it
    caller: Endpoint | None = None
    callee: Endpoint | None = None


class Record(Sent):
    """A call record. ``joinWebUrl`` is empty for all but scheduled meetings."""

    id: Annotated[str, Field(min_length=1)]
    version: Annotated[int, Field(ge=0, le=2**53)]
    type: Text = None
    startDateTime: GraphTime  # noqa: N815 - as Graph writes it
    endDateTime: GraphTime  # noqa: N815 - as Graph writes it
    joinWebUrl: Text = None  # noqa: N815 - as Graph writes it
    organizer_v2: Party | None = None
    participants_v2: list[Party]

    @property
    def between_two(self) -> bool:
        """Whether one called another."""
        return self.type == "peerToPeer"

    @property
    def unanswered(self) -> bool:
        """Whether a call between two ended as it began; a meeting that one is alone in does not."""
        return self.between_two and self.startDateTime == self.endDateTime


# -- who somebody is ---------------------------------------------------------------------------------------------------


def is_own(who: Identity | None, tenant_id: str) -> bool:
    """Tell whether a user is of the tenant, and no guest there."""
    return who is not None and (who.tenantId or "").lower() == tenant_id and not _is_invited(who)


def _is_invited(who: Identity) -> bool:
    return "#ext#" in (who.userPrincipalName or "").lower()


def mail_of(who: Identity) -> str | None:
    """Give the address that a login is, or stands for; it may be no mailbox."""
    login = who.userPrincipalName or ""
    if not _is_invited(who):
        return login if "@" in login else None
    found = _INVITED.fullmatch(login)
    return f"{found['local']}@{found['domain']}" if found else None


def attendant(identity: IdentitySet | None, tenant_id: str, *, attended: bool | None) -> dict[str, Any] | None:
    """Say who took part; None for what is nobody."""
    if identity is None:
        return None
    said: dict[str, Any] = {"attended": attended}
    if (user := identity.user) is not None:
        mail = mail_of(user)
        said |= {"is_user": is_own(user, tenant_id) if user.tenantId else None, "name": user.displayName}
        said |= {"emails": ({"email": mail, "source": "upn"},) if mail else ()}
        return _keyed("user", user.id or mail or user.displayName, said)
    if (phone := identity.phone) is not None:
        number = phone.id if phone.id and _PHONE.fullmatch(phone.id) else None
        said |= {"is_user": False, "name": phone.displayName, "phones": (number,) if number else ()}
        return _keyed("phone", phone.id or phone.displayName, said)
    other = _outsider(identity)
    if other is None:
        return None
    said |= {"is_user": False, "name": other.displayName}
    return _keyed("guest", other.displayName or other.id, said)


def _keyed(kind: str, key: str | None, said: dict[str, Any]) -> dict[str, Any] | None:
    """Say by what somebody is told apart; None for whom nothing does."""
    return None if key is None else said | {"key": f"{kind} {key}"}


def _outsider(identity: IdentitySet) -> Identity | None:
    possible = (identity.guest, identity.acsUser, identity.azureCommunicationServicesUser)
    return next((it for it in (*possible, identity.onPremises, identity.encrypted) if it is not None), None)


def own_user(identity: IdentitySet | None, tenant_id: str) -> Identity | None:
    """Give the user of the tenant that somebody is; None for anybody else."""
    user = identity.user if identity is not None else None
    return user if is_own(user, tenant_id) else None


# -- the part ----------------------------------------------------------------------------------------------------------


def part(record_id: str, event: str, revision: float, **said: Any) -> Part:
    """Make a part of a call.

    :raises InputError: What is said of it cannot be.
    """
    head = {"call_id": call_id_of(record_id), "provider": "microsoft_teams", "event": event, "revision": revision}
    return checked(Part, head | said)


def told(record: Record, sessions: Sequence[Session], tenant_id: str) -> Part:
    """Say what a version of a record says.

    :param sessions: Of a call between two: who called whom.
    :raises InputError: It says what cannot be.
    """
    host = own_user(record.organizer_v2.identity if record.organizer_v2 else None, tenant_id)
    attended = None if record.unanswered else True
    sides = list(_sides(sessions))
    identities = [*(who.identity for who in record.participants_v2), *sides]
    people = [attendant(identity, tenant_id, attended=attended) for identity in identities]
    said: dict[str, Any] = {}
    if record.between_two and len(sides) == 2:
        said = _direction(sides[0], sides[1], tenant_id)
    return part(
        record.id.lower(),
        "callRecord",
        float(record.version),
        kind="phone" if record.between_two and any(it is not None and it.phone for it in identities) else "meeting",
        complete=True,
        status="missed" if record.unanswered else "completed",
        started_at=record.startDateTime,
        ended_at=record.endDateTime,
        duration_seconds=max(0.0, (record.endDateTime - record.startDateTime).total_seconds()),
        organizer=_organizer(host),
        participants=tuple(who for who in people if who is not None),
        **said,
    )


def _organizer(host: Identity | None) -> dict[str, str | None] | None:
    if host is None or not (host.displayName or mail_of(host)):
        return None
    return {"name": host.displayName, "email": mail_of(host)}


def _sides(sessions: Sequence[Session]) -> Iterator[IdentitySet | None]:
    """Give who called and who was called, of the first session."""
    first = min(sessions, key=lambda it: it.startDateTime, default=None)
    for side in (first.caller, first.callee) if first is not None else ():
        signed_in = side.associatedIdentity if side is not None else None
        identity = side.identity if side is not None else None
        if signed_in is not None and (identity is None or identity.user is not None):
            identity = IdentitySet(user=signed_in)  # the same user, with the login
        yield identity


def _direction(caller: IdentitySet | None, callee: IdentitySet | None, tenant_id: str) -> dict[str, Any]:
    """Say who called whom, as far as both are known."""
    ours = [own_user(side, tenant_id) is not None for side in (caller, callee)]
    said: dict[str, Any] = {"from_number": _number(caller), "to_number": _number(callee)}
    if caller is not None and callee is not None and any(ours):
        said["direction"] = "internal" if all(ours) else "outbound" if ours[0] else "inbound"
    return said


def _number(side: IdentitySet | None) -> str | None:
    number = side.phone.id if side is not None and side.phone is not None else None
    return number if number and _PHONE.fullmatch(number) else None
